//! Makes texts: queries by a grammar, and others by changing them. The same seed makes the same texts.

mod vocabulary;

use crate::analysis::kql::hostile;
use vocabulary::{AGGREGATES, COLUMNS, FUNCTIONS, LITERALS, REFUSED, TABLES, TEXT_OPERATORS};

/// Makes texts of one seed.
pub(super) struct Generator {
    random: fastrand::Rng,
    /// Whether operators are made that the guard refuses.
    everything: bool,
    depth: usize,
}

impl Generator {
    pub(super) fn new(seed: u64) -> Generator {
        Generator { random: fastrand::Rng::with_seed(seed), everything: false, depth: 0 }
    }

    fn one(&mut self, of: &[&str]) -> String {
        of[self.random.usize(..of.len())].to_owned()
    }

    fn chance(&mut self, of: usize) -> bool {
        self.random.usize(..of) == 0
    }

    fn several(&mut self, most: usize, piece: fn(&mut Generator) -> String) -> String {
        let count = 1 + self.random.usize(..most);
        (0..count).map(|_| piece(self)).collect::<Vec<_>>().join(if self.chance(4) { "," } else { ", " })
    }

    /// A query of what the guard lets through.
    pub(super) fn plain_query(&mut self) -> String {
        self.everything = false;
        self.query(1)
    }

    /// A query that may have anything in it.
    pub(super) fn any_query(&mut self) -> String {
        self.everything = true;
        self.query(1)
    }

    /// A query in which a few things were changed.
    pub(super) fn changed_query(&mut self) -> String {
        self.everything = self.chance(3);
        let text = self.query(2);
        self.changed(text)
    }

    /// A hostile text, changed or put around, before or into a query.
    pub(super) fn hostile(&mut self) -> String {
        self.everything = true;
        let hostile = self.one(hostile::TEXTS);
        match self.random.u8(..6) {
            0 => hostile,
            1 => format!("{}{hostile}", self.one(&[" ", "\n", "// x\n", "\t// y\r\n", "#d\n", "\u{feff}"])),
            2 => format!("{};\n{hostile}", self.query(2)),
            3 => format!("{hostile}{}{}", self.one(&[";", "\n", " ", ";\n"]), self.query(2)),
            4 => {
                let mut query = self.query(2);
                let at = self.place(&query);
                query.insert_str(at, &hostile);
                query
            }
            _ => self.changed(hostile),
        }
    }

    fn place(&mut self, text: &str) -> usize {
        let mut at = self.random.usize(..=text.len());
        while !text.is_char_boundary(at) {
            at -= 1;
        }
        at
    }

    fn changed(&mut self, mut text: String) -> String {
        for _ in 0..=self.random.usize(..2) {
            let (from, to) = (self.place(&text), self.place(&text));
            let (from, to) = (from.min(to), from.max(to).min(from.min(to) + 12));
            let to = (to..=text.len()).find(|at| text.is_char_boundary(*at)).unwrap_or(text.len());
            match self.random.u8(..5) {
                0 => text.replace_range(from..to, ""),
                1 => {
                    let piece = text[from..to].to_owned();
                    let at = self.place(&text);
                    text.insert_str(at, &piece);
                }
                2 => {
                    let piece = self.one(hostile::PIECES);
                    text.replace_range(from..to, &piece);
                }
                _ => {
                    let piece = self.one(hostile::PIECES);
                    let spaced = self.chance(2);
                    text.insert_str(from, &if spaced { format!(" {piece} ") } else { piece });
                }
            }
        }
        text
    }

