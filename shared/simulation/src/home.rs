use std::sync::Arc;

use stoop_domain::{AreaUnit, Currency, Day, Market, Minor, PropertyType, Purpose, Status, Time};

use crate::config::SimulationConfig;
use crate::places::PostalArea;
use crate::random::Random;
use crate::season::YEAR_MS;

/// The constant properties of a home.
#[derive(Clone, Debug)]
pub struct Home {
    /// The number, from 0.
    pub index: u32,
    /// The postal area in which it is counted.
    pub area: Arc<PostalArea>,
    pub purpose: Purpose,
    pub kind: PropertyType,
    /// `BedroomsTotal`.
    pub bedrooms: u8,
    /// `BathroomsTotalInteger`.
    pub bathrooms: u8,
    /// `LivingArea`, in the unit of the country.
    pub living_area: u32,
    pub(crate) year_built: u32,
    pub(crate) number: u32,
    pub(crate) latitude_e6: i32,
    pub(crate) longitude_e6: i32,
    /// What it is worth when the simulation starts: prices stay near its worth.
    pub(crate) worth: Minor,
    /// Selects its street, office and remarks.
    pub(crate) words: u64,
}

/// The state of a home's listing at some moment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Offer {
    /// `StandardStatus`.
    pub status: Status,
    /// `ListPrice`.
    pub list_price: Minor,
    /// `OriginalListPrice`: the first price of this spell.
    pub original_list_price: Minor,
    /// `PreviousListPrice` with `PriceChangeTimestamp`.
    pub price_change: Option<(Minor, Time)>,
    /// `StatusChangeTimestamp`.
    pub status_changed_at: Time,
    /// `OnMarketTimestamp`: when this spell began.
    pub on_market_at: Time,
    /// `OnMarketDate`: the same as a day in the market's time zone.
    pub on_market_day: Day,
    /// `ModificationTimestamp`.
    pub modified_at: Time,
    /// The sale or letting, while the status is closed.
    pub closing: Option<Closing>,
}

/// A sale or letting.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Closing {
    /// `ClosePrice`.
    pub price: Minor,
    /// `CloseDate`, in the market's time zone.
    pub day: Day,
}

impl Offer {
    /// The same as reported by a portal whose clock is `ms` ahead.
    pub(crate) fn reported_ahead(&self, ms: i64) -> Self {
        Self {
            price_change: self.price_change.map(|(price, at)| (price, at.plus_ms(ms))),
            status_changed_at: self.status_changed_at.plus_ms(ms),
            on_market_at: self.on_market_at.plus_ms(ms),
            modified_at: self.modified_at.plus_ms(ms),
            ..self.clone()
        }
    }
}

impl Home {
    pub(crate) fn build(seed: u64, index: u32, area: &Arc<PostalArea>, rent_permille: u32) -> Self {
        let mut random = Random::new(seed, u64::from(index) | 1 << 41);
        let city = area.city;
        let purpose = if random.chance(rent_permille) { Purpose::Rent } else { Purpose::Sale };
        let kind = match (purpose, random.below(100)) {
            (Purpose::Rent, 0..20) => PropertyType::Apartment,
            (Purpose::Sale, 0..55) | (Purpose::Rent, 60..80) => PropertyType::SingleFamilyResidence,
            (Purpose::Sale, 55..82) | (Purpose::Rent, 20..60) => PropertyType::Condominium,
            _ => PropertyType::Townhouse,
        };
        let bedrooms = random.between(1, if kind == PropertyType::SingleFamilyResidence { 6 } else { 4 });
        let bathrooms = random.between(1, (bedrooms + 1).min(4));
        let square_feet = 340 + bedrooms * 390 + random.between(-120, 420);
        let living_area = if city.area_unit() == AreaUnit::SquareFeet { square_feet } else { square_feet * 93 / 1_000 };
        // Larger homes cost less per area, and let for less of their price.
        let (median, size) = match purpose {
            Purpose::Sale => (city.sale, 42 + bedrooms * 20),
            Purpose::Rent => (city.rent, 50 + bedrooms * 18),
        };
        let of_kind = match kind {
            PropertyType::SingleFamilyResidence => 104,
            PropertyType::Townhouse => 98,
            _ => 94,
        };
        let level = size * (of_kind + random.between(-16, 16)) / 100 * area.level_percent;
        let worth = Minor((median * level / 10_000).max(1) * 100);
        let mut near = |middle: i32| middle + i32::try_from(random.between(-9_000, 9_000)).unwrap_or(0);
        let (latitude_e6, longitude_e6) = (near(area.latitude_e6), near(area.longitude_e6));
        Self {
            index,
            area: Arc::clone(area),
            purpose,
            kind,
            bedrooms: u8::try_from(bedrooms).unwrap_or(1),
            bathrooms: u8::try_from(bathrooms).unwrap_or(1),
            living_area: u32::try_from(living_area).unwrap_or(1),
            year_built: u32::try_from(random.between(1_905, 2_024)).unwrap_or(2_000),
            number: u32::try_from(random.between(1, 9_899)).unwrap_or(1),
            latitude_e6,
            longitude_e6,
            worth,
            words: random.next(),
        }
    }

    /// What it is worth at a time: cities rise and fall.
    pub(crate) fn worth_at(&self, at: Time, config: &SimulationConfig) -> Minor {
        // A trend that lasts for decades would leave the range of prices.
        const YEARS_MAX: i64 = 10;
        let ms = (at.ms() - config.start.ms()).clamp(-YEARS_MAX * YEAR_MS, YEARS_MAX * YEAR_MS);
        // In millionths, so that each hour counts.
        let change = i128::from(self.area.city.trend) * 100 * i128::from(ms) / i128::from(YEAR_MS);
        let worth = i128::from(self.worth.0) * (1_000_000 + change) / 1_000_000;
        Minor(i64::try_from(worth).unwrap_or(self.worth.0).max(1))
    }

    /// `ListingKey`. Keys sort like the homes' numbers.
    #[must_use]
    pub fn listing_key(&self) -> String {
        format!("SIM{:08}", self.index)
    }

    /// The currency of its prices.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.area.city.currency()
    }

    /// The market in which it is counted.
    #[must_use]
    pub fn market(&self) -> Market {
        Market { area: self.area.path.clone(), purpose: self.purpose, currency: self.currency() }
    }
}
