//! Series with everything that makes answers differ: resets, gaps, NaN, infinities, ties, series that come and go,
//! broken histograms, names that need quotes, samples rarer than the lookback.

use std::collections::BTreeMap;
use std::fmt::Write;

use promql::Store;

/// The time of the first samples, in milliseconds; not a multiple of a minute.
pub(crate) const START: i64 = 1_760_003_115_000;
/// How often most series are sampled, in milliseconds.
const INTERVAL: i64 = 15_000;
/// Two hours.
const SAMPLES: i64 = 480;

pub(crate) struct Series {
    kind: &'static str,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) samples: Vec<(i64, f64)>,
}

/// A series from its labels, where the first is the name, and its value at each of its samples, if it has one.
struct Recording {
    all: Vec<Series>,
    random: fastrand::Rng,
}

impl Recording {
    fn add(
        &mut self,
        kind: &'static str,
        labels: &[(&str, &str)],
        mut value: impl FnMut(i64, &mut fastrand::Rng) -> Option<f64>,
    ) {
        // Eighths of a second, which seconds as floats hold exactly.
        let jitter = if self.all.len().is_multiple_of(3) { 0 } else { self.random.i64(0..40) * 125 };
        let mut samples = Vec::new();
        for number in 0..SAMPLES {
            if let Some(value) = value(number, &mut self.random) {
                samples.push((START + number * INTERVAL + jitter, value));
            }
        }
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.all.push(Series { kind, labels, samples });
    }
}

pub(crate) fn series() -> Vec<Series> {
    let mut recording = Recording { all: Vec::new(), random: fastrand::Rng::with_seed(7) };
    counters(&mut recording);
    gauges(&mut recording);
    histograms(&mut recording);
    oddities(&mut recording);
    recording.all
}

fn counters(recording: &mut Recording) {
    for (job, instances) in [("api", ["a:1", "a:2", "a:3"]), ("web", ["w:1", "w:2", "w:3"])] {
        for instance in instances {
            for (code, speed) in [("200", 40), ("404", 3), ("500", 1)] {
                let labels = [
                    ("__name__", "http_requests_total"),
                    ("job", job),
                    ("instance", instance),
                    ("code", code),
                ];
                let mut total = 0.0;
                let resets_at = if instance.ends_with('2') { 200 } else { 1_000 };
                recording.add("counter", &labels, |number, random| {
                    total = if number == resets_at { 0.0 } else { total + f64::from(random.i32(0..=speed)) };
                    let there = match (instance, code) {
                        ("a:3", _) => number >= 160,
                        ("w:3", _) => number < 288,
                        ("w:1", "500") => !(100..140).contains(&number),
                        _ => true,
                    };
                    there.then_some(total)
                });
            }
        }
    }
    for (job, instance) in [("api", "a:1"), ("api", "a:2"), ("web", "w:1"), ("batch", "b:1")] {
        let mut total = 1e6;
        recording.add(
            "counter",
            &[("__name__", "errors_total"), ("job", job), ("instance", instance)],
            |_, random| {
                total += if random.u8(0..4) == 0 { random.f64() } else { 0.0 };
                Some(total)
            },
        );
    }
}

