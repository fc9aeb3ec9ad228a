use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use stoop_gazetteer::{AddressParts, TOLD};

use crate::country::{Country, country};
use crate::listing::{Listing, Purpose};
use crate::locate::locate;
use crate::money::Currency;

/// Where a home stands, in the source's own words (RESO address fields).
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Address {
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

/// An area as five slugs, wide to narrow: `country/region/county/city/area`; `-` where unknown, `~` before a name that the
/// gazetteer does not know and the source alone tells.
///
/// Slugs are lower case, without diacritics, with `-` between words, so that "Haut-Founty" and
/// "haut  founty" are one area. The path alone decides where areas nest: the sum over all areas that
/// begin with `us/il/` is Illinois.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AreaPath(Arc<str>);

/// What homes are counted together: one area, one purpose, one currency.
///
/// Printed and parsed as `us/wa/king/seattle/98178:sale:USD`.
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
#[error("{0:?} is not a market like us/wa/king/seattle/98178:sale:USD")]
pub struct ParseMarketError(pub String);

/// The one function that says in which market a listing is counted: that of the area that its place leads to ([`locate`]), where
/// a postal code, a quarter or a city of it is told; `None` where none is.
#[must_use]
pub fn market_of(listing: &Listing) -> Option<Market> {
    let area = locate(&listing.address).area?;
    Some(Market { area, purpose: listing.purpose, currency: listing.currency })
}

impl Address {
    /// The words that say in which area it is.
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

/// Whether a name has a letter or a digit, without which it names nothing.
pub(crate) fn has_letter(name: &str) -> bool {
    name.bytes().any(|byte| byte.is_ascii_alphanumeric()) || name.contains(char::is_alphanumeric)
}

impl AreaPath {
    /// Slugs the five names, wide to narrow; those that the source alone tells have a `~` before them. Nothing is looked up.
    /// `None` where no name has a letter or a digit.
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
            if name.starts_with(TOLD) {
                path.push(TOLD);
            }
            path.push_str(&slug);
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

    /// Whether the area is the one that the beginning of a path names, or lies in it: `us/wa/king/seattle/98178` lies in
    /// `us/wa`, and not in `us/w`.
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

    /// The narrowest known name, in words: `Haut Founty`.
    #[must_use]
    pub fn name(&self) -> String {
        let slug = self.levels().into_iter().rev().find(|slug| *slug != "-").unwrap_or("-").trim_start_matches(TOLD);
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

    /// What this area takes from the places that it lies in: zone, currency, unit.
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

    fn address(postal: Option<&str>, quarter: Option<&str>, city: Option<&str>) -> Listing {
        let text = |t: Option<&str>| t.map(str::to_owned);
        let address = Address {
            postal_code: text(postal),
            neighbourhood: text(quarter),
            city: text(city),
            country: Some("MA".into()),
            ..Address::default()
        };
        Listing::new(Purpose::Sale, Currency::MAD, address)
    }

    #[test]
    fn the_narrowest_known_area_counts() {
        let of = |p, q, c| market_of(&address(p, q, c)).map(|m| m.to_string());
        assert_eq!(of(Some("08701"), Some("q"), Some("c")).unwrap(), "ma/-/-/~c/~08701:sale:MAD");
        let agadir = "ma/souss-massa/agadir-ida-ou-tanane/agadir";
        assert_eq!(of(None, Some("Haut-Founty"), Some("Agadir")).unwrap(), format!("{agadir}/haut-founty:sale:MAD"));
        assert_eq!(of(None, Some("Nowhere"), Some("AGADIR")).unwrap(), format!("{agadir}/~nowhere:sale:MAD"));
        assert_eq!(of(None, None, Some("Meknès")).unwrap(), "ma/fes-meknes/meknes/meknes/-:sale:MAD");
        assert_eq!(of(None, None, None), None);
        assert_eq!(of(Some(" - "), Some("Autre secteur"), None), None);
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
    fn a_market_goes_to_text_and_back() {
        let market = market_of(&address(Some("98178"), None, None)).unwrap();
        assert_eq!(market.to_string(), "ma/-/-/-/~98178:sale:MAD");
        assert_eq!(market.to_string().parse::<Market>().unwrap(), market);
        assert!("98178".parse::<Market>().is_err());
        assert!("a/b:sale:USD".parse::<Market>().is_err());
    }
}
