//! The budget of an account. Pure; [`Budgets`](crate::ports::Budgets) stores it.

mod breaker;
mod ring;
#[cfg(test)]
mod tests;

use serde::{Deserialize, Serialize};
use stoop_domain::Time;
use stoop_sources::{Limit, Metered};

use breaker::{Breaker, CircuitOpen};
use ring::Ring;

pub(crate) use breaker::{BreakerOutcome, Permit};

/// The format that is written. A record of another one is not read: what it counts would be guesswork.
const FORMAT: u8 = 1;

/// A limit that a search named counts for every search of the account for so long. After that whoever names a wider
/// one, or none, is believed.
const STRICT_MS: i64 = Time::HOUR_MS;

/// Nothing is booked further ahead. A poll that would have to wait longer for one request ends, and the next goes on.
pub(crate) const WAIT_MAX_MS: i64 = 120_000;

/// A newest booking that is further ahead than that was made by a clock that has been set back since.
const AHEAD_MAX_MS: i64 = 300_000;

/// More limits than any server has. What is named beyond them is left out, the longest window first.
const RINGS_MAX: usize = 12;

/// The longest reason that is kept, in characters: the record is to stay below a kilobyte.
const WHY_MAX: usize = 100;

/// How many bytes an answer is taken to have before one was seen.
const ANSWER_BYTES: u64 = 1 << 20;

/// What all pollers of an account share: the requests in the window of each limit, until when the server asked to wait,
/// and the circuit breaker.
///
/// A request is booked before it is sent, at the first time at which every limit has room, after all earlier bookings.
/// So the record is a queue, and a booking is one write.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    format: u8,
    /// When the newest booking is, which may be in the future.
    latest_ms: i64,
    /// How many bytes an answer has, rather too many than too few.
    answer_bytes: u64,
    rings: Vec<Ring>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    blocked: Option<Blocked>,
    #[serde(default)]
    breaker: Breaker,
}

/// The server asked to wait.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Blocked {
    until_ms: i64,
    why: String,
}

/// A request that may be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Booking {
    /// Not before this moment.
    pub(crate) at: Time,
    /// How many bytes it was taken to bring.
    bytes: u64,
}

/// No request may be sent in time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OverBudget {
    /// The first moment at which one might.
    pub(crate) until: Time,
    /// What stands against it.
    pub(crate) why: String,
}

/// Why a text is no record of an account.
#[derive(Debug, thiserror::Error)]
pub enum AccountError {
    /// It is not well formed, or its numbers make no sense.
    #[error("the record is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
    /// Another program wrote it.
    #[error("the record has format {0}; this program reads format {FORMAT}: update Stoop")]
    Format(u8),
}

impl Default for Account {
    /// One of which nothing is known.
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
    /// Reads what [`Account::to_json`] wrote.
    ///
    /// # Errors
    /// When it did not.
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

    /// The record as one line of JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Numbers, texts and lists have a form in JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// From when on the record says nothing any more and may be forgotten.
    #[must_use]
    pub fn kept_until(&self) -> Time {
        let longest = self.rings.iter().map(|ring| ring.limit.per_ms).max().unwrap_or(0);
        let longest = i64::try_from(longest).unwrap_or(i64::MAX).max(32 * Time::DAY_MS);
        let blocked = self.blocked.as_ref().map_or(0, |blocked| blocked.until_ms);
        Time::from_ms(self.latest_ms.max(blocked)).plus_ms(longest).plus_ms(7 * Time::DAY_MS)
    }

