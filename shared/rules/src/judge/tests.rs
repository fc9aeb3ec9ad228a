use stoop_domain::{Address, Facts, Listing, Purpose, Sighting, Status, Time};

use super::*;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24;

fn listing() -> Listing {
    let address = Address { postal_code: Some("98178".into()), ..Address::default() };
    Listing::new(Purpose::Sale, Currency::USD, address)
}

fn see(home: &mut Home, hour: i64, listing: &Listing) {
    home.history.apply(Sighting::at(Time::from_ms(hour * HOUR)), &Facts::of(listing).unwrap(), None);
}

/// A home seen at these hours with these prices in dollars.
fn home(prices: &[(i64, i64)]) -> Home {
    let mut home = Home::default();
    for (hour, dollars) in prices {
        see(&mut home, *hour, &Listing { list_price: Some(Minor(dollars * 100)), ..listing() });
    }
    home
}

/// A home seen once a day at these prices.
fn daily(prices: impl IntoIterator<Item = i64>) -> Home {
    home(&(0..).map(|day| day * DAY).zip(prices).collect::<Vec<_>>())
}

fn id() -> HomeId {
    HomeId("t/1".into())
}

fn judge(old: &[(i64, i64)], new: &[(i64, i64)]) -> Vec<Alert> {
    let old = (!old.is_empty()).then(|| home(old));
    Rules::default().judge(&id(), old.as_ref(), &home(new)).raised
}

/// Reference and price in dollars, and day, of each alert that is sent.
fn sent(home: &Home) -> Vec<(i64, i64, i64)> {
    sent_by(&Rules::default(), home)
}

fn sent_by(rules: &Rules, home: &Home) -> Vec<(i64, i64, i64)> {
    let alerts = rules.standing(&id(), home).into_iter().filter(|alert| alert.verdict == Verdict::Alert);
    alerts.map(|alert| (alert.from.0 / 100, alert.to.0 / 100, alert.at.ms() / HOUR / DAY)).collect()
}

fn doubts(home: &Home) -> Vec<String> {
    let why = |alert: Alert| match alert.verdict {
        Verdict::Suspect(why) => Some(why),
        Verdict::Alert => None,
    };
    Rules::default().standing(&id(), home).into_iter().filter_map(why).collect()
}

#[test]
fn fifteen_percent_raises_an_alert_and_slightly_less_does_not() {
    let [alert] = &judge(&[(0, 100_000)], &[(0, 100_000), (1, 85_000)])[..] else { panic!("one alert") };
    assert_eq!((alert.drop_bp, &alert.verdict), (1_500, &Verdict::Alert));
    assert_eq!(judge(&[(0, 100_000)], &[(0, 100_000), (1, 85_001)]), []);
}

#[test]
fn small_steps_add_up_to_an_alert() {
    // Eight cuts of 7 % add up to 44 %.
    let steps = [100_000, 93_000, 86_500, 80_400, 74_800, 69_600, 64_700, 60_200, 56_000];
    assert_eq!(sent(&daily(steps)), [(100_000, 80_400, 3), (80_400, 64_700, 6)]);
}

#[test]
fn a_price_that_flaps_raises_one_alert() {
    let flapping = (0..40).map(|day| if day % 2 == 0 { 100_000 } else { 80_000 });
    assert_eq!(sent(&daily(flapping)), [(100_000, 80_000, 1)]);
    let by_cents = (0..40).map(|day| if day % 2 == 0 { 100_000 + day } else { 80_000 - day });
    assert_eq!(sent(&daily(by_cents)), [(100_000, 79_999, 1)]);
}

#[test]
fn the_price_of_an_alert_is_the_next_reference() {
    assert_eq!(sent(&daily([100_000, 80_000, 68_001])), [(100_000, 80_000, 1)]);
    assert_eq!(sent(&daily([100_000, 80_000, 68_000])), [(100_000, 80_000, 1), (80_000, 68_000, 2)]);
}

#[test]
fn after_an_alert_only_a_price_held_for_fourteen_days_raises_the_reference() {
    let days = |hours: i64| home(&[(0, 100_000), (24, 80_000), (48, 96_000), (48 + hours, 80_000)]);
    assert_eq!(sent(&days(14 * DAY - 1)), [(100_000, 80_000, 1)]);
    assert_eq!(sent(&days(14 * DAY)), [(100_000, 80_000, 1), (96_000, 80_000, 16)]);
    // A higher price that does not hold raises nothing, however long the home is shown at prices above it.
    let restless = (0..60).map(|day| if day == 0 { 100_000 } else { 80_000 + day * 100 });
    assert_eq!(sent(&daily(restless.chain([68_100]))), [(100_000, 80_100, 1)]);
}

