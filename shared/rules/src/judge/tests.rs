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

/// A home that is seen once a day, at these prices.
fn daily(prices: impl IntoIterator<Item = i64>) -> Home {
    home(&(0..).map(|day| day * DAY).zip(prices).collect::<Vec<_>>())
}

fn id() -> HomeId {
    HomeId("t/1".into())
}

fn judge(old: &[(i64, i64)], new: &[(i64, i64)]) -> Vec<Alert> {
    let old = (!old.is_empty()).then(|| home(old));
    Rules::default().judge(&id(), old.as_ref(), &home(new))
}

/// From where to where each alert goes that is told, in dollars, and the day it is told on.
fn reported(home: &Home) -> Vec<(i64, i64, i64)> {
    reported_by(&Rules::default(), home)
}

fn reported_by(rules: &Rules, home: &Home) -> Vec<(i64, i64, i64)> {
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
fn fifteen_percent_is_reported_and_a_hair_less_is_not() {
    let [alert] = &judge(&[(0, 100_000)], &[(0, 100_000), (1, 85_000)])[..] else { panic!("one alert") };
    assert_eq!((alert.drop_bp, &alert.verdict), (1_500, &Verdict::Alert));
    assert_eq!(judge(&[(0, 100_000)], &[(0, 100_000), (1, 85_001)]), []);
}

#[test]
fn a_home_that_falls_by_little_steps_is_reported_of() {
    // Eight cuts of 7 % are 44 %.
    let steps = [100_000, 93_000, 86_500, 80_400, 74_800, 69_600, 64_700, 60_200, 56_000];
    assert_eq!(reported(&daily(steps)), [(100_000, 80_400, 3), (80_400, 64_700, 6)]);
}

#[test]
fn a_price_that_flaps_is_reported_once() {
    let flapping = (0..40).map(|day| if day % 2 == 0 { 100_000 } else { 80_000 });
    assert_eq!(reported(&daily(flapping)), [(100_000, 80_000, 1)]);
    let by_cents = (0..40).map(|day| if day % 2 == 0 { 100_000 + day } else { 80_000 - day });
    assert_eq!(reported(&daily(by_cents)), [(100_000, 79_999, 1)]);
}

#[test]
fn a_price_that_is_reported_is_what_the_next_is_compared_with() {
    assert_eq!(reported(&daily([100_000, 80_000, 68_001])), [(100_000, 80_000, 1)]);
    assert_eq!(reported(&daily([100_000, 80_000, 68_000])), [(100_000, 80_000, 1), (80_000, 68_000, 2)]);
}

#[test]
fn after_an_alert_only_a_price_that_held_for_fourteen_days_lifts_the_reference() {
    let days = |hours: i64| home(&[(0, 100_000), (24, 80_000), (48, 96_000), (48 + hours, 80_000)]);
    assert_eq!(reported(&days(14 * DAY - 1)), [(100_000, 80_000, 1)]);
    assert_eq!(reported(&days(14 * DAY)), [(100_000, 80_000, 1), (96_000, 80_000, 16)]);
    // A higher price that does not hold lifts nothing, however long the home is shown at others above it.
    let restless = (0..60).map(|day| if day == 0 { 100_000 } else { 80_000 + day * 100 });
    assert_eq!(reported(&daily(restless.chain([68_100]))), [(100_000, 80_100, 1)]);
}

#[test]
fn a_price_that_was_asked_more_than_ninety_days_ago_is_forgotten() {
    // Asked until day 10; the cut to 81 % comes on day 100, or a day later.
    let falls_on = |day: i64| home(&[(0, 100_000), (10 * DAY, 90_000), (day * DAY, 81_000)]);
    assert_eq!(reported(&falls_on(100)), [(100_000, 81_000, 100)]);
    assert_eq!(reported(&falls_on(101)), []);
    // After an alert the price that was told is forgotten likewise.
    let after = |day: i64| home(&[(0, 130_000), (1, 100_000), (10 * DAY, 90_000), (day * DAY, 81_000)]);
    assert_eq!(reported(&after(100)), [(130_000, 100_000, 0), (100_000, 81_000, 100)]);
    assert_eq!(reported(&after(101)), [(130_000, 100_000, 0)]);
}

#[test]
fn an_amount_is_counted_from_the_same_reference_and_noise_is_never_enough() {
    let mut rules = Rules::default();
    rules.drops[0].amount_min.insert(Currency::USD, Minor(100_000));
    assert_eq!(reported_by(&rules, &daily([100_000, 99_500, 99_000])), [(100_000, 99_000, 2)]);
    rules.drops[0].amount_min.insert(Currency::USD, Minor(100));
    assert_eq!(reported_by(&rules, &daily([100_000, 99_998])), []);
    assert_eq!(reported_by(&rules, &daily([100_000, 99_800, 99_600, 99_400])), [(100_000, 99_400, 3)]);
}

#[test]
fn a_rule_of_no_percent_tells_of_no_price_that_is_not_lower() {
    let mut rules = Rules { noise_bp: 0, ..Rules::default() };
    rules.drops[0].share_bp_min = Some(0);
    assert_eq!(reported_by(&rules, &daily([100, 110, 110, 105, 107, 105])), [(110, 105, 3)]);
}

#[test]
fn what_was_in_the_old_history_is_not_reported_again() {
    assert_eq!(judge(&[(0, 100), (1, 80)], &[(0, 100), (1, 80), (2, 80)]), []);
    let [first] = &judge(&[], &[(0, 100), (1, 80)])[..] else { panic!("one") };
    let (held, again) = ((2, 100), (2 + 15 * DAY, 80));
    let [second] = &judge(&[(0, 100), (1, 80), held], &[(0, 100), (1, 80), held, again])[..] else {
        panic!("the same price told a second time is a second change")
    };
    assert_ne!(first.id, second.id);
}

#[test]
fn a_late_confirmation_that_moves_a_change_in_time_is_no_new_change() {
    assert_eq!(judge(&[(0, 100), (3, 80)], &[(0, 100), (2, 80), (3, 80)]), []);
}

#[test]
fn a_late_price_that_moves_the_reference_is_no_new_change() {
    assert_eq!(judge(&[(0, 100), (3, 80)], &[(0, 100), (2, 104), (3, 80)]), []);
    assert_eq!(judge(&[(0, 100), (3, 80)], &[(0, 100), (2, 90), (3, 80)]), []);
}

#[test]
fn ids_are_the_same_however_the_batches_were_cut() {
    let at_once = judge(&[], &[(0, 100), (1, 80), (2, 60)]);
    let first = judge(&[(0, 100)], &[(0, 100), (1, 80)]);
    let second = judge(&[(0, 100), (1, 80)], &[(0, 100), (1, 80), (2, 60)]);
    let ids = |alerts: &[Alert]| alerts.iter().map(|a| a.id.clone()).collect::<Vec<_>>();
    assert_eq!(ids(&at_once), [ids(&first), ids(&second)].concat());
}

#[test]
fn another_spell_and_other_terms_have_a_reference_of_their_own() {
    let seen = |what: &[(i64, Status, i64, Purpose)]| {
        let mut home = Home::default();
        for (day, status, dollars, purpose) in what {
            let listing =
                Listing { status: *status, list_price: Some(Minor(dollars * 100)), purpose: *purpose, ..listing() };
            see(&mut home, day * DAY, &listing);
        }
        reported(&home)
    };
    use Purpose::{Rent, Sale};
    use Status::{Active, Closed, ComingSoon, Gone, Pending};
    // Sold, and offered again.
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Closed, 95, Sale), (9, Active, 80, Sale)]), []);
    // Away for up to 90 days it is the same stay on the market; after that it is another.
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Gone, 100, Sale), (95, Active, 80, Sale)]), [(100, 80, 95)]);
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Gone, 100, Sale), (96, Active, 80, Sale)]), []);
    // A rent is no cut of a sale price.
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Active, 80, Rent), (6, Active, 100, Sale)]), []);
    // What is named while nobody can buy is asked of nobody; when it is asked, it is news.
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Gone, 80, Sale)]), []);
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Gone, 80, Sale), (9, Active, 80, Sale)]), [(100, 80, 9)]);
    assert_eq!(seen(&[(0, ComingSoon, 100, Sale), (5, Active, 80, Sale)]), []);
    // Under contract it is on offer still.
    assert_eq!(seen(&[(0, Active, 100, Sale), (5, Pending, 80, Sale)]), [(100, 80, 5)]);
}

