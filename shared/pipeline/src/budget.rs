//! The remaining budget of a source's account: pure logic, stored by [`Budgets`](crate::ports::Budgets).

mod breaker;
mod ring;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use stoop_domain::Time;
use stoop_sources::{Limit, Metered};

use breaker::{Breaker, CircuitOpen};
use ring::Ring;

pub(crate) use breaker::{Ended, Permit};

/// Stored format. Records of another format are refused, because their counts cannot be interpreted.
const FORMAT: u8 = 1;

/// How long a limit that one search names applies to all searches of the account. After that, searches with a wider
/// limit or none use their own.
const STRICT_MS: i64 = Time::HOUR_MS;

/// Maximum time to book ahead. A poll that would wait longer for a request ends, and the next one continues.
pub(crate) const WAIT_MAX_MS: i64 = 120_000;

/// If the newest booking is further ahead, the clock that made it has been set back since.
const AHEAD_MAX_MS: i64 = 300_000;

/// Maximum number of limits. Further ones are dropped, the longest window first.
const RINGS_MAX: usize = 12;

/// Maximum length of a stored reason, in characters: the record must stay below a kilobyte.
const WHY_MAX: usize = 100;

/// Assumed size of an answer before the first one, in bytes.
const ANSWER_BYTES: u64 = 1 << 20;

/// State that all pollers of an account share: requests in each limit's window, until when the server has blocked the
/// account, and the circuit breaker.
///
/// A request is booked before it is sent, at the first time at which every limit has room, after all earlier bookings.
/// So the record is a queue: whoever books gets a turn and writes only once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    format: u8,
    /// Time of the newest booking, which may be in the future.
    latest_ms: i64,
    /// Estimated size of an answer in bytes, rather too large than too small.
    answer_bytes: u64,
    rings: Vec<Ring>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blocked: Option<Blocked>,
    #[serde(default)]
    breaker: Breaker,
}

/// A block of the account by its server.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Blocked {
    until_ms: i64,
    why: String,
}

/// Permission to send a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Booking {
    /// Send it no earlier than this.
    pub(crate) at: Time,
    /// Estimated size of the answer in bytes.
    bytes: u64,
}

/// No request may be sent in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OverBudget {
    /// The first time at which one might be sent.
    pub(crate) until: Time,
    /// The reason.
    pub(crate) why: String,
}

/// Why a text is not a record of an account.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// Malformed, or with invalid numbers.
    #[error("the record is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    /// Written by another version.
    #[error("the record has format {0}; this program reads format {FORMAT}: update Stoop")]
    Format(u8),
}

impl Default for Account {
    /// An account without history.
    fn default() -> Self {
        Self {
            format: FORMAT,
            latest_ms: 0,
            answer_bytes: ANSWER_BYTES,
            rings: Vec::new(),
            blocked: None,
            breaker: Breaker::default(),
        }
    }
}

impl Account {
    /// Parses the output of [`Account::to_json`].
    ///
    /// # Errors
    /// Fails for any other text.
    pub fn from_json(text: &str) -> Result<Self, AccountError> {
        #[derive(Deserialize)]
        struct Head {
            format: u8,
        }
        match serde_json::from_str::<Head>(text)?.format {
            FORMAT => Ok(serde_json::from_str(text)?),
            other => Err(AccountError::Format(other)),
        }
    }

    /// Formats the record as one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Numbers, texts and lists always serialize.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// When the record expires and may be deleted.
    #[must_use]
    pub fn kept_until(&self) -> Time {
        let longest = self.rings.iter().map(|ring| ring.limit.per_ms).max().unwrap_or(0);
        let longest = i64::try_from(longest).unwrap_or(i64::MAX).max(32 * Time::DAY_MS);
        let blocked = self.blocked.as_ref().map_or(0, |blocked| blocked.until_ms);
        Time::from_ms(self.latest_ms.max(blocked)).plus_ms(longest).plus_ms(7 * Time::DAY_MS)
    }

