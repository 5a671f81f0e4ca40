//! The order of signals, and which tell the same story; the moment; labels that keep series apart.

use proptest::prelude::*;

use super::{
    super::{
        apart::{choose, distinct, keeps_apart},
        moment::Known,
        ranking::{rank, services, stories},
    },
    *,
};

fn order(signals: &[Signal]) -> Vec<String> {
    rank(signals, &split()).iter().map(|one| signals[one.signal].metric.clone()).collect()
}

/// A pool shrinks, then latency rises by far more: the pool is named first.
#[test]
fn of_what_is_certain_the_first_to_move_comes_first() {
    let signals = [
        gauge("latency", stepping(0.1, 64, 9.0)),
        gauge("waiting", stepping(10.0, 61, 30.0)),
        gauge("noise", stepping(10.0, 60, 10.01)),
    ];
    assert_eq!(order(&signals), ["waiting", "latency"]);
}

/// At the same moment: a setting, then demand, then by score, then what restates others, then what came.
#[test]
fn at_one_moment_what_can_cause_the_rest_comes_first() {
    let demand = |metric: &str| {
        let signal = Signal::new(metric, Tags::new(), What::PerSecond, PLAIN, stepping(100.0, 60, 300.0));
        Signal { is_total: true, ..signal }
    };
    let mut setting = vec![50.0; 100];
    setting[60..].fill(10.0);
    let mut came = steady(3.0);
    came[..60].fill(GAP);
    let signals = [
        gauge("came", came),
        gauge("shop:latency:mean", stepping(0.1, 60, 9.0)),
        gauge("queue", stepping(10.0, 60, 30.0)),
        gauge("latency", stepping(0.1, 60, 9.0)),
        demand("http_client_requests_total"),
        demand("http_requests_total"),
        gauge("pool_size", setting),
    ];
    let expected = [
        "pool_size",
        "http_requests_total",
        "latency",
        "http_client_requests_total",
        "queue",
        "shop:latency:mean",
        "came",
    ];
    let got = order(&signals);
    // The client's requests and the queue have the same score but for rounding.
    assert_eq!(
        (&got[..3], &got[5..]),
        (&expected.map(str::to_owned)[..3], &expected.map(str::to_owned)[5..])
    );
}

#[test]
fn more_series_are_no_anomaly_but_fewer_are() {
    let count = |metric: &str, then: f64| {
        let values = (0..100).map(|place| if place < 60 { 10.0 } else { then }).collect();
        Signal::new(metric, Tags::new(), What::Series, Scale::Linear { resolution: 1.0 }, values)
    };
    assert_eq!(order(&[count("more", 40.0), count("fewer", 2.0)]), ["fewer"]);
}

/// Same noise, same story; the resident memory is told beside the working set. The queue has noise of its own.
#[test]
fn what_goes_up_and_down_together_shares_a_row() {
    let own = |seed: usize| -> Vec<f64> {
        let walk = |place: usize| ((place * 7919 + seed * 104_729) % 101) as f64 / 100.0;
        (0..100).map(|place| 10.0 + walk(place) + if place < 60 { 0.0 } else { 40.0 }).collect()
    };
    let working = own(1);
    let resident: Vec<f64> = working.iter().map(|value| value * 0.9 + 3.0).collect();
    let signals = [gauge("working_set", working), gauge("queue", own(5)), gauge("resident", resident)];
    let ranked = rank(&signals, &split());
    let rows: Vec<Vec<&str>> = stories(&ranked, &signals, &split())
        .iter()
        .map(|story| {
            let all = std::iter::once(&story.lead).chain(&story.with);
            all.map(|one| signals[one.signal].metric.as_str()).collect()
        })
        .collect();
    let mut together = rows.iter().find(|row| row.len() == 2).unwrap().clone();
    together.sort_unstable();
    assert_eq!(together, ["resident", "working_set"]);
    assert_eq!(rows.len(), 2);
}

