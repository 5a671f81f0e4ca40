//! Who is calling, and what they may do.
//!
//! A [`Principal`] is a name with [`Scope`]s and, where an installation has several, a tenant. It comes from one
//! of two places: the person who started the process ([`Principal::local`], stdio), or a static bearer token
//! of the configuration ([`Tokens::authenticate`], HTTP).
//!
//! What is deliberately absent: no token is ever stored, printed or returned (the configuration holds SHA-256
//! hashes only), nothing here knows HTTP beyond the text of one header, and nothing here reads the environment.

mod principal;
mod scope;
mod tokens;

pub use principal::{Principal, PrincipalKind};
pub use scope::{Scope, ScopeError};
pub use tokens::{IdentityError, TokenConfig, Tokens, Unauthorized};