#[test]
fn a_price_counts_for_ninety_days() {
    // Asked until day 10; the cut to 81 % follows on day 100 or a day later.
    let falls_on = |day: i64| home(&[(0, 100_000), (10 * DAY, 90_000), (day * DAY, 81_000)]);
    assert_eq!(sent(&falls_on(100)), [(100_000, 81_000, 100)]);
    assert_eq!(sent(&falls_on(101)), []);
    // After an alert, its price expires in the same way.
    let after = |day: i64| home(&[(0, 130_000), (1, 100_000), (10 * DAY, 90_000), (day * DAY, 81_000)]);
    assert_eq!(sent(&after(100)), [(130_000, 100_000, 0), (100_000, 81_000, 100)]);
    assert_eq!(sent(&after(101)), [(130_000, 100_000, 0)]);
}

#[test]
fn amounts_use_the_same_reference_and_noise_never_suffices() {
    let mut rules = Rules::default();
    rules.drops[0].amount_min.insert(Currency::USD, Minor(100_000));
    assert_eq!(sent_by(&rules, &daily([100_000, 99_500, 99_000])), [(100_000, 99_000, 2)]);
    rules.drops[0].amount_min.insert(Currency::USD, Minor(100));
    assert_eq!(sent_by(&rules, &daily([100_000, 99_998])), []);
    assert_eq!(sent_by(&rules, &daily([100_000, 99_800, 99_600, 99_400])), [(100_000, 99_400, 3)]);
}

#[test]
fn a_rule_of_zero_percent_still_needs_a_lower_price() {
    let mut rules = Rules { noise_bp: 0, ..Rules::default() };
    rules.drops[0].share_bp_min = Some(0);
    assert_eq!(sent_by(&rules, &daily([100, 110, 110, 105, 107, 105])), [(110, 105, 3)]);
}

#[test]
fn alerts_of_the_old_history_are_not_raised_again() {
    assert_eq!(judge(&[(0, 100), (1, 80)], &[(0, 100), (1, 80), (2, 80)]), []);
    let [first] = &judge(&[], &[(0, 100), (1, 80)])[..] else { panic!("one") };
    let (held, again) = ((2, 100), (2 + 15 * DAY, 80));
    let [second] = &judge(&[(0, 100), (1, 80), held], &[(0, 100), (1, 80), held, again])[..] else {
        panic!("the second drop to the same price is a second alert")
    };
    assert_ne!(first.id, second.id);
}

#[test]
fn a_late_confirmation_that_moves_a_change_raises_no_new_alert() {
    assert_eq!(judge(&[(0, 100), (3, 80)], &[(0, 100), (2, 80), (3, 80)]), []);
}

#[test]
fn a_late_price_that_moves_the_reference_raises_no_new_alert() {
    assert_eq!(judge(&[(0, 100), (3, 80)], &[(0, 100), (2, 104), (3, 80)]), []);
    assert_eq!(judge(&[(0, 100), (3, 80)], &[(0, 100), (2, 90), (3, 80)]), []);
}

#[test]
fn ids_do_not_depend_on_batches() {
    let at_once = judge(&[], &[(0, 100), (1, 80), (2, 60)]);
    let first = judge(&[(0, 100)], &[(0, 100), (1, 80)]);
    let second = judge(&[(0, 100), (1, 80)], &[(0, 100), (1, 80), (2, 60)]);
    let ids = |alerts: &[Alert]| alerts.iter().map(|a| a.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&at_once), [ids(&first), ids(&second)].concat());
}

#[test]
fn spells_and_terms_have_their_own_reference() {
    let seen = |what: &[(i64, Status, i64, Purpose)]| {
        let mut home = Home::default();
        for (day, status, dollars, purpose) in what {
            let listing =
                Listing { status: *status, list_price: Some(Minor(dollars * 100)), purpose: *purpose, ..listing() };
            see(&mut home, day * DAY, &listing);
        }
        sent(&home)
    };
    use Purpose::{Rent, Sale};
    use Status::{Active, Closed, ComingSoon, Gone, Pending};
    // Sold, and offered again.
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Closed, 95, Sale), (9, Active, 80, Sale)]), []);
    // A gap of up to 90 days belongs to the same spell; a longer one ends it.
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Gone, 100, Sale), (95, Active, 80, Sale)]), [(100, 80, 95)]);
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Gone, 100, Sale), (96, Active, 80, Sale)]), []);
    // A rent is not a cut of a sale price.
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Active, 80, Rent), (6, Active, 100, Sale)]), []);
    // A price of a home that is off the market counts when the home is offered again.
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Gone, 80, Sale)]), []);
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Gone, 80, Sale), (9, Active, 80, Sale)]), [(100, 80, 9)]);
    assert_eq!(seen(&[(0, ComingSoon, 100, Sale), (5, Active, 80, Sale)]), []);
    // A home under contract still has a price.
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Pending, 80, Sale)]), [(100, 80, 5)]);
}

#[test]
fn a_missing_price_keeps_the_last_one() {
    let unnamed = |days: i64| {
        let mut home = home(&[(0, 100)]);
        see(&mut home, DAY, &listing());
        see(&mut home, (1 + days) * DAY, &Listing { list_price: Some(Minor(8_000)), ..listing() });
        sent(&home)
    };
    assert_eq!(unnamed(1), [(100, 80, 2)]);
    assert_eq!(unnamed(200), [(100, 80, 201)]);
}

