//! Price changes that a source reports.

use std::collections::BTreeSet;

use proptest::prelude::*;
use stoop_domain::{
    Address, Applied, Currency, EventKind, Home, Listing, Minor, Observation, PriceChange, Purpose, ReportedChange,
    Sighting, Status, Time,
};

use EventKind::{PriceCut, ReportedCut, ReportedRise};

use crate::support::{DAY, HOUR, START};

/// One observation of a home in Lisbon: day, price and reported change.
#[derive(Clone, Debug)]
struct ReportedSighting {
    hour: i64,
    status: Status,
    price: Option<i64>,
    reported: Option<(i64, i64)>,
}

fn hour(hour: i64) -> Time {
    Time::from_ms(START + hour * HOUR)
}

fn said(hour: i64, price: i64, reported: Option<(i64, i64)>) -> ReportedSighting {
    ReportedSighting { hour, status: Status::Active, price: Some(price), reported }
}

/// A price in tens of thousands of euros.
fn price(price: i64) -> Minor {
    Minor(price * 1_000_000)
}

fn observation(said: &ReportedSighting) -> Observation {
    let address = Address { neighbourhood: Some("Alfama".into()), country: Some("PT".into()), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::EUR, address);
    listing.status = said.status;
    listing.list_price = said.price.map(price);
    listing.previous_list_price = said.reported.map(|(_, from)| price(from));
    listing.price_changed_at = said.reported.map(|(at, _)| hour(at));
    Observation::new("t", "1", hour(said.hour), listing)
}

fn home(all: &[ReportedSighting]) -> Home {
    let mut home = Home::default();
    for said in all {
        home.apply(&observation(said));
    }
    home
}

/// Kind, hour and prices of each price event.
fn changes(all: &[ReportedSighting]) -> Vec<(EventKind, i64, i64, i64)> {
    let events = home(all).events().into_iter();
    let changes = events.filter_map(|event| {
        let PriceChange { from, to } = event.change?;
        Some((event.kind, (event.at.ms() - START) / HOUR, from.0 / 1_000_000, to.0 / 1_000_000))
    });
    changes.collect()
}

#[test]
fn an_unseen_change_is_reported_at_its_time() {
    assert_eq!(changes(&[said(100, 48, Some((-2_000, 50)))]), [(ReportedCut, -2_000, 50, 48)]);
    assert_eq!(changes(&[said(100, 48, Some((40, 45)))]), [(ReportedRise, 40, 45, 48)]);
    let events = home(&[said(100, 48, Some((-2_000, 50)))]).events();
    assert_eq!(events.iter().map(|event| event.kind).collect::<Vec<_>>(), [ReportedCut, EventKind::New]);
    assert_eq!((ReportedCut.as_str(), ReportedRise.as_str()), ("reported_cut", "reported_rise"));
}

#[test]
fn a_seen_change_is_not_reported_again() {
    let cut = |reported| changes(&[said(0, 50, None), said(240, 48, reported)]);
    assert_eq!(cut(None), [(PriceCut, 240, 50, 48)]);
    // Between the two sightings, on the day before and after, and at any time from the same price.
    for reported in [(200, 50), (-24, 49), (240, 49), (-2_000, 50)] {
        assert_eq!(cut(Some(reported)), [(PriceCut, 240, 50, 48)], "{reported:?}");
    }
    assert_eq!(
        cut(Some((-25, 49))),
        [(ReportedCut, -25, 49, 48), (PriceCut, 240, 50, 48)],
        "a different change, long before"
    );
    // A change to another price is another change.
    let between = [said(0, 50, None), said(100, 49, Some((50, 60))), said(240, 48, Some((200, 47)))];
    assert_eq!(changes(&between), [(PriceCut, 100, 50, 49), (PriceCut, 240, 49, 48)]);
    let meanwhile = [said(0, 50, None), said(240, 48, Some((230, 50))), said(480, 48, Some((300, 46)))];
    assert_eq!(changes(&meanwhile), [(PriceCut, 240, 50, 48), (ReportedRise, 300, 46, 48)]);
    // Up to a day after the first sighting at the price is about its time; an hour later is not.
    let later = |at| changes(&[said(0, 50, None), said(240, 48, None), said(480, 48, Some((at, 49)))]);
    assert_eq!((later(264).len(), later(265).len()), (1, 2));
}

/// The old price was last seen before the home was off the market: the last sighting at that price counts.
#[test]
fn a_change_while_off_the_market_is_seen_on_return() {
    let off = ReportedSighting { hour: 100, status: Status::Hold, price: None, reported: None };
    let back = said(480, 48, Some((90, 49)));
    assert_eq!(changes(&[said(0, 50, None), off, back]), [(PriceCut, 480, 50, 48)]);
}

