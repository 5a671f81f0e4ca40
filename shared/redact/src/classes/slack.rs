//! Tokens and incoming webhooks of Slack: who knows the address may post.

use super::{Class, Kind, Needs, has_a_digit};

pub(super) const ROWS: &[Class] = &[
    Class {
        name: "slack-token",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["xox", "xapp-"]),
        pattern: r"(?:xoxe\.)?xox[a-z]-[A-Za-z0-9%-]{10,}|xapp-[0-9]-[A-Za-z0-9-]{20,}",
        judge: Some(has_a_digit),
    },
    Class {
        name: "slack-token",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["hooks.slack"]),
        pattern: r"hooks\.slack(?:-gov)?\.com/(?:services|workflows|triggers)/([A-Za-z0-9_/+-]{20,})",
        judge: None,
    },
];
