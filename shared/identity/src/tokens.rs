//! Static bearer tokens: the configuration holds their SHA-256, a request presents the token itself.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use secrecy::{ExposeSecret, SecretBox};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};
use thiserror::Error;

use crate::principal::{Principal, PrincipalKind};
use crate::scope::{Scope, ScopeError};

/// SHA-256 of nothing and of a lone line feed (what hashing an unset variable gives), and of `test`. Accepting any
/// would leave the door open to whoever presents it, and is never what the operator meant.
const HASHES_OF_NOTHING: [&str; 3] = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "01ba4719c80b6fe911b091a7c05124b64eeece964e09c058ef8f9805daca546b",
    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
];

const LONGEST_NAME: usize = 64;

/// One bearer token that may call this server over HTTP.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// Who holds the token, for example `oncall-bot`: shown in the audit record and used as the key of the rate
    /// limits. Up to 64 letters, digits and `.`, `_`, `@`, `-`; different for each token.
    pub name: String,
    /// SHA-256 of the token as 64 hexadecimal digits. Compute it with `printf %s "$TOKEN" | sha256sum`
    /// (`echo` would add a line feed). The token itself is never configured.
    pub token_sha256: String,
    /// What the holder may do, for example `["metrics:read"]`; `metrics:*` is everything of one server, `*:read`
    /// every read, `*` everything.
    pub scopes: Vec<String>,
    /// The tenant the holder belongs to: recorded, and separates caches. It selects no source yet. Leave it out
    /// where there is only one.
    #[serde(default)]
    pub tenant: Option<String>,
}

impl fmt::Debug for TokenConfig {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("TokenConfig")
            .field("name", &self.name)
            .field("scopes", &self.scopes)
            .field("tenant", &self.tenant)
            .finish_non_exhaustive()
    }
}

/// A token entry that cannot be used: which one, and what to change. Reads after "failed to". Entries are
/// counted from 1, in the order of the configuration; hashes are never shown.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// The name is empty, too long or has characters that would not be plain in an audit record.
    #[error("use token entry {entry}: `name` must be 1 to 64 letters, digits and `.`, `_`, `@`, `-`")]
    Name {
        /// Position in the configuration, from 1.
        entry: usize,
    },
    /// Two entries have one name, so that their calls could not be told apart.
    #[error("use token entry {entry}: `{name}` is already the name of entry {first}; rename one of them")]
    DuplicateName {
        /// Position in the configuration, from 1.
        entry: usize,
        /// Position of the earlier entry.
        first: usize,
        /// The name of both.
        name: String,
    },
    /// The hash is not 64 hexadecimal digits.
    #[error(
        "use token entry {entry} (`{name}`): `token_sha256` must be 64 hexadecimal digits; compute it with `printf %s \"$TOKEN\" | sha256sum`"
    )]
    Hash {
        /// Position in the configuration, from 1.
        entry: usize,
        /// The name of the entry.
        name: String,
    },
    /// The hash is that of an empty text, a lone line feed or `test`.
    #[error(
        "use token entry {entry} (`{name}`): `token_sha256` is the hash of an empty token or of `test`; was the variable unset when it was computed?"
    )]
    EmptyToken {
        /// Position in the configuration, from 1.
        entry: usize,
        /// The name of the entry.
        name: String,
    },
    /// Two entries have one token, so that it could not be told whose call it is.
    #[error(
        "use token entry {entry} (`{name}`): it has the same `token_sha256` as entry {first}; give each its own token"
    )]
    DuplicateHash {
        /// Position in the configuration, from 1.
        entry: usize,
        /// Position of the earlier entry.
        first: usize,
        /// The name of the later entry.
        name: String,
    },
    /// The entry grants nothing.
    #[error(
        "use token entry {entry} (`{name}`): `scopes` is empty; grant at least one, for example `metrics:read`"
    )]
    NoScopes {
        /// Position in the configuration, from 1.
        entry: usize,
        /// The name of the entry.
        name: String,
    },
    /// A scope is malformed; the source says how one is written.
    #[error("use token entry {entry} (`{name}`): a scope is malformed")]
    Scope {
        /// Position in the configuration, from 1.
        entry: usize,
        /// The name of the entry.
        name: String,
        /// Which scope, and how to write it.
        source: ScopeError,
    },
    /// The tenant is given but empty, which would silently mean "no tenant".
    #[error("use token entry {entry} (`{name}`): `tenant` is empty; name one or leave the key out")]
    Tenant {
        /// Position in the configuration, from 1.
        entry: usize,
        /// The name of the entry.
        name: String,
    },
}

