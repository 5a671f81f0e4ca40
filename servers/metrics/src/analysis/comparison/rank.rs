//! Which of the compared series matters most.

use super::{Compared, Fate};

/// Of series that appeared or vanished at the same moment, so many are ranked by it; the others come after all that
/// moved, or a rollout would hide everything else.
const ALIKE: usize = 3;

/// The places of the series: those that moved first, by how far; of equals the one that moved first, then by what
/// they measure and their labels. Those about which too little is known come last.
pub(crate) fn rank(all: &[Compared]) -> Vec<usize> {
    let mut order: Vec<(usize, &Compared)> = all.iter().enumerate().collect();
    order.sort_by(|(_, one), (_, other)| {
        (score(other).total_cmp(&score(one)))
            .then_with(|| one.onset.unwrap_or(usize::MAX).cmp(&other.onset.unwrap_or(usize::MAX)))
            .then_with(|| weight(other).total_cmp(&weight(one)))
            .then_with(|| (&one.measure, &one.labels).cmp(&(&other.measure, &other.labels)))
    });
    let mut seen: Vec<(Fate, usize)> = Vec::new();
    let mut class = |one: &Compared| -> u8 {
        match one.fate {
            Fate::TooLittle => 3,
            Fate::Measured => u8::from(!one.has_moved()) * 2,
            fate => match seen.iter_mut().find(|(known, _)| *known == fate) {
                Some((_, count)) => {
                    *count += 1;
                    u8::from(*count > ALIKE)
                }
                None => {
                    seen.push((fate, 1));
                    0
                }
            },
        }
    };
    let mut classed: Vec<(u8, usize)> = order.into_iter().map(|(place, one)| (class(one), place)).collect();
    classed.sort_by_key(|(class, _)| *class);
    classed.into_iter().map(|(_, place)| place).collect()
}

/// To come from nothing or to go is as far as a steady series doubling ([`signal::CHANGE_FROM_NOTHING`]).
fn score(one: &Compared) -> f64 {
    match one.fate {
        Fate::Appeared(_) | Fate::Vanished(_) => one.score.max(signal::CHANGE_FROM_NOTHING),
        Fate::Measured | Fate::TooLittle => one.score,
    }
}

/// How large it is: the largest of its levels.
fn weight(one: &Compared) -> f64 {
    let level = |side: Option<super::Side>| side.map_or(0.0, |side| side.mean.abs());
    level(one.before).max(level(one.now))
}
