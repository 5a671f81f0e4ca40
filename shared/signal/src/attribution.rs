//! Which value of which label moved a total: Adtributor (Bhagwan et al., "Adtributor: Revenue Debugging in
//! Advertising Systems", NSDI'14).
//!
//! A total is split along several dimensions (labels) into elements (their values). A good explanation names few
//! elements (succinct) that account for most of the change (explanatory power) and whose share in the total changed
//! most (surprise): when everything halves, every large element "explains" the fall, and none is to blame.

/// An element joins an explanation when it accounts for more than this share of the change (T_EEP of the paper).
pub const ELEMENT_EXPLAINS: f64 = 0.10;

/// Elements explain a change when together they account for more than this share of it (T_EP of the paper).
pub const SET_EXPLAINS: f64 = 0.67;

/// Explanations returned at most, as in the paper.
pub const MOST_EXPLANATIONS: usize = 3;

/// What was expected of one element, and what it was, in the unit of the total. Zero when it was not there: it then
/// contributed nothing to the total.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Before: F in the paper.
    pub expected: f64,
    /// After: A in the paper.
    pub actual: f64,
}

/// An element of a total that is a ratio of two sums, such as the mean duration: seconds ÷ requests.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatioPart {
    /// The element's part of the sum above the line.
    pub numerator: Part,
    /// Its part of the sum below the line.
    pub denominator: Part,
}

/// An element of an explanation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Culprit {
    /// Which element of its dimension: an index of the slice that was given.
    pub element: usize,
    /// The share of the change that it accounts for; more than 1 when others moved the other way.
    pub explains: f64,
    /// How much its share in the total changed: its term of the Jensen–Shannon divergence, 0 to ½, in bits.
    pub surprise: f64,
}

/// Elements of one dimension that together explain the change.
#[derive(Debug, Clone, PartialEq)]
pub struct Explanation {
    /// Which dimension: an index of the slice that was given.
    pub dimension: usize,
    /// The elements, the most surprising first.
    pub culprits: Vec<Culprit>,
    /// The share of the change that they account for together.
    pub explains: f64,
    /// The sum of their surprises.
    pub surprise: f64,
}

/// The explanations of a change, the most surprising first, at most [`MOST_EXPLANATIONS`], one a dimension.
///
/// Each dimension holds its elements; they add up to the total. A dimension explains nothing when its total did not
/// change, when it is a number that is not finite, or when no few elements account for most of the change. Of equal
/// surprises the explanation with fewer elements comes first.
///
/// The surprise is a divergence of shares, so of negative parts, which have no share, it takes zero.
pub fn attribution(dimensions: &[Vec<Part>]) -> Vec<Explanation> {
    let judged = dimensions.iter().map(|parts| {
        let change = sum(parts, |part| part.actual) - sum(parts, |part| part.expected);
        let powers = parts.iter().map(|part| (part.actual - part.expected) / change).collect();
        (powers, surprises(parts))
    });
    ranked(judged.collect())
}

/// As [`attribution`], for a total that is a ratio (a derived measure in the paper): the explanatory power is the
/// finite difference of the ratio when only that element changes, normalised to a sum of 1 (section 4.3); the
/// surprise the sum of those of both measures.
pub fn ratio_attribution(dimensions: &[Vec<RatioPart>]) -> Vec<Explanation> {
    let judged = dimensions.iter().map(|parts| {
        let numerators: Vec<Part> = parts.iter().map(|part| part.numerator).collect();
        let denominators: Vec<Part> = parts.iter().map(|part| part.denominator).collect();
        let above = sum(&numerators, |part| part.expected);
        let below = sum(&denominators, |part| part.expected);
        let moved = parts.iter().map(|part| {
            let more_above = part.numerator.actual - part.numerator.expected;
            let more_below = part.denominator.actual - part.denominator.expected;
            (more_above * below - more_below * above) / (below * (below + more_below))
        });
        let moved: Vec<f64> = moved.collect();
        let all: f64 = moved.iter().sum();
        let both = surprises(&numerators).into_iter().zip(surprises(&denominators));
        let surprises = both.map(|(one, other)| one + other).collect();
        (moved.into_iter().map(|one| one / all).collect(), surprises)
    });
    ranked(judged.collect())
}

/// The most surprising explanation of each dimension, from its elements' explanatory powers and surprises.
fn ranked(dimensions: Vec<(Vec<f64>, Vec<f64>)>) -> Vec<Explanation> {
    let found = dimensions.iter().enumerate();
    let mut found: Vec<Explanation> =
        found.filter_map(|(at, (powers, surprises))| explanation(at, powers, surprises)).collect();
    found.sort_by(|one, other| {
        (other.surprise.total_cmp(&one.surprise))
            .then_with(|| one.culprits.len().cmp(&other.culprits.len()))
            .then_with(|| one.dimension.cmp(&other.dimension))
    });
    found.truncate(MOST_EXPLANATIONS);
    found
}

