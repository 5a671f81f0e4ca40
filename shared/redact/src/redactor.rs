//! The way in: one key, one switch, one function.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use crate::counts::MaskCounts;
use crate::engine;
use crate::token::Minter;

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
    minter: Option<Arc<Minter>>,
}

/// A text without its secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Masked<'a> {
    /// The text; borrowed when nothing had to be masked.
    pub text: Cow<'a, str>,
    /// What was masked.
    pub counts: MaskCounts,
}

impl Redactor {
    /// A redactor of every built-in class. The patterns are compiled once per process, at the first text that
    /// may hold a secret, so that a server starts without that work.
    #[must_use]
    pub fn new(config: RedactorConfig) -> Self {
        Self { minter: config.enabled.then(|| Arc::new(Minter::new(&config.key))) }
    }

    /// Replaces each secret in `text` by `<CLASS:HHHH>`, where the digits are the first four of
    /// HMAC-SHA256(key, class ‖ value). Masking what is masked already changes nothing.
    ///
    /// Linear in the length of the text. A text is masked as a whole: a secret split over two calls is not seen.
    #[must_use]
    pub fn mask<'a>(&self, text: &'a str) -> Masked<'a> {
        match &self.minter {
            Some(minter) => engine::mask(minter, text),
            None => Masked { text: Cow::Borrowed(text), counts: MaskCounts::default() },
        }
    }
}

impl fmt::Debug for Redactor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Redactor").field("enabled", &self.minter.is_some()).finish_non_exhaustive()
    }
}
