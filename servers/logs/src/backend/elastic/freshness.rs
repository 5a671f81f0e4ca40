//! How late records arrive.

use contract::{Context, ToolError, time_text};
use serde_json::json;

use super::{
    Elastic,
    counts::timestamp,
    mapping::{Mapping, TimeField},
    page::by_time,
    query::Compiler,
};
use crate::analysis::lag::freshness;
use crate::model::{Freshness, Reply, Search};

/// Records that are looked at.
const RECENT: usize = 200;

/// When a record happened and when it was stored, in milliseconds since 1970.
type Moments = (f64, Option<f64>);

impl Elastic {
    /// The newest record, and how late those were that were stored last.
    pub(super) async fn read_freshness(
        &self,
        cx: &Context,
        search: &Search,
    ) -> Result<Reply<Freshness>, ToolError> {
        let (mapping, mut partial) = self.mapping(cx).await?;
        let newest = self.moments(cx, &mapping, search, mapping.time()?).await?;
        partial.extend(newest.partial);
        let mut sent = newest.sent;
        let last = match mapping.stored() {
            Some(stored) if newest.value.len() >= RECENT => {
                let last = self.moments(cx, &mapping, search, stored).await?;
                partial.extend(last.partial);
                sent = format!("{sent} and {}", last.sent);
                last.value
            }
            // These are all there are.
            _ => newest.value.clone(),
        };
        partial.sort();
        partial.dedup();
        let end = search.window.end().as_millisecond() as f64;
        let lag = |(at, stored): &Moments| Some((stored.as_ref()? - at) / 1000.0);
        let of_newest: Vec<f64> = newest.value.iter().filter_map(lag).collect();
        let by_the_end = last.iter().filter(|(_, stored)| stored.is_some_and(|stored| stored < end));
        let of_last: Vec<f64> = by_the_end.filter_map(lag).collect();
        let newest = newest.value.iter().map(|(at, _)| *at).max_by(f64::total_cmp).and_then(timestamp);
        Ok(Reply { value: freshness(newest, &of_newest, &of_last), sent, partial })
    }

    /// Of the records that are the last by this field.
    async fn moments(
        &self,
        cx: &Context,
        mapping: &Mapping,
        search: &Search,
        by: TimeField<'_>,
    ) -> Result<Reply<Vec<Moments>>, ToolError> {
        let time = mapping.time()?.name;
        let stored = mapping.stored().map(|field| field.name);
        let columns: Vec<_> = std::iter::once(time)
            .chain(stored)
            .map(|field| json!({ "field": field, "format": "epoch_millis" }))
            .collect();
        let body = |compiler: &Compiler<'_>| {
            let mut query = compiler.query(search)?;
            if by.name != time {
                let end =
                    json!({ "lt": time_text(search.window.end()), "format": "strict_date_optional_time" });
                query = json!({ "bool": { "filter": [query, { "range": { by.name: end } }] } });
            }
            let sort = json!([by_time(by, "desc")]);
            Ok(json!({ "size": RECENT, "query": query, "sort": sort, "docvalue_fields": columns }))
        };
        let (body, sent) = self.bodies(cx, mapping, body)?;
        let reply = self.search(cx, &body).await?;
        let answer = self.read(&reply)?;
        let moment = |hit: &super::wire::Hit<'_>, name: &str| hit.column(name)?.parse::<f64>().ok();
        let moments = |hit: &super::wire::Hit<'_>| {
            Some((moment(hit, time)?, stored.and_then(|name| moment(hit, name))))
        };
        let value = answer.hits().iter().filter_map(moments).collect();
        Ok(Reply { value, sent, partial: answer.partial(&cx.intake) })
    }
}
