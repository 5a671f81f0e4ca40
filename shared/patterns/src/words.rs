//! Closed classes of words that decide whether something is a value.

use crate::Kind;

/// Whether `word` is one of `list`, whatever its case. Lists are in lower case.
fn among(word: &[u8], list: &[&str]) -> bool {
    list.iter().any(|one| one.len() == word.len() && one.as_bytes().eq_ignore_ascii_case(word))
}

pub(crate) const MONTHS: [&str; 23] = [
    "jan",
    "feb",
    "mar",
    "apr",
    "may",
    "jun",
    "jul",
    "aug",
    "sep",
    "oct",
    "nov",
    "dec",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
pub(crate) const DAYS: [&str; 14] = [
    "mon",
    "tue",
    "wed",
    "thu",
    "fri",
    "sat",
    "sun",
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];
/// What may follow a time.
pub(crate) const AFTER_TIME: [&str; 10] =
    ["am", "pm", "utc", "gmt", "est", "edt", "pst", "pdt", "cet", "cest"];
pub(crate) const DURATIONS: [&str; 26] = [
    "ns",
    "us",
    "µs",
    "μs",
    "ms",
    "s",
    "m",
    "h",
    "d",
    "sec",
    "secs",
    "second",
    "seconds",
    "msec",
    "millis",
    "millisecond",
    "milliseconds",
    "microseconds",
    "min",
    "mins",
    "minute",
    "minutes",
    "hour",
    "hours",
    "day",
    "days",
];
pub(crate) const QUANTITIES: [&str; 25] = [
    "b", "byte", "bytes", "k", "kb", "mb", "gb", "tb", "pb", "kib", "mib", "gib", "tib", "g", "t", "%",
    "percent", "hz", "khz", "mhz", "ghz", "kbps", "mbps", "gbps", "rpm",
];
/// Units of one letter that stand close to their number only.
const CLOSE_ONLY: [&str; 7] = ["s", "m", "h", "d", "k", "g", "t"];
/// Values that are words.
pub(crate) const VALUES: [&str; 6] = ["true", "false", "null", "nil", "none", "undefined"];
pub(crate) const VERBS: [&str; 9] =
    ["get", "post", "put", "delete", "head", "patch", "options", "connect", "trace"];
/// Words with a digit that name a thing and not a value.
const NAMES: [&str; 14] = [
    "ssh2", "ipv4", "ipv6", "sha1", "sha256", "sha512", "md5", "base64", "utf-8", "utf8", "http2", "oauth2",
    "k8s", "x86_64",
];
/// Keys whose value says what happened, in JSON and before `=`.
const TELLING: [&str; 41] = [
    "msg",
    "message",
    "err",
    "error",
    "level",
    "lvl",
    "severity",
    "levelname",
    "logger",
    "event",
    "reason",
    "status",
    "state",
    "type",
    "kind",
    "component",
    "module",
    "exception",
    "cause",
    "method",
    "action",
    "operation",
    "op",
    "verb",
    "result",
    "outcome",
    "description",
    "desc",
    "log",
    "text",
    "body",
    "condition",
    "code",
    "phase",
    "probe",
    "caller",
    "proberesult",
    "probetype",
    "info",
    "log.level",
    "error.message",
];
/// Levels, verbs and outcomes: templates that differ in one of these are not merged.
const KEPT_APART: [&str; 58] = [
    "trace",
    "debug",
    "info",
    "notice",
    "warn",
    "warning",
    "error",
    "err",
    "crit",
    "critical",
    "alert",
    "emerg",
    "fatal",
    "panic",
    "severe",
    "get",
    "post",
    "put",
    "delete",
    "head",
    "patch",
    "options",
    "ok",
    "success",
    "successful",
    "succeeded",
    "successfully",
    "failed",
    "failure",
    "fail",
    "accepted",
    "rejected",
    "denied",
    "allowed",
    "started",
    "starting",
    "stopped",
    "stopping",
    "opened",
    "closed",
    "open",
    "close",
    "up",
    "down",
    "enabled",
    "disabled",
    "connected",
    "disconnected",
    "timeout",
    "paused",
    "resumed",
    "created",
    "deleted",
    "added",
    "removed",
    "lost",
    "true",
    "false",
];
/// Last labels of names that are hosts. Country codes only where they are no suffix of a program file.
const TOP_LEVEL: [&str; 47] = [
    "com",
    "net",
    "org",
    "edu",
    "gov",
    "mil",
    "info",
    "biz",
    "io",
    "dev",
    "cloud",
    "app",
    "local",
    "internal",
    "localdomain",
    "lan",
    "svc",
    "home",
    "arpa",
    "de",
    "fr",
    "uk",
    "it",
    "nl",
    "jp",
    "cn",
    "tw",
    "kr",
    "br",
    "ru",
    "ua",
    "au",
    "ca",
    "ch",
    "at",
    "se",
    "fi",
    "es",
    "pt",
    "il",
    "mx",
    "hu",
    "gr",
    "be",
    "dk",
    "hk",
    "eu",
];
/// First labels of names that are packages, although they end like hosts.
const PACKAGES: [&str; 8] = ["com", "org", "net", "java", "javax", "io", "sun", "android"];
/// Suffixes of program files, whose line number is the value and whose name is not.
const SOURCES: [&str; 19] = [
    "go", "java", "py", "rs", "c", "cc", "cpp", "h", "hpp", "js", "ts", "rb", "php", "cs", "kt", "scala",
    "swift", "pl", "lua",
];

pub(crate) fn is_month(word: &[u8]) -> bool {
    among(word, &MONTHS)
}

pub(crate) fn is_day(word: &[u8]) -> bool {
    among(word, &DAYS)
}

pub(crate) fn is_after_time(word: &[u8]) -> bool {
    among(word, &AFTER_TIME)
}

pub(crate) fn is_value(word: &[u8]) -> bool {
    among(word, &VALUES)
}

pub(crate) fn is_verb(word: &[u8]) -> bool {
    VERBS.iter().any(|verb| {
        verb.len() == word.len() && verb.bytes().zip(word).all(|(a, b)| a.to_ascii_uppercase() == *b)
    })
}

pub(crate) fn is_name(word: &[u8]) -> bool {
    word.len() <= 6 && among(word, &NAMES)
}

pub(crate) fn is_telling(key: &[u8]) -> bool {
    among(key, &TELLING)
}

pub(crate) fn is_kept_apart(word: &[u8]) -> bool {
    among(word, &KEPT_APART)
}

/// The kind of quantity that `word` is the unit of, attached to its number.
pub(crate) fn unit(word: &[u8]) -> Option<Kind> {
    if among(word, &DURATIONS) {
        return Some(Kind::Duration);
    }
    among(word, &QUANTITIES).then_some(Kind::Quantity)
}

/// The same for a word that follows its number after a space.
pub(crate) fn distant_unit(word: &[u8]) -> Option<Kind> {
    if among(word, &CLOSE_ONLY) { None } else { unit(word) }
}

/// Whether `name` (no digits) is that of a host: at least two labels, the last of which ends such names.
pub(crate) fn is_host(name: &[u8]) -> bool {
    let mut labels = name.split(|byte| *byte == b'.');
    let first = labels.next().unwrap_or_default();
    let Some(last) = labels.next_back() else { return false };
    let clean = |label: &[u8]| {
        !label.is_empty() && label.iter().all(|byte| byte.is_ascii_lowercase() || *byte == b'-')
    };
    among(last, &TOP_LEVEL) && clean(first) && labels.all(clean) && !among(first, &PACKAGES)
}

/// Whether `name` is that of a program file.
pub(crate) fn is_source_file(name: &[u8]) -> bool {
    let dot = name.iter().rposition(|byte| *byte == b'.');
    dot.is_some_and(|dot| dot > 0 && among(name.get(dot + 1..).unwrap_or_default(), &SOURCES))
}
