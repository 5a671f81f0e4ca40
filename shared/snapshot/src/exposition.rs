//! One line of the OpenMetrics text format.

/// A sample line, taken apart. Borrowed where nothing is escaped.
#[derive(Debug, PartialEq)]
pub(crate) struct Sample<'a> {
    /// Everything before the value: the identity of the series as written.
    pub(crate) series: &'a str,
    pub(crate) value: f64,
    /// Seconds since 1970.
    pub(crate) timestamp: Option<f64>,
}

/// Splits a sample line into series, value and timestamp; an exemplar after ` # ` is left aside.
pub(crate) fn sample(line: &str) -> Result<Sample<'_>, String> {
    let end = end_of_series(line)?;
    let (series, rest) = line.split_at(end);
    let rest = rest.split(" # ").next().unwrap_or_default();
    let mut words = rest.split(' ').filter(|word| !word.is_empty());
    let value = words.next().ok_or("has no value")?;
    let value = number(value).ok_or_else(|| format!("`{}` is not a number", head(value)))?;
    let timestamp = match words.next() {
        Some(word) => match number(word).filter(|seconds| seconds.is_finite()) {
            Some(seconds) => Some(seconds),
            None => return Err(format!("`{}` is not a timestamp in seconds", head(word))),
        },
        None => None,
    };
    match words.next() {
        Some(extra) => Err(format!("`{}` after the timestamp: one sample a line", head(extra))),
        None => Ok(Sample { series, value, timestamp }),
    }
}

/// Where the series ends: after `}` where there are labels, else at the first blank.
fn end_of_series(line: &str) -> Result<usize, String> {
    let bytes = line.as_bytes();
    let mut quoted = false;
    let mut escaped = false;
    let mut inside = false;
    for (place, byte) in bytes.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => inside = true,
            b'}' if !quoted => return Ok(place + 1),
            b' ' if !quoted && !inside => return Ok(place),
            _ => {}
        }
    }
    Err(if quoted || inside { "the labels are not closed".to_owned() } else { "has no value".to_owned() })
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        "NaN" => Some(f64::NAN),
        // Rust also reads `infinity`, `nan` and others that this format does not have.
        other if other.bytes().all(|b| b.is_ascii_digit() || b"+-.eE".contains(&b)) => other.parse().ok(),
        _ => None,
    }
}

/// Name and labels of a series as written, sorted by label name, `__name__` among them; duplicates refused.
pub(crate) fn labels(series: &str) -> Result<Vec<(String, String)>, String> {
    let (name, inside) = match series.split_once('{') {
        Some((name, rest)) => (name, rest.strip_suffix('}').ok_or("the labels are not closed")?),
        None => (series, ""),
    };
    let mut labels = Vec::new();
    if !name.is_empty() {
        if !is_plain_name(name) {
            return Err(format!(
                "`{}` does not name a metric; other names stand quoted in braces",
                head(name)
            ));
        }
        labels.push(("__name__".to_owned(), name.to_owned()));
    }
    let mut rest = inside.trim_start();
    while !rest.is_empty() {
        let (key, after) = key(rest)?;
        let after = after.trim_start();
        if let Some(after) = after.strip_prefix('=') {
            let (value, after) = quoted(after.trim_start())?;
            labels.push((key.0, value));
            rest = next(after)?;
        } else if key.1 && !labels.iter().any(|(name, _)| name == "__name__") {
            // `{"a name", label="value"}`: the metric's own name, quoted.
            labels.push(("__name__".to_owned(), key.0));
            rest = next(after)?;
        } else {
            return Err(format!("label `{}` has no value", head(&key.0)));
        }
    }
    if !labels.iter().any(|(name, _)| name == "__name__") {
        return Err("the series has no name".to_owned());
    }
    // A label without a value is no label.
    labels.retain(|(_, value)| !value.is_empty());
    labels.sort();
    match labels.windows(2).find(|pair| matches!(pair, [one, two] if one.0 == two.0)) {
        Some([twice, _]) => Err(format!("label `{}` is there twice", head(&twice.0))),
        _ => Ok(labels),
    }
}

fn is_plain_name(name: &str) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':')
}

/// A label's name and whether it was quoted.
type Key = (String, bool);

fn key(text: &str) -> Result<(Key, &str), String> {
    if text.starts_with('"') {
        let (name, rest) = quoted(text)?;
        return Ok(((name, true), rest));
    }
    let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    if name.is_empty() || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(format!("`{}` does not begin a label", head(text)));
    }
    Ok(((name.to_owned(), false), rest))
}

