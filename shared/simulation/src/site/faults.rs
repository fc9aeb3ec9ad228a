use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use stoop_domain::Time;

use crate::random::Random;

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
    /// An HTML page with status 200, and no listing in it.
    Html,
    /// Status 200 and a body that breaks off in the middle.
    TruncatedJson,
    /// A page whose link to the next one leads to itself (RESO).
    LoopingLink,
    /// A page with a link to the next even where nothing follows; each such link is another (RESO).
    EndlessLink,
    /// A page whose link to the next one leads to another host (RESO).
    ForeignLink,
    /// The right answer, but only after so long.
    Hang {
        /// In milliseconds: real ones on loopback.
        ms: u64,
    },
    /// The connection is closed without an answer.
    Drop,
    /// A page whose first row has words for a price.
    GarbageRow,
    /// A page that says there are more listings than there are.
    WrongTotal,
    /// The rows of the page before in place of those that were asked for; on the first page, the right ones.
    RepeatedPage,
    /// A page that says with status 200 that there is nothing, as a town that was sold out would.
    Empty,
    /// The right answer of a site that has forgotten every second listing.
    HalfForgotten,
}

/// The faults that are still to come: each request takes one from the front.
#[derive(Debug, Default)]
pub struct Faults(Mutex<VecDeque<Fault>>);

/// Faults that come by themselves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chaos {
    /// Which requests meet one: another seed, others.
    pub seed: u64,
    /// Of a thousand requests, so many meet one of `faults`.
    pub permille: u32,
    /// What they meet, each as often as the others.
    pub faults: Vec<Fault>,
    /// None of them comes from this moment on.
    pub until: Option<Time>,
    /// When every request meets the same one: before a key is looked at or a request is counted.
    pub outages: Vec<Outage>,
    /// When every page that is served meets the same one: [`Fault::Empty`], [`Fault::HalfForgotten`].
    pub lapses: Vec<Outage>,
}

/// A interval of time in which a site is dead, or out of its mind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outage {
    /// When it begins.
    pub from: Time,
    /// When it is over.
    pub until: Time,
    /// What is met. Where the site is dead: [`Fault::Drop`], [`Fault::Hang`], [`Fault::ServerError`].
    pub fault: Fault,
}

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

impl Chaos {
    /// What every request meets now.
    pub(crate) fn outage(&self, now: Time) -> Option<Fault> {
        met(&self.outages, now)
    }

    /// What every page meets now.
    pub(crate) fn lapse(&self, now: Time) -> Option<Fault> {
        met(&self.lapses, now)
    }

    /// What the next request meets by chance.
    pub(crate) fn draw(&self, random: &mut Random, now: Time) -> Option<Fault> {
        let over = self.faults.is_empty() || self.until.is_some_and(|until| until <= now);
        (!over && random.chance(self.permille)).then(|| random.pick(&self.faults))
    }
}

fn met(intervals: &[Outage], now: Time) -> Option<Fault> {
    intervals.iter().find(|interval| interval.from <= now && now < interval.until).map(|interval| interval.fault)
}
