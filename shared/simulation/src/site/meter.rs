use std::collections::VecDeque;

use stoop_domain::Time;

use super::exchange::Answered;
use crate::random::Random;

/// How much a site bears, and how it says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// What it counts. A request that is over one of them is answered with 429, and is not counted.
    pub quotas: Vec<Quota>,
    /// Whether a 429 says when to come again (`Retry-After`).
    pub retry_after: bool,
    /// What every answer says of the quotas.
    pub headers: QuotaHeaders,
    /// What becomes of those who do not listen.
    pub suspension: Option<Suspension>,
}

/// So much in each window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What is counted.
    pub of: Counted,
    /// How much of it.
    pub most: u64,
    /// The window's width, in milliseconds.
    pub per_ms: i64,
    /// Where windows begin.
    pub window: QuotaWindow,
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Requests that were let in.
    Requests,
    /// Bytes of bodies. The answer that exceeds them is still given; the next is refused.
    Bytes,
}

/// Where the windows of a quota begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaWindow {
    /// One after the other, so many milliseconds after a multiple of their width since the epoch: 0 is the clock minute.
    Fixed {
        /// Of the width at most.
        phase_ms: i64,
    },
    /// With every request: any interval of this width counts.
    Sliding,
}

/// The names under which answers tell of quotas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaHeaders {
    /// None.
    Silent,
    /// Trestle's, of the minute and the hour: decimal numbers, and a reset in milliseconds since the epoch.
    Trestle,
    /// RapidAPI's, of the widest window: the reset in seconds from now.
    RapidApi,
    /// `RateLimit-*` of the IETF's older drafts, of the widest window: the reset in seconds from now.
    RateLimit,
}

/// A token that asks too often is of no use for a while, as at MLS Grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// After so many refusals since the last suspension.
    pub after_refusals: u32,
    /// Every request is refused for so many milliseconds.
    pub for_ms: i64,
}

/// Counts what is asked and answered, on the clock it is given.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    tallies: Vec<Tally>,
    refusals: u32,
    suspended_until: Option<Time>,
}

#[derive(Debug, Default)]
struct Tally {
    window: Option<i64>,
    used: u64,
    /// What a sliding window still holds.
    recent: VecDeque<(Time, u64)>,
}

/// A request that is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// After how many seconds it would be.
    pub(crate) wait_s: i64,
    /// Whether that is because of earlier ones.
    pub(crate) suspended: bool,
}

pub(crate) const MINUTE_MS: i64 = 60_000;

impl Default for Limits {
    /// No limits.
    fn default() -> Self {
        Self { quotas: Vec::new(), retry_after: true, headers: QuotaHeaders::Silent, suspension: None }
    }
}

impl Limits {
    /// Requests in windows of these widths in milliseconds, each beginning where `seed` says.
    #[must_use]
    pub fn requests(seed: u64, quotas: &[(u64, i64)]) -> Self {
        let mut random = Random::new(seed, 1 << 44);
        let quotas = quotas.iter().map(|(most, per_ms)| {
            let phase_ms = random.between(0, (*per_ms - 1).max(0));
            Quota { window: QuotaWindow::Fixed { phase_ms }, ..Quota::requests(*most, *per_ms) }
        });
        Self { quotas: quotas.collect(), ..Self::default() }
    }
}

impl Quota {
    /// Requests in each interval of the clock that is so many milliseconds long.
    #[must_use]
    pub const fn requests(most: u64, per_ms: i64) -> Self {
        Self { of: Counted::Requests, most, per_ms, window: QuotaWindow::Fixed { phase_ms: 0 } }
    }

    /// The same for bytes of bodies.
    #[must_use]
    pub const fn bytes(most: u64, per_ms: i64) -> Self {
        Self { of: Counted::Bytes, ..Self::requests(most, per_ms) }
    }

    /// The same for any interval.
    #[must_use]
    pub const fn sliding(self) -> Self {
        Self { window: QuotaWindow::Sliding, ..self }
    }
}

impl Meter {
    /// Counts a request at `now`, unless a quota is used up.
    pub(crate) fn take(&mut self, limits: &Limits, now: Time) -> Result<(), Refused> {
        if let Some(until) = self.suspended_until.filter(|until| now < *until) {
            return Err(Refused { wait_s: seconds(until.ms() - now.ms()), suspended: true });
        }
        self.suspended_until = None;
        self.tallies.resize_with(limits.quotas.len(), Tally::default);
        let wait_ms = limits.quotas.iter().zip(&mut self.tallies).filter_map(|(quota, tally)| {
            tally.turn(quota, now);
            (tally.used >= quota.most).then(|| tally.wait_ms(quota, now))
        });
        if let Some(wait_ms) = wait_ms.max() {
            self.refusals += 1;
            if let Some(suspension) = limits.suspension.filter(|limit| self.refusals >= limit.after_refusals) {
                self.refusals = 0;
                self.suspended_until = Some(now.plus_ms(suspension.for_ms));
            }
            return Err(Refused { wait_s: seconds(wait_ms), suspended: false });
        }
        self.count(limits, Counted::Requests, 1, now);
        Ok(())
    }

