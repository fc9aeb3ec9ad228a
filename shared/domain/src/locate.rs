//! Finds the area of an address, with the gazetteer.

use std::cell::RefCell;
use std::collections::HashMap;

use stoop_gazetteer::{AddressParts, Gazetteer, Located};

use crate::address::{Address, AreaPath};

/// The result of [`locate`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedArea {
    /// The narrowest known area of the address. `None` if the address has no known postal code, quarter or city.
    pub area: Option<AreaPath>,
    /// Whether a part of the address contradicts the area, such as a postal code of Texas with the state of Maine
    /// ([`Located::contradictions`]).
    pub is_contradictory: bool,
}

/// Addresses that each thread caches. Most addresses are looked up repeatedly.
const CACHED_MAX: usize = 1 << 14;

/// Separates the words of a cache key. An address that contains it is not cached.
const SEPARATOR: char = '\u{1f}';

thread_local! {
    static CACHE: RefCell<Cache> = RefCell::default();
}

#[derive(Default)]
struct Cache {
    by_words: HashMap<Box<str>, LocatedArea>,
    /// Buffer for the cache key.
    words: String,
}

/// The version of the results of [`locate`]. It changes when areas change; stored data that depends on areas is then
/// computed anew.
pub const AREAS_VERSION: u32 = stoop_gazetteer::GAZETTEER_VERSION;

/// Finds the area of an address. The result depends on the address and [`AREAS_VERSION`] only.
#[must_use]
pub fn locate(address: &Address) -> LocatedArea {
    CACHE.with_borrow_mut(|cache| {
        let Cache { by_words, words } = cache;
        let parts = address.words();
        words.clear();
        let AddressParts { country, region, county, city, neighbourhood, postal_code } = parts;
        for word in [country, region, county, city, neighbourhood, postal_code].map(Option::unwrap_or_default) {
            if word.contains(SEPARATOR) {
                return area_of(&Gazetteer::get().locate(&parts));
            }
            words.push_str(word);
            words.push(SEPARATOR);
        }
        if let Some(known) = by_words.get(words.as_str()) {
            return known.clone();
        }
        let found = area_of(&Gazetteer::get().locate(&parts));
        if by_words.len() >= CACHED_MAX {
            by_words.clear();
        }
        by_words.insert(words.as_str().into(), found.clone());
        found
    })
}

fn area_of(located: &Located<'_>) -> LocatedArea {
    let [.., city, area] = &located.levels;
    let is_narrow = city.is_some() || area.is_some();
    let path = located.path().filter(|_| is_narrow);
    LocatedArea {
        area: path.and_then(|path| AreaPath::parse(&path)),
        is_contradictory: !located.contradictions.is_empty(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn located(words: [Option<&str>; 6]) -> LocatedArea {
        let [country, region, county, city, neighbourhood, postal_code] = words.map(|word| word.map(str::to_owned));
        locate(&Address { country, region, county, city, neighbourhood, postal_code, ..Address::default() })
    }

    #[test]
    fn a_postal_code_decides_and_contradictions_are_flagged() {
        let austin = |region| located([Some("US"), region, None, None, None, Some("78704")]);
        for region in [None, Some("TX"), Some("texas"), Some("Tex.")] {
            let area = austin(region).area.unwrap();
            assert_eq!((area.as_str(), austin(region).is_contradictory), ("us/tx/travis/austin/78704", false));
        }
        assert_eq!(austin(Some("Maine")), LocatedArea { is_contradictory: true, ..austin(None) });
    }

    #[test]
    fn a_region_or_county_alone_gives_no_area() {
        let nowhere = LocatedArea { area: None, is_contradictory: false };
        assert_eq!(located([Some("US"), Some("WA"), Some("King"), None, None, None]), nowhere);
        assert_eq!(located([None; 6]), nowhere);
    }

    proptest! {
        /// In any order of look-ups.
        #[test]
        fn the_cache_returns_what_the_gazetteer_finds(
            asked in proptest::collection::vec(
                proptest::array::uniform6(proptest::option::of("US|MA|WA|Seattle|King|98178|Agadir|\u{1f}|a\u{1f}|")), 1..30
            ),
        ) {
            for words in &asked {
                let words = words.each_ref().map(Option::as_deref);
                let [country, region, county, city, neighbourhood, postal_code] = words;
                let words_of = AddressParts { country, region, county, city, neighbourhood, postal_code };
                prop_assert_eq!(located(words), area_of(&Gazetteer::get().locate(&words_of)));
            }
        }
    }
}
