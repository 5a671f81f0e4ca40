//! The way in: one key, one switch, one set of rules.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::classes::is_placeholder;
use crate::counts::MaskCounts;
use crate::engine::Engine;
use crate::fields::{Field, field, words_of};
use crate::needles::RowSet;
use crate::rules::{Compiled, RuleError, Rules};
use crate::token::{Minter, token_around};
use crate::vault::{Kept, Vault};

/// Schemes of `Authorization` that stay readable before the credential.
const SCHEMES: &[&str] = &["bearer ", "basic ", "token ", "apikey "];

/// What an operator decides about masking.
#[derive(Clone)]
pub struct RedactorConfig {
    /// The key of the tokens. The servers of one installation share it, so that one value has one token in all
    /// their answers. Whoever holds it can test guesses against tokens.
    pub key: [u8; 32],
    /// Whether to mask at all; on by default wherever a configuration is read.
    pub enabled: bool,
}

impl fmt::Debug for RedactorConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("RedactorConfig").field("enabled", &self.enabled).finish_non_exhaustive()
    }
}

/// Replaces secrets and personal data by stable tokens. Cheap to clone; `Debug` does not show the key.
#[derive(Clone)]
pub struct Redactor {
    engine: Option<Arc<Engine>>,
    /// The built-in rows in use.
    rows: RowSet,
}

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked<'a> {
    /// The text; borrowed when nothing had to be masked.
    pub text: Cow<'a, str>,
    /// What was masked.
    pub counts: MaskCounts,
}

/// Where the personal values of a text are remembered, and for whom.
#[derive(Debug, Clone, Copy)]
pub struct Memory<'m> {
    /// The memory of the process.
    pub vault: &'m Vault,
    /// Who sees the tokens: a tenant and a principal.
    pub scope: &'m str,
}

impl Redactor {
    /// A redactor of every built-in class except addresses of IP. Patterns are compiled once per process, each at the
    /// first text that may hold such a secret, so that a server starts without that work.
    #[must_use]
    pub fn new(config: RedactorConfig) -> Self {
        Self::with(config, Compiled::default())
    }

    /// A redactor with an operator's own rules.
    ///
    /// # Errors
    /// A rule that cannot be used, by its name.
    pub fn with_rules(config: RedactorConfig, rules: &Rules) -> Result<Self, RuleError> {
        Ok(Self::with(config, Compiled::new(rules)?))
    }

    fn with(config: RedactorConfig, rules: Compiled) -> Self {
        let rows = RowSet::all(rules.addresses);
        let engine = config.enabled.then(|| Arc::new(Engine { minter: Minter::new(&config.key), rules }));
        Self { engine, rows }
    }

    /// Replaces each secret in `text` by `<CLASS:HHHH>`, where the digits are the first four of
    /// HMAC-SHA256(key, class ‖ value). Masking what is masked already changes nothing.
    ///
    /// Linear in the length of the text. A text is masked as a whole: a secret split over two calls is not seen.
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str) -> Masked<'a> {
        self.mask_value(text, self.rows, &mut Vec::new())
    }

    /// As [`Redactor::mask`], and remembers the personal values that were replaced.
    #[must_use]
    pub fn mask_for<'a>(&self, memory: Memory<'_>, text: &'a str) -> Masked<'a> {
        let mut kept = Vec::new();
        let masked = self.mask_value(text, self.rows, &mut kept);
        memory.vault.remember(memory.scope, kept);
        masked
    }

    /// As [`Redactor::mask`], for the value of a field whose name is known: a `password`, an `authorization` header or
    /// an `*_token` is a secret whatever it looks like, and an id is no card. A name of a field is not masked here.
    #[must_use]
    pub fn mask_field<'a>(&self, name: &str, value: &'a str) -> Masked<'a> {
        self.mask_named(name, value, &mut Vec::new())
    }

    /// As [`Redactor::mask_field`], and remembers the personal values that were replaced.
    #[must_use]
    pub fn mask_field_for<'a>(&self, memory: Memory<'_>, name: &str, value: &'a str) -> Masked<'a> {
        let mut kept = Vec::new();
        let masked = self.mask_named(name, value, &mut kept);
        memory.vault.remember(memory.scope, kept);
        masked
    }

    fn mask_value<'a>(&self, text: &'a str, rows: RowSet, kept: &mut Vec<Kept>) -> Masked<'a> {
        match &self.engine {
            Some(engine) => engine.mask(text, rows, kept),
            None => Masked { text: Cow::Borrowed(text), counts: MaskCounts::default() },
        }
    }

    fn mask_named<'a>(&self, name: &str, value: &'a str, kept: &mut Vec<Kept>) -> Masked<'a> {
        let Some(engine) = &self.engine else { return self.mask_value(value, self.rows, kept) };
        let words = words_of(name);
        let is_named = engine.rules.names_field(&words);
        let (class, length_of_scheme) = match field(&words) {
            Field::Secret => ("secret", scheme(value)),
            Field::Cookie => ("cookie", 0),
            _ if is_named => ("secret", 0),
            Field::Id => return self.mask_value(value, self.rows.and(RowSet::credentials()), kept),
            Field::Ordinary => return self.mask_value(value, self.rows, kept),
        };
        let masked = self.mask_value(value, self.rows, kept);
        let (shown, secret) = masked.text.split_at(length_of_scheme.min(masked.text.len()));
        let is_token = token_around(secret, 0) == Some(0..secret.len());
        if is_token || is_harmless(&words, secret) || engine.rules.allows(secret) {
            return masked;
        }
        // the token of the value itself, not of what the patterns left of it
        let whole = value.get(length_of_scheme..).unwrap_or(value);
        let mut counts = MaskCounts::default();
        counts.count_one(Cow::Borrowed(class));
        let text = format!("{shown}{}", engine.minter.token(class, whole));
        Masked { text: Cow::Owned(text), counts }
    }
}

/// The length of a scheme such as `Bearer `, which stays.
fn scheme(value: &str) -> usize {
    let is_it =
        |scheme: &&&str| value.get(..scheme.len()).is_some_and(|start| start.eq_ignore_ascii_case(scheme));
    SCHEMES.iter().find(is_it).map_or(0, |scheme| scheme.len())
}

/// Empty, a placeholder, a directory in `PWD`, the name of a Secret of Kubernetes in a lone `secret`.
fn is_harmless(words: &[String], value: &str) -> bool {
    let is_lone_secret = matches!(words, [word] if word == "secret");
    let is_name = value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-./".contains(&b))
        && value.contains(['-', '/']);
    let is_directory = matches!(words.last(), Some(last) if last == "pwd") && value.starts_with(['/', '~']);
    value.trim().is_empty() || is_placeholder(value) || is_directory || (is_lone_secret && is_name)
}

impl fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Redactor").field("enabled", &self.engine.is_some()).finish_non_exhaustive()
    }
}
