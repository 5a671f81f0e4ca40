use std::{fs, io::Write};

use super::*;

const MANIFEST: &str = "id = \"a\"\ntitle = \"A\"\nnow = \"2026-01-14T14:32:00Z\"\n\
                        window = { start = \"2026-01-14T12:00:00Z\", end = \"2026-01-14T14:32:00Z\" }\n";
const METRICS: &str = "# TYPE up gauge\nup{job=\"a\"} 1 1768399200\nup{job=\"a\"} 0 1768399215\n# EOF\n";

/// Name and content.
type File<'a> = (&'a str, &'a [u8]);

fn directory(files: &[File]) -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        let path = root.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    root
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn zstd(text: &str) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
}

#[test]
fn plain_and_compressed_files_are_the_same_snapshot() {
    for (name, bytes) in [
        ("metrics/a.om", METRICS.as_bytes().to_vec()),
        ("metrics/a.om.gz", gzip(METRICS)),
        ("metrics/a.om.zst", zstd(METRICS)),
    ] {
        let root = directory(&[("snapshot.toml", MANIFEST.as_bytes()), (name, &bytes)]);
        let recorded = Snapshot::open(root.path()).unwrap().metrics().unwrap();
        assert_eq!(recorded.series[0].values, [1.0, 0.0], "{name}");
    }
}

#[test]
fn files_are_told_apart_and_unknown_ones_are_listed_not_read() {
    let files: Vec<File> = vec![
        ("snapshot.toml", MANIFEST.as_bytes()),
        ("metrics/a.om", METRICS.as_bytes()),
        ("metrics/rules.yml", b"groups: []"),
        ("alertmanager/groups.json", b"[]"),
        ("logs/app.ndjson", b"\xff"),
        ("notes.txt", b"\xff"),
    ];
    let root = directory(&files);
    let snapshot = Snapshot::open(root.path()).unwrap();
    let kinds: Vec<_> = snapshot.files().iter().map(|file| (file.name.as_str(), file.kind)).collect();
    assert_eq!(
        kinds,
        [
            ("alertmanager/groups.json", Kind::Alertmanager),
            ("logs/app.ndjson", Kind::Logs),
            ("metrics/a.om", Kind::Metrics),
            ("metrics/rules.yml", Kind::Rules),
            ("notes.txt", Kind::Unknown),
            ("snapshot.toml", Kind::Manifest),
        ]
    );
    assert_eq!(snapshot.alertmanager("groups").unwrap().as_deref(), Some("[]"));
    assert_eq!(snapshot.alertmanager("silences").unwrap(), None);
    assert!(snapshot.rules().unwrap().is_empty());
}

/// Reads everything; the first fault.
fn fault(root: &Path) -> String {
    let read = || -> Result<(), SnapshotError> {
        let snapshot = Snapshot::open(root)?;
        snapshot.metrics()?;
        snapshot.rules()?;
        for reply in ["alerts", "groups", "silences", "status"] {
            snapshot.alertmanager(reply)?;
        }
        snapshot.aliases()?;
        Ok(())
    };
    read().expect_err("no fault").to_string()
}

