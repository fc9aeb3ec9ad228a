//! Where the listings of a source are, and where their address fields contradict each other.

use stoop_domain::Address;
use stoop_gazetteer::{Gazetteer, Level, Located, NameOrigin};

/// The areas of some listings.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AddressReport {
    /// Listings.
    pub listings: u64,
    /// Listings without a postal code, quarter or city, which are counted in no market.
    pub nowhere: u64,
    /// Each level of an area, wide to narrow.
    pub levels: [LevelCount; 5],
    /// Listings whose city or postal code is not the source's: the gazetteer found it in the address line.
    pub derived: u64,
    /// Listings whose address fields contradict each other.
    pub contradictory: u64,
    /// The contradictions, wide to narrow.
    pub contradictions: Vec<AddressContradiction>,
}

/// One level over all listings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelCount {
    /// Listings whose area the gazetteer knows.
    pub known: u64,
    /// Listings whose area only the source knows.
    pub reported: u64,
}

/// Listings in which a level contradicts a more reliable address field.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressContradiction {
    /// The level that has two values.
    pub level: Level,
    /// How many listings.
    pub listings: u64,
    /// The first value that was not used.
    pub reported: String,
    /// The value that was used instead.
    pub taken: String,
}

impl AddressReport {
    /// Adds a listing's address.
    pub fn take(&mut self, address: &Address) {
        let Located { levels, contradictions, .. } = Gazetteer::get().locate(&address.words());
        self.listings += 1;
        self.derived += u64::from(address.derived);
        self.nowhere += u64::from(levels[Level::City as usize].is_none() && levels[Level::Area as usize].is_none());
        for (count, name) in self.levels.iter_mut().zip(&levels) {
            match name.as_ref().map(|name| name.origin) {
                Some(NameOrigin::Gazetteer) => count.known += 1,
                Some(NameOrigin::Source) => count.reported += 1,
                None => {}
            }
        }
        self.contradictory += u64::from(!contradictions.is_empty());
        for found in contradictions {
            match self.contradictions.iter_mut().find(|known| known.level == found.level) {
                Some(known) => known.listings += 1,
                None => self.contradictions.push(AddressContradiction {
                    level: found.level,
                    listings: 1,
                    reported: found.reported,
                    taken: found.taken,
                }),
            }
        }
        self.contradictions.sort_by_key(|found| found.level);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_counted_by_origin_and_contradictions_by_level() {
        let address = |region: &str, city: &str, code: &str| Address {
            country: Some("US".into()),
            region: Some(region.into()),
            city: Some(city.into()),
            postal_code: Some(code.into()),
            ..Address::default()
        };
        let mut report = AddressReport::default();
        for address in [
            address("TX", "Austin", "78704"),
            address("ME", "Portland", "78704"),
            address("Maine", "Austin", "78701"),
            address("WA", "Little Nowhere", "00000"),
            address("WA", "", ""),
            Address { derived: true, ..address("WA", "Seattle", "") },
        ] {
            report.take(&address);
        }
        assert_eq!((report.listings, report.nowhere, report.derived, report.contradictory), (6, 1, 1, 2));
        let counts = report.levels.map(|count| (count.known, count.reported));
        assert_eq!(counts, [(6, 0), (6, 0), (4, 0), (4, 1), (2, 1)]);
        let reported = |level, listings, reported: &str, taken: &str| AddressContradiction {
            level,
            listings,
            reported: reported.into(),
            taken: taken.into(),
        };
        let expected = [reported(Level::Region, 1, "Maine", "Texas"), reported(Level::Area, 1, "78704", "Portland")];
        assert_eq!(report.contradictions, expected);
    }
}
