//! What names of exceptions look like, and where a header names one.

const SUFFIXES: [&str; 6] = ["Exception", "Error", "Throwable", "Failure", "Fault", "Warning"];

fn is_name(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '$' | '+' | '`' | '\\') || !c.is_ascii()
}

/// The name at the beginning of a text (may be empty), and what follows. `::` joins names, `:` ends them.
pub(crate) fn leading_name(text: &str) -> (&str, &str) {
    let plain = |from: usize| {
        text.get(from..).and_then(|rest| rest.find(|c: char| !is_name(c))).map(|end| from + end)
    };
    let mut end = plain(0).unwrap_or(text.len());
    while end > 0
        && text
            .get(end..)
            .and_then(|rest| rest.strip_prefix("::"))
            .is_some_and(|rest| rest.starts_with(is_name))
    {
        end = plain(end + 2).unwrap_or(text.len());
    }
    text.split_at_checked(end).unwrap_or((text, ""))
}

fn names_exception(name: &str) -> bool {
    let starts_well = name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '\\');
    starts_well && SUFFIXES.iter().any(|suffix| name.ends_with(suffix))
}

/// `com.acme.Timeout`: qualified, and the last part begins with a capital.
fn is_qualified(name: &str) -> bool {
    let mut parts = name.rsplit(['.', '\\']);
    let last = parts.next().unwrap_or_default();
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic());
    starts_well
        && last.starts_with(|c: char| c.is_ascii_uppercase())
        && parts.next().is_some_and(|part| !part.is_empty())
}

/// What may stand after the type in a header.
fn ends_type(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(':') || rest.starts_with(" [") || rest.starts_with("] {")
}

/// Where in a line an exception is named as in a header: `…: java.io.IOException: closed`, `TypeError [CODE]: …`.
/// The leftmost one, so that a message that names another one stays a message.
pub(crate) fn find_type(text: &str) -> Option<usize> {
    let mut offset = text.len() - text.trim_start().len();
    let (name, rest) = leading_name(text.get(offset..)?);
    if is_qualified(name) && ends_type(rest) {
        return Some(offset);
    }
    while let Some(rest) = text.get(offset..).filter(|rest| !rest.is_empty()) {
        let (name, after) = leading_name(rest);
        if names_exception(name) && ends_type(after) {
            return Some(offset);
        }
        // To the next word: past this name and one character that ends it.
        let ender = after.chars().next().map_or(0, char::len_utf8);
        offset += name.len() + ender;
    }
    None
}

/// Splits `Type: message`, `Type [CODE]: message`, `Type[message]`, `Type`; the whole is the message when there is no type.
pub(crate) fn split_header(text: &str) -> (Option<&str>, &str) {
    let (name, rest) = leading_name(text);
    if name.is_empty() || !name.starts_with(|c: char| c.is_alphabetic() || c == '_' || c == '\\') {
        return (None, text);
    }
    if rest.is_empty() {
        return (Some(name), "");
    }
    if let Some(message) = rest.strip_prefix(':') {
        return (Some(name), message.strip_prefix(' ').unwrap_or(message));
    }
    match rest.split_once("]: ") {
        Some((code, message)) if code.starts_with(" [") => (Some(name), message),
        _ if rest.starts_with('[') && names_exception(name) => (Some(name), rest),
        _ if rest.starts_with("] {") => (Some(name), ""),
        _ => (None, text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_header_names_the_type() {
        let cases = [
            ("java.io.IOException: closed", Some("java.io.IOException")),
            ("ERROR shop.Cart - failed java.io.IOException: closed", Some("java.io.IOException")),
            ("com.acme.PaymentError - order java.io.IOException: x", Some("java.io.IOException")),
            (
                "Exception in thread \"main\" com.acme.Checkout$PaymentException: x",
                Some("com.acme.Checkout$PaymentException"),
            ),
            ("failed: Error: checkout failed", Some("Error")),
            ("[AggregateError: All promises were rejected] {", Some("AggregateError")),
            ("TypeError [ERR_X]: y", Some("TypeError")),
            ("com.acme.Timeout: late", Some("com.acme.Timeout")),
            ("WARN: Shop::PaymentError: late", Some("Shop::PaymentError")),
            ("java.lang.RuntimeException: java.io.IOException: x", Some("java.lang.RuntimeException")),
            ("2026 ERROR handler failed", None),
            ("an Error happened", None),
            ("", None),
        ];
        for (text, expected) in cases {
            let found = find_type(text).and_then(|at| text.get(at..)).map(|rest| leading_name(rest).0);
            assert_eq!(found, expected, "{text}");
        }
    }

    #[test]
    fn a_header_is_type_and_message() {
        assert_eq!(split_header("E: m: n"), (Some("E"), "m: n"));
        assert_eq!(split_header("E"), (Some("E"), ""));
        assert_eq!(split_header("TypeError [C]: m"), (Some("TypeError"), "m"));
        assert_eq!(split_header("no type here"), (None, "no type here"));
        assert_eq!(split_header(""), (None, ""));
    }
}