    /// The deeper it begins, the shorter it is.
    fn query(&mut self, depth: usize) -> String {
        self.depth = depth;
        let mut text = String::new();
        if self.chance(6) {
            text.push_str("// a comment; with .dots | and 'quotes\n");
        }
        let mut functions = Vec::new();
        for number in 0..self.random.usize(..3) / 2 * 2 {
            match self.random.u8(..4) {
                0 => text.push_str(&format!("let v{number} = {};\n", self.expression())),
                1 => text.push_str(&format!("let m{number} = materialize({});\n", self.pipeline())),
                2 => text.push_str(&format!("let t{number} = {};\n", self.pipeline())),
                _ => {
                    let body = self.expression();
                    text.push_str(&format!(
                        "let f{number} = (a: string, b: long = 5) {{ let c = 1; {body} }};\n"
                    ));
                    functions.push(number);
                }
            }
        }
        if let Some(number) = functions.first().filter(|_| self.random.bool()) {
            text.push_str(&format!("{} | extend y = f{number}('x')", self.pipeline()));
        } else if self.chance(8) {
            text.push_str(&format!("{} {} {}", self.column(), self.one(TEXT_OPERATORS), self.one(LITERALS)));
        } else {
            text.push_str(&self.pipeline());
        }
        let end = self.one(&["", "", "", ";", "\n", " // end", ";\n// end\n"]);
        text + &end
    }

    fn pipeline(&mut self) -> String {
        self.depth += 1;
        let mut text = match self.random.u8(..12) {
            0 => format!(
                "union {}{}",
                self.one(&["", "kind=outer ", "withsource=Src ", "isfuzzy=true "]),
                self.several(3, Generator::united)
            ),
            1 => format!("print {}", self.several(3, Generator::named)),
            2 => "range x from 1 to 10 step 1".to_owned(),
            3 => format!(
                "search {}",
                self.one(&[
                    "'error'",
                    "in (Logs, OT*) 'a' and 'b'",
                    "* has 'x'",
                    "kind=case_sensitive 'x'",
                    "*",
                    "Body: 'x'"
                ])
            ),
            4 => format!("datatable(a: string, b: long)['x', 1, {}, -2]", self.one(LITERALS)),
            5 => "find in (Logs) where Body has 'x' project Timestamp, Body".to_owned(),
            _ => self.one(TABLES),
        };
        let operators = self.random.usize(..if self.depth > 2 { 2 } else { 5 });
        for _ in 0..operators {
            let gap = self.one(&[" | ", "|", "\n| ", " // x\n| "]);
            text.push_str(&gap);
            text.push_str(&self.operator());
        }
        self.depth -= 1;
        text
    }

    fn united(&mut self) -> String {
        match self.random.u8(..4) {
            0 if self.depth < 3 => format!("({})", self.pipeline()),
            1 => self.one(&["*", "Logs*", "*_old", "T*x*"]),
            _ => self.one(TABLES),
        }
    }

    fn column(&mut self) -> String {
        self.one(COLUMNS)
    }

    fn path(&mut self) -> String {
        let column = self.column();
        match self.random.u8(..5) {
            0 => format!("{column}['service.name']"),
            1 => format!("{column}.a.b[0]"),
            _ => column,
        }
    }

    fn named(&mut self) -> String {
        match self.random.u8(..6) {
            0 | 1 => format!("{} = {}", self.column(), self.expression()),
            2 if self.chance(3) => format!("(a, b) = {}", self.call(FUNCTIONS)),
            _ => self.expression(),
        }
    }

    fn call(&mut self, of: &[&str]) -> String {
        let function = self.one(of);
        if self.depth > 4 {
            return format!("{function}()");
        }
        self.depth += 1;
        let arguments = if self.chance(5) { String::new() } else { self.several(3, Generator::expression) };
        self.depth -= 1;
        format!("{function}({arguments})")
    }

    fn aggregate(&mut self) -> String {
        let call = self.call(AGGREGATES);
        if self.chance(2) { format!("{} = {call}", self.column()) } else { call }
    }

    fn expression(&mut self) -> String {
        self.depth += 1;
        let deep = self.depth > 4;
        let text = match self.random.u8(..if deep { 3 } else { 12 }) {
            0 | 1 => self.path(),
            2 => self.one(LITERALS),
            3 => self.call(FUNCTIONS),
            4 => format!("{} {} {}", self.path(), self.one(TEXT_OPERATORS), self.one(LITERALS)),
            5 => format!("{} {} {}", self.expression(), self.one(&["and", "or"]), self.expression()),
            6 => format!(
                "({} {} {})",
                self.expression(),
                self.one(&["==", "!=", "<", ">=", "<>"]),
                self.expression()
            ),
            7 => format!(
                "({}) {} ({})",
                self.expression(),
                self.one(&["+", "-", "*", "/", "%"]),
                self.expression()
            ),
            8 => format!(
                "{} {} ({})",
                self.path(),
                self.one(&["in", "!in", "in~", "has_any", "has_all"]),
                self.several(3, Generator::expression)
            ),
            9 => format!("{} between (1 .. {})", self.path(), self.one(LITERALS)),
            10 => format!("{} in (({}))", self.path(), self.pipeline()),
            _ => format!("toscalar({})", self.pipeline()),
        };
        self.depth -= 1;
        text
    }