    /// Books a request that can be sent before `deadline`, if any, and within the maximum wait.
    ///
    /// `limits` are those of the search. If two searches of an account have different limits, the stricter ones apply.
    pub(crate) fn book(&mut self, limits: &[Limit], now: Time, deadline: Option<Time>) -> Result<Booking, OverBudget> {
        self.set_back(now);
        self.tell(limits, now.ms());
        let patience = now.plus_ms(WAIT_MAX_MS);
        let until = deadline.map_or(patience, |deadline| deadline.min(patience)).max(now);
        let bytes = self.answer_bytes;
        let mut at_ms = now.ms();
        let mut why = None;
        if self.latest_ms > at_ms {
            (at_ms, why) = (self.latest_ms, Some("other polls of the same account are waiting".to_owned()));
        }
        if let Some(blocked) = self.blocked.as_ref().filter(|blocked| blocked.until_ms > at_ms) {
            (at_ms, why) = (blocked.until_ms, Some(blocked.why.clone()));
        }
        for ring in self.rings.iter().filter(|ring| counts(ring, limits, now.ms())) {
            let earliest = ring.earliest(at_ms, amount(ring, bytes));
            if earliest > at_ms {
                (at_ms, why) = (earliest, Some(format!("the limit of {} is used up", ring.limit)));
            }
        }
        let at = Time::from_ms(at_ms);
        if at > until {
            return Err(OverBudget { until: at, why: why.unwrap_or_default() });
        }
        for ring in &mut self.rings {
            ring.add(at_ms, amount(ring, bytes));
        }
        self.latest_ms = self.latest_ms.max(at_ms);
        Ok(Booking { at, bytes })
    }

    /// Records the size of a booked request's answer. A failed request has none.
    pub(crate) fn settle(&mut self, booking: Booking, bytes: u64) {
        for ring in self.rings.iter_mut().filter(|ring| ring.limit.of == Metered::Bytes) {
            ring.correct(booking.at.ms(), booking.bytes, bytes);
        }
        // Rises at once and falls slowly: the next answer should not exceed the estimate.
        if self.counts_bytes() && bytes > 0 {
            let down = self.answer_bytes.saturating_sub(bytes) / 16;
            self.answer_bytes = bytes.max(self.answer_bytes - down);
        }
    }

    /// Cancels a booking that was not used.
    pub(crate) fn take_back(&mut self, booking: Booking) {
        for ring in &mut self.rings {
            ring.correct(booking.at.ms(), amount(ring, booking.bytes), 0);
        }
    }

    /// Blocks the account until a time, because its server asks for it.
    pub(crate) fn block(&mut self, until: Time, why: &str) {
        if self.blocked.as_ref().is_none_or(|blocked| blocked.until_ms < until.ms()) {
            self.blocked = Some(Blocked { until_ms: until.ms(), why: why.chars().take(WHY_MAX).collect() });
        }
    }

    /// Whether the server blocks the account at a time.
    pub(crate) fn blocks(&self, at: Time) -> bool {
        self.blocked.as_ref().is_some_and(|blocked| blocked.until_ms > at.ms())
    }

    /// Lets a poll pass unless the circuit breaker is open.
    pub(crate) fn pass(&mut self, now: Time) -> Result<Permit, CircuitOpen> {
        self.set_back(now);
        self.breaker.pass(now)
    }

    /// Extends the trial of the poll that tests whether the source is back.
    pub(crate) fn still_trying(&mut self, now: Time) {
        self.breaker.still_trying(now);
    }

    /// Records the end of a poll.
    pub(crate) fn ended(&mut self, passed: Permit, how: Ended, now: Time) {
        self.breaker.ended(passed, how, now);
    }

    /// Until when the account may not be polled, and why: a block by the server or an open circuit breaker. Ignores its
    /// limits.
    #[must_use]
    pub fn held(&self, now: Time) -> Option<(Time, String)> {
        let blocked = self.blocked.as_ref().filter(|blocked| blocked.until_ms > now.ms());
        let blocked = blocked.map(|blocked| (Time::from_ms(blocked.until_ms), blocked.why.clone()));
        let alone = self.breaker.left_alone(now).map(|alone| (alone.until, alone.to_string()));
        blocked.into_iter().chain(alone).max_by_key(|(until, _)| *until)
    }

