//! The first asking prices of homes that are listed again.

use super::*;

/// The first asking prices of two spells of a home, one after the other on the same terms, in one market.
#[derive(Clone, Debug)]
pub(crate) struct Again {
    pub(crate) market: Market,
    /// Months since January of the year 0.
    pub(crate) months: [i32; 2],
    /// The day of the second price.
    pub(crate) day: i32,
    /// The logarithm of the second price divided by the first.
    pub(crate) log: f64,
}

/// Pairs in different months, of which neither price is more than three times the other.
pub(crate) fn listed_again(homes: &[Vec<Interval>]) -> Vec<Again> {
    homes.iter().flat_map(|intervals| again(intervals)).collect()
}

#[expect(clippy::cast_precision_loss, reason = "logarithms are known to a millionth")]
fn again(intervals: &[Interval]) -> Vec<Again> {
    let mut found = Vec::new();
    let mut spells: Vec<usize> = Vec::new();
    let mut asked: Vec<(&State, i64, i64)> = Vec::new();
    for (i, Interval { state, .. }) in intervals.iter().enumerate().filter(|(_, one)| is_on_market(&one.state)) {
        let Some(spell) = spell_of(intervals, i).filter(|spell| !spells.contains(spell)) else { continue };
        let Some(price) = first_price(intervals, i) else { continue };
        spells.push(spell);
        // It was asked when the spell opened, unless it came later.
        let at = if i == spell { opened(intervals, i) } else { intervals[i].at };
        let before = asked.iter().rev().find(|(before, ..)| same_terms(before, state)).copied();
        asked.push((state, at, price));
        let Some((before, at_before, price_before)) = before else { continue };
        let market = state.market();
        let zone = market.area.country().zone;
        let months = [at_before, at].map(|at| month_of(at, &zone));
        let is_near = price <= 3 * price_before && price_before <= 3 * price;
        if before.market() == market && months[0] < months[1] && is_near {
            let log = (price as f64 / price_before as f64).ln();
            found.push(Again { market, months, day: day_of(at, &zone), log });
        }
    }
    found
}

fn month_of(ms: i64, zone: &TimeZone) -> i32 {
    let date = jiff::Timestamp::from_millisecond(ms).unwrap().to_zoned(zone.clone()).date();
    i32::from(date.year()) * 12 + i32::from(date.month()) - 1
}