    fn ordered(&mut self) -> String {
        format!(
            "{}{}{}",
            self.path(),
            self.one(&["", " asc", " desc"]),
            self.one(&["", "", " nulls first", " nulls last"])
        )
    }

    fn operator(&mut self) -> String {
        if self.everything && self.chance(6) {
            return self.one(REFUSED);
        }
        let deep = self.depth > 2;
        match self.random.u8(..if deep { 12 } else { 30 }) {
            0 | 1 => format!("where {}", self.expression()),
            2 => format!("extend {}", self.several(3, Generator::named)),
            3 => format!("project {}", self.several(3, Generator::named)),
            4 => format!("take {}", self.random.u8(..)),
            5 => self.one(&["count", "count as N", "serialize", "getschema", "as Z", "limit 5", "sample 3"]),
            6 => format!(
                "summarize {} by {}",
                self.several(2, Generator::aggregate),
                self.several(2, Generator::named)
            ),
            7 => format!("sort by {}", self.several(2, Generator::ordered)),
            8 => format!("top 5 by {}", self.ordered()),
            9 => format!(
                "distinct {}",
                if self.chance(4) { "*".to_owned() } else { self.several(2, Generator::path) }
            ),
            10 => format!("project-away {}", self.one(&["x", "a, b*", "*_tmp, ['c d']"])),
            11 => format!("project-rename {} = x", self.column()),
            12 => format!(
                "join kind={} ({}) on {}",
                self.one(&["inner", "leftouter", "leftanti"]),
                self.pipeline(),
                self.one(&["x", "$left.a == $right.b", "x, y"])
            ),
            13 => format!("lookup kind=leftouter ({}) on x", self.pipeline()),
            14 => format!("union {}", self.several(2, Generator::united)),
            15 => "parse Body with * 'user=' User: string ' took ' Ms: long *".to_owned(),
            16 => "parse kind=regex flags=i Body with '^(.*)' A @'\\d+' B: long".to_owned(),
            17 => {
                "parse-kv Body as (a: string, b: long) with (pair_delimiter=' ', kv_delimiter='=')".to_owned()
            }
            18 => format!(
                "mv-expand {}{}",
                self.one(&["x", "a = parse_json(b)", "x to typeof(long)", "kind=array y"]),
                self.one(&["", " limit 5"])
            ),
            19 => format!("mv-apply e = x to typeof(string) on (where e has 'a' | {})", self.operator()),
            20 => format!(
                "make-series {} default = 0 on Timestamp from ago(1h) to now() step 5m by {}",
                self.aggregate(),
                self.several(2, Generator::named)
            ),
            21 => format!("make-series {} on Timestamp in range(ago(1h), now(), 5m)", self.aggregate()),
            22 => format!(
                "evaluate {}",
                self.one(&[
                    "autocluster()",
                    "bag_unpack(x)",
                    "pivot(x, count())",
                    "basket(0.1) : (a: string)"
                ])
            ),
            23 => format!(
                "reduce by Body{}",
                self.one(&["", " with threshold=0.2", " with threshold=0.2, characters='-'"])
            ),
            24 => format!("top-nested 3 of x by {}, top-nested of y by count() desc", self.call(AGGREGATES)),
            25 => "top-hitters 5 of x by y".to_owned(),
            26 => "sample-distinct 5 of x".to_owned(),
            27 => format!("render {}", self.one(&["timechart", "piechart with (title='x')", "table"])),
            28 => format!("partition hint.strategy=native by x (top 1 by y | {})", self.operator()),
            _ => format!("summarize hint.strategy=shuffle {}", self.several(2, Generator::aggregate)),
        }
    }
}