#[test]
fn each_corruption_is_one_clear_error_with_file_and_line() {
    let manifest = ("snapshot.toml", MANIFEST.as_bytes());
    let (packed, squeezed) = (gzip(METRICS), zstd(METRICS));
    let cut = |bytes: &[u8], by: usize| bytes[..bytes.len() - by].to_vec();
    let (cut_gz, cut_zst) = (cut(&packed, 12), cut(&squeezed, 6));
    let mut flipped = packed.clone();
    flipped[20] ^= 0x55;
    let mut bomb = b"# TYPE up gauge\n# HELP up ".to_vec();
    bomb.extend(std::iter::repeat_n(b'x', 100_000_000));
    let text = |from: &str, to: &str| METRICS.replacen(from, to, 1).into_bytes();
    let (again, back) = (text("215", "200"), text("215", "100"));
    let (millis, wrong_type) = (text("215", "215000000000"), text("gauge", "gage"));
    let cases: Vec<(&str, &[u8], &str)> = vec![
        ("metrics/a.om", &METRICS.as_bytes()[..24], "metrics/a.om line 2: the labels are not closed"),
        ("metrics/a.om", &METRICS.as_bytes()[..39], "metrics/a.om: ends without `# EOF`: cut off?"),
        ("metrics/a.om", b"", "metrics/a.om: ends without `# EOF`: cut off?"),
        ("metrics/a.om", &wrong_type, "metrics/a.om line 1: `gage` is no type of a metric"),
        ("metrics/a.om", &back, "metrics/a.om line 3: `up{job=\"a\"}` goes back in time"),
        ("metrics/a.om", &again, "metrics/a.om line 3: `up{job=\"a\"}` has two samples at 1768399200"),
        (
            "metrics/a.om",
            &millis,
            "metrics/a.om line 3: timestamp 1768399215000000000 is outside the calendar",
        ),
        ("metrics/a.om", &bomb, "metrics/a.om line 2: is longer than 1048576 bytes"),
        ("metrics/a.om", b"{\"a\": 1}\n# EOF\n", "metrics/a.om line 1: "),
        ("metrics/a.om", b"\x00\x01\x02\xff\n", "metrics/a.om line 1: byte 4 is not UTF-8: binary data?"),
        ("metrics/a.om", b"\x7fELF\x02\x01\x01\x00\n", "metrics/a.om line 1: has no value"),
        ("metrics/a.om", b"a=1 1 1\n# EOF\n", "metrics/a.om line 1: `a=1` does not name a metric"),
        ("metrics/a.om.gz", &cut_gz, "metrics/a.om.gz line "),
        ("metrics/a.om.gz", &flipped, "metrics/a.om.gz line "),
        (
            "metrics/a.om.gz",
            METRICS.as_bytes(),
            "metrics/a.om.gz line 1: can't be read on (invalid gzip header)",
        ),
        ("metrics/a.om.zst", METRICS.as_bytes(), "metrics/a.om.zst: is not zstd"),
        ("metrics/a.om.zst", &cut_zst, "metrics/a.om.zst line "),
        ("metrics/rules.yml", b"\t- [", "metrics/rules.yml line "),
        ("metrics/rules.yml", b"groups: 7", "metrics/rules.yml line 1: is not a Prometheus rule file"),
        (
            "metrics/rules.yml",
            b"groups:\n- name: g\n  rules:\n  - record: a\n    expr: up\n    for: 99999999999999999999y\n",
            "metrics/rules.yml line 4: group `g`: rule `a`: `for: 99999999999999999999y` is not a duration",
        ),
        ("metrics/rules.yml", b"a: &a [x,x]\nb: &b [*a,*a]\ngroups: *b\n", "metrics/rules.yml line "),
        ("alertmanager/groups.json", b"[{", "alertmanager/groups.json line 1: is not JSON"),
        ("alertmanager/groups.json", b"", "alertmanager/groups.json line 1: is not JSON"),
        (
            "alertmanager/groups.json",
            b"{}",
            "alertmanager/groups.json line 1: is not a list, as /api/v2/alerts/groups",
        ),
        (
            "alertmanager/status.json",
            b"[]",
            "alertmanager/status.json line 1: is not an object, as /api/v2/status",
        ),
        ("aliases.toml", b"a\n\xff", "aliases.toml line 2: byte 3 of the file is not UTF-8"),
    ];
    for (name, bytes, expected) in cases {
        let root = directory(&[manifest, (name, bytes)]);
        let error = fault(root.path());
        assert!(error.starts_with(expected), "{error}\nexpected {expected}");
        assert!(error.len() < 250, "{error}");
    }
}

