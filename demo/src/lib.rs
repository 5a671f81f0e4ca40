//! A model of a small online shop and its incidents, from which recorded incidents are generated: directories of
//! standard formats that stock tools load. The same seed gives the same bytes on every machine.
//!
//! ```text
//! fault, seed ─▶ Incident ─▶ simulate ─▶ History ─▶ signals/*.rs ─▶ directory
//!                 Shop, Cluster ──┘
//! ```
//! [`World`] holds all of it; each signal is one file over the same world and adds nothing to what happened.

mod cluster;
mod data;
mod history;
mod incident;
mod load;
mod lognormal;
mod month;
mod random;
mod shop;
mod signals;
mod simulate;
mod station;

use std::io;
use std::path::Path;

pub use data::{Culprit, Reach, Series, Truth};
pub use incident::Fault;
pub use signals::{Options, Written};

use cluster::Cluster;
use history::History;
use incident::Incident;
use month::Month;
use shop::Shop;

/// A shop, what happened to it, and what was planned to happen.
#[derive(Debug)]
pub struct World {
    pub(crate) shop: Shop,
    pub(crate) incident: Incident,
    pub(crate) cluster: Cluster,
    pub(crate) history: History,
    pub(crate) month: Month,
}

impl World {
    /// The incident of the demo: `payment` is deployed with a fifth of its connections.
    #[must_use]
    pub fn demo() -> World {
        let shop = Shop::open();
        let incident = Incident::demo(&shop);
        World::of(shop, incident)
    }

    /// An incident of a kind. Another seed is another victim, onset, amount, other red herrings and noise.
    #[must_use]
    pub fn incident(fault: Fault, seed: u64) -> World {
        let shop = Shop::open();
        let incident = Incident::by_seed(&shop, fault, seed);
        World::of(shop, incident)
    }

    fn of(shop: Shop, incident: Incident) -> World {
        let cluster = Cluster::populate(&shop, &incident);
        let history = simulate::simulate(&shop, &incident, &cluster);
        let month = Month::simulate(&shop, &incident, &cluster, &history);
        World { shop, incident, cluster, history, month }
    }

    /// Writes the recording into a directory, which is made if needed. Files that are there already are
    /// overwritten, others left alone.
    ///
    /// # Errors
    /// When something can't be written.
    pub fn write(&self, directory: &Path, options: &Options) -> io::Result<Written> {
        signals::write(self, directory, options)
    }
}
