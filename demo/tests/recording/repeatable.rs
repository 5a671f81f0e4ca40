//! The same seed gives the same bytes; another one another incident.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use world::{Fault, Options, World};

use crate::reading::generate;

fn files(directory: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut all = BTreeMap::new();
    for part in ["", "metrics", "alertmanager"] {
        for entry in std::fs::read_dir(directory.join(part)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(directory).unwrap().to_str().unwrap().replace('\\', "/");
                all.insert(name, std::fs::read(&path).unwrap());
            }
        }
    }
    all
}

#[test]
fn two_runs_give_identical_bytes() {
    let first = generate(&World::demo(), &Options::default());
    let second = generate(&World::demo(), &Options::default());
    let (first, second) = (files(first.path()), files(second.path()));

    assert_eq!(first.len(), 10, "{:?}", first.keys());
    for (name, bytes) in &first {
        assert!(bytes == &second[name], "{name} differs");
    }
}

#[test]
fn another_seed_is_another_incident_with_other_noise() {
    let [one, other] = [1, 2].map(|seed| {
        let directory = generate(&World::incident(Fault::SlowDependency, seed), &Options::default());
        files(directory.path())
    });
    for name in
        ["snapshot.toml", "truth.json", "metrics/shop.om", "metrics/capacity.om", "alertmanager/alerts.json"]
    {
        assert!(one[name] != other[name], "{name} is the same");
    }
    assert_eq!(
        one["metrics/rules.yml"], other["metrics/rules.yml"],
        "rules are the shop's, not the incident's"
    );
}

#[test]
fn a_title_is_written_as_toml_and_compressed_metrics_unpack_to_the_same_text() {
    let world = World::incident(Fault::DeadDependency, 3);
    let plain = generate(&world, &Options::default());
    let options = Options { title: Some("A \"quoted\" \\ title".to_owned()), compress: true };
    let packed = generate(&world, &options);

    let manifest = std::fs::read_to_string(packed.path().join("snapshot.toml")).unwrap();
    assert!(manifest.contains(r#"title = "A \"quoted\" \\ title""#), "{manifest}");
    let bytes = std::fs::read(packed.path().join("metrics/capacity.om.gz")).unwrap();
    let mut text = Vec::new();
    flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut text).unwrap();
    assert!(text == std::fs::read(plain.path().join("metrics/capacity.om")).unwrap());
    // What says the answer must not be in what a server reads.
    assert!(!manifest.contains("dead") && !manifest.contains("dependency"), "{manifest}");
}
