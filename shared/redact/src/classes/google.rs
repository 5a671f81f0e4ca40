//! Keys of Google Cloud: API keys, OAuth access and refresh tokens, OAuth client secrets. The private key of a service
//! account is in PEM.

use super::{Class, Kind, Needs, stands_alone};

pub(super) const ROWS: &[Class] = &[Class {
    name: "google-key",
    kind: Kind::Credential,
    needs: Needs::OneOf(&["aiza", "ya29.", "gocspx-", "1//0"]),
    pattern: r"(?x) AIza[A-Za-z0-9_-]{35} | ya29\.[A-Za-z0-9_-]{20,} | GOCSPX-[A-Za-z0-9_-]{20,}
        | 1//0[A-Za-z0-9_-]{30,}",
    judge: Some(stands_alone),
}];
