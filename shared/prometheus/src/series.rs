//! What a query returns.

use contract::Untrusted;

use crate::{histogram::Histogram, labels::Labels};

/// One value of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Point {
    /// When, in milliseconds since 1970, UTC.
    pub at: i64,
    /// The value, in the metric's unit. NaN and the infinities are values too; a stale marker that a remote store
    /// passes on is NaN.
    pub value: f64,
}

/// One series: its labels and its values in the order of time. A series has points, or native histograms, or
/// both where its metric changed its kind.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Series {
    /// Which series it is.
    pub labels: Labels,
    /// Its plain values.
    pub points: Vec<Point>,
    /// Its native histograms; the moments as in [`Point::at`].
    pub histograms: Vec<(i64, Histogram)>,
}

/// The result of a query, in the server's order (which `sort`, `topk` and `bottomk` decide).
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Each series at one moment: exactly one point or one histogram.
    Vector(Vec<Series>),
    /// Each series over time.
    Matrix(Vec<Series>),
    /// One number without labels.
    Scalar(Point),
    /// A text: what the expression `"text"` evaluates to.
    Text(Untrusted),
}

impl Data {
    /// The series of a vector or matrix; none of a scalar or text.
    #[must_use]
    pub fn series(&self) -> &[Series] {
        match self {
            Data::Vector(series) | Data::Matrix(series) => series,
            Data::Scalar(_) | Data::Text(_) => &[],
        }
    }

    /// The series of a vector or matrix, to keep; none of a scalar or text.
    #[must_use]
    pub fn into_series(self) -> Vec<Series> {
        match self {
            Data::Vector(series) | Data::Matrix(series) => series,
            Data::Scalar(_) | Data::Text(_) => Vec::new(),
        }
    }
}

/// The answer to a query.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryReply {
    /// The result.
    pub data: Data,
    /// What makes the result doubtful, such as a store that did not answer. These must reach the reader.
    pub warnings: Vec<Untrusted>,
    /// What the server remarks on the query, such as a rate over something that is no counter.
    pub infos: Vec<Untrusted>,
    /// Samples the server read for it (`totalQueryableSamples`), when asked for with [`QueryOptions::stats`] and
    /// told. A range function counts its whole window at every step.
    pub samples_read: Option<u64>,
}

/// What may be asked for besides the query.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct QueryOptions {
    /// At most so many series; servers older than Prometheus 3.2 ignore it. It cuts the reply after the
    /// evaluation, so it saves bytes, not work; the server says in the warnings that it cut.
    pub limit: Option<u32>,
    /// Ask how many samples were read.
    pub stats: bool,
}
