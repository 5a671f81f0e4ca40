//! What the analyses speak: records, the roles that their fields play, levels, and what is searched for.

mod layout;
mod level;
mod record;
mod search;

pub(crate) use layout::{Chosen, FieldInfo, FieldKind, Layout, Role};
pub(crate) use level::Level;
pub(crate) use record::{Document, Record};
pub(crate) use search::{
    Condition, Freshness, Group, Histogram, Key, Like, LogSource, Page, Reply, Sample, Search, Tally, Top,
    Total,
};
