//! Records in memory: fields by the numbers of their names, values that repeat kept once, sorted by time.
//!
//! A record is written into one text: how many fields it has, then each field, either the number of a name and value that
//! were seen together before, or the number of a name with the value itself. Numbers are written in digits of 6 bits, so
//! that the whole stays a valid text and values are slices of it.

use std::{collections::HashMap, ops::Range};

use thiserror::Error;

/// The number of a field's name within one store.
pub type NameId = u32;

/// Values longer than this are never kept once for all.
const LONGEST_SHARED: usize = 96;
/// So many values of one field are; what has more, such as ids, is written where it stands.
const MOST_SHARED: usize = 1_024;
const MOST_NAMES: usize = 65_536;

/// More than a store holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Full {
    /// The text of all records.
    #[error("is more than 4 GiB of records: a recorded incident holds its logs in memory")]
    Text,
    /// Names of fields.
    #[error("has more than {MOST_NAMES} different fields")]
    Names,
}

/// What is known of a record besides its fields.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// When it happened, in nanoseconds since 1970.
    pub at: Option<i64>,
    /// A mark of the owner's own, for [`crate::Filter::Marked`].
    pub mark: u8,
}

#[derive(Debug, Clone, Copy)]
struct Row {
    /// The greatest number where no time is known: those are last.
    at: i64,
    start: u32,
    mark: u8,
}

/// Records, sorted by time.
#[derive(Debug, Default)]
pub struct Store {
    names: Vec<Box<str>>,
    by_name: HashMap<Box<str>, NameId>,
    shared: Vec<(NameId, Box<str>)>,
    text: String,
    rows: Vec<Row>,
    timed: usize,
}

/// Takes records in.
#[derive(Debug, Default)]
pub struct Builder {
    store: Store,
    /// Numbers of shared values, by name.
    sharing: Vec<HashMap<Box<str>, u32>>,
}

impl Builder {
    /// Takes one record.
    ///
    /// # Errors
    /// When the store can't hold more.
    pub fn push<'a>(
        &mut self,
        fields: impl ExactSizeIterator<Item = (&'a str, &'a str)>,
    ) -> Result<(), Full> {
        let start = u32::try_from(self.store.text.len()).map_err(|_| Full::Text)?;
        self.store.rows.push(Row { at: i64::MAX, start, mark: 0 });
        self.number(fields.len());
        for (name, value) in fields {
            let name = self.name(name)?;
            match self.shared(name, value) {
                Some(shared) => self.number(shared as usize * 2),
                None => {
                    self.number(name as usize * 2 + 1);
                    self.number(value.len());
                    self.store.text.push_str(value);
                }
            }
        }
        if u32::try_from(self.store.text.len()).is_ok() { Ok(()) } else { Err(Full::Text) }
    }

    /// What was taken in so far, in its order.
    #[must_use]
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Ends it: `judge` tells what is known of each record.
    #[must_use]
    pub fn finish(mut self, mut judge: impl FnMut(Fields<'_>) -> Facts) -> Store {
        let mut rows = std::mem::take(&mut self.store.rows);
        for row in &mut rows {
            let facts = judge(Fields::at(&self.store, row.start as usize));
            row.at = facts.at.unwrap_or(i64::MAX);
            row.mark = facts.mark;
        }
        rows.sort_by_key(|row| (row.at, row.start));
        rows.shrink_to_fit();
        self.store.timed = rows.partition_point(|row| row.at < i64::MAX);
        self.store.rows = rows;
        self.store.text.shrink_to_fit();
        self.store
    }

    fn name(&mut self, name: &str) -> Result<NameId, Full> {
        if let Some(known) = self.store.by_name.get(name) {
            return Ok(*known);
        }
        let number = self.store.names.len();
        if number >= MOST_NAMES {
            return Err(Full::Names);
        }
        let number = NameId::try_from(number).map_err(|_| Full::Names)?;
        self.store.names.push(Box::from(name));
        self.store.by_name.insert(Box::from(name), number);
        self.sharing.push(HashMap::new());
        Ok(number)
    }

    fn shared(&mut self, name: NameId, value: &str) -> Option<u32> {
        let of_name = self.sharing.get_mut(name as usize)?;
        if value.len() > LONGEST_SHARED {
            return None;
        }
        if let Some(known) = of_name.get(value) {
            return Some(*known);
        }
        if of_name.len() >= MOST_SHARED {
            return None;
        }
        let number = u32::try_from(self.store.shared.len()).ok()?;
        of_name.insert(Box::from(value), number);
        self.store.shared.push((name, Box::from(value)));
        Some(number)
    }

    /// In digits of 6 bits, the least first; another follows where the seventh bit is set.
    fn number(&mut self, mut number: usize) {
        loop {
            let digit = (number & 0x3f) as u8;
            number >>= 6;
            let more = if number > 0 { 0x40 } else { 0 };
            self.store.text.push(char::from(digit | more));
            if number == 0 {
                return;
            }
        }
    }
}

impl Store {
    /// How many records there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many of them have a time; the others come after these.
    #[must_use]
    pub fn timed(&self) -> usize {
        self.timed
    }

    /// Places of the records of `[from, to)`, in nanoseconds since 1970. Those without a time are in no window.
    #[must_use]
    pub fn within(&self, from: i64, to: i64) -> Range<usize> {
        let first = self.rows.partition_point(|row| row.at < from).min(self.timed);
        let last = self.rows.partition_point(|row| row.at < to).min(self.timed);
        first..last.max(first)
    }

