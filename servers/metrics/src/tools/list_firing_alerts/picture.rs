//! Everything an answer is made from, sorted out: what fires, what is held back, what waits, what ended.

use std::collections::BTreeMap;

use contract::{Cite, Context, Draft, Evidence, Untrusted};
use jiff::Timestamp;

use super::gather::{Heard, History};
use crate::{
    analysis::alerts::{
        OneAlert, Severity, Side, Standing,
        families::{Family, Spread, families, spread},
        fires_by_design,
        history::{self, Fired},
        service::{self, Fit},
    },
    model::{Labels, Silence},
};

/// Seconds that an evaluation of rules and the writing of its samples may take.
const LATE: f64 = 120.0;

/// What there is to tell.
pub(super) struct Picture<'a> {
    pub(super) now: Timestamp,
    pub(super) heard: &'a Heard<'a>,
    /// Every alert, whatever was asked.
    pub(super) all: &'a [OneAlert<'a>],
    /// Only alerts about this service are in the families.
    pub(super) service: Option<Untrusted>,
    /// By which labels they are about it, and how many alerts by each.
    pub(super) matched_by: BTreeMap<(Fit, &'static str), usize>,
    pub(super) firing: Vec<Family<'a>>,
    pub(super) suppressed: Vec<Family<'a>>,
    /// Firing, then suppressed alerts, as families whatever the rows are.
    pub(super) stories: Vec<Family<'a>>,
    /// How many of the stories fire.
    pub(super) firing_families: usize,
    pub(super) pending: Vec<Family<'a>>,
    /// What fired in the window and no longer does.
    pub(super) ended: Vec<EndedFamily<'a>>,
    /// What fires although it ended in the window, the most often first.
    pub(super) flapping: Vec<&'a Fired>,
    /// Firing alerts that say nothing about a system.
    pub(super) by_design: Vec<&'a OneAlert<'a>>,
    /// Whether each alert has a row of its own.
    pub(super) full: bool,
}

/// Alerts of one name and severity that ended.
pub(super) struct EndedFamily<'a> {
    /// The one that was last seen firing.
    pub(super) latest: &'a Fired,
    pub(super) members: Vec<&'a Fired>,
    pub(super) spread: Spread,
}

impl<'a> Picture<'a> {
    pub(super) fn new(
        cx: &Context,
        heard: &'a Heard<'a>,
        all: &'a [OneAlert<'a>],
        fired: &'a [Fired],
        service: Option<Untrusted>,
        full: bool,
    ) -> Picture<'a> {
        let mut matched_by = BTreeMap::new();
        let mut wanted: Vec<&OneAlert<'a>> = Vec::new();
        let mut by_design = Vec::new();
        for alert in all {
            if fires_by_design(alert.name()) {
                by_design.push(alert);
            } else if let Some(service) = &service {
                if let Some(how) = service::matched(&alert.labels, service.inside()) {
                    *matched_by.entry(how).or_insert(0) += 1;
                    wanted.push(alert);
                }
            } else {
                wanted.push(alert);
            }
        }
        by_design.retain(|alert| alert.standing != Standing::Pending);
        let of = |standing: Standing, apart: bool| {
            let some: Vec<&OneAlert<'a>> =
                wanted.iter().copied().filter(|alert| alert.standing == standing).collect();
            families(&some, apart)
        };
        let mut stories = of(Standing::Firing, false);
        let firing_families = stories.len();
        stories.extend(of(Standing::Suppressed, false));
        let (ended, flapping) = before(all, fired, service.as_ref(), full);
        Picture {
            now: cx.now,
            heard,
            all,
            matched_by,
            firing: of(Standing::Firing, full),
            suppressed: of(Standing::Suppressed, full),
            pending: of(Standing::Pending, full),
            stories,
            firing_families,
            ended,
            flapping,
            by_design,
            service,
            full,
        }
    }

    /// How many alerts these families hold.
    pub(super) fn count(families: &[Family<'_>]) -> usize {
        families.iter().map(|family| family.members.len()).sum()
    }

    /// How many alerts of this standing there are in all, whatever service was asked for; those that fire by
    /// design don't count.
    pub(super) fn in_all(&self, standing: Standing) -> usize {
        let counts = |alert: &&OneAlert<'_>| alert.standing == standing && !fires_by_design(alert.name());
        self.all.iter().filter(counts).count()
    }

    /// Firing and suppressed alerts of the families that one side does not know.
    pub(super) fn missing_in(&self, side: Side) -> Vec<&'a OneAlert<'a>> {
        let families = self.firing.iter().chain(&self.suppressed);
        families
            .flat_map(|family| family.members.iter().copied())
            .filter(|alert| alert.not_in == Some(side))
            .collect()
    }

    /// Whether what fired in the window is not known although it was asked for: nothing was recorded then, or alerts
    /// were not, because one that fired in it by the rules is not there.
    pub(super) fn unrecorded(&self) -> bool {
        let Some(History { plan, alive: Some(alive), .. }) = &self.heard.history else { return false };
        let fired = |alert: &OneAlert<'_>| {
            let (Some((_, rule)), Some(since)) = (alert.rule, alert.since) else { return false };
            let before_the_end = plan.covered.end().duration_since(since).as_secs_f64();
            alert.standing != Standing::Pending && before_the_end > rule.for_seconds + LATE
        };
        !matches!(alive, Ok(true)) || self.all.iter().any(fired)
    }

    /// The alert with this fingerprint.
    pub(super) fn by_fingerprint(&self, fingerprint: &str) -> Option<&'a OneAlert<'a>> {
        self.all
            .iter()
            .find(|alert| alert.delivered.is_some_and(|delivered| delivered.fingerprint == fingerprint))
    }

    /// The silence of this id.
    pub(super) fn silence(&self, id: &str) -> Option<&'a Silence> {
        let Some(Ok(silences)) = &self.heard.silences else { return None };
        silences.silences.iter().find(|silence| silence.id == id)
    }
}

