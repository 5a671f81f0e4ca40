//! Reading a recording, without the crate's own idea of it.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::OnceLock;

use serde_json::Value;
use tempfile::TempDir;
use world::{Fault, Options, World};

/// Milliseconds between two scrapes.
pub(crate) const STEP: i64 = 15_000;

/// One series.
#[derive(Debug, Clone)]
pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    /// Milliseconds since 1970, and value.
    pub(crate) samples: Vec<(i64, f64)>,
}

impl Series {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// Labels but one.
    pub(crate) fn without(&self, name: &str) -> BTreeMap<String, String> {
        let mut labels = self.labels.clone();
        labels.remove(name);
        labels
    }

    /// The latest sample after `at - 5 min` and up to `at`.
    pub(crate) fn latest(&self, at: i64) -> Option<f64> {
        let found = self.samples.iter().rev().find(|(when, _)| *when <= at)?;
        (found.0 > at - 300_000).then_some(found.1)
    }

    /// What was added in each step of the record since `start`; what a series begins with counts, unless it was
    /// there from the beginning.
    pub(crate) fn increases(&self, start: i64) -> BTreeMap<i64, f64> {
        let step = |at: i64| (at - start).div_euclid(STEP);
        let mut increases = BTreeMap::new();
        let mut last = 0.0;
        for (place, (at, value)) in self.samples.iter().enumerate() {
            let known_before = place == 0 && step(*at) == 0;
            if !known_before {
                *increases.entry(step(*at)).or_insert(0.0) +=
                    if *value < last { *value } else { value - last };
            }
            last = *value;
        }
        increases
    }
}

/// A recording.
pub(crate) struct Recording {
    pub(crate) series: Vec<Series>,
    pub(crate) truth: Value,
    /// The month before; of the demo only.
    pub(crate) month: Vec<Series>,
    pub(crate) alerts: Value,
    pub(crate) groups: Value,
    pub(crate) silences: Value,
    pub(crate) status: Value,
    pub(crate) start: i64,
    pub(crate) onset: i64,
    pub(crate) end: i64,
}

impl Recording {
    pub(crate) fn named<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Series> {
        self.series.iter().filter(move |series| series.name == name)
    }

    pub(crate) fn with<'a>(
        &'a self,
        name: &'a str,
        label: &'a str,
        value: &'a str,
    ) -> impl Iterator<Item = &'a Series> {
        self.named(name).filter(move |series| series.label(label) == value)
    }

    /// Increases of several series together, by step.
    pub(crate) fn increases<'a>(&self, series: impl Iterator<Item = &'a Series>) -> BTreeMap<i64, f64> {
        let mut sums = BTreeMap::new();
        for series in series {
            for (step, added) in series.increases(self.start) {
                *sums.entry(step).or_insert(0.0) += added;
            }
        }
        sums
    }
}

pub(crate) fn generate(world: &World, options: &Options) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    world.write(directory.path(), options).unwrap();
    directory
}

/// The demo's recording.
pub(crate) fn demo() -> &'static Recording {
    static DEMO: OnceLock<Recording> = OnceLock::new();
    DEMO.get_or_init(|| {
        let directory = generate(&World::demo(), &Options::default());
        let month = std::fs::read_to_string(directory.path().join("metrics/capacity.om")).unwrap();
        Recording { month: samples(&month), ..read(directory.path()) }
    })
}

/// A recording of a kind, by a seed that is used nowhere else.
pub(crate) fn of(fault: Fault) -> &'static Recording {
    static ALL: [OnceLock<Recording>; Fault::ALL.len()] = [const { OnceLock::new() }; Fault::ALL.len()];
    let place = Fault::ALL.iter().position(|one| *one == fault).unwrap();
    ALL[place].get_or_init(|| by_seed(fault, 40 + place as u64))
}

/// A recording that nobody else needs.
pub(crate) fn by_seed(fault: Fault, seed: u64) -> Recording {
    read(generate(&World::incident(fault, seed), &Options::default()).path())
}

fn read(directory: &Path) -> Recording {
    let text = |name: &str| std::fs::read_to_string(directory.join(name)).unwrap();
    let json = |name: &str| serde_json::from_str::<Value>(&text(name)).unwrap();
    let manifest = text("snapshot.toml");
    let moment = |key: &str| {
        let (_, rest) = manifest.split_once(&format!("{key} = \"")).unwrap();
        milliseconds(rest.split('"').next().unwrap())
    };
    let truth = json("truth.json");
    Recording {
        series: samples(&text("metrics/shop.om")),
        onset: milliseconds(truth["onset"].as_str().unwrap()),
        alerts: json("alertmanager/alerts.json"),
        groups: json("alertmanager/groups.json"),
        silences: json("alertmanager/silences.json"),
        status: json("alertmanager/status.json"),
        month: Vec::new(),
        start: moment("start"),
        end: moment("end"),
        truth,
    }
}

/// RFC 3339 as milliseconds since 1970.
pub(crate) fn milliseconds(text: &str) -> i64 {
    text.parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// The samples of an OpenMetrics text.
pub(crate) fn samples(text: &str) -> Vec<Series> {
    assert!(text.ends_with("# EOF\n"));
    let mut places: HashMap<&str, usize> = HashMap::new();
    let mut all: Vec<Series> = Vec::new();
    // A line is most often of the series that followed the one before it the last time: no need to look it up.
    let mut texts: Vec<&str> = Vec::new();
    let mut follower: Vec<usize> = Vec::new();
    let mut last = 0;
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let (rest, at) = line.rsplit_once(' ').unwrap();
        let (series, value) = rest.rsplit_once(' ').unwrap();
        let guess = follower.get(last).copied().unwrap_or(0);
        let place = if texts.get(guess) == Some(&series) {
            guess
        } else {
            *places.entry(series).or_insert_with(|| {
                all.push(identity(series));
                texts.push(series);
                follower.push(all.len() - 1);
                all.len() - 1
            })
        };
        follower[last] = place;
        last = place;
        let (seconds, fraction) = at.split_once('.').unwrap();
        let at = seconds.parse::<i64>().unwrap() * 1000 + fraction.parse::<i64>().unwrap();
        all[place].samples.push((at, value.parse().unwrap()));
    }
    all
}

fn identity(series: &str) -> Series {
    let (name, inside) = series.split_once('{').unwrap_or((series, "}"));
    let inside = inside.strip_suffix('}').unwrap();
    // No label value here has a comma and a quote beside each other.
    let labels = inside.split("\",").filter(|pair| !pair.is_empty()).map(|pair| {
        let (name, value) = pair.split_once("=\"").unwrap();
        (name.to_owned(), value.trim_end_matches('"').to_owned())
    });
    Series { name: name.to_owned(), labels: labels.collect(), samples: Vec::new() }
}
