//! `password=…`, `token: …`, `"secret": "…"`: a secret only because of the key beside it. Messages use the same words
//! (`invalid token: signature is invalid`), so that most of this decides what is not a secret.

use super::{Candidate, Class, Kind, Needs, Verdict, looks_random};
use crate::token::token_around;

/// After the key: quoted within a quoted text, double-quoted, single-quoted, bare. Quotes may be missing at the end,
/// where a text was cut off.
pub(super) const ROWS: &[Class] = &[Class {
    name: "secret",
    kind: Kind::Credential,
    needs: Needs::OneOf(&[
        "passw",
        "passphrase",
        "pwd",
        "token",
        "secret",
        "apikey",
        "api_key",
        "api-key",
        "accesskey",
        "access_key",
        "access-key",
        "accountkey",
        "account_key",
        "account-key",
        "privatekey",
        "private_key",
        "private-key",
        "signingkey",
        "signing_key",
        "signing-key",
        "encryptionkey",
        "encryption_key",
        "encryption-key",
        "masterkey",
        "master_key",
        "master-key",
    ]),
    pattern: r#"(?x) (?i-u: pass(?:word|wd|phrase) | pwd | token | secret | api[_-]?key
            | (?:access|account|secret|private|signing|encryption|master)[_-]?key )
        [\]"'\\]{0,6} [\x20\t]{0,4} (?: => | := | [:=] ) [\x20\t]{0,4}
        (?: \[? \\+ "  ( (?: [^"\\\n] | \\\\ (?: \\. | [^\\\n] ) )+ )
          | \[? \\+ '  ( [^'\\\n]+ )
          | \[? "      ( (?: [^"\\\n] | \\. )+ )
          | \[? '      ( (?: [^'\\\n] | \\. )+ )
          |            ( <? (?: [^\s"'`,;&<\\] | \\ [^\s"'] )+ ) )"#,
    judge: Some(judge),
}];

/// Values that say something about a secret instead of being one; in lower case.
const WORDS_ABOUT_SECRETS: &[&str] = &[
    "true",
    "false",
    "null",
    "nil",
    "none",
    "undefined",
    "unset",
    "empty",
    "missing",
    "invalid",
    "expired",
    "required",
    "incorrect",
    "wrong",
    "rejected",
    "revoked",
    "unknown",
    "omitted",
    "hidden",
    "masked",
    "redacted",
    "filtered",
    "removed",
    "protected",
    "string",
    "yes",
    "no",
    "ok",
    "eof",
    "bearer",
    "basic",
    "negotiate",
    "digest",
    "error",
    "failed",
];

/// How far back a URL is looked for.
const LONGEST_USER: usize = 64;

/// What usually ends a bare value, but may stand within a password.
const CONTINUING: [char; 6] = [',', '&', '<', '"', '\'', '`'];

fn judge(candidate: &Candidate<'_>) -> Verdict {
    let is_quoted = candidate.lead.ends_with(['"', '\'']);
    let length = if is_quoted { candidate.value.len() } else { bare_length(candidate) };
    let value = candidate.value.get(..length).unwrap_or(candidate.value);
    let is_about_another_thing = is_directory(candidate.lead, value)
        || is_resource_name(candidate)
        || is_user_of_url(candidate)
        || is_file(candidate.lead, value)
        || is_kubernetes_secret(candidate, value)
        || is_pagination(candidate)
        || is_of_a_parser(candidate)
        || is_masked(value);
    if is_placeholder(value) || is_about_another_thing {
        return Verdict::Not(candidate.value.len());
    }
    if !is_quoted && candidate.lead.trim_end().ends_with(':') && is_message(candidate, value) {
        return Verdict::Not(candidate.value.len());
    }
    Verdict::Secret(length)
}

/// How much of a bare value, and of what follows it, is the secret.
fn bare_length(candidate: &Candidate<'_>) -> usize {
    let value = candidate.value;
    if !is_password_key(candidate.lead) {
        // the alphabets of tokens and keys have no brackets: `[badge](https://host/x?token=a)](https://host)`
        let bracket = value.find(['(', ')', '[', ']', '{', '}']);
        return bracket.filter(|&end| end > 0).unwrap_or(value.len());
    }
    let continued = continued_length(candidate.after);
    if continued > 0 {
        return value.len() + continued;
    }
    // `Login(user=a, password=b)`, `{user:a password:b}`
    let mut kept = value;
    for (open, close) in [('(', ')'), ('{', '}'), ('[', ']')] {
        if !kept.contains(open) {
            kept = kept.trim_end_matches(close);
        }
    }
    kept.len()
}

/// A password may hold what usually ends a value: it goes on after `,` and `&` unless another pair begins, after `<`
/// unless a token of ours does, and after a quote within a word.
fn continued_length(after: &str) -> usize {
    let mut length = 0;
    while let Some(tail) = after.get(length..).filter(|tail| tail.starts_with(CONTINUING)) {
        let rest = tail.get(1..).unwrap_or_default();
        let ends = |c: char| c.is_whitespace() || c == ';' || c == '\\' || CONTINUING.contains(&c);
        let piece = rest.get(..rest.find(ends).unwrap_or(rest.len())).unwrap_or_default();
        let goes_on = match tail.chars().next() {
            Some('<') => token_around(after, length).is_none(),
            Some(',' | '&') => !piece.is_empty() && !starts_a_pair(piece),
            _ => piece.starts_with(char::is_alphanumeric) && !starts_a_pair(piece),
        };
        if !goes_on {
            break;
        }
        length += 1 + piece.len();
    }
    length
}

/// `key=` or `key:` at the start of a text, or of the next record in it.
fn starts_a_pair(text: &str) -> bool {
    let text = text.trim_start_matches(['{', '[', '(']);
    let key = text.find(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '_' | '-' | '.'));
    key.is_some_and(|end| end > 0 && text.get(end..).is_some_and(|rest| rest.starts_with(['=', ':'])))
}

