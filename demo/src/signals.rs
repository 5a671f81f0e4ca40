//! What others would have recorded of the world: one file for each signal.

mod alertmanager;
mod logs;
mod manifest;
mod metrics;
mod truth;

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::World;

pub(crate) use metrics::series;
use metrics::sheet::Sheet;
pub(crate) use truth::culprits;

/// How a recording is written.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Title in `snapshot.toml` instead of the incident's own.
    pub title: Option<String>,
    /// Metrics as `.om.gz`, logs as `.ndjson.gz` and `.log.gz`.
    pub compress: bool,
    /// Logs as well.
    pub logs: bool,
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Name, relative to the directory, and size in bytes of each file.
    pub files: Vec<(String, u64)>,
    /// Time series of all metrics files; those that go on in another file are counted twice.
    pub series: usize,
    /// Samples of all metrics files.
    pub samples: usize,
}

pub(crate) fn write(world: &World, root: &Path, options: &Options) -> io::Result<Written> {
    let mut directory =
        Directory { root: root.to_owned(), compress: options.compress, written: Written::default() };
    manifest::write(world, options, &mut directory)?;
    let raised = metrics::write(world, &mut directory)?;
    alertmanager::write(world, &raised, &mut directory)?;
    let told = if options.logs { Some(logs::write(world, &mut directory)?) } else { None };
    truth::write(world, told, &mut directory)?;
    Ok(directory.written)
}

/// A directory being written.
pub(crate) struct Directory {
    root: PathBuf,
    compress: bool,
    written: Written,
}

impl Directory {
    /// Writes a file by its name with `/`.
    pub(crate) fn file(&mut self, name: &str, text: &[u8]) -> io::Result<()> {
        let path = self.path(name)?;
        fs::write(&path, text)?;
        self.note(name, &path)
    }

    /// Writes a metrics file.
    pub(crate) fn metrics(&mut self, name: &str, sheet: &Sheet) -> io::Result<()> {
        let name = if self.compress { format!("{name}.gz") } else { name.to_owned() };
        let path = self.path(&name)?;
        let mut file = BufWriter::with_capacity(1 << 18, File::create(&path)?);
        if self.compress {
            let mut packed = BufWriter::with_capacity(1 << 18, GzEncoder::new(file, Compression::fast()));
            sheet.write(&mut packed)?;
            packed.into_inner().map_err(io::IntoInnerError::into_error)?.finish()?.flush()?;
        } else {
            sheet.write(&mut file)?;
            file.flush()?;
        }
        self.written.series += sheet.series();
        self.written.samples += sheet.samples();
        self.note(&name, &path)
    }

    /// Writes a long text, compressed if wished, and returns its name.
    pub(crate) fn text(&mut self, name: &str, text: &str) -> io::Result<String> {
        if !self.compress {
            self.file(name, text.as_bytes())?;
            return Ok(name.to_owned());
        }
        let name = format!("{name}.gz");
        let path = self.path(&name)?;
        let mut packed = GzEncoder::new(File::create(&path)?, Compression::fast());
        packed.write_all(text.as_bytes())?;
        packed.finish()?.flush()?;
        self.note(&name, &path)?;
        Ok(name)
    }

    fn path(&self, name: &str) -> io::Result<PathBuf> {
        let path = self.root.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        Ok(path)
    }

    fn note(&mut self, name: &str, path: &Path) -> io::Result<()> {
        self.written.files.push((name.to_owned(), fs::metadata(path)?.len()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;
    use metrics::sheet::Clock;

    #[test]
    fn compressed_metrics_unpack_to_the_same_text() {
        let mut sheet = Sheet::default();
        let values = (0..5_000).map(f64::from).collect();
        sheet.counter(("steps", "Steps."), Vec::new(), Clock { first: 0, every: 15_000 }, values);
        let root = tempfile::tempdir().unwrap();
        for compress in [false, true] {
            let written = Written::default();
            let mut directory = Directory { root: root.path().to_owned(), compress, written };
            directory.metrics("metrics/a.om", &sheet).unwrap();
        }
        let packed = fs::read(root.path().join("metrics/a.om.gz")).unwrap();
        let mut text = Vec::new();
        flate2::read::GzDecoder::new(packed.as_slice()).read_to_end(&mut text).unwrap();

        assert!(packed.len() < text.len() / 2);
        assert!(text == fs::read(root.path().join("metrics/a.om")).unwrap());
    }
}
