//! E-mail addresses, told from the many other things that are written with an `@`.

use super::{Candidate, Class, Kind, Needs, Verdict};

pub(super) const ROWS: &[Class] = &[Class {
    // Letters beyond ASCII are those of Latin, Greek and Cyrillic: a range, not a Unicode class.
    name: "email",
    kind: Kind::Personal,
    needs: Needs::OneOf(&["@", "%40"]),
    pattern: r"(?x) [A-Za-z0-9._%+\x{c0}-\x{52f}-]+ (?: @ | %40 )
        (?: [A-Za-z0-9\x{c0}-\x{52f}-]+ \. )+ (?: xn--[A-Za-z0-9-]+ | [A-Za-z\x{c0}-\x{52f}]{2,24} )",
    judge: Some(judge),
}];

/// Endings that look like a top-level domain and are none: units, files, names inside a cluster.
const NOT_DOMAINS: &[&str] = &[
    "service",
    "socket",
    "timer",
    "mount",
    "automount",
    "slice",
    "scope",
    "target",
    "device",
    "swap",
    "path",
    "js",
    "mjs",
    "cjs",
    "ts",
    "jsx",
    "tsx",
    "css",
    "html",
    "json",
    "yaml",
    "yml",
    "xml",
    "toml",
    "log",
    "conf",
    "txt",
    "png",
    "jpg",
    "jpeg",
    "svg",
    "gif",
    "webp",
    "jar",
    "gz",
    "tgz",
    "whl",
    "svc",
    "internal",
    "localdomain",
];

fn judge(candidate: &Candidate<'_>) -> Verdict {
    let value = candidate.value;
    let (local, domain) = value.split_once('@').or_else(|| value.split_once("%40")).unwrap_or((value, ""));
    let domain = domain.to_ascii_lowercase();
    let ending = domain.rsplit('.').next().unwrap_or_default();
    // `git@host:repository` is an address of a repository, `rabbit@rabbitmq-0.…svc.cluster.local` of a process
    let is_remote = local.eq_ignore_ascii_case("git") && candidate.after.starts_with(':');
    let is_in_cluster = domain.ends_with(".cluster.local");
    if is_remote || is_in_cluster || NOT_DOMAINS.contains(&ending) || is_version(&domain) {
        return Verdict::Not(value.len());
    }
    Verdict::Secret(value.len())
}

/// `module@v1.2.3-beta.rc`, but not `someone@163.com`.
fn is_version(domain: &str) -> bool {
    let starts_with_digit = |label: &str| label.starts_with(|c: char| c.is_ascii_digit());
    let mut labels = domain.strip_prefix('v').unwrap_or(domain).split('.');
    labels.next().is_some_and(starts_with_digit) && labels.next().is_some_and(starts_with_digit)
}
