//! What goes wrong, when, where and how much; and what else changes without having to do with it.

mod amounts;
mod choice;
mod fault;

use jiff::Timestamp;

pub use fault::Fault;

/// A fault with its amounts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Effect {
    /// The pool of each replica, once it is replaced.
    Pool { size: u32 },
    /// Seconds more for each request's own work, on average.
    Slow { seconds: f64 },
    /// Every replica is down.
    Dead,
    /// Share of the cores that is lost to requests.
    Burn { share: f64 },
    /// MiB that the memory of a replica grows in a second.
    Leak { per_second: f64 },
    /// Connections that each replica takes and never gives back, in a second.
    LoseConnections { per_second: f64 },
    /// A container on the same node takes what is free and more: cores left to each pod of the victim there.
    Neighbour { node: usize, left: f64 },
    /// The certificate has run out: whoever connects anew is refused.
    Expired,
    /// Share of requests that a new configuration answers with an error, as fast as ever.
    Fail { share: f64 },
    /// Share of requests that no longer come: from a caller (its index), else from outside.
    Lose { share: f64, caller: Option<usize> },
    /// It works, but its metrics can't be read; when not `listed`, its targets are gone as well.
    Hide { listed: bool },
    /// Times as many requests from outside, reached within `ramp` seconds.
    Surge { times: f64, ramp: f64 },
}

/// A change that makes noise but hurts nobody.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Herring {
    pub(crate) service: usize,
    pub(crate) kind: HerringKind,
    /// When it happens, in seconds since 1970; until the end of what is recorded.
    pub(crate) start: i64,
}

/// Kinds of such changes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum HerringKind {
    /// Requests per second more from outside.
    Bump { per_second: f64 },
    /// A batch in the background uses the cores that are free, each day at this time, and once earlier
    /// between these moments.
    Batch { earlier: (i64, i64) },
    /// A deployment with no effect.
    Deployment,
}

/// A new version of a service.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Deployment {
    pub(crate) service: usize,
    /// When its first replica is replaced, in seconds since 1970; the others follow one by one.
    pub(crate) at: i64,
    pub(crate) version: String,
    /// Environment values that change with it: name, before, after.
    pub(crate) environment: Vec<(&'static str, String, String)>,
}

/// One incident.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Incident {
    pub(crate) fault: Fault,
    /// Seed of everything random in it.
    pub(crate) seed: u64,
    /// Index of the service where it goes wrong.
    pub(crate) victim: usize,
    /// When it goes wrong, in seconds since 1970.
    pub(crate) onset: i64,
    pub(crate) effect: Effect,
    pub(crate) herrings: Vec<Herring>,
    pub(crate) deployments: Vec<Deployment>,
    /// How busy this shop is, relative to the table of services.
    pub(crate) business: f64,
    pub(crate) id: String,
    pub(crate) title: String,
}

/// Seconds between two steps of the model: the scrape interval.
pub(crate) const STEP: i64 = 15;
/// Recorded before the onset.
const BEFORE: i64 = 2 * 3_600;
/// Recorded after it.
const AFTER: i64 = 30 * 60;

impl Incident {
    /// First recorded moment, in seconds since 1970.
    pub(crate) fn start(&self) -> i64 {
        self.onset - BEFORE
    }

    /// Last recorded moment, which is the recording's `now`.
    pub(crate) fn end(&self) -> i64 {
        self.onset + AFTER
    }

    /// Steps that are recorded. Targets are scraped up to a step later than the model's moments.
    pub(crate) fn steps(&self) -> usize {
        ((self.end() - self.start()) / STEP) as usize
    }
}

/// RFC 3339.
pub(crate) fn written(seconds: i64) -> String {
    Timestamp::from_second(seconds).unwrap_or_default().to_string()
}
