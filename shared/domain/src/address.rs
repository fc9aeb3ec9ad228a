use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stoop_gazetteer::{AddressParts, FROM_SOURCE, Gazetteer};

use crate::country::{Country, country};

/// The address of a home as the source writes it (RESO address fields).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
    /// `UnparsedAddress`: street, number and unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// `SubdivisionName`: quarter or district.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub neighbourhood: Option<String>,
    /// `City`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub city: Option<String>,
    /// `CountyOrParish`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub county: Option<String>,
    /// `StateOrProvince`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// `PostalCode`. A text, because leading zeros count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// `Country`: ISO 3166-1 alpha-2 code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// `Latitude` in millionths of a degree, north positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude_e6: Option<i32>,
    /// `Longitude` in millionths of a degree, east positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude_e6: Option<i32>,
    /// Whether city, region and postal code were found in `line` by the gazetteer: the source gives none of them.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub derived: bool,
}

/// An area as five slugs, wide to narrow: `country/region/county/city/area`. `-` stands for an unknown level; `~` marks
/// a name that only the source gives and the gazetteer does not know.
///
/// Slugs are lower case, without diacritics, with `-` between words, so that "Haut-Founty" and "haut  founty" are one
/// area. The path alone decides which areas contain which: the sum over all areas that begin with `us/il/` is Illinois.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AreaPath(Arc<str>);

impl Address {
    /// Finds city, region and postal code in the line of an address that has no postal code, quarter or city.
    pub(crate) fn derive_place(&mut self) {
        let is_known = |name: &Option<String>| name.as_ref().is_some_and(|name| has_letter(name));
        if [&self.postal_code, &self.neighbourhood, &self.city].into_iter().any(is_known) {
            return;
        }
        let (Some(country), Some(line)) = (&self.country, &self.line) else { return };
        let Some(place) = Gazetteer::get().place_in_line(country, line) else { return };
        self.region = self.region.take().or(place.region);
        (self.city, self.postal_code, self.derived) = (place.city, place.postal_code, true);
    }

    /// The fields of the address that determine its area.
    #[must_use]
    pub fn words(&self) -> AddressParts<'_> {
        AddressParts {
            country: self.country.as_deref(),
            region: self.region.as_deref(),
            county: self.county.as_deref(),
            city: self.city.as_deref(),
            neighbourhood: self.neighbourhood.as_deref(),
            postal_code: self.postal_code.as_deref(),
        }
    }
}

/// Whether a path, or the beginning of one, is `area` or lies in it.
#[must_use]
pub fn lies_in(path: &str, area: &str) -> bool {
    path.strip_prefix(area).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Whether a name has a letter or a digit. A name without one is treated as missing.
pub(crate) fn has_letter(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_alphanumeric()) || name.contains(char::is_alphanumeric)
}

impl AreaPath {
    /// Makes a path from five names, wide to narrow. A name keeps a leading `~`, which marks names that only the source
    /// gives. Does not consult the gazetteer.
    ///
    /// Returns `None` if no name has a letter or a digit.
    #[must_use]
    pub fn of(names: [Option<&str>; 5]) -> Option<Self> {
        let mut path = String::with_capacity(48);
        let mut known = false;
        for (level, name) in names.into_iter().enumerate() {
            if level > 0 {
                path.push('/');
            }
            let name = name.unwrap_or("");
            let slug = stoop_gazetteer::slug(name);
            if slug.is_empty() {
                path.push('-');
                continue;
            }
            known = true;
            if name.starts_with(FROM_SOURCE) {
                path.push(FROM_SOURCE);
            }
            path.push_str(&slug);
        }
        known.then(|| Self(path.into()))
    }

    /// Parses a path in the format of [`AreaPath::as_str`]. Returns `None` if it does not have five slugs.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        // Runs for every home that is read, so it makes one pass over the bytes.
        let (mut slashes, mut is_empty, mut lacks_one) = (0, true, false);
        for byte in path.bytes() {
            let ends = byte == b'/';
            lacks_one |= ends && is_empty;
            slashes += usize::from(ends);
            is_empty = ends;
        }
        (slashes == 4 && !is_empty && !lacks_one).then(|| Self(path.into()))
    }

    /// Whether this area equals or lies in the area that `beginning` names: `us/wa/king/seattle/98178` lies in `us/wa`,
    /// but not in `us/w`.
    #[must_use]
    pub fn lies_in(&self, beginning: &str) -> bool {
        lies_in(&self.0, beginning)
    }

    /// The path as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The five slugs, wide to narrow; `-` where unknown.
    #[must_use]
    pub fn levels(&self) -> [&str; 5] {
        let mut parts = self.0.split('/');
        std::array::from_fn(|_| parts.next().unwrap_or("-"))
    }

    /// The narrowest known name as words: `Haut Founty`.
    #[must_use]
    pub fn name(&self) -> String {
        let slug =
            self.levels().into_iter().rev().find(|slug| *slug != "-").unwrap_or("-").trim_start_matches(FROM_SOURCE);
        let mut name = String::new();
        for word in slug.split('-').filter(|word| !word.is_empty()) {
            if !name.is_empty() {
                name.push(' ');
            }
            let mut letters = word.chars();
            name.extend(letters.next().into_iter().flat_map(char::to_uppercase));
            name.push_str(letters.as_str());
        }
        name
    }

    /// The time zone, currency and area unit of this area.
    #[must_use]
    pub fn country(&self) -> Country {
        country(&self.0)
    }
}

impl fmt::Display for AreaPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AreaPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_name_share_an_area() {
        let slug = |name| AreaPath::of([Some("ma"), None, None, Some(name), None]).unwrap();
        assert_eq!(slug("Haut-Founty"), slug("  haut   FOUNTY "));
        assert_eq!(slug("Méknes"), slug("Meknès"));
        assert_eq!(slug("Haut Founty").name(), "Haut Founty");
        assert_eq!(slug("مراكش").levels()[3], "مراكش");
    }
}
