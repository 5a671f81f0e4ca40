//! Answers that are kept for a minute, and shared by equal requests at the same time.

use std::sync::{Arc, Mutex, PoisonError};

use contract::{Context, UpstreamCall};

use crate::{Ask, Endpoint, Reply, Upstream, UpstreamError};

impl Upstream {
    /// Like [`Upstream::fetch`], but a success of the last minute, by the same tenant, is not asked for again,
    /// and equal requests at the same time are one. If the one who asks is cancelled, the next one asks.
    ///
    /// # Errors
    /// As [`Upstream::fetch`]; errors and error statuses are not kept.
    pub async fn fetch_cached(&self, cx: &Context, ask: &Ask<'_>) -> Result<Reply, UpstreamError> {
        loop {
            match self.fetch_shared(cx, ask).await {
                (Err(UpstreamError::Timeout { waited, .. }), false)
                    if waited < self.limits.exchange() && !cx.remaining().is_zero() => {}
                (result, _) => return result,
            }
        }
    }

    /// The answer to equal requests at the same time, and whether this call was the one who asked. The one who asked
    /// may have had less time than those who wait.
    async fn fetch_shared(&self, cx: &Context, ask: &Ask<'_>) -> (Result<Reply, UpstreamError>, bool) {
        let key = ask.key(cx.tenant.as_deref());
        let asked = Arc::new(Mutex::new(false));
        let asking = Arc::clone(&asked);
        let result = self
            .cache
            .try_get_with(key, async move {
                *asking.lock().unwrap_or_else(PoisonError::into_inner) = true;
                match self.fetch(cx, ask).await {
                    Ok(reply) if reply.status < 400 => Ok(reply),
                    other => Err(other),
                }
            })
            .await;
        let has_asked = *asked.lock().unwrap_or_else(PoisonError::into_inner);
        if !has_asked {
            self.note_cached(cx, ask.endpoint);
        }
        (result.or_else(Arc::unwrap_or_clone), has_asked)
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
