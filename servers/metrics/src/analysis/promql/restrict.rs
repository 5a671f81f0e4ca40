//! Matchers that an operator makes mandatory, put into every selector of a query.
//!
//! By the tree, never by the text: the query is read, each selector gets the matchers, and the tree is written out
//! anew, so that nothing of what somebody wrote (comments, quotes, alternatives) reaches the store as it was. What was
//! written is read again, and only sent when each of its selectors holds each matcher. What can't be read is not sent.
//! Further matchers of the query only narrow: all of a selector's matchers apply.

use promql_parser::{
    label::{MatchOp, Matcher},
    parser::{Call, Expr, VectorSelector},
};

use super::{read, walk::selectors, write};
use crate::model::{self, Labels, selector};

/// Why a query can't be restricted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unrestricted(pub(crate) &'static str);

/// Matchers that every selector must have.
#[derive(Debug, Clone)]
pub(crate) struct Restriction {
    matchers: Vec<Matcher>,
    selector: String,
}

impl Restriction {
    /// Reads matchers such as `namespace="team-a"` or `cluster=~"eu-.*"`.
    ///
    /// # Errors
    /// What is wrong with one: no matcher, several, or one that series without the label pass.
    pub(crate) fn parse(texts: &[String]) -> Result<Restriction, String> {
        let matchers: Result<Vec<Matcher>, String> = texts.iter().map(|text| one_matcher(text)).collect();
        let matchers = matchers?;
        let all = VectorSelector {
            name: None,
            matchers: promql_parser::label::Matchers::new(matchers.clone()),
            offset: None,
            at: None,
        };
        let selector = write::write(&Expr::VectorSelector(all)).unwrap_or_default();
        let restriction = Restriction { matchers, selector };
        // Whatever it is, it must survive being written and read.
        match restriction.apply("up") {
            Ok(_) => Ok(restriction),
            Err(Unrestricted(why)) => Err(why.to_owned()),
        }
    }

    /// All matchers as a selector: `{namespace="team-a"}`.
    pub(crate) fn selector(&self) -> &str {
        &self.selector
    }

    /// The query with every selector restricted.
    ///
    /// # Errors
    /// Why it can't be: then it must not be sent.
    pub(crate) fn apply(&self, query: &str) -> Result<String, Unrestricted> {
        let reading = read(query).map_err(|_| Unrestricted("its brackets are nested too deep"))?;
        let mut tree = reading.tree.ok_or(Unrestricted(UNREAD))?;
        self.add(&mut tree)?;
        let text = write::write(&tree).ok_or(Unrestricted(UNREAD))?;
        let is_kept = promql_parser::parser::parse(&text).is_ok_and(|again| {
            let (wanted, found) = (selectors(&tree), selectors(&again));
            let all_hold = found.iter().all(|one| self.holds(one.selector));
            all_hold && wanted.len() == found.len() && write::write(&again).as_ref() == Some(&text)
        });
        if is_kept { Ok(text) } else { Err(Unrestricted("it does not read the same once it is restricted")) }
    }

    fn holds(&self, selector: &VectorSelector) -> bool {
        let has_all = self.matchers.iter().all(|wanted| write::holds(selector, wanted));
        has_all && selector.matchers.or_matchers.is_empty()
    }

    /// Puts the matchers into every selector. Exhaustive on purpose, and with a list instead of recursion.
    fn add(&self, tree: &mut Expr) -> Result<(), Unrestricted> {
        let mut waiting = vec![tree];
        while let Some(expression) = waiting.pop() {
            match expression {
                Expr::VectorSelector(selector) => self.add_to(selector)?,
                Expr::MatrixSelector(matrix) => self.add_to(&mut matrix.vs)?,
                Expr::Aggregate(aggregate) => {
                    waiting.extend(aggregate.param.as_deref_mut());
                    waiting.push(&mut aggregate.expr);
                }
                Expr::Unary(unary) => waiting.push(&mut unary.expr),
                Expr::Binary(binary) => waiting.extend([&mut *binary.lhs, &mut *binary.rhs]),
                Expr::Paren(paren) => waiting.push(&mut paren.expr),
                Expr::Subquery(subquery) => waiting.push(&mut subquery.expr),
                Expr::Call(call) => {
                    check(call)?;
                    waiting.extend(call.args.args.iter_mut().map(AsMut::as_mut));
                }
                Expr::NumberLiteral(_) | Expr::StringLiteral(_) => {}
                Expr::Extension(_) => return Err(Unrestricted(UNREAD)),
            }
        }
        Ok(())
    }

