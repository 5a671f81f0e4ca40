//! The classes of secrets: one row each.
//!
//! The order of the rows is the order in which they are applied: precise forms first, what is a secret only because
//! of what stands beside it later. Patterns are in verbose mode (`(?x)`, so that a blank is written `\x20`) and
//! ASCII where they can be: a Unicode class costs states and a word boundary costs the fast engine. They hold no
//! look-around; what a pattern cannot say, a judge decides.

mod bearer;
mod card;
mod email;
mod pair;
mod url;

/// One row: what it is called, what it looks like, and who has the last word.
pub(crate) struct Class {
    /// The name in tokens and counts: lower case, digits and `-`, at most 32.
    pub(crate) name: &'static str,
    /// What to look for. The first group that takes part is the value to mask; without groups it is all of it.
    pub(crate) pattern: &'static str,
    /// Decides about each match; without one, every match is a secret.
    pub(crate) judge: Option<fn(&Candidate<'_>) -> Verdict>,
}

/// A match, cut where a judge needs it: the text is `before` ‖ `lead` ‖ `value` ‖ `after`.
pub(crate) struct Candidate<'t> {
    /// Everything before the match.
    pub(crate) before: &'t str,
    /// The match up to its value: the key and what separates it.
    pub(crate) lead: &'t str,
    /// What would be masked.
    pub(crate) value: &'t str,
    /// Everything after the value.
    pub(crate) after: &'t str,
}

/// What a judge says, with a number of bytes counted from the start of the value.
pub(crate) enum Verdict {
    /// So many bytes are the secret: the value, less than it, or more.
    Secret(usize),
    /// No secret; the search goes on after so many bytes.
    Not(usize),
}

