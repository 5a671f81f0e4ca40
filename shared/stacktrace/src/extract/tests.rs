//! Reading is linear: counted in bytes looked at, not in time.
#![allow(clippy::unwrap_used, reason = "tests fail loudly")]

use super::*;

/// How often a byte may be looked at. A header is sought at most `REACH` lines back, for each trace once.
const LOOKS: usize = 60;

#[test]
fn work_grows_with_the_text_and_not_faster() {
    let lines = [
        "\tat ",
        "\tat com.acme.A.b(A.java:1)\n",
        "    at a (/b.js:1:2)\n",
        "   at A.B(C d)\n",
        "Caused by: a.B: c\n",
        "Caused by:\n",
        "x\nCaused by:\n    y\n",
        " ---> A.B: c\n",
        "[errors]: [\n",
        "Traceback (most recent call last):\n",
        "  File \"a.py\", line 1, in b\n",
        "a: b\n  File \"a.py\", line 1, in b\n",
        "Traceback (most recent call last):\n  File \"a\", line 1\nE: x\nnote\n",
        "  | Traceback (most recent call last):\n",
        "  +-+---------------- 1 ----------------\n",
        "panic: x\n",
        "goroutine 1 [running]:\n",
        "a.b()\n\t/c.go:1 +0x1\n",
        "thread 'a' panicked at b:1:1:\n",
        "stack backtrace:\n",
        "   0: a\n",
        "a.rb:1:in `b'\n",
        "a.rb:1:in `b': c (D)\n",
        "Stack trace:\n",
        "#0 /a.php(1): b()\n",
        "Next A: b in c:1\n",
        "#0 0x1 in a b.c:1\n",
        "==1==ERROR: AddressSanitizer: x on y\n",
        "a.c:1:1: runtime error: b\n",
        "Thread 1 (a):\n#0  a () at b.c:1\n\n",
        "a(b+0x1)[0x1]\n",
        "terminate called after throwing an instance of 'A'\n",
        "SUMMARY: x\n",
        "\n",
        "x",
    ];
    for line in lines {
        for (number, filler) in ["", "x\n"].iter().enumerate() {
            let text = format!("{line}{filler}").repeat(40_000 / (line.len() + number));
            let seen = Lines::new(&text);
            for source in [Source::Record, Source::Stream] {
                read(&seen, source);
            }
            assert!(seen.work() <= 2 * LOOKS * text.len(), "{line:?}: {} of {}", seen.work(), text.len());
        }
    }
}

#[test]
fn five_megabytes_of_frames_cost_a_few_looks_a_byte() {
    for line in ["at ", "\tat a.B.c(D.java:1)\n", "    at f (/a/b.js:1:1)\n"] {
        let text = line.repeat(5_000_000 / line.len());
        let lines = Lines::new(&text);
        let found = read(&lines, Source::Record);
        assert!(lines.work() <= 4 * text.len(), "{line:?}: {} looks", lines.work() / text.len());
        assert!(
            found.iter().all(|found| found.chain.iter().all(|one| one.frames.len() <= Exception::FRAMES))
        );
    }
}
