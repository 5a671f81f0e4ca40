//! The catalogue of conventions: a table (`catalogue.toml`), and what an operator adds to it.

use schemars::JsonSchema;
use serde::Deserialize;

/// The built-in table.
const BUILT_IN: &str = include_str!("catalogue.toml");

/// How a program says what requests it answers. Of several names the first that exists counts.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Convention {
    /// What answers call it.
    pub name: String,
    /// Counters of requests. Left out: the count of `latency`.
    pub requests: Vec<String>,
    /// Counters of failed requests, where they are counted apart.
    pub failed: Vec<String>,
    /// Histograms (classic or native) or summaries of how long requests took, without `_bucket`, `_count`, `_sum`.
    pub latency: Vec<String>,
    /// The unit of `latency`.
    pub unit: Unit,
    /// Which of the requests failed.
    pub errors: Vec<Matching>,
    /// Which series count at all, where they have the label.
    pub only: Vec<Matching>,
    /// Of series that tell the same request more than once, those with the first of these values.
    pub prefer: Option<Prefer>,
    /// Labels that say which route or operation.
    pub route: Vec<String>,
    /// Labels that say which method.
    pub method: Vec<String>,
    /// Labels that say which version; left out, the usual ones.
    pub version: Vec<String>,
    /// Labels that say which replica; left out, the usual ones.
    pub instance: Vec<String>,
    /// Labels that say whose requests they are, where a proxy or pipeline tells them. Left out: the service's own.
    pub service: Vec<String>,
    /// Whether values of `service` have more around the service's name, such as `shop-checkout-8080@kubernetes`.
    pub around: bool,
    /// What a reader must know about it.
    pub note: String,
}

/// A unit of time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Unit {
    /// Seconds.
    #[default]
    #[serde(rename = "s")]
    Seconds,
    /// Milliseconds.
    #[serde(rename = "ms")]
    Milliseconds,
}

/// A label whose whole value matches a regular expression.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Matching {
    /// The label.
    pub label: String,
    /// The regular expression.
    pub matching: String,
}

/// The best of several values of a label.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Prefer {
    /// The label.
    pub label: String,
    /// The values, best first.
    pub values: Vec<String>,
}

/// Something that can be full, or that queues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Saturation {
    /// What answers call it.
    pub name: String,
    /// How much is in use.
    pub used: Option<Gauge>,
    /// How much there is.
    pub size: Option<Gauge>,
    /// A gauge of what waits.
    pub waiting: String,
    /// Labels that tell several of them in one process apart.
    pub by: Vec<String>,
}

/// A gauge, perhaps only its series with one value of a label.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Gauge {
    /// The metric.
    pub metric: String,
    /// The label.
    pub label: Option<String>,
    /// Its value.
    pub value: Option<String>,
}

/// All rows, an operator's first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Catalogue {
    pub(crate) conventions: Vec<Convention>,
    pub(crate) saturation: Vec<Saturation>,
}

impl Catalogue {
    /// The built-in rows after an operator's.
    ///
    /// # Errors
    /// Which row can't be used, and why.
    pub(crate) fn with(conventions: &[Convention], saturation: &[Saturation]) -> Result<Catalogue, String> {
        let built_in: Catalogue = toml::from_str(BUILT_IN).map_err(|error| error.message().to_owned())?;
        let mut all = Catalogue { conventions: conventions.to_vec(), saturation: saturation.to_vec() };
        all.conventions.extend(built_in.conventions);
        all.saturation.extend(built_in.saturation);
        for row in &all.conventions {
            if row.name.is_empty() || row.requests.is_empty() && row.latency.is_empty() {
                return Err(format!("convention \"{}\" needs a name, and requests or latency", row.name));
            }
        }
        for row in &all.saturation {
            let is_ratio = row.used.is_some() && row.size.is_some();
            if row.name.is_empty() || !is_ratio && row.waiting.is_empty() {
                return Err(format!(
                    "saturation \"{}\" needs a name, and used with size, or waiting",
                    row.name
                ));
            }
        }
        Ok(all)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_table_is_valid_and_every_name_is_its_own() {
        let catalogue = Catalogue::with(&[], &[]).unwrap();
        let mut names: Vec<&str> = catalogue.conventions.iter().map(|row| row.name.as_str()).collect();
        names.extend(catalogue.saturation.iter().map(|row| row.name.as_str()));
        let count = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!((names.len(), count > 30), (count, true));
        // Each regular expression is one: PromQL takes the whole value.
        for row in &catalogue.conventions {
            for one in row.errors.iter().chain(&row.only) {
                let query = format!("x{{{}}}", format_args!("a=~\"{}\"", one.matching));
                assert!(promql_parser::parser::parse(&query).is_ok(), "{}: {}", row.name, one.matching);
            }
        }
    }

    #[test]
    fn the_docs_say_of_every_row_how_it_was_checked() {
        let docs = include_str!("../../../../../docs/metrics.md").replace("\n  ", " ");
        let catalogue = Catalogue::with(&[], &[]).unwrap();
        let conventions = catalogue.conventions.iter().map(|row| &row.name);
        for name in conventions.chain(catalogue.saturation.iter().map(|row| &row.name)) {
            let told = [":", ";", "."].iter().any(|end| docs.contains(&format!(" {name}{end}")));
            assert!(told, "{name} is missing in docs/metrics.md");
        }
    }

    #[test]
    fn an_operators_rows_come_first_and_must_say_what_they_measure() {
        let own = Convention {
            name: "ours".to_owned(),
            requests: vec!["our_calls_total".to_owned()],
            ..Default::default()
        };
        assert_eq!(Catalogue::with(std::slice::from_ref(&own), &[]).unwrap().conventions.first(), Some(&own));
        let empty = Convention { name: "ours".to_owned(), ..Default::default() };
        assert!(Catalogue::with(&[empty], &[]).unwrap_err().contains("convention \"ours\" needs"));
        let empty = Saturation { name: "ours".to_owned(), ..Default::default() };
        assert!(Catalogue::with(&[], &[empty]).unwrap_err().contains("saturation \"ours\" needs"));
    }
}
