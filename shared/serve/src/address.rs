use std::collections::BTreeSet;

use stoop_domain::Market;
use stoop_gazetteer::slug;

use super::areas_called;

/// An address as people write it: number and street, and perhaps a place after them. There is no marker between the
/// two, so all ways to split it are tried.
#[derive(Clone, Debug)]
pub struct AddressQuery {
    /// For each ending that names places: the words before it, and the markets of those places.
    splits: Vec<(Vec<String>, BTreeSet<Market>)>,
    /// All the words.
    whole: Vec<String>,
}

/// How well the address line of a home matches, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AddressFit {
    /// Equal.
    Whole,
    /// A prefix, followed by a unit or a place.
    Begins,
}

/// The most words after the street.
const PLACE_WORDS_MAX: usize = 8;
/// Without a place, one word is not an address.
const WORDS_MIN: usize = 2;

impl AddressQuery {
    /// Parses an address of homes in these markets; `None` for a text of fewer than two words.
    #[must_use]
    pub fn read(text: &str, markets: &[Market]) -> Option<Self> {
        let slug = slug(text);
        let words: Vec<&str> = slug.split('-').filter(|word| !word.is_empty()).collect();
        if words.len() < WORDS_MIN {
            return None;
        }
        let mut splits = Vec::new();
        for end in words.len().saturating_sub(PLACE_WORDS_MAX).max(1)..words.len() {
            let areas = areas_called(&words[end..].join(" "), markets);
            let line = folded(words[..end].iter().copied());
            if !areas.is_empty() && !line.is_empty() {
                splits.push((line, areas.into_iter().flat_map(|area| area.markets).collect()));
            }
        }
        let whole = folded(words.into_iter());
        (whole.len() >= WORDS_MIN).then_some(Self { splits, whole })
    }

    /// The markets of all places that may be named, in order; empty if none is.
    #[must_use]
    pub fn markets(&self) -> Vec<Market> {
        let all: BTreeSet<&Market> = self.splits.iter().flat_map(|(_, markets)| markets).collect();
        all.into_iter().cloned().collect()
    }

    /// How well the address line of a home in a market matches, if it does.
    #[must_use]
    pub fn fits(&self, line: &str, market: &Market) -> Option<AddressFit> {
        let slug = slug(line);
        let line = folded(slug.split('-'));
        let splits = self.splits.iter().filter(|(_, markets)| markets.contains(market)).map(|(wanted, _)| wanted);
        let fit = |wanted: &Vec<String>| {
            let begins = line.starts_with(wanted);
            begins.then_some(if line.len() == wanted.len() { AddressFit::Whole } else { AddressFit::Begins })
        };
        splits.chain([&self.whole]).filter_map(fit).min()
    }
}

/// The words of an address in the form that is compared: streets and directions abbreviated, without words that only
/// introduce a unit.
fn folded<'w>(words: impl Iterator<Item = &'w str>) -> Vec<String> {
    let is_said = |word: &&str| {
        !matches!(
            *word,
            "" | "apt" | "apartment" | "unit" | "suite" | "no" | "nr" | "num" | "number" | "appt" | "appartement"
        )
    };
    words.filter(is_said).map(short).collect()
}

