//! What the metric is: its type, its series, how often they are scraped, its labels.

use contract::{Cite, Draft, Evidence, ToolError, Untrusted, nearest};
use promql_parser::parser::value::ValueType;

use super::{Call, windows::Layout};
use crate::{
    analysis::{
        promql::{self, DEEPEST, Reading, SCRAPE, brief, selector_text, selectors},
        search::families,
        transform::{Form, Grouping, Measure, Subject, adds_up, bare, form_of, grouped},
    },
    model::Metadata,
};

/// Names of the metric's relatives, and of labels, at most.
const MOST_NAMES: usize = 500;

/// What `by` calls by a common name, and the labels that mean it, the usual ones first.
const ALIASES: [(&str, &[&str]); 4] = [
    (
        "route",
        &["http_route", "uri", "path", "handler", "endpoint", "operation", "rpc_method", "grpc_method"],
    ),
    ("method", &["http_request_method", "http_method", "verb", "rpc_method", "grpc_method"]),
    (
        "version",
        &["service_version", "app_version", "app_kubernetes_io_version", "image_tag", "image", "revision"],
    ),
    ("instance", &["pod", "k8s_pod_name", "service_instance_id", "host", "node", "container"]),
];

/// A metric as it is asked for.
pub(super) struct Metric<'q> {
    pub(super) reading: Reading<'q>,
    /// The metric, when the argument is nothing but a selector.
    pub(super) subject: Option<Subject>,
    /// Series at the end of the window in question, when known.
    pub(super) series: Option<u64>,
    /// Distance of samples in seconds, when known.
    pub(super) scrape: Option<f64>,
    /// The labels that `by` means.
    pub(super) by: Vec<String>,
    /// The labels of its series, where they were asked for.
    pub(super) labels: Vec<Untrusted>,
}

impl<'q> Metric<'q> {
    /// Finds out what the metric is.
    ///
    /// # Errors
    /// When the argument can't be compared, or the source does not answer.
    pub(super) async fn of(call: &Call<'q>, draft: &mut Draft) -> Result<Metric<'q>, ToolError> {
        let reading = read(call)?;
        let subject = match bare(&reading) {
            Some(_) => Some(typed(call, &reading, draft).await?),
            None => None,
        };
        let mut metric =
            Metric { reading, subject, series: None, scrape: None, by: Vec::new(), labels: Vec::new() };
        if let Some(by) = &call.request.by {
            metric.resolve(call, by, draft).await?;
        }
        metric.count(call).await;
        Ok(metric)
    }

    /// The questions, at this fineness. An expression is one question, and can be grouped only when it was understood.
    pub(super) fn measures(&self, grouping: Grouping<'_>, layout: Layout) -> Vec<Measure> {
        if let Some(subject) = &self.subject {
            return subject.measures(grouping, layout.range);
        }
        let promql = match (&self.reading.tree, grouping) {
            (Some(tree), Grouping::By(_) | Grouping::Total) if let Some(inner) = self.vector() => {
                let how = if adds_up(tree) { "sum" } else { "avg" };
                grouped(how, grouping, &[], &inner)
            }
            _ => self.reading.text.to_owned(),
        };
        vec![Measure { name: "value", promql, adds_up: self.adds_up() }]
    }

    /// Whether it was understood and gives series, so that it can be summed up and counted.
    pub(super) fn is_vector(&self) -> bool {
        self.subject.is_some() || self.vector().is_some()
    }

    /// The expression, to be written into another one.
    fn vector(&self) -> Option<String> {
        self.reading
            .tree
            .as_ref()
            .filter(|tree| tree.value_type() == ValueType::Vector)
            .and_then(promql::write)
    }

    /// Whether the values of its series add up.
    pub(super) fn adds_up(&self) -> bool {
        self.subject.is_none() && self.reading.tree.as_ref().is_some_and(adds_up)
    }

    /// What is counted to know how many series there are.
    pub(super) fn counted(&self) -> Option<String> {
        match &self.subject {
            Some(subject) => Some(subject.counted_selector()),
            None => self.vector(),
        }
    }

    /// The smallest difference that means anything: one event in the window of a rate.
    pub(super) fn resolution(&self, measure: &str, layout: Layout) -> f64 {
        if self.subject.is_some() && measure == "rate" { 1.0 / layout.range as f64 } else { 0.0 }
    }

    /// The labels that `by` names, looked for among those there are.
    async fn resolve(&mut self, call: &Call<'_>, by: &str, draft: &mut Draft) -> Result<(), ToolError> {
        if self.reading.tree.is_none() {
            return Err(ToolError::invalid(
                "by",
                "can't be applied to an expression that was not understood",
            )
            .remedy("write the division into metric: sum by (…) (…)"));
        }
        self.labels = self.label_names(call, draft).await;
        let known: Vec<&str> = self.labels.iter().map(Untrusted::inside).collect();
        for wanted in by.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let usual =
                ALIASES.iter().find(|(name, _)| *name == wanted).map_or(&[][..], |(_, labels)| labels);
            let found = [wanted].into_iter().chain(usual.iter().copied()).find(|name| known.contains(name));
            match found {
                Some(found) => {
                    if found != wanted {
                        draft.caveat(format!("by {wanted}: the label is called {found} here"));
                    }
                    self.by.push(found.to_owned());
                }
                // Nothing is known about the labels: the source decides.
                None if known.is_empty() => self.by.push(wanted.to_owned()),
                None => return Err(self.unknown_label(wanted, &known)),
            }
        }
        self.by.dedup();
        if self.by.is_empty() {
            return Err(ToolError::invalid("by", "names no label").remedy("such as `route` or `method,code`"));
        }
        Ok(())
    }

