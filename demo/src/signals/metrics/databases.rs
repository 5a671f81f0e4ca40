//! What the exporters say about the database and the cache.

use crate::World;
use crate::history::{OperationStep, PoolStep, ReplicaStep};
use crate::incident::STEP;
use crate::shop::Convention;

use super::sheet::{ABSENT, Sheet, rounded};
use super::target::Target;

const MIB: f64 = 1_048_576.0;

pub(super) fn emit(target: &Target<'_>, sheet: &mut Sheet) {
    let Some(operation) = target.history.operations.first() else { return };
    let page = Page { target, steps: target.part(&operation.steps), sheet };
    match target.service.speaks {
        Convention::Postgres => page.postgres(),
        Convention::Redis => page.redis(),
        _ => {}
    }
}

struct Page<'a, 'b> {
    target: &'a Target<'a>,
    steps: &'a [OperationStep],
    sheet: &'b mut Sheet,
}

impl Page<'_, '_> {
    fn gauge<const N: usize>(
        &mut self,
        about: (&'static str, &'static str),
        labels: [(&'static str, &str); N],
        values: Vec<f64>,
    ) {
        self.sheet.gauge(about, self.target.labels_and(labels), self.target.clock(), values);
    }

    fn counter<const N: usize>(
        &mut self,
        about: (&'static str, &'static str),
        labels: [(&'static str, &str); N],
        decimals: u32,
        added: impl Fn(&OperationStep) -> f64,
    ) {
        let added: Vec<f64> = self.steps.iter().map(added).collect();
        let values = self.target.counter(decimals, &added);
        self.sheet.counter(about, self.target.labels_and(labels), self.target.clock(), values);
    }

    /// The exporter's own word on whether its database answers.
    fn up(&mut self, about: (&'static str, &'static str)) {
        let values = self.target.steps.iter().map(|step| f64::from(u8::from(step.live))).collect();
        self.gauge(about, [], values);
    }

    fn postgres(mut self) {
        let database = ("datname", "shop");
        self.up(("pg_up", "Whether the last scrape of metrics from PostgreSQL was able to connect."));
        let maximum = self.target.constant(400.0);
        self.gauge(("pg_settings_max_connections", "Maximum number of concurrent connections."), [], maximum);
        let clients = clients(self.target.world);
        let queries = self.target.gauge(0, |step| step.in_flight);
        let activity = ("pg_stat_activity_count", "number of connections in this state");
        let column = |count: fn(&PoolStep, f64) -> f64| -> Vec<f64> {
            let both = clients.iter().zip(&queries);
            both.map(
                |(pool, active)| if super::sheet::is_absent(*active) { ABSENT } else { count(pool, *active) },
            )
            .collect()
        };
        let active = column(|pool, active| active.min(f64::from(pool.in_use)));
        let waiting = column(|pool, active| (f64::from(pool.in_use) - active).max(0.0));
        let idle = column(|pool, _| f64::from(pool.size.saturating_sub(pool.in_use)));
        self.gauge(activity, [database, ("state", "active")], active);
        self.gauge(activity, [database, ("state", "idle in transaction")], waiting);
        self.gauge(activity, [database, ("state", "idle")], idle);
        let commits = ("pg_stat_database_xact_commit", "Transactions that have been committed");
        self.counter(commits, [database], 0, |step| f64::from(step.succeeded()));
        let rollbacks = ("pg_stat_database_xact_rollback", "Transactions that have been rolled back");
        self.counter(rollbacks, [database], 0, |step| f64::from(step.failed()));
        let calls = ("pg_stat_statements_calls", "Number of times executed");
        self.counter(calls, [database], 0, |step| f64::from(step.requests));
        let seconds = ("pg_stat_statements_seconds", "Total time spent in the statement, in seconds");
        self.counter(seconds, [database], 6, |step| f64::from(step.succeeded()) * step.latency.mean());
    }

    fn redis(mut self) {
        self.up(("redis_up", "Information about the Redis instance"));
        let limit = self.target.service.memory.limit * MIB * 0.85;
        let clients = self.target.gauge(0, |step: &ReplicaStep| 46.0 + step.in_flight);
        self.gauge(("redis_connected_clients", "connected_clients metric"), [], clients);
        let used = self.target.gauge(0, |step| step.memory * 0.94);
        self.gauge(("redis_memory_used_bytes", "memory_used_bytes metric"), [], used);
        let maximum = self.target.constant(rounded(limit, 0));
        self.gauge(("redis_memory_max_bytes", "memory_max_bytes metric"), [], maximum);
        let commands = ("redis_commands_processed", "commands_processed_total metric");
        self.counter(commands, [], 0, |step| f64::from(step.requests));
        let seconds =
            ("redis_commands_duration_seconds", "Total amount of time in seconds spent on commands");
        self.counter(seconds, [], 6, |step| f64::from(step.succeeded()) * step.latency.mean());
        let hits = ("redis_keyspace_hits", "keyspace_hits_total metric");
        self.counter(hits, [], 0, |step| libm::floor(f64::from(step.succeeded()) * 0.93));
        let misses = ("redis_keyspace_misses", "keyspace_misses_total metric");
        self.counter(misses, [], 0, |step| {
            f64::from(step.succeeded()) - libm::floor(f64::from(step.succeeded()) * 0.93)
        });
        let evictions = ("redis_evicted_keys", "evicted_keys_total metric");
        self.counter(evictions, [], 0, |step| f64::from(step.requests / (40 * STEP as u32)));
    }
}

/// Connections of all pools together, by step.
fn clients(world: &World) -> Vec<PoolStep> {
    let mut sums = vec![PoolStep::default(); world.incident.steps()];
    for replica in &world.history.replicas {
        for (sum, step) in sums.iter_mut().zip(&replica.steps) {
            sum.size += step.pool.size;
            sum.in_use += step.pool.in_use;
        }
    }
    sums
}
