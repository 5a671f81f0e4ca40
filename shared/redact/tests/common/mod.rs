//! How the tables of masking are checked.
#![allow(dead_code, clippy::unwrap_used, reason = "each test binary uses some of these, and fails loudly")]

use redact::{Masked, Redactor, RedactorConfig};

/// The key 00 01 02 … 1f.
pub(crate) fn redactor() -> Redactor {
    Redactor::new(RedactorConfig { key: std::array::from_fn(|index| index as u8), enabled: true })
}

/// The masked text with the digits of each token replaced by `#`: what a table can state without our hash.
pub(crate) fn shape(masked: &Masked<'_>) -> String {
    let token = regex::Regex::new("<([a-z0-9-]{1,32}):[0-9a-f]{4}>").unwrap();
    token.replace_all(&masked.text, "<$1:#>").into_owned()
}

/// Each text becomes the text beside it.
pub(crate) fn check(table: &[(&str, &str)]) {
    let redactor = redactor();
    for (text, expected) in table {
        let masked = redactor.mask(text);
        assert_eq!(&shape(&masked), expected, "masking {text:?}");
        let tokens = expected.matches(":#>").count() as u64;
        assert_eq!(masked.counts.total(), tokens, "counting {text:?}");
        let again = redactor.mask(&masked.text);
        assert_eq!(again.text, masked.text, "masking {text:?} twice");
        assert_eq!(again.counts.total(), 0, "masking {text:?} twice");
    }
}

/// Each text stays as it is, and is not even copied.
pub(crate) fn check_untouched(table: &[&str]) {
    let redactor = redactor();
    for text in table {
        let masked = redactor.mask(text);
        assert_eq!(&masked.text, text);
        assert!(matches!(masked.text, std::borrow::Cow::Borrowed(_)), "{text:?} was copied");
        assert_eq!(masked.counts.total(), 0, "{text:?}");
    }
}
