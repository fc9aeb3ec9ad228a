//! What a source tells of earlier prices.

use std::collections::BTreeSet;

use proptest::prelude::*;
use stoop_domain::{
    Address, Applied, Currency, EventKind, Home, Listing, Minor, Observation, PriceChange, Purpose, ReportedChange,
    Sighting, Status, Time,
};

use EventKind::{PriceCut, ReportedCut, ReportedRise};

use crate::support::{DAY, HOUR, START};

/// One thing that was said of a home in Lisbon: on a day, at a price, with a change of the price that is told.
#[derive(Clone, Debug)]
struct Said {
    hour: i64,
    status: Status,
    price: Option<i64>,
    reported: Option<(i64, i64)>,
}

fn hour(hour: i64) -> Time {
    Time::from_ms(START + hour * HOUR)
}

fn said(hour: i64, price: i64, reported: Option<(i64, i64)>) -> Said {
    Said { hour, status: Status::Active, price: Some(price), reported }
}

/// Prices are given in tens of thousands of euros.
fn price(price: i64) -> Minor {
    Minor(price * 1_000_000)
}

fn observation(said: &Said) -> Observation {
    let address = Address { neighbourhood: Some("Alfama".into()), country: Some("PT".into()), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::EUR, address);
    listing.status = said.status;
    listing.list_price = said.price.map(price);
    listing.previous_list_price = said.reported.map(|(_, from)| price(from));
    listing.price_changed_at = said.reported.map(|(at, _)| hour(at));
    Observation::new("t", "1", hour(said.hour), listing)
}

fn home(all: &[Said]) -> Home {
    let mut home = Home::default();
    for said in all {
        home.apply(&observation(said));
    }
    home
}

/// Kind, hour and prices of what happened to the price.
fn changes(all: &[Said]) -> Vec<(EventKind, i64, i64, i64)> {
    let events = home(all).events().into_iter();
    let changes = events.filter_map(|event| {
        let PriceChange { from, to } = event.change?;
        Some((event.kind, (event.at.ms() - START) / HOUR, from.0 / 1_000_000, to.0 / 1_000_000))
    });
    changes.collect()
}

#[test]
fn a_change_that_nobody_saw_is_reported_at_its_time() {
    assert_eq!(changes(&[said(100, 48, Some((-2_000, 50)))]), [(ReportedCut, -2_000, 50, 48)]);
    assert_eq!(changes(&[said(100, 48, Some((40, 45)))]), [(ReportedRise, 40, 45, 48)]);
    let events = home(&[said(100, 48, Some((-2_000, 50)))]).events();
    assert_eq!(events.iter().map(|event| event.kind).collect::<Vec<_>>(), [ReportedCut, EventKind::New]);
    assert_eq!((ReportedCut.as_str(), ReportedRise.as_str()), ("reported_cut", "reported_rise"));
}

#[test]
fn a_change_that_was_seen_is_not_reported_again() {
    let cut = |reported| changes(&[said(0, 50, None), said(240, 48, reported)]);
    assert_eq!(cut(None), [(PriceCut, 240, 50, 48)]);
    // Between the two sightings, on the day before and after, and from the same price at any time.
    for reported in [(200, 50), (-24, 49), (240, 49), (-2_000, 50)] {
        assert_eq!(cut(Some(reported)), [(PriceCut, 240, 50, 48)], "{reported:?}");
    }
    assert_eq!(cut(Some((-25, 49))), [(ReportedCut, -25, 49, 48), (PriceCut, 240, 50, 48)], "another one, long before");
    // A change to another price is another change.
    let between = [said(0, 50, None), said(100, 49, Some((50, 60))), said(240, 48, Some((200, 47)))];
    assert_eq!(changes(&between), [(PriceCut, 100, 50, 49), (PriceCut, 240, 49, 48)]);
    let meanwhile = [said(0, 50, None), said(240, 48, Some((230, 50))), said(480, 48, Some((300, 46)))];
    assert_eq!(changes(&meanwhile), [(PriceCut, 240, 50, 48), (ReportedRise, 300, 46, 48)]);
    // A day after the first sighting at the price is about its time; the hour after that is not.
    let later = |at| changes(&[said(0, 50, None), said(240, 48, None), said(480, 48, Some((at, 49)))]);
    assert_eq!((later(264).len(), later(265).len()), (1, 2));
}

