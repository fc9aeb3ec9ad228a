//! Doubtful prices: excluded everywhere until they are sighted on another day.

use stoop_domain::{Applied, Doubt, Facts, History, Minor, Purpose, Sighting, Status, Time};

use crate::support::{HOUR, START, facts, in_area};

use Status::{Active, Closed, ComingSoon, Gone, Incomplete, Pending, Withdrawn};

/// A home that was seen at these hours with these states and prices.
fn home(seen: &[(i64, Status, i64)]) -> History {
    let mut history = History::default();
    for (hour, status, price) in seen {
        history.apply(Sighting::at(at(*hour)), &facts(*status, *price), None);
    }
    history
}

fn at(hour: i64) -> Time {
    Time::from_ms(START + hour * HOUR)
}

/// For an interval: why its price is doubtful, and its price change.
type Reported = (Option<Doubt>, Option<(i64, i64)>);

fn reported(history: &History) -> Vec<Reported> {
    let steps = history.steps();
    steps.iter().map(|step| (step.doubtful, step.change.map(|change| (change.from.0, change.to.0)))).collect()
}

fn originals(history: &History) -> Vec<Option<i64>> {
    history.steps().iter().map(|step| step.spell.original.map(|price| price.0)).collect()
}

const FALL: Option<Doubt> = Some(Doubt::Fall);
const RISE: Option<Doubt> = Some(Doubt::Rise);
const PLACEHOLDER: Option<Doubt> = Some(Doubt::Placeholder);

#[test]
fn a_corrected_slip_is_no_event_and_no_base_of_later_changes() {
    let slip = home(&[(0, Active, 50_000), (24, Active, 5_000), (30, Active, 50_000), (48, Active, 45_000)]);
    assert_eq!(reported(&slip), [(None, None), (FALL, None), (None, None), (None, Some((50_000, 45_000)))]);
    let slip = home(&[(0, Active, 50_000), (24, Active, 500_000), (30, Active, 48_000)]);
    assert_eq!(reported(&slip), [(None, None), (RISE, None), (None, Some((50_000, 48_000)))]);
}

#[test]
fn a_price_sighted_on_another_day_counts_from_its_first_sighting() {
    let before = home(&[(0, Active, 50_000), (24, Active, 5_000), (47, Active, 5_000)]);
    assert_eq!(reported(&before), [(None, None), (FALL, None)], "twice on one day");
    let after = home(&[(0, Active, 50_000), (24, Active, 5_000), (47, Active, 5_000), (48, Active, 5_000)]);
    assert_eq!(reported(&after), [(None, None), (None, Some((50_000, 5_000)))]);
    assert_eq!(after.steps()[1].interval.first, at(24));
    // The sighting on another day may belong to a later interval if no other price came in between.
    let pending = home(&[(0, Active, 50_000), (24, Active, 5_000), (30, Active, 0), (50, Pending, 5_000)]);
    assert_eq!(reported(&pending), [(None, None), (None, Some((50_000, 5_000))), (None, None), (None, None)]);
    // But not if another price came in between.
    let flaps = home(&[(0, Active, 50_000), (24, Active, 5_000), (30, Active, 50_000), (50, Active, 5_000)]);
    assert_eq!(reported(&flaps), [(None, None), (FALL, None), (None, None), (FALL, None)]);
}

#[test]
fn the_next_price_is_compared_with_the_last_accepted_one() {
    let both = home(&[
        (0, Active, 50_000),
        (24, Active, 5_000),
        (48, Active, 5_000),
        (72, Active, 4_800),
        (74, Active, 48_000),
    ]);
    assert_eq!(
        reported(&both),
        [(None, None), (None, Some((50_000, 5_000))), (None, Some((5_000, 4_800))), (RISE, None)]
    );
}

#[test]
fn a_placeholder_as_first_price_is_doubtful_and_not_the_original_price() {
    let listed = home(&[(0, Active, 9_999_999_900), (5, Active, 40_000_000), (30, Active, 38_000_000)]);
    assert_eq!(reported(&listed), [(PLACEHOLDER, None), (None, None), (None, Some((40_000_000, 38_000_000)))]);
    assert_eq!(originals(&listed), [None, Some(40_000_000), Some(40_000_000)]);
    let meant = home(&[(0, Active, 5_555_500), (30, Active, 5_555_500), (31, Active, 5_000_000)]);
    assert_eq!(reported(&meant), [(None, None), (None, Some((5_555_500, 5_000_000)))]);
    assert_eq!(originals(&meant), [Some(5_555_500); 2]);
    // A price that counts already needs no second day when it returns.
    let back =
        home(&[(0, Active, 5_555_500), (30, Active, 5_555_500), (31, Active, 99_000_000), (32, Active, 5_555_500)]);
    assert_eq!(reported(&back), [(None, None), (RISE, None), (None, None)]);
}

#[test]
fn an_accepted_price_of_a_withdrawn_home_is_a_base_and_gone_is_not_a_sighting() {
    let withdrawn = home(&[(0, Active, 50_000), (24, Withdrawn, 100), (40, Active, 50_000)]);
    assert_eq!(reported(&withdrawn), [(None, None), (FALL, None), (None, None)]);
    // The poller reports that it is gone, with the last price that it saw.
    let gone = home(&[(0, Active, 50_000), (24, Active, 100), (50, Gone, 100), (75, Gone, 100)]);
    assert_eq!(reported(&gone), [(None, None), (FALL, None), (FALL, None)]);
    let insists = home(&[(0, Active, 50_000), (24, Withdrawn, 100), (50, Withdrawn, 100), (75, Active, 100)]);
    assert_eq!(reported(&insists), [(None, None); 3], "the price changed while the home was withdrawn");
}

