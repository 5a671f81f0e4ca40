//! What is concluded from records and counts: pure functions, no I/O, no clock.

pub(crate) mod volume;
