//! The homes that are counted together.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::address::AreaPath;
use crate::listing::{Listing, Purpose};
use crate::locate::locate;
use crate::money::Currency;

/// The homes that are counted together: one area, one purpose, one currency.
///
/// Formatted and parsed as `us/wa/king/seattle/98178:sale:USD`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Market {
    /// The narrowest area that is known to contain the home.
    pub area: AreaPath,
    pub purpose: Purpose,
    /// The currency of all prices in this market.
    pub currency: Currency,
}

/// The text is not a [`Market`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a market like us/wa/king/seattle/98178:sale:USD")]
pub struct ParseMarketError(pub String);

/// The market in which a listing is counted. Its area is the one that [`locate`] finds for the listing's address.
///
/// Returns `None` if the address has no known postal code, quarter or city. No other function decides this.
#[must_use]
pub fn market_of(listing: &Listing) -> Option<Market> {
    let area = locate(&listing.address).area?;
    Some(Market { area, purpose: listing.purpose, currency: listing.currency })
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
    use crate::address::Address;

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
    fn a_market_round_trips_as_text() {
        let market = market_of(&address(Some("98178"), None, None)).unwrap();
        assert_eq!(market.to_string(), "ma/-/-/-/~98178:sale:MAD");
        assert_eq!(market.to_string().parse::<Market>().unwrap(), market);
        assert!("98178".parse::<Market>().is_err());
        assert!("a/b:sale:USD".parse::<Market>().is_err());
    }
}
