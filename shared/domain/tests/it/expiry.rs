//! Expiry of homes that are not seen any more.

use stoop_domain::{Applied, EventKind, History, Sighting, Status, Time, UnconfirmedInterval, Watch};

use crate::support::{DAY, HOUR, START, facts};

/// The time `day` days and `hour` hours after 2026-01-10, midnight UTC.
fn at(day: i64, hour: i64) -> Time {
    Time::from_ms(START + day * DAY + hour * HOUR)
}

fn seen(history: &mut History, sighting: Sighting, status: Status, watch: Watch) -> Applied {
    history.apply_watched(sighting, &facts(status, 500), None, watch)
}

fn kinds(history: &History) -> Vec<(EventKind, Time)> {
    history.events().into_iter().map(|event| (event.kind, event.at)).collect()
}

#[test]
fn a_home_expires_thirty_days_after_its_last_sighting() {
    let mut home = History::default();
    let mut see = |day, hour| seen(&mut home, Sighting::at(at(day, hour)), Status::Active, Watch::Repeated);
    assert_eq!(see(0, 12), Applied::New);
    assert_eq!(see(0, 20), Applied::Unchanged, "same day: no change");
    assert_eq!(see(3, 1), Applied::Confirmed);
    assert_eq!(see(2, 1), Applied::Unchanged, "late, with a later sighting known");
    assert_eq!(home.expires(), Some(at(34, 0)));
    assert_eq!(kinds(&home), [(EventKind::New, at(0, 12)), (EventKind::Expired, at(34, 0))]);
    assert_eq!(home.status_at(at(33, 23)), Some(Status::Active));
    assert_eq!(home.status_at(at(34, 0)), Some(Status::Expired));
    // Seen again just after it expired; then a late observation from before.
    assert_eq!(seen(&mut home, Sighting::at(at(34, 0)), Status::Active, Watch::Repeated), Applied::Changed);
    let back = (EventKind::BackOnMarket, at(34, 0));
    assert_eq!(kinds(&home)[2..], [back, (EventKind::Expired, at(65, 0))]);
    assert_eq!(seen(&mut home, Sighting::at(at(20, 0)), Status::Active, Watch::Repeated), Applied::Changed);
    assert_eq!(kinds(&home), [(EventKind::New, at(0, 12)), (EventKind::Expired, at(65, 0))]);
}

#[test]
fn pending_homes_expire_without_an_exit_and_homes_off_the_market_or_seen_once_do_not() {
    let expires = |status, watch| {
        let mut home = History::default();
        seen(&mut home, Sighting::at(at(0, 0)), status, watch);
        (home.expires(), kinds(&home).len(), home.intervals()[0].unconfirmed.clone())
    };
    let unconfirmed = |from| vec![UnconfirmedInterval { from, until: None }];
    assert_eq!(expires(Status::Active, Watch::Repeated), (Some(at(31, 0)), 2, unconfirmed(at(8, 0))));
    assert_eq!(expires(Status::Pending, Watch::Repeated), (Some(at(31, 0)), 0, vec![]));
    assert_eq!(expires(Status::Active, Watch::Complete), (None, 1, unconfirmed(at(24, 0))));
    assert_eq!(expires(Status::Active, Watch::Once), (None, 1, vec![]));
    for status in [Status::Gone, Status::Closed, Status::ComingSoon, Status::Withdrawn] {
        assert_eq!(expires(status, Watch::Repeated).0, None, "{status:?}");
    }
}

/// The source reports no change in between, so the home was on the market all the time.
#[test]
fn seeing_the_same_version_again_closes_the_gap() {
    let version = |day, seen| Sighting { at: at(day, 0), versioned: true, ..Sighting::at(at(seen, 0)) };
    let mut home = History::default();
    seen(&mut home, version(0, 1), Status::Active, Watch::Repeated);
    assert_eq!(home.expires(), Some(at(32, 0)));
    seen(&mut home, version(0, 50), Status::Active, Watch::Repeated);
    assert_eq!(
        (home.intervals().len(), home.intervals()[0].unconfirmed.len(), home.expires()),
        (1, 1, Some(at(81, 0)))
    );
    // Modified a hundred days after the last sighting, and not seen in between.
    seen(&mut home, version(150, 151), Status::Active, Watch::Repeated);
    assert_eq!(
        home.intervals().iter().map(|interval| interval.expires).collect::<Vec<_>>(),
        [Some(at(81, 0)), Some(at(182, 0))]
    );
}

#[test]
fn the_day_ends_in_the_time_zone_of_the_home() {
    let address = stoop_domain::Address {
        postal_code: Some("98178".into()),
        region: Some("WA".into()),
        country: Some("US".into()),
        ..stoop_domain::Address::default()
    };
    let mut listing = stoop_domain::Listing::new(stoop_domain::Purpose::Sale, stoop_domain::Currency::USD, address);
    listing.status = Status::Active;
    let mut home = History::default();
    let facts = stoop_domain::Facts::of(&listing).unwrap();
    home.apply_watched(Sighting::at(at(0, 12)), &facts, None, Watch::Repeated);
    // Midnight UTC is four in the afternoon of the day before in Seattle, so the home is not in stock at the end of
    // that day.
    assert_eq!(home.expires(), Some(at(31, 0)));
    assert_eq!(home.status_at(at(30, 7)), Some(Status::Active));
    assert_eq!(home.status_at(at(30, 9)), Some(Status::Expired));
    assert!(home.events().iter().all(|event| event.has_come(at(30, 9))));
    assert!(!home.events().iter().all(|event| event.has_come(at(30, 7))));
}
