//! The functions of the subset, by name.

pub(crate) mod absent;
mod calendar;
mod elementary;
pub(crate) mod histogram;
pub(crate) mod labels;
mod over_time;
mod rate;
mod regression;
pub(crate) mod sort;

pub(crate) use calendar::Moment;

use crate::window::Window;

/// One value to another; the result is no longer the metric it was.
pub(crate) type MathFunction = fn(f64) -> f64;
/// A part of a date.
pub(crate) type DatePart = fn(&Moment) -> i64;
/// The samples of a window (at least one) and the parameter, if there is one, to a value.
pub(crate) type RangeFunction = fn(&Window<'_>, f64) -> Option<f64>;

/// How a function is called and computed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Function {
    Time,
    Pi,
    Scalar,
    Vector,
    Timestamp,
    Math(MathFunction),
    Date(DatePart),
    Round,
    /// Which bounds it takes.
    Clamp {
        low: bool,
        high: bool,
    },
    OverRange(RangeFunction),
    /// Its parameter comes first.
    Quantile(RangeFunction),
    /// Its parameter comes last.
    Predict(RangeFunction),
    Absent,
    AbsentOverTime,
    Sort {
        descending: bool,
    },
    LabelReplace,
    LabelJoin,
    HistogramQuantile,
    HistogramFraction,
}

/// The function of this name, if it is in the subset.
pub(crate) fn find(name: &str) -> Option<Function> {
    let special = match name {
        "time" => Function::Time,
        "pi" => Function::Pi,
        "scalar" => Function::Scalar,
        "vector" => Function::Vector,
        "timestamp" => Function::Timestamp,
        "round" => Function::Round,
        "clamp" => Function::Clamp { low: true, high: true },
        "clamp_min" => Function::Clamp { low: true, high: false },
        "clamp_max" => Function::Clamp { low: false, high: true },
        "quantile_over_time" => Function::Quantile(over_time::quantile),
        "predict_linear" => Function::Predict(regression::predict),
        "absent" => Function::Absent,
        "absent_over_time" => Function::AbsentOverTime,
        "sort" => Function::Sort { descending: false },
        "sort_desc" => Function::Sort { descending: true },
        "label_replace" => Function::LabelReplace,
        "label_join" => Function::LabelJoin,
        "histogram_quantile" => Function::HistogramQuantile,
        "histogram_fraction" => Function::HistogramFraction,
        _ => return find_in_tables(name),
    };
    Some(special)
}

fn find_in_tables(name: &str) -> Option<Function> {
    let of = |known: &&(&str, RangeFunction)| known.0 == name;
    let math =
        elementary::FUNCTIONS.iter().find(|known| known.0 == name).map(|known| Function::Math(known.1));
    let date = || calendar::PARTS.iter().find(|known| known.0 == name).map(|known| Function::Date(known.1));
    let range = || rate::FUNCTIONS.iter().chain(over_time::FUNCTIONS).chain(regression::FUNCTIONS).find(of);
    math.or_else(date).or_else(|| range().map(|known| Function::OverRange(known.1)))
}

/// Whether the same arguments at another time may give another result.
pub(crate) fn depends_on_time(name: &str) -> bool {
    matches!(name, "time" | "timestamp" | "predict_linear")
        || calendar::PARTS.iter().any(|part| part.0 == name)
}
