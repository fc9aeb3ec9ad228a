//! Fields of a listing that contradict each other, counted over the rows of a source.
//!
//! One contradicting row is a slip. If most rows contradict, the field does not mean what its name says and is
//! distrusted.
//!
//! ```
//! use stoop_domain::{Currency, Day, Listing, Minor, Address, Purpose, Status, Time};
//! use stoop_sources::{Contradiction, Contradictions};
//! let mut listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
//! listing.status = Status::Closed;
//! listing.close_date = Some(Day(100));
//! listing.listed_at = Some(Time::from_ms(200 * Time::DAY_MS));
//! let mut counted = Contradictions::default();
//! for _ in 0..20 {
//!     counted.take(&listing, Time::from_ms(300 * Time::DAY_MS));
//! }
//! let count = counted.of(Contradiction::ListedAfterSale);
//! assert_eq!((count.rows, count.contradict, count.is_distrusted()), (20, 20, true));
//! ```

use stoop_domain::{Listing, Minor, Status, Time};

/// Two fields of a listing that are unlikely to be both right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contradiction {
    /// Listed after the day of its sale.
    ListedAfterSale,
    /// Sold on a later day than it was seen.
    SoldAfterSeen,
    /// Listed after it was seen.
    ListedAfterSeen,
    /// Sold for exactly the list price. A single case is normal; if nearly every sale is so, one price fills both
    /// fields.
    SoldAsListed,
    /// The original list price is more than ten times the list price, or less than a tenth of it.
    OriginalFarOff,
    /// The previous list price is more than ten times the list price, or less than a tenth of it.
    PreviousFarOff,
}

/// How many rows of a source have both fields of a contradiction, and how many contradict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ContradictionCount {
    pub kind: Contradiction,
    /// Rows that have both fields.
    pub rows: u64,
    /// Rows of these in which the fields contradict each other.
    pub contradict: u64,
}

/// Counts of contradictions in the rows of one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contradictions {
    counts: [(u64, u64); Contradiction::ALL.len()],
}

/// Minimum number of rows to distrust a field outside of polls. Polls need more:
/// [`POLLED_ROWS_MIN`](crate::POLLED_ROWS_MIN).
pub const DISTRUST_ROWS_MIN: u64 = 20;

/// Tolerance for time zones: zones differ by at most a day, and times without a zone were assigned one.
const A_DAY: i64 = Time::DAY_MS;

impl Contradiction {
    /// All contradictions, in the order of the enum.
    pub const ALL: [Self; 6] = [
        Self::ListedAfterSale,
        Self::SoldAfterSeen,
        Self::ListedAfterSeen,
        Self::SoldAsListed,
        Self::OriginalFarOff,
        Self::PreviousFarOff,
    ];

    /// Name in reports and in stored counts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ListedAfterSale => "listed_after_sale",
            Self::SoldAfterSeen => "sold_after_seen",
            Self::ListedAfterSeen => "listed_after_seen",
            Self::SoldAsListed => "sold_as_listed",
            Self::OriginalFarOff => "original_far_off",
            Self::PreviousFarOff => "previous_far_off",
        }
    }

    /// The field to distrust if most rows contradict.
    #[must_use]
    pub fn field(self) -> &'static str {
        match self {
            Self::ListedAfterSale | Self::ListedAfterSeen => "listed_at",
            Self::SoldAfterSeen => "close_date",
            Self::SoldAsListed => "list_price",
            Self::OriginalFarOff => "original_list_price",
            Self::PreviousFarOff => "previous_list_price",
        }
    }

    /// Whether a listing seen at `seen` has this contradiction; `None` if it lacks one of the fields.
    #[must_use]
    pub fn is_in(self, listing: &Listing, seen: Time) -> Option<bool> {
        let sold_on = listing.close_date.filter(|_| listing.status == Status::Closed);
        // The end of the day in UTC.
        let sold_by = sold_on.map(|day| (i64::from(day.0) + 1) * Time::DAY_MS);
        let listed_at = listing.listed_at.map(Time::ms);
        match self {
            Self::ListedAfterSale => Some(listed_at? >= sold_by? + A_DAY),
            Self::SoldAfterSeen => Some(sold_by? - A_DAY > seen.ms() + A_DAY),
            Self::ListedAfterSeen => Some(listed_at? > seen.ms() + A_DAY),
            Self::SoldAsListed => {
                let sold = listing.status == Status::Closed;
                Some(listing.list_price? == listing.close_price.filter(|_| sold)?)
            }
            Self::OriginalFarOff => Some(are_far_apart(listing.list_price?, listing.original_list_price?)),
            Self::PreviousFarOff => Some(are_far_apart(listing.list_price?, listing.previous_list_price?)),
        }
    }

    /// Share of contradicting rows, in percent, above which the field is distrusted.
    #[must_use]
    pub fn share_max(self) -> u64 {
        if self == Self::SoldAsListed { 95 } else { 50 }
    }
}

fn are_far_apart(a: Minor, b: Minor) -> bool {
    let (low, high) = (a.0.min(b.0), a.0.max(b.0));
    low <= 0 || high / low > 10 || (high / low == 10 && high % low > 0)
}

impl Contradictions {
    /// Counts one listing. `seen` is when the source showed it.
    pub fn take(&mut self, listing: &Listing, seen: Time) {
        for (kind, (rows, contradict)) in Contradiction::ALL.into_iter().zip(&mut self.counts) {
            if let Some(is_in) = kind.is_in(listing, seen) {
                *rows += 1;
                *contradict += u64::from(is_in);
            }
        }
    }