    fn add_to(&self, selector: &mut VectorSelector) -> Result<(), Unrestricted> {
        if !selector.matchers.or_matchers.is_empty() {
            return Err(Unrestricted("alternatives with `or` within braces are no PromQL"));
        }
        for wanted in &self.matchers {
            if !selector.matchers.matchers.contains(wanted) {
                selector.matchers.matchers.push(wanted.clone());
            }
        }
        Ok(())
    }

    /// Whether an expression names nothing outside: it can be read, and of the restricted labels it asks for what may
    /// be seen, or for nothing.
    pub(crate) fn is_silent(&self, query: &str) -> bool {
        let Some(tree) = read(query).ok().and_then(|reading| reading.tree) else { return false };
        let is_told = |matcher: &Matcher| {
            self.matchers.iter().any(|own| own.name == matcher.name) && !self.matchers.contains(matcher)
        };
        selectors(&tree).iter().all(|found| {
            let matchers = &found.selector.matchers;
            matchers.or_matchers.is_empty() && !matchers.matchers.iter().any(is_told)
        })
    }

    /// Whether something with these labels may be seen.
    pub(crate) fn admits(&self, labels: &Labels) -> bool {
        self.admits_by(&|name| labels.get(name).map(|value| value.inside()))
    }

    /// Whether something may be seen of which `value` gives the labels.
    pub(crate) fn admits_by<'v>(&self, value: &dyn Fn(&str) -> Option<&'v str>) -> bool {
        self.matchers.iter().all(|matcher| matcher.is_match(value(&matcher.name).unwrap_or_default()))
    }
}

impl Restriction {
    /// Whether a matcher of somebody else (a silence's) may let something through that may be seen. Where that can't be
    /// decided, it does not.
    pub(crate) fn may_concern(&self, label: &str, operator: &str, value: &str) -> bool {
        let theirs = selector(None, &[(label, op(operator), value)]);
        let own = self.matchers.iter().filter(|matcher| matcher.name == label);
        own.into_iter().all(|own| match (&own.op, operator) {
            (_, "=") => own.is_match(value),
            // Theirs is held against the only value that may be seen.
            (MatchOp::Equal, _) => match read(&format!("up{theirs}")).ok().and_then(|reading| reading.tree) {
                Some(Expr::VectorSelector(theirs)) => {
                    theirs.matchers.matchers.iter().all(|matcher| matcher.is_match(&own.value))
                }
                _ => false,
            },
            _ => false,
        })
    }
}

fn op(operator: &str) -> model::MatchOp {
    match operator {
        "=" => model::MatchOp::Equal,
        "!=" => model::MatchOp::NotEqual,
        "!~" => model::MatchOp::NotRegex,
        _ => model::MatchOp::Regex,
    }
}

const UNREAD: &str = "this server's reader of PromQL does not know all of it";

/// `info(x)` reads `target_info` of everybody when it has no second argument to restrict.
fn check(call: &Call) -> Result<(), Unrestricted> {
    let second = call.args.args.get(1).map(AsRef::as_ref);
    match (call.func.name, second) {
        ("info", Some(Expr::VectorSelector(_))) => Ok(()),
        ("info", _) => Err(Unrestricted(
            "info() without a selector as its second argument reads target_info of everything; name the labels: \
             info(x, {k8s_cluster_name=~\".+\"})",
        )),
        _ => Ok(()),
    }
}

fn one_matcher(text: &str) -> Result<Matcher, String> {
    let wrong = |why: &str| format!("`{text}` {why}; write one matcher, such as namespace=\"team-a\"");
    let selector = format!("{{{text}}}");
    let tree = read(&selector).ok().and_then(|reading| reading.tree);
    let Some(Expr::VectorSelector(parsed)) = tree else {
        return Err(wrong("is no matcher, or one that series without the label would pass"));
    };
    let is_plain = parsed.name.is_none() && parsed.offset.is_none() && parsed.at.is_none();
    match parsed.matchers.matchers.as_slice() {
        [only] if is_plain && parsed.matchers.or_matchers.is_empty() => {
            if only.is_match("") {
                Err(wrong("would be passed by series without the label"))
            } else {
                Ok(only.clone())
            }
        }
        _ => Err(wrong("is not one matcher")),
    }
}