    fn unknown_label(&self, wanted: &str, known: &[&str]) -> ToolError {
        let shown: Vec<String> = self
            .labels
            .iter()
            .filter(|name| name.inside() != "__name__")
            .take(30)
            .map(|name| name.shown(60))
            .collect();
        let plain = self.labels.iter().filter_map(Untrusted::plain);
        ToolError::invalid("by", &format!("no series of it has a label `{}`", brief(wanted)))
            .remedy(format!("its labels: {}", shown.join(", ")))
            .nearest(nearest(wanted, plain.filter(|name| known.contains(name)), 3))
    }

    /// The names of its labels, over all windows.
    pub(super) async fn label_names(&self, call: &Call<'_>, draft: &mut Draft) -> Vec<Untrusted> {
        let all: Vec<String> = match (&self.subject, &self.reading.tree) {
            (Some(subject), _) => vec![subject.counted_selector()],
            (None, Some(tree)) => selectors(tree).iter().map(|found| selector_text(found.selector)).collect(),
            (None, None) => Vec::new(),
        };
        let matchers: Vec<&str> = all.iter().map(String::as_str).collect();
        if matchers.is_empty() {
            return Vec::new();
        }
        match call.store.label_names(call.cx, &matchers, None, MOST_NAMES).await {
            Ok(listing) => listing.items,
            Err(error) => {
                draft.caveat(format!("the labels could not be listed ({})", ToolError::from(error)));
                Vec::new()
            }
        }
    }

    /// Counts its series and how far their samples are apart, by one look-up at the end of the window in question and
    /// one at the end of the baseline. What fails stays unknown.
    async fn count(&mut self, call: &Call<'_>) {
        let Some(counted) = self.counted() else { return };
        let mut parts = vec![("series".to_owned(), format!("count({counted})"))];
        if self.subject.is_some() {
            // In ten minutes, and in one: a series may be younger than ten minutes, or scraped less than twice in one.
            parts.push(("samples".to_owned(), format!("max(count_over_time({counted}[10m]))")));
            parts.push(("samples in 1m".to_owned(), format!("max(count_over_time({counted}[1m]))")));
        }
        let query = super::ask::together(&parts);
        let ends =
            [Some(call.windows.now), call.windows.given].into_iter().flatten().map(|window| window.end());
        for end in ends {
            let at = jiff::Timestamp::from_second(end.as_second()).unwrap_or(end);
            let ran = call.guard.instant(&query, at).await;
            // What can't be counted once won't be the second time.
            let Ok(ran) = ran else { return };
            for one in ran.reply.data.into_series() {
                let Some(value) = one.points.first().map(|point| point.value) else { continue };
                let mark = one.labels.get(super::ask::MARK).map(Untrusted::inside).unwrap_or_default();
                match mark {
                    "samples" | "samples in 1m" => {
                        let apart = if mark == "samples" { 600.0 } else { 60.0 } / value;
                        let known = self.scrape.unwrap_or(f64::INFINITY);
                        self.scrape = if value >= 2.0 { Some(known.min(apart)) } else { self.scrape };
                    }
                    _ => self.series = self.series.max(Some(value as u64)),
                }
            }
        }
    }

    /// The metric in words, cut to what a sentence can bear.
    pub(super) fn title(&self) -> String {
        brief(&self.reading.text.split_whitespace().collect::<Vec<_>>().join(" "))
    }

