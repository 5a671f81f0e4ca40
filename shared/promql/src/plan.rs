//! What a query asks for, with types that leave no room for a wrong argument.

use std::sync::Arc;

use regex::Regex;

use crate::functions::{DatePart, MathFunction, RangeFunction};
use crate::labels::Labels;
use crate::matcher::Matcher;

/// An expression of any type.
#[derive(Debug)]
pub(crate) enum Node {
    Scalar(Scalar),
    Vector(Vector),
    Matrix(Matrix),
    Text(String),
}

/// One number at each step.
#[derive(Debug)]
pub(crate) enum Scalar {
    Number(f64),
    /// The step's time in seconds.
    Time,
    /// `scalar(v)`
    OfVector(Box<Vector>),
    Negated(Box<Scalar>),
    Binary {
        operator: Operator,
        left: Box<Scalar>,
        right: Box<Scalar>,
    },
    /// The same at every step.
    Invariant(Box<Scalar>),
}

/// Any number of labelled numbers at each step.
#[derive(Debug)]
pub(crate) enum Vector {
    Select(Select),
    /// `timestamp(selector)`: when the selected samples were recorded.
    Recorded(Select),
    /// `vector(s)`
    OfScalar(Scalar),
    /// Each value made into another.
    Each {
        change: Change,
        of: Box<Vector>,
    },
    OverRange {
        function: RangeFunction,
        of: Matrix,
        parameter: Option<Scalar>,
        keeps_name: bool,
    },
    Absent {
        of: Box<Vector>,
        labels: Labels,
    },
    AbsentOverTime {
        of: Matrix,
        labels: Labels,
    },
    Sorted {
        of: Box<Vector>,
        descending: bool,
    },
    LabelReplace {
        of: Box<Vector>,
        target: Arc<str>,
        template: String,
        source: String,
        pattern: Regex,
    },
    LabelJoin {
        of: Box<Vector>,
        target: Arc<str>,
        separator: String,
        sources: Vec<String>,
    },
    HistogramQuantile {
        quantile: Scalar,
        of: Box<Vector>,
    },
    HistogramFraction {
        lower: Scalar,
        upper: Scalar,
        of: Box<Vector>,
    },
    Aggregated(Aggregated),
    WithScalar {
        operator: Operator,
        bool: bool,
        vector: Box<Vector>,
        scalar: Scalar,
        scalar_first: bool,
    },
    Matched {
        operator: Operator,
        bool: bool,
        left: Box<Vector>,
        right: Box<Vector>,
        matching: Matching,
    },
    Set {
        operator: SetOperator,
        left: Box<Vector>,
        right: Box<Vector>,
        matching: Matching,
    },
    /// The same at every step.
    Invariant(Box<Vector>),
}

/// How one value becomes another.
#[derive(Debug)]
pub(crate) enum Change {
    Negate,
    Math(MathFunction),
    Date(DatePart),
    /// `timestamp(v)`: to the step's time.
    Timestamp,
    /// `round(v, to)`
    Round(Scalar),
    /// `clamp(v, low, high)`
    Clamp {
        low: Scalar,
        high: Scalar,
    },
}

/// Samples of each series over a range of time.
#[derive(Debug)]
pub(crate) enum Matrix {
    Select {
        select: Select,
        range: i64,
    },
    /// Evaluated at multiples of `step`, or of the evaluation interval.
    Subquery {
        of: Box<Vector>,
        range: i64,
        step: Option<i64>,
        when: When,
    },
}

/// A series selector. Times are milliseconds.
#[derive(Debug)]
pub(crate) struct Select {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) when: When,
}

/// As of which time something is looked up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct When {
    pub(crate) at: Option<At>,
    /// Into the past, in milliseconds.
    pub(crate) offset: i64,
}

/// The `@` modifier.
#[derive(Debug, Clone, Copy)]
pub(crate) enum At {
    Start,
    End,
    Time(i64),
}

/// An operator between two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
    Atan2,
    Equal,
    NotEqual,
    Greater,
    Less,
    GreaterOrEqual,
    LessOrEqual,
}

/// An operator between two sets of series.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SetOperator {
    And,
    Or,
    Unless,
}

/// Which series of two sides belong together.
#[derive(Debug)]
pub(crate) struct Matching {
    pub(crate) on: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) cardinality: Cardinality,
    /// Labels that the result takes over from the side with one series a match.
    pub(crate) include: Vec<Arc<str>>,
}

/// How many series each side may have a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cardinality {
    OneToOne,
    /// `group_left`
    ManyToOne,
    /// `group_right`
    OneToMany,
}

/// An aggregation.
#[derive(Debug)]
pub(crate) struct Aggregated {
    pub(crate) aggregation: Aggregation,
    pub(crate) of: Box<Vector>,
    pub(crate) without: bool,
    pub(crate) labels: Vec<String>,
}

/// What becomes of the values of a group.
#[derive(Debug)]
pub(crate) enum Aggregation {
    Fold(Fold),
    Quantile(Scalar),
    Top(Scalar),
    Bottom(Scalar),
    /// The label that receives the value.
    CountValues(Arc<str>),
}

/// An aggregation to one number, one value after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fold {
    Sum,
    Average,
    Minimum,
    Maximum,
    Count,
    Group,
    Deviation,
    Variance,
}
