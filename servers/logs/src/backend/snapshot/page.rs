//! Records in order of time, and some of many.

use contract::{Context, ToolError};

use super::{
    compile::Sought,
    load::{INDEX, Loaded, is_own},
};
use crate::analysis::record::read as read_record;
use crate::model::{Document, Layout, Record};

/// A record before it is masked.
pub(super) struct Raw {
    index: String,
    id: u32,
    fields: Vec<(String, String)>,
}

impl Raw {
    /// Masks it, each value by the name of its field.
    pub(super) fn record(self, cx: &Context, layout: &Layout) -> Record {
        let taken = |(name, value): (String, String)| {
            (cx.intake.field("name", &name), cx.intake.field(&name, &value))
        };
        let fields = self.fields.into_iter().map(taken).collect();
        read_record(Document { index: self.index, id: self.id.to_string(), fields }, layout, &cx.intake)
    }
}

/// Records read.
pub(super) struct Found {
    pub(super) raw: Vec<Raw>,
    pub(super) total: u64,
    /// Place of the last record, when more follow.
    pub(super) next: Option<usize>,
}

/// A page: at most `limit` records after a place.
pub(super) fn read(
    loaded: &Loaded,
    sought: &Sought,
    limit: usize,
    oldest_first: bool,
    after: Option<usize>,
) -> Found {
    let mut all: Vec<usize> = loaded.found(sought).collect();
    let total = all.len() as u64;
    if !oldest_first {
        all.reverse();
    }
    let is_later = |record: &&usize| {
        after.is_none_or(|after| if oldest_first { **record > after } else { **record < after })
    };
    let left: Vec<usize> = all.iter().filter(is_later).copied().collect();
    let shown = left.get(..limit).unwrap_or(&left);
    let next = shown.last().copied().filter(|_| left.len() > shown.len());
    Found { raw: shown.iter().map(|record| raw(loaded, *record)).collect(), total, next }
}

/// About `size` records, evenly spaced among those that are looked for.
pub(super) fn spread(loaded: &Loaded, sought: &Sought, size: usize) -> Found {
    let all: Vec<usize> = loaded.found(sought).collect();
    let taken = all.len().min(size);
    let spaced = (0..taken).filter_map(|place| all.get(place * all.len() / taken));
    Found { raw: spaced.map(|record| raw(loaded, *record)).collect(), total: all.len() as u64, next: None }
}

fn raw(loaded: &Loaded, record: usize) -> Raw {
    let mut raw = Raw { index: String::new(), id: loaded.store.id(record), fields: Vec::new() };
    for (name, value) in loaded.store.fields(record) {
        match loaded.store.named(name) {
            INDEX => value.clone_into(&mut raw.index),
            name if is_own(name) => raw.fields.push((name.to_owned(), value.to_owned())),
            _ => {}
        }
    }
    raw
}

/// Where the next page begins, bound to its search.
pub(super) fn cursor(place: usize, search: u32) -> String {
    format!("{search:08x}.{place}")
}

/// # Errors
/// When it is no cursor, or one of another search.
pub(super) fn parse(text: &str, search: u32) -> Result<usize, ToolError> {
    let wrong = |why: &str| {
        ToolError::invalid("cursor", why)
            .remedy("use the cursor of the page before with exactly the same other arguments")
    };
    let parts = text.split_once('.').filter(|_| text.len() <= 30);
    let parsed =
        parts.and_then(|(own, place)| Some((u32::from_str_radix(own, 16).ok()?, place.parse().ok()?)));
    match parsed {
        None => Err(wrong("is not a cursor of this tool")),
        Some((own, _)) if own != search => Err(wrong("belongs to another search")),
        Some((_, place)) => Ok(place),
    }
}
