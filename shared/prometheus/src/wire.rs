//! The small parts that all replies are made of, borrowed from the reply's text wherever it holds no escapes.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

/// A text.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
        }

        deserializer.deserialize_str(TextVisitor)
    }
}

/// A number, as a JSON number or as a text such as `"1e+00"`, `"NaN"`, `"+Inf"`; `null` is NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number(pub(crate) f64);

impl Default for Number {
    fn default() -> Number {
        Number(f64::NAN)
    }
}

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Number, D::Error> {
        struct NumberVisitor;

        impl Visitor<'_> for NumberVisitor {
            type Value = Number;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number, or a text that holds one")
            }

            fn visit_f64<E: de::Error>(self, value: f64) -> Result<Number, E> {
                Ok(Number(value))
            }

            fn visit_u64<E: de::Error>(self, value: u64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }

            fn visit_i64<E: de::Error>(self, value: i64) -> Result<Number, E> {
                Ok(Number(value as f64))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                // Rust reads `NaN`, `Inf`, `+Inf` and `-Inf` in any case, as Go writes them.
                text.parse().map(Number).map_err(|_| E::custom("a text that is no number"))
            }

            fn visit_unit<E: de::Error>(self) -> Result<Number, E> {
                Ok(Number(f64::NAN))
            }
        }

        deserializer.deserialize_any(NumberVisitor)
    }
}

/// The last second of the year 9999.
const LAST_SECOND: f64 = 253_402_300_799.0;

/// A moment in seconds, with a fraction or without, kept as whole milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Millis(pub(crate) i64);

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
        let Number(seconds) = Number::deserialize(deserializer)?;
        if !seconds.is_finite() {
            return Err(de::Error::custom("a moment that is no number"));
        }
        // Whoever computes with moments may add and subtract them. A double holds these milliseconds exactly.
        if seconds.abs() > LAST_SECOND {
            return Err(de::Error::custom("a moment outside the years of the calendar"));
        }
        Ok(Millis((seconds * 1000.0).round() as i64))
    }
}

/// The entries of an object in the order in which they came.
#[derive(Debug, Clone)]
pub(crate) struct Entries<'a, V>(pub(crate) Vec<(Text<'a>, V)>);

impl<V> Default for Entries<'_, V> {
    fn default() -> Self {
        Entries(Vec::new())
    }
}

impl<'de: 'a, 'a, V: Deserialize<'de>> Deserialize<'de> for Entries<'a, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct EntriesVisitor<'a, V>(PhantomData<(&'a str, V)>);

        impl<'de: 'a, 'a, V: Deserialize<'de>> Visitor<'de> for EntriesVisitor<'a, V> {
            type Value = Entries<'a, V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = map.next_entry()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }
        }

        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

/// Reads a field that may be `null` where another system leaves it out.
pub(crate) fn or_default<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de> + Default,
{
    Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
}

/// Reads what is left of an array, so that a longer one than we know is no error.
pub(crate) fn skip_rest<'de, A: SeqAccess<'de>>(mut rest: A) -> Result<(), A::Error> {
    while rest.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_as_text_and_as_json() {
        let cases = [
            ("\"1.5\"", 1.5),
            ("\"1e+00\"", 1.0),
            ("\"2.619047619047619e-01\"", 0.261_904_761_904_761_9),
            ("\"+Inf\"", f64::INFINITY),
            ("\"-Inf\"", f64::NEG_INFINITY),
            ("12", 12.0),
            ("-12", -12.0),
            ("0.25", 0.25),
        ];
        for (text, value) in cases {
            assert_eq!(serde_json::from_str::<Number>(text).unwrap().0, value, "{text}");
        }
        for text in ["\"NaN\"", "null"] {
            assert!(serde_json::from_str::<Number>(text).unwrap().0.is_nan(), "{text}");
        }
        for text in ["\"many\"", "\"\"", "true", "[]"] {
            assert!(serde_json::from_str::<Number>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn moments_are_exact_to_the_millisecond() {
        let cases = [
            ("1795219869.587", 1_795_219_869_587),
            ("1795219869.001", 1_795_219_869_001),
            ("1795219869", 1_795_219_869_000),
            ("\"1795219869.587\"", 1_795_219_869_587),
            ("-1.5", -1_500),
            ("1.795219869e9", 1_795_219_869_000),
        ];
        for (text, milliseconds) in cases {
            assert_eq!(serde_json::from_str::<Millis>(text).unwrap().0, milliseconds, "{text}");
        }
        for text in ["null", "\"NaN\"", "\"soon\""] {
            assert!(serde_json::from_str::<Millis>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_text_is_borrowed_unless_it_holds_escapes() {
        let plain: Text<'_> = serde_json::from_str("\"checkout\"").unwrap();
        assert!(matches!(plain.0, Cow::Borrowed("checkout")));
        let escaped: Text<'_> = serde_json::from_str("\"a\\u003eb\"").unwrap();
        assert_eq!(escaped.0, "a>b");
    }
}
