//! The effect of an account's concurrency on the polls in the queue: a new account has ten executions for all
//! functions.

mod mapping;

use mapping::{Mapping, Settings, Throttled};

use crate::template::document::Template;
use stoop_dice::Dice;

/// "Lambda quotas" (Lambda Developer Guide): new accounts have reduced concurrency; in practice ten.
const EXECUTIONS: usize = 10;
const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// The template's settings, with polls of a minute.
fn settings(throttled: Throttled) -> Settings {
    let template = Template::load();
    let resources = &template.0["Resources"];
    let queue = &resources["PollQueue"]["Properties"];
    assert_eq!(
        resources["PollerMapping"]["Properties"]["ScalingConfig"]["MaximumConcurrency"]["Ref"],
        "PollConcurrency"
    );
    let concurrency = template.0["Parameters"]["PollConcurrency"]["Default"].as_u64().unwrap();
    Settings {
        visibility_s: queue["VisibilityTimeout"].as_u64().unwrap(),
        receives_max: u32::try_from(queue["RedrivePolicy"]["maxReceiveCount"].as_u64().unwrap()).unwrap(),
        concurrency_max: usize::try_from(concurrency).unwrap(),
        invocation_s: MINUTE,
        throttled,
    }
}

/// Searches that are sent every ten minutes, unless one is waiting already: stale tasks are dropped.
fn run(settings: Settings, searches: usize, seconds: u64, mut left_for_polls: impl FnMut(u64) -> usize) -> Mapping {
    let mut mapping = Mapping::new(settings);
    for now in 0..seconds {
        if now % (10 * MINUTE) == 0 {
            for search in 0..searches {
                if mapping.of_group(search) < 2 {
                    mapping.send(search);
                }
            }
        }
        mapping.second(left_for_polls(now));
    }
    assert_eq!(mapping.sent, mapping.done + mapping.dead + mapping.waiting(), "no message is lost");
    mapping
}

/// The executions that the other functions leave: metrics and alerts take one each, the planner and, for longer, the
/// roll-up one at the beginning of a minute, and the API, which anybody may call, up to two, or all that are left for
/// `busy_permille` of the seconds.
fn shared(dice: &mut Dice, busy_permille: u64, now: u64) -> usize {
    let (planner, rollup) = (usize::from(now % MINUTE < 2), usize::from(now % MINUTE < 15));
    if dice.chance(busy_permille) { 0 } else { EXECUTIONS - 2 - planner - rollup - dice.below(3) }
}

#[test]
fn ten_executions_are_enough_for_a_day_of_polls_with_a_busy_api() {
    for (busy_permille, polls_min) in [(0, 2_800), (200, 2_800), (800, 1_000)] {
        let mut dice = Dice::new(busy_permille);
        let day = run(settings(Throttled::Retried), 20, 24 * HOUR, |now| shared(&mut dice, busy_permille, now));
        assert_eq!(day.dead, 0, "{busy_permille}");
        assert!(day.done >= polls_min, "{busy_permille}: {} polls", day.done);
        assert!(day.running_max <= settings(Throttled::Retried).concurrency_max);
        // With the API idle, one poll in ten waits for a second or two: when planner and roll-up start together.
        let (throttles, one_in_five) = (day.throttles, day.done / 5);
        assert_eq!(throttles > one_in_five, busy_permille > 0, "{busy_permille}: {throttles}, {one_in_five}");
    }
}

#[test]
fn an_hour_without_any_execution_gives_up_no_poll() {
    let settings = settings(Throttled::Retried);
    // It is received again when its visibility ends; the last receive is an hour after the first.
    let patience = settings.visibility_s * u64::from(settings.receives_max);
    assert!(patience >= HOUR, "{patience}");
    let outage = run(settings, 20, 6 * HOUR, |now| if now < HOUR { 0 } else { EXECUTIONS });
    assert_eq!(outage.dead, 0);
    assert!(outage.throttles > 0);
}

#[test]
fn longer_outages_give_up_at_most_the_concurrent_polls_and_the_others_wait() {
    let settings = settings(Throttled::Retried);
    let patience = settings.visibility_s * u64::from(settings.receives_max);
    let outage = patience + 10 * MINUTE;
    let after = run(settings, 20, outage + HOUR, |now| if now < outage { 0 } else { EXECUTIONS });
    assert!((1..=settings.concurrency_max as u64).contains(&after.dead), "{} of {}", after.dead, after.sent);
    let searches: Vec<usize> = (0..20).map(|search| after.of_group(search)).collect();
    assert!(searches.iter().all(|waiting| *waiting <= 1), "every search is polled again within the hour: {searches:?}");
}

/// Why the mapping has `MaximumConcurrency` and the function no reservation, and why the redrive policy depends on
/// Lambda's own retries.
#[test]
fn without_lambdas_retries_polls_would_be_given_up_on_any_busy_day() {
    let mut dice = Dice::new(7);
    let day = run(settings(Throttled::NotRetried), 20, 24 * HOUR, |now| shared(&mut dice, 300, now));
    assert!(day.dead > 20, "{} of {}", day.dead, day.sent);
}

#[test]
fn messages_of_a_group_are_sequential() {
    let mut mapping = Mapping::new(settings(Throttled::Retried));
    for group in [0, 0, 1] {
        mapping.send(group);
    }
    mapping.second(EXECUTIONS);
    assert_eq!(mapping.running_max, 2, "the second of a group waits for the first");
    (0..3 * MINUTE).for_each(|_| mapping.second(EXECUTIONS));
    assert_eq!((mapping.done, mapping.dead, mapping.running_max), (3, 0, 2));
}
