//! The trace id that a line of text names.

/// How libraries name it: `trace_id=…` of OpenTelemetry's loggers, `traceId: …`, `"trace.id":"…"`.
const KEYS: [&str; 4] = ["trace_id", "traceid", "trace.id", "trace-id"];

/// A trace id of 16 or 32 hexadecimal digits, not all zero, that follows one of its usual names.
pub(crate) fn of_message(message: &str) -> Option<&str> {
    let line = message.lines().next().unwrap_or_default();
    let lower = line.to_ascii_lowercase();
    KEYS.iter().find_map(|key| lower.match_indices(key).find_map(|(at, _)| id_at(line, at + key.len())))
}

fn id_at(line: &str, at: usize) -> Option<&str> {
    let rest = line.get(at..)?.trim_start_matches('"');
    let value = rest.strip_prefix(['=', ':'])?.trim_start_matches([' ', '"', '\'']);
    let end = value.bytes().take_while(u8::is_ascii_hexdigit).count();
    let id = value.get(..end)?;
    let is_id = matches!(id.len(), 16 | 32) && id.bytes().any(|byte| byte != b'0');
    let ends = value.as_bytes().get(end).is_none_or(|byte| !byte.is_ascii_alphanumeric());
    (is_id && ends).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_id_is_found_by_its_name_and_form() {
        const ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
        for line in [
            format!("2026-01-14 14:02:03,123 INFO root [trace_id={ID}] x"),
            format!("level=info traceID={ID} msg=x"),
            format!("{{\"trace.id\":\"{ID}\"}}"),
            format!("traceId: {ID}"),
        ] {
            assert_eq!(of_message(&line), Some(ID), "{line}");
        }
        for line in
            ["trace_id=0", "trace_id=00000000000000000000000000000000", "trace_id=4bf9", "no trace", ""]
        {
            assert_eq!(of_message(line), None, "{line}");
        }
    }
}