#[test]
fn a_manifest_that_is_missing_or_is_none_is_named() {
    let metrics = ("metrics/a.om", METRICS.as_bytes());
    let cases: Vec<(Vec<File>, &str)> = vec![
        (vec![metrics], "snapshot.toml: is missing: a snapshot is a directory"),
        (
            vec![("snapshot.toml", b"\xff\xfe"), metrics],
            "snapshot.toml line 1: byte 1 of the file is not UTF-8",
        ),
        (vec![("snapshot.toml", b"{}"), metrics], "snapshot.toml line 1: "),
        (vec![("snapshot.toml/a", b"x"), metrics], "snapshot.toml: is a directory where a file is expected"),
    ];
    for (files, expected) in cases {
        let root = directory(&files);
        let error = fault(root.path());
        assert!(error.starts_with(expected), "{error}\nexpected {expected}");
    }
    let nowhere = Snapshot::open(Path::new("no/such/directory")).unwrap_err().to_string();
    assert!(nowhere.starts_with("no/such/directory: can't be read as a directory"), "{nowhere}");
    let root = directory(&[metrics]);
    let file = Snapshot::open(&root.path().join("metrics/a.om")).unwrap_err().to_string();
    assert!(file.contains("can't be read as a directory"), "{file}");
}

#[test]
fn what_is_no_file_is_an_error_where_a_file_is_expected() {
    let manifest = ("snapshot.toml", MANIFEST.as_bytes());
    for name in ["metrics/a.om", "metrics/rules.yml", "alertmanager/groups.json"] {
        let inside = format!("{name}/x");
        let root = directory(&[manifest, (&inside, b"x")]);
        assert_eq!(fault(root.path()), format!("{name}: is a directory where a file is expected"));

        let root = directory(&[manifest, (name, b"x")]);
        let snapshot = Snapshot::open(root.path()).unwrap();
        fs::remove_file(root.path().join(name)).unwrap();
        let errors =
            [snapshot.metrics().err(), snapshot.rules().err(), snapshot.alertmanager("groups").err()];
        let error = errors.into_iter().flatten().next().unwrap().to_string();
        assert!(error.starts_with(&format!("{name}: can't be opened (")), "{error}");
    }
}

#[cfg(unix)]
#[test]
fn links_are_listed_and_not_followed_not_even_in_circles() {
    use std::os::unix::fs::symlink;

    let root = directory(&[("snapshot.toml", MANIFEST.as_bytes()), ("metrics/a.om", METRICS.as_bytes())]);
    symlink(root.path(), root.path().join("metrics/again")).unwrap();
    symlink("loop", root.path().join("loop")).unwrap();
    let snapshot = Snapshot::open(root.path()).unwrap();
    let names: Vec<&str> = snapshot.files().iter().map(|file| file.name.as_str()).collect();
    assert_eq!(names, ["loop", "metrics/a.om", "metrics/again", "snapshot.toml"]);
    assert_eq!(snapshot.metrics().unwrap().series.len(), 1);

    symlink("a.om", root.path().join("metrics/b.om")).unwrap();
    let expected = "metrics/b.om: is a symbolic link, and links are not followed: put the file itself here";
    assert_eq!(fault(root.path()), expected);

    let root = directory(&[("snapshot.toml", MANIFEST.as_bytes())]);
    symlink("/etc", root.path().join("metrics")).unwrap();
    let lines = Snapshot::open(root.path()).unwrap().check(&[]);
    let ignored = lines.iter().find(|line| line.part == "ignored").unwrap();
    assert!(!ignored.sound && ignored.found.starts_with("metrics: is a symbolic link"), "{ignored:?}");
}

#[test]
fn too_many_files_or_too_deep_ones_are_no_snapshot() {
    let deep = format!("{}snapshot.toml", "a/".repeat(30));
    let root = directory(&[(&deep, MANIFEST.as_bytes())]);
    let error = Snapshot::open(root.path()).unwrap_err().to_string();
    assert!(error.ends_with("lies more than 24 directories deep: not a snapshot"), "{error}");
}

