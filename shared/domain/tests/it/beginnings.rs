//! When a interval begins, and since when a home is listed: what a source's clock is believed.

use stoop_domain::{History, Sighting, Status, Time, Watch};

use crate::support::{Said, facts, history, time};

fn dear() -> stoop_domain::Facts {
    facts(Status::Active, 500)
}

fn cheap() -> stoop_domain::Facts {
    facts(Status::Active, 400)
}

/// Seen at the second time, so since the first.
fn since(at: &str, seen: &str) -> Sighting {
    let seen = time(seen);
    Sighting { at: time(at).min(seen), seen, ..Sighting::default() }
}

fn version(at: &str, seen: &str) -> Sighting {
    Sighting { versioned: true, ..since(at, seen) }
}

/// When the last of these intervals began, whichever comes first: the dear one and then the cheap one.
fn cheap_since(before: Sighting, after: Sighting) -> String {
    let said = [(before, dear()), (after, cheap())];
    let said = said.map(|(sighting, facts)| Said { sighting, facts, listed: None, watch: Watch::Once });
    let [one, other] = [history(&said), history(&[said[1].clone(), said[0].clone()])];
    assert_eq!(one, other);
    let intervals = one.intervals();
    assert_eq!(intervals.len(), 2);
    assert_eq!(*intervals[1].facts, cheap(), "the later one is the cheap one");
    intervals[1].first.to_string()
}

const AT: &str = "2026-01-10T08:00:00Z";

#[test]
fn a_time_between_two_sightings_is_believed() {
    let (before, after) = (since(AT, "2026-01-10T09:00:00Z"), since("2026-01-10T09:40:00Z", "2026-01-10T10:00:00Z"));
    assert_eq!(cheap_since(before, after), "2026-01-10T09:40:00Z");
}

#[test]
fn a_clock_ahead_is_held_to_the_sighting() {
    let before = since("2026-01-10T09:10:00Z", "2026-01-10T09:00:00Z");
    let after = since("2026-01-10T10:10:00Z", "2026-01-10T10:00:00Z");
    assert_eq!(cheap_since(before, after), "2026-01-10T10:00:00Z");
}

#[test]
fn a_clock_that_stands_still_gives_the_sightings() {
    let (before, after) = (since(AT, "2026-01-10T09:00:00Z"), since(AT, "2026-01-10T10:00:00Z"));
    assert_eq!(cheap_since(before, after), "2026-01-10T10:00:00Z");
}

#[test]
fn a_date_alone_gives_the_sightings_within_its_day_and_itself_on_the_next() {
    let of_day = |day: &str, seen: &str| since(&format!("{day}T00:00:00Z"), seen);
    let before = of_day("2026-01-10", "2026-01-10T09:00:00Z");
    assert_eq!(cheap_since(before, of_day("2026-01-10", "2026-01-10T15:00:00Z")), "2026-01-10T15:00:00Z");
    assert_eq!(cheap_since(before, of_day("2026-01-11", "2026-01-11T09:00:00Z")), "2026-01-11T00:00:00Z");
}

#[test]
fn a_clock_that_goes_back_gives_the_sightings() {
    let before = since("2026-01-10T08:50:00Z", "2026-01-10T09:00:00Z");
    let after = since("2026-01-10T07:00:00Z", "2026-01-10T10:00:00Z");
    assert_eq!(cheap_since(before, after), "2026-01-10T10:00:00Z");
}

#[test]
fn rows_of_one_file_begin_at_their_own_times() {
    let file = "2026-02-01T00:00:00Z";
    let (before, after) = (since("2026-01-10T00:00:00Z", file), since("2026-01-20T00:00:00Z", file));
    assert_eq!(cheap_since(before, after), "2026-01-20T00:00:00Z");
    // Rows that tell the same date stand in the order of the file, whatever they ask.
    let after = Sighting { seq: 1, ..before };
    assert_eq!(cheap_since(before, after), "2026-01-10T00:00:00Z");
}

#[test]
fn a_version_decides_whenever_it_was_seen() {
    let before = version(AT, "2026-01-10T12:00:00Z");
    let after = version("2026-01-10T08:30:00Z", "2026-01-10T09:00:00Z");
    assert_eq!(cheap_since(before, after), "2026-01-10T08:30:00Z");
}

#[test]
fn a_version_that_stands_still_is_ordered_by_sightings() {
    let (before, after) = (version(AT, "2026-01-10T09:00:00Z"), version(AT, "2026-01-10T10:00:00Z"));
    assert_eq!(cheap_since(before, after), AT);
}

#[test]
fn versions_and_sightings_are_in_one_order() {
    // A version of eight, seen at nine, is before what was seen at half past eight without a version.
    let (before, after) = (version(AT, "2026-01-10T09:00:00Z"), since(AT, "2026-01-10T08:30:00Z"));
    assert_eq!(cheap_since(before, after), AT);
    let (before, after) = (since(AT, "2026-01-10T08:30:00Z"), version("2026-01-10T08:40:00Z", "2026-01-10T09:00:00Z"));
    assert_eq!(cheap_since(before, after), "2026-01-10T08:40:00Z");
}

#[test]
fn what_was_there_when_a_search_began_begins_with_its_sighting() {
    let sighting = Sighting { initial: true, ..since("2025-06-01T00:00:00Z", "2026-01-10T09:00:00Z") };
    let seen = history(&[Said { sighting, facts: dear(), listed: None, watch: Watch::Once }]);
    assert_eq!(seen.intervals()[0].first, sighting.seen);
    // What follows cannot begin before it, even by its version.
    let later = version("2026-01-09T00:00:00Z", "2026-01-10T10:00:00Z");
    let both = [(sighting, dear()), (later, cheap())].map(|(sighting, facts)| Said {
        sighting,
        facts,
        listed: None,
        watch: Watch::Once,
    });
    let both = history(&both);
    assert!(both.intervals().is_sorted_by_key(|interval| interval.first));
}

#[test]
fn a_price_that_came_back_within_a_day_is_reported() {
    let at = |hour: u32| Sighting::at(time(&format!("2026-01-10T{hour:02}:00:00Z")));
    let said = [(1, dear()), (2, cheap()), (3, dear())].map(|(hour, facts)| Said {
        sighting: at(hour),
        facts,
        listed: None,
        watch: Watch::Once,
    });
    let changes: Vec<_> = history(&said).events().into_iter().filter_map(|event| event.change).collect();
    assert_eq!(changes.len(), 2);
}

#[test]
fn of_more_changes_within_a_day_the_outermost_are_reported() {
    let at = |hour: u32| Sighting::at(time(&format!("2026-01-10T{hour:02}:00:00Z")));
    let said: Vec<_> = (1..=9)
        .map(|hour| Said {
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
    // On two days each is told.
    let next = |one: &Said| Said { sighting: Sighting::at(one.sighting.at.plus_ms(86_400_000)), ..one.clone() };
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
fn a_listing_date_is_believed_within_bounds() {
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
fn the_date_that_was_reported_last_within_the_spell_counts() {
    use Status::{Active, Closed, Gone, Pending};
    let said = [
        ("2026-01-10T09:00:00Z", Active, Some("2026-01-02T00:00:00Z")),
        ("2026-01-11T09:00:00Z", Pending, Some("2026-01-05T00:00:00Z")),
        ("2026-01-12T09:00:00Z", Active, None),
    ];
    assert_eq!(opened(&said), [time("2026-01-05T00:00:00Z"); 3]);
    // One of the spell before does not count, nor one after this one began.
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