    /// Allows requests to the account at once. Earlier requests still count.
    pub fn release(&mut self) {
        self.blocked = None;
        self.breaker = Breaker::default();
    }

    /// Whether recent polls failed.
    pub(crate) fn has_failed(&self) -> bool {
        !self.breaker.is_fresh()
    }

    /// Whether any limit counts bytes.
    pub(crate) fn counts_bytes(&self) -> bool {
        self.rings.iter().any(|ring| ring.limit.of == Metered::Bytes)
    }

    /// Remaining amount of each limit.
    pub(crate) fn left(&self, now: Time) -> Vec<(Limit, u64)> {
        let now_ms = now.ms().max(self.latest_ms);
        self.rings.iter().map(|ring| (ring.limit, ring.left(now_ms))).collect()
    }

    /// Adds the limits that a search names, and removes those that no search names any more.
    fn tell(&mut self, limits: &[Limit], now_ms: i64) {
        for limit in limits.iter().filter(|limit| limit.per_ms > 0) {
            let limit = Limit { most: limit.most.max(1), ..*limit };
            let known = |ring: &&mut Ring| ring.limit.of == limit.of && ring.limit.per_ms == limit.per_ms;
            match self.rings.iter_mut().find(known) {
                Some(ring) if limit.most <= ring.limit.most || now_ms - ring.reported_ms > STRICT_MS => {
                    ring.limit.most = limit.most;
                    ring.reported_ms = now_ms;
                }
                Some(_) => {}
                None => self.rings.push(self.begin(limit, now_ms)),
            }
        }
        let lives = |ring: &Ring| {
            let window_ms = i64::try_from(ring.limit.per_ms).unwrap_or(i64::MAX);
            now_ms - ring.reported_ms <= STRICT_MS.saturating_add(window_ms) || counts(ring, limits, now_ms)
        };
        self.rings.retain(lives);
        self.rings.sort_by_key(|ring| (ring.limit.of, ring.limit.per_ms));
        self.rings.truncate(RINGS_MAX);
    }

    /// Creates a limit that is new to the account. Its use is estimated from another limit: a longer window gives an
    /// upper bound; otherwise the longest of the shorter windows is the best known value.
    fn begin(&self, limit: Limit, now_ms: i64) -> Ring {
        let mut others: Vec<&Ring> = self.rings.iter().filter(|ring| ring.limit.of == limit.of).collect();
        others.sort_by_key(|ring| ring.limit.per_ms);
        match others.iter().find(|ring| ring.limit.per_ms > limit.per_ms).or(others.last()) {
            Some(other) => Ring::like(limit, now_ms, other, self.latest_ms),
            None => Ring::new(limit, now_ms),
        }
    }

    /// Shifts all times after the clock was set back, so that windows keep their lengths.
    fn set_back(&mut self, now: Time) {
        let ahead_ms = self.latest_ms - now.ms();
        if ahead_ms <= AHEAD_MAX_MS {
            return;
        }
        for ring in &mut self.rings {
            ring.shift(self.latest_ms, now.ms());
        }
        self.breaker.shift(ahead_ms);
        if let Some(blocked) = &mut self.blocked {
            blocked.until_ms -= ahead_ms;
        }
        self.latest_ms = now.ms();
    }
}

/// Whether a limit applies to a search: it names the limit, or another search did recently.
fn counts(ring: &Ring, limits: &[Limit], now_ms: i64) -> bool {
    let named = limits.iter().any(|limit| limit.of == ring.limit.of && limit.per_ms == ring.limit.per_ms);
    named || now_ms - ring.reported_ms <= STRICT_MS
}

/// What a request consumes of a limit.
fn amount(ring: &Ring, bytes: u64) -> u64 {
    match ring.limit.of {
        Metered::Requests => 1,
        Metered::Bytes => bytes,
    }
}
