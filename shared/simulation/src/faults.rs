use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stoop_domain::Time;

use crate::random::Random;

/// A kind of faulty answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Status 500.
    ServerError,
    /// Status 503 with `Retry-After`.
    Unavailable {
        /// In seconds.
        retry_after_s: u32,
    },
    /// Status 429 with `Retry-After`, regardless of quotas.
    TooManyRequests {
        /// In seconds.
        retry_after_s: u32,
    },
    /// Status 200 with an HTML page without listings.
    Html,
    /// Status 200 with a body that is truncated.
    TruncatedJson,
    /// A page whose next link leads to itself (RESO).
    LoopingLink,
    /// A page with a next link even after the last listing; each such link differs (RESO).
    EndlessLink,
    /// A page whose next link leads to another host (RESO).
    ForeignLink,
    /// The right answer after a delay.
    Hang {
        /// In milliseconds; in real time on loopback.
        ms: u64,
    },
    /// The connection is closed without an answer.
    Drop,
    /// A page whose first row has text instead of a price.
    GarbageRow,
    /// A page with a total that is too large.
    WrongTotal,
    /// The rows of the page before instead of the requested ones; the right ones on the first page.
    RepeatedPage,
    /// Status 200 with an empty page, as for a town without listings.
    Empty,
    /// The right answer of a site that forgot every second listing.
    HalfForgotten,
}

/// The planned faults. Each request takes one from the front.
#[derive(Debug, Default)]
pub struct Faults(Mutex<VecDeque<Fault>>);

/// Unplanned faults.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chaos {
    /// Decides which requests are affected.
    pub seed: u64,
    /// The rate of requests with one of `faults`, per thousand.
    pub permille: u32,
    /// The random faults, with equal probability.
    pub faults: Vec<Fault>,
    /// When random faults end.
    pub until: Option<Time>,
    /// When every request gets the same fault, before keys are checked and requests are counted.
    pub outages: Vec<Outage>,
    /// When every served page gets the same fault: [`Fault::Empty`], [`Fault::HalfForgotten`].
    pub lapses: Vec<Outage>,
}

/// A range of time in which a site is down or gives wrong answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    pub from: Time,
    pub until: Time,
    /// For a site that is down: [`Fault::Drop`], [`Fault::Hang`], [`Fault::ServerError`].
    pub fault: Fault,
}

impl Faults {
    /// Plans a fault for the next `times` requests without one.
    pub fn plan(&self, fault: Fault, times: usize) {
        self.queue().extend(std::iter::repeat_n(fault, times));
    }

    /// Removes all planned faults.
    pub fn clear(&self) {
        self.queue().clear();
    }

    /// The number of planned faults.
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

impl Chaos {
    /// The fault of every request at `now`.
    pub(crate) fn outage(&self, now: Time) -> Option<Fault> {
        met(&self.outages, now)
    }

    /// The fault of every page at `now`.
    pub(crate) fn lapse(&self, now: Time) -> Option<Fault> {
        met(&self.lapses, now)
    }

    /// The random fault of the next request.
    pub(crate) fn draw(&self, random: &mut Random, now: Time) -> Option<Fault> {
        let over = self.faults.is_empty() || self.until.is_some_and(|until| until <= now);
        (!over && random.chance(self.permille)).then(|| random.pick(&self.faults))
    }
}

fn met(intervals: &[Outage], now: Time) -> Option<Fault> {
    intervals.iter().find(|interval| interval.from <= now && now < interval.until).map(|interval| interval.fault)
}
