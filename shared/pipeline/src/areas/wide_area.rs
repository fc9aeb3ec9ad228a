//! Wide areas: which of them contain a market.
//!
//! A wide area is a prefix of a market's path: `us/wa/king/seattle`, `us/wa/king`, `us/wa`, `us`, with a purpose and a
//! currency. An unknown level, `-`, is a name like any other: the homes of `us/wa/-/seattle` are in that city, in the
//! county `us/wa/-` of all homes in Washington without a known county, and in `us/wa`. So every market is in exactly
//! one area of each level, and an area is the sum of those one level below it.

use std::fmt;

use stoop_domain::{Country, Currency, Market, Purpose, country};

/// How wide an area is: the number of names in its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WideLevel {
    /// `us`.
    Country = 1,
    /// `us/wa`.
    Region = 2,
    /// `us/wa/king`.
    County = 3,
    /// `us/wa/king/seattle`: a sum of markets. The other levels are sums of the level below.
    City = 4,
}

/// An area wider than a market, with the purpose and currency of its prices.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WideArea {
    path: String,
    id: MergedId,
}

/// The key for adding up an area's markets: different currencies are never added, nor rents to prices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MergedId {
    /// Sale or rent.
    pub purpose: Purpose,
    /// The currency of the prices.
    pub currency: Currency,
}

impl WideLevel {
    /// Every level, narrow to wide.
    pub const ALL: [Self; 4] = [Self::City, Self::County, Self::Region, Self::Country];

    /// The number of names in its path.
    #[must_use]
    pub fn depth(self) -> usize {
        self as usize
    }

    /// `city`, `county`, `region` or `country`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Country => "country",
            Self::Region => "region",
            Self::County => "county",
            Self::City => "city",
        }
    }
}

impl WideArea {
    /// The area with this path; `None` if it does not have one to four names.
    #[must_use]
    pub fn new(path: &str, id: MergedId) -> Option<Self> {
        let fits = (1..=WideLevel::City.depth()).contains(&path.split('/').count());
        let is_named = path.split('/').all(|name| !name.is_empty());
        (fits && is_named).then(|| Self { path: path.to_owned(), id })
    }

    /// The area of a level that contains a market.
    #[must_use]
    pub fn of(market: &Market, level: WideLevel) -> Self {
        let path = market.area.levels()[..level.depth()].join("/");
        Self { path, id: MergedId::of(market) }
    }

    /// The area one level above; `None` for a country.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (path, _) = self.path.rsplit_once('/')?;
        Some(Self { path: path.to_owned(), id: self.id })
    }

    /// The level.
    #[must_use]
    pub fn level(&self) -> WideLevel {
        match self.path.bytes().filter(|byte| *byte == b'/').count() {
            0 => WideLevel::Country,
            1 => WideLevel::Region,
            2 => WideLevel::County,
            _ => WideLevel::City,
        }
    }

    /// The path.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The purpose and currency of its prices.
    #[must_use]
    pub fn id(&self) -> MergedId {
        self.id
    }

    /// The zone, currency and unit of its country and region.
    #[must_use]
    pub fn country(&self) -> Country {
        country(&self.path)
    }
}

impl MergedId {
    /// The key of a market.
    #[must_use]
    pub fn of(market: &Market) -> Self {
        Self { purpose: market.purpose, currency: market.currency }
    }
}

impl fmt::Display for WideArea {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.path, self.id)
    }
}

impl fmt::Display for MergedId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.purpose.as_str(), self.currency)
    }
}

impl std::str::FromStr for MergedId {
    type Err = String;

    /// Parses `sale:USD`.
    fn from_str(text: &str) -> Result<Self, String> {
        let read = || {
            let (purpose, currency) = text.split_once(':')?;
            let purpose = [Purpose::Sale, Purpose::Rent].into_iter().find(|known| known.as_str() == purpose)?;
            Some(Self { purpose, currency: Currency::parse(currency).ok()? })
        };
        read().ok_or_else(|| format!("{text:?} is not a purpose and currency like sale:USD"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(id: &str) -> Market {
        id.parse().unwrap()
    }

    #[test]
    fn a_market_is_in_one_area_of_each_level_known_or_not() {
        for (id, areas) in [
            ("us/wa/king/seattle/98178:sale:USD", ["us/wa/king/seattle", "us/wa/king", "us/wa", "us"]),
            ("us/wa/-/seattle/98178:rent:USD", ["us/wa/-/seattle", "us/wa/-", "us/wa", "us"]),
            ("us/wa/king/-/98103:sale:USD", ["us/wa/king/-", "us/wa/king", "us/wa", "us"]),
            ("ma/-/-/agadir/-:sale:MAD", ["ma/-/-/agadir", "ma/-/-", "ma/-", "ma"]),
            ("-/-/-/-/x:sale:EUR", ["-/-/-/-", "-/-/-", "-/-", "-"]),
        ] {
            let market = market(id);
            let terms = id.split_once(':').unwrap().1;
            let mut above = Some(WideArea::of(&market, WideLevel::City));
            for (level, path) in WideLevel::ALL.into_iter().zip(areas) {
                let area = WideArea::of(&market, level);
                assert_eq!((area.to_string(), area.level()), (format!("{path}:{terms}"), level));
                assert_eq!(above.as_ref(), Some(&area), "the one above the last");
                assert_eq!(WideArea::new(path, terms.parse().unwrap()), Some(area.clone()));
                above = area.parent();
            }
            assert_eq!(above, None, "nothing is above a country");
        }
    }

    #[test]
    fn a_market_and_a_path_with_a_hole_are_not_wide_areas() {
        let id: MergedId = "sale:USD".parse().unwrap();
        for path in ["us/wa/king/seattle/98178", "", "us/", "us//king"] {
            assert_eq!(WideArea::new(path, id), None, "{path}");
        }
        for terms in ["sale", "sale:", "gift:USD", ":USD", "sale:dollars"] {
            assert!(terms.parse::<MergedId>().is_err(), "{terms}");
        }
    }
}