fn short(word: &str) -> String {
    let short = match word {
        "street" | "saint" => "st",
        "avenue" | "av" => "ave",
        "road" => "rd",
        "drive" => "dr",
        "boulevard" | "bd" | "bvd" => "blvd",
        "lane" => "ln",
        "court" => "ct",
        "place" => "pl",
        "terrace" => "ter",
        "circle" => "cir",
        "square" => "sq",
        "parkway" => "pkwy",
        "highway" => "hwy",
        "mount" => "mt",
        "fort" => "ft",
        "north" => "n",
        "south" => "s",
        "east" => "e",
        "west" => "w",
        "northeast" => "ne",
        "northwest" => "nw",
        "southeast" => "se",
        "southwest" => "sw",
        _ => word,
    };
    // Hauptstraße is Hauptstr.
    match short.strip_suffix("strasse") {
        Some(street) => format!("{street}str"),
        None => short.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::AddressFit::{Begins, Whole};
    use super::*;

    fn here() -> Vec<Market> {
        [
            "us/oh/champaign/saint-paris/43072:sale:USD",
            "us/tx/lamar/paris/75460:sale:USD",
            "us/wa/king/seattle/98178:sale:USD",
        ]
        .map(|id| id.parse().unwrap())
        .to_vec()
    }

    fn fits(text: &str, line: &str, market: usize) -> Option<AddressFit> {
        AddressQuery::read(text, &here()).unwrap().fits(line, &here()[market])
    }

    #[test]
    fn an_address_matches_in_every_spelling() {
        for text in [
            "5500 S Norfolk St",
            "5500 south norfolk street",
            "5500 S. NORFOLK ST., Seattle",
            "5500 S Norfolk St Seattle WA 98178",
            "5500 S Norfolk St, 98178",
            "5500 S Norfolk St, king county, usa",
        ] {
            assert_eq!(fits(text, "5500 S Norfolk St", 2), Some(Whole), "{text}");
            assert_eq!(fits(text, "5500 South Norfolk Street #4", 2), Some(Begins), "{text}");
        }
        assert_eq!(fits("5500 S Norfolk St, Seattle", "5500 S Norfolk St, Seattle, WA 98178", 2), Some(Begins));
        for unit in ["#4", "Apt 4", "Unit 4", "apt. #4", "4"] {
            assert_eq!(
                fits(&format!("11 Waters Ave S {unit}, Seattle"), "11 Waters Avenue South #4", 2),
                Some(Whole),
                "{unit}"
            );
        }
        assert_eq!(fits("Hauptstr. 12", "Hauptstraße 12/4", 2), Some(Begins));
    }

    #[test]
    fn another_number_or_street_does_not_match() {
        for line in ["5501 S Norfolk St", "550 S Norfolk St", "5500 S Norfolk Ave", "S Norfolk St 5500", "55", ""] {
            assert_eq!(fits("5500 S Norfolk St, Seattle", line, 2), None, "{line}");
        }
        assert_eq!(fits("11 Waters Ave S #4, Seattle", "11 Waters Ave S #44", 2), None);
        assert_eq!(fits("11 Waters Ave S #4, Seattle", "11 Waters Ave S", 2), None, "its unit may be another one");
    }

    #[test]
    fn the_place_that_is_named_counts() {
        assert_eq!(fits("5500 S Norfolk St, Paris", "5500 S Norfolk St", 2), None);
        assert_eq!(fits("5500 S Norfolk St, Nowhere", "5500 S Norfolk St", 2), None);
        let named = |text: &str| AddressQuery::read(text, &here()).unwrap().markets();
        assert_eq!(named("5500 S Norfolk St, Seattle"), here()[2..]);
        assert_eq!(named("5500 S Norfolk St"), []);
        // Both ways to split it are tried.
        assert_eq!(named("100 Main St Paris"), here()[..2]);
        assert_eq!(fits("100 Main St Paris", "100 Main St", 1), Some(Whole));
        assert_eq!(fits("100 Main St Paris", "100 Main", 0), Some(Whole));
        assert_eq!(fits("100 Main St Paris", "100 Main", 1), None);
    }

    #[test]
    fn one_word_is_not_an_address() {
        for text in ["", " , ", "5500", "#", "apt unit no"] {
            assert!(AddressQuery::read(text, &here()).is_none(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_line_matches_itself(line in prop_oneof!["[0-9]{1,4} [A-Za-zé.' -]{3,20}( #[0-9])?", "\\PC{0,40}"]) {
            if let Some(address) = AddressQuery::read(&line, &here()) {
                prop_assert_eq!(address.fits(&line, &here()[2]), Some(Whole));
                prop_assert_eq!(address.fits("", &here()[2]), None);
            }
        }
    }
}
