//! A history is a function of the set of its observations.

use proptest::prelude::*;
use stoop_domain::{Applied, DaySightings, Doubt, History, Time, UnconfirmedInterval, Watch};

use crate::model::{intervals, kept, read, would_be_kept};
use crate::support::{MadeObservation, all_said, all_watched, history, said};

proptest! {
    #[test]
    fn intervals_are_those_of_the_definition(said in all_said()) {
        prop_assert_eq!(Some(read(&history(&said))), intervals(&said));
    }

    #[test]
    fn neither_order_nor_repetition_matters(
        (said, shuffled) in all_watched()
            .prop_flat_map(|said| (Just(said.clone()), Just([said.clone(), said].concat()).prop_shuffle())),
    ) {
        let (one, other) = (history(&said), history(&shuffled));
        prop_assert_eq!(&one, &other);
        prop_assert_eq!(kept(&one), kept(&other));
    }

    #[test]
    fn apply_returns_the_true_outcome(said in prop_oneof![all_said(), all_watched()]) {
        let mut history = History::default();
        for (index, one) in said.iter().enumerate() {
            let (known, watch) = (kept(&history), history.watch());
            let before = ((read(&history), doubts(&history)), lasting(&history));
            let applied = history.apply_watched(one.sighting, &one.facts, one.listed, one.watch);
            let after = ((read(&history), doubts(&history)), lasting(&history));
            let expected = match () {
                () if index == 0 => Applied::New,
                () if after.0 != before.0 => Applied::Changed,
                () if after.1 != before.1 => Applied::Confirmed,
                () if kept(&history) != known => Applied::Unchanged,
                () => Applied::Duplicate,
            };
            prop_assert_eq!(applied, expected, "the {}th of {:?}", index, said);
            let is_kept = would_be_kept(&said[..index], one) || history.watch() != watch;
            prop_assert_eq!(applied != Applied::Duplicate, is_kept);
        }
    }

    #[test]
    fn intervals_are_in_order(said in all_said()) {
        let history = history(&said);
        let intervals = history.intervals();
        prop_assert!(intervals.is_sorted_by(|a, b| a.first <= a.last && a.last <= b.first && a.facts != b.facts));
        prop_assert!(intervals.last().is_none_or(|interval| interval.first <= interval.last));
        prop_assert_eq!(history.current(), intervals.last().map(|interval| interval.facts));
        let latest = said.iter().map(|one| one.sighting.seen).max();
        prop_assert!(intervals.iter().map(|interval| interval.last).max() <= latest);
        let steps = history.steps();
        prop_assert_eq!(steps.len(), intervals.len());
        prop_assert!(steps.iter().all(|step| step.spell.opened_at <= step.interval.first));
    }

    #[test]
    fn stored_histories_round_trip(said in all_watched()) {
        let history = history(&said);
        let parts = (history.facts().to_vec(), history.spans().to_vec());
        prop_assert_eq!(History::from_parts(parts.0, parts.1, history.watch()), Some(history));
    }

    /// Altered parts are accepted exactly if the observations that they describe produce them.
    #[test]
    fn only_possible_parts_are_accepted(
        said in prop::collection::vec(said(), 1..10),
        other in said(),
        (what, which, with) in (0..14, any::<prop::sample::Index>(), any::<prop::sample::Index>()),
    ) {
        let history = history(&said);
        let (mut facts, mut spans) = (history.facts().to_vec(), history.spans().to_vec());
        let (index, second) = (which.index(spans.len()), with.index(spans.len()));
        let date = other.listed.unwrap_or_default();
        match what {
            0 => spans.swap(index, second),
            1 => spans[index].first = other.sighting,
            2 => spans[index].last = other.sighting,
            3 => spans[index].listed = Some((other.sighting, date)),
            4 => spans[index].listed = Some((spans[index].first, date)),
            5 => spans[index].listed = Some((spans[index].last, date)),
            6 => spans[index].listed = None,
            7 => spans[index].facts = spans[second].facts,
            8 => drop(spans.remove(index)),
            9 => spans.insert(index, spans[second]),
            10 => facts.push(other.facts),
            11 => facts.swap(0, spans[index].facts.into()),
            12 => facts[usize::from(spans[index].facts)] = other.facts,
            _ => spans[index].last = spans[index].first,
        }
        let reported = replayed(&facts, &spans);
        let expected = reported.filter(|reported| reported.facts() == facts && reported.spans() == spans);
        prop_assert_eq!(History::from_parts(facts, spans, Watch::Once), expected);
    }
}

/// For each interval, when it expires and when it was unconfirmed.
fn lasting(history: &History) -> Vec<(Option<Time>, Vec<UnconfirmedInterval>)> {
    history.intervals().into_iter().map(|interval| (interval.expires, interval.unconfirmed)).collect()
}

fn doubts(history: &History) -> Vec<Option<Doubt>> {
    history.steps().iter().map(|step| step.doubtful).collect()
}

/// The history that the ends of these spans produce.
fn replayed(facts: &[stoop_domain::Facts], spans: &[DaySightings]) -> Option<History> {
    let mut said = Vec::new();
    for span in spans {
        let facts = facts.get(usize::from(span.facts))?.clone();
        for sighting in [span.first, span.last] {
            said.push(MadeObservation { sighting, facts: facts.clone(), listed: None, watch: Watch::Once });
        }
        if let Some((sighting, time)) = span.listed {
            said.push(MadeObservation { sighting, facts, listed: Some(time), watch: Watch::Once });
        }
    }
    Some(history(&said))
}
