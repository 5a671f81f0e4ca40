//! What tokens stood for, so that one given back as an argument can be resolved inside the process.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::token::token_around;

/// How many tokens are remembered; of more, those that were seen longest ago are forgotten.
const MOST_TOKENS: usize = 4_096;
/// How long a value may be to be remembered, in bytes: an address has at most 254 (RFC 5321).
const LONGEST_VALUE: usize = 256;

/// A personal value and the token that replaced it.
pub(crate) struct Kept {
    pub(crate) token: String,
    pub(crate) value: String,
}

/// The memory of a process: which value a token stood for, by whom it was seen. Cheap to clone, all clones are one
/// memory; `Debug` shows no value.
///
/// Only personal data and an operator's own classes are remembered: following one customer through the systems is what
/// a token is given back for. A credential never is. A query has no use for it, and resolving it would carry it into
/// another system's query log. Nothing is written to disk, so a token is known until the process ends or 4,096 newer
/// ones came.
#[derive(Clone, Default)]
pub struct Vault {
    shelf: Arc<Mutex<Shelf>>,
}

#[derive(Default)]
struct Shelf {
    /// By scope and token.
    entries: BTreeMap<(String, String), Entry>,
    /// When each was last seen, oldest first.
    seen: BTreeMap<u64, (String, String)>,
    clock: u64,
}

struct Entry {
    /// Nothing when two values have the same token: four digits are few.
    value: Option<String>,
    seen: u64,
}

/// A text with its tokens resolved. For the request to a backend and nothing else: `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The text with values in the place of tokens.
    pub text: String,
    /// The tokens that were replaced, in order.
    pub replaced: Vec<String>,
    /// The tokens that stayed as they were, in order, each with the reason.
    pub left: Vec<Left>,
}

/// A token that could not be resolved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// The token.
    pub token: String,
    /// Why it stayed.
    pub reason: Unresolved,
}

/// Why a token could not be resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unresolved {
    /// Never seen by this caller in this process, forgotten, or of a credential.
    Unknown,
    /// Two values that this caller saw share it.
    Ambiguous,
}

impl Vault {
    /// An empty memory.
    #[must_use]
    pub fn new() -> Vault {
        Vault::default()
    }

    /// Replaces the tokens in `text` that were seen in `scope` (a tenant and a principal: what one caller saw says
    /// nothing to another) by their values, each written by `write` as the place demands: escaped for a string literal,
    /// for a regular expression, or as it is.
    #[must_use]
    pub fn resolve(&self, scope: &str, text: &str, write: &dyn Fn(&str) -> String) -> Resolved {
        let mut resolved = Resolved { text: String::new(), replaced: Vec::new(), left: Vec::new() };
        let mut copied_to = 0;
        for token in tokens(text) {
            let name = text.get(token.clone()).unwrap_or_default();
            match self.value(scope, name) {
                Ok(value) => {
                    resolved.text.push_str(text.get(copied_to..token.start).unwrap_or_default());
                    resolved.text.push_str(&write(&value));
                    resolved.replaced.push(name.to_owned());
                    copied_to = token.end;
                }
                Err(reason) => resolved.left.push(Left { token: name.to_owned(), reason }),
            }
        }
        resolved.text.push_str(text.get(copied_to..).unwrap_or_default());
        resolved
    }

    pub(crate) fn remember(&self, scope: &str, kept: Vec<Kept>) {
        if kept.is_empty() {
            return;
        }
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        for Kept { token, value } in kept {
            if value.len() <= LONGEST_VALUE {
                shelf.put((scope.to_owned(), token), value);
            }
        }
    }

    fn value(&self, scope: &str, token: &str) -> Result<String, Unresolved> {
        let mut shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (scope.to_owned(), token.to_owned());
        shelf.touch(&key);
        let entry = shelf.entries.get(&key).ok_or(Unresolved::Unknown)?;
        entry.value.clone().ok_or(Unresolved::Ambiguous)
    }
}

impl Shelf {
    fn put(&mut self, key: (String, String), value: String) {
        match self.entries.get_mut(&key) {
            Some(entry) if entry.value.as_ref() == Some(&value) => {}
            Some(entry) => entry.value = None,
            None => {
                self.entries.insert(key.clone(), Entry { value: Some(value), seen: 0 });
            }
        }
        self.touch(&key);
        while self.entries.len() > MOST_TOKENS {
            let Some((_, oldest)) = self.seen.pop_first() else { break };
            self.entries.remove(&oldest);
        }
    }

    fn touch(&mut self, key: &(String, String)) {
        let Some(entry) = self.entries.get_mut(key) else { return };
        self.clock += 1;
        self.seen.remove(&entry.seen);
        entry.seen = self.clock;
        self.seen.insert(self.clock, key.clone());
    }
}

/// Where the tokens of `text` are.
fn tokens(text: &str) -> Vec<Range<usize>> {
    text.match_indices('<')
        .filter_map(|(at, _)| token_around(text, at).filter(|token| token.start == at))
        .collect()
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shelf = self.shelf.lock().unwrap_or_else(PoisonError::into_inner);
        f.debug_struct("Vault").field("tokens", &shelf.entries.len()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resolved")
            .field("replaced", &self.replaced)
            .field("left", &self.left)
            .finish_non_exhaustive()
    }
}
