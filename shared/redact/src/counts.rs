//! How many secrets were masked, by class.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::{Add, AddAssign};

/// How many secrets were masked, in total and by class. A value that is a secret in two ways, one within the other,
/// counts in both. Counts over several texts add up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MaskCounts {
    by_class: BTreeMap<Cow<'static, str>, u64>,
}

impl MaskCounts {
    /// All masked secrets.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_class.values().sum()
    }

    /// Masked secrets of one class, for example `email`.
    #[must_use]
    pub fn of(&self, class: &str) -> u64 {
        self.by_class.get(class).copied().unwrap_or_default()
    }

    /// The classes that occurred with their counts, sorted by name.
    pub fn per_class(&self) -> impl Iterator<Item = (&str, u64)> {
        self.by_class.iter().map(|(class, &count)| (class.as_ref(), count))
    }

    pub(crate) fn count_one(&mut self, class: Cow<'static, str>) {
        *self.by_class.entry(class).or_default() += 1;
    }
}

impl AddAssign<&Self> for MaskCounts {
    fn add_assign(&mut self, other: &Self) {
        for (class, count) in &other.by_class {
            *self.by_class.entry(class.clone()).or_default() += count;
        }
    }
}

impl AddAssign for MaskCounts {
    fn add_assign(&mut self, other: Self) {
        *self += &other;
    }
}

impl Add for MaskCounts {
    type Output = Self;

    fn add(mut self, other: Self) -> Self {
        self += &other;
        self
    }
}