    /// What is asked, and why so.
    pub(super) fn transform(&self, layout: Layout) -> String {
        let Some(subject) = &self.subject else { return "PromQL as it stands".to_owned() };
        let how = match subject.form {
            Form::Counter => format!("its rate over {} s", layout.range),
            Form::Gauge => "its value".to_owned(),
            Form::GaugeHistogram => "its quantiles".to_owned(),
            Form::Classic | Form::Native => {
                format!("quantiles and rate of its observations over {} s", layout.range)
            }
            Form::Summary => {
                format!("its quantiles, and the rate of its observations over {} s", layout.range)
            }
            Form::Totals => format!("mean and rate of its observations over {} s", layout.range),
        };
        format!("{} → {how}", subject.kind)
    }
}

fn read<'q>(call: &Call<'q>) -> Result<Reading<'q>, ToolError> {
    let text = call.request.metric.trim();
    let reading = promql::read(text).map_err(|depth| {
        ToolError::invalid("metric", &format!("its brackets are nested {depth} deep; the limit is {DEEPEST}"))
            .remedy("split the expression into several")
    })?;
    let variables = promql::variables(&reading);
    if !variables.is_empty() {
        let (filled, unknown) = promql::substitute(&reading, SCRAPE, call.windows.now.seconds());
        let error = ToolError::invalid(
            "metric",
            &format!("holds {}, which only a dashboard such as Grafana fills in", variables.join(", ")),
        );
        return Err(if unknown.is_empty() {
            error.remedy("write the duration").try_next(call.again(&filled, "the same, filled in"))
        } else {
            error.remedy(format!("put the values of {} into it", unknown.join(", ")))
        });
    }
    match reading.tree.as_ref().map(promql_parser::parser::Expr::value_type) {
        Some(ValueType::Matrix) => Err(ToolError::invalid("metric", "is a range vector")
            .remedy("leave the range in [ ] out: a metric is asked for as its type wants it")),
        Some(ValueType::String) => {
            Err(ToolError::invalid("metric", "is a text").remedy("name a metric or a PromQL expression"))
        }
        _ => Ok(reading),
    }
}

/// The type of a bare metric: as targets tell it, else by the names of its series.
async fn typed(call: &Call<'_>, reading: &Reading<'_>, draft: &mut Draft) -> Result<Subject, ToolError> {
    let Some(parsed) = bare(reading) else { return Err(ToolError::invalid("metric", "is no metric")) };
    let all = Subject::selectors(parsed);
    let matchers: Vec<&str> = all.iter().map(String::as_str).collect();
    let asked = promql::metric_of(parsed).unwrap_or_default();
    let base = Subject::base(asked);
    // One after the other: several large replies at once would not fit into the memory a call may have.
    let names = call.store.label_values(call.cx, "__name__", &matchers, None, MOST_NAMES).await;
    let names = names.map_err(|error| super::ask::explain(call, error.into()))?;
    for warning in names.warnings.iter().take(2) {
        draft.caveat(format!("warning from {}: {}", call.store.system(), warning.shown(240)));
    }
    let mut metadata: Vec<Metadata> = Vec::new();
    for name in [Some(asked), Some(base).filter(|base| *base != asked)].into_iter().flatten() {
        match call.store.metadata(call.cx, Some(name), 20).await {
            Ok(listing) => metadata.extend(listing.items),
            Err(error) => draft.caveat(format!(
                "types are not told ({}): the metric's name decides",
                ToolError::from(error)
            )),
        }
    }
    let families = families::group(&names.items, &metadata, |name| call.cx.intake.text(name));
    let subject = form_of(parsed, &families).or_else(|| Subject::by_name(parsed));
    subject.ok_or_else(|| ToolError::invalid("metric", "names no metric"))
}

/// Evidence of a query over the window in question and over baselines.
pub(super) fn evidence(
    call: &Call<'_>,
    draft: &mut Draft,
    promql: &str,
    layout: Layout,
    baselines: &[contract::TimeRange],
) -> Cite {
    let shown = |window: contract::TimeRange| {
        let grid = layout.grid(window);
        grid.ends().unwrap_or_else(|| grid.window(window))
    };
    let (grid, window) = (layout.grid(call.windows.now), shown(call.windows.now));
    let link = call.store.link(promql, Some(window), grid.last());
    draft.cite(
        Evidence::new(call.store.system(), promql)
            .over(window)
            .also_over(baselines.iter().map(|window| shown(*window)))
            .every(grid.step())
            .link(link),
    )
}
