//! The order of rows at one moment.

use std::cmp::Ordering;

use crate::model::Labels;

/// Up to so many different values, the rare ones come first.
const FEW: usize = 3;
/// Only among so many series is a value rare …
const MANY: usize = 4;
/// … and only where one value is that of at least half of them.
const USUAL_SHARE: usize = 2;

/// How the rows are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// As the server gave them.
    Given,
    /// The rare values first: two targets that are down among a hundred that are up.
    RareFirst,
    /// The farthest from zero first.
    LargestFirst,
}

/// The different values and how often each is there, rare ones first; `None` when there are too many, or too few
/// series or no usual value to call another one rare.
pub(crate) fn few_values(values: &[f64]) -> Option<Vec<(f64, usize)>> {
    let mut counted: Vec<(f64, usize)> = Vec::new();
    for &value in values {
        match counted.iter().position(|(known, _)| known.total_cmp(&value) == Ordering::Equal) {
            Some(place) => counted.iter_mut().skip(place).take(1).for_each(|(_, count)| *count += 1),
            None if counted.len() == FEW => return None,
            None => counted.push((value, 1)),
        }
    }
    counted.sort_by(|one, other| one.1.cmp(&other.1).then_with(|| other.0.total_cmp(&one.0)));
    let usual = counted.last().map_or(0, |(_, count)| *count);
    let is_usual = usual * USUAL_SHARE >= values.len() && counted.len() > 1;
    (values.len() >= MANY && is_usual).then_some(counted)
}

/// The places of the rows in their order; `values` and `labels` have one entry for each. NaN comes last.
pub(crate) fn order(values: &[f64], labels: &[&Labels], ordered: bool) -> (Vec<usize>, Order) {
    let mut places: Vec<usize> = (0..values.len()).collect();
    if ordered {
        return (places, Order::Given);
    }
    let value = |place: &usize| values.get(*place).copied().unwrap_or(f64::NAN);
    let by_labels = |one: &usize, other: &usize| labels.get(*one).cmp(&labels.get(*other));
    let by_size = |one: &usize, other: &usize| {
        largest_first(value(one), value(other)).then_with(|| by_labels(one, other))
    };
    let Some(few) = few_values(values) else {
        places.sort_by(by_size);
        return (places, Order::LargestFirst);
    };
    let rarity = |place: &usize| {
        let value = value(place);
        few.iter()
            .find(|(known, _)| known.total_cmp(&value) == Ordering::Equal)
            .map_or(0, |(_, count)| *count)
    };
    places.sort_by(|one, other| rarity(one).cmp(&rarity(other)).then_with(|| by_size(one, other)));
    (places, Order::RareFirst)
}

/// Farther from zero first; of equals the positive one; NaN last.
fn largest_first(one: f64, other: f64) -> Ordering {
    match (one.is_nan(), other.is_nan()) {
        (true, true) => Ordering::Equal,
        (true, false) => Ordering::Greater,
        (false, true) => Ordering::Less,
        (false, false) => other.abs().total_cmp(&one.abs()).then_with(|| other.total_cmp(&one)),
    }
}

#[cfg(test)]
mod tests {
    use contract::Context;
    use proptest::prelude::*;

    use super::*;

    fn named(count: usize) -> Vec<Labels> {
        let cx = Context::for_test(jiff::Timestamp::UNIX_EPOCH);
        (0..count)
            .map(|place| Labels::new([(cx.intake.text("i"), cx.intake.text(&format!("{place:04}")))]))
            .collect()
    }

    fn ordered(values: &[f64], given: bool) -> (Vec<f64>, Order) {
        let labels = named(values.len());
        let labels: Vec<&Labels> = labels.iter().collect();
        let (places, order) = order(values, &labels, given);
        (places.into_iter().map(|place| values[place]).collect(), order)
    }

    #[test]
    fn the_farthest_from_zero_comes_first_and_nan_last() {
        let (values, order) = ordered(&[1.0, f64::NAN, -5.0, f64::INFINITY, 5.0, 0.0], false);
        assert_eq!(format!("{values:?}"), "[inf, 5.0, -5.0, 1.0, 0.0, NaN]");
        assert_eq!(order, Order::LargestFirst);
    }

    #[test]
    fn two_targets_down_among_many_up_come_first() {
        let mut up = vec![1.0; 20];
        up[7] = 0.0;
        up[11] = 0.0;
        assert_eq!(few_values(&up), Some(vec![(0.0, 2), (1.0, 18)]));
        let (values, order) = ordered(&up, false);
        assert_eq!((&values[..3], order), (&[0.0, 0.0, 1.0][..], Order::RareFirst));
        assert_eq!(few_values(&[1.0; 20]), None, "one value has nothing rare");
        assert_eq!(few_values(&[1.0, 0.0, 1.0]), None, "nor have three series");
        assert_eq!(few_values(&[1.0, 2.0, 3.0, 1.0, 2.0, 3.0]), None, "nor is there a usual value here");
        assert_eq!(few_values(&(0..20).map(f64::from).collect::<Vec<_>>()), None);
    }

    #[test]
    fn the_servers_order_is_kept_where_the_expression_asks_for_one() {
        assert_eq!(ordered(&[2.0, 1.0, 3.0], true), (vec![2.0, 1.0, 3.0], Order::Given));
    }

    proptest! {
        #[test]
        fn the_order_does_not_depend_on_how_the_series_came(
            values in prop::collection::vec(prop_oneof![Just(0.0), Just(1.0), -3.0..3.0, Just(f64::NAN)], 1..30), turn in 0_usize..30
        ) {
            let labels = named(values.len());
            let turned = |turn: usize| {
                let mut pairs: Vec<(f64, &Labels)> = values.iter().copied().zip(&labels).collect();
                let length = pairs.len();
                pairs.rotate_left(turn % length);
                let (values, labels): (Vec<f64>, Vec<&Labels>) = pairs.into_iter().unzip();
                order(&values, &labels, false).0.into_iter().map(|place| labels[place].text()).collect::<Vec<_>>()
            };
            prop_assert_eq!(turned(0), turned(turn));
        }
    }
}
