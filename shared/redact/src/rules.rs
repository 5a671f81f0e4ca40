//! What an operator adds to the built-in classes: own patterns, names of fields, exceptions.

use std::fmt;

use regex::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use crate::classes::names;
use crate::fields::words_of;
use crate::token::is_class_name;

/// How many patterns an operator may add.
const MOST_PATTERNS: usize = 32;
/// How long one may be, in bytes.
const LONGEST_PATTERN: usize = 1_000;
/// How much memory one may take when compiled, in bytes; `\w{500}` takes more.
const LARGEST_PATTERN: usize = 256 * 1024;
/// The fewest characters of an exception, stars aside: fewer would let too much through.
const SHORTEST_EXCEPTION: usize = 4;

/// What an operator adds to the built-in classes. The default adds nothing and leaves addresses of IP as they are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rules {
    /// Whether addresses of IPv4 and IPv6 are masked; loopback addresses and masks never are.
    pub addresses: bool,
    /// Own classes, applied before the built-in ones.
    pub custom: Vec<CustomClass>,
    /// Values that are never masked, whatever class they belong to: in full, or with a `*` at the start or the end
    /// (`*@example.com`); upper and lower case are the same.
    pub allow: Vec<String>,
    /// Further names of fields whose value is a secret as a whole, such as `vault_seal`.
    pub fields: Vec<String>,
}

/// A class of an operator's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CustomClass {
    /// Its name in tokens and counts: lower-case letters, digits and `-`, at most 32, not the name of a built-in class.
    pub name: String,
    /// A regular expression (syntax of the regex crate: no look-around, no back-references, so that it takes linear
    /// time). The first group that takes part is the value; without groups it is the whole match.
    pub pattern: String,
}

/// A rule that cannot be used, by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RuleError {
    rule: String,
    problem: String,
}

impl RuleError {
    fn new(rule: &str, problem: &str) -> RuleError {
        RuleError { rule: rule.to_owned(), problem: problem.to_owned() }
    }

    /// The name of the class, or the exception or field as it was written.
    #[must_use]
    pub fn rule(&self) -> &str {
        &self.rule
    }
}

impl fmt::Display for RuleError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "masking rule `{}`: {}", self.rule, self.problem)
    }
}

impl std::error::Error for RuleError {}

/// A custom class at work.
#[derive(Debug)]
pub(crate) struct Custom {
    pub(crate) name: String,
    pub(crate) pattern: Regex,
}

/// Rules at work.
#[derive(Debug, Default)]
pub(crate) struct Compiled {
    pub(crate) addresses: bool,
    custom: Vec<Custom>,
    any_custom: Option<RegexSet>,
    allow: Vec<Exception>,
    fields: Vec<Vec<String>>,
}

/// An exception: lower-case text that stands at the start, at the end, or is all.
#[derive(Debug)]
struct Exception {
    open_start: bool,
    open_end: bool,
    text: String,
}

impl Compiled {
    pub(crate) fn new(rules: &Rules) -> Result<Compiled, RuleError> {
        if let Some(one_too_many) = rules.custom.get(MOST_PATTERNS) {
            let problem = format!("there are more than {MOST_PATTERNS} patterns");
            return Err(RuleError::new(&one_too_many.name, &problem));
        }
        let mut custom: Vec<Custom> = Vec::with_capacity(rules.custom.len());
        for class in &rules.custom {
            if custom.iter().any(|earlier| earlier.name == class.name) {
                return Err(RuleError::new(&class.name, "there are two classes of this name"));
            }
            custom.push(compile(class)?);
        }
        let patterns = rules.custom.iter().map(|class| &class.pattern);
        let any_custom = match custom.is_empty() {
            true => None,
            false => RegexSetBuilder::new(patterns).size_limit(LARGEST_PATTERN * MOST_PATTERNS).build().ok(),
        };
        let allow = rules.allow.iter().map(|text| exception(text)).collect::<Result<_, _>>()?;
        let fields = rules.fields.iter().map(|name| field(name)).collect::<Result<_, _>>()?;
        Ok(Compiled { addresses: rules.addresses, custom, any_custom, allow, fields })
    }

    /// The custom classes that match `text`.
    pub(crate) fn possible(&self, text: &str) -> Vec<&Custom> {
        match &self.any_custom {
            // without a set (one that grew too large) each is tried on its own
            None => self.custom.iter().collect(),
            Some(any) => any.matches(text).iter().filter_map(|index| self.custom.get(index)).collect(),
        }
    }

    /// Whether an operator said that this value may be seen.
    pub(crate) fn allows(&self, value: &str) -> bool {
        !self.allow.is_empty() && {
            let value = value.to_lowercase();
            self.allow.iter().any(|exception| exception.covers(&value))
        }
    }

    /// Whether an operator named this field, given as its words.
    pub(crate) fn names_field(&self, words: &[String]) -> bool {
        self.fields.iter().any(|field| words.ends_with(field))
    }
}

impl Exception {
    fn covers(&self, value: &str) -> bool {
        match (self.open_start, self.open_end) {
            (false, false) => value == self.text,
            (true, false) => value.ends_with(&self.text),
            (false, true) => value.starts_with(&self.text),
            (true, true) => value.contains(&self.text),
        }
    }
}

fn compile(class: &CustomClass) -> Result<Custom, RuleError> {
    let wrong = |problem: &str| Err(RuleError::new(&class.name, problem));
    if !is_class_name(&class.name) {
        return wrong("a name has lower-case letters, digits and `-`, and at most 32 of them");
    }
    if names().any(|name| name == class.name) || class.name == "withheld" {
        return wrong("a built-in class has this name");
    }
    if class.pattern.len() > LONGEST_PATTERN {
        return wrong(&format!("the pattern is longer than {LONGEST_PATTERN} bytes"));
    }
    let built = RegexBuilder::new(&class.pattern).size_limit(LARGEST_PATTERN).nest_limit(50).build();
    match built {
        Ok(pattern) if pattern.is_match("") => wrong("the pattern matches the empty text"),
        Ok(pattern) => Ok(Custom { name: class.name.clone(), pattern }),
        Err(regex::Error::CompiledTooBig(limit)) => {
            wrong(&format!("the pattern takes more than {limit} bytes when compiled; repeat less"))
        }
        Err(error) => wrong(&error.to_string()),
    }
}

fn exception(text: &str) -> Result<Exception, RuleError> {
    let inner = text.trim_matches('*');
    if inner.chars().count() < SHORTEST_EXCEPTION || inner.contains('*') {
        let problem = format!(
            "an exception has at least {SHORTEST_EXCEPTION} characters, and a `*` only at its start or end"
        );
        return Err(RuleError::new(text, &problem));
    }
    Ok(Exception {
        open_start: text.starts_with('*'),
        open_end: text.ends_with('*'),
        text: inner.to_lowercase(),
    })
}

fn field(name: &str) -> Result<Vec<String>, RuleError> {
    let words = words_of(name);
    if words.is_empty() {
        return Err(RuleError::new(name, "the name of a field has letters or digits"));
    }
    Ok(words)
}
