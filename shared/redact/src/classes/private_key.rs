//! Private keys in PEM (RFC 7468), OpenSSH and PGP armour: the whole block. Also the `private_key` of a Google
//! service account, whose line ends are written `\n`.

use super::{Class, Kind, Needs};

pub(super) const ROWS: &[Class] = &[Class {
    // A block that was cut off is masked to the end of the text.
    name: "private-key",
    kind: Kind::Credential,
    needs: Needs::OneOf(&["private key"]),
    pattern: r"(?xs) -----BEGIN\x20 [A-Z0-9\x20]{0,40} PRIVATE\x20KEY (?:\x20BLOCK)? -----
        .*? (?: -----END\x20 [A-Z0-9\x20]{0,40} PRIVATE\x20KEY (?:\x20BLOCK)? ----- | \z )",
    judge: None,
}];
