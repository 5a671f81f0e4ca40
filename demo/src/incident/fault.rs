//! The kinds of faults.

use std::fmt;

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
    /// Connections are not given back until the pool has none left; nothing was deployed.
    ConnectionLeak,
    /// Somebody else's container takes the cores of a node.
    NoisyNeighbour,
    /// A certificate runs out, and who connects anew is refused.
    CertificateExpiry,
    /// A deployment whose configuration makes a share of requests fail, as fast as they used to succeed.
    BadConfig,
    /// Who sends requests sends few of them.
    LostTraffic,
    /// A service works, but its metrics can't be read any more.
    LostMetrics,
}

impl Fault {
    /// All kinds.
    pub const ALL: [Fault; 12] = [
        Fault::PoolShrunk,
        Fault::SlowDependency,
        Fault::DeadDependency,
        Fault::CpuStarvation,
        Fault::MemoryLeak,
        Fault::TrafficSurge,
        Fault::ConnectionLeak,
        Fault::NoisyNeighbour,
        Fault::CertificateExpiry,
        Fault::BadConfig,
        Fault::LostTraffic,
        Fault::LostMetrics,
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
            Fault::ConnectionLeak => "connection-leak",
            Fault::NoisyNeighbour => "noisy-neighbour",
            Fault::CertificateExpiry => "certificate-expiry",
            Fault::BadConfig => "bad-config",
            Fault::LostTraffic => "lost-traffic",
            Fault::LostMetrics => "lost-metrics",
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
