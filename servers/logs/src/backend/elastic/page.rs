//! Records in order of time, page by page.
//!
//! Records of the same moment follow by their sequence number, which every version can sort by without fielddata and
//! without keeping a context open on the cluster (`_id` needs the one, a point in time the other). Two shards may give the
//! same number to records of the same moment: so a page begins *at* the last record's place and leaves out what was shown.

use contract::{Context, ToolError, counted};
use serde_json::{Value, json};

use super::{
    Elastic, Refusal,
    mapping::{Mapping, TimeField},
    query::Compiler,
    wire::Answer,
};
use crate::analysis::record::read;
use crate::backend::fingerprint;
use crate::model::{Page, Record, Reply, Role, Sample, Search};

/// The most records of a page.
const MOST: usize = 1_000;
/// Records that are counted on the way; for more, `total` counts.
const COUNTED: u64 = 10_000;

/// Where a page ended: the last record's place in the order, and how many with this place were shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    search: u32,
    time: i64,
    sequence: i64,
    shown: usize,
}

/// What a page was asked for.
struct Turn {
    limit: usize,
    /// Records read beyond it.
    ahead: usize,
    cursor: Option<Cursor>,
    search: u32,
}

/// How much of a record is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    /// All fields.
    All,
    /// The fields of roles, for patterns.
    Roles,
    /// The short fields of roles, of records too large for one reply.
    Short,
}

impl Elastic {
    /// One page.
    pub(super) async fn read_page(
        &self,
        cx: &Context,
        search: &Search,
        page: &Page,
    ) -> Result<Reply<Sample>, ToolError> {
        let (mapping, mut partial) = self.mapping(cx).await?;
        let time = mapping.time()?;
        let order = if page.oldest_first { "asc" } else { "desc" };
        let [shown, _] = self.compilers(cx, &mapping);
        let bound = fingerprint(&format!("{}{}{order}", self.indices, shown.query(search)?));
        let cursor = page.after.as_deref().map(|text| Cursor::parse(text, bound)).transpose()?;
        let repeated = cursor.map_or(0, |cursor| cursor.shown);
        let mut limit = page.limit.clamp(1, MOST).min(mapping.fit(Extent::All, self.most_bytes));
        let mut extent = Extent::All;
        // One more than is told shows whether there is a next page.
        let mut ahead = 1;
        let (reply, sent) = loop {
            let body = |compiler: &Compiler<'_>| {
                let mut body = json!({
                    "size": limit + repeated + ahead,
                    "track_total_hits": COUNTED,
                    "query": compiler.query(search)?,
                    "sort": [by_time(time, order), { "_seq_no": "asc" }],
                    "_source": source(&mapping, extent),
                });
                if let (Some(cursor), Some(body)) = (cursor, body.as_object_mut()) {
                    body.insert("search_after".to_owned(), json!([cursor.time, cursor.sequence - 1]));
                }
                Ok(body)
            };
            let (body, sent) = self.bodies(cx, &mapping, body)?;
            match self.search(cx, &body).await {
                Err(Refusal::TooLarge(_)) if limit > 1 => limit = (limit / 4).max(1),
                Err(Refusal::TooLarge(_)) if ahead > 0 => ahead = 0,
                Err(Refusal::TooLarge(_)) if extent == Extent::All => extent = Extent::Short,
                reply => break (reply?, sent),
            }
        };
        let answer = self.read(&reply)?;
        partial.extend(answer.partial(&cx.intake));
        partial.extend(shortened(page.limit.clamp(1, MOST), limit, extent));
        let turn = Turn { limit, ahead, cursor, search: bound };
        let (records, next) = turned(cx, &answer, &mapping, turn, &mut partial);
        let method = match (page.oldest_first, page.after.is_some()) {
            (true, false) => format!("the oldest {}", records.len()),
            (false, false) => format!("the newest {}", records.len()),
            (_, true) => format!("the next {}", records.len()),
        };
        Ok(Reply { value: Sample { records, total: answer.total(), method, next }, sent, partial })
    }
}

