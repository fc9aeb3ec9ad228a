//! Fields of a search that are distrusted, from the contradictions that its polls counted.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stoop_domain::{Listing, Status};

use crate::contradictions::{Contradiction, ContradictionCount, Contradictions};

/// Minimum number of listings with both fields for a poll to distrust one.
pub const POLLED_ROWS_MIN: u64 = 100;

/// Maximum weight, in listings, of the counts before a scan.
const PAST_ROWS_MAX: u64 = 1_000;

/// Counts of [`Contradiction`]s by the polls of one search, and the fields distrusted because of them. A listing counts
/// when it is sent: when it is new or changed.
///
/// A field becomes distrusted if, of at least [`POLLED_ROWS_MIN`] listings, a greater share than
/// [`Contradiction::share_max`] contradict. It is trusted again when the share is below half of that. In between,
/// nothing changes.
///
/// ```
/// use stoop_domain::{Currency, Listing, Minor, Address, Purpose, Time};
/// use stoop_sources::{Contradiction, Contradictions, Distrust};
/// let mut listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
/// (listing.list_price, listing.previous_list_price) = (Some(Minor(500_000)), Some(Minor(500)));
/// let mut counted = Contradictions::default();
/// (0..100).for_each(|_| counted.take(&listing, Time::default()));
/// let mut distrust = Distrust::default();
/// assert_eq!(distrust.learn(&counted), [(Contradiction::PreviousFarOff, true)]);
/// distrust.drop_from(&mut listing);
/// assert_eq!((listing.list_price, listing.previous_list_price), (Some(Minor(500_000)), None));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Distrust {
    /// By [`Contradiction::as_str`].
    tallies: BTreeMap<String, FieldTally>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct FieldTally {
    rows: u64,
    contradict: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    distrusted: bool,
}

impl Distrust {
    /// Adds the counts of a scan. Returns the contradictions whose verdict changed, with the new verdict.
    pub fn learn(&mut self, counted: &Contradictions) -> Vec<(Contradiction, bool)> {
        let mut changed = Vec::new();
        for count in counted.counts() {
            let kind = count.kind;
            let tally = self.tallies.entry(kind.as_str().to_owned()).or_default();
            let before = tally.distrusted;
            tally.learn(count);
            if tally.distrusted != before {
                changed.push((kind, tally.distrusted));
            }
        }
        changed
    }

    /// The current counts, each with whether its field is distrusted, in the order of [`Contradiction::ALL`].
    pub fn counts(&self) -> impl Iterator<Item = (ContradictionCount, bool)> {
        Contradiction::ALL.into_iter().filter_map(|kind| {
            let FieldTally { rows, contradict, distrusted } = *self.tallies.get(kind.as_str())?;
            Some((ContradictionCount { kind, rows, contradict }, distrusted))
        })
    }

    /// The contradictions whose field is distrusted.
    pub fn kinds(&self) -> impl Iterator<Item = Contradiction> {
        self.counts().filter(|(_, distrusted)| *distrusted).map(|(count, _)| count.kind)
    }

    /// Removes the distrusted fields from a listing. A listing that is not closed keeps its list price.
    pub fn drop_from(&self, listing: &mut Listing) {
        for kind in self.kinds() {
            match kind {
                Contradiction::ListedAfterSale | Contradiction::ListedAfterSeen => listing.listed_at = None,
                Contradiction::SoldAfterSeen => listing.close_date = None,
                Contradiction::SoldAsListed if listing.status == Status::Closed => listing.list_price = None,
                Contradiction::SoldAsListed => {}
                Contradiction::OriginalFarOff => listing.original_list_price = None,
                Contradiction::PreviousFarOff => listing.previous_list_price = None,
            }
        }
    }
}

impl FieldTally {
    fn learn(&mut self, count: ContradictionCount) {
        if self.rows > PAST_ROWS_MAX {
            self.contradict = self.contradict.min(self.rows).saturating_mul(PAST_ROWS_MAX) / self.rows;
            self.rows = PAST_ROWS_MAX;
        }
        self.rows = self.rows.saturating_add(count.rows);
        self.contradict = self.contradict.saturating_add(count.contradict);
        let share = self.contradict.saturating_mul(100);
        let bound = self.rows.saturating_mul(count.kind.share_max());
        self.distrusted = match self.distrusted {
            false => self.rows >= POLLED_ROWS_MIN && share > bound,
            true => share.saturating_mul(2) >= bound,
        };
    }
}

#[cfg(test)]
mod tests {
    use stoop_domain::{Address, Currency, Day, Minor, Purpose, Time};

    use super::*;

    /// Counts of listings, `contradict` of which have a previous price of a thousandth.
    fn scan(rows: u64, contradict: u64) -> Contradictions {
        let mut counted = Contradictions::default();
        for row in 0..rows {
            let mut listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
            let before = if row < contradict { 500 } else { 510_000 };
            (listing.list_price, listing.previous_list_price) = (Some(Minor(500_000)), Some(Minor(before)));
            counted.take(&listing, Time::default());
        }
        counted
    }