#[test]
fn a_price_that_is_not_named_for_a_while_stands() {
    let unnamed = |days: i64| {
        let mut home = home(&[(0, 100)]);
        see(&mut home, DAY, &listing());
        see(&mut home, (1 + days) * DAY, &Listing { list_price: Some(Minor(8_000)), ..listing() });
        reported(&home)
    };
    assert_eq!(unnamed(1), [(100, 80, 2)]);
    assert_eq!(unnamed(200), [(100, 80, 201)]);
}

#[test]
fn a_price_to_a_tenth_is_held_back_once_and_is_no_reference() {
    let doubts = |prices: &[i64]| doubts(&daily(prices.iter().copied()));
    let slip = doubts(&[269_900, 26_990]);
    assert!(slip.len() == 1 && slip[0].contains("a tenth"), "{slip:?}");
    assert_eq!(doubts(&[269_900, 26_990, 269_900, 26_990, 269_900, 26_990]).len(), 1);
    // Neither what comes next nor what comes after it is put right is compared with the slip.
    assert_eq!(reported(&daily([200_000, 20_000, 19_000, 200_000, 160_000])), [(200_000, 160_000, 4)]);
    // The price that puts a slip right may itself be a drop.
    assert_eq!(reported(&daily([200_000, 20_000, 160_000])), [(200_000, 160_000, 2)]);
}

