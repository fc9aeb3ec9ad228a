//! When an interval and a spell begin, depending on the source's clock.

use stoop_domain::{History, Sighting, Status, Time, Watch};

use crate::support::{MadeObservation, facts, history, time};

fn dear() -> stoop_domain::Facts {
    facts(Status::Active, 500)
}

fn cheap() -> stoop_domain::Facts {
    facts(Status::Active, 400)
}

/// A sighting at `seen`, in this state since `at`.
fn since(at: &str, seen: &str) -> Sighting {
    let seen = time(seen);
    Sighting { at: time(at).min(seen), seen, ..Sighting::default() }
}

fn version(at: &str, seen: &str) -> Sighting {
    Sighting { versioned: true, ..since(at, seen) }
}

/// When the cheap interval began, which follows the dear one. Checks that the order of arrival does not matter.
fn cheap_since(before: Sighting, after: Sighting) -> String {
    let said = [(before, dear()), (after, cheap())];
    let said = said.map(|(sighting, facts)| MadeObservation { sighting, facts, listed: None, watch: Watch::Once });
    let [one, other] = [history(&said), history(&[said[1].clone(), said[0].clone()])];
    assert_eq!(one, other);
    let intervals = one.intervals();
    assert_eq!(intervals.len(), 2);
    assert_eq!(*intervals[1].facts, cheap(), "the later one is the cheap one");
    intervals[1].first.to_string()
}

const AT: &str = "2026-01-10T08:00:00Z";

#[test]
fn a_time_between_two_sightings_counts() {
    let (before, after) = (since(AT, "2026-01-10T09:00:00Z"), since("2026-01-10T09:40:00Z", "2026-01-10T10:00:00Z"));
    assert_eq!(cheap_since(before, after), "2026-01-10T09:40:00Z");
}

#[test]
fn with_a_clock_ahead_the_sighting_counts() {
    let before = since("2026-01-10T09:10:00Z", "2026-01-10T09:00:00Z");
    let after = since("2026-01-10T10:10:00Z", "2026-01-10T10:00:00Z");
    assert_eq!(cheap_since(before, after), "2026-01-10T10:00:00Z");
}

#[test]
fn with_a_clock_that_stands_still_the_sightings_count() {
    let (before, after) = (since(AT, "2026-01-10T09:00:00Z"), since(AT, "2026-01-10T10:00:00Z"));
    assert_eq!(cheap_since(before, after), "2026-01-10T10:00:00Z");
}

#[test]
fn with_dates_only_sightings_count_within_a_day_and_the_date_on_the_next() {
    let of_day = |day: &str, seen: &str| since(&format!("{day}T00:00:00Z"), seen);
    let before = of_day("2026-01-10", "2026-01-10T09:00:00Z");
    assert_eq!(cheap_since(before, of_day("2026-01-10", "2026-01-10T15:00:00Z")), "2026-01-10T15:00:00Z");
    assert_eq!(cheap_since(before, of_day("2026-01-11", "2026-01-11T09:00:00Z")), "2026-01-11T00:00:00Z");
}

#[test]
fn with_a_clock_that_goes_back_the_sightings_count() {
    let before = since("2026-01-10T08:50:00Z", "2026-01-10T09:00:00Z");
    let after = since("2026-01-10T07:00:00Z", "2026-01-10T10:00:00Z");
    assert_eq!(cheap_since(before, after), "2026-01-10T10:00:00Z");
}

#[test]
fn rows_of_one_file_begin_at_their_own_times() {
    let file = "2026-02-01T00:00:00Z";
    let (before, after) = (since("2026-01-10T00:00:00Z", file), since("2026-01-20T00:00:00Z", file));
    assert_eq!(cheap_since(before, after), "2026-01-20T00:00:00Z");
    // Rows with the same date keep the order of the file, whatever their prices.
    let after = Sighting { seq: 1, ..before };
    assert_eq!(cheap_since(before, after), "2026-01-10T00:00:00Z");
}

#[test]
fn versions_order_regardless_of_sightings() {
    let before = version(AT, "2026-01-10T12:00:00Z");
    let after = version("2026-01-10T08:30:00Z", "2026-01-10T09:00:00Z");
    assert_eq!(cheap_since(before, after), "2026-01-10T08:30:00Z");
}

#[test]
fn equal_versions_are_ordered_by_sighting() {
    let (before, after) = (version(AT, "2026-01-10T09:00:00Z"), version(AT, "2026-01-10T10:00:00Z"));
    assert_eq!(cheap_since(before, after), AT);
}

#[test]
fn versioned_and_unversioned_sightings_share_one_order() {
    // A version of 8:00, seen at 9:00, precedes an unversioned sighting at 8:30.
    let (before, after) = (version(AT, "2026-01-10T09:00:00Z"), since(AT, "2026-01-10T08:30:00Z"));
    assert_eq!(cheap_since(before, after), AT);
    let (before, after) = (since(AT, "2026-01-10T08:30:00Z"), version("2026-01-10T08:40:00Z", "2026-01-10T09:00:00Z"));
    assert_eq!(cheap_since(before, after), "2026-01-10T08:40:00Z");
}

