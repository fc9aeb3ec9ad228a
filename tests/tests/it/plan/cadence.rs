//! How often a search is polled: quiet searches, small quotas, and any searches at any ticks.

use super::*;

/// Ticks of every minute until `end`, with a poll as soon as its task is there, which is a change if `is_changed` at
/// that minute. Returns the minutes for which tasks were due.
async fn follow(
    bench: &Bench,
    search: &PlannedSearch,
    minutes: std::ops::Range<i64>,
    is_changed: impl Fn(i64) -> bool,
) -> Vec<i64> {
    let mut due = Vec::new();
    for at in minutes {
        bench.tick(std::slice::from_ref(search), minute(at)).await.unwrap();
        for task in bench.delivered() {
            let mut pace = bench.pace(&search.name);
            let polled = Polled { pages: 1, requests: 1, changed: u64::from(is_changed(at)), ..Polled::default() };
            // The queue has a variable delay.
            pace.learn(minute(at).plus_ms(7_000 * (at % 5)), true, &polled);
            bench.polled(&search.name, pace);
            due.push((task.due_at.ms() - minute(0).ms()) / MINUTE_MS);
        }
    }
    due
}

fn gaps(minutes: &[i64]) -> Vec<i64> {
    minutes.windows(2).map(|pair| pair[1] - pair[0]).collect()
}

#[tokio::test]
async fn a_quiet_search_reaches_its_longest_interval_and_an_active_one_returns_within_hours() {
    let (bench, search) = (Bench::new(), adaptive("austin", 15, 360));
    let quiet = follow(&bench, &search, 0..3_000, |_| false).await;
    let distances = gaps(&quiet);
    assert_eq!(distances.last(), Some(&360), "{distances:?}");
    assert!(quiet.len() < 18, "a hundred and ninety-six polls less: {distances:?}");
    let busy = follow(&bench, &search, 3_000..4_400, |_| true).await;
    let distances = gaps(&busy);
    assert_eq!(distances[..4], [180, 90, 45, 30], "{distances:?}");
    assert!(distances[4..].iter().all(|gap| *gap == 15), "{distances:?}");
    let slots: std::collections::BTreeSet<i64> = quiet[1..].iter().chain(&busy).map(|at| at % 15).collect();
    assert_eq!(slots.len(), 1, "all of them are slots of its own: {slots:?}");
}

#[tokio::test]
async fn an_account_of_fifty_requests_a_month_slows_its_searches_and_says_why() {
    let bench = Bench::new();
    let mut search = search("austin", 60);
    search.cadence.limits = vec![Limit::per_second(20), Limit::per_month(50)];
    let due = follow(&bench, &search, 0..31 * 24 * 60, |_| true).await;
    assert!((48..=50).contains(&due.len()), "{}", due.len());
    assert!(gaps(&due)[1..].iter().all(|gap| *gap == 15 * 60), "the next whole slots: {:?}", gaps(&due));
    let planned = bench.tick(&[search], minute(31 * 24 * 60)).await.unwrap();
    let [(name, why)] = &planned.slowed_by[..] else { panic!("{planned:?}") };
    assert_eq!((name.as_str(), why.to_string()), ("austin", "50 requests in 31 days, at 1 request a poll".to_owned()));
}

/// One tick: the time since the one before, its delay, and the queue's answer.
#[derive(Clone, Debug)]
struct Tick {
    after_ms: i64,
    late_ms: i64,
    fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Well,
    Halved,
    Refused,
    Failed,
}

fn ticks() -> impl Strategy<Value = Vec<Tick>> {
    // Mostly a minute apart and on time; sometimes hours apart, minutes late, at odd milliseconds.
    let after = prop_oneof![6 => Just(MINUTE_MS), 2 => 1..3 * MINUTE_MS, 1 => MINUTE_MS..40 * 60 * MINUTE_MS];
    let late = prop_oneof![6 => Just(0), 2 => 0..MINUTE_MS, 1 => 0..15 * MINUTE_MS];
    let fate =
        prop_oneof![8 => Just(Fate::Well), 1 => Just(Fate::Halved), 1 => Just(Fate::Refused), 1 => Just(Fate::Failed)];
    let tick = (after, late, fate).prop_map(|(after_ms, late_ms, fate)| Tick { after_ms, late_ms, fate });
    prop::collection::vec(tick, 1..250)
}

