//! The timeline of a home that several listings show.

use proptest::prelude::*;
use stoop_domain::{EventKind, Facts, History, Phase, Sighting, Status, Time, Watch, events_of, resolved_steps};

use crate::support::{DAY, START, all_watched, facts, history};

use EventKind::{BackOnMarket, Gone as Left, New, Pending as Contract, PriceCut, Sold};
use Status::{Active, Closed, Gone, Pending};

/// A listing with these statuses and prices from these days on.
fn listing(seen: &[(i64, Status, i64)]) -> History {
    let mut history = History::default();
    for (day, status, price) in seen {
        history.apply(Sighting::at(on(*day)), &facts(*status, *price), None);
    }
    history
}

fn on(day: i64) -> Time {
    Time::from_ms(START + day * DAY)
}

/// The events of the home, with their days.
fn events(listings: &[&History]) -> Vec<(i64, EventKind)> {
    let day = |at: Time| (at.ms() - START).div_euclid(DAY);
    events_of(&resolved_steps(listings)).into_iter().map(|event| (day(event.at), event.kind)).collect()
}

#[test]
fn a_home_on_two_portals_is_new_once_cut_once_and_gone_with_its_last_listing() {
    let one = listing(&[(0, Active, 500), (10, Active, 450), (30, Gone, 450)]);
    let late = listing(&[(2, Active, 500), (13, Active, 450), (35, Gone, 450)]);
    assert_eq!(events(&[&one, &late]), [(0, New), (10, PriceCut), (35, Left)]);
    assert_eq!(events(&[&late, &one]), [(0, New), (10, PriceCut), (35, Left)], "whichever ID is smaller");
}

#[test]
fn two_prices_at_once_are_no_cuts() {
    let one = listing(&[(0, Active, 500), (20, Gone, 500)]);
    let other = listing(&[(1, Active, 480), (5, Active, 470), (40, Gone, 470)]);
    // The first speaks until it leaves; then the other one's price is the home's, without an event.
    assert_eq!(events(&[&one, &other]), [(0, New), (40, Left)]);
    let steps = resolved_steps(&[&one, &other]);
    let prices: Vec<_> = steps.iter().map(|step| (step.price().map(|price| price.0), step.change.is_some())).collect();
    assert_eq!(prices, [(Some(500), false), (Some(470), false), (Some(470), false)]);
    // A cut by the one that speaks now is one.
    let other = listing(&[(1, Active, 480), (30, Active, 430), (40, Gone, 430)]);
    assert_eq!(events(&[&one, &other]), [(0, New), (30, PriceCut), (40, Left)]);
}

#[test]
fn who_says_pending_is_believed_and_so_is_who_says_sold() {
    let mls = listing(&[(0, Active, 500), (10, Pending, 500), (40, Closed, 500)]);
    let portal = listing(&[(1, Active, 500), (60, Gone, 500)]);
    assert_eq!(events(&[&mls, &portal]), [(0, New), (10, Contract), (40, Sold)]);
    // A portal that still shows it for months is outdated, until it takes it down and shows it again.
    let portal = listing(&[(1, Active, 500), (140, Gone, 500), (150, Active, 600)]);
    assert_eq!(events(&[&mls, &portal]), [(0, New), (10, Contract), (40, Sold), (150, New)]);
    // And so is one that reports the same sale later.
    let portal = listing(&[(1, Active, 500), (76, Closed, 500)]);
    assert_eq!(events(&[&mls, &portal]), [(0, New), (10, Contract), (40, Sold)]);
    // An advert that begins after the sale offers the home again.
    let buyer = listing(&[(70, Active, 600), (86, Active, 580)]);
    assert_eq!(events(&[&mls, &buyer]), [(0, New), (10, Contract), (40, Sold), (70, New), (86, PriceCut)]);
}

#[test]
fn who_says_pending_for_months_is_not_believed_for_ever() {
    let silent = listing(&[(0, Active, 500), (10, Pending, 500)]);
    let portal = listing(&[(1, Active, 500), (100, Gone, 500)]);
    // Once the other one has left, what it says is all that is said.
    assert_eq!(events(&[&silent, &portal]), [(0, New), (10, Contract), (70, BackOnMarket), (100, Contract)]);
}

