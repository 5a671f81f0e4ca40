//! Keys of Azure: of storage accounts, service bus and event hubs (base64 of 32 or 64 bytes in a connection string),
//! and client secrets of Entra ID, which have `Q~` after three characters and a digit. Shared access signatures are
//! in the class of signatures.

use super::{Class, Kind, Needs, stands_alone};

pub(super) const ROWS: &[Class] = &[
    Class {
        name: "azure-key",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["account", "storage", "sharedaccess", "shared_access", "primary", "secondary"]),
        pattern: r#"(?x) (?i-u: (?: account | storage | shared_?access | primary | secondary ) [_-]?key )
            [\]"'\\]{0,6} [\x20\t]{0,4} [:=] [\x20\t]{0,4} ["'\\]{0,6}
            ( [A-Za-z0-9+/]{86}== | [A-Za-z0-9+/]{43}= )"#,
        judge: None,
    },
    Class {
        name: "azure-key",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["q~"]),
        pattern: r"[A-Za-z0-9_~.]{3}[0-9]Q~[A-Za-z0-9_~.-]{31,34}",
        judge: Some(stands_alone),
    },
];
