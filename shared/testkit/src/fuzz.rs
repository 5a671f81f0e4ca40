//! An in-process fuzzer for parsers of outside bytes: seeds that are mutated, and a check that must neither panic nor take
//! long. Deterministic: the same number of rounds tries the same inputs, on every machine.
//!
//! In an ordinary test run it goes on for a fraction of a second; `FUZZ_SECONDS` (set by `cargo xtask fuzz`) for longer. A
//! failure shows the input as a Rust byte string, to be kept as a test of its own.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::{Duration, Instant};

/// An input that takes longer than this is a finding, too; far above what a busy machine adds.
const TOO_LONG: Duration = Duration::from_secs(20);
const LONGEST_INPUT: usize = 256 * 1024;

/// How long each target is fuzzed.
fn budget() -> Duration {
    let seconds = std::env::var("FUZZ_SECONDS").ok().and_then(|text| text.parse::<f64>().ok());
    Duration::from_secs_f64(seconds.unwrap_or(0.3))
}

/// Feeds `check` with the seeds and with mutations of them. `words` are pieces of the format that bytes alone would
/// hardly make: keywords, delimiters, numbers at the edge.
pub fn fuzz(target: &str, seeds: &[&[u8]], words: &[&str], check: impl Fn(&[u8])) {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let mut corpus: Vec<Vec<u8>> = seeds.iter().map(|seed| seed.to_vec()).collect();
    corpus.push(Vec::new());
    for seed in corpus.clone() {
        try_one(target, &seed, &check);
    }
    let (began, budget, mut rounds) = (Instant::now(), budget(), 0_u64);
    while began.elapsed() < budget {
        let mut input = corpus[random.below(corpus.len())].clone();
        for _ in 0..=random.below(6) {
            mutate(&mut input, &corpus, words, &mut random);
        }
        input.truncate(LONGEST_INPUT);
        try_one(target, &input, &check);
        rounds += 1;
        // Without coverage there is no telling which inputs are new; a few of any kind lead further away.
        if random.below(50) == 0 {
            let place = if corpus.len() < 400 { corpus.len() } else { seeds.len() + random.below(300) };
            if place < corpus.len() {
                corpus[place] = input;
            } else {
                corpus.push(input);
            }
        }
    }
    eprintln!("fuzz {target}: {rounds} inputs in {:.1} s, none panicked", began.elapsed().as_secs_f64());
}

fn try_one(target: &str, input: &[u8], check: &impl Fn(&[u8])) {
    let began = Instant::now();
    let outcome = catch_unwind(AssertUnwindSafe(|| check(input)));
    let shown = || format!("b\"{}\"", input[..input.len().min(4_000)].escape_ascii());
    assert!(outcome.is_ok(), "{target} panicked on {} bytes: {}", input.len(), shown());
    let took = began.elapsed();
    assert!(took < TOO_LONG, "{target} took {took:?} for {} bytes: {}", input.len(), shown());
}

fn mutate(input: &mut Vec<u8>, corpus: &[Vec<u8>], words: &[&str], random: &mut Random) {
    let at = random.below(input.len() + 1);
    match random.below(10) {
        0 if !input.is_empty() => {
            let at = at.min(input.len() - 1);
            input[at] ^= 1 << random.below(8);
        }
        1 if !input.is_empty() => {
            let at = at.min(input.len() - 1);
            input[at] = random.below(256) as u8;
        }
        2 => input.truncate(at),
        3 => {
            let end = (at + 1 + random.below(16)).min(input.len());
            input.drain(at..end);
        }
        4 => {
            let end = (at + 1 + random.below(64)).min(input.len());
            let piece = input[at..end].to_vec();
            let times = if random.below(20) == 0 { 2_000 } else { 1 + random.below(4) };
            let repeated: Vec<u8> = piece.iter().copied().cycle().take(piece.len() * times).collect();
            input.splice(at..at, repeated);
        }
        5 | 6 if !words.is_empty() => {
            let word = words[random.below(words.len())].as_bytes().to_vec();
            input.splice(at..at, word);
        }
        7 => {
            let other = &corpus[random.below(corpus.len())];
            let from = random.below(other.len() + 1);
            let piece = other[from..(from + random.below(200)).min(other.len())].to_vec();
            input.splice(at..at, piece);
        }
        8 => {
            let odd: [&[u8]; 8] = [
                b"\0",
                b"\xff",
                b"\xe2\x80\xae",
                b"\xed\xa0\x80",
                b"\r\n",
                b"\\",
                b"\"",
                b"99999999999999999999",
            ];
            let piece = odd[random.below(odd.len())];
            input.splice(at..at, piece.iter().copied());
        }
        _ => input.extend((0..random.below(8)).map(|_| random.below(128) as u8).collect::<Vec<u8>>()),
    }
}

/// SplitMix64 (Steele, Lea, Flood 2014).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end.max(1) as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[should_panic(expected = "broken panicked on")]
    fn a_panic_is_found_and_the_input_shown() {
        fuzz("broken", &[b"a=1"], &["=="], |input| assert!(!input.windows(2).any(|pair| pair == b"==")));
    }

    #[test]
    fn the_same_inputs_are_tried_each_time() {
        let tried = || {
            let tried = std::cell::RefCell::new(Vec::new());
            fuzz("same", &[b"seed", b"other"], &["word"], |input| {
                let mut tried = tried.borrow_mut();
                if tried.len() < 200 {
                    tried.push(input.to_vec());
                }
            });
            tried.into_inner()
        };
        let (one, other) = (tried(), tried());
        let both = one.len().min(other.len());
        assert!(both > 20);
        assert_eq!(one[..both], other[..both]);
    }
}