#[test]
fn check_says_what_each_server_will_find() {
    let root = directory(&[
        ("snapshot.toml", MANIFEST.as_bytes()),
        ("metrics/a.om", METRICS.as_bytes()),
        ("metrics/b.om", b"late 1 1968399200\n# EOF\n"),
        ("alertmanager/groups.json", b"[]"),
        ("aliases.toml", b"[web]\n[cart]\n"),
        ("logs/a.ndjson", b"{\"@timestamp\":\"2026-01-14T14:00:00Z\"}\n{\"ts\":1000000000}\n{}\n"),
        ("logs/b.log.gz", &gzip("2026-01-14 14:01:00,000 ERROR x\n\tat y\n")),
        ("git/HEAD", b"x"),
        ("notes.txt", b"x"),
    ]);
    let lines = Snapshot::open(root.path()).unwrap().check(&[]);
    let shown: Vec<String> =
        lines.iter().map(|line| format!("{} {}: {}", line.sound, line.part, line.found)).collect();
    assert_eq!(
        shown,
        [
            "true metrics (metrics-mcp): 2 series, 3 samples from 2026-01-14T14:00:00Z to 2032-05-17T09:33:20Z, \
             1 of them outside the window",
            "true rules (metrics-mcp): none",
            "true alertmanager (metrics-mcp, alerts-mcp): groups: yes, silences: no, status: no",
            "true logs (logs-mcp): 4 records of 2 files from 2001-09-09T01:46:40Z to 2026-01-14T14:01:00Z, 1 of them \
             outside the window, 1 without a time",
            "true aliases (all servers): 2 services",
            "true traces (traces-mcp): none",
            "true pagerduty (alerts-mcp): none",
            "true runbooks (alerts-mcp): none",
            "true kubernetes (infra-mcp): none",
            "true git (infra-mcp): 1 file, 1 bytes",
            "true ignored: notes.txt",
        ]
    );
}

#[test]
fn check_tells_the_first_fault_of_each_file() {
    let root = directory(&[
        ("snapshot.toml", MANIFEST.as_bytes()),
        ("metrics/a.om", b"up 1 1\n# EOF\n"),
        ("metrics/rules.yml", b"groups: 7"),
        ("alertmanager/silences.json", b"["),
        ("logs/a.ndjson", b"{}\n{\"a\":}\n"),
        ("aliases.toml", b"[web]\n[web]\n"),
    ]);
    let lines = Snapshot::open(root.path()).unwrap().check(&[]);
    let faults: Vec<&str> = lines.iter().filter(|line| !line.sound).map(|line| line.found.as_str()).collect();
    assert_eq!(
        faults[0],
        "metrics: all 1 samples are outside the window 2026-01-14T12:00:00Z to 2026-01-14T14:32:00Z: they are \
         from 1970-01-01T00:00:01Z to 1970-01-01T00:00:01Z"
    );
    assert!(faults[1].starts_with("metrics/rules.yml line 1: "), "{faults:?}");
    assert!(faults[2].starts_with("alertmanager/silences.json line 1: "), "{faults:?}");
    assert_eq!(faults[3], "logs/a.ndjson line 2: is not a JSON object (expected value at character 6)");
    assert!(faults[4].starts_with("aliases.toml line 2: "), "{faults:?}");
    assert_eq!(faults.len(), 5);
}

