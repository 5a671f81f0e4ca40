//! Visible text only.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests fail loudly"
)]

use std::borrow::Cow;

use proptest::prelude::*;
use redact::clean;

#[test]
fn control_characters_and_sequences_go() {
    let table = [
        ("plain", "plain"),
        ("a\nb", "a\\nb"),
        ("a\r\nb", "a\\r\\nb"),
        ("a\tb", "a b"),
        ("a\u{0}\u{8}\u{1f}\u{7f}b", "ab"),
        ("a\u{b}b\u{c}c\u{85}d\u{2028}e\u{2029}f", "a\\nb\\nc\\nd\\ne\\nf"),
        ("a\u{80}\u{8f}\u{9a}b", "ab"),
        // ECMA-48 control sequences
        ("\u{1b}[31mred\u{1b}[0m", "red"),
        ("\u{1b}[1;38;5;196mred\u{1b}[m", "red"),
        ("\u{1b}[2J\u{1b}[Hhome", "home"),
        ("\u{1b}[?25lhidden", "hidden"),
        ("\u{1b}[4 qcursor", "cursor"),
        ("\u{9b}31mred", "red"),
        ("cut \u{1b}[31", "cut "),
        ("cut \u{1b}[", "cut "),
        ("cut \u{1b}", "cut "),
        ("\u{1b}[31\nnext", "\\nnext"),
        ("\u{1b}\u{1b}[31mred", "red"),
        ("\u{1b}[31\u{1b}[0mx", "x"),
        // two- and three-character sequences
        ("\u{1b}cx\u{1b}7y\u{1b}=z", "xyz"),
        ("\u{1b}(Bx\u{1b}#8y", "xy"),
        ("\u{1b}éx", "éx"),
        ("\u{1b}\nx", "\\nx"),
        // string sequences: title, hyperlink, clipboard, DCS, APC, eight-bit
        ("\u{1b}]0;title\u{7}x", "x"),
        ("\u{1b}]8;;http://a\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
        ("\u{1b}]52;c;aGk=\u{9c}x", "x"),
        ("\u{9d}0;title\u{9c}x", "x"),
        ("\u{1b}Pq#0\u{1b}\\x\u{1b}_G\u{1b}\\y\u{1b}^a\u{1b}\\z\u{1b}Xb\u{1b}\\", "xyz"),
        // an open one does not swallow what follows
        ("\u{1b}]0;evidence", "0;evidence"),
        ("\u{1b}]0;a\nevidence", "0;a\\nevidence"),
        ("\u{1b}]0;a\u{1b}[31mb\u{7}", "0;ab"),
        ("\u{1b}]", ""),
        ("\u{1b}]\u{7}x", "x"),
    ];
    for (text, expected) in table {
        assert_eq!(clean(text), expected, "{text:?}");
    }
}

#[test]
fn invisible_characters_go() {
    let ranges = [
        ('\u{61c}', '\u{61c}'),
        ('\u{200b}', '\u{200f}'),
        ('\u{202a}', '\u{202e}'),
        ('\u{2060}', '\u{2064}'),
        ('\u{2066}', '\u{2069}'),
        ('\u{fe00}', '\u{fe0f}'),
        ('\u{feff}', '\u{feff}'),
        ('\u{e0000}', '\u{e007f}'),
        ('\u{e0100}', '\u{e01ef}'),
        ('\u{ad}', '\u{ad}'),
        ('\u{3164}', '\u{3164}'),
    ];
    for (first, last) in ranges {
        for c in first..=last {
            assert_eq!(clean(&format!("a{c}b")), "ab", "U+{:04X}", c as u32);
        }
    }
    // "hi" in tag characters, and an order hidden in variation selectors
    assert_eq!(clean("x\u{e0068}\u{e0069}y\u{e0150}\u{e0151}"), "xy");
    // a filename that reads backwards
    assert_eq!(clean("invoice\u{202e}fdp.exe"), "invoicefdp.exe");
}

#[test]
fn visible_text_is_borrowed() {
    for text in [
        "",
        "GET /api",
        "naïve café",
        "Привет",
        "你好",
        "🎉 ok",
        "a\u{a0}b",
        "e\u{301}",
        "C:\\new\\table",
        "→ 5 µs",
        "\u{fffd}",
    ] {
        assert!(matches!(clean(text), Cow::Borrowed(same) if same == text), "{text:?}");
    }
}

/// The classes that must not be left, written down a second time from the Unicode charts.
fn is_forbidden(c: char) -> bool {
    c.is_control()
        || matches!(c as u32, 0x61c | 0x200b..=0x200f | 0x2028..=0x202e | 0x2060..=0x2064 | 0x2066..=0x2069 | 0xfeff)
        || matches!(c as u32, 0xe0000..=0xe007f | 0xe0100..=0xe01ef | 0xfe00..=0xfe0f)
}

fn any_dirty() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        any::<String>(),
        "[ -~]{0,4}",
        prop::sample::select(vec![
            "\u{1b}",
            "\u{1b}[",
            "\u{1b}]",
            "\u{1b}P",
            "\u{9b}",
            "\u{9d}",
            "\u{9c}",
            "\u{7}",
            "\u{1b}\\",
            "31",
            ";",
            "m",
            "\n",
            "\r",
            "\t",
            "\u{202e}",
            "\u{200b}",
            "\u{e0041}",
            "\u{e0101}",
            "\u{2028}",
            "é",
            "\\n",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn nothing_forbidden_is_left(text in any_dirty()) {
        let cleaned = clean(&text);
        prop_assert!(!cleaned.contains(is_forbidden), "{cleaned:?}");
    }

    #[test]
    fn cleaning_what_is_clean_changes_nothing(text in any_dirty()) {
        let once = clean(&text).into_owned();
        let twice = clean(&once);
        prop_assert!(matches!(twice, Cow::Borrowed(same) if same == once));
    }

    #[test]
    fn visible_text_around_a_colour_is_kept(before in "[ -~]{0,20}", after in "[ -~]{0,20}", colour in 0_u8..108) {
        let coloured = format!("{before}\u{1b}[{colour}m{after}");
        prop_assert_eq!(clean(&coloured), format!("{before}{after}"));
    }

    #[test]
    fn without_escapes_every_visible_character_is_kept(text in "[a-zé你\u{200b}\u{202e}\u{7f}\u{1}]{0,30}") {
        let expected: String = text.chars().filter(|c| !is_forbidden(*c)).collect();
        prop_assert_eq!(clean(&text), expected);
    }
}

/// Quadratic behaviour would take minutes on any of these.
#[test]
fn time_is_linear_in_the_length_of_the_text() {
    for piece in ["\u{1b}]", "\u{9d}", "\u{1b}]a", "\u{1b}[", "\u{1b}", "\u{9b}1", "\u{1b}P\u{7}", "\u{200b}"]
    {
        let text = piece.repeat(500_000);
        let start = std::time::Instant::now();
        assert!(clean(&text).len() <= text.len());
        assert!(start.elapsed().as_secs() < 30, "{piece:?} took {:?}", start.elapsed());
    }
}