/// The old price was last seen before the home was off: what counts is when it was last asked.
#[test]
fn a_change_while_a_home_was_off_is_seen_where_it_comes_back() {
    let off = Said { hour: 100, status: Status::Hold, price: None, reported: None };
    let back = said(480, 48, Some((90, 49)));
    assert_eq!(changes(&[said(0, 50, None), off, back]), [(PriceCut, 480, 50, 48)]);
}

/// A source that stamps the same change anew each night tells of one.
#[test]
fn a_change_that_is_reported_again_under_another_time_is_one() {
    let each_night = |night: i64| said(night * 24, 48, Some((night * 24 - 5, 50)));
    assert_eq!(changes(&[each_night(1), each_night(2), each_night(3)]), [(ReportedCut, 19, 50, 48)]);
    let to_and_fro =
        [said(1_000, 48, Some((100, 50))), said(1_001, 50, Some((200, 48))), said(1_002, 48, Some((300, 50)))];
    let reported: Vec<_> =
        changes(&to_and_fro).into_iter().filter(|change| [ReportedCut, ReportedRise].contains(&change.0)).collect();
    assert_eq!(reported, [], "both were seen");
}

/// The seen change comes from a file that is read later: then it is not told any more.
#[test]
fn what_is_seen_late_takes_the_place_of_what_was_reported() {
    let (new, late) = (said(240, 48, Some((100, 50))), said(0, 50, None));
    assert_eq!(changes(std::slice::from_ref(&new)), [(ReportedCut, 100, 50, 48)]);
    assert_eq!(changes(&[new, late]), [(PriceCut, 240, 50, 48)]);
}

#[test]
fn what_cannot_be_is_not_taken_up() {
    let reported = |change: fn(&mut Observation)| {
        let mut seen = observation(&said(100, 48, Some((0, 50))));
        change(&mut seen);
        ReportedChange::of(&seen).is_some()
    };
    assert!(reported(|_| ()));
    assert!(!reported(|seen| seen.listing.list_price = None));
    assert!(!reported(|seen| seen.listing.previous_list_price = None));
    assert!(!reported(|seen| seen.listing.price_changed_at = None));
    assert!(!reported(|seen| seen.listing.previous_list_price = seen.listing.list_price));
    assert!(!reported(|seen| seen.listing.previous_list_price = Some(Minor(9_999))), "a placeholder");
    assert!(!reported(|seen| seen.listing.previous_list_price = Some(Minor(i64::MAX))));
    assert!(reported(|seen| seen.listing.price_changed_at = Some(seen.seen)));
    assert!(!reported(|seen| seen.listing.price_changed_at = Some(seen.seen.plus_ms(1))), "of the future");
    assert!(reported(|seen| seen.listing.price_changed_at = Time::parse("1990-01-01T00:00:00Z").ok()));
    assert!(!reported(|seen| seen.listing.price_changed_at = Time::parse("1989-12-31T23:59:59Z").ok()));
}

#[test]
fn it_is_reported_of_the_terms_and_the_place_that_had_the_price() {
    let mut let_out = observation(&said(100, 1, None));
    let_out.listing.purpose = Purpose::Rent;
    let offered = observation(&said(200, 48, Some((50, 50))));
    let mut home = Home::default();
    home.apply(&let_out);
    home.apply(&offered);
    let reported = home.events().into_iter().find(|event| event.kind == ReportedCut).unwrap();
    assert_eq!(reported.market.purpose, Purpose::Sale, "though it was seen to let before");
}

#[test]
fn an_overfull_home_is_reported_nothing_of() {
    let mut home = home(&[said(0, 48, Some((-100, 50)))]);
    for minute in 0..70 {
        home.apply(&Observation {
            seen: hour(0).plus_ms(minute),
            ..observation(&said(0, 48 + minute, Some((-100, 20))))
        });
    }
    assert!(home.history.is_overfull());
    assert_eq!((home.reported.as_slice().len(), home.events().len()), (0, 0));
}

#[test]
fn an_observation_that_only_tells_more_is_kept() {
    let mut home = home(&[said(100, 48, None)]);
    let more = observation(&said(100, 48, Some((0, 50))));
    assert_eq!(home.apply(&more), Applied::Unchanged);
    assert_eq!(home.apply(&more), Applied::Duplicate);
}

fn any_said() -> impl Strategy<Value = Said> {
    let status = prop::sample::select(vec![Status::Active, Status::Active, Status::Pending, Status::Gone]);
    let reported =
        prop::option::weighted(0.7, (prop::sample::select(vec![-3_000_i64, -30, -24, 0, 10, 24, 50]), 40_i64..44));
    (
        prop::sample::select(vec![0_i64, 1, 24, 25, 49, 72, 480]),
        status,
        prop::option::weighted(0.9, 40_i64..44),
        reported,
    )
        .prop_map(|(hour, status, price, reported)| Said {
            hour,
            status,
            price,
            reported: reported.map(|(before, from)| (hour - before, from)),
        })
}

