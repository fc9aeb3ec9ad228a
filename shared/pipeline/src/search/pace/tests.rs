use proptest::prelude::*;
use stoop_dice::Dice;

use super::*;
use crate::Polled;

const MINUTE_MS: u64 = 60_000;
const HOUR_MS: u64 = 60 * MINUTE_MS;
const DAY_MS: u64 = 24 * HOUR_MS;

/// From 15 minutes to six hours: 24 slots.
fn adaptive() -> Cadence {
    Cadence { every_max_ms: Some(6 * HOUR_MS), ..Cadence::steady(15 * MINUTE_MS) }
}

fn poll(changes: u64) -> Polled {
    Polled { requests: 1, pages: 1, bytes: 1_000, changed: changes, ..Polled::default() }
}

/// A search that is polled at its interval.
#[derive(Clone)]
struct Polling {
    cadence: Cadence,
    pace: Pace,
    now_ms: u64,
}

impl Polling {
    /// After its first poll.
    fn new(cadence: Cadence) -> Self {
        let mut polling = Self { cadence, pace: Pace::default(), now_ms: 20_000 * DAY_MS };
        polling.learn(poll(50));
        polling
    }

    fn at(&self) -> Time {
        Time::from_ms(self.now_ms.cast_signed())
    }

    fn learn(&mut self, polled: Polled) {
        self.pace.learn(self.at(), true, &polled);
    }

    fn distance_ms(&self) -> u64 {
        self.cadence.distance(Some(&self.pace)).ms
    }

    /// The next poll, and the following interval in minutes.
    fn next(&mut self, is_changed: bool) -> u64 {
        self.now_ms += self.distance_ms();
        self.learn(poll(u64::from(is_changed)));
        self.distance_ms() / MINUTE_MS
    }

    fn quiet() -> Self {
        let mut polling = Self::new(adaptive());
        for _ in 0..40 {
            polling.next(false);
        }
        polling
    }
}

#[test]
fn a_quiet_search_reaches_its_longest_interval_within_ten_polls() {
    let mut polling = Polling::new(adaptive());
    assert_eq!(polling.distance_ms(), 15 * MINUTE_MS, "the first poll teaches nothing");
    let distances: Vec<u64> = (0..10).map(|_| polling.next(false)).collect();
    assert_eq!(distances, [30, 45, 75, 120, 180, 270, 360, 360, 360, 360]);
}

#[test]
fn a_busy_search_stays_at_its_shortest() {
    let mut polling = Polling::new(adaptive());
    for _ in 0..100 {
        assert_eq!(polling.next(true), 15);
    }
}

#[test]
fn a_market_that_becomes_active_is_followed_within_three_polls() {
    let mut polling = Polling::quiet();
    assert_eq!([polling.next(true), polling.next(true), polling.next(true)], [180, 90, 45]);
    assert_eq!([polling.next(true), polling.next(true)], [30, 15]);
}

#[test]
fn a_single_change_costs_a_few_more_polls() {
    let mut polling = Polling::quiet();
    polling.next(true);
    let polls = (1..20).find(|_| polling.next(false) == 360).unwrap();
    assert!(polls <= 4, "{polls}");
}

#[test]
fn a_search_without_a_longest_interval_keeps_to_its_shortest() {
    let mut polling = Polling::new(Cadence::steady(15 * MINUTE_MS));
    for i in 0..30 {
        assert_eq!(polling.next(i > 20), 15);
    }
}

#[test]
fn an_incomplete_poll_teaches_nothing_until_the_next_complete_one() {
    let mut polling = Polling::quiet();
    let before = polling.pace;
    polling.now_ms += 6 * HOUR_MS;
    polling.pace.learn(polling.at(), false, &poll(3));
    assert_eq!(polling.distance_ms(), 6 * HOUR_MS);
    assert_eq!(polling.pace.learnt_at, before.learnt_at);
    assert_eq!(polling.next(false), 360, "the change counts, over the whole twelve hours");
    assert_eq!((polling.pace.changed, polling.pace.changed_ms), (ONE, 12 * HOUR_MS));
    assert!(!polling.pace.stirred);
    assert_eq!(polling.next(true), 180);
}