/// Stands for a secret without being one: words, stars, `${NAME}`, `{{ value }}`, `%s`, `[FILTERED]`, `<token>`.
pub(crate) fn is_placeholder(value: &str) -> bool {
    let inner = value.trim_matches(|c: char| "[]<>(){}*$".contains(c));
    let is_word = WORDS_ABOUT_SECRETS.contains(&inner.to_ascii_lowercase().as_str());
    let is_crossed_out = !inner.contains(|c: char| c.is_alphanumeric() && c != 'x' && c != 'X');
    let is_name = inner.starts_with(|c: char| c.is_ascii_uppercase() || c == '_')
        && inner.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_');
    let is_variable = (value.starts_with('$') && is_name)
        || ["${", "$(", "{{"].iter().any(|opening| value.starts_with(opening))
        || (value.starts_with('<')
            && value.ends_with('>')
            && !value.contains(' ')
            && !inner.contains(['<', '>', ':']));
    let is_format = value.len() == 2 && value.starts_with('%');
    is_word || is_crossed_out || is_variable || is_format
}

/// `PWD=/home/app` is where a process runs.
fn is_directory(lead: &str, value: &str) -> bool {
    let is_pwd = lead.get(..3).is_some_and(|key| key.eq_ignore_ascii_case("pwd"));
    let after_drive = value.get(1..).unwrap_or_default();
    is_pwd
        && (value.starts_with(['/', '~']) || after_drive.starts_with(":\\") || after_drive.starts_with(":/"))
}

/// `private_key: /etc/tls/tls.key`: where a key is, not what it is.
fn is_file(lead: &str, value: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "/._-".contains(c);
    !is_password_key(lead) && value.starts_with(['/', '.', '~']) && value.chars().all(is_plain)
}