/// By the definition in METRICS.md, from the intervals alone.
fn by_definition(home: &Home, all: &[Said]) -> Vec<(Time, PriceChange)> {
    let reported: BTreeSet<(i64, i64, i64)> = all
        .iter()
        .filter_map(|said| {
            let ((at, from), to) = (said.reported?, said.price?);
            (from != to && at <= said.hour).then_some((at, from, to))
        })
        .collect();
    let reported: Vec<_> = reported.into_iter().collect();
    let steps = home.history.steps();
    let mut kept = Vec::new();
    for (address, &(at, from, to)) in reported.iter().enumerate() {
        let mut is_left_out = address > 0 && (reported[address - 1].1, reported[address - 1].2) == (from, to);
        let mut last_at: std::collections::BTreeMap<Minor, Time> = std::collections::BTreeMap::new();
        for step in &steps {
            if let Some(change) = step.change.filter(|change| change.to == price(to)) {
                let after = last_at[&change.from].ms() - DAY;
                let by = step.interval.sighting.seen.ms() + DAY;
                is_left_out |= change.from == price(from) || (after <= hour(at).ms() && hour(at).ms() <= by);
            }
            last_at.extend(step.interval.facts.list_price.map(|price| (price, step.interval.last)));
        }
        if !is_left_out {
            kept.push((hour(at), PriceChange { from: price(from), to: price(to) }));
        }
    }
    kept
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_matters(
        (all, shuffled) in prop::collection::vec(any_said(), 1..12)
            .prop_flat_map(|all| (Just(all.clone()), Just([all.clone(), all].concat()).prop_shuffle())),
    ) {
        prop_assert_eq!(home(&all), home(&shuffled));
        prop_assert_eq!(home(&all).events(), home(&shuffled).events());
    }

    #[test]
    fn events_are_those_that_were_seen_and_those_that_only_were_reported(all in prop::collection::vec(any_said(), 1..12)) {
        let home = home(&all);
        let events = home.events();
        prop_assert!(events.is_sorted_by_key(|event| event.at));
        let (reported, seen): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| matches!(event.kind, ReportedCut | ReportedRise));
        prop_assert_eq!(seen, home.history.events(), "what was seen stays as it was");
        for event in &reported {
            let PriceChange { from, to } = event.change.unwrap();
            prop_assert_eq!(event.kind == ReportedCut, to < from);
        }
        let reported: Vec<_> = reported.into_iter().map(|event| (event.at, event.change.unwrap())).collect();
        prop_assert_eq!(reported, by_definition(&home, &all));
    }

    /// The newest 64 of all, also where more come in any order and only what changed a home is read again.
    #[test]
    fn the_newest_are_kept(
        hours in prop::collection::vec(-500_i64..0, 60..150).prop_shuffle(),
    ) {
        let all: Vec<Said> = hours.iter().map(|at| said(0, 48, Some((*at, 40 + at.rem_euclid(7))))).collect();
        let (mut kept, mut whole) = (Home::default(), Home::default());
        for said in &all {
            let seen = observation(said);
            let applied = whole.apply(&seen);
            if applied != Applied::Duplicate {
                kept.apply(&seen);
            }
        }
        let newest: BTreeSet<i64> = hours.into_iter().collect::<BTreeSet<_>>().into_iter().rev().take(64).collect();
        let reported: BTreeSet<i64> = whole.reported.as_slice().iter().map(|reported| (reported.at.ms() - START) / HOUR).collect();
        prop_assert_eq!(reported, newest);
        prop_assert_eq!(kept, whole);
    }
}

/// Two sightings of one moment need no order among what they tell.
#[test]
fn rows_of_one_moment_may_tell_differently() {
    let (a, b) = (said(0, 48, Some((-50, 50))), said(0, 48, Some((-40, 52))));
    let mut later = observation(&b);
    later = later.clone().with_sighting(Sighting { seq: 1, ..later.sighting() });
    let mut one = home(std::slice::from_ref(&a));
    one.apply(&later);
    let mut other = Home::default();
    other.apply(&later);
    other.apply(&observation(&a));
    assert_eq!(one, other);
    assert_eq!(one.events().iter().filter(|event| event.kind == ReportedCut).count(), 2);
}
