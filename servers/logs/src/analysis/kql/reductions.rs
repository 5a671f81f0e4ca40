//! Operators that order rows, or make fewer of them.

use super::{
    lexer::Kind,
    parser::{Parsed, Parser},
};

impl Parser<'_> {
    /// The rest of an operator whose word was taken.
    pub(super) fn reduction(&mut self, word: &str) -> Parsed {
        match word {
            "summarize" => self.summarize(),
            "sort" | "order" => {
                self.require("by")?;
                self.list(Parser::ordered)
            }
            "top" => {
                self.expression()?;
                self.require("by")?;
                self.ordered()
            }
            "top-nested" => self.top_nested(),
            "top-hitters" => {
                self.of()?;
                if self.take("by") { self.named_expression() } else { Ok(()) }
            }
            "sample-distinct" => self.of(),
            "reduce" => self.reduce(),
            "make-series" => self.make_series(),
            _ => self.partition(),
        }
    }

    /// `5 of column`.
    fn of(&mut self) -> Parsed {
        self.expression()?;
        self.require("of")?;
        self.named_expression()
    }

    /// `a desc nulls last`.
    fn ordered(&mut self) -> Parsed {
        self.named_expression()?;
        self.direction();
        if self.take("nulls") && !self.take("first") && !self.take("last") {
            return Err(self.expected("first or last"));
        }
        Ok(())
    }

    fn summarize(&mut self) -> Parsed {
        self.hints()?;
        if !self.sees(0, "by") {
            self.list(Parser::named_expression)?;
        }
        if !self.take("by") {
            return Ok(());
        }
        self.list(|parser| {
            // An old way to write bin(), which is read differently from a name.
            if parser.sees(0, "bin") && parser.sees(1, "=") {
                return Err(parser.refused("bin = …", "write bin(column, size)"));
            }
            parser.named_expression()
        })
    }

    fn top_nested(&mut self) -> Parsed {
        loop {
            if !self.sees(0, "of") {
                self.expression()?;
            }
            self.require("of")?;
            self.named_expression()?;
            self.require("by")?;
            self.ordered()?;
            if !self.take(",") {
                return Ok(());
            }
            self.require("top-nested")?;
        }
    }

    fn reduce(&mut self) -> Parsed {
        self.require("by")?;
        self.named_expression()?;
        if !self.take("with") {
            return Ok(());
        }
        self.list(|parser| match parser.text_at(0) {
            "threshold" => {
                parser.at += 1;
                parser.require("=")?;
                parser.token(Kind::Real, "a number such as 0.1")
            }
            "characters" => {
                parser.at += 1;
                parser.require("=")?;
                parser.token(Kind::Text, "a string")
            }
            _ => Err(parser.expected("threshold or characters")),
        })
    }

    fn make_series(&mut self) -> Parsed {
        self.option("kind", &["nonempty"])?;
        self.list(|parser| {
            if parser.sees_any(&["on", "from"]) {
                return Err(parser.expected("an aggregation"));
            }
            parser.named_expression()?;
            if parser.take("default") {
                parser.require("=")?;
                parser.expression()?;
            }
            Ok(())
        })?;
        self.require("on")?;
        self.named_expression()?;
        if self.take("in") {
            self.require("range")?;
            self.require("(")?;
            self.list(Parser::expression)?;
            self.require(")")?;
        } else {
            for word in ["from", "to"] {
                if self.take(word) {
                    self.expression()?;
                }
            }
            self.require("step")?;
            self.expression()?;
        }
        if self.take("by") { self.list(Parser::named_expression) } else { Ok(()) }
    }

    /// `partition hint.strategy=native by key (operators)`.
    fn partition(&mut self) -> Parsed {
        self.hints()?;
        self.require("by")?;
        self.name()?;
        self.require("(")?;
        self.operator()?;
        self.piped()?;
        self.require(")")
    }
}