/// Figure 2 of the paper: elements by falling surprise, each that explains enough, until the set explains enough.
fn explanation(dimension: usize, powers: &[f64], surprises: &[f64]) -> Option<Explanation> {
    if !powers.iter().chain(surprises).all(|number| number.is_finite()) {
        return None;
    }
    let elements = powers.iter().zip(surprises).enumerate();
    let mut elements: Vec<Culprit> = elements
        .map(|(element, (explains, surprise))| Culprit { element, explains: *explains, surprise: *surprise })
        .collect();
    // A stable sort: of equals the first that was given.
    elements.sort_by(|one, other| {
        other.surprise.total_cmp(&one.surprise).then_with(|| other.explains.total_cmp(&one.explains))
    });
    let mut found = Explanation { dimension, culprits: Vec::new(), explains: 0.0, surprise: 0.0 };
    for culprit in elements.into_iter().filter(|one| one.explains > ELEMENT_EXPLAINS) {
        found.explains += culprit.explains;
        found.surprise += culprit.surprise;
        found.culprits.push(culprit);
        if found.explains > SET_EXPLAINS {
            return Some(found);
        }
    }
    None
}

fn sum(parts: &[Part], of: impl Fn(&Part) -> f64) -> f64 {
    parts.iter().map(of).sum()
}

/// Each element's term of the Jensen–Shannon divergence between the shares before and after, in bits. All terms
/// together lie between 0 and 1.
fn surprises(parts: &[Part]) -> Vec<f64> {
    let before = sum(parts, |part| part.expected.max(0.0));
    let after = sum(parts, |part| part.actual.max(0.0));
    let share = |part: f64, all: f64| if all > 0.0 { part.max(0.0) / all } else { 0.0 };
    parts
        .iter()
        .map(|part| {
            let (was, is) = (share(part.expected, before), share(part.actual, after));
            let term = |one: f64| if one > 0.0 { one * (2.0 * one / (was + is)).log2() } else { 0.0 };
            // Rounding must not make it negative.
            (0.5 * (term(was) + term(is))).max(0.0)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(pairs: &[(f64, f64)]) -> Vec<Part> {
        pairs.iter().map(|(expected, actual)| Part { expected: *expected, actual: *actual }).collect()
    }

    #[test]
    fn the_papers_example_blames_the_mobile_devices() {
        // The introduction's example (its numbers from memory; only the total and the 94 % of X were found in a summary): revenue of 100 was expected, 50 came. By data centre X 94 → 47, Y 6 → 3; by
        // advertiser A1 50 → 24, A2 20 → 21, A3 20 → 4, A4 10 → 1; by device PC 50 → 49, mobile 50 → 1.
        let centres = parts(&[(94.0, 47.0), (6.0, 3.0)]);
        let advertisers = parts(&[(50.0, 24.0), (20.0, 21.0), (20.0, 4.0), (10.0, 1.0)]);
        let devices = parts(&[(50.0, 49.0), (50.0, 1.0)]);

        let found = attribution(&[centres, advertisers, devices]);

        let names: Vec<(usize, Vec<usize>)> = (found.iter())
            .map(|one| (one.dimension, one.culprits.iter().map(|culprit| culprit.element).collect()))
            .collect();
        // X explains 94 %, A1, A3 and A4 102 %, mobile 98 % of the fall of 50; the data centres' shares did not change
        // at all, so naming X is no surprise. A4 before A3: ½·(0.1·log₂(0.2÷0.12) + 0.02·log₂(0.04÷0.12)) = 0.0210
        // against ½·(0.2·log₂(0.4÷0.28) + 0.08·log₂(0.16÷0.28)) = 0.0192.
        assert_eq!(names, [(2, vec![1]), (1, vec![3, 2, 0]), (0, vec![0])]);
        let explains: Vec<f64> = found.iter().map(|one| (one.explains * 100.0).round()).collect();
        assert_eq!(explains, [98.0, 102.0, 94.0]);
        assert_eq!(found.last().unwrap().surprise, 0.0);
    }

    #[test]
    fn what_did_not_change_or_changed_in_crumbs_explains_nothing() {
        assert_eq!(attribution(&[parts(&[(1.0, 2.0), (2.0, 1.0)])]), []);
        assert_eq!(attribution(&[parts(&[(1.0, 2.0); 20])]), []);
        assert_eq!(attribution(&[parts(&[(1.0, f64::NAN), (2.0, 1.0)]), vec![]]), []);
    }

    #[test]
    fn an_element_that_appeared_is_the_largest_surprise() {
        let found = attribution(&[parts(&[(10.0, 10.0), (0.0, 10.0)])]);
        let culprit = found.first().unwrap().culprits.first().unwrap();
        assert_eq!((culprit.element, culprit.explains), (1, 1.0));
        // q = ½, p = 0: ½ · ½ · log₂(2) = ¼.
        assert_eq!(culprit.surprise, 0.25);
    }

    #[test]
    fn a_ratio_is_moved_by_the_element_whose_own_ratio_moved() {
        // 10 s over 100 requests each; then the second takes 40 s for as many requests.
        let steady = Part { expected: 100.0, actual: 100.0 };
        let part = |actual| RatioPart { numerator: Part { expected: 10.0, actual }, denominator: steady };
        let found = ratio_attribution(&[vec![part(10.0), part(40.0)]]);
        let culprits = &found.first().unwrap().culprits;
        assert_eq!(culprits.iter().map(|one| (one.element, one.explains)).collect::<Vec<_>>(), [(1, 1.0)]);
    }
}
