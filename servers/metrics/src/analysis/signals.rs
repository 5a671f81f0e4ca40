//! Golden signals: by which convention a service tells them, the PromQL that measures them, what each did.

pub(crate) mod baseline;
pub(crate) mod catalogue;
pub(crate) mod detect;
pub(crate) mod judge;
pub(crate) mod queries;
pub(crate) mod saturation;
pub(crate) mod severity;
