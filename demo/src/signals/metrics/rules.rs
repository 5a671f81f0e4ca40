//! Recording and alerting rules: their file, what they record, and the alerts they make.

pub(crate) mod expression;
mod list;

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::World;

use expression::{Store, Vector};
use list::Recording;
pub(crate) use list::{Alert, ERRORS, LATENCY, REQUESTS, alerts};

use super::sheet::{ABSENT, About, Clock, Kind, Labels, Line, Sheet};

/// Milliseconds between evaluations.
const INTERVAL: i64 = 30_000;
/// Milliseconds into each interval at which the groups are evaluated.
const RECORDING_OFFSET: i64 = 2_118;
const ALERTING_OFFSET: i64 = 9_254;
/// Prometheus has been running for so long, in seconds, when the record begins.
const UPTIME: i64 = 11 * 86_400 + 4_321;

/// One alert of a rule through time.
#[derive(Debug, Clone)]
pub(crate) struct Raised {
    /// Index of the rule.
    pub(crate) rule: usize,
    /// Labels of the series; the rule's and the name come on top.
    pub(crate) labels: Vec<(String, String)>,
    /// When the condition began to hold, in milliseconds since 1970.
    pub(crate) since: i64,
    /// When it had held long enough.
    pub(crate) fired: Option<i64>,
    /// The last evaluation at which it held.
    pub(crate) last: i64,
    /// The value then.
    pub(crate) value: f64,
}

/// Evaluates all rules over a sheet and adds what they record, and `ALERTS`. Returns every alert there was.
pub(crate) fn evaluate(world: &World, sheet: &mut Sheet) -> Vec<Raised> {
    let (recordings, alerts) = (list::recordings(), list::alerts());
    let text: String =
        recordings.iter().map(|rule| rule.expression.text()).chain(alerts.iter().map(Alert::text)).collect();
    // Rules that look back see what was recorded before; what is recorded later comes after it and wins.
    let mut month = Sheet::default();
    super::capacity::services(world, &mut month);
    let mut store = Store::of(&month, |name| recordings.iter().any(|rule| rule.name == name));
    store.extend(sheet, |name| text.contains(name));
    for rule in &recordings {
        record(world, rule, &mut store, sheet);
    }
    let mut raised = Vec::new();
    for (index, alert) in alerts.iter().enumerate() {
        raised.extend(raise(world, index, alert, &store, sheet));
    }
    raised
}

/// Moments at which a group is evaluated.
fn clock(world: &World, offset: i64) -> (Clock, usize) {
    let clock = Clock { first: world.incident.start() * 1000 + offset, every: INTERVAL };
    let count = (world.incident.end() - world.incident.start()) * 1000 / INTERVAL;
    (clock, count as usize)
}

fn record(world: &World, rule: &Recording, store: &mut Store, sheet: &mut Sheet) {
    let (clock, count) = clock(world, RECORDING_OFFSET);
    let mut columns: BTreeMap<Vec<(String, String)>, Vec<f64>> = BTreeMap::new();
    for place in 0..count {
        for (labels, value) in store.evaluate(&rule.expression, clock.at(place)) {
            let column = columns.entry(labels).or_insert_with(|| vec![ABSENT; count]);
            if let Some(cell) = column.get_mut(place) {
                *cell = value;
            }
        }
    }
    for (labels, values) in columns {
        store.add(rule.name, labels.clone(), clock, values.clone());
        let labels = known(&labels);
        sheet.gauge((rule.name, "Recorded by a rule."), labels, clock, values);
    }
}

/// Labels whose names are among those in use; recorded series have no others.
fn known(labels: &[(String, String)]) -> Labels {
    const NAMES: [&str; 11] = [
        "service",
        "job",
        "instance",
        "namespace",
        "pod",
        "container",
        "queue",
        "deployment",
        "reason",
        "node",
        "state",
    ];
    let find = |name: &str| NAMES.into_iter().find(|known| *known == name);
    labels.iter().filter_map(|(name, value)| Some((find(name)?, value.clone()))).collect()
}

/// The series of one alert, evaluation by evaluation.
struct Columns {
    pending: Vec<f64>,
    firing: Vec<f64>,
    since: Vec<f64>,
}

impl Columns {
    fn new(count: usize) -> Columns {
        Columns { pending: vec![ABSENT; count], firing: vec![ABSENT; count], since: vec![ABSENT; count] }
    }

