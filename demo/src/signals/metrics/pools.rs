//! Pools of connections, in four conventions.

use crate::history::PoolStep;
use crate::shop::{PoolNames, Service};

use super::sheet::{About, Kind, Line, Sheet};
use super::target::Target;

pub(super) fn emit(target: &Target<'_>, sheet: &mut Sheet) {
    let Some(pool) = target.service.pool else { return };
    let page = Page { target, sheet };
    match pool.names {
        PoolNames::HomeMade => page.home_made(),
        PoolNames::Hikari => page.hikari(),
        PoolNames::GoSql => page.go_sql(),
        PoolNames::Otel => page.otel(),
    }
}

/// Metrics that show at once that a pool is too small, the first to move first.
pub(crate) fn telling(service: &Service) -> Vec<&'static str> {
    match service.pool.map(|pool| pool.names) {
        Some(PoolNames::HomeMade) => {
            vec!["db_pool_size", "db_pool_in_use", "db_pool_waiting", "db_pool_wait_seconds_total"]
        }
        Some(PoolNames::Hikari) => {
            vec!["hikaricp_connections_max", "hikaricp_connections_active", "hikaricp_connections_pending"]
        }
        Some(PoolNames::GoSql) => {
            vec![
                "go_sql_max_open_connections",
                "go_sql_in_use_connections",
                "go_sql_wait_duration_seconds_total",
            ]
        }
        Some(PoolNames::Otel) => {
            vec![
                "db_client_connections_max",
                "db_client_connections_usage",
                "db_client_connections_pending_requests",
            ]
        }
        None => Vec::new(),
    }
}

/// Metrics that show that connections are not given back: those in use first, and not the size.
pub(crate) fn telling_of_leak(service: &Service) -> Vec<&'static str> {
    telling(service).into_iter().skip(1).collect()
}

/// One number of a pool.
type Reading = fn(&PoolStep) -> f64;

struct Page<'a, 'b> {
    target: &'a Target<'a>,
    sheet: &'b mut Sheet,
}

impl Page<'_, '_> {
    fn gauge<const N: usize>(
        &mut self,
        about: (&'static str, &'static str),
        labels: [(&'static str, &str); N],
        value: Reading,
    ) {
        let values = self.target.gauge(6, |step| value(&step.pool));
        self.sheet.gauge(about, self.target.labels_and(labels), self.target.clock(), values);
    }

    fn counter<const N: usize>(
        &mut self,
        about: (&'static str, &'static str),
        labels: [(&'static str, &str); N],
        value: Reading,
    ) {
        let values = self.counted(value);
        self.sheet.counter(about, self.target.labels_and(labels), self.target.clock(), values);
    }

    fn counted(&self, value: Reading) -> Vec<f64> {
        let added: Vec<f64> = self.target.steps.iter().map(|step| value(&step.pool)).collect();
        self.target.counter(6, &added)
    }

    fn home_made(mut self) {
        self.gauge(("db_pool_size", "Connections the pool may open."), [], size);
        self.gauge(("db_pool_in_use", "Connections in use."), [], in_use);
        self.gauge(("db_pool_waiting", "Requests waiting for a connection."), [], waiting);
        self.counter(("db_pool_wait_seconds", "Seconds spent waiting for connections."), [], waited);
        self.counter(("db_pool_acquisitions", "Connections handed out."), [], acquired);
        self.counter(("db_pool_timeouts", "Requests that got no connection in time."), [], timed_out);
    }

    fn hikari(mut self) {
        let pool = [("pool", "HikariPool-1")];
        self.gauge(("hikaricp_connections_max", "Max connections"), pool, size);
        self.gauge(("hikaricp_connections_active", "Active connections"), pool, in_use);
        self.gauge(("hikaricp_connections_idle", "Idle connections"), pool, idle);
        self.gauge(("hikaricp_connections_pending", "Pending threads"), pool, waiting);
        self.counter(("hikaricp_connections_timeout", "Connection timeout total count"), pool, timed_out);
        let times: [(&str, &str, Reading); 2] = [
            ("hikaricp_connections_acquire_seconds", "Connection acquire time", waited),
            ("hikaricp_connections_usage_seconds", "Connection usage time", held),
        ];
        for (name, help, seconds) in times {
            let lines = vec![
                Line { suffix: "_count", extra: None, values: self.counted(acquired) },
                Line { suffix: "_sum", extra: None, values: self.counted(seconds) },
            ];
            let about = About { name, kind: Kind::Summary, help };
            self.sheet.add(about, self.target.labels_and(pool), self.target.clock(), lines);
        }
    }

    fn go_sql(mut self) {
        let database = [("db_name", "shop")];
        let maximum = "Maximum number of open connections to the database.";
        self.gauge(("go_sql_max_open_connections", maximum), database, size);
        self.gauge(
            ("go_sql_in_use_connections", "The number of connections currently in use."),
            database,
            in_use,
        );
        self.gauge(("go_sql_idle_connections", "The number of idle connections."), database, idle);
        self.counter(
            ("go_sql_wait_count", "The total number of connections waited for."),
            database,
            had_to_wait,
        );
        let blocked = "The total time blocked waiting for a new connection.";
        self.counter(("go_sql_wait_duration_seconds", blocked), database, waited);
    }

    fn otel(mut self) {
        let usage = ("db_client_connections_usage", "Connections in the state described by the label.");
        self.gauge(usage, [("pool_name", "shop"), ("state", "used")], in_use);
        self.gauge(usage, [("pool_name", "shop"), ("state", "idle")], idle);
        let pool = [("pool_name", "shop")];
        self.gauge(
            ("db_client_connections_max", "The maximum number of open connections allowed."),
            pool,
            size,
        );
        let pending = "Requests waiting for an open connection.";
        self.gauge(("db_client_connections_pending_requests", pending), pool, waiting);
        let timeouts = "Connection timeouts that occurred while obtaining a connection.";
        self.counter(("db_client_connections_timeouts", timeouts), pool, timed_out);
    }
}

fn size(pool: &PoolStep) -> f64 {
    f64::from(pool.size)
}

fn in_use(pool: &PoolStep) -> f64 {
    f64::from(pool.in_use)
}

fn idle(pool: &PoolStep) -> f64 {
    f64::from(pool.size.saturating_sub(pool.in_use))
}

fn waiting(pool: &PoolStep) -> f64 {
    f64::from(pool.waiting)
}

fn waited(pool: &PoolStep) -> f64 {
    f64::from(pool.acquired) * pool.wait
}

fn held(pool: &PoolStep) -> f64 {
    f64::from(pool.acquired) * pool.held
}

fn acquired(pool: &PoolStep) -> f64 {
    f64::from(pool.acquired)
}

fn timed_out(pool: &PoolStep) -> f64 {
    f64::from(pool.timed_out)
}

/// Acquisitions that found no free connection: all once the wait is felt.
fn had_to_wait(pool: &PoolStep) -> f64 {
    if pool.wait > 0.001 { f64::from(pool.acquired) } else { 0.0 }
}
