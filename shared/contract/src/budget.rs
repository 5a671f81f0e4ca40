//! How large an answer may be. Renderers draw on a budget; what does not fit is counted, never cut silently.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How much an answer may say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "a described variant becomes a union in the schema, which clients refuse")]
pub enum Detail {
    #[default]
    Concise,
    Full,
}

/// The size an answer may have, in bytes of UTF-8 (never fewer than its characters), for each rendering.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    limit: usize,
}

impl Budget {
    /// 8,000 bytes for `concise`, 24,000 for `full`.
    #[must_use]
    pub fn for_detail(detail: Detail) -> Budget {
        Budget {
            limit: match detail {
                Detail::Concise => 8_000,
                Detail::Full => 24_000,
            },
        }
    }

    /// The limit in bytes.
    #[must_use]
    pub fn limit(self) -> usize {
        self.limit
    }

    /// A purse holding `percent` of the limit.
    pub(crate) fn share(self, percent: usize) -> Purse {
        Purse { left: self.limit.saturating_mul(percent) / 100 }
    }
}

/// What is left to spend on one part of an answer.
#[derive(Debug)]
pub(crate) struct Purse {
    pub(crate) left: usize,
}

impl Purse {
    /// Takes `cost` when it is there; otherwise takes nothing and says no.
    pub(crate) fn draw(&mut self, cost: usize) -> bool {
        match self.left.checked_sub(cost) {
            Some(left) => {
                self.left = left;
                true
            }
            None => false,
        }
    }
}