    fn note(&mut self, place: usize, raised: &Raised) {
        let state = if raised.fired.is_some() { &mut self.firing } else { &mut self.pending };
        if let Some(cell) = state.get_mut(place) {
            *cell = 1.0;
        }
        if let Some(cell) = self.since.get_mut(place) {
            *cell = raised.since.div_euclid(1000) as f64;
        }
    }
}

impl Raised {
    fn new(rule: usize, labels: Vec<(String, String)>, since: i64) -> Raised {
        Raised { rule, labels, since, fired: None, last: since, value: 0.0 }
    }

    /// The condition holds at one more evaluation.
    fn goes_on(&mut self, at: i64, value: f64, hold: i64) {
        (self.last, self.value) = (at, value);
        if self.fired.is_none() && at - self.since >= hold * 1000 {
            self.fired = Some(at);
        }
    }
}

/// One alerting rule through time, and its `ALERTS` and `ALERTS_FOR_STATE`.
fn raise(world: &World, index: usize, alert: &Alert, store: &Store, sheet: &mut Sheet) -> Vec<Raised> {
    let (clock, count) = clock(world, ALERTING_OFFSET);
    let mut columns: BTreeMap<Vec<(String, String)>, Columns> = BTreeMap::new();
    let mut active: BTreeMap<Vec<(String, String)>, Raised> = BTreeMap::new();
    let mut ended = Vec::new();
    if alert.name == list::WATCHDOG {
        // What always holds has held since Prometheus was started.
        let mut always = Raised::new(index, Vec::new(), clock.first - UPTIME * 1000);
        always.goes_on(always.since, 1.0, 0);
        active.insert(Vec::new(), always);
    }
    for place in 0..count {
        let at = clock.at(place);
        let mut found: Vector = store.evaluate(&alert.expression, at);
        found.retain(|_, value| alert.condition.holds(*value));
        let (goes_on, ends): (BTreeMap<_, _>, BTreeMap<_, _>) =
            active.into_iter().partition(|(labels, _)| found.contains_key(labels));
        active = goes_on;
        ended.extend(ends.into_values());
        for (labels, value) in found {
            let raised =
                active.entry(labels.clone()).or_insert_with(|| Raised::new(index, labels.clone(), at));
            raised.goes_on(at, value, alert.hold);
            columns.entry(labels).or_insert_with(|| Columns::new(count)).note(place, raised);
        }
    }
    ended.extend(active.into_values());
    add_series(alert, clock, columns, sheet);
    ended
}

fn add_series(
    alert: &Alert,
    clock: Clock,
    columns: BTreeMap<Vec<(String, String)>, Columns>,
    sheet: &mut Sheet,
) {
    for (labels, column) in columns {
        let with = |state: Option<&str>| {
            let mut all: Labels = vec![("alertname", alert.name.to_owned())];
            all.extend(state.map(|state| ("alertstate", state.to_owned())));
            all.extend(known(&labels));
            all.extend([("severity", alert.severity.to_owned()), ("team", alert.team.to_owned())]);
            all
        };
        for (state, values) in [("pending", column.pending), ("firing", column.firing)] {
            let about = About { name: "ALERTS", kind: Kind::Unknown, help: "Alerts by state." };
            let line = Line { suffix: "", extra: None, values };
            sheet.add(about, with(Some(state)), clock, vec![line]);
        }
        let about =
            About { name: "ALERTS_FOR_STATE", kind: Kind::Unknown, help: "When alerts became active." };
        sheet.add(about, with(None), clock, vec![Line { suffix: "", extra: None, values: column.since }]);
    }
}

/// `rules.yml`.
pub(crate) fn write(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "groups:\n  - name: shop-recording\n    interval: 30s\n    rules:")?;
    for rule in list::recordings() {
        writeln!(out, "      - record: {}\n        expr: {}", rule.name, quoted(&rule.expression.text()))?;
    }
    writeln!(out, "\n  - name: shop-alerts\n    interval: 30s\n    rules:")?;
    for alert in list::alerts() {
        writeln!(out, "      - alert: {}\n        expr: {}", alert.name, quoted(&alert.text()))?;
        if alert.hold > 0 {
            writeln!(out, "        for: {}m", alert.hold / 60)?;
        }
        writeln!(out, "        labels: {{ severity: {}, team: {} }}", alert.severity, alert.team)?;
        writeln!(out, "        annotations:")?;
        writeln!(out, "          summary: {}", quoted(alert.summary))?;
        writeln!(out, "          description: {}", quoted(alert.description))?;
        writeln!(out, "          runbook_url: {}", alert.runbook())?;
    }
    Ok(())
}

/// A YAML string in single quotes, in which nothing but the quote itself is special.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
