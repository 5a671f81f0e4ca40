//! Work that computes for long, away from the threads that serve calls.

use std::{future, panic, time::Duration};

/// Runs `work` on a thread where it may take its time: deadlines, cancellations and other calls are served meanwhile.
///
/// Dropping the future does not stop `work`, so it must be bounded by itself. A panic of `work` goes on in the caller.
/// To be awaited within the runtime.
pub async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(error) => match error.try_into_panic() {
            Ok(payload) => panic::resume_unwind(payload),
            // It never began, because the runtime ends: nobody waits any more.
            Err(_) => future::pending().await,
        },
    }
}

/// What `work` comes to, if that takes no longer than `patience`.
pub async fn within<T>(patience: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(patience, work).await.ok()
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, time::Duration};

    use futures_util::FutureExt as _;

    use super::*;

    /// One thread serves everything, as in a server whose other threads are busy.
    #[tokio::test]
    async fn a_deadline_strikes_while_work_goes_on() {
        let (let_go, waits) = mpsc::channel::<()>();
        let work = blocking(move || waits.recv().is_ok());
        let waited = tokio::time::timeout(Duration::from_millis(10), work).await;
        assert!(waited.is_err(), "the work can't have ended");
        let_go.send(()).unwrap();
        assert_eq!(blocking(|| 7).await, 7);
    }

    #[tokio::test]
    async fn a_panic_goes_on_in_the_caller() {
        let caught = panic::AssertUnwindSafe(blocking(|| panic!("broken"))).catch_unwind().await;
        assert!(caught.is_err());
    }
}