    /// Books a request that can be sent until `deadline`, if there is one, and no later than polls wait.
    ///
    /// `limits` are those that the search names. Of two searches of one account that name different ones, the stricter
    /// of each counts.
    pub(crate) fn book(&mut self, limits: &[Limit], now: Time, deadline: Option<Time>) -> Result<Booking, OverBudget> {
        self.set_back(now);
        self.note_limits(limits, now.ms());
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

    /// Notes how many bytes a request that was booked has brought. A failed one brings none.
    pub(crate) fn settle(&mut self, booking: Booking, bytes: u64) {
        for ring in self.rings.iter_mut().filter(|ring| ring.limit.of == Metered::Bytes) {
            ring.correct(booking.at.ms(), booking.bytes, bytes);
        }
        // Up at once, down little by little: the next answer is not to be larger than it is taken to be.
        if self.counts_bytes() && bytes > 0 {
            let down = self.answer_bytes.saturating_sub(bytes) / 16;
            self.answer_bytes = bytes.max(self.answer_bytes - down);
        }
    }

    /// Takes back a booking that was not used.
    pub(crate) fn take_back(&mut self, booking: Booking) {
        for ring in &mut self.rings {
            ring.correct(booking.at.ms(), amount(ring, booking.bytes), 0);
        }
    }

    /// The server asked to wait until this time.
    pub(crate) fn block(&mut self, until: Time, why: &str) {
        if self.blocked.as_ref().is_none_or(|blocked| blocked.until_ms < until.ms()) {
            self.blocked = Some(Blocked { until_ms: until.ms(), why: why.chars().take(WHY_MAX).collect() });
        }
    }

    /// Whether the server asked to wait at this time.
    pub(crate) fn blocks(&self, at: Time) -> bool {
        self.blocked.as_ref().is_some_and(|blocked| blocked.until_ms > at.ms())
    }

    /// Lets a poll pass, unless the circuit breaker is open.
    pub(crate) fn pass(&mut self, now: Time) -> Result<Permit, CircuitOpen> {
        self.set_back(now);
        self.breaker.pass(now)
    }

    /// A poll that is on trial goes on.
    pub(crate) fn still_trying(&mut self, now: Time) {
        self.breaker.still_trying(now);
    }

    /// A poll has ended.
    pub(crate) fn ended(&mut self, passed: Permit, how: BreakerOutcome, now: Time) {
        self.breaker.ended(passed, how, now);
    }

    /// Until when no poll asks the account and why: the server asked to wait, or the circuit breaker is open. Its
    /// limits are not looked at.
    #[must_use]
    pub fn held(&self, now: Time) -> Option<(Time, String)> {
        let blocked = self.blocked.as_ref().filter(|blocked| blocked.until_ms > now.ms());
        let blocked = blocked.map(|blocked| (Time::from_ms(blocked.until_ms), blocked.why.clone()));
        let open = self.breaker.open_at(now).map(|open| (open.until, open.to_string()));
        blocked.into_iter().chain(open).max_by_key(|(until, _)| *until)
    }

    /// Lets the account be asked again at once. What was asked of it before goes on counting.
    pub fn release(&mut self) {
        self.blocked = None;
        self.breaker = Breaker::default();
    }

    /// Whether polls have failed of late.
    pub(crate) fn has_failed(&self) -> bool {
        !self.breaker.is_fresh()
    }

    /// Whether anything is counted in bytes.
    pub(crate) fn counts_bytes(&self) -> bool {
        self.rings.iter().any(|ring| ring.limit.of == Metered::Bytes)
    }

    /// How much each limit has left.
    pub(crate) fn left(&self, now: Time) -> Vec<(Limit, u64)> {
        let now_ms = now.ms().max(self.latest_ms);
        self.rings.iter().map(|ring| (ring.limit, ring.left(now_ms))).collect()
    }

    /// Notes the limits that a search names, and forgets those that no search names.
    fn note_limits(&mut self, limits: &[Limit], now_ms: i64) {
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

    /// A limit that is new to the account. What was counted for another says how much of it is used already: one with
    /// a longer window at most that much, the longest of the shorter ones as much as is known.
    fn begin(&self, limit: Limit, now_ms: i64) -> Ring {
        let mut others: Vec<&Ring> = self.rings.iter().filter(|ring| ring.limit.of == limit.of).collect();
        others.sort_by_key(|ring| ring.limit.per_ms);
        match others.iter().find(|ring| ring.limit.per_ms > limit.per_ms).or(others.last()) {
            Some(other) => Ring::like(limit, now_ms, other, self.latest_ms),
            None => Ring::new(limit, now_ms),
        }
    }

    /// After a clock was set back everything moves with it, so that the windows keep their lengths.
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

/// Whether a limit counts for a search: it names it, or another one did not long ago.
fn counts(ring: &Ring, limits: &[Limit], now_ms: i64) -> bool {
    let named = limits.iter().any(|limit| limit.of == ring.limit.of && limit.per_ms == ring.limit.per_ms);
    named || now_ms - ring.reported_ms <= STRICT_MS
}

/// What a request takes of a limit.
fn amount(ring: &Ring, bytes: u64) -> u64 {
    match ring.limit.of {
        Metered::Requests => 1,
        Metered::Bytes => bytes,
    }
}
