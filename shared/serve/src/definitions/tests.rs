//! A month worked out by hand: April 2026 in Seattle, homes of postal code 98178. Times are 20:00 UTC, midday there.

use stoop_domain::{Address, Facts, Listing, Purpose, Sighting, Status, Time, Watch, market_of};
use stoop_domain::{History, Market, Minor};
use stoop_market::{Zones, contribution};

use super::super::{FoundArea, Sum, find_area};
use super::*;

use Status::{Active, Closed, Pending, Withdrawn};

fn time(text: &str) -> Time {
    let whole = if text.contains('T') { text.to_owned() } else { format!("{text}T20:00:00Z") };
    Time::parse(&whole).unwrap()
}

fn listing(purpose: Purpose, postal_code: &str) -> Listing {
    let text = |text: &str| Some(text.to_owned());
    let address = Address {
        country: text("US"),
        region: text("WA"),
        county: text("King"),
        postal_code: text(postal_code),
        ..Address::default()
    };
    Listing::new(purpose, Currency::USD, address)
}

fn facts(purpose: Purpose, postal_code: &str, status: Status, price: i64) -> Facts {
    let mut listing = listing(purpose, postal_code);
    (listing.status, listing.list_price) = (status, Some(Minor(price * 100_000)));
    Facts::of(&listing).unwrap()
}

/// A home for sale in 98178: when it was seen, its status and its price in thousands.
fn home(seen: &[(&str, Status, i64)]) -> History {
    let mut history = History::default();
    for (at, status, price) in seen {
        history.apply(Sighting::at(time(at)), &facts(Purpose::Sale, "98178", *status, *price), None);
    }
    history
}

fn april() -> Period {
    "2026-04".parse::<Month>().unwrap().period()
}

fn market(purpose: Purpose, postal_code: &str) -> Market {
    market_of(&listing(purpose, postal_code)).unwrap()
}

fn tally(homes: &[History]) -> Tally {
    let markets = [market(Purpose::Sale, "98178")];
    let mut tallies = Tallies::new(&markets, april());
    homes.iter().for_each(|home| tallies.add(home));
    tallies.sums().into_values().next().unwrap()
}

/// Cut and raised again within the month: active on 30 days.
fn cut_and_raised() -> History {
    home(&[("2026-03-20", Active, 500), ("2026-04-10", Active, 450), ("2026-04-20", Active, 500)])
}

/// Under contract when the month begins, active again from the 5th: on 26 days, pending on 4.
fn pending_at_first() -> History {
    home(&[("2026-03-10", Active, 310), ("2026-03-25", Pending, 310), ("2026-04-05", Active, 310)])
}

fn active_for_a_day() -> History {
    home(&[("2026-04-15", Active, 280), ("2026-04-16", Withdrawn, 280)])
}

/// Listed, cut and sold within the month: active on 10 days.
fn listed_and_sold() -> History {
    home(&[("2026-04-02", Active, 300), ("2026-04-08", Active, 290), ("2026-04-12", Closed, 290)])
}

/// Withdrawn on the 10th and listed again on the 20th: active on 7 + 11 days.
fn twice_listed() -> History {
    let mut history = History::default();
    for (at, status, listed) in [
        ("2026-04-03", Active, "2026-04-03"),
        ("2026-04-10", Withdrawn, "2026-04-03"),
        ("2026-04-20", Active, "2026-04-20"),
    ] {
        let facts = facts(Purpose::Sale, "98178", status, 350);
        history.apply(Sighting::at(time(at)), &facts, Some(time(listed)));
    }
    history
}

/// Cut, then under contract after 111 days: active on 19 days, pending on 11.
fn late_contract() -> History {
    home(&[("2025-12-30", Active, 600), ("2026-04-15", Active, 550), ("2026-04-20", Pending, 550)])
}

/// Under contract all month, and cut: pending on 30 days.
fn pending_all_month() -> History {
    home(&[("2026-03-01", Active, 400), ("2026-03-10", Pending, 400), ("2026-04-10", Pending, 390)])
}

/// There before the search, without a listing date: active on 25 days.
fn there_before() -> History {
    let mut history = History::default();
    let sighting = Sighting { initial: true, ..Sighting::at(time("2026-04-06")) };
    history.apply(sighting, &facts(Purpose::Sale, "98178", Active, 420), None);
    history
}

/// Gone at the midnight with which April begins in Seattle.
fn gone_at_midnight() -> History {
    home(&[("2026-03-12", Active, 330), ("2026-04-01T07:00:00Z", Withdrawn, 330)])
}

/// Two contracts: active on 4 + 15 days, pending on 5 + 6.
fn two_contracts() -> History {
    home(&[
        ("2026-03-01", Active, 700),
        ("2026-04-05", Pending, 700),
        ("2026-04-10", Active, 700),
        ("2026-04-25", Pending, 700),
    ])
}

fn all() -> Vec<History> {
    vec![
        cut_and_raised(),
        pending_at_first(),
        active_for_a_day(),
        listed_and_sold(),
        twice_listed(),
        late_contract(),
        pending_all_month(),
        there_before(),
        gone_at_midnight(),
        two_contracts(),
    ]
}

#[test]
fn a_month_by_hand() {
    let expected = Tally {
        days: 30,
        active: 8,
        active_at_end: 4,
        active_days: 30 + 26 + 1 + 10 + 18 + 19 + 25 + 19,
        pending_days: 4 + 11 + 30 + 11,
        listed: 3,
        pending: 2,
        pending_early: 1,
        cut: 4,
        cut_and_active: 3,
        lower: 1,
    };
    assert_eq!(tally(&all()), expected);
}

