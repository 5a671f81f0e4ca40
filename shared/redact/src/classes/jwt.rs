//! JSON web tokens (RFC 7519): signed, unsigned and encrypted.

use super::{Class, Kind, Needs};

pub(super) const ROWS: &[Class] = &[Class {
    // The second part of an encrypted one may be empty; `eyJ` is `{"` in base64.
    name: "jwt",
    kind: Kind::Credential,
    needs: Needs::OneOf(&["eyj"]),
    pattern: r"(?x) eyJ [A-Za-z0-9_-]{8,} \.\.? [A-Za-z0-9_-]{8,} (?: \. [A-Za-z0-9_-]+ ){0,3}",
    judge: None,
}];
