//! Which conventions a service's metrics follow.

use std::collections::BTreeSet;

use super::catalogue::{Convention, Matching, Unit};

/// In which form latency is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A native histogram under the bare name.
    Native,
    /// `_bucket` series with `le`.
    Classic,
    /// The bare name may be a native histogram or a summary's quantiles beside `_bucket`: ask which.
    Mixed,
    /// Quantiles made by the program itself.
    Summary,
    /// Only `_sum` and `_count`: a mean.
    Mean,
}

/// A convention that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) convention: Convention,
    /// The counter of requests; `None`: the count of `latency`.
    pub(crate) requests: Option<String>,
    /// The counter of failed requests, where there is one.
    pub(crate) failed: Option<String>,
    /// The latency's metric.
    pub(crate) latency: Option<(String, Form)>,
    /// The convention is no row of the catalogue: it was made up from names.
    pub(crate) is_guess: bool,
}

impl Found {
    /// The name of series that count requests.
    pub(crate) fn counted(&self) -> String {
        match (&self.requests, &self.latency) {
            (Some(counter), _) => counter.clone(),
            (None, Some((name, Form::Native))) => name.clone(),
            (None, Some((name, _))) => format!("{name}_count"),
            (None, None) => String::new(),
        }
    }

    /// Whether requests and latency are both there, as far as the convention has them.
    fn is_complete(&self) -> bool {
        (self.convention.requests.is_empty() || self.requests.is_some())
            && (self.convention.latency.is_empty() || self.latency.is_some())
    }

    /// The names of its metrics.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.metrics().into_iter().chain([self.failed.as_deref()]).flatten()
    }

    fn metrics(&self) -> [Option<&str>; 2] {
        [self.requests.as_deref(), self.latency.as_ref().map(|(name, _)| name.as_str())]
    }

    /// Whether all of it is part of `other`.
    fn is_part_of(&self, other: &Found) -> bool {
        self.metrics().into_iter().flatten().all(|name| other.metrics().contains(&Some(name)))
    }
}

/// The conventions found among these names of series; the ones that tell all they can come first, in the order of the
/// catalogue. One whose metrics are all part of another's is left out.
pub(crate) fn detect<'c>(
    conventions: impl Iterator<Item = &'c Convention>,
    names: &BTreeSet<&str>,
) -> Vec<Found> {
    let mut found: Vec<Found> = conventions.filter_map(|convention| one(convention, names)).collect();
    found.sort_by_key(|one| !one.is_complete());
    let mut kept: Vec<Found> = Vec::new();
    for one in found {
        if !kept.iter().any(|other| one.is_part_of(other)) {
            kept.push(one);
        }
    }
    kept
}

fn one(convention: &Convention, names: &BTreeSet<&str>) -> Option<Found> {
    let first = |wanted: &[String]| wanted.iter().find(|name| names.contains(name.as_str())).cloned();
    let requests = first(&convention.requests);
    let latency = convention.latency.iter().find_map(|name| Some((name.clone(), form(name, names)?)));
    if requests.is_none() && latency.is_none() {
        return None;
    }
    let failed = first(&convention.failed);
    Some(Found { convention: convention.clone(), requests, failed, latency, is_guess: false })
}

/// The form of a metric, by which of its series there are.
fn form(name: &str, names: &BTreeSet<&str>) -> Option<Form> {
    let has = |suffix: &str| names.contains(format!("{name}{suffix}").as_str());
    match (has(""), has("_bucket"), has("_count")) {
        (true, true, _) => Some(Form::Mixed),
        (false, true, _) => Some(Form::Classic),
        (true, false, true) => Some(Form::Summary),
        (true, false, false) => Some(Form::Native),
        (false, false, true) => has("_sum").then_some(Form::Mean),
        (false, false, false) => None,
    }
}

/// Labels that tell success from failure, with what failed.
const FAILURES: [(&str, &str); 8] = [
    ("code", "5..|5xx|error|failed"),
    ("http_status", "5.."),
    ("status_code", "5..|STATUS_CODE_ERROR"),
    ("statuscode", "5.."),
    ("response_code", "5.."),
    ("status", "5..|5xx|error|failed|failure"),
    ("outcome", "SERVER_ERROR|error|failed|failure"),
    ("result", "error|failed|failure"),
];

