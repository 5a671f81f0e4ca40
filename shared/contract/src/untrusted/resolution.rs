//! Tokens given back: resolved on the way out, and covered again on the way in.

use std::{
    borrow::Cow,
    cell::RefCell,
    fmt,
    sync::{Mutex, PoisonError},
};

use redact::{Resolved, Vault};

/// The values that were sent in this call in the place of tokens, in every form in which they were written.
#[derive(Default)]
pub(super) struct Veils(Mutex<Vec<Veil>>);

/// The shortest form that is covered again, in bytes: a shorter one would be found inside of other words.
const SHORTEST: usize = 4;

struct Veil {
    written: String,
    token: String,
}

impl Veils {
    /// Resolves `text`, and remembers what its tokens became.
    pub(super) fn resolve(
        &self,
        vault: &Vault,
        scope: &str,
        text: &str,
        write: &dyn Fn(&str) -> String,
    ) -> Resolved {
        let forms: RefCell<Vec<[String; 2]>> = RefCell::default();
        let noting = |value: &str| {
            let written = write(value);
            forms.borrow_mut().push([written.clone(), value.to_owned()]);
            written
        };
        let resolved = vault.resolve(scope, text, &noting);
        let mut veils = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for (token, forms) in resolved.replaced.iter().zip(forms.into_inner()) {
            for written in forms {
                if written.len() >= SHORTEST && !veils.iter().any(|veil| veil.written == written) {
                    veils.push(Veil { written, token: token.clone() });
                }
            }
        }
        // a value that holds another one first
        veils.sort_by_key(|veil| std::cmp::Reverse(veil.written.len()));
        resolved
    }

    /// `raw` with what was sent replaced by its token: a backend that repeats a query in its error repeats the token.
    pub(super) fn over<'a>(&self, raw: &'a str) -> Cow<'a, str> {
        let veils = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut text = Cow::Borrowed(raw);
        for veil in veils.iter() {
            if text.contains(&veil.written) {
                text = Cow::Owned(text.replace(&veil.written, &veil.token));
            }
        }
        text
    }
}

impl fmt::Debug for Veils {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Veils")
    }
}

#[cfg(test)]
mod tests {
    use redact::{CustomClass, Redactor, RedactorConfig, Rules, Vault};

    use crate::Intake;

    /// An own class that is known by what stands before it, so that the value alone would not be recognised.
    fn intake(vault: &Vault) -> Intake {
        let custom =
            vec![CustomClass { name: "customer".to_owned(), pattern: "customer=(\\w+\\.?\\w*)".to_owned() }];
        let rules = Rules { custom, ..Rules::default() };
        let redactor = Redactor::with_rules(RedactorConfig { key: [7; 32], enabled: true }, &rules).unwrap();
        Intake::new(redactor).remembering(vault.clone(), "ann".to_owned())
    }

    #[test]
    fn a_token_of_an_earlier_call_is_resolved_and_what_the_backend_repeats_is_the_token_again() {
        let vault = Vault::new();
        let shown = intake(&vault).text("customer=jane.doe");
        let token = shown.inside().strip_prefix("customer=").unwrap().to_owned();
        assert!(token.starts_with("<customer:"), "{token}");

        let later = intake(&vault);
        let query = format!("{{user=~\"{token}\"}}");
        let sent = later.resolve(&query, &|value| value.replace('.', "\\\\."));
        assert_eq!(sent.text, "{user=~\"jane\\\\.doe\"}");
        for repeated in ["parse error near \"jane\\\\.doe\"", "no user jane.doe", "no user jane.doe"] {
            let taken = later.text(repeated);
            assert!(
                taken.inside().contains(&token) && !taken.inside().contains("jane"),
                "{}",
                taken.inside()
            );
        }
        assert!(later.field("user", "jane.doe").inside() == token);
        assert!(!format!("{later:?}").contains("jane"));
    }

    #[test]
    fn a_token_that_was_never_shown_stays_and_is_named() {
        let vault = Vault::new();
        for intake in
            [intake(&vault), Intake::new(Redactor::new(RedactorConfig { key: [7; 32], enabled: true }))]
        {
            let sent = intake.resolve("{user=\"<email:0000>\"}", &str::to_owned);
            assert_eq!((sent.text.as_str(), sent.left.len()), ("{user=\"<email:0000>\"}", 1));
        }
    }
}
