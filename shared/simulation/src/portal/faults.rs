use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// One way to answer badly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Status 500.
    ServerError,
    /// Status 503 with `Retry-After`.
    Unavailable {
        /// In seconds.
        retry_after_s: u32,
    },
    /// Status 429 with `Retry-After`, whatever the quota says.
    TooManyRequests {
        /// In seconds.
        retry_after_s: u32,
    },
    /// An HTML page with status 200.
    Html,
    /// Status 200 and JSON that breaks off in the middle.
    TruncatedJson,
    /// A page whose `@odata.nextLink` leads to itself.
    LoopingLink,
    /// A page with an `@odata.nextLink` even where nothing follows; each such link is another.
    EndlessLink,
    /// A page with an `@odata.nextLink` to another host.
    ForeignLink,
    /// The right answer, but only after so long.
    Hang {
        /// In real milliseconds.
        ms: u64,
    },
    /// The connection is closed without an answer.
    Drop,
    /// A page whose first row has words for a price.
    GarbageRow,
}

/// The faults that are still to come: each request takes one from the front.
#[derive(Debug, Default)]
pub struct Faults(Mutex<VecDeque<Fault>>);

impl Faults {
    /// The next `times` requests that nothing was planned for will be answered so.
    pub fn plan(&self, fault: Fault, times: usize) {
        self.queue().extend(std::iter::repeat_n(fault, times));
    }

    /// No more faults.
    pub fn clear(&self) {
        self.queue().clear();
    }

    /// How many are still to come.
    #[must_use]
    pub fn left(&self) -> usize {
        self.queue().len()
    }

    pub(crate) fn take(&self) -> Option<Fault> {
        self.queue().pop_front()
    }

    fn queue(&self) -> MutexGuard<'_, VecDeque<Fault>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