#[test]
fn check_tells_of_each_broken_file() {
    let root = directory(&[
        ("snapshot.toml", MANIFEST.as_bytes()),
        ("metrics/a.om", b"up nonsense 1\n# EOF\n"),
        ("metrics/b.om", b"up 1 1\n"),
        ("metrics/one.yml", b"groups: 7"),
        ("metrics/two.yml", b"groups: 8"),
        ("alertmanager/groups.json", b"{}"),
        ("alertmanager/silences.json", b"["),
        ("logs/a.ndjson", b"{}\n{\"a\":}\n"),
        ("logs/b.ndjson", b"7\n"),
    ]);
    let lines = Snapshot::open(root.path()).unwrap().check(&[]);
    let told: Vec<Vec<&str>> =
        lines.iter().filter(|line| !line.sound).map(|line| line.found.split("; ").collect()).collect();
    let files = [
        ["metrics/a.om", "metrics/b.om"],
        ["metrics/one.yml", "metrics/two.yml"],
        ["alertmanager/groups.json", "alertmanager/silences.json"],
        ["logs/a.ndjson", "logs/b.ndjson"],
    ];
    assert_eq!(told.len(), files.len(), "{told:?}");
    for (told, files) in told.iter().zip(files) {
        assert_eq!(told.len(), 2, "{told:?}");
        assert!(told.iter().zip(files).all(|(told, file)| told.starts_with(file)), "{told:?}");
    }
}

/// The line about the logs.
fn of_logs(files: &[(&str, &[u8])], times: &[&str]) -> (bool, String) {
    let mut all = vec![("snapshot.toml", MANIFEST.as_bytes())];
    all.extend_from_slice(files);
    let root = directory(&all);
    let times: Vec<String> = times.iter().map(|name| (*name).to_owned()).collect();
    let lines = Snapshot::open(root.path()).unwrap().check(&times);
    let line = lines.into_iter().find(|line| line.part == "logs (logs-mcp)").unwrap();
    (line.sound, line.found)
}

#[test]
fn check_reads_times_where_an_operator_says_they_are() {
    let document: &[u8] = b"{\"event\":{\"born.at\":\"2026-01-14T14:00:00Z\"}}\n";
    let found = "1 record of 1 file from 2026-01-14T14:00:00Z to 2026-01-14T14:00:00Z, 0 of them outside the window, \
                 0 without a time";
    assert_eq!(of_logs(&[("logs/a.ndjson", document)], &["event.born.at"]), (true, found.to_owned()));
    // What the container runtime put before a document is its time where it has none of its own.
    let stamped: &[u8] = b"2026-01-14T14:00:00.000000000Z {\"msg\":\"x\"}\n";
    assert_eq!(of_logs(&[("logs/a.log", stamped)], &[]), (true, found.to_owned()));
}

#[test]
fn check_says_whether_records_are_outside_the_window_or_have_no_time() {
    let remedy =
        "name its field in the configuration of logs-mcp, [[logs]] source = \"a\", fields.time = [\"FIELD\"]";
    let (sound, found) =
        of_logs(&[("logs/a.ndjson", b"{\"when\":\"2026-01-14T14:00:00Z\"}\n{}\n")], &["born"]);
    let expected = format!(
        "logs: none of 2 records has a time; that of a JSON document was looked for in born: {remedy}"
    );
    assert_eq!((sound, found), (false, expected));

    let (sound, found) = of_logs(&[("logs/a.ndjson", b"{}\n")], &[]);
    assert!(!sound && found.contains("was looked for in @timestamp, timestamp, "), "{found}");

    let early: &[u8] = b"{\"time\":1000000000}\n";
    let expected = "logs: 1 record with a time, all outside the window 2026-01-14T12:00:00Z to 2026-01-14T14:32:00Z: \
                    from 2001-09-09T01:46:40Z to 2001-09-09T01:46:40Z";
    assert_eq!(of_logs(&[("logs/a.ndjson", early)], &[]), (false, expected.to_owned()));

    let (sound, found) = of_logs(&[("logs/a.ndjson", early), ("logs/b.log", b"no time\n")], &[]);
    assert_eq!((sound, found), (false, format!("{expected}; 1 without a time")));
    let (sound, found) = of_logs(&[("logs/b.log", b"no time\n")], &[]);
    assert_eq!((sound, found.as_str()), (false, "logs: none of 1 record has a time"));
}
