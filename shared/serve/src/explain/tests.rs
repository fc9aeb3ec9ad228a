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
    assert_eq!((explanation.stands, explanation.reference_is), (Some(true), ReferencePrice::HighestPrice));
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
    assert_eq!(explanation.reference_is, ReferencePrice::EarlierAlert);
    assert_eq!((explanation.alert.from, explanation.alert.to), (80_000.0, 66_000.0));
    assert_eq!(asked(&explanation), [(5, 80_000.0, None), (9, 66_000.0, Some(-0.175))]);
}

#[test]
fn an_alert_whose_drop_was_taken_back_no_longer_stands() {
    let judged = last_alert(&home(&[(0, 100_000), (5, 80_000)]));
    // Somebody saw the lower price at the beginning, too.
    let now = home(&[(0, 80_000), (5, 80_000)]);
    let explanation = Explanation::of(&judged, Some(&now), None, day(10));
    assert_eq!(explanation.stands, Some(false));
    assert_eq!((explanation.reference_at, asked(&explanation)), (None, vec![]));
    let without_home = Explanation::of(&judged, None, None, day(10));
    assert_eq!((without_home.stands, without_home.price_now), (None, None));
    let without_rules = JudgedAlert { rules: None, ..judged };
    assert_eq!(Explanation::of(&without_rules, Some(&now), None, day(10)).stands, None, "nobody knows");
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

/// A home seen at these days with these prices in dollars and statuses.
fn seen(steps: &[(i64, i64, Status)]) -> Home {
    let mut home = Home::default();
    for (at, price, status) in steps {
        home.apply(&Observation::new("t", "1", day(*at), Listing { status: *status, ..listing(*price) }));
    }
    home
}

#[test]
fn a_new_spell_begins_anew() {
    use Status::{Active, Withdrawn};
    let home = seen(&[
        (0, 500_000, Active),
        (5, 400_000, Active),
        (9, 400_000, Withdrawn),
        (200, 400_000, Active),
        (205, 330_000, Active),
    ]);
    let explanation = Explanation::of(&last_alert(&home), Some(&home), None, day(206));
    assert_eq!((explanation.alert.from, explanation.reference_is), (400_000.0, ReferencePrice::HighestPrice));
    assert_eq!(asked(&explanation), [(200, 400_000.0, None), (205, 330_000.0, Some(-0.175))]);
}

#[test]
fn a_price_that_looked_like_a_mistake_and_held_is_a_reference() {
    let home = home(&[(0, 400_000), (5, 90_000), (25, 70_000)]);
    let explanation = Explanation::of(&last_alert(&home), Some(&home), None, day(26));
    assert_eq!((explanation.alert.from, explanation.reference_is), (90_000.0, ReferencePrice::HeldPrice));
}

#[test]
fn the_reference_was_asked_since_its_price_was_seen_whatever_else_changed() {
    let mut home = home(&[(0, 500_000)]);
    let seen = |at: i64, price: i64| {
        let listing = Listing { bedrooms: Some(3), ..listing(price) };
        Observation::new("t", "1", day(at), listing)
    };
    home.apply(&seen(9, 500_000));
    home.apply(&seen(13, 400_000));
    let explanation = Explanation::of(&last_alert(&home), Some(&home), None, day(14));
    assert_eq!(explanation.reference_at, Some(day(9)));
    assert_eq!(asked(&explanation), [(0, 500_000.0, None), (13, 400_000.0, Some(-0.2))]);
}

#[test]
fn a_home_that_is_let_or_no_longer_seen_has_no_price_now() {
    let mut let_later = home(&[(0, 500_000), (5, 400_000)]);
    let judged = last_alert(&let_later);
    let rent = Listing { purpose: Purpose::Rent, ..listing(2_000) };
    let_later.apply(&Observation::new("t", "1", day(9), rent));
    assert_eq!(Explanation::of(&judged, Some(&let_later), None, day(10)).price_now, None);

    let mut unseen = Home::default();
    for (at, price) in [(0, 500_000), (5, 400_000)] {
        let listing = Listing { display_expired: Some(false), ..listing(price) };
        let watch = stoop_domain::Watch::Repeated;
        unseen.apply(&Observation { watch, ..Observation::new("t", "1", day(at), listing) });
    }
    let of = |at: i64| Explanation::of(&judged, Some(&unseen), None, day(at));
    assert_eq!((of(6).price_now, of(6).prices.len()), (Some(400_000.0), 2));
    assert_eq!((of(90).price_now, of(90).prices.len(), of(90).reference_at), (None, 0, None), "it expired");
}

#[test]
fn words_that_may_no_longer_be_shown_are_left_out() {
    let mut home = Home::default();
    for (at, price, display) in [(0, 500_000, None), (5, 400_000, None), (9, 400_000, Some(false))] {
        let mut listing = Listing { display_address: display, ..listing(price) };
        listing.address.line = Some("1 Main St".into());
        home.apply(&Observation::new("t", "1", day(at), listing));
        if at == 5 {
            let judged = last_alert(&home);
            assert_eq!(Explanation::of(&judged, Some(&home), None, day(6)).alert.line.as_deref(), Some("1 Main St"));
        }
    }
    let mut judged = last_alert(&home);
    judged.alert.line = Some("1 Main St".into());
    assert_eq!(Explanation::of(&judged, Some(&home), None, day(10)).alert.line, None);
}