/// Why a request is not let in. Never holds what was presented.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Unauthorized {
    /// No bearer token was presented: no header, an empty one, or another scheme.
    #[error("authenticate: no bearer token; send `Authorization: Bearer TOKEN`")]
    Missing,
    /// A bearer token was presented, and it is not one of the configured ones.
    #[error("authenticate: the bearer token is not valid here")]
    Invalid,
}

impl Unauthorized {
    /// The `error` parameter of `WWW-Authenticate: Bearer` (RFC 6750, section 3.1): none when nothing was
    /// presented, because the RFC asks for a bare challenge then.
    #[must_use]
    pub fn error_code(self) -> Option<&'static str> {
        match self {
            Self::Missing => None,
            Self::Invalid => Some("invalid_token"),
        }
    }
}

/// The configured tokens. `Debug` shows the principals only.
#[derive(Debug)]
pub struct Tokens {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    digest: SecretBox<[u8; 32]>,
    principal: Principal,
}

impl Tokens {
    /// Checks the entries of the configuration.
    ///
    /// # Errors
    /// [`IdentityError`] for the first entry that cannot be used.
    pub fn new(configs: Vec<TokenConfig>) -> Result<Self, IdentityError> {
        let mut entries = Vec::with_capacity(configs.len());
        let mut entry_of_name = BTreeMap::new();
        let mut entry_of_digest = BTreeMap::new();
        for (index, config) in configs.into_iter().enumerate() {
            let entry = index + 1;
            if !is_plain_name(&config.name) {
                return Err(IdentityError::Name { entry });
            }
            let name = config.name.clone();
            if let Some(first) = entry_of_name.insert(name.clone(), entry) {
                return Err(IdentityError::DuplicateName { entry, first, name });
            }
            let digest = read_digest(entry, &config)?;
            if let Some(first) = entry_of_digest.insert(digest, entry) {
                return Err(IdentityError::DuplicateHash { entry, first, name });
            }
            let principal = read_principal(entry, config)?;
            entries.push(Entry { digest: SecretBox::new(Box::new(digest)), principal });
        }
        Ok(Self { entries })
    }

    /// Whether no token is configured, so that nobody can authenticate.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Finds out who is calling from the value of the `Authorization` header. The SHA-256 of the presented token
    /// is compared in constant time against every entry, with no early end, so that timing does not tell how
    /// much of a hash fits.
    ///
    /// # Errors
    /// [`Unauthorized`], which tells a missing token from a wrong one.
    pub fn authenticate(&self, authorization_header: Option<&str>) -> Result<Principal, Unauthorized> {
        let token = authorization_header.and_then(bearer_token).ok_or(Unauthorized::Missing)?;
        let presented: [u8; 32] = Sha256::digest(token.as_bytes()).into();
        let mut position_from_one = 0_u64;
        for (position, entry) in (1_u64..).zip(&self.entries) {
            let same = entry.digest.expose_secret().as_slice().ct_eq(presented.as_slice());
            position_from_one.conditional_assign(&position, same);
        }
        (1_u64..)
            .zip(&self.entries)
            .find(|(position, _)| *position == position_from_one)
            .map(|(_, entry)| entry.principal.clone())
            .ok_or(Unauthorized::Invalid)
    }
}

/// The token of `Bearer TOKEN`; `None` for another scheme and where nothing follows the scheme.
fn bearer_token(header: &str) -> Option<&str> {
    let blank = [' ', '\t'];
    let (scheme, rest) = header.trim_matches(blank).split_once(blank)?;
    let token = rest.trim_start_matches(blank);
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= LONGEST_NAME
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '@' | '-'))
}

fn read_digest(entry: usize, config: &TokenConfig) -> Result<[u8; 32], IdentityError> {
    let mut digest = [0_u8; 32];
    if hex::decode_to_slice(&config.token_sha256, &mut digest).is_err() {
        return Err(IdentityError::Hash { entry, name: config.name.clone() });
    }
    if HASHES_OF_NOTHING.iter().any(|hash| config.token_sha256.eq_ignore_ascii_case(hash)) {
        return Err(IdentityError::EmptyToken { entry, name: config.name.clone() });
    }
    Ok(digest)
}

fn read_principal(entry: usize, config: TokenConfig) -> Result<Principal, IdentityError> {
    let TokenConfig { name, scopes, tenant, .. } = config;
    if scopes.is_empty() {
        return Err(IdentityError::NoScopes { entry, name });
    }
    if tenant.as_deref().is_some_and(|tenant| tenant.trim().is_empty()) {
        return Err(IdentityError::Tenant { entry, name });
    }
    let scopes: Result<BTreeSet<Scope>, ScopeError> =
        scopes.iter().map(|scope| Scope::parse(scope)).collect();
    match scopes {
        Ok(scopes) => Ok(Principal { name, scopes, tenant, kind: PrincipalKind::Token }),
        Err(source) => Err(IdentityError::Scope { entry, name, source }),
    }
}
