//! Labels that all series share are said once.

use crate::model::Labels;

/// The labels that every one of these has with the same value; those of a single series are all of them.
pub(crate) fn common<'a>(mut all: impl Iterator<Item = &'a Labels>) -> Labels {
    let Some(first) = all.next() else { return Labels::default() };
    let mut shared: Vec<_> = first.iter().collect();
    for labels in all {
        shared.retain(|(name, value)| labels.get(name.inside()) == Some(value));
    }
    Labels::new(shared.into_iter().map(|(name, value)| (name.clone(), value.clone())))
}

/// The labels that are not among the common ones.
pub(crate) fn rest(labels: &Labels, common: &Labels) -> Labels {
    let own = labels.iter().filter(|(name, _)| common.get(name.inside()).is_none());
    Labels::new(own.map(|(name, value)| (name.clone(), value.clone())))
}

#[cfg(test)]
mod tests {
    use contract::Context;
    use proptest::prelude::*;

    use super::*;

    fn labels(pairs: &[(String, String)]) -> Labels {
        let cx = Context::for_test(jiff::Timestamp::UNIX_EPOCH);
        Labels::new(pairs.iter().map(|(name, value)| (cx.intake.text(name), cx.intake.text(value))))
    }

    fn of(text: &str) -> Labels {
        let pairs: Vec<(String, String)> = text
            .split_whitespace()
            .filter_map(|pair| pair.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        labels(&pairs)
    }

    #[test]
    fn only_what_all_have_with_the_same_value_is_common() {
        let all = [
            of("__name__=up job=load pod=a zone=x"),
            of("__name__=up job=load pod=b"),
            of("__name__=up job=load pod=c zone=x"),
        ];
        let shared = common(all.iter());
        assert_eq!(shared.text(), "up{job=load}");
        assert_eq!(rest(&all[0], &shared).text(), "{pod=a, zone=x}");
        assert_eq!(rest(&all[1], &shared).text(), "{pod=b}");
        assert_eq!(common([].into_iter()), Labels::default());
    }

    proptest! {
        #[test]
        fn nothing_is_lost_by_saying_common_labels_once(
            series in prop::collection::vec(prop::collection::vec(("[a-d]", "[x-z]?"), 0..5), 1..6)
        ) {
            let all: Vec<Labels> = series.iter().map(|pairs| labels(pairs)).collect();
            let shared = common(all.iter());
            for one in &all {
                let own = rest(one, &shared);
                prop_assert_eq!(own.len() + shared.len(), one.len());
                let both = shared.iter().chain(own.iter()).map(|(name, value)| (name.clone(), value.clone()));
                prop_assert_eq!(&Labels::new(both), one);
            }
        }
    }
}
