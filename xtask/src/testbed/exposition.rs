//! Writing metrics as a scrape reads them: the Prometheus text format or OpenMetrics.

use std::fmt::Write as _;

/// What the scraper understands, from its `Accept` header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dialect {
    /// OpenMetrics 1.0 (with exemplars) instead of the Prometheus text format 0.0.4.
    pub(crate) open_metrics: bool,
    /// Metric and label names may contain any character.
    pub(crate) utf8_names: bool,
}

impl Dialect {
    /// Old servers fail the whole scrape at a quoted name, so those are sent only to who asks for them.
    pub(crate) fn from_accept(accept: &str) -> Dialect {
        let open_metrics = accept.contains("application/openmetrics-text");
        Dialect { open_metrics, utf8_names: open_metrics && accept.contains("escaping=allow-utf-8") }
    }

    /// The `Content-Type` of a reply in this dialect.
    pub(crate) fn content_type(self) -> &'static str {
        match (self.open_metrics, self.utf8_names) {
            (false, _) => "text/plain; version=0.0.4; charset=utf-8",
            (true, false) => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            (true, true) => {
                "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=allow-utf-8"
            }
        }
    }
}

/// The three types in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One observation with the trace it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Exemplar {
    /// 32 hexadecimal digits.
    pub(crate) trace_id: String,
    /// The observed value.
    pub(crate) value: f64,
}

/// A document under construction. All samples of a family follow its [`Exposition::family`] line.
pub(crate) struct Exposition {
    dialect: Dialect,
    text: String,
}

impl Exposition {
    pub(crate) fn new(dialect: Dialect) -> Exposition {
        Exposition { dialect, text: String::new() }
    }

    /// Begins a family. A counter's `name` ends in `_total`; OpenMetrics names its family without it.
    pub(crate) fn family(&mut self, name: &str, kind: Kind, help: &str) {
        let name = match kind {
            Kind::Counter if self.dialect.open_metrics => name.strip_suffix("_total").unwrap_or(name),
            _ => name,
        };
        let name = quoted_unless_plain(name);
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    /// One sample.
    pub(crate) fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        self.sample_with_exemplar(name, labels, value, None);
    }

    /// One sample, and an exemplar where the dialect has them.
    pub(crate) fn sample_with_exemplar(
        &mut self,
        name: &str,
        labels: &[(&str, &str)],
        value: f64,
        exemplar: Option<&Exemplar>,
    ) {
        let mut parts: Vec<String> = labels
            .iter()
            .map(|(label, text)| format!("{}=\"{}\"", quoted_unless_plain(label), escaped(text)))
            .collect();
        if is_plain(name) {
            self.text.push_str(name);
        } else {
            parts.insert(0, quoted_unless_plain(name));
        }
        if !parts.is_empty() {
            let _ = write!(self.text, "{{{}}}", parts.join(","));
        }
        let _ = write!(self.text, " {}", number(value));
        if let Some(exemplar) = exemplar.filter(|_| self.dialect.open_metrics) {
            let _ = write!(
                self.text,
                " # {{trace_id=\"{}\"}} {}",
                escaped(&exemplar.trace_id),
                number(exemplar.value)
            );
        }
        self.text.push('\n');
    }

    /// The whole document.
    pub(crate) fn finish(mut self) -> String {
        if self.dialect.open_metrics {
            self.text.push_str("# EOF\n");
        }
        self.text
    }
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf".to_owned() } else { "-Inf".to_owned() }
    } else {
        value.to_string()
    }
}

/// Names that need no quotes in any version.
fn is_plain(name: &str) -> bool {
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    starts_well && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn quoted_unless_plain(name: &str) -> String {
    if is_plain(name) { name.to_owned() } else { format!("\"{}\"", escaped(name)) }
}

fn escaped(text: &str) -> String {
    text.replace('\\', r"\\").replace('"', "\\\"").replace('\n', r"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: Dialect = Dialect { open_metrics: false, utf8_names: false };
    const OPEN: Dialect = Dialect { open_metrics: true, utf8_names: true };

    #[test]
    fn the_prometheus_text_format_is_written_as_its_documentation_shows_it() {
        let mut page = Exposition::new(TEXT);
        page.family("http_requests_total", Kind::Counter, "The total number of HTTP requests.");
        page.sample("http_requests_total", &[("method", "post"), ("code", "200")], 1027.0);
        page.family("msdos_file_access_time_seconds", Kind::Gauge, "A gauge.");
        let labels = [("path", "C:\\DIR\\FILE.TXT"), ("error", "Cannot find file:\n\"FILE.TXT\"")];
        page.sample("msdos_file_access_time_seconds", &labels, f64::INFINITY);

        assert_eq!(
            page.finish(),
            r#"# HELP http_requests_total The total number of HTTP requests.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027
# HELP msdos_file_access_time_seconds A gauge.
# TYPE msdos_file_access_time_seconds gauge
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\""} +Inf
"#
        );
    }

    #[test]
    fn openmetrics_has_its_own_family_name_exemplars_quoted_names_and_an_end() {
        let mut page = Exposition::new(OPEN);
        page.family("foo_total", Kind::Counter, "Foo.");
        let exemplar = Exemplar { trace_id: "KOO5S4vxi0o".to_owned(), value: 0.67 };
        page.sample_with_exemplar("foo_total", &[("le", "10")], 17.0, Some(&exemplar));
        page.family("my.gauge", Kind::Gauge, "Bar.");
        page.sample("my.gauge", &[("a.b", "c")], f64::NAN);

        assert_eq!(
            page.finish(),
            r#"# HELP foo Foo.
# TYPE foo counter
foo_total{le="10"} 17 # {trace_id="KOO5S4vxi0o"} 0.67
# HELP "my.gauge" Bar.
# TYPE "my.gauge" gauge
{"my.gauge","a.b"="c"} NaN
# EOF
"#
        );
    }

    #[test]
    fn quoted_names_are_sent_only_to_a_scraper_that_asks_for_them() {
        let prometheus_3 = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,*/*;q=0.2";
        let prometheus_2 = "application/openmetrics-text;version=1.0.0;q=0.75,text/plain;version=0.0.4;q=0.5";

        assert_eq!(Dialect::from_accept(prometheus_3), OPEN);
        assert_eq!(Dialect::from_accept(prometheus_2), Dialect { open_metrics: true, utf8_names: false });
        assert_eq!(Dialect::from_accept("*/*"), TEXT);
    }
}
