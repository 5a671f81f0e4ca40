//! Whether compiled filters find exactly their lines.

use std::collections::{BTreeMap, BTreeSet};

use patterns::{Id, Tally};

/// What was found over all patterns of some lines.
#[derive(Default)]
pub(crate) struct Checked {
    pub(crate) patterns: usize,
    /// Patterns whose filter finds all of their lines.
    pub(crate) complete: usize,
    /// Patterns whose filter finds all of their lines and no other.
    pub(crate) exact: usize,
}

/// Compiles the filter of every pattern and asks it about every line. Shows what is not exact, for tuning.
pub(crate) fn check(lines: &[&str], show: bool) -> Checked {
    let mut tally = Tally::default();
    let mut lines_of: BTreeMap<Id, BTreeSet<usize>> = BTreeMap::new();
    for (at, line) in lines.iter().enumerate() {
        lines_of.entry(tally.add(line)).or_default().insert(at);
    }
    let mut checked = Checked::default();
    for pattern in tally.patterns() {
        let own: BTreeSet<usize> =
            pattern.members().iter().flat_map(|member| lines_of[member].iter().copied()).collect();
        let filter = pattern.filter().unwrap();
        let found = |at: &usize| filter.matches(lines[*at]);
        let complete = own.iter().all(found);
        let others = (0..lines.len()).filter(|at| !own.contains(at)).filter(found).count();
        checked.patterns += 1;
        checked.complete += usize::from(complete);
        checked.exact += usize::from(complete && others == 0);
        if show && (!complete || others > 0) {
            eprintln!("filter complete={complete} others={others}: {}", pattern.text());
            own.iter().filter(|at| !found(at)).take(2).for_each(|at| eprintln!("   missed: {}", lines[*at]));
            let strange = (0..lines.len()).filter(|at| !own.contains(at)).find(found);
            strange.iter().for_each(|at| eprintln!("   strange: {}", lines[*at]));
        }
    }
    checked
}