#[test]
fn an_initial_listing_begins_with_its_sighting() {
    let sighting = Sighting { initial: true, ..since("2025-06-01T00:00:00Z", "2026-01-10T09:00:00Z") };
    let seen = history(&[MadeObservation { sighting, facts: dear(), listed: None, watch: Watch::Once }]);
    assert_eq!(seen.intervals()[0].first, sighting.seen);
    // A later interval cannot begin before it, even with an earlier version.
    let later = version("2026-01-09T00:00:00Z", "2026-01-10T10:00:00Z");
    let both = [(sighting, dear()), (later, cheap())].map(|(sighting, facts)| MadeObservation {
        sighting,
        facts,
        listed: None,
        watch: Watch::Once,
    });
    let both = history(&both);
    assert!(both.intervals().is_sorted_by_key(|interval| interval.first));
}

#[test]
fn a_price_that_returns_within_a_day_gives_two_changes() {
    let at = |hour: u32| Sighting::at(time(&format!("2026-01-10T{hour:02}:00:00Z")));
    let said = [(1, dear()), (2, cheap()), (3, dear())].map(|(hour, facts)| MadeObservation {
        sighting: at(hour),
        facts,
        listed: None,
        watch: Watch::Once,
    });
    let changes: Vec<_> = history(&said).events().into_iter().filter_map(|event| event.change).collect();
    assert_eq!(changes.len(), 2);
}

#[test]
fn only_the_outermost_changes_within_a_day_count() {
    let at = |hour: u32| Sighting::at(time(&format!("2026-01-10T{hour:02}:00:00Z")));
    let said: Vec<_> = (1..=9)
        .map(|hour| MadeObservation {
            sighting: at(hour),
            facts: if hour % 2 == 1 { dear() } else { cheap() },
            listed: None,
            watch: Watch::Once,
        })
        .collect();
    let history = history(&said);
    let begins: Vec<_> =
        history.intervals().iter().map(|interval| (interval.facts.list_price.unwrap().0, interval.first)).collect();
    assert_eq!(begins, [(500, at(1).at), (400, at(2).at), (500, at(9).at)]);
    // On two days, each change is reported.
    let next = |one: &MadeObservation| MadeObservation {
        sighting: Sighting::at(one.sighting.at.plus_ms(86_400_000)),
        ..one.clone()
    };
    let both: Vec<_> = said.iter().cloned().chain(said.iter().map(next)).collect();
    assert_eq!(crate::support::history(&both).intervals().len(), 5);
}

fn opened(said: &[(&str, Status, Option<&str>)]) -> Vec<Time> {
    let mut history = History::default();
    for (at, status, listed) in said {
        history.apply(Sighting::at(time(at)), &facts(*status, 500), listed.map(time));
    }
    history.steps().iter().map(|step| step.spell.opened_at).collect()
}

#[test]
fn a_listing_date_counts_within_bounds() {
    use Status::Active;
    let seen = "2026-01-10T09:00:00Z";
    let reported = |listed| opened(&[(seen, Active, Some(listed))]);
    assert_eq!(reported("2026-01-02T00:00:00Z"), [time("2026-01-02T00:00:00Z")]);
    assert_eq!(reported("1990-01-01T00:00:00Z"), [time("1990-01-01T00:00:00Z")]);
    assert_eq!(reported("1989-12-31T23:59:59Z"), [time(seen)]);
    assert_eq!(reported(seen), [time(seen)]);
    assert_eq!(reported("2026-01-10T09:00:00.001Z"), [time(seen)]);
}

#[test]
fn the_last_listing_date_within_the_spell_counts() {
    use Status::{Active, Closed, Gone, Pending};
    let said = [
        ("2026-01-10T09:00:00Z", Active, Some("2026-01-02T00:00:00Z")),
        ("2026-01-11T09:00:00Z", Pending, Some("2026-01-05T00:00:00Z")),
        ("2026-01-12T09:00:00Z", Active, None),
    ];
    assert_eq!(opened(&said), [time("2026-01-05T00:00:00Z"); 3]);
    // A date of the spell before does not count, nor does one after this spell began.
    let again = |listed| {
        let said = [
            ("2026-01-10T09:00:00Z", Active, Some("2026-01-02T00:00:00Z")),
            ("2026-01-11T09:00:00Z", Closed, Some("2026-01-02T00:00:00Z")),
            ("2026-03-01T09:00:00Z", Active, Some(listed)),
            ("2026-03-02T09:00:00Z", Gone, None),
        ];
        opened(&said)[2..].to_vec()
    };
    assert_eq!(again("2026-01-02T00:00:00Z"), [time("2026-03-01T09:00:00Z"); 2]);
    assert_eq!(again("2026-01-11T09:00:00Z"), [time("2026-03-01T09:00:00Z"); 2]);
    assert_eq!(again("2026-01-11T09:00:01Z"), [time("2026-01-11T09:00:01Z"); 2]);
    let reset = [
        ("2026-01-10T09:00:00Z", Active, Some("2026-01-02T00:00:00Z")),
        ("2026-01-11T09:00:00Z", Gone, None),
        ("2026-02-20T09:00:00Z", Active, Some("2026-02-19T00:00:00Z")),
    ];
    assert_eq!(opened(&reset), [time("2026-01-10T09:00:00Z"); 3]);
}