    fn tally(distrust: &Distrust) -> (u64, u64, bool) {
        let (count, distrusted) = distrust.counts().next().unwrap();
        (count.rows, count.contradict, distrusted)
    }

    #[test]
    fn a_field_is_distrusted_past_half_of_a_hundred_listings() {
        for (rows, contradict, want) in [(99, 99, false), (100, 50, false), (100, 51, true), (1_000_000, 500_001, true)]
        {
            let mut distrust = Distrust::default();
            let changed = distrust
                .learn(&scan(rows.min(10_000), contradict * rows.min(10_000) / rows + u64::from(rows > 10_000)));
            assert_eq!(tally(&distrust).2, want, "{contradict} of {rows}");
            assert_eq!(changed.len(), usize::from(want));
        }
        // Small scans accumulate.
        let mut distrust = Distrust::default();
        let message: Vec<_> = (0..5).flat_map(|_| distrust.learn(&scan(25, 25))).collect();
        assert_eq!(message, [(Contradiction::PreviousFarOff, true)], "reported once");
        assert_eq!(tally(&distrust), (125, 125, true));
    }

    #[test]
    fn it_is_trusted_again_below_half_of_the_share_and_not_before() {
        let mut distrust = Distrust::default();
        distrust.learn(&scan(100, 60));
        // 60 of 240 is a quarter: not below.
        assert_eq!(distrust.learn(&scan(140, 0)), []);
        assert_eq!(tally(&distrust), (240, 60, true));
        assert_eq!(distrust.learn(&scan(1, 0)), [(Contradiction::PreviousFarOff, false)]);
        // Distrusted again only above the share.
        assert_eq!(distrust.learn(&scan(120, 120)), []);
        assert_eq!(tally(&distrust), (361, 180, false));
        assert_eq!(distrust.learn(&scan(2, 2)), [(Contradiction::PreviousFarOff, true)]);
    }

    #[test]
    fn the_past_weighs_a_thousand_listings() {
        let mut distrust = Distrust::default();
        distrust.learn(&scan(9_000, 9_000));
        let mut scans = 0;
        while tally(&distrust).2 {
            distrust.learn(&scan(100, 0));
            scans += 1;
        }
        // 1,000 / 1,100 to the power of 15 is the first below a quarter; the first scan is at 1,000 of 1,100.
        assert_eq!(scans, 15);
        distrust.learn(&scan(4_001, 0));
        assert!(tally(&distrust).1 < 300);
    }

    #[test]
    fn what_has_neither_field_changes_nothing() {
        let mut distrust = Distrust::default();
        distrust.learn(&scan(100, 100));
        let before = distrust.clone();
        assert_eq!(distrust.learn(&Contradictions::default()), []);
        assert_eq!(distrust, before);
    }

    #[test]
    fn each_kind_takes_off_its_field_and_no_other() {
        let mut whole = Listing::new(Purpose::Sale, Currency::USD, Address::default());
        whole.status = Status::Closed;
        whole.list_price = Some(Minor(1));
        whole.original_list_price = Some(Minor(2));
        whole.previous_list_price = Some(Minor(3));
        whole.close_price = Some(Minor(4));
        whole.close_date = Some(Day(5));
        whole.listed_at = Some(Time::from_ms(6));
        for kind in Contradiction::ALL {
            let tally = FieldTally { rows: 100, contradict: 100, distrusted: true };
            let distrust = Distrust { tallies: BTreeMap::from([(kind.as_str().to_owned(), tally)]) };
            let mut listing = whole.clone();
            distrust.drop_from(&mut listing);
            let (mut message, mut left) =
                (serde_json::to_value(&whole).unwrap(), serde_json::to_value(&listing).unwrap());
            assert!(message.as_object_mut().unwrap().remove(kind.field()).is_some(), "{kind:?}");
            assert_eq!(left.as_object_mut().unwrap().remove(kind.field()), None);
            assert_eq!(message, left, "{kind:?}");
            // A listing on offer keeps its price.
            let mut offered = Listing { status: Status::Active, ..whole.clone() };
            distrust.drop_from(&mut offered);
            assert_eq!(offered.list_price, Some(Minor(1)));
        }
    }

    #[test]
    fn stored_counts_are_read_back_and_those_of_later_versions_are_kept() {
        let stored = r#"{"previous_far_off":{"rows":120,"contradict":90,"distrusted":true},"sold_twice":{"rows":5,"contradict":1}}"#;
        let distrust: Distrust = serde_json::from_str(stored).unwrap();
        assert_eq!(distrust.kinds().collect::<Vec<_>>(), [Contradiction::PreviousFarOff]);
        assert_eq!(distrust.counts().count(), 1);
        assert_eq!(serde_json::to_string(&distrust).unwrap(), stored);
        // Stored counts that no poll can produce must not cause a panic.
        let odd = r#"{"previous_far_off":{"rows":18446744073709551615,"contradict":18446744073709551615}}"#;
        let mut odd: Distrust = serde_json::from_str(odd).unwrap();
        odd.learn(&scan(1, 1));
        assert_eq!(tally(&odd).0, 1_001);
    }
}
