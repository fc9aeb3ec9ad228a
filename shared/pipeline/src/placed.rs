//! Where the listings of a source lie, and where its words for that contradict each other.

use stoop_domain::Place;
use stoop_gazetteer::{Gazetteer, Level, Located, Origin};

/// Where some listings lie.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Placed {
    /// Listings.
    pub listings: u64,
    /// Of them, those of which neither a postal code nor a quarter nor a city is told: they are counted in no market.
    pub nowhere: u64,
    /// Each level of an area, wide to narrow.
    pub levels: [LevelCount; 5],
    /// Of the listings, those whose words for the place contradict each other.
    pub contradictory: u64,
    /// The contradictions, wide to narrow.
    pub contradictions: Vec<PlaceContradiction>,
}

/// One level over all listings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelCount {
    /// Listings of which the gazetteer knows it.
    pub known: u64,
    /// Listings of which the source alone tells it.
    pub told: u64,
}

/// Listings of which a level is told otherwise than a surer word of theirs says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlaceContradiction {
    /// The level that is told twice.
    pub level: Level,
    /// How many listings.
    pub listings: u64,
    /// The first word that was not taken.
    pub told: String,
    /// The name that was taken in its place.
    pub taken: String,
}

impl Placed {
    /// Takes in a listing's place.
    pub fn take(&mut self, place: &Place) {
        let Located { levels, contradictions, .. } = Gazetteer::get().locate(&place.words());
        self.listings += 1;
        self.nowhere += u64::from(levels[Level::City as usize].is_none() && levels[Level::Area as usize].is_none());
        for (count, name) in self.levels.iter_mut().zip(&levels) {
            match name.as_ref().map(|name| name.origin) {
                Some(Origin::Gazetteer) => count.known += 1,
                Some(Origin::Source) => count.told += 1,
                None => {}
            }
        }
        self.contradictory += u64::from(!contradictions.is_empty());
        for found in contradictions {
            match self.contradictions.iter_mut().find(|known| known.level == found.level) {
                Some(known) => known.listings += 1,
                None => self.contradictions.push(PlaceContradiction {
                    level: found.level,
                    listings: 1,
                    told: found.told,
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
    fn levels_are_counted_by_who_says_so_and_contradictions_by_level() {
        let place = |region: &str, city: &str, code: &str| Place {
            country: Some("US".into()),
            region: Some(region.into()),
            city: Some(city.into()),
            postal_code: Some(code.into()),
            ..Place::default()
        };
        let mut placed = Placed::default();
        for place in [
            place("TX", "Austin", "78704"),
            place("ME", "Portland", "78704"),
            place("Maine", "Austin", "78701"),
            place("WA", "Little Nowhere", "00000"),
            place("WA", "", ""),
        ] {
            placed.take(&place);
        }
        assert_eq!((placed.listings, placed.nowhere, placed.contradictory), (5, 1, 2));
        let counts = placed.levels.map(|count| (count.known, count.told));
        assert_eq!(counts, [(5, 0), (5, 0), (3, 0), (3, 1), (3, 1)]);
        let told = |level, listings, told: &str, taken: &str| PlaceContradiction {
            level,
            listings,
            told: told.into(),
            taken: taken.into(),
        };
        let expected = [told(Level::Region, 2, "ME", "Texas"), told(Level::City, 1, "Portland", "Austin")];
        assert_eq!(placed.contradictions, expected);
    }
}
