//! Whether an ID still means the same home. Portals give an ID that they no longer use to another home.

use crate::area::{Area, AreaUnit};
use crate::facts::Facts;
use crate::market::Market;
use crate::money::Minor;

/// What was last known of the home of an ID.
#[derive(Clone, Debug, Default)]
pub(super) struct Identity {
    market: Option<Market>,
    living_area: Option<Area>,
    bedrooms: Option<u8>,
    price: Option<Minor>,
}

/// A floor area that is half as large again belongs to another home, unless it was a mistake: an advert that is mended
/// may say a quarter more. In percent.
const AREA_PERCENT_MIN: u128 = 150;
/// So does a price of twice or half as much, if both homes are in one area.
const PRICE_PERCENT_MIN: i128 = 200;

impl Identity {
    /// Takes the next facts. Returns whether they are of another home: floor area and bedrooms changed together, and with
    /// them the place or the price. One or two of them alone are corrections, conversions or cuts.
    pub(super) fn take(&mut self, facts: &Facts) -> bool {
        let other_size = self.living_area.zip(facts.living_area).is_some_and(|(a, b)| are_far_apart(a, b));
        let other_rooms = self.bedrooms.zip(facts.bedrooms).is_some_and(|(a, b)| a != b);
        let other_place = self.market.as_ref().is_some_and(|market| {
            let levels = market.area.levels().into_iter().zip(facts.market.area.levels());
            levels.into_iter().any(|(a, b)| a != b && a != "-" && b != "-")
        });
        let same_terms = self
            .market
            .as_ref()
            .is_some_and(|market| (market.purpose, market.currency) == (facts.market.purpose, facts.market.currency));
        let other_price = self.price.zip(facts.list_price).is_some_and(|(a, b)| {
            let (low, high) = (i128::from(a.0.min(b.0)), i128::from(a.0.max(b.0)));
            same_terms && 100 * high >= PRICE_PERCENT_MIN * low
        });
        let is_other = other_size && other_rooms && (other_place || other_price);
        if is_other {
            *self = Self::default();
        }
        if self.market.as_ref() != Some(&facts.market) {
            self.market = Some(facts.market.clone());
        }
        self.living_area = facts.living_area.or(self.living_area);
        self.bedrooms = facts.bedrooms.or(self.bedrooms);
        self.price = facts.list_price.or(self.price);
        is_other
    }
}

fn are_far_apart(a: Area, b: Area) -> bool {
    let size = |area: Area| {
        // In hundred-millionths of a square metre: exact.
        let unit: u128 = match area.unit {
            AreaUnit::SquareMeters => 100_000_000,
            AreaUnit::SquareFeet => 9_290_304,
            AreaUnit::Acres => 404_685_642_240,
        };
        u128::from(area.ten_thousandths.unsigned_abs()) * unit
    };
    let (a, b) = (size(a), size(b));
    100 * a.max(b) >= AREA_PERCENT_MIN * a.min(b)
}