#[test]
fn label_sets_of_one_metric_share_a_row() {
    let of = |route: &str, then: f64| Signal {
        tags: tags(&[("route", route)]),
        ..gauge("latency", stepping(1.0, 60, then))
    };
    let signals = [of("/a", 5.0), of("/b", 9.0), of("/c", 1.0)];
    let ranked = rank(&signals, &split());
    let stories = stories(&ranked, &signals, &split());
    assert_eq!((stories.len(), stories[0].alike), (1, 1));
    assert_eq!(signals[stories[0].lead.signal].tags["route"], "/b");
}

#[test]
fn services_come_in_the_order_of_their_most_telling_signal() {
    let of = |service: &str, at: usize, then: f64| Signal {
        service: Some(service.to_owned()),
        ..gauge("latency", stepping(1.0, at, then))
    };
    let signals = [of("web", 66, 90.0), of("payment", 61, 3.0), of("cart", 60, 1.0)];
    assert_eq!(services(&rank(&signals, &split()), &signals), ["payment", "web"]);
}

#[test]
fn the_moment_is_given_inferred_or_said_to_be_unknown() {
    let given = split();
    // A gap of a minute at 15 s: the baseline ends 4 moments before, and what is judged begins there.
    assert_eq!((given.known, given.before.clone(), given.after.clone()), (Known::Given, 0..56, 56..100));
    assert_eq!(Split::given(7, 100, 15.0), None, "three samples are no baseline");
    assert_eq!(Split::given(100, 100, 15.0), None, "nothing after it");
    assert_eq!(
        Split::given(60, 100, 120.0).unwrap().before,
        0..58,
        "two steps where they are longer than a minute"
    );

    let signals = [gauge("a", stepping(5.0, 70, 9.0)), gauge("b", steady(3.0))];
    let inferred = Split::inferred(&signals.iter().collect::<Vec<_>>(), 100, 15.0);
    assert_eq!((inferred.known, inferred.at, inferred.before.clone()), (Known::Inferred, 70, 0..66));
    // 600 s are 40 moments, but never more than half of what is before: what crept up since moment 35 is judged.
    assert_eq!((inferred.calm, inferred.after), (0..35, 35..100));

    let untold = Split::inferred(&[&gauge("b", steady(3.0))], 99, 15.0);
    assert_eq!((untold.known, untold.before, untold.after), (Known::Untold, 0..66, 66..99));
}

#[test]
fn the_label_that_multiplies_most_is_given_up_first_and_failures_last() {
    let sets: Vec<Tags> = (0..400)
        .map(|place: usize| {
            let (user, code) = (place.to_string(), ["200", "500"][place % 2]);
            tags(&[
                ("__name__", "m"),
                ("user", &user),
                ("code", code),
                ("route", ["/a", "/b"][place / 200]),
                ("service", "x"),
            ])
        })
        .collect();
    let all = ["user", "code", "route", "service"].map(str::to_owned);
    let kept = ["service".to_owned()];
    let (left, dropped) = choose(&sets, &all, &kept, 10);
    assert_eq!((left.join(" ").as_str(), dropped.join(" ").as_str()), ("code route service", "user"));
    assert_eq!(distinct(&sets, &left), 4);
    let (left, dropped) = choose(&sets, &all, &kept, 1);
    assert_eq!((left.join(" ").as_str(), dropped.join(" ").as_str()), ("service", "user route code"));
    assert!(keeps_apart("route") && !keeps_apart("pod") && !keeps_apart("version") && !keeps_apart("le"));
}

proptest! {
    #[test]
    fn the_order_does_not_depend_on_the_order_of_signals(seed in 0_usize..1000) {
        let mut signals: Vec<Signal> = (0..12_usize)
            .map(|place| gauge(&format!("m{place}"), stepping(10.0, 56 + (place * seed) % 40, 10.0 + ((place + seed) % 7) as f64)))
            .collect();
        let one = order(&signals);
        signals.reverse();
        signals.rotate_left(seed % 12);
        prop_assert_eq!(one, order(&signals));
    }
}
