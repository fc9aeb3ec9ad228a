//! Prices that no seller seems to ask, and what becomes of the price in one spell on the market.

use crate::events::{PriceChange, Step};
use crate::history::Facts;
use crate::listing::{Phase, Status};
use crate::money::{Currency, Minor};

/// A price that falls by this share or more in one step, or rises so far that the way back would be such a fall, is no
/// seller's decision but a slip: a digit too few or too many, a rent in place of a price. Hundredths of a percent.
pub const SLIP_BP: u32 = 7_500;

/// A price of nines with fewer digits is how a seller says a hundred thousand or a million.
const NINES_MIN: u64 = 9_999_999;

/// Why it is doubtful whether a price is asked.
///
/// A *doubtful* price has been sighted on one UTC day only and looks like none. Until it is sighted on another day it is in
/// no figure, as if no price were named; then it counts since it was first named. Not to be taken for an alert that is
/// *suspect*: that one is held back from people, by rules of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// It is a quarter or less of the last price asked in the spell.
    Fall,
    /// It is four times the last price asked in the spell, or more.
    Rise,
    /// In whole units of its currency its digits are all the same (five or more; of nines seven or more), or run up from 1
    /// (12345, 123456, ...).
    Placeholder,
}

impl Doubt {
    /// The name in tables and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fall => "fall",
            Self::Rise => "rise",
            Self::Placeholder => "placeholder",
        }
    }

    /// What is strange about a price after the one that was asked last, sighted on however many days.
    #[must_use]
    pub fn of(asked: Option<Minor>, price: Minor, currency: Currency) -> Option<Self> {
        let leap = asked.and_then(|asked| {
            let falls = |from, to| PriceChange { from, to }.drop_bp() >= SLIP_BP;
            match () {
                () if falls(asked, price) => Some(Self::Fall),
                () if falls(price, asked) => Some(Self::Rise),
                () => None,
            }
        });
        match leap {
            _ if asked == Some(price) => None,
            None => is_placeholder(price, currency).then_some(Self::Placeholder),
            leap => leap,
        }
    }

    /// Whether a sighting on another day of a listing with these facts, that had `all` of those before, may clear its price.
    pub(crate) fn may_end(facts: &Facts, all: &[Facts]) -> bool {
        facts.list_price.is_some_and(|price| {
            all.iter().any(|other| Self::of(other.list_price, price, facts.market.currency).is_some())
                || is_placeholder(price, facts.market.currency)
        })
    }
}

fn is_placeholder(price: Minor, currency: Currency) -> bool {
    let unit = 10_u64.pow(currency.minor_digits());
    let Some(whole) = u64::try_from(price.0).ok().filter(|minor| minor.is_multiple_of(unit)).map(|minor| minor / unit)
    else {
        return false;
    };
    if whole < 10_000 {
        return false;
    }
    let last = whole % 10;
    let digits = || std::iter::successors(Some(whole), |rest| Some(rest / 10)).take_while(|rest| *rest > 0);
    let same = digits().all(|rest| rest % 10 == last) && (last != 9 || whole >= NINES_MIN);
    // Read from the end: 5, 4, 3, 2, 1.
    let runs_up = digits().zip((1..=last).rev()).all(|(rest, digit)| rest % 10 == digit);
    same || runs_up && digits().count() as u64 == last
}

/// Goes through the intervals of one spell: which prices are doubtful, what became of the price in each, and the first
/// price that was asked.
pub(crate) fn ask(spell: &mut [Step<'_>]) {
    let mut asked: Option<Minor> = None;
    let mut original: Option<Minor> = None;
    for place in 0..spell.len() {
        let facts = spell[place].interval.facts;
        let price = named(&spell[place]);
        let doubtful = price
            .and_then(|price| Doubt::of(asked, price, facts.market.currency))
            .filter(|_| !is_sighted_again(&spell[place..]));
        let price = price.filter(|_| doubtful.is_none());
        let step = &mut spell[place];
        step.doubtful = doubtful;
        let before = price.and_then(|price| asked.replace(price));
        // What a withdrawn home names is what a later price is compared with. That it moved unseen is no news about a home
        // that nobody can buy.
        if matches!(facts.status.phase(), Phase::Active | Phase::Pending) {
            let change = before.zip(price).map(|(from, to)| PriceChange { from, to });
            step.change = change.filter(|change| change.from != change.to);
            original = facts.original_list_price.or(original).or(price);
        }
        step.spell.original = original;
    }
}

/// The price that a interval of a spell names. A home that is announced once more is not asked for.
fn named(step: &Step<'_>) -> Option<Minor> {
    let facts = step.interval.facts;
    facts.list_price.filter(|_| facts.status.phase() != Phase::Before)
}

/// Whether the price of the first of these intervals was sighted on two UTC days before another was named.
fn is_sighted_again(rest: &[Step<'_>]) -> bool {
    let price = rest.first().and_then(named);
    let same = rest.iter().take_while(|step| named(step).is_none_or(|named| Some(named) == price));
    // Who says that a home is gone did not see it.
    let sighted = same.filter(|step| named(step).is_some() && step.interval.facts.status != Status::Gone);
    let mut days = sighted.flat_map(|step| [step.interval.sighting.seen_day(), step.interval.last_sighting.seen_day()]);
    let first = days.next();
    days.any(|day| Some(day) != first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(asked: Option<i64>, price: i64) -> Option<Doubt> {
        Doubt::of(asked.map(Minor), Minor(price), Currency::USD)
    }

    #[test]
    fn three_quarters_down_or_four_times_up_is_doubtful() {
        assert_eq!(of(Some(40_000), 10_001), None);
        assert_eq!(of(Some(40_000), 10_000), Some(Doubt::Fall));
        assert_eq!(of(Some(10_000), 39_999), None);
        assert_eq!(of(Some(10_000), 40_000), Some(Doubt::Rise));
        assert_eq!(of(None, 40_000), None);
        assert_eq!(of(Some(1), i64::MAX), Some(Doubt::Rise));
        assert_eq!(of(Some(i64::MAX), 1), Some(Doubt::Fall));
    }

    #[test]
    fn digits_that_are_the_same_or_run_up_are_placeholders() {
        let reported = |major: i64| of(None, major * 100) == Some(Doubt::Placeholder);
        for price in [11_111, 55_555, 111_111, 888_888, 9_999_999, 99_999_999, 12_345, 123_456, 123_456_789] {
            assert!(reported(price), "{price}");
        }
        let sold_for =
            [1_111, 1_234, 9_999, 99_999, 999_999, 100_000, 111_110, 111_112, 12_346, 112_345, 23_456, 54_321];
        for price in sold_for {
            assert!(!reported(price), "{price}");
        }
        assert_eq!(of(None, 1_234_567), None, "with cents");
        assert_eq!(of(Some(1_111_100), 1_111_100), None, "asked already");
        assert_eq!(of(None, -1_111_100), None);
        let yen = Currency::parse("JPY").unwrap();
        assert_eq!(Doubt::of(None, Minor(12_345), yen), Some(Doubt::Placeholder));
    }
}