#[test]
fn a_home_that_comes_again_under_a_new_id_is_back() {
    let first = listing(&[(0, Active, 500), (10, Gone, 500)]);
    let again = listing(&[(40, Active, 450)]);
    assert_eq!(events(&[&first, &again]), [(0, New), (10, Left), (40, BackOnMarket), (40, PriceCut)]);
    // A portal that showed it all along at another price makes no cut when it comes back.
    let beside = listing(&[(1, Active, 450), (8, Gone, 450), (40, Active, 450)]);
    assert_eq!(events(&[&first, &beside]), [(0, New), (10, Left), (40, BackOnMarket)]);
}

#[test]
fn one_listing_that_is_no_longer_seen_does_not_take_the_home_away() {
    let mut silent = History::default();
    silent.apply_watched(Sighting::at(on(0)), &facts(Active, 500), None, Watch::Repeated);
    let seen = listing(&[(3, Active, 500), (90, Gone, 500)]);
    assert_eq!(events(&[&silent]), [(0, New), (31, EventKind::Expired)]);
    assert_eq!(events(&[&silent, &seen]), [(0, New), (90, Left)]);
}

#[test]
fn another_size_at_another_portal_is_no_other_home() {
    let with = |facts: Facts, bedrooms, metres| Facts {
        bedrooms: Some(bedrooms),
        living_area: Some(stoop_domain::Area::of(metres, stoop_domain::AreaUnit::SquareMeters)),
        ..facts
    };
    let mut one = History::default();
    one.apply(Sighting::at(on(0)), &with(facts(Active, 500), 2, 50), None);
    one.apply(Sighting::at(on(10)), &with(facts(Gone, 500), 2, 50), None);
    let mut other = History::default();
    other.apply(Sighting::at(on(1)), &with(facts(Active, 1_200), 3, 90), None);
    assert_eq!(events(&[&one, &other]), [(0, New)]);
}

/// What a listing says at a moment: its facts, since when it has said the same phase, and since when it has been on the market;
/// `None` before it was seen and while it has expired.
fn said_at(listing: &History, moment: Time) -> Option<(Facts, Time, Time)> {
    let intervals = listing.intervals();
    let mut said: Option<(Facts, Time, Time)> = None;
    let mut ended = None;
    for interval in intervals.iter().filter(|interval| interval.first <= moment) {
        let phase = |facts: &Facts| facts.status.phase();
        let is_offered = |facts: &Facts| matches!(phase(facts), Phase::Active | Phase::Pending);
        let before = said.take().filter(|_| ended.is_none());
        let same = before.as_ref().filter(|(facts, ..)| phase(facts) == phase(interval.facts));
        let since = same.map_or(interval.first, |(_, since, _)| *since);
        let both = before.as_ref().filter(|(facts, ..)| is_offered(facts) && is_offered(interval.facts));
        let offered = both.map_or(since, |(.., offered)| *offered);
        said = Some((interval.facts.clone(), since, offered));
        ended = interval.expires;
    }
    said.filter(|_| ended.is_none_or(|ended| moment < ended))
}

/// When any of the listings last began to say that the home is sold, until a moment.
fn sold_by(listings: &[&History], moment: Time) -> Option<Time> {
    let mut last = None;
    for listing in listings {
        let mut before = None;
        for interval in listing.intervals() {
            let is_sale = interval.facts.status.phase() == Phase::Closed && before != Some(Phase::Closed);
            if is_sale && interval.first <= moment {
                last = last.max(Some(interval.first));
            }
            before = Some(interval.facts.status.phase());
        }
    }
    last
}

