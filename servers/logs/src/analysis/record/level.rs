//! How bad a record is: of the field that says so, by its convention of numbers, else of the message's own words.

use crate::model::Level;

/// Characters of a message in which its level is looked for: it stands near the beginning.
const NEAR: usize = 160;

/// What a field of this name says.
pub(crate) fn of_field(name: &str, value: &str) -> Option<Level> {
    let last = name.rsplit('.').next().unwrap_or(name).to_ascii_lowercase();
    let Ok(number) = value.trim().parse::<u64>() else { return Level::parse(value) };
    match last.as_str() {
        "severity_number" | "severitynumber" => Level::severity_number(number),
        // syslog and journald count down
        "code" | "syslog_severity" | "priority" => match number {
            0..=2 => Some(Level::Fatal),
            3 => Some(Level::Error),
            4 => Some(Level::Warn),
            5 | 6 => Some(Level::Info),
            7 => Some(Level::Debug),
            _ => None,
        },
        // Application Insights
        "severitylevel" => match number {
            0 => Some(Level::Trace),
            1 => Some(Level::Info),
            2 => Some(Level::Warn),
            3 => Some(Level::Error),
            4 => Some(Level::Fatal),
            _ => None,
        },
        _ => Level::parse(value),
    }
}

/// What a message's own words say: `level=error`, `[ERROR]`, `E0114 …` of klog, `ERROR` standing alone as log4j, Python
/// and Postgres write it, `1:M … #` of Redis. Only near the beginning, and never a word of a sentence such as `no error`.
pub(crate) fn of_message(message: &str) -> Option<Level> {
    let line = message.lines().next().unwrap_or_default();
    let near = line.char_indices().nth(NEAR).map_or(line, |(end, _)| line.get(..end).unwrap_or(line));
    klog(near)
        .or_else(|| pair(near))
        .or_else(|| redis(near))
        .or_else(|| alone(near))
        .or_else(|| beginning(near))
}

/// `E0114 14:02:03.123`.
fn klog(line: &str) -> Option<Level> {
    match line.as_bytes() {
        [letter @ (b'I' | b'W' | b'E' | b'F'), digits @ ..]
            if digits.get(..4).is_some_and(|digits| digits.iter().all(u8::is_ascii_digit))
                && digits.get(4) == Some(&b' ')
                && digits.get(7) == Some(&b':') =>
        {
            Level::parse(char::from(*letter).to_string().as_str())
        }
        _ => None,
    }
}

/// `level=error`, `lvl="warn"`, `severity: ERROR`, `"level":"error"`.
fn pair(line: &str) -> Option<Level> {
    const KEYS: [&str; 4] = ["level", "lvl", "severity", "loglevel"];
    let lower = line.to_ascii_lowercase();
    KEYS.iter().find_map(|key| {
        lower.match_indices(key).find_map(|(at, _)| {
            let before = lower.get(..at)?.bytes().next_back();
            let rest = lower.get(at + key.len()..)?.trim_start_matches('"');
            let value = rest.strip_prefix('=').or_else(|| rest.strip_prefix(':'))?;
            let word: String = value
                .trim_start_matches([' ', '"', '\''])
                .chars()
                .take_while(char::is_ascii_alphanumeric)
                .collect();
            before.is_none_or(|byte| !byte.is_ascii_alphanumeric()).then(|| Level::parse(&word))?
        })
    })
}

/// `1:M 14 Jan 2026 14:02:03.123 # message`.
fn redis(line: &str) -> Option<Level> {
    let (process, rest) = line.split_once(':')?;
    let is_redis = process.bytes().all(|byte| byte.is_ascii_digit()) && !process.is_empty();
    let mut words = rest.split(' ');
    let role = words.next().filter(|role| is_redis && matches!(*role, "M" | "S" | "C" | "X"))?;
    let mark = words.nth(4).filter(|_| !role.is_empty())?;
    match mark {
        "." => Some(Level::Debug),
        "-" | "*" => Some(Level::Info),
        "#" => Some(Level::Warn),
        _ => None,
    }
}

/// A level's name in capitals, or in brackets in any case, among the words before the message proper: after the time,
/// thread and logger. Words of lower or mixed case without brackets are words of a sentence.
fn alone(line: &str) -> Option<Level> {
    line.split([' ', '\t', '|']).filter(|word| !word.is_empty()).take(9).find_map(|token| {
        let is_bracketed = token.starts_with(['[', '<', '(']);
        let word = token.trim_matches(|c: char| !c.is_ascii_alphanumeric());
        let capitals = word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        let names_level = word.len() >= 3 && word.bytes().all(|byte| byte.is_ascii_alphabetic());
        // nginx and Apache: `[error]`, `[core:error]`
        let own = word.rsplit(':').next().unwrap_or(word);
        match (capitals && names_level, is_bracketed) {
            (true, _) => Level::parse(word),
            (false, true) if own.len() >= 3 && own.bytes().all(|byte| byte.is_ascii_alphabetic()) => {
                Level::parse(own)
            }
            _ => None,
        }
    })
}

