use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

use crate::country::{Country, country};
use crate::listing::{Listing, Purpose};
use crate::money::Currency;

/// Where a home stands, in the source's own words (RESO address fields).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// `UnparsedAddress`: street, number, unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<String>,
    /// `SubdivisionName`, quarter or district.
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
    /// `PostalCode`, as text: leading zeros count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// `Country`, ISO 3166-1 alpha-2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub country: Option<String>,
    /// `Latitude` in millionths of a degree, north positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub latitude_e6: Option<i32>,
    /// `Longitude` in millionths of a degree, east positive.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub longitude_e6: Option<i32>,
}

/// An area as five slugs, wide to narrow: `country/region/county/city/area`; `-` where unknown.
///
/// Slugs are lower case, without diacritics, with `-` between words, so that "Haut-Founty" and
/// "haut  founty" are one area. The path alone decides where areas nest: the sum over all areas that
/// begin with `us/il/` is Illinois.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AreaPath(Arc<str>);

/// What homes are counted together: one area, one purpose, one currency.
///
/// Printed and parsed as `us/wa/king/-/98178:sale:USD`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Market {
    /// The narrowest area that the home is known to lie in.
    pub area: AreaPath,
    /// Sale or rent.
    pub purpose: Purpose,
    /// The currency of its prices.
    pub currency: Currency,
}

/// A text that is no [`Market`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a market like us/wa/king/-/98178:sale:USD")]
pub struct ParseMarketError(pub String);

/// The one function that says in which market a listing is counted: that of its postal code where it
/// has one, else of its neighbourhood, else of its city; `None` where it has none of them.
#[must_use]
pub fn market_of(listing: &Listing) -> Option<Market> {
    let area = AreaPath::of(names(listing)?)?;
    Some(Market { area, purpose: listing.purpose, currency: listing.currency })
}

/// [`market_of`], where the listing is expected to lie in `expected`: then nothing is built anew.
pub(crate) fn market_like(listing: &Listing, expected: &Market) -> Option<Market> {
    let same_terms = expected.purpose == listing.purpose && expected.currency == listing.currency;
    if same_terms && names(listing).is_some_and(|names| expected.area.is_of(names)) {
        return Some(expected.clone());
    }
    market_of(listing)
}

/// The names of the listing's area, wide to narrow.
fn names(listing: &Listing) -> Option<[Option<&str>; 5]> {
    let place = &listing.place;
    let named = |name: &'_ Option<String>| name.as_deref().is_some_and(has_letter);
    let narrow = [&place.postal_code, &place.neighbourhood].into_iter().find(|name| named(name));
    if narrow.is_none() && !named(&place.city) {
        return None;
    }
    let names = [&place.country, &place.region, &place.county, &place.city, narrow.unwrap_or(&None)];
    Some(names.map(|name| name.as_deref()))
}

/// Whether a name has a letter or a digit, without which it names nothing.
pub(crate) fn has_letter(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_alphanumeric()) || name.contains(char::is_alphanumeric)
}

impl AreaPath {
    /// Slugs the five names, wide to narrow. `None` where no name has a letter or a digit.
    #[must_use]
    pub fn of(names: [Option<&str>; 5]) -> Option<Self> {
        let mut path = String::with_capacity(48);
        let mut known = false;
        for (level, name) in names.into_iter().enumerate() {
            if level > 0 {
                path.push('/');
            }
            let before = path.len();
            push_slug(&mut path, name.unwrap_or(""));
            if path.len() == before {
                path.push('-');
            } else {
                known = true;
            }
        }
        known.then(|| Self(path.into()))
    }