    /// Adds the counts of other rows.
    pub fn add(&mut self, other: &Self) {
        for ((rows, contradict), (more_rows, more)) in self.counts.iter_mut().zip(other.counts) {
            *rows += more_rows;
            *contradict += more;
        }
    }

    /// Returns the count of one contradiction.
    #[must_use]
    pub fn of(&self, kind: Contradiction) -> ContradictionCount {
        let (rows, contradict) = self.counts[kind as usize];
        ContradictionCount { kind, rows, contradict }
    }

    /// Counts of the contradictions that the rows could have, in the order of [`Contradiction::ALL`].
    pub fn counts(&self) -> impl Iterator<Item = ContradictionCount> {
        Contradiction::ALL.into_iter().map(|kind| self.of(kind)).filter(|count| count.rows > 0)
    }
}

impl ContradictionCount {
    /// Whether the field is distrusted: more than half of at least [`DISTRUST_ROWS_MIN`] rows contradict; for sales at
    /// the list price, more than 95 %.
    #[must_use]
    pub fn is_distrusted(&self) -> bool {
        let share = self.contradict.saturating_mul(100);
        self.rows >= DISTRUST_ROWS_MIN && share > self.rows.saturating_mul(self.kind.share_max())
    }
}

#[cfg(test)]
mod tests {
    use stoop_domain::{Address, Currency, Day, Purpose};

    use super::*;

    fn seen() -> Time {
        Time::parse("2026-01-14T12:00:00Z").unwrap()
    }

    fn day(text: &str) -> Day {
        Day::from_date(text.parse().unwrap())
    }

    fn is_in(kind: Contradiction, change: impl FnOnce(&mut Listing)) -> Option<bool> {
        let mut listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
        listing.status = Status::Closed;
        change(&mut listing);
        kind.is_in(&listing, seen())
    }

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (i, kind) in Contradiction::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, i);
        }
    }

    #[test]
    fn a_home_is_listed_before_it_is_sold() {
        let sold = |listed: &str| {
            is_in(Contradiction::ListedAfterSale, |listing| {
                listing.close_date = Some(day("2026-01-10"));
                listing.listed_at = Time::parse(listed).ok();
            })
        };
        assert_eq!(sold("2026-01-01T00:00:00Z"), Some(false));
        assert_eq!(sold("2026-01-11T23:59:59Z"), Some(false), "the same day, elsewhere");
        assert_eq!(sold("2026-01-12T00:00:00Z"), Some(true));
        assert_eq!(sold("no date"), None);
        let active = is_in(Contradiction::ListedAfterSale, |listing| {
            listing.status = Status::Active;
            listing.close_date = Some(day("2020-01-10"));
            listing.listed_at = Some(seen());
        });
        assert_eq!(active, None, "sold once, and offered again");
    }

    #[test]
    fn nothing_is_reported_of_the_future() {
        let sold = |on: &str| is_in(Contradiction::SoldAfterSeen, |listing| listing.close_date = Some(day(on)));
        assert_eq!(
            (sold("2026-01-14"), sold("2026-01-15"), sold("2026-01-16")),
            (Some(false), Some(false), Some(true))
        );
        let listed =
            |at: &str| is_in(Contradiction::ListedAfterSeen, |listing| listing.listed_at = Time::parse(at).ok());
        assert_eq!(listed("2026-01-15T12:00:00Z"), Some(false));
        assert_eq!(listed("2026-01-15T12:00:01Z"), Some(true));
    }

    #[test]
    fn prices_of_one_home_are_of_one_size() {
        let first = |price: i64| {
            is_in(Contradiction::OriginalFarOff, |listing| {
                (listing.list_price, listing.original_list_price) = (Some(Minor(1_000)), Some(Minor(price)));
            })
        };
        assert_eq!((first(100), first(1_000), first(10_000)), (Some(false), Some(false), Some(false)));
        assert_eq!(
            (first(99), first(10_001), first(i64::MAX), first(0)),
            (Some(true), Some(true), Some(true), Some(true))
        );
        let before = is_in(Contradiction::PreviousFarOff, |listing| {
            (listing.list_price, listing.previous_list_price) = (Some(Minor(26_990_000)), Some(Minor(26_900)));
        });
        assert_eq!(before, Some(true));
    }

    /// Counts of closed rows, `as_listed` of which were sold at the list price.
    fn sales(rows: u64, as_listed: u64) -> ContradictionCount {
        let mut counted = Contradictions::default();
        for row in 0..rows {
            let mut listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
            listing.status = Status::Closed;
            listing.list_price = Some(Minor(500));
            listing.close_price = Some(Minor(if row < as_listed { 500 } else { 490 }));
            counted.take(&listing, seen());
        }
        counted.of(Contradiction::SoldAsListed)
    }

    #[test]
    fn a_field_is_distrusted_past_a_share_of_enough_rows() {
        assert!(!sales(19, 19).is_distrusted(), "too few");
        assert!(sales(20, 20).is_distrusted());
        assert!(!sales(100, 95).is_distrusted(), "many homes are sold for what was asked");
        assert!(sales(100, 96).is_distrusted());
        let half = |contradict| ContradictionCount { kind: Contradiction::ListedAfterSale, rows: 20, contradict };
        assert!(!half(10).is_distrusted());
        assert!(half(11).is_distrusted());
    }

    #[test]
    fn what_no_row_could_have_is_not_reported() {
        let mut counted = Contradictions::default();
        assert_eq!(counted.counts().count(), 0);
        let mut listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
        listing.listed_at = Some(seen());
        counted.take(&listing, seen());
        assert_eq!(counted.counts().map(|count| count.kind).collect::<Vec<_>>(), [Contradiction::ListedAfterSeen]);
    }
}