/// What a line begins with: `fail: ` of .NET's console, and what ends a program without a level: `panic: …` of Go,
/// `Traceback …` of Python, `Exception in thread …` of Java.
fn beginning(line: &str) -> Option<Level> {
    const DOTNET: [(&str, Level); 6] = [
        ("trce: ", Level::Trace),
        ("dbug: ", Level::Debug),
        ("info: ", Level::Info),
        ("warn: ", Level::Warn),
        ("fail: ", Level::Error),
        ("crit: ", Level::Fatal),
    ];
    if let Some((_, level)) = DOTNET.iter().find(|(word, _)| line.starts_with(word)) {
        return Some(*level);
    }
    const FATAL: [&str; 3] = ["panic: ", "fatal error: ", "thread '"];
    const ERROR: [&str; 4] =
        ["Traceback (most recent call last)", "Exception in thread", "Unhandled exception", "Uncaught "];
    let begins = |words: &[&str]| words.iter().any(|word| line.starts_with(word));
    match (begins(&FATAL), begins(&ERROR)) {
        (true, _) if !line.starts_with("thread '") || line.contains("panicked at") => Some(Level::Fatal),
        (_, true) => Some(Level::Error),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fields_number_is_read_by_its_convention() {
        for (name, value, level) in [
            ("severity_number", "17", Some(Level::Error)),
            ("SeverityNumber", "9", Some(Level::Info)),
            ("severity_number", "10", Some(Level::Info)),
            ("level", "10", Some(Level::Trace)),
            ("level", "50", Some(Level::Error)),
            ("PRIORITY", "3", Some(Level::Error)),
            ("PRIORITY", "7", Some(Level::Debug)),
            ("log.syslog.severity.code", "4", Some(Level::Warn)),
            ("SeverityLevel", "3", Some(Level::Error)),
            ("log.level", "Warning", Some(Level::Warn)),
            ("stream", "stderr", None),
        ] {
            assert_eq!(of_field(name, value), level, "{name}={value}");
        }
    }

    #[test]
    fn a_message_says_its_level_in_its_own_words() {
        for (message, level) in [
            // documented formats of logfmt, klog, log4j/Logback, Python, Postgres, nginx, Apache, Redis, .NET, Rust
            ("time=2026-01-14T14:02:03Z level=error msg=\"no error here\"", Some(Level::Error)),
            ("ts=1 lvl=WARN msg=x", Some(Level::Warn)),
            ("{\"level\":\"error\",\"msg\":\"x\"}", Some(Level::Error)),
            ("E0114 14:02:03.123456   1 server.go:12] failed", Some(Level::Error)),
            ("I0114 14:02:03.123456   1 server.go:12] ERROR in text", Some(Level::Info)),
            ("2026-01-14 14:02:03,123 ERROR [http-nio-8080-exec-1] c.e.Foo - boom", Some(Level::Error)),
            ("2026-01-14 14:02:03.123  WARN 1 --- [main] c.e.Foo : boom", Some(Level::Warn)),
            ("2026-01-14 14:02:03,123 CRITICAL root down", Some(Level::Fatal)),
            (
                "2026-01-14 14:02:03.123 UTC [231] shop@shop FATAL:  sorry, too many clients already",
                Some(Level::Fatal),
            ),
            ("2026-01-14 14:02:03.123 UTC [231] shop@shop LOG:  duration: 3 ms", Some(Level::Info)),
            ("2026/01/14 14:02:03 [error] 31#31: *1 connect() failed", Some(Level::Error)),
            ("[Wed Jan 14 14:02:03.1 2026] [core:error] [pid 1] x", Some(Level::Error)),
            ("1:M 14 Jan 2026 14:02:03.123 # Out of memory", Some(Level::Warn)),
            ("1:M 14 Jan 2026 14:02:03.123 * Ready", Some(Level::Info)),
            ("2026-01-14T14:02:03Z  INFO tower_http: started", Some(Level::Info)),
            ("fail: Microsoft.Hosting.Lifetime[0]", Some(Level::Error)),
            ("panic: runtime error: index out of range", Some(Level::Fatal)),
            ("thread 'main' panicked at src/main.rs:1:1:", Some(Level::Fatal)),
            ("Traceback (most recent call last):", Some(Level::Error)),
            // a word of a sentence is no level
            ("no error was found", None),
            ("Error handling is enabled", None),
            ("error rate is 0", None),
            ("GET /errors 200", None),
            ("thread 'main' started", None),
            ("the noise level: high", None),
            ("", None),
        ] {
            assert_eq!(of_message(message), level, "{message}");
        }
    }
}
