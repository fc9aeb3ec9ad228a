use serde::{Deserialize, Serialize};
use stoop_sources::{Limit, Metered};

/// Parts that a limit's window is counted in. More of them waste less and take more room: a window is kept for one
/// part longer than it lasts.
const PARTS: u64 = 24;

/// What one limit has left: how much was taken in each part of its window, up to the newest booking.
///
/// Contract: amounts are added in the order of time. Between any two moments less than [`Limit::per_ms`] apart, as given
/// to [`Ring::add`], no more than [`Limit::most`] is added as long as each was allowed by [`Ring::earliest`]. The
/// margin makes that hold as well for whoever counts the requests as they arrive, with another clock.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "StoredRing", try_from = "StoredRing")]
pub(super) struct Ring {
    pub(super) limit: Limit,
    /// When a search last named this limit as it is, in milliseconds since the epoch.
    pub(super) reported_ms: i64,
    /// The part that the last count is of.
    head: i64,
    /// Oldest first. Never empty, and never more than [`PARTS`] and one.
    counts: Vec<u64>,
}

/// A ring as it is written: what is counted, `most`, `per_ms`, `told_ms`, `head`, counts. Short, because DynamoDB
/// bills each kilobyte of every booking.
#[derive(Serialize, Deserialize)]
struct StoredRing(String, u64, u64, i64, i64, Vec<u64>);

/// How much longer a window is kept than it lasts: two requests may be on their way for different times, and be
/// booked by different clocks. A hundredth of the window, but three tenths of a second at least, and at most the half
/// minute that a request may take.
fn margin_ms(per_ms: u64) -> u64 {
    (per_ms / 100).clamp(300, 30_000)
}

impl Ring {
    /// A limit of which nothing was taken yet.
    pub(super) fn new(limit: Limit, now_ms: i64) -> Self {
        let mut ring = Self { limit, reported_ms: now_ms, head: 0, counts: vec![0] };
        ring.head = ring.part(now_ms);
        ring
    }

    /// A limit that is new to an account, with what is known of the account from another limit. `latest_ms` is the time
    /// of the newest booking, before which all of it lies.
    pub(super) fn like(limit: Limit, now_ms: i64, other: &Self, latest_ms: i64) -> Self {
        let mut ring = Self::new(limit, now_ms);
        let first = other.head - other.older();
        ring.head = ring.part(first * other.part_ms());
        for (part, count) in (first..).zip(&other.counts) {
            // Anywhere in its part: the end of it is the safe side.
            let end_ms = ((part + 1) * other.part_ms() - 1).min(latest_ms.max(first * other.part_ms()));
            ring.add(end_ms, *count);
        }
        ring
    }

    fn part_ms(&self) -> i64 {
        let window_ms = self.limit.per_ms.saturating_add(margin_ms(self.limit.per_ms));
        i64::try_from(window_ms.div_ceil(PARTS)).unwrap_or(i64::MAX).max(1)
    }

    fn part(&self, at_ms: i64) -> i64 {
        at_ms.div_euclid(self.part_ms())
    }

    /// How many parts are kept before the head.
    fn older(&self) -> i64 {
        self.counts.len().cast_signed() as i64 - 1
    }

    /// What was taken in the window that ends with `part`, which is not before the head.
    fn taken(&self, part: i64) -> u64 {
        let first = part - PARTS.cast_signed();
        let counts = (self.head - self.older()..).zip(&self.counts);
        counts.filter(|(at, _)| *at >= first).fold(0, |sum, (_, count)| sum.saturating_add(*count))
    }

    /// The first moment from `from_ms` on at which `amount` may be taken. `from_ms` is not before anything booked. An
    /// amount that is more than the whole limit waits until nothing else counts any more.
    pub(super) fn earliest(&self, from_ms: i64, amount: u64) -> i64 {
        let room = self.limit.most.saturating_sub(amount);
        let from = self.part(from_ms).max(self.head);
        let fits = |part: &i64| self.taken(*part) <= room;
        let last = self.head + PARTS.cast_signed() + 1;
        match (from..last).find(fits) {
            Some(part) if part == self.part(from_ms) => from_ms,
            Some(part) => part * self.part_ms(),
            None => from_ms.max(last * self.part_ms()),
        }
    }

    /// Books an amount. A time before what is booked already counts as the time of that.
    pub(super) fn add(&mut self, at_ms: i64, amount: u64) {
        let ahead = self.part(at_ms) - self.head;
        if ahead > PARTS.cast_signed() {
            self.counts = vec![0];
            self.head += ahead;
        } else {
            for _ in 0..ahead {
                self.counts.push(0);
                self.head += 1;
            }
        }
        if let Some(last) = self.counts.last_mut() {
            *last = last.saturating_add(amount);
        }
        let kept = PARTS as usize + 1;
        let surplus = self.counts.len().saturating_sub(kept);
        let idle = self.counts.iter().take_while(|count| **count == 0).count().min(self.counts.len() - 1);
        self.counts.drain(..surplus.max(idle));
    }

    /// Changes what was booked at a time from one amount to another. What has left the window does not change.
    pub(super) fn correct(&mut self, at_ms: i64, booked: u64, real: u64) {
        let Ok(back) = usize::try_from(self.head - self.part(at_ms)) else { return };
        let Some(place) = self.counts.len().checked_sub(back + 1) else { return };
        self.counts[place] = self.counts[place].saturating_sub(booked).saturating_add(real);
    }

    /// How much may still be taken, at a moment that is not before anything booked.
    pub(super) fn left(&self, at_ms: i64) -> u64 {
        self.limit.most.saturating_sub(self.taken(self.part(at_ms).max(self.head)))
    }

    /// Moves everything by a time, for a clock that was set back: nothing is later than `now_ms` any more.
    pub(super) fn shift(&mut self, latest_ms: i64, now_ms: i64) {
        let back = self.part(latest_ms) - self.part(now_ms);
        self.head = (self.head - back).min(self.part(now_ms));
        self.reported_ms = self.reported_ms.min(now_ms);
    }
}

impl From<Ring> for StoredRing {
    fn from(ring: Ring) -> Self {
        let of = match ring.limit.of {
            Metered::Requests => "requests",
            Metered::Bytes => "bytes",
        };
        Self(of.to_owned(), ring.limit.most, ring.limit.per_ms, ring.reported_ms, ring.head, ring.counts)
    }
}

impl TryFrom<StoredRing> for Ring {
    type Error = String;

    fn try_from(StoredRing(of, most, per_ms, reported_ms, head, counts): StoredRing) -> Result<Self, String> {
        let of = match &*of {
            "requests" => Metered::Requests,
            "bytes" => Metered::Bytes,
            other => return Err(format!("a limit counts {other:?}; accepted: requests, bytes")),
        };
        let sound =
            most > 0 && (1..=u64::MAX >> 2).contains(&per_ms) && (1..=PARTS as usize + 1).contains(&counts.len());
        // Far from the ends of the numbers, so that no time overflows.
        if !sound || head.unsigned_abs() > 1 << 50 {
            return Err(format!("the counts of {most} {} in {per_ms} ms are damaged", "requests or bytes"));
        }
        Ok(Self { limit: Limit { of, most, per_ms }, reported_ms, head, counts })
    }
}
