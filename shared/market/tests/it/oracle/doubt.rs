//! Which prices are doubtful.

use super::*;

/// The price of interval `i`, if it belongs to a spell.
pub(super) fn named(intervals: &[Interval], i: usize) -> Option<i64> {
    let state = &intervals[i].state;
    state.price.filter(|_| !is_before(state) && !is_sold(state) && spell_of(intervals, i).is_some())
}

/// The last price that counts in the spell of interval `i` before it.
pub(super) fn price_before(intervals: &[Interval], i: usize) -> Option<i64> {
    let mut asked = None;
    for j in spell_of(intervals, i)?..i {
        if let Some(price) = named(intervals, j)
            && !looks_wrong(intervals, j, price, asked)
        {
            asked = Some(price);
        }
    }
    asked
}

/// Whether the price of interval `i` is in no figure.
pub(super) fn is_doubtful(intervals: &[Interval], i: usize) -> bool {
    named(intervals, i).is_some_and(|price| looks_wrong(intervals, i, price, price_before(intervals, i)))
}

pub(super) fn looks_wrong(intervals: &[Interval], i: usize, price: i64, asked: Option<i64>) -> bool {
    let paid = witness(intervals, i);
    let leaps = |other: i64| {
        let (one, other) = (i128::from(price), i128::from(other));
        one >= 4 * other || other >= 4 * one
    };
    if asked == Some(price) || paid.is_some_and(|paid| is_near(price, paid)) {
        return false;
    }
    if !asked.is_some_and(leaps) && !paid.is_some_and(leaps) && !is_placeholder(price) {
        return false;
    }
    // The days on which this price was sighted, before and after, while there was no other price.
    let stays = |j: &usize| is_shown(intervals, i, *j) && intervals[*j].state.price.is_none_or(|other| other == price);
    let around = (0..i).rev().take_while(stays).chain((i..intervals.len()).take_while(stays));
    let states = |j: &usize| intervals[*j].state.price.is_some() && intervals[*j].state.status != Status::Gone;
    let days: BTreeSet<i64> = around.filter(states).flat_map(|j| intervals[j].days.clone()).collect();
    days.len() < 2
}

/// Whether interval `j` belongs to the spell of interval `i`.
fn is_shown(intervals: &[Interval], i: usize, j: usize) -> bool {
    !is_sold(&intervals[j].state)
        && spell_of(intervals, j).is_some()
        && spell_of(intervals, j) == spell_of(intervals, i)
}

/// The closing price of the sale that ends the spell of interval `i`, if it is possible and a price asked in the spell is
/// near to it.
fn witness(intervals: &[Interval], i: usize) -> Option<i64> {
    let end = (i..intervals.len()).find(|j| !is_shown(intervals, i, *j))?;
    let state = &intervals[end].state;
    let paid = sale_of(intervals, end).filter(|_| same_terms(state, &intervals[i].state))?.price?;
    let asked = (0..end).filter(|j| is_shown(intervals, i, *j)).filter_map(|j| named(intervals, j));
    (is_possible(paid, state) && asked.into_iter().any(|price| is_near(price, paid))).then_some(paid)
}

/// From 100 to ten billion dollars or euros; a rent from 10 to a hundred million.
pub(super) fn is_possible(paid: i64, state: &State) -> bool {
    if state.rent { (1_000..=10_000_000_000).contains(&paid) } else { (10_000..=1_000_000_000_000).contains(&paid) }
}

/// Between half and double.
fn is_near(price: i64, paid: i64) -> bool {
    let (price, paid) = (i128::from(price), i128::from(paid));
    2 * price >= paid && 2 * paid >= price
}

/// Works on the decimal text, for currencies with cents.
pub(super) fn is_placeholder(price: i64) -> bool {
    let Some(digits) = price.to_string().strip_suffix("00").map(str::to_owned) else { return false };
    let first = &digits[..1];
    let same = digits.chars().all(|digit| first.contains(digit));
    let known = ["12345", "123456", "1234567", "12345678", "123456789"].contains(&digits.as_str());
    known || same && digits.len() >= if first == "9" { 7 } else { 5 }
}