#[test]
fn a_search_without_complete_scans_keeps_its_interval() {
    let mut pace = Pace::default();
    for i in 0..50 {
        pace.learn(Time::from_ms(i * 900_000), false, &poll(u64::from(i == 0)));
    }
    assert_eq!(adaptive().distance(Some(&pace)), Distance { ms: 900_000, slowed_by: None });
}

#[test]
fn manual_polls_teach_nothing_and_their_changes_count_later() {
    let mut polling = Polling::quiet();
    for second in 1..=30 {
        let at = polling.at().plus_ms(second * 1_000);
        polling.pace.learn(at, true, &poll(u64::from(second == 7)));
        assert_eq!(polling.distance_ms(), 6 * HOUR_MS);
    }
    assert_eq!(polling.next(false), 180);
}

#[test]
fn a_clock_that_was_set_back_is_followed() {
    let mut polling = Polling::quiet();
    polling.now_ms -= 300 * DAY_MS;
    polling.learn(poll(0));
    assert_eq!(polling.distance_ms(), 6 * HOUR_MS);
    assert_eq!(polling.next(true), 180, "the next poll is measured from there");
}

#[test]
fn the_limits_of_an_account_lengthen_the_interval_and_say_why() {
    let limits = vec![Limit::per_second(20), Limit::per_month(50), Limit::bytes_per_hour(4_000_000_000)];
    let mut cadence = Cadence { limits, ..Cadence::steady(HOUR_MS) };
    assert_eq!(cadence.distance(None), Distance { ms: HOUR_MS, slowed_by: None }, "the first poll shows the cost");
    let pace = Polling::new(cadence.clone()).pace;
    // 744 hours divided by 50.
    let distance = cadence.distance(Some(&pace));
    assert_eq!(distance.ms, 15 * HOUR_MS, "the next multiple of `every`");
    let limit = distance.slowed_by.unwrap();
    assert_eq!(limit.least_ms, 31 * DAY_MS / 50);
    assert_eq!(limit.to_string(), "50 requests in 31 days, at 1 request a poll");
    cadence.sharers = 3;
    cadence.every_max_ms = Some(6 * HOUR_MS);
    let distance = cadence.distance(Some(&pace));
    assert_eq!(distance.ms, 45 * HOUR_MS, "beyond the longest interval too");
    assert!(distance.slowed_by.unwrap().to_string().ends_with("at 1 request a poll and shared by 3 searches"));
    cadence.every_ms = 10 * DAY_MS;
    assert_eq!(cadence.distance(Some(&pace)).slowed_by, None, "rare polls are not slowed");
}

#[test]
fn bytes_are_spread_like_requests() {
    let cadence = Cadence { limits: vec![Limit::bytes_per_hour(6_000)], ..Cadence::steady(MINUTE_MS) };
    let distance = cadence.distance(Some(&Polling::new(cadence.clone()).pace));
    assert_eq!(distance.ms, 10 * MINUTE_MS);
    assert_eq!(distance.slowed_by.unwrap().to_string(), "6 kB an hour, at 1000 bytes a poll");
}

#[test]
fn a_full_scan_among_incremental_ones_costs_in_proportion() {
    let mut polling = Polling::new(Cadence { limits: vec![Limit::per_day(100)], ..Cadence::steady(HOUR_MS) });
    let mut requests = 0;
    let begin = polling.now_ms;
    for i in 0..1_000 {
        polling.now_ms += polling.distance_ms();
        let polled = Polled { requests: if i % 24 == 0 { 60 } else { 2 }, ..poll(0) };
        requests += polled.requests;
        polling.learn(polled);
    }
    let a_day = requests * DAY_MS / (polling.now_ms - begin);
    assert!((60..=100).contains(&a_day), "{a_day} requests a day of 100");
}