fn gauges(recording: &mut Recording) {
    for (job, instance) in
        [("api", "a:1"), ("api", "a:2"), ("api", "a:3"), ("web", "w:1"), ("web", "w:2"), ("web", "w:3")]
    {
        let mut bytes = 1e9;
        let labels =
            [("__name__", "memory_bytes"), ("job", job), ("instance", instance), ("zone", &instance[2..])];
        recording.add("gauge", &labels, |number, random| {
            bytes += (random.f64() - 0.48) * 1e7;
            (instance != "a:2" || !(220..255).contains(&number)).then_some(bytes)
        });
    }
    for (room, base) in [("cellar", -5.0), ("attic", 30.0), ("hall", 20.0), ("lab", 0.0), ("roof", -20.0)] {
        recording.add("gauge", &[("__name__", "temperature_celsius"), ("room", room)], |number, random| {
            let value = base + 8.0 * (number as f64 / 40.0).sin() + random.f64();
            Some(match room {
                "hall" => 20.0,
                "lab" if number % 11 == 0 => f64::NAN,
                "roof" if number % 37 == 5 => f64::INFINITY,
                "roof" if number % 53 == 7 => f64::NEG_INFINITY,
                _ => value,
            })
        });
    }
    for queue in ["mail", "print", "sms", "push", "fax", "audit", "bulk"] {
        let labels = [
            ("__name__", "queue_depth"),
            ("queue", queue),
            ("tier", if queue < "m" { "slow" } else { "fast" }),
        ];
        let mut depth = 3_i64;
        recording.add("gauge", &labels, |_, random| {
            depth = (depth + random.i64(-1..=1)).clamp(0, 6);
            Some(depth as f64)
        });
    }
    for (instance, region) in
        [("a:1", "eu"), ("a:2", "eu"), ("a:3", "us"), ("w:1", "us"), ("w:2", "eu"), ("w:3", "eu")]
    {
        for (version, from, to) in [("1.4.0", 0, 240), ("1.5.0", 240, SAMPLES)] {
            let labels = [
                ("__name__", "build_info"),
                ("instance", instance),
                ("version", version),
                ("region", region),
            ];
            recording.add("gauge", &labels, |number, _| (from..to).contains(&number).then_some(1.0));
        }
    }
}

fn histograms(recording: &mut Recording) {
    const BOUNDS: [(&str, f64); 7] = [
        ("0.05", 0.05),
        ("0.1", 0.1),
        ("0.25", 0.25),
        ("0.5", 0.5),
        ("1", 1.0),
        ("2.5", 2.5),
        ("+Inf", f64::INFINITY),
    ];
    for (job, instance, seed) in [("api", "a:1", 1), ("api", "a:2", 2), ("web", "w:1", 3)] {
        let mut random = fastrand::Rng::with_seed(seed);
        let observed: Vec<f64> = (0..SAMPLES * 7).map(|_| -random.f64().ln() * 0.3).collect();
        let mut add = |name: &str, bound: Option<&str>, counted: &dyn Fn(f64) -> f64| {
            let mut labels = vec![("__name__", name), ("job", job), ("instance", instance)];
            labels.extend(bound.map(|bound| ("le", bound)));
            let (mut total, mut seen) = (0.0, 0);
            recording.add("unknown", &labels, |number, _| {
                let until = number as usize * 7;
                total += observed[seen..until].iter().map(|seconds| counted(*seconds)).sum::<f64>();
                seen = until;
                Some(total)
            });
        };
        for (text, bound) in BOUNDS {
            add("request_seconds_bucket", Some(text), &|seconds| f64::from(seconds <= bound));
        }
        add("request_seconds_count", None, &|_| 1.0);
        add("request_seconds_sum", None, &|seconds| seconds);
    }
    // Falling counts, differences from rounding, no unbounded bucket, a bound that is no number, negative bounds.
    for (kind, text, count) in [
        ("falling", "1", 10.0),
        ("falling", "2", 7.0),
        ("falling", "4", 20.0),
        ("falling", "+Inf", 19.0),
        ("rounded", "1", 10.0),
        ("rounded", "2", 10.0 - 1e-12),
        ("rounded", "+Inf", 30.0),
        ("bounded", "1", 5.0),
        ("bounded", "2", 9.0),
        ("strange", "1", 5.0),
        ("strange", "one", 6.0),
        ("strange", "1.0", 2.0),
        ("strange", "+Inf", 9.0),
        ("negative", "-2", 4.0),
        ("negative", "-1", 8.0),
        ("negative", "3", 10.0),
        ("negative", "+Inf", 12.0),
        ("single", "+Inf", 12.0),
        ("empty", "1", 0.0),
        ("empty", "+Inf", 0.0),
    ] {
        let labels = [("__name__", "broken_bucket"), ("kind", kind), ("le", text)];
        recording.add("unknown", &labels, |number, _| Some(count * (1 + number / 100) as f64));
    }
}