    /// Counts what was answered.
    pub(crate) fn answered(&mut self, limits: &Limits, bytes: usize, now: Time) {
        self.count(limits, Counted::Bytes, bytes as u64, now);
    }

    fn count(&mut self, limits: &Limits, of: Counted, amount: u64, now: Time) {
        for (quota, tally) in limits.quotas.iter().zip(&mut self.tallies).filter(|(quota, _)| quota.of == of) {
            tally.used += amount;
            if quota.window == QuotaWindow::Sliding {
                tally.recent.push_back((now, amount));
            }
        }
    }

    /// Puts the headers on an answer.
    pub(crate) fn tell(&mut self, limits: &Limits, now: Time, answer: &mut Answered) {
        self.tallies.resize_with(limits.quotas.len(), Tally::default);
        let requests = limits.quotas.iter().zip(&mut self.tallies).filter(|(quota, _)| quota.of == Counted::Requests);
        let mut windows: Vec<(&Quota, u64, i64)> = requests
            .map(|(quota, tally)| {
                tally.turn(quota, now);
                (quota, quota.most.saturating_sub(tally.used), tally.reset_ms(quota, now))
            })
            .collect();
        windows.sort_by_key(|(quota, ..)| quota.per_ms);
        let mut put = |name: &str, value: String| answer.headers.push((name.to_owned(), value));
        match limits.headers {
            QuotaHeaders::Silent => {}
            QuotaHeaders::Trestle => {
                for (name, per_ms) in [("minute", MINUTE_MS), ("hour", Time::HOUR_MS)] {
                    let Some((quota, left, reset_ms)) = windows.iter().find(|(quota, ..)| quota.per_ms == per_ms)
                    else {
                        continue;
                    };
                    put(&format!("{name}-quota-limit"), format!("{}.0", quota.most));
                    put(&format!("{name}-quota-available"), format!("{left}.0"));
                    put(&format!("{name}-quota-resettime"), now.plus_ms(*reset_ms).ms().to_string());
                }
            }
            QuotaHeaders::RapidApi | QuotaHeaders::RateLimit => {
                let Some((quota, left, reset_ms)) = windows.last() else { return };
                let rapid = limits.headers == QuotaHeaders::RapidApi;
                let name = if rapid { "x-ratelimit-requests" } else { "ratelimit" };
                put(&format!("{name}-limit"), quota.most.to_string());
                put(&format!("{name}-remaining"), left.to_string());
                put(&format!("{name}-reset"), seconds(*reset_ms).to_string());
            }
        }
    }
}

impl Tally {
    /// Forgets what lies in windows before that of `now`.
    fn turn(&mut self, quota: &Quota, now: Time) {
        match quota.window {
            QuotaWindow::Fixed { phase_ms } => {
                let window = (now.ms() - phase_ms).div_euclid(quota.per_ms);
                if self.window != Some(window) {
                    *self = Self { window: Some(window), ..Self::default() };
                }
            }
            QuotaWindow::Sliding => {
                while let Some((_, amount)) = self.recent.pop_front_if(|(at, _)| now.ms() - at.ms() >= quota.per_ms) {
                    self.used -= amount;
                }
            }
        }
    }

    /// How long it takes until something is let in again.
    fn wait_ms(&self, quota: &Quota, now: Time) -> i64 {
        let QuotaWindow::Sliding = quota.window else { return self.reset_ms(quota, now) };
        let mut over = self.used - quota.most.min(self.used) + 1;
        let last = self.recent.iter().find(|(_, amount)| {
            over = over.saturating_sub(*amount);
            over == 0
        });
        last.map_or(quota.per_ms, |(at, _)| at.ms() + quota.per_ms - now.ms())
    }

    /// How long it takes until all is let in again.
    fn reset_ms(&self, quota: &Quota, now: Time) -> i64 {
        match quota.window {
            QuotaWindow::Fixed { phase_ms } => quota.per_ms - (now.ms() - phase_ms).rem_euclid(quota.per_ms),
            QuotaWindow::Sliding => self.recent.back().map_or(0, |(at, _)| at.ms() + quota.per_ms - now.ms()),
        }
    }
}

