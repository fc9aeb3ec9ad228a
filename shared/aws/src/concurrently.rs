use std::panic::resume_unwind;

use tokio::task::JoinSet;

/// Runs futures, at most `at_once` at a time, and returns their results in order. After an error no more are started,
/// the running ones are dropped, and the error is returned.
pub(crate) async fn concurrently<T, E, F>(at_once: usize, futures: impl IntoIterator<Item = F>) -> Result<Vec<T>, E>
where
    F: Future<Output = Result<T, E>> + Send + 'static,
    T: Send + 'static,
    E: Send + 'static,
{
    let mut waiting = futures.into_iter().enumerate();
    let mut running = JoinSet::new();
    let mut done: Vec<(usize, T)> = Vec::new();
    loop {
        while running.len() < at_once
            && let Some((index, future)) = waiting.next()
        {
            running.spawn(async move { (index, future.await) });
        }
        match running.join_next().await {
            None => break,
            Some(Ok((index, outcome))) => done.push((index, outcome?)),
            // Nobody aborts the tasks, so this is a panic, which is passed on.
            Some(Err(stopped)) => resume_unwind(stopped.into_panic()),
        }
    }
    done.sort_by_key(|(index, _)| *index);
    Ok(done.into_iter().map(|(_, value)| value).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    #[tokio::test]
    async fn answers_are_in_order_and_few_run_at_once() {
        let running = Arc::new(AtomicUsize::new(0));
        let futures = (0..20_u64).map(|i| {
            let running = running.clone();
            async move {
                assert!(running.fetch_add(1, Ordering::SeqCst) < 4);
                for _ in 0..20 - i {
                    tokio::task::yield_now().await;
                }
                running.fetch_sub(1, Ordering::SeqCst);
                Ok::<_, ()>(i)
            }
        });
        assert_eq!(concurrently(4, futures).await, Ok((0..20).collect()));
    }

    #[tokio::test]
    async fn an_error_ends_it() {
        let futures = (0..9).map(|i| async move { if i == 3 { Err(i) } else { Ok(()) } });
        assert_eq!(concurrently(2, futures).await, Err(3));
    }
}
