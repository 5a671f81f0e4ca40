use std::io::Write;

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
            ("logs/app.ndjson", Kind::OtherServer),
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

#[test]
fn each_corruption_is_one_clear_error() {
    let manifest = ("snapshot.toml", MANIFEST.as_bytes());
    let truncated = {
        let mut bytes = gzip(METRICS);
        bytes.truncate(bytes.len() - 12);
        bytes
    };
    let cases: Vec<(Vec<File>, &str)> = vec![
        (vec![("metrics/a.om", METRICS.as_bytes())], "snapshot.toml: is missing: a snapshot is a directory"),
        (vec![("snapshot.toml", b"\xff\xfe")], "snapshot.toml: byte 1 is not UTF-8"),
        (vec![manifest, ("metrics/a.om", &METRICS.as_bytes()[..24])], "metrics/a.om line 2: "),
        (vec![manifest, ("metrics/a.om.gz", &truncated)], "metrics/a.om.gz line "),
        (vec![manifest, ("metrics/a.om.gz", METRICS.as_bytes())], "metrics/a.om.gz line 1: can't be read on"),
        (vec![manifest, ("metrics/a.om.zst", METRICS.as_bytes())], "metrics/a.om.zst: is not zstd"),
        (vec![manifest, ("metrics/a.om", b"{\"a\": 1}\n# EOF\n")], "metrics/a.om line 1: "),
        (vec![manifest, ("metrics/a.om", b"\x00\x01\x02\xff\n")], "metrics/a.om line 1: byte 4 is not UTF-8"),
        (vec![manifest, ("metrics/rules.yml", b"\t- [")], "metrics/rules.yml line "),
        (vec![manifest, ("alertmanager/groups.json", b"[{")], "alertmanager/groups.json line 1: is not JSON"),
    ];
    for (files, expected) in cases {
        let root = directory(&files);
        let read = || -> Result<(), SnapshotError> {
            let snapshot = Snapshot::open(root.path())?;
            snapshot.metrics()?;
            snapshot.rules()?;
            snapshot.alertmanager("groups")?;
            Ok(())
        };
        let error = read().expect_err(expected).to_string();
        assert!(error.starts_with(expected), "{error}\nexpected {expected}");
    }
    let nowhere = Snapshot::open(Path::new("no/such/directory")).unwrap_err().to_string();
    assert!(nowhere.starts_with("no/such/directory: can't be read as a directory"), "{nowhere}");
}
