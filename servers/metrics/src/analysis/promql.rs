//! Reading PromQL: its selectors, its cost, where it is wrong, how it may be mended.
//!
//! [`read`] never fails on a query it does not understand, because servers know newer syntax and dialects: such a
//! query has tokens, but no tree. What is refused is only what could hurt this process.

mod cost;
mod emptiness;
mod explain;
mod fault;
mod lex;
mod mend;
mod restrict;
mod walk;
mod write;

pub(crate) use cost::{
    Course, Estimate, LOOKBACK, SCRAPE, Supply, about, blind_cost, blind_selectors, estimate,
};
pub(crate) use emptiness::{Filter, filters, short_windows};
pub(crate) use explain::{describe, pieces};
pub(crate) use fault::{excerpt, hint};
pub(crate) use mend::{
    add_range, as_regex, narrow, rename_metric, replace_value, shorten, substitute, variables,
};
pub(crate) use restrict::{Restriction, Unrestricted};
pub(crate) use walk::{
    Found, is_moment, matchers_of, metric_of, metrics_of, names_moment, orders_itself, selector_text,
    selectors,
};
pub(crate) use write::{LONGEST_PART, at_its_time, brief, mark, union, without_threshold, write};

use lex::{Kind, Token, tokens};
use promql_parser::parser::Expr;

/// Brackets nested deeper than this are refused: 30,000 of them overflow the parser's stack, and people write 10.
pub(crate) const DEEPEST: usize = 64;
/// Longer queries are not analysed: the parser's time and the tree's depth grow with them.
const MOST_TOKENS: usize = 1_000;
/// More regular expressions than this are not compiled: each may take milliseconds.
const MOST_REGEXES: usize = 16;

/// A query as far as it can be read without asking anyone.
pub(crate) struct Reading<'q> {
    pub(crate) text: &'q str,
    tokens: Vec<Token<'q>>,
    /// `None` for a query that is too long to analyse, or that this parser does not know.
    pub(crate) tree: Option<Expr>,
}

/// Reads a query.
///
/// # Errors
/// How deep its brackets are nested, when that is more than [`DEEPEST`].
pub(crate) fn read(text: &str) -> Result<Reading<'_>, usize> {
    let tokens = tokens(text);
    let depth = depth(&tokens);
    if depth > DEEPEST {
        return Err(depth);
    }
    let regexes = tokens.iter().filter(|token| matches!(token.text, "=~" | "!~")).count();
    let tree = if tokens.len() <= MOST_TOKENS && regexes <= MOST_REGEXES && has_plain_durations(&tokens) {
        promql_parser::parser::parse(text).ok()
    } else {
        None
    };
    Ok(Reading { text, tokens, tree })
}

/// Whether each number that stands for a duration is one: the parser panics at those that are too large or none.
fn has_plain_durations(tokens: &[Token<'_>]) -> bool {
    let begins = |text: &str| matches!(text, "[" | ":" | "offset");
    tokens.iter().enumerate().all(|(at, token)| {
        let before =
            |back: usize| at.checked_sub(back).and_then(|at| tokens.get(at)).map_or("", |one| one.text);
        let is_signed = matches!(before(1), "-" | "+") && begins(before(2));
        let is_number = token.text.parse::<f64>().is_ok();
        !(is_number && (begins(before(1)) || is_signed)) || lex::duration(token.text).is_some()
    })
}

/// How deep brackets of any kind are nested; one that is never closed counts.
fn depth(tokens: &[Token<'_>]) -> usize {
    let (mut open, mut deepest) = (0_usize, 0);
    for token in tokens {
        match token.kind {
            Kind::Open => open += 1,
            Kind::Close => open = open.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(open);
    }
    deepest
}

#[cfg(test)]
mod tests;
