//! Answers that are kept for a minute, and shared by equal requests at the same time.

use std::{sync::Arc, time::Duration};

use contract::{Context, UpstreamCall};

use crate::{Ask, Endpoint, Reply, Upstream, UpstreamError, source::is_worth_a_retry};

/// What the one who asked got that is not kept, and what those who wait for it must know of its call.
#[derive(Clone)]
struct Failure {
    /// An error, or a reply with an error status.
    result: Result<Reply, UpstreamError>,
    principal: String,
    /// Time its call had left.
    left: Duration,
}

impl Upstream {
    /// Like [`Upstream::fetch`], but a success of the last minute, by the same tenant, is not asked for again,
    /// and equal requests at the same time are one. If the one who asks is cancelled, or fails for want of time or
    /// places that another has, the next one asks.
    ///
    /// # Errors
    /// As [`Upstream::fetch`]; errors and error statuses are not kept.
    pub async fn fetch_cached(&self, cx: &Context, ask: &Ask<'_>) -> Result<Reply, UpstreamError> {
        let key = ask.key(cx.tenant.as_deref());
        loop {
            let asking = async {
                match self.fetch(cx, ask).await {
                    Ok(reply) if reply.status < 400 => Ok(reply),
                    result => Err(Failure { result, principal: cx.principal.clone(), left: cx.remaining() }),
                }
            };
            match self.cache.entry(key.clone()).or_try_insert_with(asking).await {
                Ok(entry) => {
                    if !entry.is_fresh() {
                        self.note_cached(cx, ask.endpoint);
                    }
                    return Ok(entry.into_value());
                }
                Err(failure) if self.may_fare_better(cx, &failure) => {}
                Err(failure) => return Arc::unwrap_or_clone(failure).result,
            }
        }
    }

    /// Whether this call may get more than the one that asked for it: it has more time, or places of its own. Never so
    /// when it asked itself.
    fn may_fare_better(&self, cx: &Context, failure: &Failure) -> bool {
        // Twice the time: of calls that began together, one failure is enough.
        let has_more_time = cx.remaining() / 2 > failure.left;
        match &failure.result {
            Err(UpstreamError::Timeout { waited, .. }) => has_more_time && *waited < self.limits.exchange(),
            Err(UpstreamError::Busy { .. }) => has_more_time || failure.principal != cx.principal,
            result => has_more_time && is_worth_a_retry(result),
        }
    }

    fn note_cached(&self, cx: &Context, endpoint: Endpoint) {
        cx.trail.note(UpstreamCall {
            system: self.system.clone(),
            endpoint: endpoint.to_string(),
            status: None,
            bytes: 0,
            ms: 0.0,
            outcome: "cached",
        });
    }
}
