//! Lists of homes: which are wanted, in what order, and from where on.

use std::cmp::Ordering;
use std::ops::RangeInclusive;

use stoop_domain::{Home, HomeId, Market, PropertyType, Status};

use super::HomeSummary;
use stoop_pipeline::ports::{Browse, PortError};

/// The most homes on offer of an area that are listed: a wider one has to be narrowed.
pub const AREA_HOMES_MAX: usize = 10_000;
/// Homes of a market read at a time.
const HOMES_AT_ONCE: usize = 1_000;
/// Markets whose homes are read at a time: in a cloud each waits for the network.
pub(super) const READS_AT_ONCE: usize = 8;
/// Homes kept beyond those to show, before they are sorted and cut again.
const SPARE: usize = 4_096;

/// What homes are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HomeSort {
    /// List price.
    Price,
    PricePerArea,
    /// Price per area against what homes like it ask ([`super::Comparables`]).
    VsMarket,
    /// Days on the market.
    Age,
    /// The last price change, if it is a cut, as a share.
    Cut,
    /// The time of the last event.
    Event,
    Beds,
    /// Living area.
    Area,
    Id,
}

/// Which homes are listed, and in what order.
#[derive(Clone, Debug, PartialEq)]
pub struct WantedHomes {
    /// Homes of these statuses; `None` for all.
    pub statuses: Option<Vec<Status>>,
    /// Homes of these types; empty for all.
    pub types: Vec<PropertyType>,
    /// The number of bedrooms.
    pub beds: Option<RangeInclusive<u8>>,
    /// The least list price, in major units.
    pub min_price: Option<f64>,
    /// The greatest list price, in major units.
    pub max_price: Option<f64>,
    pub sort: HomeSort,
    /// Greatest first. Unknown values come last in either direction.
    pub desc: bool,
}

/// A position in an ordered list: behind the home with this value and ID, whether or not it is still there.
#[derive(Clone, Debug, PartialEq)]
pub struct HomePosition {
    /// The value of what the list is sorted by, if it is known.
    value: Option<f64>,
    id: HomeId,
}

impl HomeSort {
    pub const ALL: [Self; 9] = [
        Self::Price,
        Self::PricePerArea,
        Self::VsMarket,
        Self::Age,
        Self::Cut,
        Self::Event,
        Self::Beds,
        Self::Area,
        Self::Id,
    ];

    /// Its name in commands and requests.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Price => "price",
            Self::PricePerArea => "price-per-area",
            Self::VsMarket => "vs-market",
            Self::Age => "age",
            Self::Cut => "cut",
            Self::Event => "event",
            Self::Beds => "beds",
            Self::Area => "area",
            Self::Id => "id",
        }
    }

    fn value(self, home: &HomeSummary) -> Option<f64> {
        match self {
            Self::Price => home.price,
            Self::PricePerArea => home.price_per_area,
            Self::VsMarket => home.versus_market,
            Self::Age => home.days_on_market.map(f64::from),
            Self::Cut => home.last_change.as_ref().map(|change| -change.share).filter(|cut| *cut > 0.0),
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of this age are exact")]
            Self::Event => home.last_event_at.map(|at| at.ms() as f64),
            Self::Beds => home.bedrooms.map(f64::from),
            Self::Area => home.living_area,
            Self::Id => None,
        }
    }
}

/// Reads a number of bedrooms: `3`, `2-4` or `3+`.
#[must_use]
pub fn bedrooms(text: &str) -> Option<RangeInclusive<u8>> {
    let number = |text: &str| text.trim().parse::<u8>().ok();
    let (least, most) = match (text.strip_suffix('+'), text.split_once('-')) {
        (Some(least), _) => (number(least)?, u8::MAX),
        (None, Some((least, most))) => (number(least)?, number(most)?),
        (None, None) => (number(text)?, number(text)?),
    };
    (least <= most).then_some(least..=most)
}

impl Default for WantedHomes {
    /// Active homes, newest event first.
    fn default() -> Self {
        Self {
            statuses: Some(vec![Status::Active]),
            types: Vec::new(),
            beds: None,
            min_price: None,
            max_price: None,
            sort: HomeSort::Event,
            desc: true,
        }
    }
}

impl WantedHomes {
    /// Whether amounts are compared, which needs a single currency.
    #[must_use]
    pub fn compares_amounts(&self) -> bool {
        let by_amount = matches!(self.sort, HomeSort::Price | HomeSort::PricePerArea);
        by_amount || self.min_price.is_some() || self.max_price.is_some()
    }

    /// Whether a home is wanted.
    #[must_use]
    pub fn fits(&self, home: &HomeSummary) -> bool {
        let is_status = |statuses: &Vec<Status>| statuses.iter().any(|status| status.as_str() == home.status);
        let kind = self.types.is_empty() || home.property_type.is_some_and(|kind| self.types.contains(&kind));
        let beds = self.beds.as_ref().is_none_or(|wanted| home.bedrooms.is_some_and(|beds| wanted.contains(&beds)));
        let from_min = self.min_price.is_none_or(|min| home.price.is_some_and(|price| price >= min));
        let to_max = self.max_price.is_none_or(|max| home.price.is_some_and(|price| price <= max));
        self.statuses.as_ref().is_none_or(is_status) && kind && beds && from_min && to_max
    }

