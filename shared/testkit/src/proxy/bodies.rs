//! The bodies the faults send.

use flate2::{Compress, Compression, Crc, FlushCompress, Status};

pub(super) const ERROR_PAGE: &[u8] = b"<!doctype html><title>500</title><h1>Internal Server Error</h1>\
    <pre>java.lang.NullPointerException\n\tat backend.Query.run(Query.java:42)</pre>";

pub(super) const LOGIN_PAGE: &[u8] = b"<!doctype html><title>Sign in</title>\
    <form action=\"/login\" method=\"post\"><input name=\"user\"><input name=\"password\" type=\"password\"></form>";

pub(super) const INVALID_JSON: &[u8] = br#"{"status":"success","data":[1,,2]}"#;

pub(super) const TRUNCATED_JSON: &[u8] = br#"{"status":"success","data":{"result":[{"metric":{"job":"che"#;

/// How many pieces of 100,000 bytes the huge body has, before its closing bracket.
pub(super) const HUGE_PIECES: usize = 1000;

/// One piece: strings of an array, which all pieces and a closing bracket make up together.
pub(super) fn huge_piece(number: usize) -> Vec<u8> {
    let element = format!(r#","{}""#, "x".repeat(97));
    let mut piece = element.repeat(1000).into_bytes();
    if number == 0 {
        piece[0] = b'[';
    }
    piece
}

pub(super) fn deep_json() -> Vec<u8> {
    const DEPTH: usize = 100_000;
    [b"[".repeat(DEPTH), b"]".repeat(DEPTH)].concat()
}

/// 4,096 bytes that look random and are the same each time. They begin with 0xFF, which is never UTF-8.
pub(super) fn junk() -> Vec<u8> {
    // The generator of Numerical Recipes; its high byte is random enough to look at.
    let mut state = 1_u32;
    let random = std::iter::repeat_with(|| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state.to_be_bytes()[0]
    });
    std::iter::once(0xFF).chain(random).take(4096).collect()
}

/// One gzip member that unpacks to this many MiB of blanks, made without compressing more than the first.
///
/// A fully flushed piece of a deflate stream ends on a whole byte and refers to nothing before it, so that it
/// can be repeated; and checksums can be combined.
pub(super) fn gzip_of_blanks(mebibytes: u32) -> Vec<u8> {
    let mebibyte = vec![b' '; 1 << 20];
    let mut piece = Vec::with_capacity(64 << 10);
    let mut deflate = Compress::new(Compression::best(), false);
    let status = deflate.compress_vec(&mebibyte, &mut piece, FlushCompress::Full).unwrap();
    assert!(status == Status::Ok && deflate.total_in() == 1 << 20 && piece.len() < piece.capacity());
    assert!(piece.ends_with(&[0x00, 0x00, 0xFF, 0xFF]), "a full flush ends with an empty stored block");

    let mut of_one = Crc::new();
    of_one.update(&mebibyte);
    let mut of_all = Crc::new();

    let mut gzip = vec![0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF];
    for _ in 0..mebibytes {
        gzip.extend_from_slice(&piece);
        of_all.combine(&of_one);
    }
    // An empty last block, the checksum and the length.
    gzip.extend_from_slice(&[0x03, 0x00]);
    gzip.extend_from_slice(&of_all.sum().to_le_bytes());
    gzip.extend_from_slice(&(mebibytes << 20).to_le_bytes());
    gzip
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::*;

    #[test]
    fn a_decoder_unpacks_a_small_bomb_to_blanks_and_accepts_its_checksum() {
        let bomb = gzip_of_blanks(3);
        let mut unpacked = Vec::new();
        flate2::read::GzDecoder::new(bomb.as_slice()).read_to_end(&mut unpacked).unwrap();

        assert_eq!(unpacked.len(), 3 << 20);
        assert!(unpacked.iter().all(|byte| *byte == b' '));
    }

    #[test]
    fn the_full_bomb_announces_one_gibibyte_and_its_checksum_in_about_a_megabyte() {
        let bomb = gzip_of_blanks(1024);
        let (_, trailer) = bomb.split_at(bomb.len() - 8);

        // zlib.crc32(b" " * 2**30) by Python's zlib.
        assert_eq!(trailer[..4], CRC_OF_ONE_GIBIBYTE_OF_BLANKS.to_le_bytes());
        assert_eq!(trailer[4..], [0, 0, 0, 0x40]);
        assert!(bomb.len() < 2_000_000, "{} bytes", bomb.len());
    }

    const CRC_OF_ONE_GIBIBYTE_OF_BLANKS: u32 = 0x9AC4_7FA6;
}
