//! A queue before a number of equal servers: connections of a pool, cores of a container.

use libm::{exp, pow, sqrt};

/// What a station has to do during one step.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Demand {
    /// Servers: connections, cores.
    pub(crate) servers: f64,
    /// Seconds that one request occupies a server.
    pub(crate) holding: f64,
    /// Requests per second.
    pub(crate) rate: f64,
    /// Seconds after which who waits gives up.
    pub(crate) patience: f64,
}

/// How it went.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Queue {
    /// Mean seconds waited by those who were served.
    pub(crate) wait: f64,
    /// Its deviation.
    pub(crate) wait_deviation: f64,
    /// How many wait, on average.
    pub(crate) waiting: f64,
    /// How many servers are busy, on average.
    pub(crate) busy: f64,
    /// Share of requests that gave up.
    pub(crate) rejected: f64,
}

/// A station remembers only who still waits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Station {
    backlog: f64,
}

/// Beyond this utilisation the queue is the backlog, not the formula for a steady state, which knows no bound.
const STEADY: f64 = 0.95;

impl Station {
    /// Lets `seconds` pass.
    pub(crate) fn advance(&mut self, demand: Demand, seconds: f64) -> Queue {
        let Demand { servers, holding, rate, patience } = demand;
        if rate <= 0.0 || holding <= 0.0 {
            self.backlog = 0.0;
            return Queue::default();
        }
        let capacity = servers / holding;
        let unbounded = (self.backlog + (rate - capacity) * seconds).max(0.0);
        self.backlog = unbounded.min(capacity * patience);
        let overflow = (unbounded - self.backlog) / (rate * seconds);

        let utilisation = (rate / capacity).min(STEADY);
        let steady = steady_wait(servers, utilisation) * holding;
        let drained = self.backlog / capacity;
        let wait = steady.max(drained).min(patience);
        let gives_up = if rate < capacity { impatient(servers, utilisation, holding, patience) } else { 0.0 };
        let rejected = (overflow + gives_up).min(1.0);

        let served = rate * (1.0 - rejected);
        let busy = if self.backlog > 0.0 { servers } else { (served * holding).min(servers) };
        let waiting = self.backlog.max(served * wait);
        let wait_deviation = sqrt(steady * steady + 0.02 * drained * drained).min(patience / 4.0);
        Queue { wait, wait_deviation, waiting, busy, rejected }
    }
}

/// Mean wait in units of the holding time: Sakasegawa's approximation of M/M/c (1977).
fn steady_wait(servers: f64, utilisation: f64) -> f64 {
    pow(utilisation, sqrt(2.0 * (servers + 1.0)) - 1.0) / (servers * (1.0 - utilisation))
}

/// The share that waits longer than `patience`: waits of an M/M/c queue are exponential.
fn impatient(servers: f64, utilisation: f64, holding: f64, patience: f64) -> f64 {
    let free = servers * (1.0 - utilisation) / holding;
    let waits_at_all = steady_wait(servers, utilisation) * holding * free;
    waits_at_all.min(1.0) * exp(-patience * free)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENT: f64 = 1e9;

    /// Erlang's C formula: the exact chance to wait, by the recursion of his B formula.
    fn exact_wait(servers: u32, utilisation: f64) -> f64 {
        let load = utilisation * f64::from(servers);
        let blocked = (1..=servers).fold(1.0, |blocked, k| load * blocked / (f64::from(k) + load * blocked));
        let waits = blocked / (1.0 - utilisation * (1.0 - blocked));
        waits / (f64::from(servers) * (1.0 - utilisation))
    }

    #[test]
    fn waits_are_near_those_of_erlang() {
        for (servers, utilisation) in [(1, 0.3), (1, 0.9), (4, 0.7), (10, 0.8), (10, 0.93), (50, 0.9)] {
            let demand = Demand {
                servers: f64::from(servers),
                holding: 0.4,
                rate: utilisation * f64::from(servers) / 0.4,
                patience: PATIENT,
            };
            let queue = Station::default().advance(demand, 15.0);
            let exact = exact_wait(servers, utilisation) * 0.4;

            // The approximation is known to be within a tenth.
            assert!(
                (queue.wait - exact).abs() < 0.1 * exact + 0.002,
                "{servers} {utilisation}: {queue:?} {exact}"
            );
            assert!((queue.busy - utilisation * f64::from(servers)).abs() < 1e-9);
        }
    }

    #[test]
    fn an_overloaded_station_fills_up_and_then_turns_away_what_it_cannot_serve() {
        // 10 connections for 0.4 s serve 25/s of 30/s: 5/s queue up until 25/s × 1.5 s = 37.5 wait.
        let demand = Demand { servers: 10.0, holding: 0.4, rate: 30.0, patience: 1.5 };
        let mut station = Station::default();

        let early = station.advance(demand, 3.0);
        assert!(early.busy == 10.0 && early.waiting >= 15.0 && early.waiting < 37.5, "{early:?}");
        assert_eq!(early.rejected, 0.0);
        for _ in 0..10 {
            station.advance(demand, 3.0);
        }
        let late = station.advance(demand, 3.0);
        assert_eq!(late.wait, 1.5);
        assert!((late.rejected - 5.0 / 30.0).abs() < 1e-9, "{late:?}");

        // Freed, it drains: 37.5 − 3 × 15 < 0.
        let relieved = station.advance(Demand { rate: 10.0, ..demand }, 3.0);
        assert!(relieved.wait < 0.01 && relieved.rejected < 1e-6, "{relieved:?}");
    }
}
