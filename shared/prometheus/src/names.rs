//! Taking in the texts of one reply: label names and values repeat a thousand times, masking happens once.

use std::{borrow::Cow, collections::HashMap};

use contract::{Intake, Untrusted};

use crate::{
    labels::Labels,
    wire::{Entries, Text},
};

/// The texts of one reply so far.
pub(crate) struct Names<'cx, 'a> {
    intake: &'cx Intake,
    known: HashMap<Cow<'a, str>, Untrusted>,
    /// Values of labels by name and value: a name may say that the value is a secret.
    fields: HashMap<(Untrusted, Cow<'a, str>), Untrusted>,
}

impl<'cx, 'a> Names<'cx, 'a> {
    pub(crate) fn new(intake: &'cx Intake) -> Names<'cx, 'a> {
        Names { intake, known: HashMap::new(), fields: HashMap::new() }
    }

    /// Takes in a text, or gives the same one again.
    pub(crate) fn text(&mut self, raw: Text<'a>) -> Untrusted {
        if let Some(known) = self.known.get(raw.0.as_ref()) {
            return known.clone();
        }
        let taken = self.intake.text(&raw.0);
        self.known.insert(raw.0, taken.clone());
        taken
    }

    pub(crate) fn texts(&mut self, raw: Vec<Text<'a>>) -> Vec<Untrusted> {
        raw.into_iter().map(|text| self.text(text)).collect()
    }

    pub(crate) fn labels(&mut self, raw: Entries<'a, Text<'a>>) -> Labels {
        Labels::new(raw.0.into_iter().map(|(name, value)| {
            let name = self.text(name);
            (name.clone(), self.value(name, value))
        }))
    }

    fn value(&mut self, name: Untrusted, raw: Text<'a>) -> Untrusted {
        let intake = self.intake;
        let key = (name, raw.0);
        if let Some(known) = self.fields.get(&key) {
            return known.clone();
        }
        let taken = intake.field(key.0.inside(), &key.1);
        self.fields.insert(key, taken.clone());
        taken
    }
}

#[cfg(test)]
mod tests {
    use contract::Context;
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn a_text_that_repeats_is_masked_and_counted_once() {
        let cx = Context::for_test(Timestamp::UNIX_EPOCH);
        let mut names = Names::new(&cx.intake);
        for _ in 0..1000 {
            let taken = names.text(Text(Cow::Borrowed("password=hunter2hunter2")));
            assert!(!taken.inside().contains("hunter2"));
        }
        assert_eq!(cx.intake.masked(), 1);
    }
}
