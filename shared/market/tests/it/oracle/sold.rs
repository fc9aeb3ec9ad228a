//! Which closed intervals are sales, and their days and prices.

use super::*;

/// What the source gives last for a sale.
#[derive(Clone, Copy, Debug)]
pub(super) struct GivenSale {
    /// `CloseDate`, if there is a possible one.
    pub(super) day: Option<i32>,
    pub(super) price: Option<i64>,
}

/// From 1990 to the day after the interval began.
fn close_day(interval: &Interval) -> Option<i32> {
    let day = interval.state.close_day?;
    (day >= 7_305 && i64::from(day) <= interval.at.div_euclid(DAY) + 1).then_some(day)
}

/// The closed intervals up to `i` since the home was last on the market.
fn closed_since_offered(intervals: &[Interval], i: usize) -> Vec<usize> {
    let offered = (0..i).rev().find(|j| is_on_market(&intervals[*j].state));
    (offered.map_or(0, |j| j + 1)..=i).filter(|j| is_sold(&intervals[*j].state)).collect()
}

/// The day that a closed interval gives: the first one after an offer, or of a home that was first seen otherwise, gives
/// one even without a date.
fn day_given(intervals: &[Interval], i: usize) -> Option<i32> {
    let interval = &intervals[i];
    let offered = intervals[..i].iter().any(|before| is_on_market(&before.state));
    let is_first = closed_since_offered(intervals, i).len() == 1;
    let seen_on = || day_of(interval.at, &interval.state.market().area.country().zone);
    let needs_date = is_sold(&intervals[0].state) && !offered;
    close_day(interval).or_else(|| (is_first && !needs_date).then(seen_on))
}

/// Whether a sale begins with interval `i`: no day of the same closing is given before that is less than 31 days earlier.
fn begins(intervals: &[Interval], i: usize) -> bool {
    let Some(day) = Some(i).filter(|i| is_sold(&intervals[*i].state)).and_then(|i| day_given(intervals, i)) else {
        return false;
    };
    let earlier = closed_since_offered(intervals, i).into_iter().filter(|j| *j < i);
    earlier.filter_map(|j| day_given(intervals, j)).all(|before| day - before > 30)
}

/// The sale that begins with interval `i`.
pub(super) fn sale_of(intervals: &[Interval], i: usize) -> Option<GivenSale> {
    if !begins(intervals, i) {
        return None;
    }
    let until_offered = (i..intervals.len()).take_while(|j| !is_on_market(&intervals[*j].state));
    let of_sale: Vec<usize> = until_offered.take_while(|j| *j == i || !begins(intervals, *j)).collect();
    let given = || of_sale.iter().rev().map(|j| &intervals[*j]).filter(|one| is_sold(&one.state));
    let given = || given().filter(|one| same_terms(&one.state, &intervals[i].state));
    Some(GivenSale { day: given().find_map(close_day), price: given().find_map(|one| one.state.close_price) })
}
