//! From a place in a source's words to its area, by the gazetteer.

use std::cell::RefCell;
use std::collections::HashMap;

use stoop_gazetteer::{AddressParts, Gazetteer, Located};

use crate::address::{Address, AreaPath};

/// Where a place leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LocatedArea {
    /// The narrowest area that it is known to lie in; `None` where neither a postal code nor a quarter nor a city is told.
    pub area: Option<AreaPath>,
    /// Whether the place tells something of itself that the area does not say: a postal code of Texas with the state of Maine
    /// ([`Located::contradictions`]).
    pub is_contradictory: bool,
}

/// So many places are remembered by each thread; most are told again and again.
const REMEMBERED_MAX: usize = 1 << 14;

/// Stands between words that are looked up; in a name it makes it one that is not remembered.
const BETWEEN: char = '\u{1f}';

thread_local! {
    static REMEMBERED: RefCell<Remembered> = RefCell::default();
}

#[derive(Default)]
struct Remembered {
    by_words: HashMap<Box<str>, LocatedArea>,
    /// The words that are looked up, in one piece.
    words: String,
}

/// Which areas [`locate`] gives: another number, other areas. What is stored by them is then computed anew.
pub const AREAS_VERSION: u32 = stoop_gazetteer::GAZETTEER_VERSION;

/// Finds the area of a place: a function of its words and of [`AREAS_VERSION`].
#[must_use]
pub fn locate(address: &Address) -> LocatedArea {
    REMEMBERED.with_borrow_mut(|remembered| {
        let Remembered { by_words, words } = remembered;
        let reported = address.words();
        words.clear();
        let AddressParts { country, region, county, city, neighbourhood, postal_code } = reported;
        for word in [country, region, county, city, neighbourhood, postal_code].map(Option::unwrap_or_default) {
            if word.contains(BETWEEN) {
                return area_of(&Gazetteer::get().locate(&reported));
            }
            words.push_str(word);
            words.push(BETWEEN);
        }
        if let Some(known) = by_words.get(words.as_str()) {
            return known.clone();
        }
        let found = area_of(&Gazetteer::get().locate(&reported));
        if by_words.len() >= REMEMBERED_MAX {
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
    fn a_postal_code_decides_and_what_contradicts_it_is_reported() {
        let austin = |region| located([Some("US"), region, None, None, None, Some("78704")]);
        for region in [None, Some("TX"), Some("texas"), Some("Tex.")] {
            let area = austin(region).area.unwrap();
            assert_eq!((area.as_str(), austin(region).is_contradictory), ("us/tx/travis/austin/78704", false));
        }
        assert_eq!(austin(Some("Maine")), LocatedArea { is_contradictory: true, ..austin(None) });
    }

    #[test]
    fn where_only_a_region_or_a_county_is_reported_there_is_no_area() {
        let nowhere = LocatedArea { area: None, is_contradictory: false };
        assert_eq!(located([Some("US"), Some("WA"), Some("King"), None, None, None]), nowhere);
        assert_eq!(located([None; 6]), nowhere);
    }

    proptest! {
        /// Whatever was asked before, in whichever order.
        #[test]
        fn what_is_remembered_is_what_would_be_found(
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
