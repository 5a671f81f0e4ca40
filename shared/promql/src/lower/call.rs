//! Function calls.

use promql_parser::label::{MatchOp, Matchers};
use promql_parser::parser::{Call, Expr};

use super::selector::matrix;
use super::{Lowered, Lowering, Part, kind, unsupported, wrong};
use crate::functions::{self, Function};
use crate::labels::{Labels, NAME};
use crate::plan::{Change, Matrix, Node, Scalar, Vector};

impl Lowering<'_> {
    pub(super) fn call(&mut self, call: &Call) -> Lowered<Part> {
        let name = call.func.name;
        let Some(function) = functions::find(name) else {
            return Err(unsupported(format!("the function {name}()")));
        };
        let mut parts = Vec::with_capacity(call.args.len());
        for argument in &call.args.args {
            parts.push(self.part(argument)?);
        }
        // Of a selector, timestamp() sees when a sample was recorded; of anything else, the step's time.
        if name == "timestamp"
            && let Some(only) = parts.pop_if(|part| matches!(part.node, Node::Vector(Vector::Select(_))))
            && let Node::Vector(Vector::Select(select)) = only.node
        {
            return Ok(Part { node: Node::Vector(Vector::Recorded(select)), ..only });
        }
        let invariant = !functions::depends_on_time(name) && parts.iter().all(|part| part.invariant);
        let nodes = parts.into_iter().map(|part| if invariant { part.node } else { part.settled() });
        let mut arguments = Arguments { function: name, rest: nodes.collect::<Vec<_>>().into_iter() };
        let node = self.called(function, call, &mut arguments)?;
        arguments.end()?;
        Ok(Part { node, invariant, once: invariant })
    }

    fn called(&mut self, function: Function, call: &Call, arguments: &mut Arguments<'_>) -> Lowered<Node> {
        let vector = match function {
            Function::Time => return Ok(Node::Scalar(Scalar::Time)),
            Function::Pi => return Ok(Node::Scalar(Scalar::Number(std::f64::consts::PI))),
            Function::Scalar => return Ok(Node::Scalar(Scalar::OfVector(Box::new(arguments.vector()?)))),
            Function::Vector => Vector::OfScalar(arguments.scalar()?),
            Function::Math(function) => each(Change::Math(function), arguments.vector()?),
            Function::Timestamp => each(Change::Timestamp, arguments.vector()?),
            Function::Date(part) => {
                // Without an argument, of the step's time.
                let of = arguments.optional_vector()?.unwrap_or(Vector::OfScalar(Scalar::Time));
                each(Change::Date(part), of)
            }
            Function::Round => {
                let of = arguments.vector()?;
                each(Change::Round(arguments.optional_scalar()?.unwrap_or(Scalar::Number(1.0))), of)
            }
            Function::Clamp { low, high } => clamp(arguments, low, high)?,
            Function::OverRange(function) => over_range(call.func.name, function, arguments)?,
            Function::Quantile(function) => {
                let parameter = Some(arguments.scalar()?);
                Vector::OverRange { function, of: arguments.matrix()?, parameter, keeps_name: false }
            }
            Function::Predict(function) => {
                let of = arguments.matrix()?;
                Vector::OverRange { function, of, parameter: Some(arguments.scalar()?), keeps_name: false }
            }
            Function::Absent => {
                Vector::Absent { labels: self.absent_labels(call), of: Box::new(arguments.vector()?) }
            }
            Function::AbsentOverTime => {
                Vector::AbsentOverTime { labels: self.absent_labels(call), of: arguments.matrix()? }
            }
            Function::Sort { descending } => Vector::Sorted { of: Box::new(arguments.vector()?), descending },
            Function::LabelReplace => self.label_replace(arguments)?,
            Function::LabelJoin => label_join(arguments)?,
            Function::HistogramQuantile => {
                Vector::HistogramQuantile { quantile: arguments.scalar()?, of: Box::new(arguments.vector()?) }
            }
            Function::HistogramFraction => Vector::HistogramFraction {
                lower: arguments.scalar()?,
                upper: arguments.scalar()?,
                of: Box::new(arguments.vector()?),
            },
        };
        Ok(Node::Vector(vector))
    }

    fn label_replace(&mut self, arguments: &mut Arguments<'_>) -> Lowered<Vector> {
        let of = Box::new(arguments.vector()?);
        let target = arguments.label()?.into();
        let template = arguments.text()?;
        let source = arguments.text()?;
        let pattern = self.pattern(&arguments.text()?)?;
        Ok(Vector::LabelReplace { of, target, template, source, pattern })
    }

    /// The labels that a selector demands exactly: those of the series that is not there.
    fn absent_labels(&self, call: &Call) -> Labels {
        let mut argument = call.args.args.first().map(|argument| &**argument);
        while let Some(Expr::Paren(inner)) = argument {
            argument = Some(&inner.expr);
        }
        match argument {
            Some(Expr::VectorSelector(selector)) => self.demanded(&selector.matchers),
            Some(Expr::MatrixSelector(selector)) => self.demanded(&selector.vs.matchers),
            _ => Labels::default(),
        }
    }

    fn demanded(&self, matchers: &Matchers) -> Labels {
        let mut labels = Labels::default();
        let mut set = Vec::new();
        for matcher in &matchers.matchers {
            let name = self.name(&matcher.name);
            if &*name == NAME {
                continue;
            }
            // A label that is demanded twice, or otherwise, is left out.
            let exactly = matches!(matcher.op, MatchOp::Equal) && !set.contains(&name);
            let value = if exactly { self.shape.meaning(&matcher.value) } else { "" };
            labels = labels.with(&name, value);
            if exactly {
                set.push(name);
            }
        }
        labels
    }
}

