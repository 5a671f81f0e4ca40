//! What the name of a field says about its value, where a decoder knows the name: a label, a header, an attribute, a key
//! of a document.

/// What a value is, judged by the name of its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Field {
    /// A secret as a whole, whatever it looks like.
    Secret,
    /// A cookie header.
    Cookie,
    /// An id or a number of its own kind: digits in it are no card and no account.
    Id,
    /// Anything.
    Ordinary,
}

/// Names, and ends of names, of secrets. Words are joined: `api_key`, `apiKey` and `API-Key` are `apikey`.
const SECRETS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "pwd",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "signingkey",
    "encryptionkey",
    "masterkey",
    "accountkey",
    "sharedkey",
    "authorization",
    "credential",
    "credentials",
    "jsessionid",
    "phpsessid",
    "connectionstring",
    "authkey",
];

/// What makes a `token` one that continues a list.
const PAGES: &[&str] =
    &["page", "next", "continue", "continuation", "sync", "resume", "cursor", "pagination"];

/// Last words of names of ids, objects and measures.
const IDS: &[&str] = &[
    "id",
    "ids",
    "uid",
    "uuid",
    "pod",
    "node",
    "container",
    "deployment",
    "replicaset",
    "namespace",
    "instance",
    "image",
    "sha",
    "commit",
    "revision",
    "digest",
    "hash",
    "fingerprint",
    "checksum",
    "traceparent",
    "le",
    "version",
    "timestamp",
    "offset",
    "bytes",
    "seconds",
    "count",
    "total",
];

/// What `name` says.
pub(crate) fn field(words: &[String]) -> Field {
    let (Some(last), joined) = (words.last(), words.concat()) else { return Field::Ordinary };
    if last == "cookie" || last == "setcookie" || last == "cookies" {
        return Field::Cookie;
    }
    let before_last = words.len().checked_sub(2).and_then(|at| words.get(at));
    let is_page = before_last.is_some_and(|word| PAGES.contains(&word.as_str()));
    // short words only as words of their own: `compwd` is no `pwd`
    let is_secret = SECRETS.iter().any(|secret| match secret.len() {
        0..=3 => last == secret,
        _ => joined.ends_with(secret),
    });
    if is_secret && !is_page {
        return Field::Secret;
    }
    if IDS.contains(&last.as_str()) || joined.ends_with("traceid") || joined.ends_with("spanid") {
        return Field::Id;
    }
    Field::Ordinary
}

/// The words of a name in lower case: `X-Api-Key`, `dbPassword`, `spring.datasource.password`, `HTTPToken`.
pub(crate) fn words_of(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut after_lower = false;
    for c in name.chars() {
        let starts_a_word = !c.is_alphanumeric() || (c.is_uppercase() && after_lower);
        if starts_a_word {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        after_lower = c.is_lowercase() || c.is_numeric();
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_their_words() {
        for (name, expected) in [
            ("password", Field::Secret),
            ("DB_PASSWORD", Field::Secret),
            ("dbPassword", Field::Secret),
            ("spring.datasource.password", Field::Secret),
            ("userpassword", Field::Secret),
            ("Authorization", Field::Secret),
            ("proxy-authorization", Field::Secret),
            ("x-api-key", Field::Secret),
            ("apiKey", Field::Secret),
            ("access_token", Field::Secret),
            ("X-Vault-Token", Field::Secret),
            ("PRIVATE-TOKEN", Field::Secret),
            ("client_secret", Field::Secret),
            ("aws_secret_access_key", Field::Secret),
            ("Cookie", Field::Cookie),
            ("Set-Cookie", Field::Cookie),
            ("http.request.header.cookie", Field::Cookie),
            ("trace_id", Field::Id),
            ("spanId", Field::Id),
            ("pod", Field::Id),
            ("k8s.pod.uid", Field::Id),
            ("git_commit", Field::Id),
            ("next_page_token", Field::Ordinary),
            ("continue-token", Field::Ordinary),
            ("max_tokens", Field::Ordinary),
            ("token_type", Field::Ordinary),
            ("secretName", Field::Ordinary),
            ("compwd", Field::Ordinary),
            ("password_age_days", Field::Ordinary),
            ("job", Field::Ordinary),
            ("", Field::Ordinary),
        ] {
            assert_eq!(field(&words_of(name)), expected, "{name}");
        }
    }
}