/// A source that dates the same change anew each night reports one change.
#[test]
fn a_change_reported_under_two_times_is_one_event() {
    let each_night = |night: i64| said(night * 24, 48, Some((night * 24 - 5, 50)));
    assert_eq!(changes(&[each_night(1), each_night(2), each_night(3)]), [(ReportedCut, 19, 50, 48)]);
    let to_and_fro =
        [said(1_000, 48, Some((100, 50))), said(1_001, 50, Some((200, 48))), said(1_002, 48, Some((300, 50)))];
    let reported: Vec<_> =
        changes(&to_and_fro).into_iter().filter(|change| [ReportedCut, ReportedRise].contains(&change.0)).collect();
    assert_eq!(reported, [], "both were seen");
}

/// A file that is read later shows the change: then it is no longer a reported one.
#[test]
fn a_late_sighting_replaces_a_reported_change() {
    let (new, late) = (said(240, 48, Some((100, 50))), said(0, 50, None));
    assert_eq!(changes(std::slice::from_ref(&new)), [(ReportedCut, 100, 50, 48)]);
    assert_eq!(changes(&[new, late]), [(PriceCut, 240, 50, 48)]);
}

#[test]
fn impossible_changes_are_ignored() {
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
    assert!(!reported(|seen| seen.listing.price_changed_at = Some(seen.seen.plus_ms(1))), "in the future");
    assert!(reported(|seen| seen.listing.price_changed_at = Time::parse("1990-01-01T00:00:00Z").ok()));
    assert!(!reported(|seen| seen.listing.price_changed_at = Time::parse("1989-12-31T23:59:59Z").ok()));
}

#[test]
fn a_reported_change_belongs_to_the_market_that_had_the_price() {
    let mut let_out = observation(&said(100, 1, None));
    let_out.listing.purpose = Purpose::Rent;
    let offered = observation(&said(200, 48, Some((50, 50))));
    let mut home = Home::default();
    home.apply(&let_out);
    home.apply(&offered);
    let reported = home.events().into_iter().find(|event| event.kind == ReportedCut).unwrap();
    assert_eq!(reported.market.purpose, Purpose::Sale, "although it was for rent before");
}

#[test]
fn an_overfull_home_has_no_reported_changes() {
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
fn an_observation_with_only_a_reported_change_is_kept() {
    let mut home = home(&[said(100, 48, None)]);
    let more = observation(&said(100, 48, Some((0, 50))));
    assert_eq!(home.apply(&more), Applied::Unchanged);
    assert_eq!(home.apply(&more), Applied::Duplicate);
}

fn any_said() -> impl Strategy<Value = ReportedSighting> {
    let status = prop::sample::select(vec![Status::Active, Status::Active, Status::Pending, Status::Gone]);
    let reported =
        prop::option::weighted(0.7, (prop::sample::select(vec![-3_000_i64, -30, -24, 0, 10, 24, 50]), 40_i64..44));
    (
        prop::sample::select(vec![0_i64, 1, 24, 25, 49, 72, 480]),
        status,
        prop::option::weighted(0.9, 40_i64..44),
        reported,
    )
        .prop_map(|(hour, status, price, reported)| ReportedSighting {
            hour,
            status,
            price,
            reported: reported.map(|(before, from)| (hour - before, from)),
        })
}

/// The definition in METRICS.md, computed from the intervals alone.
fn by_definition(home: &Home, all: &[ReportedSighting]) -> Vec<(Time, PriceChange)> {
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
    for (index, &(at, from, to)) in reported.iter().enumerate() {
        let mut is_left_out = index > 0 && (reported[index - 1].1, reported[index - 1].2) == (from, to);
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
    fn events_are_the_seen_ones_and_the_only_reported_ones(all in prop::collection::vec(any_said(), 1..12)) {
        let home = home(&all);
        let events = home.events();
        prop_assert!(events.is_sorted_by_key(|event| event.at));
        let (reported, seen): (Vec<_>, Vec<_>) =
            events.into_iter().partition(|event| matches!(event.kind, ReportedCut | ReportedRise));
        prop_assert_eq!(seen, home.history.events(), "seen events do not change");
        for event in &reported {
            let PriceChange { from, to } = event.change.unwrap();
            prop_assert_eq!(event.kind == ReportedCut, to < from);
        }
        let reported: Vec<_> = reported.into_iter().map(|event| (event.at, event.change.unwrap())).collect();
        prop_assert_eq!(reported, by_definition(&home, &all));
    }

    /// The newest 64 in any order, also if only changed homes are stored and read again.
    #[test]
    fn the_newest_are_kept(
        hours in prop::collection::vec(-500_i64..0, 60..150).prop_shuffle(),
    ) {
        let all: Vec<ReportedSighting> = hours.iter().map(|at| said(0, 48, Some((*at, 40 + at.rem_euclid(7))))).collect();
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

/// Two observations of one moment may report different changes.
#[test]
fn rows_of_one_moment_may_report_different_changes() {
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
