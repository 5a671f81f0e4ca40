//! The peak of a child process, with the allocation done by another program.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests fail loudly")]

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use testkit::rss::{current_rss_bytes, peak_rss_bytes};

#[test]
fn the_peak_of_a_child_is_the_size_of_its_buffer() {
    // `dd` reads a block into a buffer of its size, then writes it. Its output is a pipe that is never read to
    // the end, so that it stays there, buffer in hand.
    let mut child = Command::new("dd")
        .args(["if=/dev/zero", "bs=48M", "count=1", "status=none"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    assert!(!output.fill_buf().unwrap().is_empty(), "dd has filled its buffer and is writing it");

    let (peak, current) = (peak_rss_bytes(child.id()), current_rss_bytes(child.id()));
    child.kill().unwrap();
    child.wait().unwrap();

    let buffer = 48 << 20;
    assert!(peak >= buffer && peak < buffer + (16 << 20), "peak {peak} for a buffer of {buffer}");
    assert!(current <= peak, "{current} now, {peak} at the peak");
}