#[test]
fn a_sighting_in_any_status_but_gone_clears_a_price() {
    for status in [ComingSoon, Incomplete, Withdrawn, Pending] {
        let home = home(&[(0, Active, 50_000), (48, Active, 10_000), (96, status, 10_000)]);
        assert_eq!(reported(&home)[1], (None, Some((50_000, 10_000))), "{status:?}");
    }
    // A price of a home that is not on offer yet is no base of later changes, but it is another price.
    let other = home(&[(0, Active, 50_000), (48, Active, 10_000), (96, ComingSoon, 30_000), (120, Active, 10_000)]);
    assert_eq!(reported(&other), [(None, None), (FALL, None), (None, None), (FALL, None)]);
}

/// A home that was seen at these hours with these states and prices, and then sold.
fn sold(seen: &[(i64, Status, i64)], for_price: i64) -> Vec<Reported> {
    let mut history = home(seen);
    let closed = Facts { close_price: Some(Minor(for_price)), ..facts(Closed, seen.last().unwrap().2) };
    history.apply(Sighting::at(at(1_000)), &closed, None);
    let mut all = reported(&history);
    all.pop();
    all
}

#[test]
fn a_price_that_the_sale_disproves_is_doubtful_if_another_one_agrees_with_it() {
    let mended = [(0, Active, 120_000), (24, Active, 1_200_000)];
    assert_eq!(sold(&mended, 1_190_000), [(FALL, None), (None, None)]);
    assert_eq!(sold(&mended, 120_000), [(None, None), (RISE, None)], "the second was the slip");
    assert_eq!(sold(&[(0, Active, 1_200_000), (24, Active, 120_000)], 110_000), [(RISE, None), (None, None)]);
    // What was shown on two days, was meant.
    let meant = [(0, Active, 120_000), (24, Active, 120_000), (48, Active, 1_200_000)];
    assert_eq!(sold(&meant, 1_190_000), [(None, None), (None, Some((120_000, 1_200_000)))]);
    // A closing price that no asked price is near to may be the mistake.
    assert_eq!(sold(&[(0, Active, 1_200_000), (24, Active, 1_100_000)], 119_000)[0], (None, None));
    assert_eq!(sold(&mended, 12), [(None, None), (RISE, None)], "impossible");
}

#[test]
fn a_price_within_half_and_double_of_the_closing_price_is_not_doubtful() {
    let fall = |paid| sold(&[(0, Active, 50_000), (24, Active, 50_000), (48, Active, 10_000)], paid)[1];
    let cut = (None, Some((50_000, 10_000)));
    assert_eq!([19_999, 20_000, 20_001, 40_001].map(fall), [cut, cut, (FALL, None), (FALL, None)]);
    // A spell that ends otherwise has no witness.
    let back = home(&[(0, Active, 120_000), (24, Active, 1_200_000), (48, Gone, 1_200_000)]);
    assert_eq!(reported(&back)[..2], [(None, None), (RISE, None)]);
    let mut let_then = home(&[(0, Active, 120_000), (24, Active, 1_200_000)]);
    let rent = Facts { close_price: Some(Minor(1_200_000)), ..in_area("Alfama", Purpose::Rent, Closed, 100) };
    let_then.apply(Sighting::at(at(1_000)), &rent, None);
    assert_eq!(reported(&let_then)[..2], [(None, None), (RISE, None)]);
}

#[test]
fn a_new_spell_does_not_compare_with_the_old_price() {
    let away = home(&[(0, Active, 50_000), (24, Gone, 50_000), (24 * 100, Active, 5_000)]);
    assert_eq!(reported(&away), [(None, None); 3]);
    let mut let_now = home(&[(0, Active, 50_000)]);
    let_now.apply(Sighting::at(at(24)), &in_area("Alfama", Purpose::Rent, Active, 100), None);
    assert_eq!(reported(&let_now), [(None, None); 2]);
}

#[test]
fn seeing_a_version_on_another_day_confirms_its_price() {
    let version = |of: i64, seen: i64| Sighting { at: at(of), seen: at(seen), versioned: true, ..Sighting::default() };
    let mut home = History::default();
    home.apply(version(0, 0), &facts(Active, 50_000), None);
    home.apply(version(24, 25), &facts(Active, 5_000), None);
    assert_eq!(reported(&home), [(None, None), (FALL, None)]);
    assert_eq!(home.apply(version(24, 49), &facts(Active, 5_000), None), Applied::Changed);
    assert_eq!(reported(&home), [(None, None), (None, Some((50_000, 5_000)))]);
}

#[test]
fn confirming_a_doubtful_price_changes_the_history_and_confirming_another_does_not() {
    let seen = [(0, Active, 50_000), (24, Active, 5_000), (48, Active, 5_000), (72, Active, 5_000)];
    let mut home = History::default();
    let applied = seen.map(|(hour, status, price)| home.apply(Sighting::at(at(hour)), &facts(status, price), None));
    assert_eq!(applied, [Applied::New, Applied::Changed, Applied::Changed, Applied::Unchanged]);
    // A late observation of the day before gives the same history.
    let mut late = History::default();
    for (hour, status, price) in [seen[3], seen[0], seen[2], seen[1]] {
        late.apply(Sighting::at(at(hour)), &facts(status, price), None);
    }
    assert_eq!(late, home);
}
