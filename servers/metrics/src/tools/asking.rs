//! Asking a source several questions.

use std::future::Future;

use futures_util::future::join_all;

/// Questions of one call at the same time: others want the source too.
pub(crate) const AT_ONCE: usize = 4;

/// The answers to all questions in their order, [`AT_ONCE`] asked at the same time.
pub(crate) async fn few_at_once<F: Future>(questions: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut waiting: Vec<F> = questions.into_iter().collect();
    let mut answers = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let later = waiting.split_off(waiting.len().min(AT_ONCE));
        answers.extend(join_all(waiting).await);
        waiting = later;
    }
    answers
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn all_are_answered_in_order_and_never_more_than_a_few_are_open() {
        let (open, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        let (open, most) = (&open, &most);
        let question = |number: usize| async move {
            most.fetch_max(open.fetch_add(1, Ordering::Relaxed) + 1, Ordering::Relaxed);
            tokio::task::yield_now().await;
            open.fetch_sub(1, Ordering::Relaxed);
            number
        };
        for count in [0, 1, 4, 9] {
            let answers = few_at_once((0..count).map(question)).await;
            assert_eq!(answers, (0..count).collect::<Vec<_>>());
        }
        assert_eq!(most.load(Ordering::Relaxed), AT_ONCE);
    }
}
