//! What containers use of what they may use, where that leads, and what could be given back.

mod advice;
mod hpa;
mod plan;
mod population;
mod rows;

pub(crate) use advice::{Advice, Ask, advise};
pub(crate) use hpa::{Autoscaler, autoscalers, effect};
pub(crate) use plan::{Plan, Reading, Size, plan};
pub(crate) use population::{Bound, Population, Stat, pods_of};
pub(crate) use rows::{Place, Row, Usage, rank, track, values_by};

/// What is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Resource {
    /// In cores.
    Cpu,
    /// In bytes; shown in MiB.
    Memory,
}

impl Resource {
    /// As Kubernetes calls it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Resource::Cpu => "cpu",
            Resource::Memory => "memory",
        }
    }

    /// The unit that is shown.
    pub(crate) fn unit(self) -> &'static str {
        match self {
            Resource::Cpu => "cores",
            Resource::Memory => "MiB",
        }
    }

    /// A value in the unit that is shown.
    pub(crate) fn shown(self, value: f64) -> f64 {
        match self {
            Resource::Cpu => value,
            Resource::Memory => value / MIB,
        }
    }
}

/// Bytes of a MiB.
pub(crate) const MIB: f64 = 1_048_576.0;

/// Seconds of a day.
pub(crate) const DAY: f64 = 86_400.0;