fn each(change: Change, of: Vector) -> Vector {
    Vector::Each { change, of: Box::new(of) }
}

fn clamp(arguments: &mut Arguments<'_>, low: bool, high: bool) -> Lowered<Vector> {
    let of = arguments.vector()?;
    let low = if low { arguments.scalar()? } else { Scalar::Number(f64::NEG_INFINITY) };
    let high = if high { arguments.scalar()? } else { Scalar::Number(f64::INFINITY) };
    Ok(each(Change::Clamp { low, high }, of))
}

fn over_range(
    name: &str,
    function: functions::RangeFunction,
    arguments: &mut Arguments<'_>,
) -> Lowered<Vector> {
    let keeps_name = matches!(name, "last_over_time" | "first_over_time");
    Ok(Vector::OverRange { function, of: arguments.matrix()?, parameter: None, keeps_name })
}

fn label_join(arguments: &mut Arguments<'_>) -> Lowered<Vector> {
    let of = Box::new(arguments.vector()?);
    let target = arguments.label()?.into();
    let separator = arguments.text()?;
    let mut sources = Vec::new();
    while !arguments.rest.as_slice().is_empty() {
        sources.push(arguments.label()?);
    }
    Ok(Vector::LabelJoin { of, target, separator, sources })
}

/// The arguments of a call that are not yet taken.
struct Arguments<'c> {
    function: &'c str,
    rest: std::vec::IntoIter<Node>,
}

impl Arguments<'_> {
    fn next(&mut self) -> Lowered<Node> {
        self.rest.next().ok_or_else(|| wrong(format!("{}() has too few arguments", self.function)))
    }

    fn vector(&mut self) -> Lowered<Vector> {
        match self.next()? {
            Node::Vector(vector) => Ok(vector),
            other => Err(self.mistaken("an instant vector", &other)),
        }
    }

    fn optional_vector(&mut self) -> Lowered<Option<Vector>> {
        if self.rest.as_slice().is_empty() { Ok(None) } else { self.vector().map(Some) }
    }

    fn scalar(&mut self) -> Lowered<Scalar> {
        match self.next()? {
            Node::Scalar(scalar) => Ok(scalar),
            other => Err(self.mistaken("a scalar", &other)),
        }
    }

    fn optional_scalar(&mut self) -> Lowered<Option<Scalar>> {
        if self.rest.as_slice().is_empty() { Ok(None) } else { self.scalar().map(Some) }
    }

    fn matrix(&mut self) -> Lowered<Matrix> {
        let next = self.next()?;
        matrix(next, self.function)
    }

    fn text(&mut self) -> Lowered<String> {
        match self.next()? {
            Node::Text(text) => Ok(text),
            other => Err(self.mistaken("a string", &other)),
        }
    }

    /// The name of a label; any text is one, except none.
    fn label(&mut self) -> Lowered<String> {
        let label = self.text()?;
        if label.is_empty() {
            return Err(wrong(format!("{}() needs the name of a label, not the empty text", self.function)));
        }
        Ok(label)
    }

    fn end(&mut self) -> Lowered<()> {
        match self.rest.next() {
            None => Ok(()),
            Some(_) => Err(wrong(format!("{}() has too many arguments", self.function))),
        }
    }

    fn mistaken(&self, wanted: &str, found: &Node) -> super::Refusal {
        wrong(format!("{}() needs {wanted}, not {}", self.function, kind(found)))
    }
}