#[test]
fn a_pace_is_kept_as_json_and_an_older_one_is_read() {
    let pace = Polling::quiet().pace;
    let text = serde_json::to_string(&pace).unwrap();
    assert_eq!(serde_json::from_str::<Pace>(&text).unwrap(), pace);
    assert_eq!(serde_json::from_str::<Pace>("{}").unwrap(), Pace::default());
}

/// Random changes, one per `mean_ms` on average, from a seed.
struct Changes {
    dice: Dice,
    next_ms: f64,
    mean_ms: f64,
}

impl Changes {
    fn new(seed: u64, mean_ms: u64, now_ms: u64) -> Self {
        let mut changes = Self { dice: Dice::new(seed), next_ms: now_ms as f64, mean_ms: mean_ms as f64 };
        changes.step();
        changes
    }

    fn step(&mut self) {
        let unit = (self.dice.roll() >> 11) as f64 / (1_u64 << 53) as f64;
        self.next_ms -= (1.0 - unit).ln() * self.mean_ms;
    }

    /// The changes before `now_ms`: their number, and the sum of their ages.
    fn until(&mut self, now_ms: u64) -> (u64, f64) {
        let (mut n, mut waited_ms) = (0, 0.0);
        while self.next_ms < now_ms as f64 {
            n += 1;
            waited_ms += now_ms as f64 - self.next_ms;
            self.step();
        }
        (n, waited_ms)
    }
}

/// The result of a year of polling.
#[derive(Debug)]
struct Year {
    polls_a_day: f64,
    changed_share: f64,
    delay_minutes: f64,
}

fn year(mean_ms: u64, seed: u64) -> Year {
    let mut polling = Polling::new(adaptive());
    let mut changes = Changes::new(seed, mean_ms, polling.now_ms);
    let end_ms = polling.now_ms + 365 * DAY_MS;
    let (mut polls, mut changed, mut seen, mut waited_ms) = (0.0, 0.0, 0.0, 0.0);
    while polling.now_ms < end_ms {
        polling.now_ms += polling.distance_ms();
        let (n, waited) = changes.until(polling.now_ms);
        polling.learn(poll(n));
        polls += 1.0;
        changed += f64::from(u8::from(n > 0));
        seen += n as f64;
        waited_ms += waited;
    }
    Year { polls_a_day: polls / 365.0, changed_share: changed / polls, delay_minutes: waited_ms / seen / 60_000.0 }
}

/// The figures of docs/CONFIGURATION.md, `When a search is polled`: a search from 15 minutes to 6 hours, which without
/// `every_max` has 96 polls a day and a delay of 7.5 minutes.
#[test]
fn two_fifths_of_the_polls_show_a_change_if_the_bounds_allow_it() {
    let rows = [
        (10 * MINUTE_MS, 92.0..=96.1, 7.0..=8.5),
        (HOUR_MS, 38.0..=44.0, 20.0..=27.0),
        (3 * HOUR_MS, 12.0..=16.0, 60.0..=80.0),
        (12 * HOUR_MS, 4.5..=6.0, 140.0..=185.0),
        (3 * DAY_MS, 4.0..=4.6, 140.0..=195.0),
    ];
    for (mean_ms, polls, delay) in rows {
        let year = year(mean_ms, 7);
        println!("a change in {} min: {year:.2?}", mean_ms / MINUTE_MS);
        assert!(polls.contains(&year.polls_a_day) && delay.contains(&year.delay_minutes), "{mean_ms}: {year:?}");
        // Far from both bounds the goal is met.
        if (HOUR_MS..=4 * HOUR_MS).contains(&mean_ms) {
            assert!((0.38..=0.5).contains(&year.changed_share), "{mean_ms}: {year:?}");
        }
    }
}

/// Polls: the time since the one before, in thousandths of the interval, and the outcome.
fn polls() -> impl Strategy<Value = Vec<(u64, bool, u64)>> {
    let early_or_late = prop_oneof![6 => Just(1_000_u64), 2 => 900..1_100_u64, 1 => 0..40_000_u64];
    prop::collection::vec((early_or_late, prop::bool::weighted(0.85), prop_oneof![Just(0_u64), 0..9_u64]), 1..120)
}