fn cadences() -> impl Strategy<Value = Vec<u64>> {
    let usual = prop::sample::select(vec![60_000, 300_000, 900_000, 3_600_000, 5_400_000, 21_600_000, 86_400_000]);
    prop::collection::vec(prop_oneof![usual, 1_000..200_000_000_u64], 1..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_search_is_sent_more_often_than_its_interval_and_none_starves(cadences in cadences(), ticks in ticks()) {
        let searches: Vec<PlannedSearch> =
            cadences.iter().enumerate().map(|(i, every_ms)| PlannedSearch { name: format!("s{i}"), cadence: Cadence::steady(*every_ms) }).collect();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bench = Bench::new();
        let mut last: BTreeMap<String, Time> = BTreeMap::new();
        for tick in ticks {
            let clock = bench.clock.now().plus_ms(tick.after_ms);
            bench.clock.now_ms.store(clock.ms(), Ordering::SeqCst);
            let scheduled = clock.plus_ms(-tick.late_ms);
            let now = if tick.late_ms > 5 * MINUTE_MS { clock } else { scheduled };
            let line = &bench.line;
            line.sends_to_halve.store(usize::from(tick.fate == Fate::Halved), Ordering::SeqCst);
            line.sends_to_refuse.store(if tick.fate == Fate::Refused { usize::MAX } else { 0 }, Ordering::SeqCst);
            line.sends_to_fail.store(usize::from(tick.fate == Fate::Failed), Ordering::SeqCst);
            let outcome = runtime.block_on(bench.tick_of(&searches, scheduled));
            for task in bench.delivered() {
                let every_ms = searches.iter().find(|search| search.name == task.search).unwrap().cadence.every_ms as i64;
                prop_assert!(task.due_at <= now && now.ms() - task.due_at.ms() < every_ms, "the slot that it is in");
                if let Some(before) = last.insert(task.search.clone(), task.due_at) {
                    prop_assert!(task.due_at.ms() - before.ms() >= every_ms, "{} after {before}", task.due_at);
                }
            }
            let Ok(planned) = outcome else { continue };
            prop_assert_eq!(planned.sent.len() + planned.refused.len() + planned.waiting, searches.len());
            if planned.refused.is_empty() {
                for search in &searches {
                    let every_ms = search.cadence.every_ms as i64;
                    let waited_ms = now.ms() - last[&search.name].ms();
                    prop_assert!(waited_ms < every_ms + every_ms.min(60 * MINUTE_MS), "{search:?} starves");
                }
            }
            for (name, at) in bench.recorded() {
                prop_assert_eq!(last.get(&name), Some(&at), "recorded tasks were sent");
            }
        }
    }

    #[test]
    fn a_changing_pace_moves_no_slots_and_keeps_its_bounds(
        every_minutes in 1..90_i64, times in 1..30_i64, ticks in ticks(), changes in prop::collection::vec(any::<bool>(), 250),
    ) {
        let search = adaptive("austin", every_minutes as u64, (every_minutes * times) as u64);
        let (every_ms, max_ms) = (every_minutes * MINUTE_MS, every_minutes * times * MINUTE_MS);
        let unit_ms = if every_ms <= 60 * MINUTE_MS { every_ms } else { MINUTE_MS };
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bench = Bench::new();
        let (mut due, mut pace) = (Vec::<i64>::new(), Pace::default());
        for (tick, is_changed) in ticks.into_iter().zip(changes) {
            let now = bench.clock.now().plus_ms(tick.after_ms);
            let planned = runtime.block_on(bench.tick(std::slice::from_ref(&search), now)).unwrap();
            let distance_ms = search.cadence.distance(Some(&pace)).ms.cast_signed();
            prop_assert!((every_ms..=max_ms).contains(&distance_ms));
            for task in planned.sent {
                if let Some(before) = due.last() {
                    prop_assert!(task.due_at.ms() - before >= distance_ms);
                }
                if due.len() > 1 {
                    prop_assert_eq!((task.due_at.ms() - due[1]).rem_euclid(unit_ms), 0, "a slot of its own");
                }
                due.push(task.due_at.ms());
                pace.learn(now, true, &Polled { pages: 1, requests: 1, changed: u64::from(is_changed), ..Polled::default() });
                bench.polled("austin", pace);
            }
            if let Some(last) = due.last() {
                let waits_ms = distance_ms + every_ms.min(60 * MINUTE_MS);
                prop_assert!(now.ms() - last < waits_ms, "it starves");
            }
        }
    }

    #[test]
    fn ticks_of_every_minute_keep_every_interval_exactly(every_minutes in 1..400_i64, name in "[a-z]{1,12}", second in 0..60_000_i64) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let bench = Bench::new();
        let searches = [search(&name, every_minutes as u64)];
        let mut sent = Vec::new();
        for tick in 0..every_minutes * 5 + 60 {
            let planned = runtime.block_on(bench.tick(&searches, minute(tick).plus_ms(second))).unwrap();
            if !planned.sent.is_empty() {
                sent.push(tick);
            }
        }
        let gaps: Vec<i64> = sent.windows(2).map(|pair| pair[1] - pair[0]).collect();
        prop_assert!(gaps.len() >= 4 && (every_minutes..=every_minutes + every_minutes.min(60)).contains(&gaps[0]), "{gaps:?}");
        prop_assert!(gaps[1..].iter().all(|gap| *gap == every_minutes), "{gaps:?}");
    }
}
