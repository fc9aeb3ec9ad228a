use stoop_domain::{
    Address, AreaUnit, Facts, HomeId, Listing, Minor, Observation, Purpose, Sighting, Status, market_of,
};
use stoop_market::{Zones, contribution};
use stoop_rules::Rules;

use super::*;

fn listing(price: i64) -> Listing {
    let address = Address { country: Some("US".into()), postal_code: Some("98178".into()), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.list_price = Some(Minor(price * 100));
    listing
}

fn day(day: i64) -> Time {
    Time::from_ms(day * Time::DAY_MS)
}

/// A home seen at these days with these prices in dollars.
fn home(prices: &[(i64, i64)]) -> Home {
    let mut home = Home::default();
    for (at, price) in prices {
        home.apply(&Observation::new("t", "1", day(*at), listing(*price)));
    }
    home
}

fn id() -> HomeId {
    HomeId("t/1".into())
}

/// The last alert of a home, by the rules that are the default.
fn last_alert(home: &Home) -> JudgedAlert {
    let rules = Rules::default();
    let alert = rules.standing(&id(), home).pop().expect("an alert");
    JudgedAlert { alert, rules: Some(rules) }
}

fn asked(explanation: &Explanation) -> Vec<(i64, f64, Option<f64>)> {
    explanation.prices.iter().map(|asked| (asked.at.ms() / Time::DAY_MS, asked.price, asked.change)).collect()
}

#[test]
fn the_reference_is_the_highest_price_and_what_was_asked_since_is_shown() {
    let home = home(&[(0, 90_000), (5, 100_000), (9, 95_000), (20, 80_000)]);
    let explanation = Explanation::of(&last_alert(&home), Some(&home), None, day(30));
    assert!(explanation.stands && !explanation.reference_is_alert);
    assert_eq!((explanation.alert.from, explanation.alert.to), (100_000.0, 80_000.0));
    assert_eq!(explanation.reference_at, Some(day(5)));
    let expected = [(5, 100_000.0, None), (9, 95_000.0, Some(-0.05)), (20, 80_000.0, Some(-0.1579))];
    assert_eq!(asked(&explanation), expected);
    assert_eq!(explanation.price_now, Some(80_000.0));
    let rule = explanation.selected_by.unwrap();
    assert_eq!((rule.area, rule.share_min, rule.amount_min), (None, Some(0.15), None));
}

#[test]
fn after_an_alert_the_reference_is_its_price() {
    let home = home(&[(0, 100_000), (5, 80_000), (9, 66_000)]);
    let explanation = Explanation::of(&last_alert(&home), Some(&home), None, day(10));
    assert!(explanation.reference_is_alert);
    assert_eq!((explanation.alert.from, explanation.alert.to), (80_000.0, 66_000.0));
    assert_eq!(asked(&explanation), [(5, 80_000.0, None), (9, 66_000.0, Some(-0.175))]);
}

#[test]
fn an_alert_whose_drop_was_taken_back_no_longer_stands() {
    let judged = last_alert(&home(&[(0, 100_000), (5, 80_000)]));
    // Somebody saw the lower price at the beginning, too.
    let now = home(&[(0, 80_000), (5, 80_000)]);
    let explanation = Explanation::of(&judged, Some(&now), None, day(10));
    assert!(!explanation.stands);
    assert_eq!((explanation.reference_at, asked(&explanation)), (None, vec![]));
    let without_home = Explanation::of(&judged, None, None, day(10));
    assert_eq!((without_home.stands, without_home.price_now), (false, None));
}

#[test]
fn what_may_not_be_shown_is_not_explained() {
    let seen = |history: Option<bool>, status: Status| {
        let mut home = home(&[(0, 100_000)]);
        let listing = Listing { display_history: history, display_expired: history, status, ..listing(80_000) };
        home.apply(&Observation::new("t", "1", day(5), listing));
        let judged = last_alert(&self::home(&[(0, 100_000), (5, 80_000)]));
        Explanation::of(&judged, Some(&home), None, day(10))
    };
    assert_eq!(asked(&seen(None, Status::Active)).len(), 2);
    let hidden = seen(Some(false), Status::Active);
    assert_eq!((asked(&hidden), hidden.reference_at, hidden.price_now), (vec![], None, Some(80_000.0)));
    let sold = seen(Some(false), Status::Closed);
    assert_eq!((asked(&sold), sold.price_now), (vec![], None));
}

#[test]
fn a_drop_is_compared_with_what_others_in_the_market_ask_less() {
    let mut market = Cells::default();
    for cut in 1..=20 {
        let mut history = stoop_domain::History::default();
        for (at, price) in [(0, 100_000), (3, 100_000 - cut * 1_000)] {
            history.apply(Sighting::at(day(at)), &Facts::of(&listing(price)).unwrap(), None);
        }
        for (_, delta) in contribution(&history, &mut Zones::default()).into_deltas() {
            market.add(&delta);
        }
    }
    let home = home(&[(0, 100_000), (5, 79_000)]);
    let judged = last_alert(&home);
    assert_eq!(market_of(&listing(1)).unwrap(), judged.alert.market);
    assert_eq!(judged.alert.market.area.country().area_unit, AreaUnit::SquareFeet);
    let beside = Explanation::of(&judged, Some(&home), Some(&market), day(6)).beside;
    assert_eq!((beside.cut, beside.cuts_7_days), (20, 20));
    let times = beside.times_usual.unwrap();
    assert!((1.9..=2.2).contains(&times), "21 % beside a median of 10 to 10.5 %: {times}");
}