pub(crate) static CLASSES: &[Class] = &[
    Class {
        // A block that was cut off is masked to the end of the text.
        name: "private-key",
        pattern: r"(?xs) -----BEGIN\x20 [A-Z0-9\x20]{0,40} PRIVATE\x20KEY (?:\x20BLOCK)? -----
            .*? (?: -----END\x20 [A-Z0-9\x20]{0,40} PRIVATE\x20KEY (?:\x20BLOCK)? ----- | \z )",
        judge: None,
    },
    Class {
        // Signed, unsigned and encrypted (whose second part may be empty); `eyJ` is `{"` in base64.
        name: "jwt",
        pattern: r"(?x) eyJ [A-Za-z0-9_-]{8,} \.\.? [A-Za-z0-9_-]{8,} (?: \. [A-Za-z0-9_-]+ ){0,3}",
        judge: None,
    },
    Class { name: "aws-key-id", pattern: r"(?:AKIA|ASIA)[A-Z0-9]{16}", judge: Some(stands_alone) },
    Class {
        name: "aws-secret-key",
        pattern: r#"(?x) (?i-u: aws_?secret_?(?:access_?)?key | secretaccesskey ) [\]"'\\]{0,6}
            [\x20\t]{0,4} (?: => | := | [:=] ) [\x20\t]{0,4} [\["'\\]{0,6} ( [A-Za-z0-9/+=]{30,} )"#,
        judge: None,
    },
    Class { name: "google-key", pattern: r"AIza[A-Za-z0-9_-]{35}", judge: Some(stands_alone) },
    Class {
        name: "github-token",
        pattern: r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}",
        judge: None,
    },
    Class { name: "slack-token", pattern: r"xox[a-z]-[A-Za-z0-9%-]{10,}", judge: Some(has_a_digit) },
    Class {
        // A header says what it holds: no judge.
        name: "bearer",
        pattern: r#"(?x) (?i-u: authorization ) [\]"'\\]{0,6} [\x20\t]{0,4} (?: => | [:=] ) [\x20\t]{0,4}
            [\[("'\\]{0,6} (?i-u: bearer | basic ) [\x20\t]{1,4} ( [^\s"'`,;<>()\[\]{}\\]{8,} )"#,
        judge: None,
    },
    Class {
        name: "bearer",
        pattern: r#"(?x) (?i-u: bearer
                | authorization [\]"'\\]{0,6} [\x20\t]{0,4} [:=] [\x20\t]{0,4} ["'\\]{0,6} (?: token | api-?key ) )
            [\x20\t]{1,4} ( [A-Za-z0-9._~+/|-]{8,} =* )"#,
        judge: Some(bearer::judge),
    },
    Class {
        name: "url-password",
        pattern: r#"(?x) [A-Za-z] [A-Za-z0-9+.-]* :// [^\s/?\#:@\["'`<>]* : ( [^\s/"'`]+ ) @"#,
        judge: Some(url::judge),
    },
    Class {
        // A slash that should have been escaped; the first part is not a number, so this is no port and path.
        name: "url-password",
        pattern: r#"(?x) [A-Za-z] [A-Za-z0-9+.-]* :// [^\s/?\#:@\["'`<>]* :
            ( [^\s/@"'`<>]* [^\s/@"'`<>0-9] [^\s/@"'`<>]* / [^\s@"'`<>]* ) @"#,
        judge: Some(url::judge),
    },
    Class {
        // After the key: quoted within a quoted text, double-quoted, single-quoted, bare. Quotes may be missing at
        // the end, where a text was cut off.
        name: "secret",
        pattern: r#"(?x) (?i-u: pass(?:word|wd|phrase) | pwd | token | secret | api[_-]?key
                | (?:access|account|secret)[_-]?key )
            [\]"'\\]{0,6} [\x20\t]{0,4} (?: => | := | [:=] ) [\x20\t]{0,4}
            (?: \[? \\+ "  ( (?: [^"\\\n] | \\\\ (?: \\. | [^\\\n] ) )+ )
              | \[? \\+ '  ( [^'\\\n]+ )
              | \[? "      ( (?: [^"\\\n] | \\. )+ )
              | \[? '      ( (?: [^'\\\n] | \\. )+ )
              |            ( <? (?: [^\s"'`,;&<\\] | \\ [^\s"'] )+ ) )"#,
        judge: Some(pair::judge),
    },
    Class {
        // Letters beyond ASCII are those of Latin, Greek and Cyrillic: a range, not a Unicode class.
        name: "email",
        pattern: r"(?x) [A-Za-z0-9._%+\x{c0}-\x{52f}-]+ (?: @ | %40 )
            (?: [A-Za-z0-9\x{c0}-\x{52f}-]+ \. )+ (?: xn--[A-Za-z0-9-]+ | [A-Za-z\x{c0}-\x{52f}]{2,24} )",
        judge: Some(email::judge),
    },
    Class {
        // In one piece, or in the groups that are printed on cards, with blanks or dashes.
        name: "card",
        pattern: r"(?x) [0-9]{13,19}
            | [0-9]{4} (?: \x20[0-9]{4} ){3} (?: \x20[0-9]{3} )? | [0-9]{4} (?: -[0-9]{4} ){3} (?: -[0-9]{3} )?
            | [0-9]{4} \x20 [0-9]{6} \x20 [0-9]{4,5} | [0-9]{4} - [0-9]{6} - [0-9]{4,5}",
        judge: Some(card::judge),
    },
];

/// A form of fixed length is one only if it is not a piece of something longer.
fn stands_alone(candidate: &Candidate<'_>) -> Verdict {
    let continues = |c: char| c.is_ascii_alphanumeric();
    if candidate.before.ends_with(continues) || candidate.after.starts_with(continues) {
        return Verdict::Not(candidate.value.len());
    }
    Verdict::Secret(candidate.value.len())
}

/// `xoxo-with-love` is no token.
fn has_a_digit(candidate: &Candidate<'_>) -> Verdict {
    if candidate.value.contains(|c: char| c.is_ascii_digit()) {
        Verdict::Secret(candidate.value.len())
    } else {
        Verdict::Not(candidate.value.len())
    }
}
