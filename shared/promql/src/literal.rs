//! Numbers, durations and quoted text as PromQL writes them.

/// Duration units from the largest, in milliseconds.
const UNITS: [(&str, u64); 7] = [
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// A number (`1`, `.5`, `1e-3`, `0x1F`, `017`, `1_000`) or a duration in seconds (`5m`, `1h30m`).
pub(crate) fn number(text: &str) -> Option<f64> {
    let misplaced = text.starts_with('_') || text.ends_with('_') || text.contains("__");
    if misplaced {
        return None;
    }
    let digits = text.replace('_', "");
    let lower = digits.to_ascii_lowercase();
    if let Some(hexadecimal) = lower.strip_prefix("0x") {
        return i64::from_str_radix(hexadecimal, 16).ok().map(|number| number as f64);
    }
    let octal =
        lower.strip_prefix('0').filter(|rest| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_digit()));
    if let Some(number) = octal.and_then(|rest| i64::from_str_radix(rest, 8).ok()) {
        return Some(number as f64);
    }
    if lower.bytes().all(|byte| byte.is_ascii_digit() || b".e+-".contains(&byte)) {
        return lower.parse().ok();
    }
    duration_ms(text).map(|milliseconds| milliseconds as f64 / 1_000.0)
}

/// A duration in milliseconds: numbers with units, the largest unit first, each at most once.
fn duration_ms(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut units = UNITS.iter();
    let mut sum = 0_u64;
    while !rest.is_empty() {
        let (count, after) = rest.split_at_checked(rest.find(|c: char| !c.is_ascii_digit())?)?;
        let length = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(length)?;
        let (_, milliseconds) = units.find(|(known, _)| *known == unit)?;
        sum = sum.checked_add(count.parse::<u64>().ok()?.checked_mul(*milliseconds)?)?;
        rest = after;
    }
    Some(sum)
}

/// The text between the quotes of a literal, escapes resolved.
///
/// # Errors
/// What is wrong with an escape.
pub(crate) fn unquote(literal: &str) -> Result<String, String> {
    let mut inside = literal.chars();
    let quote = inside.next();
    inside.next_back();
    if quote == Some('`') {
        return Ok(inside.as_str().to_owned());
    }
    let mut bytes = Vec::with_capacity(literal.len());
    while let Some(next) = inside.next() {
        let mut encode = |character: char| bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
        match next {
            '\\' => match escaped(&mut inside, quote)? {
                Escaped::Byte(byte) => bytes.push(byte),
                Escaped::Character(character) => encode(character),
            },
            plain => encode(plain),
        }
    }
    String::from_utf8(bytes).map_err(|_| "escapes that are not UTF-8".into())
}

/// What an escape stands for.
enum Escaped {
    /// Several may make up a character.
    Byte(u8),
    Character(char),
}

/// What stands after a backslash.
fn escaped(rest: &mut std::str::Chars<'_>, quote: Option<char>) -> Result<Escaped, String> {
    let first = rest.next().ok_or("an escape sequence is cut short")?;
    Ok(Escaped::Byte(match first {
        'a' => 0x07,
        'b' => 0x08,
        'f' => 0x0c,
        'n' => b'\n',
        'r' => b'\r',
        't' => b'\t',
        'v' => 0x0b,
        '\\' => b'\\',
        '\'' if quote == Some('\'') => b'\'',
        '"' if quote == Some('"') => b'"',
        'x' => byte(code(rest, 2, 16)?)?,
        '0'..='7' => byte(first.to_digit(8).unwrap_or_default() * 64 + code(rest, 2, 8)?)?,
        'u' | 'U' => {
            let number = code(rest, if first == 'u' { 4 } else { 8 }, 16)?;
            return char::from_u32(number)
                .map(Escaped::Character)
                .ok_or("an escape is no Unicode character".into());
        }
        other => {
            return Err(format!("unknown escape sequence `\\{other}`; write `\\\\{other}` for a backslash"));
        }
    }))
}

/// The number that the next digits are.
fn code(rest: &mut std::str::Chars<'_>, digits: usize, radix: u32) -> Result<u32, String> {
    let mut number = 0_u32;
    for _ in 0..digits {
        let digit =
            rest.next().and_then(|digit| digit.to_digit(radix)).ok_or("an escape sequence is cut short")?;
        number = number.wrapping_mul(radix).wrapping_add(digit);
    }
    Ok(number)
}

fn byte(number: u32) -> Result<u8, String> {
    u8::try_from(number).map_err(|_| "an octal escape is larger than a byte".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_prometheus_reads_them() {
        for (text, value) in [
            ("1", 1.0),
            (".5", 0.5),
            ("5.", 5.0),
            ("1e3", 1000.0),
            ("1E-3", 0.001),
            ("0x1F", 31.0),
            ("017", 15.0),
            ("08", 8.0),
            ("01e2", 100.0),
            ("1_000", 1000.0),
            ("5m", 300.0),
            ("1h30m", 5400.0),
            ("1w2d", 777_600.0),
            ("1y", 31_536_000.0),
            ("250ms", 0.25),
            ("0s", 0.0),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in [
            "",
            "1..2",
            "5x",
            "1m1h",
            "1s1s",
            "0x",
            "1e",
            "_1",
            "1__0",
            "5mm",
            "99999999999999999999y",
            "1.5h",
        ] {
            assert_eq!(number(text), None, "{text}");
        }
    }

    #[test]
    fn escapes_are_resolved_and_raw_text_is_left_alone() {
        for (literal, text) in [
            (r#""a\"b\n\\""#, "a\"b\n\\"),
            (r"'a\'b'", "a'b"),
            (r"`a\d'`", r"a\d'"),
            (r#""\x41\101\u00e9\U0001F600""#, "AAé😀"),
            (r#""\xc3\xa9""#, "é"),
        ] {
            assert_eq!(unquote(literal).as_deref(), Ok(text), "{literal}");
        }
        for literal in [r#""\d""#, r#""\'""#, r#""\x4""#, r#""\ud800""#, r#""\xff""#, r#""\777""#] {
            assert!(unquote(literal).is_err(), "{literal}");
        }
    }
}
