//! From a file on disk to its decompressed bytes, never more than a bound.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, Read},
    path::Path,
};

use crate::SnapshotError;

/// No file is read beyond this many bytes, decompressed.
const LARGEST_FILE: u64 = 4 * 1024 * 1024 * 1024;
/// JSON, YAML and TOML files are read whole.
const LARGEST_DOCUMENT: u64 = 64 * 1024 * 1024;

/// Opens a file by what its name ends in.
pub(super) fn open(path: &Path, name: &str) -> Result<Box<dyn BufRead>, SnapshotError> {
    let wrong = |problem: String| SnapshotError::file(name, problem);
    let file = File::open(path).map_err(|error| wrong(format!("can't be opened ({error})")))?;
    let file = BufReader::new(file);
    let reader: Box<dyn Read> = match name.rsplit('.').next() {
        Some("gz") => Box::new(flate2::bufread::MultiGzDecoder::new(file)),
        Some("zst") => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(file);
            Box::new(decoder.map_err(|error| wrong(format!("is not zstd ({error})")))?)
        }
        _ => Box::new(file),
    };
    Ok(Box::new(BufReader::new(Capped { reader, left: LARGEST_FILE })))
}

/// A file as text, without the mark that some editors put first.
pub(super) fn text(name: &str, reader: impl Read) -> Result<String, SnapshotError> {
    let mut bytes = Vec::new();
    let read = reader.take(LARGEST_DOCUMENT + 1).read_to_end(&mut bytes);
    read.map_err(|error| SnapshotError::file(name, format!("can't be read ({error})")))?;
    if bytes.len() as u64 > LARGEST_DOCUMENT {
        return Err(SnapshotError::file(name, format!("is larger than {LARGEST_DOCUMENT} bytes")));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let before = error.as_bytes().get(..valid).unwrap_or_default();
        let line = before.iter().filter(|byte| **byte == b'\n').count() as u64 + 1;
        SnapshotError::line(name, line, format!("byte {} of the file is not UTF-8: binary data?", valid + 1))
    })?;
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

/// Ends with an error, not silently, where there is more than may be read: a bomb is not a short file.
struct Capped<R> {
    reader: R,
    left: u64,
}

impl<R: Read> Read for Capped<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if most == 0 && !buffer.is_empty() {
            return match self.reader.read(&mut [0])? {
                0 => Ok(0),
                _ => Err(io::Error::other(format!("larger than {LARGEST_FILE} bytes, decompressed"))),
            };
        }
        let read = self.reader.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left -= read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_larger_than_allowed_is_an_error_and_not_a_shorter_file() {
        let mut exact = Capped { reader: &b"abc"[..], left: 3 };
        let mut text = String::new();
        exact.read_to_string(&mut text).unwrap();
        assert_eq!(text, "abc");

        let error = Capped { reader: &b"abcd"[..], left: 3 }.read_to_string(&mut text).unwrap_err();
        assert!(error.to_string().starts_with("larger than"), "{error}");
    }
}