#[test]
fn a_fall_to_a_tenth_is_suspect_once_and_no_reference() {
    let doubts = |prices: &[i64]| doubts(&daily(prices.iter().copied()));
    let slip = doubts(&[269_900, 26_990]);
    assert!(slip.len() == 1 && slip[0].contains("a tenth"), "{slip:?}");
    assert_eq!(doubts(&[269_900, 26_990, 269_900, 26_990, 269_900, 26_990]).len(), 1);
    // Neither the next price nor the one after the correction is compared with the mistake.
    assert_eq!(sent(&daily([200_000, 20_000, 19_000, 200_000, 160_000])), [(200_000, 160_000, 4)]);
    // The price that corrects a mistake may itself be a drop.
    assert_eq!(sent(&daily([200_000, 20_000, 160_000])), [(200_000, 160_000, 2)]);
}

#[test]
fn a_price_held_for_fourteen_days_is_not_a_mistake() {
    // Ten times too much at first: later prices are compared with the intended price.
    let mended = |days: i64| home(&[(0, 2_700_000), (1, 270_000), (1 + days * DAY, 220_000)]);
    assert_eq!(sent(&mended(13)), []);
    assert_eq!(sent(&mended(14)), [(270_000, 220_000, 14)]);
    assert_eq!((doubts(&mended(13)).len(), doubts(&mended(14)).len()), (2, 1));
}

#[test]
fn a_drop_that_takes_back_a_recent_doubling_is_suspect_and_the_doubling_no_reference() {
    let back_after = |days: i64| home(&[(0, 690_000), (DAY, 1_390_000), ((1 + days) * DAY, 690_000)]);
    assert!(doubts(&back_after(1))[0].contains("takes back"), "{:?}", doubts(&back_after(1)));
    assert_eq!(sent(&back_after(1)), []);
    assert_eq!(sent(&back_after(40)), [(1_390_000, 690_000, 41)]);
    let mild = daily([690_000, 990_000, 690_000]);
    assert_eq!(sent(&mild), [(990_000, 690_000, 2)], "a seller may try a higher price for a day");
    assert_eq!(sent(&daily([690_000, 1_390_000, 690_000, 600_000])), []);
    assert_eq!(sent(&daily([690_000, 1_390_000, 690_000, 586_500])), [(690_000, 586_500, 3)]);
}

#[test]
fn a_suspect_alert_does_not_suppress_a_later_real_one() {
    // With the late sighting of 120, the price of 40 does not look like a mistake any more.
    let (old, new) = (&[(0, 200), (3, 40)][..], &[(0, 200), (2, 120), (3, 40)][..]);
    let [before] = &judge(&[], old)[..] else { panic!("one") };
    assert!(matches!(before.verdict, Verdict::Suspect(_)));
    let after = judge(old, new);
    assert_eq!(after.iter().map(|alert| alert.to.0 / 100).collect::<Vec<_>>(), [120, 40]);
    assert!(after.iter().all(|alert| alert.verdict == Verdict::Alert && alert.id != before.id));
}

#[test]
fn the_narrowest_area_that_has_rules_decides() {
    let rule = |area: Option<&str>, bp| DropRule {
        name: "price-drop".into(),
        area: area.map(str::to_owned),
        share_bp_min: Some(bp),
        amount_min: BTreeMap::new(),
    };
    let rules = |drops| Rules { drops, ..Rules::default() };
    let in_seattle = |prices: &[(i64, i64)]| {
        let mut home = Home::default();
        for (hour, dollars) in prices {
            let mut seen = Listing { list_price: Some(Minor(dollars * 100)), ..listing() };
            seen.address.country = Some("US".into());
            see(&mut home, *hour, &seen);
        }
        home
    };
    let fell = in_seattle(&[(0, 100_000), (1, 92_000)]);
    let raises = |drops| !sent_by(&rules(drops), &fell).is_empty();
    assert!(!raises(vec![rule(None, 1_500)]));
    assert!(raises(vec![rule(None, 1_500), rule(Some("us/wa/king"), 500)]));
    assert!(raises(vec![rule(Some("us/wa/king/seattle/98178"), 500)]), "without any other rule");
    assert!(!raises(vec![rule(None, 500), rule(Some("us/wa"), 1_000)]), "a higher threshold also applies");
    assert!(!raises(vec![rule(Some("us/wa"), 500), rule(Some("us/wa/king"), 1_000)]), "the narrower area decides");
    assert!(
        !raises(vec![rule(None, 1_500), rule(Some("us/w"), 500), rule(Some("us/or"), 500)]),
        "the home is in neither area"
    );
    // A different threshold does not make a different alert.
    let id_of = |drops| rules(drops).standing(&id(), &fell)[0].id.clone();
    assert_eq!(id_of(vec![rule(None, 500)]), id_of(vec![rule(Some("us"), 700)]));
}
