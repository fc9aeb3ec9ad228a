//! Which closed intervals are a sale, on which day it was and for how much.

use stoop_domain::{Day, Facts, History, Minor, Purpose, Sighting, Status, Time};

use crate::support::{DAY, START, facts, in_area};

use Status::{Active, Closed, ComingSoon, Gone, Withdrawn};

/// A closed row: `CloseDate`, in days after the start, and `ClosePrice`.
fn closed(on: Option<i64>, price: Option<i64>) -> Facts {
    given(facts(Closed, 500), on, price)
}

fn given(facts: Facts, on: Option<i64>, price: Option<i64>) -> Facts {
    let close_date = on.map(|on| Day(i32::try_from(START / DAY + on).unwrap()));
    Facts { close_date, close_price: price.map(Minor), ..facts }
}

fn open(status: Status) -> Facts {
    facts(status, 500)
}

/// For each sale: the index of its interval, its day and its price.
type Sale = (usize, Option<i64>, Option<i64>);

/// The sales of a home with these facts from these days on, whatever their order of arrival.
fn sales(seen: &[(i64, Facts)]) -> Vec<Sale> {
    let mut histories = [History::default(), History::default()];
    let apply = |history: &mut History, (day, facts): &(i64, Facts)| {
        history.apply(Sighting::at(Time::from_ms(START + day * DAY)), facts, None);
    };
    seen.iter().for_each(|one| apply(&mut histories[0], one));
    seen.iter().rev().for_each(|one| apply(&mut histories[1], one));
    assert_eq!(histories[0], histories[1]);
    let steps = histories[0].steps();
    let sale = |(index, step): (usize, &stoop_domain::Step<'_>)| {
        let day = |day: Day| i64::from(day.0) - START / DAY;
        step.sold.map(|sold| (index, sold.on.map(day), sold.price.map(|price| price.0)))
    };
    steps.iter().enumerate().filter_map(sale).collect()
}

#[test]
fn a_sale_that_is_dated_later_is_one_sale_on_its_date() {
    let seen = [(0, open(Active)), (20, closed(None, None)), (21, closed(Some(19), Some(490)))];
    assert_eq!(sales(&seen), [(1, Some(19), Some(490))]);
    // Of a home that was never seen unsold, only the source knows the day.
    let seen = [(20, closed(None, None)), (21, closed(Some(20), Some(490)))];
    assert_eq!(sales(&seen), [(1, Some(20), Some(490))]);
    assert_eq!(sales(&[(20, closed(None, None)), (21, closed(None, Some(490)))]), []);
    assert_eq!(sales(&[(20, closed(None, None)), (21, open(Gone)), (22, closed(None, Some(490)))]), []);
    let offered = [(20, closed(None, None)), (21, open(Active)), (22, closed(None, Some(490)))];
    assert_eq!(sales(&offered), [(2, None, Some(490))]);
    for status in [ComingSoon, Withdrawn] {
        assert_eq!(sales(&[(20, open(status)), (21, closed(None, Some(490)))]), [(1, None, Some(490))]);
    }
}

#[test]
fn the_last_day_and_price_of_a_sale_count_and_missing_ones_change_nothing() {
    let corrected =
        [(0, open(Active)), (20, closed(Some(18), Some(4_900))), (21, closed(Some(19), Some(490))), (22, open(Gone))];
    assert_eq!(sales(&corrected), [(1, Some(19), Some(490))]);
    let kept = [(0, open(Active)), (20, closed(Some(18), Some(490))), (30, closed(None, None))];
    assert_eq!(sales(&kept), [(1, Some(18), Some(490))]);
    // A letting beside the sale is no news of the sale.
    let rent = in_area("Alfama", Purpose::Rent, Closed, 2);
    let other = [(0, open(Active)), (20, closed(None, Some(490))), (30, given(rent, Some(25), Some(2)))];
    assert_eq!(sales(&other), [(1, None, Some(490))]);
}

#[test]
fn a_date_more_than_thirty_days_after_every_day_given_is_another_sale() {
    let again = |first: Option<i64>, second: i64| {
        sales(&[(0, open(Active)), (20, closed(first, None)), (second + 1, closed(Some(second), None))])
    };
    assert_eq!(again(Some(18), 48), [(1, Some(48), None)]);
    assert_eq!(again(Some(18), 49), [(1, Some(18), None), (2, Some(49), None)]);
    // Without a date, the first counts on the day on which it was seen.
    assert_eq!(again(None, 50), [(1, Some(50), None)]);
    assert_eq!(again(None, 51), [(1, None, None), (2, Some(51), None)]);
    assert_eq!(again(None, 200), [(1, None, None), (2, Some(200), None)]);
    // A wrong correction that is taken back is no sale.
    let seen = [(0, open(Active)), (20, closed(Some(18), None)), (21, closed(Some(-60), None))];
    let back = [seen.as_slice(), &[(22, closed(Some(18), Some(490)))]].concat();
    assert_eq!(sales(&back), [(1, Some(18), Some(490))]);
}
