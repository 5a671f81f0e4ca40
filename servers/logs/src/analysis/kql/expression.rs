//! Expressions: literals, names, calls, operators by their precedence.

use super::{
    Refusal,
    lexer::Kind,
    parser::{Parsed, Parser},
    words,
};

impl Parser<'_> {
    /// An expression, perhaps named: `x`, `a = x`, `(a, b) = x`.
    pub(super) fn named_expression(&mut self) -> Parsed {
        let length = self.name_length(0);
        if length > 0 && self.sees(length, "=") {
            self.at += length + 1;
            return self.expression();
        }
        if let Some(length) = self.name_list_before_equals() {
            self.at += length;
        }
        self.expression()
    }

    /// Tokens of `(a, b) =`, if they are next.
    fn name_list_before_equals(&self) -> Option<usize> {
        let mut ahead = usize::from(self.sees(0, "("));
        loop {
            let length = self.name_length(ahead);
            if ahead == 0 || length == 0 {
                return None;
            }
            ahead += length;
            if self.sees(ahead, ")") && self.sees(ahead + 1, "=") {
                return Some(ahead + 2);
            }
            if !self.sees(ahead, ",") {
                return None;
            }
            ahead += 1;
        }
    }

    /// An expression: `or` binds least.
    pub(super) fn expression(&mut self) -> Parsed {
        self.chain(&["or"], |parser| parser.chain(&["and"], Parser::equality))
    }

    /// Operands with any of these operators between them.
    fn chain(&mut self, operators: &[&str], operand: impl Fn(&mut Self) -> Parsed) -> Parsed {
        operand(self)?;
        while self.sees_any(operators) {
            self.at += 1;
            operand(self)?;
        }
        Ok(())
    }

    fn equality(&mut self) -> Parsed {
        if self.sees(0, "*") && self.sees(1, "==") {
            self.at += 2;
            return self.relation();
        }
        self.relation()?;
        if self.sees_any(&["==", "!=", "<>"]) {
            self.at += 1;
            return self.relation();
        }
        // `in range(…)` belongs to make-series.
        let of_series = self.sees(0, "in") && self.sees(1, "range");
        if self.sees_any(&["in", "in~", "!in", "!in~", "has_any", "has_all"]) && !of_series {
            self.at += 1;
            return self.set();
        }
        if self.sees_any(&["between", "!between"]) {
            self.at += 1;
            self.require("(")?;
            self.expression()?;
            self.require("..")?;
            self.expression()?;
            return self.require(")");
        }
        Ok(())
    }

    /// `(a, b)` or `(a query)` behind `in`.
    fn set(&mut self) -> Parsed {
        self.require("(")?;
        if self.is_query() {
            self.pipeline()?
        } else {
            self.list(Parser::expression)?
        }
        self.require(")")
    }

    /// Whether a query begins here rather than the first of several values.
    fn is_query(&self) -> bool {
        let mut depth: usize = 0;
        for ahead in 0.. {
            match self.text_at(ahead) {
                _ if self.peek(ahead).kind == Kind::End => return self.starts_operator(),
                _ if self.peek(ahead).kind != Kind::Mark => {}
                "(" => depth += 1,
                ")" | "," | ";" if depth == 0 => return self.starts_operator(),
                ")" => depth -= 1,
                "|" if depth == 0 => return true,
                _ => {}
            }
        }
        false
    }

    fn relation(&mut self) -> Parsed {
        self.sum()?;
        if self.sees_any(&["<", "<=", ">", ">="]) {
            self.at += 1;
            return self.sum();
        }
        Ok(())
    }

    fn sum(&mut self) -> Parsed {
        self.chain(&["+", "-"], |parser| parser.chain(&["*", "/", "%"], Parser::text_comparison))
    }

    fn text_comparison(&mut self) -> Parsed {
        let operator =
            |parser: &Self, ahead| words::STRING_OPERATORS.iter().any(|word| parser.sees(ahead, word));
        if self.sees(0, "*") && operator(self, 1) {
            self.at += 2;
            return self.signed();
        }
        self.signed()?;
        if operator(self, 0) {
            self.at += 1;
            return self.signed();
        }
        Ok(())
    }

    fn signed(&mut self) -> Parsed {
        if self.sees_any(&["+", "-"]) {
            self.at += 1;
        }
        self.path()
    }

    /// `a.b['c'][0].d`, beginning with any primary expression.
    fn path(&mut self) -> Parsed {
        self.primary()?;
        self.path_tail()
    }

    /// What follows the first element of a path.
    pub(super) fn path_tail(&mut self) -> Parsed {
        loop {
            if self.take(".") {
                self.element()?;
            } else if self.take("[") {
                self.expression()?;
                self.require("]")?;
            } else {
                return Ok(());
            }
        }
    }

    /// One element of a path: a name or a call.
    pub(super) fn element(&mut self) -> Parsed {
        let length = self.name_length(0);
        if length > 0 && self.sees(length, "(") { self.call() } else { self.name() }
    }

    fn primary(&mut self) -> Parsed {
        match self.peek(0).kind {
            Kind::Whole | Kind::Real | Kind::Span | Kind::Typed | Kind::Bool => self.at += 1,
            Kind::Text => self.strings()?,
            _ if self.sees(0, "(") => {
                self.at += 1;
                self.pipeline()?;
                self.require(")")?;
            }
            _ if self.sees(0, "dynamic") => self.dynamic()?,
            _ if self.sees(0, "datatable") => self.datatable()?,
            _ if self.sees(0, "toscalar") => {
                self.at += 1;
                self.require("(")?;
                self.pipeline()?;
                self.require(")")?;
            }
            _ if self.sees(0, "typeof") => return Err(self.expected("a value")),
            _ if self.name_length(0) > 0 => self.element()?,
            _ => return Err(self.not_a_value()),
        }
        Ok(())
    }

    fn not_a_value(&self) -> Refusal {
        match self.text_at(0) {
            "externaldata" | "external_data" => self.refused(
                "externaldata reads files from elsewhere",
                "query a table of this database; small lists go into datatable or let",
            ),
            "." => self.refused(
                "a management command, or a dot without a name before it",
                "only queries are sent: begin with a table",
            ),
            "materialize" => self.refused(
                "materialize(…) outside a let statement",
                "write let NAME = materialize(…); and use the name",
            ),
            _ => self.expected("a value, a column or a function"),
        }
    }

    /// Strings side by side are one. Without a gap they could be taken for one with a doubled quote.
    fn strings(&mut self) -> Parsed {
        self.token(Kind::Text, "a string")?;
        while self.peek(0).kind == Kind::Text {
            if self.peek(0).glued {
                return Err(
                    self.refused("two strings without a space between them", "escape a quote as \\' or \\\"")
                );
            }
            self.at += 1;
        }
        Ok(())
    }

    /// A function and its arguments, if it may be called.
    pub(super) fn call(&mut self) -> Parsed {
        self.may_be_called()?;
        let database = self.text_at(0) == "database";
        self.at += 2;
        if database {
            self.allowed_database()?;
        } else {
            self.list_or_nothing(Parser::argument)?;
        }
        self.require(")")
    }

    fn argument(&mut self) -> Parsed {
        let alone = self.sees(0, "*") && (self.sees(1, ")") || self.sees(1, ","));
        if alone {
            self.at += 1;
            return Ok(());
        }
        self.named_expression()
    }

    fn may_be_called(&self) -> Parsed {
        if !self.sees_name(0) {
            return Err(
                self.refused("a call of a function whose name is in brackets", "write the name without them")
            );
        }
        let name = self.text_at(0);
        let known = words::harmless(name) || self.declared.contains(&name);
        if known || name == "database" || self.allowed.functions.iter().any(|function| function == name) {
            return Ok(());
        }
        Err(match name.to_ascii_lowercase().as_str() {
            "cluster" | "entity_group" => self.refused(
                format!("{name}() reaches another cluster"),
                "name tables of the configured database; another cluster is a source of its own",
            ),
            "external_table" | "externaldata" => {
                self.refused(format!("{name}() reads data from elsewhere"), "query a table of this database")
            }
            _ => self.refused(
                format!("the function {name}() is not known to be harmless"),
                self.nearest_function(name),
            ),
        })
    }

    fn nearest_function(&self, name: &str) -> String {
        let lower = name.to_ascii_lowercase();
        match words::functions().find(|known| known.to_ascii_lowercase() == lower) {
            Some(known) => format!("it is written {known}()"),
            None => {
                "use a built-in function, declare it with let, or have an operator allow this stored function"
                    .into()
            }
        }
    }

    /// The argument of `database()`: one plain string, of the list.
    fn allowed_database(&mut self) -> Parsed {
        let written = self.text_at(0);
        let inner = written.get(1..written.len().saturating_sub(1)).unwrap_or_default();
        let plain =
            self.peek(0).kind == Kind::Text && written.starts_with(['\'', '"']) && !inner.contains('\\');
        let named = plain && self.allowed.databases.iter().any(|name| name == inner);
        if !named || !self.sees(1, ")") {
            let instead = match self.allowed.databases.as_slice() {
                [] => "name tables of the configured database; an operator can allow others".to_owned(),
                names => format!("allowed: database(\"{}\")", names.join("\"), database(\"")),
            };
            return Err(self.refused("another database", instead));
        }
        self.at += 1;
        Ok(())
    }

    /// `dynamic({…})`: JSON.
    fn dynamic(&mut self) -> Parsed {
        self.require("dynamic")?;
        self.require("(")?;
        self.json()?;
        self.require(")")
    }

    fn json(&mut self) -> Parsed {
        match self.peek(0).kind {
            Kind::Whole | Kind::Real | Kind::Bool | Kind::Span => self.at += 1,
            Kind::Text => self.strings()?,
            _ if self.take("null") => {}
            _ if self.take("-") => {
                if !matches!(self.peek(0).kind, Kind::Whole | Kind::Real) {
                    return Err(self.expected("a number"));
                }
                self.at += 1;
            }
            _ if self.take("[") => {
                self.list_or_nothing(Parser::json)?;
                self.require("]")?;
            }
            _ if self.take("{") => {
                self.list_or_nothing(|parser| {
                    parser.token(Kind::Text, "a string")?;
                    parser.require(":")?;
                    parser.json()
                })?;
                self.require("}")?;
            }
            _ => return Err(self.expected("a JSON value")),
        }
        Ok(())
    }

    /// `datatable(a: string)["x", "y"]`.
    fn datatable(&mut self) -> Parsed {
        self.require("datatable")?;
        self.schema()?;
        self.require("[")?;
        while !self.sees(0, "]") {
            self.literal()?;
            if !self.take(",") {
                break;
            }
        }
        self.require("]")
    }

    /// A constant.
    pub(super) fn literal(&mut self) -> Parsed {
        if self.sees(0, "dynamic") {
            return self.dynamic();
        }
        let signed = usize::from(self.sees_any(&["+", "-"]));
        let number = self.peek(signed);
        let numeric = matches!(number.kind, Kind::Whole | Kind::Real | Kind::Span);
        if signed == 1 && numeric && number.glued {
            self.at += 2;
            return Ok(());
        }
        match number.kind {
            _ if signed == 1 => Err(self.expected("a constant")),
            Kind::Text => self.strings(),
            Kind::Typed | Kind::Bool => {
                self.at += 1;
                Ok(())
            }
            _ if numeric => {
                self.at += 1;
                Ok(())
            }
            _ => Err(self.expected("a constant")),
        }
    }
}
