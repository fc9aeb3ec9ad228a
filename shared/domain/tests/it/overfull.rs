//! Overfull listings.

use proptest::prelude::*;
use stoop_domain::{Applied, FACTS_MAX, FACTS_PER_DAY_MAX, History, Sighting, Status, Time, Watch};

use crate::support::{DAY, MINUTE, MadeObservation, START, facts, history, said};

/// `count` observations with a different price each, `a_day` of them per day.
fn prices(count: usize, a_day: usize) -> Vec<MadeObservation> {
    let one = |number: usize| {
        let (day, minute) = (number / a_day, number % a_day);
        let at = Time::from_ms(START + day as i64 * DAY + minute as i64 * MINUTE);
        MadeObservation {
            sighting: Sighting::at(at),
            facts: facts(Status::Active, 1 + number as i64),
            listed: None,
            watch: Watch::Once,
        }
    };
    (0..count).map(one).collect()
}

#[test]
fn sixty_four_prices_a_day_are_kept_and_one_more_is_too_many() {
    let said = prices(FACTS_PER_DAY_MAX + 1, 100);
    let (last, most) = said.split_last().unwrap();
    let mut history = history(most);
    assert_eq!(history.intervals().len(), 64);
    assert_eq!(history.apply(last.sighting, &last.facts, None), Applied::Overfull);
    assert!(history.is_overfull());
    assert_eq!((history.intervals().len(), history.events().len(), history.current()), (0, 0, None));
    assert_eq!(history.apply(last.sighting, &last.facts, None), Applied::Refused);
    assert_eq!(history, History::overfull());
}

#[test]
fn equal_facts_on_many_days_count_once() {
    let mut said = prices(FACTS_PER_DAY_MAX, 64);
    for day in 1..100 {
        let later = |one: &MadeObservation| MadeObservation {
            sighting: Sighting::at(one.sighting.at.plus_ms(day * DAY)),
            ..one.clone()
        };
        let later: Vec<MadeObservation> = said[..64].iter().map(later).collect();
        said.extend(later);
    }
    let history = history(&said);
    assert_eq!((history.facts().len(), history.is_overfull()), (64, false));
}

#[test]
fn four_thousand_and_ninety_six_prices_are_kept_and_one_more_is_too_many() {
    let mut said = prices(FACTS_MAX + 1, 50);
    let forward = history(&said);
    said.reverse();
    assert!(forward.is_overfull());
    assert_eq!(history(&said), forward);
    said.remove(2_000);
    let most = history(&said);
    assert_eq!((most.facts().len(), most.intervals().len()), (FACTS_MAX, FACTS_MAX));
    let parts = (most.facts().to_vec(), most.spans().to_vec());
    assert_eq!(History::from_parts(parts.0, parts.1, Watch::Once), Some(most));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn overfull_in_any_order(
        said in Just(prices(FACTS_PER_DAY_MAX + 1, 100)).prop_shuffle(),
        others in prop::collection::vec(said(), 0..10),
        at in any::<prop::sample::Index>(),
    ) {
        let mut all = said;
        let at = at.index(all.len());
        all.splice(at..at, others);
        prop_assert_eq!(history(&all), History::overfull());
    }
}