#[test]
fn a_price_that_holds_for_fourteen_days_is_no_slip() {
    // Ten times too much at first: what follows is compared with the price that was meant.
    let mended = |days: i64| home(&[(0, 2_700_000), (1, 270_000), (1 + days * DAY, 220_000)]);
    assert_eq!(reported(&mended(13)), []);
    assert_eq!(reported(&mended(14)), [(270_000, 220_000, 14)]);
    assert_eq!((doubts(&mended(13)).len(), doubts(&mended(14)).len()), (2, 1));
}

#[test]
fn a_drop_that_takes_back_a_fresh_doubling_is_held_back_and_the_doubling_is_no_reference() {
    let back_after = |days: i64| home(&[(0, 690_000), (DAY, 1_390_000), ((1 + days) * DAY, 690_000)]);
    assert!(doubts(&back_after(1))[0].contains("takes back"), "{:?}", doubts(&back_after(1)));
    assert_eq!(reported(&back_after(1)), []);
    assert_eq!(reported(&back_after(40)), [(1_390_000, 690_000, 41)]);
    let mild = daily([690_000, 990_000, 690_000]);
    assert_eq!(reported(&mild), [(990_000, 690_000, 2)], "a seller may try a higher price for a day");
    assert_eq!(reported(&daily([690_000, 1_390_000, 690_000, 600_000])), []);
    assert_eq!(reported(&daily([690_000, 1_390_000, 690_000, 586_500])), [(690_000, 586_500, 3)]);
}

#[test]
fn what_is_reported_is_not_hushed_up_because_it_was_held_back_before() {
    // The late sighting of 120 makes the price of 40 no slip any more.
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
    let tells = |drops| !reported_by(&rules(drops), &fell).is_empty();
    assert!(!tells(vec![rule(None, 1_500)]));
    assert!(tells(vec![rule(None, 1_500), rule(Some("us/wa/king"), 500)]));
    assert!(tells(vec![rule(Some("us/wa/king/seattle/98178"), 500)]), "where nothing else is told");
    assert!(!tells(vec![rule(None, 500), rule(Some("us/wa"), 1_000)]), "a higher bar, too");
    assert!(!tells(vec![rule(Some("us/wa"), 500), rule(Some("us/wa/king"), 1_000)]), "the narrower");
    assert!(!tells(vec![rule(None, 1_500), rule(Some("us/w"), 500), rule(Some("us/or"), 500)]), "it lies in neither");
    // Another threshold is no other alert.
    let id_of = |drops| rules(drops).standing(&id(), &fell)[0].id.clone();
    assert_eq!(id_of(vec![rule(None, 500)]), id_of(vec![rule(Some("us"), 700)]));
}
