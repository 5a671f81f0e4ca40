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

    /// A condition has an operator outside brackets, and neither a pipe nor an operator of tables.
    fn form(&self) -> Form {
        let mut depth: usize = 0;
        let tables = matches!(self.text_at(0), "table" | "materialized_view" | "stored_query_result");
        let mut condition = words::harmless(self.text_at(0)) && self.sees(1, "(") && !tables;
        for ahead in 0.. {
            let token = self.peek(ahead);
            match (token.kind, self.text_at(ahead)) {
                (Kind::End, _) | (Kind::Mark, ";") => break,
                (Kind::Mark, "(" | "[" | "{") => depth += 1,
                (Kind::Mark, ")" | "]" | "}") => depth = depth.saturating_sub(1),
                _ if depth > 0 => {}
                (Kind::Mark, "|") => return Form::Query,
                (Kind::Mark, ".") | (Kind::Name, _) => {}
                _ => condition = true,
            }
        }
        if condition && !self.starts_operator() && !self.sees(0, "datatable") {
            Form::Condition
        } else {
            Form::Query
        }
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
