use std::collections::VecDeque;

use stoop_domain::Time;

use crate::exchange::Answered;
use crate::random::Random;

/// The limits of a site and how it reports them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Requests over a quota are answered with 429 and not counted.
    pub quotas: Vec<Quota>,
    /// Whether a 429 has `Retry-After`.
    pub retry_after: bool,
    /// The quota headers of every answer.
    pub headers: QuotaHeaders,
    /// What happens to clients that ignore refusals.
    pub suspension: Option<Suspension>,
}

/// A limit per window of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quota {
    /// What is counted.
    pub of: Counted,
    /// The maximum per window.
    pub most: u64,
    /// The length of the window in milliseconds.
    pub per_ms: i64,
    pub window: QuotaWindow,
}

/// What a quota counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Accepted requests.
    Requests,
    /// Bytes of bodies. The answer that exceeds the limit is still sent; the next request is refused.
    Bytes,
}

/// Where the windows of a quota begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaWindow {
    /// Consecutive windows that begin `phase_ms` after a multiple of their length since the epoch: 0 gives clock
    /// minutes.
    Fixed {
        /// At most the length of the window.
        phase_ms: i64,
    },
    /// Any range of this length counts.
    Sliding,
}

/// The format of quota headers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum QuotaHeaders {
    Silent,
    /// Trestle: for the minute and the hour, with decimal numbers and a reset in milliseconds since the epoch.
    Trestle,
    /// RapidAPI: for the longest window, with a reset in seconds from now.
    RapidApi,
    /// `RateLimit-*` of older IETF drafts: for the longest window, with a reset in seconds from now.
    RateLimit,
}

/// A token is suspended after too many refusals, as at MLS Grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Suspension {
    /// The number of refusals since the last suspension.
    pub after_refusals: u32,
    /// How long every request is refused, in milliseconds.
    pub for_ms: i64,
}

/// Counts requests and answers, on the given clock.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    tallies: Vec<QuotaUse>,
    refusals: u32,
    suspended_until: Option<Time>,
}

#[derive(Debug, Default)]
struct QuotaUse {
    window: Option<i64>,
    used: u64,
    /// The content of a sliding window.
    recent: VecDeque<(Time, u64)>,
}

/// A refused request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    /// The seconds until it would be accepted.
    pub(crate) wait_s: i64,
    /// Whether the token is suspended.
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
    /// Request quotas with these limits and window lengths in milliseconds. `seed` decides where the windows begin.
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
    /// A quota of requests per clock window of this length in milliseconds.
    #[must_use]
    pub const fn requests(most: u64, per_ms: i64) -> Self {
        Self { of: Counted::Requests, most, per_ms, window: QuotaWindow::Fixed { phase_ms: 0 } }
    }

    /// A quota of body bytes per clock window of this length in milliseconds.
    #[must_use]
    pub const fn bytes(most: u64, per_ms: i64) -> Self {
        Self { of: Counted::Bytes, ..Self::requests(most, per_ms) }
    }

    /// The same with a sliding window.
    #[must_use]
    pub const fn sliding(self) -> Self {
        Self { window: QuotaWindow::Sliding, ..self }
    }
}

impl Meter {
    /// Counts a request at `now`, unless a quota is exhausted.
    pub(crate) fn take(&mut self, limits: &Limits, now: Time) -> Result<(), Refused> {
        if let Some(until) = self.suspended_until.filter(|until| now < *until) {
            return Err(Refused { wait_s: seconds(until.ms() - now.ms()), suspended: true });
        }
        self.suspended_until = None;
        self.tallies.resize_with(limits.quotas.len(), QuotaUse::default);
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

    /// Counts an answer.
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

    /// Adds the quota headers to an answer.
    pub(crate) fn add_headers(&mut self, limits: &Limits, now: Time, answer: &mut Answered) {
        self.tallies.resize_with(limits.quotas.len(), QuotaUse::default);
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

impl QuotaUse {
    /// Drops the counts of windows before that of `now`.
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

    /// The time until a request is accepted again.
    fn wait_ms(&self, quota: &Quota, now: Time) -> i64 {
        let QuotaWindow::Sliding = quota.window else { return self.reset_ms(quota, now) };
        let mut over = self.used - quota.most.min(self.used) + 1;
        let last = self.recent.iter().find(|(_, amount)| {
            over = over.saturating_sub(*amount);
            over == 0
        });
        last.map_or(quota.per_ms, |(at, _)| at.ms() + quota.per_ms - now.ms())
    }

    /// The time until the full quota is available again.
    fn reset_ms(&self, quota: &Quota, now: Time) -> i64 {
        match quota.window {
            QuotaWindow::Fixed { phase_ms } => quota.per_ms - (now.ms() - phase_ms).rem_euclid(quota.per_ms),
            QuotaWindow::Sliding => self.recent.back().map_or(0, |(at, _)| at.ms() + quota.per_ms - now.ms()),
        }
    }
}

/// Rounded up, so that a client that waits this long is accepted.
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
    fn a_new_minute_accepts_requests_until_the_hour_is_exhausted() {
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
    fn a_sliding_window_counts_any_range() {
        let limits = limits(&[Quota::requests(2, MINUTE_MS).sliding()]);
        let message = waits(&limits, &[0, 50_000, 59_000, 60_000, 61_000, 109_999, 110_000]);
        assert_eq!(message, [Ok(()), Ok(()), Err(1), Ok(()), Err(49), Err(1), Ok(())]);
    }

    #[test]
    fn bytes_are_counted_after_they_are_sent() {
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
    fn ignoring_refusals_leads_to_a_temporary_suspension() {
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
    fn each_vendor_has_its_own_quota_headers() {
        let message = |headers| {
            let quotas = vec![Quota::requests(2, MINUTE_MS), Quota::requests(9, Time::HOUR_MS)];
            let limits = Limits { quotas, headers, ..Limits::default() };
            let (mut meter, mut answer) = (Meter::default(), Answered::of(200, "text/plain", ""));
            let now = Time::from_ms(59_500);
            meter.take(&limits, now).unwrap();
            meter.add_headers(&limits, now, &mut answer);
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
