//! Everything that can be asked of a cluster. Each of them only reads.

use upstream::{Endpoint, Method};

const fn get(path: &'static str) -> Endpoint {
    Endpoint { method: Method::Get, path }
}

const fn post(path: &'static str) -> Endpoint {
    Endpoint { method: Method::Post, path }
}

/// Flavour and version; some clusters answer 405 or 403.
pub(super) const ROOT: Endpoint = get("/");
/// Records and counts.
pub(super) const SEARCH: Endpoint = post("/{}/_search");
/// Several searches at once.
pub(super) const MSEARCH: Endpoint = post("/{}/_msearch");
/// Fields and their types.
pub(super) const FIELD_CAPS: Endpoint = get("/{}/_field_caps");
/// Names of indices, data streams and aliases.
pub(super) const RESOLVE: Endpoint = get("/_resolve/index/{}");
/// Records and size of each index.
pub(super) const CAT: Endpoint = get("/_cat/indices/{}");

/// The allow-list.
#[cfg(test)]
pub(super) const ALL: [Endpoint; 6] = [ROOT, SEARCH, MSEARCH, FIELD_CAPS, RESOLVE, CAT];