fn quoted(text: &str) -> Result<(String, &str), String> {
    let inner = text.strip_prefix('"').ok_or_else(|| format!("`{}` is not in double quotes", head(text)))?;
    let mut out = String::new();
    let mut characters = inner.char_indices();
    while let Some((place, character)) = characters.next() {
        match character {
            '"' => return Ok((out, inner.get(place + 1..).unwrap_or_default())),
            '\\' => match characters.next() {
                Some((_, 'n')) => out.push('\n'),
                Some((_, other @ ('\\' | '"'))) => out.push(other),
                Some((_, other)) => out.extend(['\\', other]),
                None => break,
            },
            other => out.push(other),
        }
    }
    Err("a quote is not closed".to_owned())
}

fn next(text: &str) -> Result<&str, String> {
    let text = text.trim_start();
    match text.strip_prefix(',') {
        Some(rest) => Ok(rest.trim_start()),
        None if text.is_empty() => Ok(text),
        None => Err(format!("`{}` where a comma or the end was expected", head(text))),
    }
}

/// The beginning of a text for an error, without control characters.
pub(crate) fn head(text: &str) -> String {
    text.chars().take(40).map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sample_lines_are_taken_apart() {
        let cases: [(&str, &str, f64, Option<f64>); 7] = [
            ("up 1 1768399200", "up", 1.0, Some(1_768_399_200.0)),
            ("up{a=\"b c\"} 1e3 1.5", "up{a=\"b c\"}", 1000.0, Some(1.5)),
            ("x{a=\"}\\\"\"} -Inf", "x{a=\"}\\\"\"}", f64::NEG_INFINITY, None),
            ("{\"a.b\",c=\"d\"} 2 3", "{\"a.b\",c=\"d\"}", 2.0, Some(3.0)),
            ("b{le=\"+Inf\"} 5 7 # {trace_id=\"t\"} 0.1 7", "b{le=\"+Inf\"}", 5.0, Some(7.0)),
            ("up  1", "up", 1.0, None),
            ("é_x{} 0 0", "é_x{}", 0.0, Some(0.0)),
        ];
        for (line, series, value, timestamp) in cases {
            assert_eq!(sample(line), Ok(Sample { series, value, timestamp }), "{line}");
        }
        assert!(sample("up NaN 1").unwrap().value.is_nan());
    }

    #[test]
    fn broken_lines_say_what_is_wrong() {
        for (line, problem) in [
            ("up", "has no value"),
            ("up{a=\"b\"", "the labels are not closed"),
            ("up{a=\"b 1", "the labels are not closed"),
            ("up one", "`one` is not a number"),
            ("up infinity", "`infinity` is not a number"),
            ("up 1 soon", "`soon` is not a timestamp in seconds"),
            ("up 1 NaN", "`NaN` is not a timestamp in seconds"),
            ("up 1 2 3", "`3` after the timestamp: one sample a line"),
        ] {
            assert_eq!(sample(line), Err(problem.to_owned()), "{line}");
        }
    }

    #[test]
    fn labels_are_sorted_and_unescaped() {
        let pairs = |series: &str| {
            labels(series).map(|all| all.into_iter().map(|(n, v)| format!("{n}={v}")).collect::<Vec<_>>())
        };
        assert_eq!(pairs("up").unwrap(), ["__name__=up"]);
        assert_eq!(pairs("m{z=\"1\",a=\"x\\\\y\\n\\\"\", }").unwrap(), ["__name__=m", "a=x\\y\n\"", "z=1"]);
        assert_eq!(pairs("m{empty=\"\",a=\"1\"}").unwrap(), ["__name__=m", "a=1"], "as Prometheus reads it");
        assert_eq!(pairs("{\"a.b\", \"c d\"=\"e\"}").unwrap(), ["__name__=a.b", "c d=e"]);
        for (series, problem) in [
            ("é{}", "`é` does not name a metric; other names stand quoted in braces"),
            ("m{a=\"1\",a=\"2\"}", "label `a` is there twice"),
            ("{a=\"1\"}", "the series has no name"),
            ("m{a}", "label `a` has no value"),
            ("m{a=1}", "`1` is not in double quotes"),
            ("m{1a=\"x\"}", "`1a=\"x\"` does not begin a label"),
            ("m{a=\"1\" b=\"2\"}", "`b=\"2\"` where a comma or the end was expected"),
        ] {
            assert_eq!(labels(series), Err(problem.to_owned()), "{series}");
        }
    }
}
