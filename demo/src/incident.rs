//! What goes wrong, when, where and how much; and what else changes without having to do with it.

mod choice;

use std::fmt;

use jiff::Timestamp;

/// What can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// A deployment that changes the image and an environment value, which shrinks the connection pool.
    PoolShrunk,
    /// A callee answers, but late.
    SlowDependency,
    /// A callee does not answer at all.
    DeadDependency,
    /// Something in the container takes the cores that requests need.
    CpuStarvation,
    /// Memory grows until the kernel kills the container, again and again.
    MemoryLeak,
    /// More customers than there is room for.
    TrafficSurge,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Fault; 6] = [
        Fault::PoolShrunk,
        Fault::SlowDependency,
        Fault::DeadDependency,
        Fault::CpuStarvation,
        Fault::MemoryLeak,
        Fault::TrafficSurge,
    ];

    /// Its name on the command line and in `truth.json`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Fault::PoolShrunk => "pool-shrunk",
            Fault::SlowDependency => "slow-dependency",
            Fault::DeadDependency => "dead-dependency",
            Fault::CpuStarvation => "cpu-starvation",
            Fault::MemoryLeak => "memory-leak",
            Fault::TrafficSurge => "traffic-surge",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Fault> {
        Fault::ALL.into_iter().find(|fault| fault.name() == name)
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

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
