//! Tokens of GitHub and GitLab, by their documented prefixes.

use super::{Class, Kind, Needs};

pub(super) const ROWS: &[Class] = &[
    Class {
        name: "github-token",
        kind: Kind::Credential,
        needs: Needs::OneOf(&["ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"]),
        pattern: r"gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{22,}",
        judge: None,
    },
    Class {
        // Personal, deploy, runner, trigger, feed, mail, agent, OAuth, job, SCIM, feature flag, runner registration;
        // routable ones go on after a dot.
        name: "gitlab-token",
        kind: Kind::Credential,
        needs: Needs::OneOf(&[
            "glpat-",
            "gldt-",
            "glrt-",
            "glptt-",
            "glft-",
            "glimt-",
            "glagent-",
            "gloas-",
            "glcbt-",
            "glsoat-",
            "glffct-",
            "gr1348941",
        ]),
        pattern: r"(?x) (?: gl(?:pat|dt|rt|ptt|ft|imt|agent|oas|soat|ffct) - [A-Za-z0-9_-]{20,}
            | glcbt-[A-Za-z0-9]{1,5}_[A-Za-z0-9_-]{20,} | GR1348941[A-Za-z0-9_-]{20,} )
            (?: \.[0-9a-z]{2}\.?[0-9a-z]{7} )?",
        judge: Some(super::has_a_digit),
    },
];