#[test]
fn a_home_cut_and_raised_again_counts_for_realtor_and_redfin_alone() {
    let tally = tally(&[cut_and_raised()]);
    let value = |provider: Provider, name: &str| {
        let figures = provider.figures(&tally, april(), None);
        figures.iter().find(|figure| figure.figure == name).unwrap().value
    };
    assert_eq!(value(Provider::Zillow, "share_of_listings_with_a_price_cut"), Some(0.0));
    assert_eq!(value(Provider::Realtor, "price_reduced_count"), Some(1.0));
    assert_eq!(value(Provider::Redfin, "price_drops"), Some(1.0));
}

fn area(markets: &[Market]) -> FoundArea {
    find_area("98178", markets).unwrap()
}

/// Each figure with the provider's value and ours.
fn beside(provider: Provider) -> Vec<(&'static str, Option<f64>, Option<f64>)> {
    let markets = [market(Purpose::Sale, "98178")];
    let (area, mut zones) = (area(&markets), Zones::default());
    let mut cells = stoop_market::Cells::default();
    let mut tallies = Tallies::new(&markets, april());
    for home in all() {
        for (_, delta) in contribution(&home, &mut zones).into_deltas() {
            cells.add(&delta);
        }
        tallies.add(&home);
    }
    let id = MergedId::of(&markets[0]);
    let ours = [MarketView::of(&area, id, Sum::Whole(&cells), time("2026-04-30"), 30)];
    let defined = provider.markets(&area.path, &tallies.sums(), april(), &ours);
    assert_eq!(defined.iter().map(|market| market.id.as_str()).collect::<Vec<_>>(), [ours[0].id.as_str()]);
    defined[0].figures.iter().map(|figure| (figure.figure, figure.value, figure.ours)).collect()
}

/// Our share of 28 days, from April 3: four homes cut; four active before it, and six entries.
#[test]
fn their_figures_stand_beside_ours() {
    let cut_share = Some(0.4);
    assert_eq!(
        beside(Provider::Redfin),
        [
            ("inventory", Some(4.0), Some(4.0)),
            ("active_listings", Some(8.0), Some(4.0)),
            ("new_listings", Some(3.0), Some(3.0)),
            ("pending_sales", Some(1.0), Some(3.0)),
            ("price_drops", Some(0.375), cut_share),
        ]
    );
    assert_eq!(
        beside(Provider::Zillow),
        [
            ("inventory", Some(8.0), Some(4.0)),
            ("new_listings", Some(3.0), Some(3.0)),
            ("newly_pending_listings", Some(2.0), Some(3.0)),
            ("share_of_listings_with_a_price_cut", Some(0.125), cut_share),
        ]
    );
    assert_eq!(
        beside(Provider::Realtor),
        [
            ("active_listing_count", Some(4.9), Some(4.0)),
            ("pending_listing_count", Some(1.9), Some(3.0)),
            ("pending_ratio", Some(0.3784), Some(0.75)),
            ("new_listing_count", Some(3.0), Some(3.0)),
            ("price_reduced_count", Some(4.0), Some(4.0)),
            ("price_reduced_share", Some(0.8108), cut_share),
        ]
    );
}

#[test]
fn sales_rents_and_homes_elsewhere_are_apart() {
    let markets = [market(Purpose::Sale, "98178"), market(Purpose::Rent, "98178")];
    let seen = |purpose, postal_code, at: &str, history: &mut History| {
        history.apply(Sighting::at(time(at)), &facts(purpose, postal_code, Active, 40), None);
    };
    let mut turned = History::default();
    seen(Purpose::Sale, "98178", "2026-04-02", &mut turned);
    seen(Purpose::Rent, "98178", "2026-04-12", &mut turned);
    let mut moved_away = History::default();
    seen(Purpose::Sale, "98178", "2026-04-02", &mut moved_away);
    seen(Purpose::Sale, "98103", "2026-04-22", &mut moved_away);
    let mut elsewhere = History::default();
    seen(Purpose::Sale, "98103", "2026-04-02", &mut elsewhere);
    let mut tallies = Tallies::new(&markets, april());
    [turned, moved_away, elsewhere, History::overfull()].iter().for_each(|home| tallies.add(home));
    let counts: Vec<_> = tallies
        .sums()
        .into_iter()
        .map(|(id, tally)| (id.purpose.as_str(), tally.active, tally.active_days, tally.active_at_end, tally.listed))
        .collect();
    assert_eq!(counts, [("sale", 2, 10 + 20, 0, 2), ("rent", 1, 19, 1, 1)]);
}

#[test]
fn an_expired_home_is_not_active() {
    let mut history = History::default();
    let facts = facts(Purpose::Sale, "98178", Active, 500);
    history.apply_watched(Sighting::at(time("2026-03-10")), &facts, None, Watch::Repeated);
    // Expires on April 10 at midnight UTC, the 9th in Seattle.
    let tally = tally(&[history]);
    assert_eq!((tally.active, tally.active_days, tally.active_at_end), (1, 8, 0));
}

#[test]
fn a_share_of_nothing_is_unknown() {
    let values = |provider: Provider| {
        let figures = provider.figures(&tally(&[]), april(), None).into_iter();
        figures.filter(|figure| figure.is_share).map(|figure| figure.value).collect::<Vec<_>>()
    };
    for provider in Provider::ALL {
        assert!(values(provider).iter().all(Option::is_none), "{provider:?}");
    }
    assert_eq!(values(Provider::Realtor).len(), 2);
}

#[test]
fn ninety_days_on_the_market_are_not_too_many() {
    let early = |listed: &str| tally(&[home(&[(listed, Active, 500), ("2026-04-10", Pending, 500)])]).pending_early;
    assert_eq!([early("2026-01-10"), early("2026-01-09")], [1, 0]);
}
