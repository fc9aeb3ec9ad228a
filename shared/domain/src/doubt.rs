//! Detects doubtful prices.

use crate::facts::Facts;
use crate::money::{Currency, Minor};
use crate::price_change::PriceChange;

/// The share of a price, in basis points, by which a fall in one step is doubtful. A rise is doubtful if the reverse
/// step would be such a fall. Larger steps are typically mistakes: a digit too few or too many, a rent instead of a
/// price.
pub const SLIP_BP: u32 = 7_500;

/// The smallest doubtful price of nines only. Sellers use smaller ones for a hundred thousand or a million.
const NINES_MIN: u64 = 9_999_999;

/// Why a price is doubtful.
///
/// A *doubtful* price looks like a mistake and has been sighted on one UTC day only. Until it is sighted on another day, or
/// the home is sold at about that price, it is in no figure, as if the listing had no price. Then it counts from its first
/// sighting. A *suspect* alert is
/// something else: it has rules of its own and is not sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Doubt {
    /// At most a quarter of the last accepted price of the spell, or of its closing price.
    Fall,
    /// At least four times the last accepted price of the spell, or its closing price.
    Rise,
    /// In whole units of the currency, all digits are the same (at least five digits; seven for nines) or count up from
    /// 1 (12345, 123456, ...).
    Placeholder,
}

impl Doubt {
    /// The name in tables and JSON.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fall => "fall",
            Self::Rise => "rise",
            Self::Placeholder => "placeholder",
        }
    }

    /// Why `price` looks doubtful after the last accepted price `asked`, regardless of the days on which it was
    /// sighted.
    #[must_use]
    pub fn of(asked: Option<Minor>, price: Minor, currency: Currency) -> Option<Self> {
        match asked.and_then(|asked| Self::of_leap(asked, price)) {
            _ if asked == Some(price) => None,
            None => is_placeholder(price, currency).then_some(Self::Placeholder),
            leap => leap,
        }
    }

    /// Why `price` is too far from another price of the home to be a price as well: a quarter of it or less, or four times
    /// it or more.
    #[must_use]
    pub fn of_leap(other: Minor, price: Minor) -> Option<Self> {
        let falls = |from, to| PriceChange { from, to }.drop_bp() >= SLIP_BP;
        match () {
            () if falls(other, price) => Some(Self::Fall),
            () if falls(price, other) => Some(Self::Rise),
            () => None,
        }
    }

    /// Whether a sighting of `facts` on another day may end the doubt about their price. `all` are the facts of the
    /// listing so far.
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
    // The digits arrive from the last to the first: 5, 4, 3, 2, 1.
    let runs_up = digits().zip((1..=last).rev()).all(|(rest, digit)| rest % 10 == digit);
    same || runs_up && digits().count() as u64 == last
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(asked: Option<i64>, price: i64) -> Option<Doubt> {
        Doubt::of(asked.map(Minor), Minor(price), Currency::USD)
    }

    #[test]
    fn a_fall_to_a_quarter_or_a_rise_to_four_times_is_doubtful() {
        assert_eq!(of(Some(40_000), 10_001), None);
        assert_eq!(of(Some(40_000), 10_000), Some(Doubt::Fall));
        assert_eq!(of(Some(10_000), 39_999), None);
        assert_eq!(of(Some(10_000), 40_000), Some(Doubt::Rise));
        assert_eq!(of(None, 40_000), None);
        assert_eq!(of(Some(1), i64::MAX), Some(Doubt::Rise));
        assert_eq!(of(Some(i64::MAX), 1), Some(Doubt::Fall));
    }

    #[test]
    fn equal_or_ascending_digits_are_placeholders() {
        let is_placeholder = |major: i64| of(None, major * 100) == Some(Doubt::Placeholder);
        for price in [11_111, 55_555, 111_111, 888_888, 9_999_999, 99_999_999, 12_345, 123_456, 123_456_789] {
            assert!(is_placeholder(price), "{price}");
        }
        let accepted =
            [1_111, 1_234, 9_999, 99_999, 999_999, 100_000, 111_110, 111_112, 12_346, 112_345, 23_456, 54_321];
        for price in accepted {
            assert!(!is_placeholder(price), "{price}");
        }
        assert_eq!(of(None, 1_234_567), None, "with cents");
        assert_eq!(of(Some(1_111_100), 1_111_100), None, "equal to the last accepted price");
        assert_eq!(of(None, -1_111_100), None);
        let yen = Currency::parse("JPY").unwrap();
        assert_eq!(Doubt::of(None, Minor(12_345), yen), Some(Doubt::Placeholder));
    }
}