/// The facts of the listing that speaks at a moment, by the words of docs/HOMES.md.
fn spoken_at(listings: &[&History], moment: Time) -> Option<Facts> {
    let sold = sold_by(listings, moment);
    let said = listings.iter().filter_map(|listing| said_at(listing, moment));
    let said: Vec<(Facts, Time, Time)> = said
        .filter(|(facts, _, offered)| {
            let is_offered = matches!(facts.status.phase(), Phase::Active | Phase::Pending);
            !is_offered || sold.is_none_or(|sold| *offered >= sold)
        })
        .collect();
    let longest = |phase: Phase, believed: &dyn Fn(Time) -> bool| {
        let of_phase = said.iter().filter(|(facts, since, _)| facts.status.phase() == phase && believed(*since));
        of_phase.min_by_key(|(_, since, _)| *since).map(|(facts, ..)| facts.clone())
    };
    let is_fresh = |since: Time| moment < since.plus_ms(60 * DAY);
    longest(Phase::Pending, &is_fresh)
        .or_else(|| longest(Phase::Active, &|_| true))
        .or_else(|| longest(Phase::Pending, &|_| true))
        .or_else(|| longest(Phase::Before, &|_| true))
        .or_else(|| {
            // The last that began; of several, that of the first listing.
            let starts = listings.iter().filter_map(|listing| {
                let (facts, ..) = said_at(listing, moment)?;
                let first = listing.intervals().iter().rev().find(|it| it.first <= moment)?.first;
                matches!(facts.status.phase(), Phase::Off | Phase::Closed).then_some((facts, first))
            });
            let starts: Vec<(Facts, Time)> = starts.collect();
            let last = starts.iter().map(|(_, first)| *first).max();
            starts.into_iter().find(|(_, first)| Some(*first) == last).map(|(facts, _)| facts)
        })
}

proptest! {
    #[test]
    fn at_each_moment_the_listing_speaks_that_the_documents_name(
        one in all_watched(),
        other in all_watched(),
        third in all_watched(),
    ) {
        let histories = [history(&one), history(&other), history(&third)];
        let listings: Vec<&History> = histories.iter().collect();
        let steps = resolved_steps(&listings);
        let firsts = listings.iter().flat_map(|listing| listing.intervals().into_iter().map(|it| it.first).collect::<Vec<_>>());
        let moments = firsts.flat_map(|first| [first, first.plus_ms(DAY), first.plus_ms(31 * DAY), first.plus_ms(61 * DAY)]);
        for moment in moments {
            let step = steps.iter().rev().find(|step| step.interval.first <= moment);
            let step = step.filter(|step| step.interval.expires.is_none_or(|expires| moment < expires));
            let found = step.map(|step| step.interval.facts.clone());
            prop_assert_eq!(found, spoken_at(&listings, moment), "{}", moment);
        }
    }

    #[test]
    fn one_listing_is_its_home(seen in all_watched()) {
        let history = history(&seen);
        let text = |steps: Vec<stoop_domain::Step<'_>>| -> Vec<String> { steps.iter().map(|step| format!("{step:?}")).collect() };
        let expected = text(history.steps());
        let empty = History::default();
        for listings in [vec![&history, &empty], vec![&empty, &history, &history]] {
            let found = text(resolved_steps(&listings));
            prop_assert_eq!(found.len(), expected.len());
            for (found, expected) in found.iter().zip(&expected) {
                prop_assert_eq!(found, expected);
            }
        }
    }

    #[test]
    fn a_home_is_on_the_market_if_a_listing_is_and_none_says_more(one in all_watched(), other in all_watched()) {
        let (one, other) = (history(&one), history(&other));
        let steps = resolved_steps(&[&one, &other]);
        // Times only grow, entries and exits alternate.
        prop_assert!(steps.is_sorted_by(|a, b| a.interval.first <= b.interval.first));
        let mut is_active = false;
        for event in events_of(&steps) {
            match event.kind {
                EventKind::Initial | New | EventKind::Relisted | BackOnMarket => {
                    prop_assert!(!is_active, "a home enters once");
                    is_active = true;
                }
                Contract | EventKind::Closed | Left | EventKind::Expired => {
                    prop_assert!(is_active, "a home leaves once");
                    is_active = false;
                }
                _ => {}
            }
        }
        // A change is between prices that one listing gave.
        let gave = |listing: &History, price| listing.facts().iter().any(|facts| facts.list_price == Some(price));
        for change in steps.iter().filter_map(|step| step.change) {
            let by = |listing: &History| gave(listing, change.from) && gave(listing, change.to);
            let across = gave(&one, change.to) || gave(&other, change.to);
            prop_assert!(by(&one) || by(&other) || across);
        }
    }
}
