//! The plain letters behind letters that only look like them, and behind characters that do not show at all.

/// U+00C0 to U+00FF without their accents (canonical decomposition); a dot where there is no plain letter.
const LATIN_1: &[u8; 64] = b"AAAAAA.CEEEEIIII.NOOOOO.OUUUUY..aaaaaa.ceeeeiiii.nooooo.ouuuuy.y";
/// U+0100 to U+017F likewise.
const LATIN_EXTENDED: &[u8; 128] = b"AaAaAaCcCcCcCcDdDdEeEeEeEeEeGgGgGgGgHhHhIiIiIiIiIi..JjKkkLlLlLl.\
    .LlNnNnNn...OoOoOo..RrRrRrSsSsSsSsTtTtTtUuUuUuUuUuUuWwYyYZzZzZzs";

/// Letters of other alphabets that are drawn like Latin ones, with those they pass for.
const LOOK_ALIKES: &[(&str, &str)] = &[
    ("АВЕКМНОРСТУХІЈЅабеорсухіјѕһԁԛԝѵɡ", "ABEKMHOPCTYXIJSabeopcyxijshdqwvg"),
    ("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνορτυχγ", "ABEZHIKMNOPTYXaeikvoptuxy"),
];

/// Alphabets of the same order as the Latin one, capitals first: where the capitals and the small letters begin.
const SHIFTED: &[(u32, u32)] = &[
    (0xff21, 0xff41),  // fullwidth
    (0x24b6, 0x24d0),  // circled
    (0x1f130, 0x24d0), // squared
    (0x1f1e6, 0x24d0), // regional indicators
];
/// Mathematical letters: thirteen styles of 52.
const MATHEMATICAL: std::ops::RangeInclusive<u32> = 0x1d400..=0x1d6a3;

/// `text` as somebody reads it who knows Latin letters only: accents gone, look-alikes and letters of other styles
/// replaced. For judging, never for showing.
pub(crate) fn plain_letters(text: &str) -> String {
    text.chars().filter(|c| !matches!(c, '\u{300}'..='\u{36f}')).map(plain).collect()
}

fn plain(c: char) -> char {
    if c.is_ascii() {
        return c;
    }
    let code = c as u32;
    let without_accent = match code {
        0xc0..=0xff => LATIN_1.get((code - 0xc0) as usize),
        0x100..=0x17f => LATIN_EXTENDED.get((code - 0x100) as usize),
        _ => None,
    };
    match without_accent {
        Some(b'.') => return c,
        Some(&letter) => return char::from(letter),
        None => {}
    }
    if MATHEMATICAL.contains(&code) {
        return letter((code - MATHEMATICAL.start()) % 52);
    }
    for (upper, lower) in SHIFTED {
        if (*upper..upper + 26).contains(&code) {
            return letter(code - upper);
        }
        if (*lower..lower + 26).contains(&code) {
            return letter(26 + code - lower);
        }
    }
    if (0xff01..=0xff5e).contains(&code) {
        return char::from_u32(code - 0xfee0).unwrap_or(c);
    }
    look_alike(c).unwrap_or(c)
}

fn look_alike(c: char) -> Option<char> {
    LOOK_ALIKES.iter().find_map(|(drawn, meant)| {
        let at = drawn.chars().position(|other| other == c)?;
        meant.chars().nth(at)
    })
}

/// `0` to `51`: capitals, then small letters.
fn letter(index: u32) -> char {
    let base = if index < 26 { u32::from(b'A') + index } else { u32::from(b'a') + index - 26 };
    char::from_u32(base).unwrap_or(' ')
}

/// What is written in characters that do not show: in tag characters, which mirror ASCII, or in variation selectors,
/// which smugglers use for bytes. Empty when there is nothing.
pub(crate) fn hidden(text: &str) -> String {
    text.chars().filter_map(|c| smuggled(c as u32)).filter(char::is_ascii).collect()
}

fn smuggled(code: u32) -> Option<char> {
    match code {
        0xe0020..=0xe007e => char::from_u32(code - 0xe0000),
        0xfe00..=0xfe0f => char::from_u32(code - 0xfe00),
        0xe0100..=0xe01ef => char::from_u32(code - 0xe0100 + 16),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn letters_are_read_as_they_look() {
        for (drawn, read) in [
            ("plain", "plain"),
            ("Ïgnörè ščž Łódź", "Ignore scz Lodz"),
            ("Іgnоrе", "Ignore"),
            ("Ιgnοre", "Ignore"),
            ("Ｉｇｎｏｒｅ！", "Ignore!"),
            ("𝐈𝐠𝐧𝐨𝐫𝐞 𝖨𝗀𝗇𝗈𝗋𝖾", "Ignore Ignore"),
            ("ⒾⒼⓝⓞⓡⓔ", "IGnore"),
            ("i\u{301}g\u{308}n", "ign"),
            ("你好 ß", "你好 ß"),
        ] {
            assert_eq!(plain_letters(drawn), read);
        }
        for (drawn, meant) in LOOK_ALIKES {
            assert_eq!(drawn.chars().count(), meant.chars().count());
        }
    }

    #[test]
    fn what_does_not_show_is_read() {
        assert_eq!(hidden("ok\u{e0068}\u{e0069}"), "hi");
        assert_eq!(hidden("ok\u{e0158}\u{e0159}"), "hi");
        assert_eq!(hidden("plain ❤\u{fe0f}"), "\u{f}");
    }
}