    /// The order of two homes; ties by ID.
    #[must_use]
    pub fn compare(&self, a: &HomeSummary, b: &HomeSummary) -> Ordering {
        self.order((self.sort.value(a), &a.id), (self.sort.value(b), &b.id))
    }

    fn order(&self, (a, a_id): (Option<f64>, &HomeId), (b, b_id): (Option<f64>, &HomeId)) -> Ordering {
        let ids = a_id.cmp(b_id);
        if self.sort == HomeSort::Id {
            return if self.desc { ids.reverse() } else { ids };
        }
        let values = match (a, b) {
            (Some(a), Some(b)) if self.desc => b.total_cmp(&a),
            (Some(a), Some(b)) => a.total_cmp(&b),
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        values.then(ids)
    }

    /// The position behind a home.
    #[must_use]
    pub fn behind(&self, home: &HomeSummary) -> HomePosition {
        HomePosition { value: self.sort.value(home), id: home.id.clone() }
    }

    fn is_behind(&self, home: &HomeSummary, position: &HomePosition) -> bool {
        let (home, position) = ((self.sort.value(home), &home.id), (position.value, &position.id));
        self.order(home, position) == Ordering::Greater
    }
}

impl HomePosition {
    /// `345000~source/ID`, or `~source/ID` without a value.
    #[must_use]
    pub fn to_text(&self) -> String {
        let value = self.value.map(|value| value.to_string()).unwrap_or_default();
        format!("{value}~{}", self.id)
    }

    /// Reads what [`HomePosition::to_text`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (value, id) = text.split_once('~')?;
        let value = match value {
            "" => None,
            value => Some(value.parse().ok().filter(|value: &f64| value.is_finite())?),
        };
        (!id.is_empty()).then(|| Self { value, id: HomeId(id.into()) })
    }
}

/// The first homes in the wanted order, in bounded memory.
#[derive(Debug)]
pub struct FirstHomes<'w> {
    wanted: &'w WantedHomes,
    after: Option<HomePosition>,
    limit: usize,
    kept: Vec<HomeSummary>,
    total: usize,
    behind: usize,
}

impl<'w> FirstHomes<'w> {
    /// Of the homes behind `after`, if it is given, the first `limit`.
    #[must_use]
    pub fn new(wanted: &'w WantedHomes, after: Option<HomePosition>, limit: usize) -> Self {
        Self { wanted, after, limit, kept: Vec::new(), total: 0, behind: 0 }
    }

    /// Takes a home if it is wanted.
    pub fn take(&mut self, home: HomeSummary) {
        if !self.wanted.fits(&home) {
            return;
        }
        self.total += 1;
        if self.after.as_ref().is_some_and(|after| !self.wanted.is_behind(&home, after)) {
            return;
        }
        self.behind += 1;
        self.kept.push(home);
        if self.kept.len() >= self.limit.saturating_add(SPARE) {
            self.cut();
        }
    }

    /// The number of wanted homes, wherever they are in the list.
    #[must_use]
    pub fn total(&self) -> usize {
        self.total
    }

    /// Whether there are more behind the first ones.
    #[must_use]
    pub fn has_more(&self) -> bool {
        self.behind > self.limit
    }

    /// The first homes, in order.
    #[must_use]
    pub fn into_homes(mut self) -> Vec<HomeSummary> {
        self.cut();
        self.kept
    }

    fn cut(&mut self) {
        self.kept.sort_by(|a, b| self.wanted.compare(a, b));
        self.kept.truncate(self.limit);
    }
}

/// What is listed of a market.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Listed {
    /// Each home, by the listing that speaks for it where each home counts once.
    Homes,
    /// Each listing.
    Listings,
}

/// What is on offer or under contract in a market; of more than `most`, one more than that.
pub(super) async fn open_homes(
    browse: &dyn Browse,
    market: &Market,
    most: usize,
    listed: Listed,
) -> Result<Vec<(HomeId, Home)>, PortError> {
    let mut homes: Vec<(HomeId, Home)> = Vec::new();
    while homes.len() <= most {
        let after = homes.last().map(|(id, _)| id);
        let limit = HOMES_AT_ONCE.min(most + 1 - homes.len());
        let page = match listed {
            Listed::Homes => browse.homes_of(market, after, limit).await?,
            Listed::Listings => browse.listings_of(market, after, limit).await?,
        };
        let is_last = page.len() < limit;
        homes.extend(page);
        if is_last {
            break;
        }
    }
    Ok(homes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bedrooms_are_a_number_a_range_or_a_minimum() {
        assert_eq!(["3", "2-4", "3+", "0"].map(bedrooms), [3..=3, 2..=4, 3..=255, 0..=0].map(Some));
        for text in ["", "many", "4-2", "-1", "300", "2-", "+"] {
            assert_eq!(bedrooms(text), None, "{text}");
        }
    }

    #[test]
    fn a_position_is_read_as_it_was_written() {
        for value in [None, Some(0.1 + 0.2), Some(-0.0), Some(1e-300), Some(1_768_392_000_000.0)] {
            let position = HomePosition { value, id: HomeId("a~b/1~2".into()) };
            assert_eq!(HomePosition::parse(&position.to_text()), Some(position));
        }
        for text in ["", "~", "1", "x~a/1", "inf~a/1", "NaN~a/1"] {
            assert_eq!(HomePosition::parse(text), None, "{text}");
        }
    }
}
