//! Operators on tables: which there are, and those that filter, shape and join rows.

use super::{
    lexer::Kind,
    parser::{Parsed, Parser},
    words,
};

/// Operators that are refused with words of their own: `(operator, why, what instead)`.
const REFUSED: &[(&str, &str, &str)] = &[
    ("externaldata", "externaldata reads files from elsewhere", "query a table of this database"),
    ("external_data", "external_data reads files from elsewhere", "query a table of this database"),
    ("inline_external_table", "it reads files from elsewhere", "query a table of this database"),
    ("macro-expand", "macro-expand runs over other databases", "name the tables in a union"),
    ("fork", "fork gives several results", "ask one question in a call"),
    ("facet", "facet gives several results", "use summarize … by"),
    ("consume", "consume gives no rows", "use count"),
    ("make-graph", "graph operators are not let through", "join the tables"),
    ("graph-match", "graph operators are not let through", "join the tables"),
];

impl Parser<'_> {
    /// Whether an operator that needs no table before it begins here.
    pub(super) fn starts_operator(&self) -> bool {
        let range = self.sees(0, "range") && {
            let length = self.name_length(1);
            length > 0 && self.sees(1 + length, "from")
        };
        range || self.sees_any(&["print", "union", "search", "find"])
    }

    /// An operator that needs no table before it.
    pub(super) fn leading_operator(&mut self) -> Parsed {
        if self.take("range") {
            self.name()?;
            for word in ["from", "to", "step"] {
                self.require(word)?;
                self.expression()?;
            }
            return Ok(());
        }
        if self.take("print") {
            return self.list(Parser::named_expression);
        }
        self.operator()
    }

    /// One operator behind a pipe.
    pub(super) fn operator(&mut self) -> Parsed {
        let word = if self.peek(0).kind == Kind::Keyword { self.text_at(0) } else { "" };
        if word == "count" && self.sees(1, "(") {
            return Err(self.refused("count() behind a pipe", "write | count, or | summarize count()"));
        }
        if let Some((_, why, instead)) = REFUSED.iter().find(|(operator, ..)| *operator == word) {
            return Err(self.refused(*why, *instead));
        }
        self.at += 1;
        match word {
            "where" | "filter" => self.expression(),
            "take" | "limit" | "sample" => self.expression(),
            "extend" | "project" => self.list(Parser::named_expression),
            "project-away" | "project-keep" => self.list(Parser::wildcard_name),
            "project-reorder" => self.list(|parser| {
                parser.wildcard_name()?;
                parser.direction();
                Ok(())
            }),
            "project-rename" => self.list(|parser| {
                parser.name()?;
                parser.require("=")?;
                parser.name()
            }),
            "distinct" => self.distinct(),
            "count" => self.count(),
            "as" => self.name(),
            "getschema" => Ok(()),
            "serialize" => self.list_or_nothing(Parser::named_expression),
            "join" => self.join(),
            "lookup" => self.lookup(),
            "union" => self.union(),
            "search" => self.search(),
            "find" => self.find(),
            "parse" | "parse-where" => self.parse(),
            "parse-kv" => self.parse_kv(),
            "mv-expand" | "mvexpand" => self.mv_expand(),
            "mv-apply" | "mvapply" => self.mv_apply(),
            "evaluate" => self.evaluate(),
            "invoke" => self.call(),
            "render" => self.render(),
            "summarize" | "sort" | "order" | "top" | "top-nested" | "top-hitters" | "sample-distinct"
            | "reduce" | "make-series" | "partition" => self.reduction(word),
            _ => {
                self.at -= 1;
                Err(self
                    .expected("an operator of KQL that this guard knows (where, project, summarize, take …)"))
            }
        }
    }

    fn distinct(&mut self) -> Parsed {
        self.hints()?;
        self.list(|parser| if parser.take("*") { Ok(()) } else { parser.named_expression() })
    }

    fn count(&mut self) -> Parsed {
        if self.take("as") { self.token(Kind::Name, "a name") } else { Ok(()) }
    }

    /// `hint.strategy=shuffle` and others that only say how to spread the work.
    pub(super) fn hints(&mut self) -> Parsed {
        while self.sees_any(&["hint.strategy", "hint.shufflekey", "hint.num_partitions"]) && self.sees(1, "=")
        {
            self.at += 2;
            if self.peek(0).kind == Kind::Whole {
                self.at += 1;
            } else {
                self.name()?;
            }
        }
        Ok(())
    }

    /// `word=value`, if it is next, with one of these values.
    pub(super) fn option(&mut self, word: &str, values: &[&str]) -> Parsed {
        if !self.sees(0, word) || !self.sees(1, "=") {
            return Ok(());
        }
        self.at += 2;
        let known = matches!(self.peek(0).kind, Kind::Name | Kind::Keyword | Kind::Bool)
            && values.contains(&self.text_at(0));
        if !known {
            return Err(self.expected(&format!("one of {}", values.join(", "))));
        }
        self.at += 1;
        Ok(())
    }

    /// `withsource=Name`, if it is next.
    fn name_option(&mut self, word: &str) -> Parsed {
        if !self.sees(0, word) || !self.sees(1, "=") {
            return Ok(());
        }
        self.at += 2;
        self.name()
    }

    fn join(&mut self) -> Parsed {
        const KINDS: &[&str] = &[
            "inner",
            "fullouter",
            "innerunique",
            "leftanti",
            "leftantisemi",
            "anti",
            "leftouter",
            "leftsemi",
            "rightanti",
            "rightantisemi",
            "rightouter",
            "rightsemi",
        ];
        self.option("kind", KINDS)?;
        self.hints()?;
        self.expression()?;
        self.require("on")?;
        self.list(Parser::expression)
    }

    fn lookup(&mut self) -> Parsed {
        self.option("kind", &["inner", "leftouter"])?;
        self.expression()?;
        self.require("on")?;
        self.list(Parser::expression)
    }

    fn union(&mut self) -> Parsed {
        loop {
            let before = self.at;
            self.option("kind", &["inner", "outer"])?;
            self.option("isfuzzy", &["true", "false"])?;
            self.name_option("withsource")?;
            if self.at == before {
                break;
            }
        }
        self.list(Parser::table)
    }

    /// A table of a union: `T`, `T*`, `(a pipeline)`, `database("x").T`.
    fn table(&mut self) -> Parsed {
        if self.take("(") {
            self.pipeline()?;
            return self.require(")");
        }
        let length = self.name_length(0);
        if length == 0 || self.sees(length, "*") {
            return self.wildcard_name();
        }
        self.element()?;
        while self.take(".") {
            if self.sees(0, "*") || self.sees(1, "*") {
                return self.wildcard_name();
            }
            self.element()?;
        }
        Ok(())
    }

    /// `in (T1, T2*)` of search and find, if it is next.
    fn tables(&mut self) -> Parsed {
        if self.take("in") {
            self.require("(")?;
            self.list(Parser::wildcard_name)?;
            self.require(")")?;
        }
        Ok(())
    }

    fn search(&mut self) -> Parsed {
        self.option("kind", &["default", "case_insensitive", "case_sensitive"])?;
        self.tables()?;
        let everything =
            self.sees(0, "*") && matches!(self.peek(1).kind, Kind::End | Kind::Mark) && !self.sees(1, ":");
        if everything && !self.sees(1, "==") && !self.sees(1, "=~") && !self.sees(1, "!~") {
            self.at += 1;
            return Ok(());
        }
        self.expression()
    }

    fn find(&mut self) -> Parsed {
        self.name_option("withsource")?;
        self.tables()?;
        self.require("where")?;
        self.expression()?;
        if self.take("project") { self.list(Parser::name) } else { Ok(()) }
    }

    fn parse(&mut self) -> Parsed {
        self.option("kind", &["simple", "regex", "relaxed"])?;
        if self.sees(0, "flags") && self.sees(1, "=") {
            self.at += 2;
            self.token(Kind::Name, "flags such as i")?;
        }
        self.expression()?;
        self.require("with")?;
        self.parse_piece()?;
        while !self.ends() {
            self.parse_piece()?;
        }
        Ok(())
    }

    /// `*`, a string, or a column with or without its type.
    fn parse_piece(&mut self) -> Parsed {
        if self.take("*") {
            return Ok(());
        }
        if self.peek(0).kind == Kind::Text {
            self.at += 1;
            return Ok(());
        }
        self.name()?;
        if self.take(":") { self.type_name() } else { Ok(()) }
    }

    fn parse_kv(&mut self) -> Parsed {
        self.expression()?;
        self.require("as")?;
        self.schema()?;
        if !self.take("with") {
            return Ok(());
        }
        self.require("(")?;
        self.list(|parser| {
            let word = parser.text_at(0);
            if !matches!(word, "pair_delimiter" | "kv_delimiter" | "regex" | "quote" | "escape" | "greedy") {
                return Err(parser.expected("pair_delimiter, kv_delimiter, quote, escape, regex or greedy"));
            }
            parser.at += 1;
            parser.require("=")?;
            if word == "greedy" {
                parser.token(Kind::Bool, "true or false")
            } else {
                parser.token(Kind::Text, "a string")
            }
        })?;
        self.require(")")
    }

    fn mv_expand(&mut self) -> Parsed {
        self.option("kind", &["bag", "array"])?;
        self.option("bagexpansion", &["bag", "array"])?;
        self.name_option("with_itemindex")?;
        self.list(|parser| parser.expanded(&["limit", "to"]))?;
        self.row_limit()
    }

    fn mv_apply(&mut self) -> Parsed {
        self.name_option("with_itemindex")?;
        self.list(|parser| parser.expanded(&["limit", "to", "id", "on"]))?;
        self.row_limit()?;
        self.require("on")?;
        self.require("(")?;
        self.operator()?;
        self.piped()?;
        self.require(")")
    }

    /// `a = x to typeof(long)`.
    fn expanded(&mut self, not_names: &[&str]) -> Parsed {
        if self.sees_any(not_names) {
            return Err(self.expected("a column; one of such a name is written as ['name']"));
        }
        self.named_expression()?;
        if self.take("to") {
            self.require("typeof")?;
            self.require("(")?;
            self.type_name()?;
            self.require(")")?;
        }
        Ok(())
    }

    fn row_limit(&mut self) -> Parsed {
        if self.take("limit") { self.expression() } else { Ok(()) }
    }

    fn evaluate(&mut self) -> Parsed {
        let plugin = self.text_at(0);
        if !words::PLUGINS.contains(&plugin) {
            let instead = format!("plugins that only work on their rows: {}", words::PLUGINS.join(", "));
            return Err(self.refused(format!("evaluate {}", plugin.escape_debug()), instead));
        }
        self.at += 1;
        self.require("(")?;
        self.list_or_nothing(|parser| {
            if parser.sees(0, "*") { parser.require("*") } else { parser.named_expression() }
        })?;
        self.require(")")?;
        if self.take(":") { self.schema() } else { Ok(()) }
    }

    fn render(&mut self) -> Parsed {
        if !words::CHARTS.contains(&self.text_at(0)) {
            return Err(self.expected("a kind of chart such as timechart"));
        }
        self.at += 1;
        if !self.take("with") {
            return Ok(());
        }
        self.require("(")?;
        self.list(|parser| {
            if !matches!(parser.text_at(0), "title" | "xtitle" | "ytitle") {
                return Err(parser.expected("title, xtitle or ytitle"));
            }
            parser.at += 1;
            parser.require("=")?;
            parser.token(Kind::Text, "a string")
        })?;
        self.require(")")
    }

    /// Takes `asc` or `desc`, if one is next.
    pub(super) fn direction(&mut self) -> bool {
        self.take("asc") || self.take("desc")
    }
}