/// The records that were not shown yet, and where the next page begins.
fn turned(
    cx: &Context,
    answer: &Answer<'_>,
    mapping: &Mapping,
    turn: Turn,
    partial: &mut Vec<String>,
) -> (Vec<Record>, Option<String>) {
    let Turn { limit, ahead, cursor, search } = turn;
    let place = |hit: &super::wire::Hit<'_>| {
        let number = |at: usize| hit.sort.get(at).and_then(Value::as_i64).unwrap_or_default();
        (number(0), number(1))
    };
    let before = cursor.map(|cursor| (cursor.time, cursor.sequence));
    let same = |hit: &&super::wire::Hit<'_>| Some(place(hit)) == before;
    let again = answer.hits().iter().take_while(same).count().min(cursor.map_or(0, |cursor| cursor.shown));
    let fresh = answer.hits().get(again..).unwrap_or_default();
    let kept = fresh.get(..limit).unwrap_or(fresh);
    // Where it was not looked ahead there may be more.
    let more = fresh.len() > kept.len() || ahead == 0;
    let next = kept.last().filter(|_| more).map(|last| {
        let (time, sequence) = place(last);
        let of_place = kept.iter().rev().take_while(|hit| place(hit) == (time, sequence)).count();
        let earlier = if of_place == kept.len() && before == Some((time, sequence)) { again } else { 0 };
        Cursor { search, time, sequence, shown: of_place + earlier }.to_string()
    });
    (records(cx, kept.iter(), mapping, partial), next)
}

/// Reads records, and says which values were too long.
pub(super) fn records<'a>(
    cx: &Context,
    hits: impl Iterator<Item = &'a super::wire::Hit<'a>>,
    mapping: &Mapping,
    partial: &mut Vec<String>,
) -> Vec<Record> {
    let mut cut = 0;
    let records = hits.map(|hit| read(hit.document(cx, &mut cut), &mapping.layout, &cx.intake)).collect();
    if cut > 0 {
        partial.push(format!(
            "{} longer than 256 KiB; of them the beginning was read",
            counted(cut as u64, "value is", "values are")
        ));
    }
    records
}

fn shortened(asked: usize, limit: usize, extent: Extent) -> Option<String> {
    match extent {
        Extent::Short => Some(
            "a record is larger than one reply may be: it is told without message and stack trace".to_owned(),
        ),
        _ if limit < asked => Some(format!(
            "these records are large: a page holds {limit} of the {asked} asked for; the next page has more"
        )),
        _ => None,
    }
}

/// The order by time, in whichever resolution the indices keep it.
pub(super) fn by_time(time: TimeField<'_>, order: &str) -> Value {
    match time.mixed {
        true => {
            json!({ time.name: { "order": order, "unmapped_type": "date", "numeric_type": "date_nanos" } })
        }
        false => json!({ time.name: { "order": order, "unmapped_type": "date" } }),
    }
}

/// What of a record is sent.
pub(super) fn source(mapping: &Mapping, extent: Extent) -> Value {
    let layout = &mapping.layout;
    let long = [Role::Message, Role::ErrorMessage, Role::ErrorStack];
    let of_roles = |short: bool| -> Vec<&str> {
        let roles = layout.roles.iter().filter(|(role, _)| !short || !long.contains(role));
        roles.flat_map(|(_, chosen)| chosen).map(|chosen| chosen.name.as_str()).collect()
    };
    match extent {
        // The line as it came, beside its parts: the same text twice.
        Extent::All if layout.of(Role::Message).iter().all(|chosen| chosen.name != "event.original") => {
            json!({ "excludes": ["event.original"] })
        }
        Extent::All => json!(true),
        Extent::Roles => json!({ "includes": of_roles(false) }),
        Extent::Short => json!({ "includes": of_roles(true), "excludes": layout.nested }),
    }
}

impl Cursor {
    fn parse(text: &str, search: u32) -> Result<Cursor, ToolError> {
        let wrong = |why: &str| {
            ToolError::invalid("cursor", why)
                .remedy("use the cursor of the page before with exactly the same other arguments")
        };
        let mut parts = text.split('.');
        let mut part = || parts.next().filter(|part| part.len() <= 20);
        let parsed = (|| {
            Some(Cursor {
                search: u32::from_str_radix(part()?, 16).ok()?,
                time: part()?.parse().ok()?,
                sequence: part()?.parse().ok()?,
                shown: part()?.parse().ok()?,
            })
        })();
        match parsed {
            None => Err(wrong("is not a cursor of this tool")),
            Some(cursor) if cursor.shown > MOST => Err(wrong("is not a cursor of this tool")),
            Some(cursor) if cursor.search != search => Err(wrong("belongs to another search")),
            Some(cursor) => Ok(cursor),
        }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:08x}.{}.{}.{}", self.search, self.time, self.sequence, self.shown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_belongs_to_its_search() {
        let cursor = Cursor { search: 7, time: -5, sequence: 12, shown: 3 };
        assert_eq!(Cursor::parse(&cursor.to_string(), 7).unwrap(), cursor);
        assert!(Cursor::parse(&cursor.to_string(), 8).unwrap_err().to_string().contains("another search"));
        for text in [
            "",
            "x",
            "00000007.1.2",
            "00000007.1.2.99999",
            "00000007.1.2.-1",
            "00000007.999999999999999999999.1.1",
        ] {
            assert!(Cursor::parse(text, 7).is_err(), "{text}");
        }
    }
}