/// `kube_secret_info{secret="db-credentials"}`, `secret=shop/tls-1`: the name of a Secret of Kubernetes, which is what
/// a lone `secret` most often means there. Words joined by `-` or `/`.
fn is_kubernetes_secret(candidate: &Candidate<'_>, value: &str) -> bool {
    let is_lone = !candidate.before.ends_with(|c: char| c.is_ascii_alphanumeric() || "_-.[".contains(c));
    let key = candidate.lead.get(..6).unwrap_or_default();
    let is_word = |part: &str| {
        let letters = part.trim_end_matches(|c: char| c.is_ascii_digit());
        part.len() - letters.len() <= 4 && letters.chars().all(|c| c.is_ascii_lowercase())
    };
    is_lone && key == "secret" && value.contains(['-', '/']) && value.split(['-', '/', '.']).all(is_word)
}

/// `unexpected token: 'end of input'`.
fn is_of_a_parser(candidate: &Candidate<'_>) -> bool {
    let before = candidate.before.trim_end();
    candidate.lead.trim_end_matches(['"', '\'', ' ']).ends_with(':') && before.ends_with("nexpected")
}

/// Nothing is left but our token and the end of its line.
fn is_masked(value: &str) -> bool {
    let value = value.trim_end_matches("\\n").trim_end();
    token_around(value, 0) == Some(0..value.len())
}

/// The token that continues a list is no key to anything.
fn is_pagination(candidate: &Candidate<'_>) -> bool {
    let from = candidate.before.ceil_char_boundary(candidate.before.len().saturating_sub(16));
    let before = candidate.before.get(from..).unwrap_or_default().to_ascii_lowercase();
    let before = before.trim_end_matches(['_', '-', ' ']);
    let is_token = candidate.lead.get(..5).is_some_and(|key| key.eq_ignore_ascii_case("token"));
    is_token
        && ["page", "next", "continue", "continuation", "sync", "resume"].iter().any(|w| before.ends_with(w))
}

/// `arn:aws:secretsmanager:eu-west-1:1:secret:name` names a secret.
fn is_resource_name(candidate: &Candidate<'_>) -> bool {
    candidate.before.ends_with(':') && candidate.lead.ends_with(':')
}

/// `https://x-access-token:…@host`: what follows is the business of the class of URLs.
fn is_user_of_url(candidate: &Candidate<'_>) -> bool {
    let from = candidate.before.ceil_char_boundary(candidate.before.len().saturating_sub(LONGEST_USER));
    let tail = candidate.before.get(from..).unwrap_or_default();
    let is_in_user = |user: &str| !user.contains(|c: char| c.is_whitespace() || "/?#@:\"'".contains(c));
    candidate.lead.ends_with(':') && tail.rsplit_once("://").is_some_and(|(_, user)| is_in_user(user))
}

/// After `key:` without quotes a message goes on as often as a value follows.
fn is_message(candidate: &Candidate<'_>, value: &str) -> bool {
    let is_error_chain = value.ends_with(':') || value.contains("://");
    let is_status = value.len() <= 3 && value.chars().all(|c| c.is_ascii_digit());
    if is_error_chain {
        return true;
    }
    if !is_password_key(candidate.lead) {
        return is_status || !looks_random(value);
    }
    is_word_of_a_sentence(value, candidate.after)
}

/// Whether a word is followed by another word that is not itself a key.
fn is_word_of_a_sentence(value: &str, after: &str) -> bool {
    let next = after.trim_start_matches([' ', '\t']);
    let has_blank = next.len() < after.len();
    let is_word = value.chars().all(char::is_alphabetic);
    is_word && has_blank && next.starts_with(|c: char| c.is_alphabetic() || c == '"') && !starts_a_pair(next)
}

fn is_password_key(lead: &str) -> bool {
    ["pass", "pwd"]
        .iter()
        .any(|key| lead.get(..key.len()).is_some_and(|start| start.eq_ignore_ascii_case(key)))
}