proptest! {
    #[test]
    fn the_bounds_always_hold(
        every_s in 1..100_000_u64, times in 1..400_u64, odd in 0..1_000_u64, polls in polls(), most in prop::option::of(1..9_u64),
    ) {
        let (every_ms, max_ms) = (every_s * 1_000, every_s * 1_000 * times + odd);
        let limits = most.map(Limit::per_day).into_iter().collect();
        let cadence = Cadence { every_ms, every_max_ms: Some(max_ms), limits, sharers: 2 };
        let mut polling = Polling::new(cadence.clone());
        for (part, complete, changes) in polls {
            let (wish, before_ms) = (polling.pace.wish_ms, polling.distance_ms());
            let distance_ms = before_ms.saturating_mul(part) / 1_000;
            polling.now_ms += distance_ms;
            let since_ms = polling.now_ms - polling.pace.learnt_at.unwrap().ms().cast_unsigned();
            let since_ms = since_ms.min(DISTANCE_MAX_MS);
            polling.pace.learn(polling.at(), complete, &poll(changes));
            let distance = cadence.distance(Some(&polling.pace));
            prop_assert_eq!(distance.ms % every_ms, 0);
            prop_assert!(distance.ms >= every_ms);
            match (most, distance.slowed_by) {
                (Some(most), Some(limit)) => {
                    prop_assert_eq!(limit.least_ms, (2 * DAY_MS).div_ceil(most));
                    prop_assert!((limit.least_ms..limit.least_ms + every_ms).contains(&distance.ms));
                }
                (_, slowed_by) => prop_assert!(slowed_by.is_none() && distance.ms <= max_ms.max(every_ms)),
            }
            // Longer by at most half of what was observed, shorter by at most half of it, and only for the right
            // reason.
            let pace = polling.pace;
            prop_assert!(pace.wish_ms <= wish.max(since_ms * 3 / 2));
            prop_assert!(pace.wish_ms >= wish.min(since_ms / 2));
            if complete && pace.learnt_at == Some(polling.at()) && changes > 0 && wish > 0 {
                prop_assert!(pace.wish_ms <= wish.max(since_ms.div_ceil(2)), "no change makes it longer");
            }
        }
    }

    #[test]
    fn three_changes_halve_the_interval_and_thirty_quiet_polls_reach_the_longest(
        history in prop::collection::vec(any::<bool>(), 0..60),
    ) {
        let mut polling = Polling::new(adaptive());
        for is_changed in history {
            polling.next(is_changed);
        }
        let mut asleep = polling.clone();
        let before = polling.distance_ms() / MINUTE_MS;
        let after = (0..3).map(|_| polling.next(true)).last().unwrap();
        prop_assert!(after <= (before / 2).max(15), "{before} to {after}");
        let after = (0..30).map(|_| asleep.next(false)).last().unwrap();
        prop_assert_eq!(after, 360);
    }

    #[test]
    fn no_numbers_are_too_large(numbers in prop::collection::vec(any::<u64>(), 7), at in any::<i64>(), then in any::<i64>(), changes in any::<u64>()) {
        let [quiet_ms, changed_ms, changed, wish_ms, polls, requests, bytes] = numbers[..] else { unreachable!() };
        let learnt_at = Some(Time::from_ms(at));
        let mut pace = Pace { learnt_at, quiet_ms, changed_ms, changed, wish_ms, streak: u32::MAX, stirred: false, polls, requests, bytes };
        let polled = Polled { requests, bytes, pages: 1, changed: changes, ..Polled::default() };
        pace.learn(Time::from_ms(then), true, &polled);
        let cadence = Cadence { every_ms: wish_ms, every_max_ms: Some(bytes), limits: vec![Limit { of: Metered::Bytes, most: 1, per_ms: u64::MAX }], sharers: polls };
        prop_assert!(cadence.distance(Some(&pace)).ms >= cadence.every_ms);
    }
}
