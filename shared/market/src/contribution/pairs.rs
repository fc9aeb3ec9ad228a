//! Pairs of first asking prices of a home, for the repeat-listing index.

use stoop_domain::{Facts, Market, Minor, Phase, Step, Time};

use super::{Contribution, Zones};
use crate::key::Key;
use crate::kind::{CounterKind, Quantity};
use crate::month::Month;
use crate::segment::Cell;

/// The first asking prices of a home so far.
#[derive(Default)]
pub(super) struct FirstPrices<'a> {
    /// Of the last spell on each terms.
    last: Vec<FirstPrice<'a>>,
    /// The opening of a spell that had no price yet.
    without: Option<Time>,
}

/// The first asking price of a spell.
struct FirstPrice<'a> {
    market: &'a Market,
    spell: Time,
    /// The opening of the spell, or when the price came if that was later.
    at: Time,
    price: Minor,
}

/// A price that is more times the other one is no change: one of both was a mistake, or it is another home.
const RATIO_MAX: i128 = 3;

/// Adds the pair of a spell's first asking price and that of the spell before on the same terms, if both are of the same
/// market and of different months there.
pub(super) fn add_pair<'a>(sum: &mut Contribution, step: &Step<'a>, prices: &mut FirstPrices<'a>, zones: &mut Zones) {
    let facts: &'a Facts = step.interval.facts;
    if step.another_home {
        *prices = FirstPrices::default();
    }
    if !matches!(facts.status.phase(), Phase::Active | Phase::Pending) {
        return;
    }
    let (market, spell) = (&facts.market, step.spell.opened_at);
    let Some(price) = step.spell.original else {
        prices.without = Some(spell);
        return;
    };
    let is_on_terms =
        |it: &FirstPrice<'_>| (it.market.purpose, it.market.currency) == (market.purpose, market.currency);
    let before = prices.last.iter().position(is_on_terms);
    if before.is_some_and(|at| prices.last[at].spell == spell) {
        return;
    }
    let at = if prices.without == Some(spell) { step.interval.first } else { spell };
    let before = before.map(|at| prices.last.swap_remove(at));
    if let Some(before) = before.filter(|before| before.market == market) {
        let zone = zones.of(market);
        let [first, second] = [before.at, at].map(|at| at.day_in(zone));
        let months = Month::of(second).0 - Month::of(first).0;
        let change = log_millionths(before.price, price);
        if let Some(change) = change.filter(|_| months > 0) {
            let key = |kind| Key::new(Cell::of(facts), Quantity::Repeat, kind, second, months);
            sum.of(market).extend([(key(CounterKind::Pair), 1), (key(CounterKind::PairChange), change)]);
        }
    }
    prices.last.push(FirstPrice { market, spell, at, price });
}

/// The natural logarithm of the ratio of two prices, in millionths, rounded half away from zero. `None` if a price is not
/// positive or more than [`RATIO_MAX`] times the other.
///
/// By a series of operations that are exact or rounded as IEEE 754 says, so that every platform computes the same; a
/// library logarithm does not guarantee that.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "millionths of less than two")]
fn log_millionths(from: Minor, to: Minor) -> Option<i64> {
    let (from, to) = (i128::from(from.0), i128::from(to.0));
    if from <= 0 || to <= 0 || to > from * RATIO_MAX || from > to * RATIO_MAX {
        return None;
    }
    // The inverse hyperbolic tangent of at most a half: each term is less than a quarter of the one before.
    let x = (to - from) as f64 / (to + from) as f64;
    let terms = (0..=30_u8).rev().map(|k| 1.0 / f64::from(2 * k + 1));
    let series = terms.fold(0.0, |sum, term| sum * (x * x) + term);
    Some((2.0 * x * series * 1e6).round() as i64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_ratio_of_more_than_three_is_no_change() {
        let of = |from, to| log_millionths(Minor(from), Minor(to));
        assert_eq!(
            [of(100, 300), of(100, 301), of(300, 100), of(301, 100)],
            [Some(1_098_612), None, Some(-1_098_612), None]
        );
        assert_eq!([of(7, 7), of(0, 1), of(1, 0), of(-1, -1)], [Some(0), None, None, None]);
    }

    proptest! {
        #[test]
        fn logarithms_are_to_half_a_millionth(from in 1_i64..1_000_000_000_000_000, ratio in 0.34_f64..2.9) {
            let to = (from as f64 * ratio) as i64 + 1;
            let [there, back] = [(from, to), (to, from)].map(|(from, to)| log_millionths(Minor(from), Minor(to)));
            prop_assume!(there.is_some());
            prop_assert_eq!(there.map(|there| -there), back);
            let exact = (to as f64 / from as f64).ln() * 1e6;
            prop_assert!((there.unwrap() as f64 - exact).abs() <= 0.500_001, "{:?} for {}", there, exact);
        }
    }
}
