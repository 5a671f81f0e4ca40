use proptest::prelude::*;

use super::*;

fn now() -> Timestamp {
    "2026-01-14T14:32:00Z".parse().unwrap()
}

fn resolved(text: &str) -> String {
    match text.parse::<TimeSpec>().and_then(|spec| spec.resolve(now())) {
        Ok(range) => range.to_string(),
        Err(error) => format!("{error}"),
    }
}

#[test]
fn the_grammar_is_understood() {
    // 1768399320 is 2026-01-14T14:02:00Z (`date -u -d @1768399320`).
    let half_past = "2026-01-14T14:02:00Z/2026-01-14T14:32:00Z";
    for text in [
        "30m",
        " 30m ",
        "1800s",
        "now-30m/now",
        "2026-01-14T14:02:00Z/now",
        "2026-01-14T14:02Z/2026-01-14T14:32Z",
        "2026-01-14T15:02:00+01:00/2026-01-14T14:32:00Z",
        "1768399320/1768401120",
        "1768399320.0/now-0s",
    ] {
        assert_eq!(resolved(text), half_past, "{text}");
    }
    assert_eq!(resolved("1w"), "2026-01-07T14:32:00Z/2026-01-14T14:32:00Z");
    assert_eq!(resolved("1768399320.25/now"), "2026-01-14T14:02:00.250Z/2026-01-14T14:32:00Z");
}

#[test]
fn everything_else_says_what_to_change() {
    for text in [
        "",
        "yesterday",
        "30",
        "30x",
        "-30m",
        "0s",
        "m30",
        "1m1h",
        "1h1h",
        "99999999999999999999d",
        "200000d",
    ] {
        assert!(resolved(text).contains("is not a time range; use a duration"), "{text}: {}", resolved(text));
    }
    for text in ["a/b", "/", "2026-01-14T14:02:00/now", "now+1h/now", "1e9/now"] {
        assert!(resolved(text).contains("use RFC 3339"), "{text}: {}", resolved(text));
    }
    assert!(resolved("now/now").contains("swap the sides"));
    assert!(resolved("99999999999999/now").contains("calendar"));
}

#[test]
fn a_window_longer_than_allowed_is_refused_not_clipped() {
    let day = "1d".parse::<TimeSpec>().unwrap().resolve(now()).unwrap();
    assert!(day.at_most(Duration::from_secs(86_400)).is_ok());
    let error = day.at_most(Duration::from_secs(3_600)).unwrap_err();
    assert_eq!(error.to_string(), "the window is 1d long and this tool reads at most 1h; narrow it");
}

#[test]
fn durations_are_written_for_people() {
    for (seconds, text) in
        [(0.25, "250ms"), (1.5, "1.5s"), (90.0, "1m30s"), (93_600.0, "1d2h"), (604_800.0, "7d")]
    {
        assert_eq!(duration_text(seconds), text);
    }
}

proptest! {
    #[test]
    fn any_text_is_understood_or_refused_without_a_panic(text in ".{0,40}") {
        let _ = text.parse::<TimeSpec>().map(|spec| spec.resolve(now()));
    }

    #[test]
    fn what_a_window_displays_is_the_same_window(start in 0i64..4_000_000_000, length in 1i64..10_000_000) {
        let at = |seconds| Timestamp::from_second(seconds).unwrap();
        let range = TimeRange::new(at(start), at(start + length)).unwrap();
        let again = range.to_string().parse::<TimeSpec>().unwrap().resolve(now()).unwrap();
        prop_assert_eq!(range, again);
    }

    #[test]
    fn a_duration_is_the_sum_of_its_parts(d in 0u64..400, h in 0u64..24, m in 0u64..60, s in 0u64..60) {
        let parsed = parse_duration(&format!("{d}d{h}h{m}m{s}s")).unwrap();
        prop_assert_eq!(parsed.as_secs(), d * 86_400 + h * 3_600 + m * 60 + s);
    }
}