    /// When a record happened.
    #[must_use]
    pub fn at(&self, record: usize) -> Option<i64> {
        self.rows.get(record).map(|row| row.at).filter(|at| *at < i64::MAX)
    }

    /// The owner's mark of a record.
    #[must_use]
    pub fn mark(&self, record: usize) -> u8 {
        self.rows.get(record).map_or(0, |row| row.mark)
    }

    /// A number that stays with a record, in the order in which records were taken in.
    #[must_use]
    pub fn id(&self, record: usize) -> u32 {
        self.rows.get(record).map_or(0, |row| row.start)
    }

    /// The fields of a record.
    #[must_use]
    pub fn fields(&self, record: usize) -> Fields<'_> {
        match self.rows.get(record) {
            Some(row) => Fields::at(self, row.start as usize),
            None => Fields { store: self, at: 0, left: 0 },
        }
    }

    /// The number of a name, if a record has it.
    #[must_use]
    pub fn name(&self, name: &str) -> Option<NameId> {
        self.by_name.get(name).copied()
    }

    /// All names, by their numbers.
    #[must_use]
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// The name of a number.
    #[must_use]
    pub fn named(&self, name: NameId) -> &str {
        self.names.get(name as usize).map_or("", AsRef::as_ref)
    }

    /// What the records take in memory, in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let shared: usize = self.shared.iter().map(|(_, value)| value.len() + 24).sum();
        self.text.len() + self.rows.len() * size_of::<Row>() + shared
    }
}

/// The fields of one record, in its order.
#[derive(Debug, Clone)]
pub struct Fields<'a> {
    store: &'a Store,
    at: usize,
    left: usize,
}

impl<'a> Fields<'a> {
    fn at(store: &'a Store, start: usize) -> Fields<'a> {
        let mut fields = Fields { store, at: start, left: 0 };
        fields.left = fields.number().unwrap_or(0);
        fields
    }

    fn number(&mut self) -> Option<usize> {
        let bytes = self.store.text.as_bytes();
        let (mut number, mut shift) = (0_usize, 0_u32);
        loop {
            let digit = *bytes.get(self.at)?;
            self.at += 1;
            number |= usize::from(digit & 0x3f).checked_shl(shift)?;
            if digit & 0x40 == 0 {
                return Some(number);
            }
            shift += 6;
        }
    }
}

impl<'a> Iterator for Fields<'a> {
    type Item = (NameId, &'a str);

    fn next(&mut self) -> Option<(NameId, &'a str)> {
        self.left = self.left.checked_sub(1)?;
        let head = self.number()?;
        if head % 2 == 0 {
            let (name, value) = self.store.shared.get(head / 2)?;
            return Some((*name, value));
        }
        let length = self.number()?;
        let value = self.store.text.get(self.at..self.at + length)?;
        self.at += length;
        Some((NameId::try_from(head / 2).ok()?, value))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(store: &Store, record: usize) -> Vec<(String, String)> {
        store.fields(record).map(|(name, value)| (store.named(name).to_owned(), value.to_owned())).collect()
    }

    #[test]
    fn records_are_sorted_and_those_without_a_time_are_in_no_window() {
        let mut builder = Builder::default();
        for at in ["30", "", "10", "20", "20"] {
            builder.push([("at", at)].into_iter()).unwrap();
        }
        let store = builder.finish(|mut fields| Facts { at: fields.next().unwrap().1.parse().ok(), mark: 7 });
        assert_eq!((store.len(), store.timed(), store.mark(0)), (5, 4, 7));
        assert_eq!(
            (0..5).map(|record| store.at(record)).collect::<Vec<_>>(),
            [Some(10), Some(20), Some(20), Some(30), None]
        );
        assert_eq!(store.within(10, 30), 0..3);
        assert_eq!(store.within(11, i64::MAX), 1..4);
        assert_eq!(store.within(40, 50), 4..4);
        assert_eq!(store.within(30, 10), 3..3);
        // what happened at once stays in the order in which it was taken in
        assert!(store.id(1) < store.id(2));
    }

    proptest! {
        #[test]
        fn records_come_back_as_they_were(
            records in proptest::collection::vec(
                proptest::collection::vec(("[a-c]{1,2}|\\PC{1,3}", "\\PC{0,5}|x{60,200}|[0-9]{1,4}"), 0..6),
                0..40,
            ),
        ) {
            let mut builder = Builder::default();
            for record in &records {
                builder.push(record.iter().map(|(name, value)| (name.as_str(), value.as_str()))).unwrap();
            }
            let store = builder.finish(|_| Facts::default());
            let back: Vec<_> = (0..store.len()).map(|record| read(&store, record)).collect();
            prop_assert_eq!(back, records);
        }
    }

    #[test]
    fn values_beyond_those_that_are_shared_come_back_too() {
        let mut builder = Builder::default();
        for number in 0..3_000 {
            builder.push([("n", number.to_string().as_str())].into_iter()).unwrap();
        }
        let store = builder.finish(|_| Facts::default());
        for number in [0, 1_023, 1_024, 2_999] {
            assert_eq!(read(&store, number), [("n".to_owned(), number.to_string())]);
        }
    }
}
