//! Series in memory are those of the written files.

use std::collections::BTreeMap;
use std::time::Instant;

use world::{Fault, Options, Reach, Series, World};

use crate::reading::generate;

type Columns = BTreeMap<Vec<(String, String)>, (Vec<i64>, Vec<f64>)>;

fn columns(all: Vec<Series>) -> Columns {
    let count = all.len();
    let columns: Columns = all.into_iter().map(|one| (one.labels, (one.timestamps, one.values))).collect();
    assert_eq!(columns.len(), count, "a series is there twice");
    columns
}

fn assert_same(one: &Columns, other: &Columns) {
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (labels, (timestamps, values)) in one {
        let (other_timestamps, other_values) = &other[labels];
        assert_eq!(timestamps, other_timestamps, "{labels:?}");
        let same = values.len() == other_values.len()
            && values.iter().zip(other_values).all(|(a, b)| a == b || (a.is_nan() && b.is_nan()));
        assert!(same, "{labels:?}");
    }
}

#[test]
fn series_in_memory_are_those_a_reader_of_the_files_gets() {
    for world in [World::demo(), World::incident(Fault::MemoryLeak, 3)] {
        let directory = generate(&world, &Options::default());
        let read = snapshot::Snapshot::open(directory.path()).unwrap().metrics().unwrap();
        let read: Columns = read
            .series
            .into_iter()
            .map(|one| (one.labels.into_vec(), (one.timestamps, one.values)))
            .collect();
        assert_same(&columns(world.series(Reach::Month)), &read);

        // Without the month: the same from the record's beginning on, and nothing before it.
        let start = world.truth().onset - 2 * 3_600_000;
        let recent: Columns = read
            .into_iter()
            .map(|(labels, (timestamps, values))| {
                let from = timestamps.partition_point(|at| *at < start);
                (labels, (timestamps[from..].to_vec(), values[from..].to_vec()))
            })
            .filter(|(_, (timestamps, _))| !timestamps.is_empty())
            .collect();
        assert_same(&columns(world.series(Reach::Incident)), &recent);
    }
}

#[test]
fn the_truth_names_metrics_that_the_victim_has() {
    for fault in Fault::ALL {
        let world = World::incident(fault, 5);
        let (truth, series) = (world.truth(), world.series(Reach::Incident));
        assert_eq!((truth.fault, truth.seed), (fault, 5));
        assert!(!truth.culprits.is_empty(), "{fault}");
        for culprit in &truth.culprits {
            let found = series.iter().filter(|one| culprit.has(&one.labels)).count();
            assert!(found > 0, "{fault}: no {}", culprit.selector());
        }
    }
}

#[test]
#[ignore = "a measurement"]
fn how_long_a_world_takes() {
    for fault in Fault::ALL {
        let started = Instant::now();
        let world = World::incident(fault, 7);
        let made = started.elapsed();
        let recent = world.series(Reach::Incident).len();
        let listed = started.elapsed();
        let all = world.series(Reach::Month).len();
        println!(
            "{fault}: simulated {made:?}, {recent} series {:?}, with the month {all} series {:?}",
            listed - made,
            started.elapsed() - listed
        );
    }
}
