//! The fields of a listing that figures depend on.

use serde::{Deserialize, Serialize};

use crate::area::Area;
use crate::listing::Listing;
use crate::market::{Market, market_of};
use crate::money::Minor;
use crate::property_type::PropertyType;
use crate::status::Status;
use crate::time::Day;

/// The version of [`Facts`]. Raise it with a new fact: stored homes get a new format, and a rebuild makes them anew.
pub const FACTS_VERSION: u8 = 1;

/// All fields of a listing that figures depend on. Consecutive observations with equal facts form one interval.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Facts {
    pub market: Market,
    /// `StandardStatus`.
    pub status: Status,
    /// `ListPrice`.
    pub list_price: Option<Minor>,
    /// `OriginalListPrice`, if the source gives it.
    pub original_list_price: Option<Minor>,
    /// `ClosePrice`: the price of the sale or letting.
    pub close_price: Option<Minor>,
    /// `CloseDate`: the day of the sale or letting.
    pub close_date: Option<Day>,
    pub property_type: Option<PropertyType>,
    pub bedrooms: Option<u8>,
    pub living_area: Option<Area>,
}

impl Facts {
    /// The facts of a listing. `None` if it is in no market.
    #[must_use]
    pub fn of(listing: &Listing) -> Option<Self> {
        Some(Self::in_market(listing, market_of(listing)?))
    }

    fn in_market(listing: &Listing, market: Market) -> Self {
        Self {
            market,
            status: listing.status,
            list_price: listing.list_price,
            original_list_price: listing.original_list_price,
            close_price: listing.close_price,
            close_date: listing.close_date,
            property_type: listing.property_type,
            bedrooms: listing.bedrooms,
            living_area: listing.living_area,
        }
    }
}