/// Rounded up: who waits so long is let in.
fn seconds(ms: i64) -> i64 {
    (ms + Time::SECOND_MS - 1) / Time::SECOND_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waits(limits: &Limits, at_ms: &[i64]) -> Vec<Result<(), i64>> {
        let mut meter = Meter::default();
        let take = |ms: &i64| meter.take(limits, Time::from_ms(*ms)).map_err(|refused| refused.wait_s);
        at_ms.iter().map(take).collect()
    }

    fn limits(quotas: &[Quota]) -> Limits {
        Limits { quotas: quotas.to_vec(), ..Limits::default() }
    }

    #[test]
    fn a_new_minute_lets_in_again_until_the_hour_is_used_up() {
        let limits = limits(&[Quota::requests(2, MINUTE_MS), Quota::requests(3, Time::HOUR_MS)]);
        let message = waits(&limits, &[0, 1, 30_500, 60_000, 60_001, 3_600_000]);
        assert_eq!(message, [Ok(()), Ok(()), Err(30), Ok(()), Err(3_540), Ok(())]);
    }

    #[test]
    fn a_window_may_begin_in_the_middle_of_a_minute() {
        let quota = Quota { window: QuotaWindow::Fixed { phase_ms: 40_000 }, ..Quota::requests(1, MINUTE_MS) };
        assert_eq!(waits(&limits(&[quota]), &[39_000, 40_000, 41_000, 100_000]), [Ok(()), Ok(()), Err(59), Ok(())]);
    }

    #[test]
    fn any_interval_counts_where_windows_slide() {
        let limits = limits(&[Quota::requests(2, MINUTE_MS).sliding()]);
        let message = waits(&limits, &[0, 50_000, 59_000, 60_000, 61_000, 109_999, 110_000]);
        assert_eq!(message, [Ok(()), Ok(()), Err(1), Ok(()), Err(49), Err(1), Ok(())]);
    }

    #[test]
    fn bytes_are_counted_when_they_were_given() {
        for quota in [Quota::bytes(100, MINUTE_MS), Quota::bytes(100, MINUTE_MS).sliding()] {
            let limits = limits(&[quota]);
            let mut meter = Meter::default();
            let mut ask = |ms: i64, bytes: usize| {
                let taken = meter.take(&limits, Time::from_ms(ms)).map_err(|refused| refused.wait_s);
                taken.map(|()| meter.answered(&limits, bytes, Time::from_ms(ms)))
            };
            assert_eq!([ask(0, 90), ask(0, 90), ask(1_000, 1)], [Ok(()), Ok(()), Err(59)], "{quota:?}");
            assert_eq!(ask(60_000, 1), Ok(()));
        }
    }

    #[test]
    fn who_does_not_listen_is_suspended_and_then_let_in_again() {
        let suspension = Some(Suspension { after_refusals: 2, for_ms: 100_000 });
        let limits = Limits { suspension, ..limits(&[Quota::requests(1, Time::SECOND_MS)]) };
        let message = waits(&limits, &[0, 1, 2, 50_000, 100_002, 100_003, 101_500]);
        assert_eq!(message, [Ok(()), Err(1), Err(1), Err(51), Ok(()), Err(1), Ok(())]);
    }

    #[test]
    fn a_seed_moves_the_windows() {
        let phases = |seed| Limits::requests(seed, &[(2, MINUTE_MS), (9, Time::HOUR_MS)]).quotas;
        assert_eq!(phases(1), phases(1));
        assert_ne!(phases(1), phases(2));
        for quota in phases(3) {
            let QuotaWindow::Fixed { phase_ms } = quota.window else { panic!("{quota:?}") };
            assert!((0..quota.per_ms).contains(&phase_ms));
        }
    }

    #[test]
    fn each_vendor_says_what_is_left_in_its_own_words() {
        let message = |headers| {
            let quotas = vec![Quota::requests(2, MINUTE_MS), Quota::requests(9, Time::HOUR_MS)];
            let limits = Limits { quotas, headers, ..Limits::default() };
            let (mut meter, mut answer) = (Meter::default(), Answered::of(200, "text/plain", ""));
            let now = Time::from_ms(59_500);
            meter.take(&limits, now).unwrap();
            meter.tell(&limits, now, &mut answer);
            answer.headers[1..].iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>()
        };
        assert_eq!(message(QuotaHeaders::Silent), [""; 0]);
        assert_eq!(
            message(QuotaHeaders::Trestle),
            [
                "minute-quota-limit: 2.0",
                "minute-quota-available: 1.0",
                "minute-quota-resettime: 60000",
                "hour-quota-limit: 9.0",
                "hour-quota-available: 8.0",
                "hour-quota-resettime: 3600000",
            ]
        );
        assert_eq!(
            message(QuotaHeaders::RapidApi),
            ["x-ratelimit-requests-limit: 9", "x-ratelimit-requests-remaining: 8", "x-ratelimit-requests-reset: 3541"]
        );
        assert_eq!(
            message(QuotaHeaders::RateLimit),
            ["ratelimit-limit: 9", "ratelimit-remaining: 8", "ratelimit-reset: 3541"]
        );
    }
}
