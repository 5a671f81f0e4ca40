//! Secret and restricted keys of Stripe and the secrets of its webhooks. Publishable keys (`pk_`) are public, and
//! object ids (`cs_live_…`, `pi_…`) are names.

use super::{Class, Kind, Needs, has_a_digit};

pub(super) const ROWS: &[Class] = &[Class {
    name: "stripe-key",
    kind: Kind::Credential,
    needs: Needs::OneOf(&["sk_live_", "sk_test_", "rk_live_", "rk_test_", "whsec_"]),
    pattern: r"[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|whsec_[A-Za-z0-9+/]{20,}={0,2}",
    judge: Some(has_a_digit),
}];
