//! The caller of a tool, as the guard, the rate limits and the audit record see it.

use std::collections::BTreeSet;

use crate::scope::Scope;

/// Who is calling. Holds nothing secret: safe to log, to audit and to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// The name of the token entry, or of the local user: the key of rate limits and of the audit record.
    pub name: String,
    /// What this caller may do.
    pub scopes: BTreeSet<Scope>,
    /// The tenant this caller belongs to: recorded, and separates caches. It selects no source yet. `None` where
    /// the installation has only one.
    pub tenant: Option<String>,
    /// How the caller was recognised.
    pub kind: PrincipalKind,
}

/// How a caller was recognised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PrincipalKind {
    /// The user who started this process and speaks to it over stdio.
    Local,
    /// The holder of a static bearer token.
    Token,
}

impl Principal {
    /// The user at the other end of stdio: may use everything that reads, and nothing that writes. Writes need
    /// a scope of their own, which the runtime inserts where the operator enables them.
    #[must_use]
    pub fn local(user_name: impl Into<String>) -> Self {
        Self {
            name: user_name.into(),
            scopes: BTreeSet::from([Scope::every_read()]),
            tenant: None,
            kind: PrincipalKind::Local,
        }
    }

    /// Whether one of this caller's scopes grants `scope`, a concrete one such as `metrics:read`.
    #[must_use]
    pub fn allows(&self, scope: &str) -> bool {
        self.scopes.iter().any(|held| held.grants(scope))
    }
}