/// A convention made up from names, where no row of the catalogue fits: a histogram of durations, and a counter of
/// requests. What a program does as a client, and what it measures of itself, is not meant.
pub(crate) fn guess(names: &BTreeSet<&str>) -> Option<Found> {
    let is_own = |name: &str| {
        let other =
            ["client", "gc_", "scrape", "go_", "process_", "kube_", "container_", "node_", "rule", "query"];
        !other.iter().any(|part| name.contains(part))
    };
    let served =
        |name: &str| ["request", "http", "rpc", "server", "handler"].iter().any(|part| name.contains(part));
    let stems = names.iter().filter_map(|name| name.strip_suffix("_bucket"));
    let mut timed: Vec<&str> = stems
        .filter(|name| {
            is_own(name) && (name.contains("duration") || name.contains("latency") || served(name))
        })
        .filter(|name| !name.ends_with("_bytes") && !name.contains("_size"))
        .collect();
    timed.sort_by_key(|name| (!served(name), *name));
    let counters = names.iter().filter(|name| name.ends_with("_total") && is_own(name));
    let requests = counters.copied().find(|name| name.contains("requests") || name.contains("calls"));
    let latency = timed.first().and_then(|name| Some(((*name).to_owned(), form(name, names)?)));
    if latency.is_none() && requests.is_none() {
        return None;
    }
    let is_ms =
        latency.as_ref().is_some_and(|(name, _)| name.ends_with("_ms") || name.ends_with("_milliseconds"));
    let errors =
        FAILURES.map(|(label, matching)| Matching { label: label.to_owned(), matching: matching.to_owned() });
    let convention = Convention {
        name: "none known: guessed from names".to_owned(),
        errors: errors.to_vec(),
        unit: if is_ms { Unit::Milliseconds } else { Unit::Seconds },
        route: ["route", "handler", "path", "endpoint", "uri", "operation", "method"]
            .map(str::to_owned)
            .to_vec(),
        method: vec!["method".to_owned()],
        note: "an operator can say what counts in [[conventions]] of the configuration file".to_owned(),
        ..Convention::default()
    };
    // With a histogram of its own requests the counter may count anything.
    let requests = if latency.is_some() { None } else { requests.map(str::to_owned) };
    Some(Found { convention, requests, failed: None, latency, is_guess: true })
}

#[cfg(test)]
mod tests {
    use super::super::catalogue::Catalogue;
    use super::*;

    fn found(names: &[&str]) -> Vec<(String, Option<Form>)> {
        let catalogue = Catalogue::with(&[], &[]).unwrap();
        let all = detect(catalogue.conventions.iter(), &names.iter().copied().collect());
        all.into_iter().map(|one| (one.convention.name, one.latency.map(|(_, form)| form))).collect()
    }

    #[test]
    fn the_form_of_latency_is_told_by_its_series() {
        let base = "http_server_request_duration_seconds";
        for (suffixes, form) in [
            (&["_bucket", "_count", "_sum"][..], Some(Form::Classic)),
            (&[""][..], Some(Form::Native)),
            (&["", "_bucket", "_count", "_sum"][..], Some(Form::Mixed)),
            (&["", "_count", "_sum"][..], Some(Form::Summary)),
            (&["_count", "_sum"][..], Some(Form::Mean)),
        ] {
            let names: Vec<String> = suffixes.iter().map(|suffix| format!("{base}{suffix}")).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            assert_eq!(found(&names), [("OpenTelemetry HTTP server".to_owned(), form)], "{suffixes:?}");
        }
    }

    #[test]
    fn what_tells_more_comes_first_and_parts_are_left_out() {
        // The counter alone would fit the row in seconds, but only the one in milliseconds knows the histogram.
        let names = ["http_requests_total", "http_request_duration_milliseconds_bucket"];
        assert_eq!(found(&names), [("application HTTP library (ms)".to_owned(), Some(Form::Classic))]);
        let names = ["http_requests_total", "http_request_duration_seconds_bucket", "istio_requests_total"];
        let found = found(&names);
        let names: Vec<&str> = found.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["application HTTP library", "Istio"]);
    }

    #[test]
    fn without_a_known_convention_names_are_guessed_from() {
        let names = [
            "go_gc_duration_seconds_bucket",
            "shop_client_latency_seconds_bucket",
            "shop_request_latency_ms_bucket",
            "up",
        ];
        let guess = guess(&names.into_iter().collect()).unwrap();
        assert_eq!(guess.latency, Some(("shop_request_latency_ms".to_owned(), Form::Classic)));
        assert_eq!((guess.convention.unit, guess.is_guess), (Unit::Milliseconds, true));
        assert_eq!(super::guess(&["up", "process_start_time_seconds"].into_iter().collect()), None);
    }
}
