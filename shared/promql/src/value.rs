//! What evaluating a query gives, and what may go wrong.

use thiserror::Error;

use crate::labels::Labels;

/// The result of a query.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Values at one moment, in an order that means something after `sort`, `topk` and the like.
    Vector(Vec<Sample>),
    /// Series over time, sorted by their labels.
    Matrix(Vec<Series>),
    /// One number.
    Scalar(f64),
    /// The text that the query was.
    Text(String),
}

/// A labelled value at the moment of evaluation.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// Whose value; without `__name__` where an operation made it another quantity.
    pub labels: Labels,
    /// The value; may be infinite or not a number.
    pub value: f64,
}

/// Labelled values over time.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// Whose values.
    pub labels: Labels,
    /// When, in milliseconds since 1970, strictly ascending.
    pub timestamps: Vec<i64>,
    /// As many values; may be infinite or not a number.
    pub values: Vec<f64>,
}

/// Settings of an evaluation; the defaults are those of Prometheus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// How long a sample counts as current, in milliseconds: 5 minutes.
    pub lookback_ms: i64,
    /// The resolution of subqueries that name none, in milliseconds: 1 minute, as `global.evaluation_interval`.
    pub evaluation_interval_ms: i64,
    /// The most steps of a range query: 11,000.
    pub max_steps: usize,
    /// The most values that all parts of an evaluation may produce together: 50 million.
    pub max_samples: usize,
    /// The most values that may be looked at, where one that is in many windows counts in each: 2 billion, which
    /// take some seconds. Prometheus has a timeout instead; without a clock, this is the limit on time.
    pub max_reads: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            lookback_ms: 300_000,
            evaluation_interval_ms: 60_000,
            max_steps: 11_000,
            max_samples: 50_000_000,
            max_reads: 2_000_000_000,
        }
    }
}

/// Why a query has no result. Prometheus fails in the same cases, except for what is unsupported.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum EvalError {
    /// Outside the subset.
    #[error("{what} is not available on recorded data; use a live source")]
    Unsupported {
        /// What, for example `the function info()`.
        what: String,
    },
    /// A range query for a range vector or a text.
    #[error("a range query needs a scalar or an instant vector, not {found}")]
    NotOverTime {
        /// What it is.
        found: &'static str,
    },
    /// A range that ends before it starts, or a step or setting that is not positive.
    #[error("the range ends before it starts, or its step is not at least 1 ms")]
    Range,
    /// More steps than allowed.
    #[error("{steps} steps are more than the {limit} allowed; use a longer step")]
    TooManySteps {
        /// How many steps the range has.
        steps: i64,
        /// The most that are allowed.
        limit: usize,
    },
    /// The query would produce more values than allowed.
    #[error("the query would produce more than {limit} values; select fewer series or a shorter range")]
    TooManySamples {
        /// The most that are allowed.
        limit: usize,
    },
    /// The query would take too long.
    #[error(
        "the query would look at more than {limit} values; select fewer series, a longer step or a shorter range"
    )]
    TooManyReads {
        /// The most that are allowed.
        limit: u64,
    },
    /// Two series of a result have the same labels, mostly because the metric's name was all that told them apart.
    #[error("two series of the result have the same labels {labels}")]
    SameLabels {
        /// The labels of both.
        labels: Labels,
    },
    /// More than one series of a match on the side where only one is possible.
    #[error(
        "more than one series for {group} on the {side} side of the operator, for example {one} and {other}; matching labels must be unique on one side"
    )]
    ManyToMany {
        /// The labels that the series have in common.
        group: Labels,
        /// `left` or `right`.
        side: &'static str,
        /// One series.
        one: Labels,
        /// Another.
        other: Labels,
    },
    /// More than one series of a match, without group_left or group_right.
    #[error("more than one series for a match with {series}; use group_left or group_right")]
    ManyToOne {
        /// One of the series.
        series: Labels,
    },
    /// group_left or group_right with labels that do not tell the series of a match apart.
    #[error(
        "more than one series of a match becomes {series}; the labels of the group modifier must keep them apart"
    )]
    GroupNotUnique {
        /// What they become.
        series: Labels,
    },
    /// A parameter of topk or bottomk that is not usable as a count.
    #[error("the parameter of {function} is {problem}")]
    Parameter {
        /// The aggregation.
        function: &'static str,
        /// `not a number` or `too large`.
        problem: &'static str,
    },
}