/// Severity, name, and the labels where each alert has a row of its own.
type EndedKey<'k> = (&'k Severity, Option<Untrusted>, Option<&'k Labels>);

/// What ended, the worst and then the latest first; and what fires although it ended.
fn before<'a>(
    all: &[OneAlert<'_>],
    fired: &'a [Fired],
    service: Option<&Untrusted>,
    full: bool,
) -> (Vec<EndedFamily<'a>>, Vec<&'a Fired>) {
    let now: Vec<&OneAlert<'_>> = all.iter().filter(|alert| alert.standing != Standing::Pending).collect();
    let still = history::still_firing(fired, &now);
    let name = |one: &Fired| one.labels.get("alertname").cloned();
    let wanted = |one: &Fired| {
        let about = service.is_none_or(|service| service::matched(&one.labels, service.inside()).is_some());
        about && !name(one).is_some_and(|name| fires_by_design(name.inside()))
    };
    let mut flapping = Vec::new();
    let mut groups: BTreeMap<EndedKey<'_>, Vec<&'a Fired>> = BTreeMap::new();
    for (one, still) in fired.iter().zip(still).filter(|(one, _)| wanted(one)) {
        if !still {
            groups.entry((&one.severity, name(one), full.then_some(&one.labels))).or_default().push(one);
        } else if one.episodes > 1 || one.stopped {
            flapping.push(one);
        }
    }
    flapping.sort_by(|one, other| (other.episodes, &one.labels).cmp(&(one.episodes, &other.labels)));
    let mut ended: Vec<EndedFamily<'a>> = groups.into_values().filter_map(ended_family).collect();
    ended.sort_by(|one, other| {
        let key =
            |family: &EndedFamily<'_>| (family.latest.severity.rank, std::cmp::Reverse(family.latest.last));
        key(one).cmp(&key(other)).then_with(|| one.latest.labels.cmp(&other.latest.labels))
    });
    (ended, flapping)
}

fn ended_family<'a>(mut members: Vec<&'a Fired>) -> Option<EndedFamily<'a>> {
    members.sort_by(|one, other| (other.last, &one.labels).cmp(&(one.last, &other.labels)));
    let latest = *members.first()?;
    let hidden = latest.severity.label.as_ref().map_or("", |(name, _)| *name);
    let labels: Vec<&Labels> = members.iter().map(|one| &one.labels).collect();
    Some(EndedFamily { latest, spread: spread(&labels, &["alertname", hidden]), members })
}

/// The evidence of the answer. A reference is there only for what was heard.
pub(super) struct Cites {
    pub(super) rules: Option<Cite>,
    pub(super) delivered: Option<Cite>,
    pub(super) silences: Option<Cite>,
    pub(super) history: Option<Cite>,
}

impl Cites {
    /// Notes what was asked, exactly.
    pub(super) fn new(cx: &Context, heard: &Heard<'_>, draft: &mut Draft) -> Cites {
        let rules = heard
            .metrics
            .filter(|_| heard.rules.is_ok())
            .map(|metrics| draft.cite(Evidence::new(metrics.system(), "GET /api/v1/rules").at(cx.now)));
        // The first replica stands for all; the others are evidence too.
        let mut replicas = |coverage: &alertmanager::Coverage| {
            let each = coverage.answered.iter().map(|replica| {
                draft.cite(Evidence::new(replica.system.as_str(), replica.endpoint.to_string()).at(cx.now))
            });
            each.collect::<Vec<_>>().first().copied()
        };
        let delivered = heard.delivered.as_ref().ok().and_then(|alerts| replicas(&alerts.coverage));
        let silences = match &heard.silences {
            Some(Ok(silences)) => replicas(&silences.coverage),
            _ => None,
        };
        let history = match (&heard.history, heard.metrics) {
            (Some(History { plan, reply: Ok(_), alive }), Some(metrics)) => {
                let mut cite = |promql: &str| {
                    let link = metrics.link(promql, Some(plan.asked), cx.now);
                    let evidence = Evidence::new(metrics.system(), promql).link(link);
                    draft.cite(evidence.over(plan.asked).every(plan.step))
                };
                let fired = cite(&plan.promql);
                if alive.is_some() {
                    cite(history::ALIVE);
                }
                Some(fired)
            }
            _ => None,
        };
        Cites { rules, delivered, silences, history }
    }

    /// Of the alerts themselves: the rules, else Alertmanager. One of them was heard.
    pub(super) fn alerts(&self) -> Option<Cite> {
        self.rules.or(self.delivered)
    }
}