    /// A path as [`AreaPath::as_str`] gave it; `None` for a text without five names.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        // Each home that is read passes here: one look at each byte.
        let (mut slashes, mut is_empty, mut lacks_one) = (0, true, false);
        for byte in path.bytes() {
            let ends = byte == b'/';
            lacks_one |= ends && is_empty;
            slashes += usize::from(ends);
            is_empty = ends;
        }
        (slashes == 4 && !is_empty && !lacks_one).then(|| Self(path.into()))
    }

    /// Whether [`AreaPath::of`] of these names is this path. May say no where it is: names that are not
    /// ASCII are not looked at closely.
    fn is_of(&self, names: [Option<&str>; 5]) -> bool {
        let mut path = self.0.as_bytes().iter().copied();
        for (level, name) in names.into_iter().enumerate() {
            if level > 0 && path.next() != Some(b'/') {
                return false;
            }
            let (mut empty, mut gap) = (true, false);
            for byte in name.unwrap_or("").bytes() {
                if byte.is_ascii_alphanumeric() {
                    let joined = !gap || empty || path.next() == Some(b'-');
                    if !joined || path.next() != Some(byte.to_ascii_lowercase()) {
                        return false;
                    }
                    (empty, gap) = (false, false);
                } else if byte.is_ascii() {
                    gap = true;
                } else {
                    return false;
                }
            }
            if empty && path.next() != Some(b'-') {
                return false;
            }
        }
        path.next().is_none()
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

    /// The narrowest known name, in words: `Haut Founty`.
    #[must_use]
    pub fn name(&self) -> String {
        let slug = self.levels().into_iter().rev().find(|slug| *slug != "-").unwrap_or("-");
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

    /// What the country (and region) of this area settles: zone, currency, unit.
    #[must_use]
    pub fn country(&self) -> Country {
        let [code, region, ..] = self.levels();
        country(code, region)
    }
}

/// Appends the slug of `name`: lower case, diacritics dropped, every run of other signs one `-`.
fn push_slug(path: &mut String, name: &str) {
    let start = path.len();
    let mut gap = false;
    if name.is_ascii() {
        for byte in name.bytes() {
            if byte.is_ascii_alphanumeric() {
                if gap && path.len() > start {
                    path.push('-');
                }
                gap = false;
                path.push(char::from(byte.to_ascii_lowercase()));
            } else {
                gap = true;
            }
        }
        return;
    }
    for c in name.nfkd().filter(|c| !is_combining_mark(*c)) {
        if c.is_alphanumeric() {
            if gap && path.len() > start {
                path.push('-');
            }
            gap = false;
            path.extend(c.to_lowercase().filter(|c| !is_combining_mark(*c)));
        } else {
            gap = true;
        }
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

impl fmt::Display for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", self.area, self.purpose.as_str(), self.currency)
    }
}

impl fmt::Debug for Market {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{self}")
    }
}

impl FromStr for Market {
    type Err = ParseMarketError;
    fn from_str(text: &str) -> Result<Self, ParseMarketError> {
        let bad = || ParseMarketError(text.to_owned());
        let mut parts = text.split(':');
        let (Some(area), Some(purpose), Some(currency), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(bad());
        };
        let names: Vec<&str> = area.split('/').collect();
        let names: [&str; 5] = names.try_into().map_err(|_| bad())?;
        let purpose = match purpose {
            "sale" => Purpose::Sale,
            "rent" => Purpose::Rent,
            _ => return Err(bad()),
        };
        let area = AreaPath::of(names.map(Some)).ok_or_else(bad)?;
        Ok(Self { area, purpose, currency: Currency::parse(currency).map_err(|_| bad())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(postal: Option<&str>, quarter: Option<&str>, city: Option<&str>) -> Listing {
        let text = |t: Option<&str>| t.map(str::to_owned);
        let place = Place {
            postal_code: text(postal),
            neighbourhood: text(quarter),
            city: text(city),
            country: Some("MA".into()),
            ..Place::default()
        };
        Listing::new(Purpose::Sale, Currency::MAD, place)
    }

    #[test]
    fn the_narrowest_known_area_counts() {
        let of = |p, q, c| market_of(&place(p, q, c)).map(|m| m.to_string());
        assert_eq!(of(Some("08701"), Some("q"), Some("c")).unwrap(), "ma/-/-/c/08701:sale:MAD");
        assert_eq!(of(None, Some("Haut-Founty"), Some("Agadir")).unwrap(), "ma/-/-/agadir/haut-founty:sale:MAD");
        assert_eq!(of(None, None, Some("Meknès")).unwrap(), "ma/-/-/meknes/-:sale:MAD");
        assert_eq!(of(None, None, None), None);
    }

    #[test]
    fn spelling_does_not_split_an_area() {
        let slug = |name| AreaPath::of([Some("ma"), None, None, Some(name), None]).unwrap();
        assert_eq!(slug("Haut-Founty"), slug("  haut   FOUNTY "));
        assert_eq!(slug("Méknes"), slug("Meknès"));
        assert_eq!(slug("Haut Founty").name(), "Haut Founty");
        assert_eq!(slug("مراكش").levels()[3], "مراكش");
    }

    #[test]
    fn a_path_knows_its_own_names_and_no_others() {
        let names = [Some("US"), Some("wa"), None, Some("Mercer  Island-"), Some(" 98040")];
        let path = AreaPath::of(names).unwrap();
        assert!(path.is_of(names));
        assert!(path.is_of([Some("us"), Some("WA"), Some("--"), Some("mercer island"), Some("98040")]));
        for (level, other) in
            [(0, "u"), (1, "wax"), (2, "king"), (3, "mercer islan"), (3, "mercerisland"), (4, "9804"), (4, "980400")]
        {
            let mut names = names;
            names[level] = Some(other);
            assert!(!path.is_of(names), "{names:?}");
        }
    }

    #[test]
    fn a_market_goes_to_text_and_back() {
        let market = market_of(&place(Some("98178"), None, None)).unwrap();
        assert_eq!(market.to_string().parse::<Market>().unwrap(), market);
        assert!("98178".parse::<Market>().is_err());
        assert!("a/b:sale:USD".parse::<Market>().is_err());
    }
}
