//! What is concluded from records and counts: pure functions, no I/O, no clock.

pub(crate) mod anchor;
pub(crate) mod difference;
pub(crate) mod fields;
pub(crate) mod kql;
pub(crate) mod lag;
pub(crate) mod lifecycle;
pub(crate) mod mined;
pub(crate) mod record;
pub(crate) mod thrown;
pub(crate) mod volume;
