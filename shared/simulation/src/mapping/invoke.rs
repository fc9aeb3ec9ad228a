use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use super::reader::Part;
use super::stream::ShardId;
use super::{Batch, Outcome};
use crate::random::Random;

/// Invocations under way.
pub(crate) struct Invocations<Fut>(Vec<Invocation<Fut>>);

struct Invocation<Fut> {
    ended: Ended,
    future: Pin<Box<Fut>>,
    /// So many more pauses, and it is killed.
    pauses_left: Option<u64>,
    signal: Arc<Signal>,
}

/// What is known of an invocation when it is over.
pub(crate) struct Ended {
    pub(crate) shard: ShardId,
    pub(crate) lane: usize,
    pub(crate) part: Part,
    pub(crate) batch: Batch,
    /// Whether its response is not to be had.
    pub(crate) loses_response: bool,
}

/// Whether a future wants to be polled, and whom to tell.
struct Signal {
    is_woken: AtomicBool,
    run: Mutex<Option<Waker>>,
}

/// A place in a function under test where another invocation may go on, and where this one may be killed.
/// It wants to go on at once, so that nothing but the seed decides what comes next.
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

    /// Goes on with invocations, which one being drawn anew at each pause, until one is over.
    ///
    /// The order depends on nothing but the seed as long as futures that pause want to go on at once. One
    /// that waits for something else is polled when that has come.
    pub(crate) async fn next(&mut self, random: &mut Random) -> (Ended, Outcome) {
        poll_fn(|context| {
            for invocation in &self.0 {
                invocation.signal.tell(context.waker());
            }
            loop {
                let woken = |place: &usize| self.0[*place].signal.is_woken.load(Ordering::SeqCst);
                let woken: Vec<usize> = (0..self.0.len()).filter(woken).collect();
                if woken.is_empty() {
                    return Poll::Pending;
                }
                let place = random.pick(&woken);
                if let Poll::Ready(outcome) = self.0[place].poll() {
                    // The future goes with the rest: whatever it holds is let go of, as by a killed process.
                    return Poll::Ready((self.0.swap_remove(place).ended, outcome));
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
    fn tell(&self, run: &Waker) {
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
