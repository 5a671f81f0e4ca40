//! Statements: any number of `let`, then one query or condition.

use super::{
    Accepted, Form,
    lexer::Kind,
    parser::{Parsed, Parser},
    words,
};

impl<'a> Parser<'a> {
    /// The whole text.
    pub(super) fn whole(mut self) -> Result<Accepted<'a>, super::Refusal> {
        while self.sees(0, "let") && self.name_length(1) > 0 {
            self.let_statement()?;
            self.require(";")?;
        }
        self.no_other_statement()?;
        let query_at = self.peek(0).start;
        let form = self.form();
        self.pipeline()?;
        let end = self.behind();
        self.take(";");
        if self.peek(0).kind != Kind::End {
            return Err(self.more());
        }
        Ok(Accepted { text: self.text.get(..end).unwrap_or_default(), form, query_at })
    }

    fn more(&self) -> super::Refusal {
        if self.sees(0, ".") {
            return self.refused("a management command", "send one query, and nothing behind it");
        }
        if self.took(";") {
            return self
                .refused("a second query", "send one query in a call; only let statements may be before it");
        }
        self.expected("an operator (and, |) or the end")
    }

    /// Statements that are not let through, by name.
    fn no_other_statement(&self) -> Parsed {
        let next = self.text_at(1);
        let refuse = |what: &str, instead: &str| Err(self.refused(what, instead));
        match self.text_at(0) {
            _ if self.peek(0).kind == Kind::End => {
                refuse("no query", "begin with a table, such as Logs | take 10")
            }
            "." => refuse("a management command", "only queries are sent: begin with a table"),
            "set" if self.sees(0, "set") => {
                refuse("a set statement", "leave it out: options are set by this server")
            }
            "declare" if matches!(next, "query_parameters" | "pattern") => {
                refuse("a declare statement", "write values into the query")
            }
            "restrict" if next == "access" => refuse("a restrict statement", "leave it out"),
            "alias" if next == "database" => {
                refuse("an alias statement", "name tables of the configured database")
            }
            _ => Ok(()),
        }
    }

    /// A pipe or an operator of tables makes a query, a comparison or a call a condition; outside brackets first.
    fn form(&self) -> Form {
        let opaque =
            matches!(self.text_at(0), "table" | "materialized_view" | "stored_query_result" | "datatable");
        if self.starts_operator() || opaque || self.sees_quoted_name(0) && self.name_ends(3) {
            return Form::Query;
        }
        let mut depth: usize = 0;
        let mut inside = Form::Words;
        let mut outside = Form::Words;
        for ahead in 0.. {
            let here = if depth == 0 { &mut outside } else { &mut inside };
            match self.text_at(ahead) {
                _ if self.peek(ahead).kind == Kind::End => break,
                ";" if depth == 0 => break,
                "|" => *here = Form::Query,
                _ if *here == Form::Words && self.compares(ahead) => *here = Form::Condition,
                _ => {}
            }
            match self.text_at(ahead) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
        }
        if outside == Form::Words { inside } else { outside }
    }

    /// Whether a comparison, or a call of a function that may give one, is so many places on.
    fn compares(&self, ahead: usize) -> bool {
        const OPERATORS: &[&str] = &[
            "==", "!=", "<>", "<", "<=", ">", ">=", "in", "in~", "!in", "!in~", "has_any", "has_all",
            "between", "!between",
        ];
        let mut operators =
            OPERATORS.iter().chain(words::STRING_OPERATORS).filter(|operator| **operator != ":");
        let call = words::harmless(self.text_at(ahead)) && self.sees(ahead + 1, "(");
        call || operators.any(|operator| self.sees(ahead, operator))
    }

    fn name_ends(&self, ahead: usize) -> bool {
        self.peek(ahead).kind == Kind::End || self.sees(ahead, ";")
    }

    /// `let x = …`: a value, a table or a function.
    fn let_statement(&mut self) -> Parsed {
        self.require("let")?;
        let place = self.at;
        let name = self.plain_name()?;
        if words::NEVER_DECLARED.iter().any(|never| never.eq_ignore_ascii_case(name)) {
            self.at = place;
            return Err(self
                .refused(format!("a let statement that gives {name} a new meaning"), "choose another name"));
        }
        self.require("=")?;
        if self.take("materialize") {
            self.require("(")?;
            self.pipeline()?;
            return self.require(")");
        }
        if self.starts_function() {
            self.function()?;
            self.declared.push(name);
            return Ok(());
        }
        self.pipeline()
    }

    fn starts_function(&self) -> bool {
        let ahead = usize::from(self.sees(0, "view"));
        let length = self.name_length(ahead + 1);
        let parameters = self.sees(ahead + 1, ")") || length > 0 && self.sees(ahead + 1 + length, ":");
        self.sees(ahead, "(") && parameters
    }

    /// `(a: string, T: (x: long)) { … }`.
    fn function(&mut self) -> Parsed {
        self.take("view");
        self.require("(")?;
        self.list_or_nothing(Parser::parameter)?;
        self.require(")")?;
        self.require("{")?;
        // What is declared inside is not known outside.
        let outside = self.declared.len();
        while self.sees(0, "let") && self.name_length(1) > 0 {
            self.let_statement()?;
            self.require(";")?;
        }
        self.pipeline()?;
        self.take(";");
        self.declared.truncate(outside);
        self.require("}")
    }

    fn parameter(&mut self) -> Parsed {
        self.name()?;
        self.require(":")?;
        if self.sees(0, "(") && self.sees(1, "*") {
            self.at += 2;
            return self.require(")");
        }
        if self.sees(0, "(") {
            return self.schema();
        }
        self.type_name()?;
        if self.take("=") { self.literal() } else { Ok(()) }
    }

    /// A table, a value or an operator that needs none before it, then operators behind pipes.
    pub(super) fn pipeline(&mut self) -> Parsed {
        if self.starts_operator() {
            self.leading_operator()?;
        } else {
            self.expression()?;
        }
        self.piped()
    }

    /// Operators behind pipes, if any.
    pub(super) fn piped(&mut self) -> Parsed {
        while self.take("|") {
            self.operator()?;
        }
        Ok(())
    }
}
