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
    let (price_128, asked_128) = (i128::from(price), asked.map(i128::from));
    let leaps = asked_128.is_some_and(|asked| price_128 >= 4 * asked || asked >= 4 * price_128);
    if asked == Some(price) || !leaps && !is_placeholder(price) {
        return false;
    }
    // The days on which this price was sighted, before and after, while there was no other price.
    let spell = spell_of(intervals, i);
    let stays = |j: &usize| {
        spell_of(intervals, *j) == spell
            && !is_sold(&intervals[*j].state)
            && named(intervals, *j).is_none_or(|other| other == price)
    };
    let around = (0..i).rev().take_while(stays).chain((i..intervals.len()).take_while(stays));
    let sighted = around.filter(|j| named(intervals, *j).is_some() && intervals[*j].state.status != Status::Gone);
    sighted.flat_map(|j| intervals[j].days.iter()).collect::<BTreeSet<_>>().len() < 2
}

/// Works on the decimal text, for currencies with cents.
pub(super) fn is_placeholder(price: i64) -> bool {
    let Some(digits) = price.to_string().strip_suffix("00").map(str::to_owned) else { return false };
    let first = &digits[..1];
    let same = digits.chars().all(|digit| first.contains(digit));
    let known = ["12345", "123456", "1234567", "12345678", "123456789"].contains(&digits.as_str());
    known || same && digits.len() >= if first == "9" { 7 } else { 5 }
}
