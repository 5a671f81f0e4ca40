//! Whether a window ends with a time in which nothing is recorded.

use std::time::Duration;

use contract::{Context, TimeRange};
use jiff::Timestamp;

use super::awaits;
use crate::{
    analysis::volume::{self, Stream},
    backend::Logs,
    model::Search,
};

/// From this share of a window on, time at its end without any record is looked at, and so many seconds of it.
const EMPTY_END: f64 = 0.02;
const LEAST_END: f64 = 60.0;
/// Steps in which the window is counted for that.
const STEPS: f64 = 60.0;

/// The last record of a window after which none of any service came, though many are usual in the time that is left of it and
/// would have arrived. `None` also where that can't be asked, or only of a part.
pub(crate) async fn stops(cx: &Context, store: &dyn Logs, window: TimeRange) -> Option<Timestamp> {
    let all = Search { window, text: None, conditions: Vec::new() };
    let fresh = store.freshness(cx, &all).await.ok().filter(|fresh| fresh.partial.is_empty())?.value;
    let last = fresh.newest?;
    let empty = window.end().duration_since(last).as_secs_f64();
    let late = awaits(&fresh, cx.now.duration_since(last).as_secs_f64());
    if late || empty < LEAST_END.max(EMPTY_END * window.seconds()) {
        return None;
    }
    let step = Duration::from_secs((window.seconds() / STEPS).ceil() as u64);
    let counted =
        store.histogram(cx, &all, step, None).await.ok().filter(|reply| reply.partial.is_empty())?;
    let counts = counted.value.total;
    volume::stopped(&Stream { counts: &counts, window: 0, earlier: &[] }, empty / step.as_secs_f64())?;
    Some(last)
}
