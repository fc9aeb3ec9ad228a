use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::reader::BatchPart;
use super::stream::ShardId;
use super::{Batch, Outcome};
use stoop_dice::Dice;

/// Invocations in progress.
pub(crate) struct Invocations<Fut>(Vec<Invocation<Fut>>);

struct Invocation<Fut> {
    ended: Ended,
    future: Pin<Box<Fut>>,
    /// The number of pauses after which it is killed.
    pauses_left: Option<u64>,
    signal: Arc<Signal>,
}

/// A finished invocation.
pub(crate) struct Ended {
    pub(crate) shard: ShardId,
    pub(crate) lane: usize,
    pub(crate) part: BatchPart,
    pub(crate) batch: Batch,
    /// Whether its response is lost.
    pub(crate) loses_response: bool,
}

/// Whether a future wants to be polled, and its waker.
struct Signal {
    is_woken: AtomicBool,
    run: Mutex<Option<Waker>>,
}

/// A point in a function under test at which another invocation may continue and this one may be killed. It is ready at
/// once, so that only the seed decides what comes next.
pub async fn pause() {
    let mut is_first = true;
    poll_fn(|context| {
        if std::mem::take(&mut is_first) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

impl<Fut: Future<Output = Outcome>> Invocations<Fut> {
    pub(crate) fn new() -> Self {
        Self(Vec::new())
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn start(&mut self, ended: Ended, future: Fut, pauses_left: Option<u64>) {
        let signal = Arc::new(Signal { is_woken: AtomicBool::new(true), run: Mutex::new(None) });
        self.0.push(Invocation { ended, future: Box::pin(future), pauses_left, signal });
    }

    /// Polls invocations, with a random choice at each pause, until one finishes.
    ///
    /// The order depends only on the seed as long as paused futures are ready at once. A future that waits for
    /// something else is polled when it is woken.
    pub(crate) async fn next(&mut self, dice: &mut Dice) -> (Ended, Outcome) {
        poll_fn(|context| {
            for invocation in &self.0 {
                invocation.signal.register(context.waker());
            }
            loop {
                let woken = |index: &usize| self.0[*index].signal.is_woken.load(Ordering::SeqCst);
                let woken: Vec<usize> = (0..self.0.len()).filter(woken).collect();
                if woken.is_empty() {
                    return Poll::Pending;
                }
                let index = dice.pick(&woken);
                if let Poll::Ready(outcome) = self.0[index].poll() {
                    // Dropping the future releases everything it holds, as when a process is killed.
                    return Poll::Ready((self.0.swap_remove(index).ended, outcome));
                }
            }
        })
        .await
    }
}

impl<Fut: Future<Output = Outcome>> Invocation<Fut> {
    fn poll(&mut self) -> Poll<Outcome> {
        self.signal.is_woken.store(false, Ordering::SeqCst);
        let waker = Waker::from(Arc::clone(&self.signal));
        if let Poll::Ready(outcome) = self.future.as_mut().poll(&mut Context::from_waker(&waker)) {
            return Poll::Ready(outcome);
        }
        match &mut self.pauses_left {
            Some(0) => Poll::Ready(Outcome::TimedOut),
            Some(left) => {
                *left -= 1;
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }
}

impl Signal {
    fn register(&self, run: &Waker) {
        *self.run.lock().unwrap_or_else(PoisonError::into_inner) = Some(run.clone());
    }
}

impl Wake for Signal {
    fn wake(self: Arc<Self>) {
        self.is_woken.store(true, Ordering::SeqCst);
        if let Some(run) = &*self.run.lock().unwrap_or_else(PoisonError::into_inner) {
            run.wake_by_ref();
        }
    }
}
