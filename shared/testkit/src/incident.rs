//! Recorded incidents of a few files.

use tempfile::TempDir;

/// A recorded incident in a directory of its own: a manifest with this window (RFC 3339), whose end is also the moment it
/// is asked at, and these files (name below the directory, text).
pub fn incident((start, end): (&str, &str), files: &[(&str, &str)]) -> TempDir {
    let directory = tempfile::tempdir().unwrap();
    let manifest = format!(
        "id = \"test\"\ntitle = \"A test\"\nnow = \"{end}\"\nwindow = {{ start = \"{start}\", end = \"{end}\" }}\n"
    );
    for (name, text) in [("snapshot.toml", manifest.as_str())].iter().chain(files) {
        let path = directory.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    directory
}
