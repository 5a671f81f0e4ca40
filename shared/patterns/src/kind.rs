//! What kind of value a wildcard stands for.

/// The kind of value that a wildcard masked. It is shown to readers and is no part of a template's identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A date, a time of day or both.
    Time,
    /// A number with a unit of time.
    Duration,
    /// A number with a unit of size, or a percentage.
    Quantity,
    /// A plain number.
    Number,
    /// A version, such as `1.2.3`.
    Version,
    /// An IPv4 or IPv6 address, with or without port.
    Address,
    /// A hardware address.
    Mac,
    /// A UUID.
    Uuid,
    /// Hexadecimal digits.
    Hex,
    /// A URL.
    Url,
    /// An e-mail address.
    Email,
    /// A path in a file system or of a request.
    Path,
    /// The name of a host.
    Host,
    /// Text in quotation marks.
    Text,
    /// Several values in a row.
    List,
    /// The token of a value that was masked before (`<email:7f3a>`).
    Masked,
    /// A word: the value of a pair, or one that merged templates differ in.
    Word,
    /// Anything else.
    Value,
}

impl Kind {
    /// How a reader is told: `<duration>`.
    pub fn label(self) -> &'static str {
        match self {
            Kind::Time => "<time>",
            Kind::Duration => "<duration>",
            Kind::Quantity => "<quantity>",
            Kind::Number => "<num>",
            Kind::Version => "<version>",
            Kind::Address => "<ip>",
            Kind::Mac => "<mac>",
            Kind::Uuid => "<uuid>",
            Kind::Hex => "<hex>",
            Kind::Url => "<url>",
            Kind::Email => "<email>",
            Kind::Path => "<path>",
            Kind::Host => "<host>",
            Kind::Text => "<text>",
            Kind::List => "<list>",
            Kind::Masked => "<masked>",
            Kind::Word => "<word>",
            Kind::Value => "<*>",
        }
    }

    /// The kind of two values that stand in the same place of two lines.
    pub(crate) fn join(self, other: Kind) -> Kind {
        if self == other { self } else { Kind::Value }
    }

    /// The kind of two values side by side, which share one wildcard.
    pub(crate) fn followed_by(self, next: Kind) -> Kind {
        match (self, next) {
            (Kind::Time, Kind::Time | Kind::Number | Kind::Value) => Kind::Time,
            (Kind::Address | Kind::Host, Kind::Number) => self,
            (same, next) if same == next => Kind::List,
            _ => Kind::Value,
        }
    }

    /// The kind of a token that holds a digit.
    pub(crate) fn of(token: &[u8]) -> Kind {
        let shape = Shape::of(token);
        let length = token.len();
        if shape.plain() {
            return match (shape.dots, shape.dashes, shape.slashes) {
                (0 | 1, 0 | 1, 0) if shape.dashes == 0 || token.starts_with(b"-") => Kind::Number,
                (3, 0, _) => Kind::Address,
                (2, 0, 0) => Kind::Version,
                (0, 2, 0) | (0, 0, 2) => Kind::Time,
                _ => Kind::Value,
            };
        }
        if token.starts_with(b"0x") {
            return Kind::Hex;
        }
        if shape.others == 0 && shape.dots == 0 && shape.slashes == 0 {
            return match (length, shape.dashes) {
                (36, 4) => Kind::Uuid,
                (6.., 0) => Kind::Hex,
                _ => Kind::Value,
            };
        }
        let date_and_time = shape.dashes >= 2 && (token.contains(&b'T') || token.ends_with(b"Z"));
        match (date_and_time, with_unit(token)) {
            (true, _) => Kind::Time,
            (_, Some(kind)) => kind,
            _ if token.starts_with(b"v") && shape.others == 1 && shape.dots > 0 => Kind::Version,
            _ => Kind::Value,
        }
    }
}

/// What bytes a token consists of.
#[derive(Default)]
struct Shape {
    dots: usize,
    dashes: usize,
    slashes: usize,
    hex_letters: usize,
    others: usize,
}

impl Shape {
    fn of(token: &[u8]) -> Shape {
        let mut shape = Shape::default();
        for byte in token {
            match byte {
                b'0'..=b'9' => {}
                b'.' => shape.dots += 1,
                b'-' => shape.dashes += 1,
                b'/' => shape.slashes += 1,
                b'a'..=b'f' | b'A'..=b'F' => shape.hex_letters += 1,
                _ => shape.others += 1,
            }
        }
        shape
    }

    fn plain(&self) -> bool {
        self.hex_letters == 0 && self.others == 0
    }
}

/// The kind of a number with its unit attached, such as `1.5s`, `3m20s`, `512kB`, `40%`.
fn with_unit(token: &[u8]) -> Option<Kind> {
    token.first().filter(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b'-' | b'+'))?;
    let digits_end = token.iter().rposition(u8::is_ascii_digit)?;
    crate::words::unit(token.get(digits_end + 1..)?)
}