fn oddities(recording: &mut Recording) {
    for (pace, every) in [("slow", 16), ("slower", 28), ("rare", 90)] {
        recording.add("gauge", &[("__name__", "backup_size_bytes"), ("pace", pace)], |number, _| {
            (number % every == 3).then_some(5e8 + (number * number) as f64)
        });
    }
    for (unit, scale) in
        [("huge", 1.5e308), ("tiny", 3e-308), ("small", 1e-300), ("one", 1.0), ("near", 1.000_001)]
    {
        recording.add("gauge", &[("__name__", "scale_factor"), ("unit", unit)], |number, _| {
            Some(scale * (1.0 + (number % 5) as f64 / 50.0))
        });
    }
    for (job, back) in [("api", 30), ("web", 90_000), ("batch", -4_000_000)] {
        recording.add("gauge", &[("__name__", "last_success_seconds"), ("job", job)], |number, _| {
            Some((START / 1_000 + number * 14 - back) as f64 + 0.25)
        });
    }
    recording.add("gauge", &[("__name__", "angle_radians"), ("axis", "x")], |number, _| {
        Some(number as f64 / 100.0 - 2.0)
    });
    recording.add("gauge", &[("__name__", "angle_radians"), ("axis", "y")], |number, _| {
        Some(1.0 - number as f64 / 240.0)
    });
    recording.add("gauge", &[("__name__", "queue.age"), ("queue.name", "mail \"1\"\n2\\3")], |number, _| {
        Some(number as f64)
    });
    recording
        .add("gauge", &[("__name__", "queue.age"), ("queue.name", "é")], |number, _| Some(-(number as f64)));
}

/// Series with staleness markers: between samples, at the end, twice, alone, and instead of the first sample.
pub(crate) fn ending() -> Vec<Series> {
    const END: f64 = f64::from_bits(0x7ff0_0000_0000_0002);
    let mut recording = Recording { all: Vec::new(), random: fastrand::Rng::with_seed(9) };
    for (pod, ends) in [
        ("steady", vec![]),
        ("gone", vec![40]),
        ("flapping", vec![3, 7, 8, 20, 33, 34, 35, 50]),
        ("late", vec![0, 1, 2]),
        ("only-ends", (0..60).collect()),
    ] {
        let mut total = 0.0;
        recording.add("counter", &[("__name__", "work_total"), ("pod", pod)], |number, random| {
            total += random.f64();
            let there = number < 60 && (pod != "gone" || number <= 40);
            there.then_some(if ends.contains(&number) { END } else { total })
        });
    }
    recording.all
}

/// The series as text that promtool reads.
pub(crate) fn open_metrics(all: &[Series]) -> String {
    let mut families: BTreeMap<&str, Vec<&Series>> = BTreeMap::new();
    for series in all {
        families.entry(&series.labels["__name__"]).or_default().push(series);
    }
    let mut text = String::new();
    for (name, members) in families {
        let family = if members[0].kind == "counter" { name.trim_end_matches("_total") } else { name };
        writeln!(text, "# TYPE {} {}", quoted_if_needed(family), members[0].kind).unwrap();
        for series in members {
            let mut inside: Vec<String> = series
                .labels
                .iter()
                .filter(|(label, _)| *label != "__name__")
                .map(|(label, value)| format!("{}={}", quoted_if_needed(label), quoted(value)))
                .collect();
            let plain = quoted_if_needed(name) == name;
            if !plain {
                inside.insert(0, quoted(name));
            }
            let head = format!("{}{{{}}}", if plain { name } else { "" }, inside.join(","));
            for (time, value) in &series.samples {
                writeln!(text, "{head} {} {}.{:03}", number(*value), time / 1_000, time % 1_000).unwrap();
            }
        }
    }
    text + "# EOF\n"
}

fn number(value: f64) -> String {
    if value.is_infinite() { if value > 0.0 { "+Inf" } else { "-Inf" }.into() } else { format!("{value:?}") }
}

fn quoted_if_needed(name: &str) -> String {
    if name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        name.into()
    } else {
        quoted(name)
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

/// The same series in this crate.
pub(crate) fn store(all: &[Series]) -> Store {
    Store::new(all.iter().map(|series| {
        let labels = series.labels.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
        let (timestamps, values) = series.samples.iter().copied().unzip();
        (labels, timestamps, values)
    }))
    .unwrap()
}
