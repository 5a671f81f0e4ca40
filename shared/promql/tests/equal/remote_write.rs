//! As much of the remote-write protocol as writing a few series takes: protobuf messages in a snappy block.

use crate::data::Series;

/// A `TimeSeries`: labels (1) of name (1) and value (2), samples (2) of value (1) and timestamp (2).
pub(crate) fn series(series: &Series) -> Vec<u8> {
    let mut message = Vec::new();
    for (name, value) in &series.labels {
        message.extend(field(1, &[field(1, name.as_bytes()), field(2, value.as_bytes())].concat()));
    }
    for (time, value) in &series.samples {
        let mut sample = vec![(1 << 3) | 1];
        sample.extend(value.to_le_bytes());
        sample.push(2 << 3);
        sample.extend(varint(u64::try_from(*time).unwrap()));
        message.extend(field(2, &sample));
    }
    message
}

/// A protobuf field of bytes: text, or a message within a message.
pub(crate) fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    [&[(number << 3) | 2][..], &varint(bytes.len() as u64), bytes].concat()
}

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

/// A snappy block that compresses nothing: the length, then literals of at most 64 KiB.
pub(crate) fn snappy(bytes: &[u8]) -> Vec<u8> {
    let mut block = varint(bytes.len() as u64);
    for literal in bytes.chunks(1 << 16) {
        block.push(61 << 2);
        block.extend(((literal.len() - 1) as u16).to_le_bytes());
        block.extend(literal);
    }
    block
}
