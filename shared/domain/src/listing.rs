use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::area::Area;
use crate::money::{Currency, Minor};
use crate::time::{Day, Time};

/// The earliest accepted listing date, 1990-01-01. Earlier dates, and dates after the sighting, are ignored.
pub const LISTED_SINCE: Time = Time::from_known_ms(631_152_000_000);

/// Whether a home is for sale or for rent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Purpose {
    /// Prices are for the whole home.
    Sale,
    /// Prices are per month.
    Rent,
}

/// RESO `StandardStatus`, plus `Gone` for a listing that its source no longer shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Status {
    /// On offer.
    Active,
    /// An offer is accepted; further offers are welcome.
    ActiveUnderContract,
    /// Under contract.
    Pending,
    Closed,
    /// Announced, not yet on offer.
    ComingSoon,
    /// Not yet complete.
    Incomplete,
    /// The contract between owner and broker was ended early.
    Canceled,
    /// The contract between owner and broker ran out.
    Expired,
    /// Taken back by the owner; the contract still runs.
    Withdrawn,
    /// Temporarily not shown.
    Hold,
    /// Entered by mistake.
    Delete,
    /// No longer shown by its source: missing from two complete scans.
    Gone,
}

/// The phase of a listing's life that a status belongs to. Figures and events depend on the phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Not on offer yet.
    Before,
    /// On offer: counts as active stock.
    Active,
    /// Under contract.
    Pending,
    Closed,
    /// Off the market without a known sale.
    Off,
}

/// The type of a home, after RESO `PropertySubType`, but coarse enough for every source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum PropertyType {
    /// A flat in a building of one owner, or any flat if the source does not distinguish them.
    Apartment,
    /// A flat with its own owner.
    Condominium,
    /// A row house.
    Townhouse,
    /// A detached house.
    SingleFamilyResidence,
    /// A house with several homes in it.
    MultiFamily,
    /// A factory-built home.
    ManufacturedHome,
    /// A room in a shared home.
    Room,
    /// Land without a home.
    Land,
    Farm,
    /// Offices, shops, warehouses.
    Commercial,
    Other,
}

/// A listing: what a source says about one home, in RESO terms. An unknown value is `None`, never zero or "".
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Listing {
    pub purpose: Purpose,
    /// `StandardStatus`.
    pub status: Status,
    /// The currency of all amounts in this listing.
    pub currency: Currency,
    /// `ListPrice`; for rent, per month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub list_price: Option<Minor>,
    /// `OriginalListPrice`: the first asking price according to the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub original_list_price: Option<Minor>,
    /// `PreviousListPrice`: the price before the last change according to the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous_list_price: Option<Minor>,
    /// `ClosePrice`: the price of the sale or letting; for rent, per month. It is not an asking price and enters no
    /// list price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_price: Option<Minor>,
    /// `CloseDate`: the day of the sale or letting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub close_date: Option<Day>,
    /// `PriceChangeTimestamp`: when the price last changed according to the source. May be years old.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub price_changed_at: Option<Time>,
    /// Where the home is. Lines of versions 1 and 2 call it `place`.
    #[serde(alias = "place")]
    pub address: Address,
    /// `PropertySubType`, coarsened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property_type: Option<PropertyType>,
    /// `BedroomsTotal`; 0 is a studio.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bedrooms: Option<u8>,
    /// In hundredths: 2.5 baths are 250.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bathrooms_hundredths: Option<u16>,
    /// `LivingArea` with its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub living_area: Option<Area>,
    /// `LotSizeArea` with its unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lot_area: Option<Area>,
    /// `YearBuilt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year_built: Option<i16>,
    /// `AssociationFee`: per month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub association_fee: Option<Minor>,
    /// When the listing came on the market (`OnMarketDate`, `ListingContractDate`, ...).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_at: Option<Time>,
    /// Fields for display only.
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    pub details: Details,
}

/// Texts and pictures for display. Figures never depend on them.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Details {
    /// Headline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// `PublicRemarks`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name of the seller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seller: Option<String>,
    /// `ListOfficeName`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agency: Option<String>,
    /// URLs of pictures.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<String>,
    /// Amenities as the source writes them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amenities: Vec<String>,
    /// URL of the listing's page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

impl Listing {
    /// An active listing with purpose, currency and address; all other fields are empty.
    #[must_use]
    pub fn new(purpose: Purpose, currency: Currency, address: Address) -> Self {
        Self {
            purpose,
            status: Status::Active,
            currency,
            list_price: None,
            original_list_price: None,
            previous_list_price: None,
            close_price: None,
            close_date: None,
            price_changed_at: None,
            address,
            property_type: None,
            bedrooms: None,
            bathrooms_hundredths: None,
            living_area: None,
            lot_area: None,
            year_built: None,
            association_fee: None,
            listed_at: None,
            details: Details::default(),
        }
    }
}

impl Details {
    /// Whether all fields are empty.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Purpose {
    /// `sale` or `rent`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sale => "sale",
            Self::Rent => "rent",
        }
    }
}

impl Status {
    /// Every status, in the order of the enum.
    pub const ALL: [Self; 12] = [
        Self::Active,
        Self::ActiveUnderContract,
        Self::Pending,
        Self::Closed,
        Self::ComingSoon,
        Self::Incomplete,
        Self::Canceled,
        Self::Expired,
        Self::Withdrawn,
        Self::Hold,
        Self::Delete,
        Self::Gone,
    ];

    /// The RESO standard name without spaces (`ActiveUnderContract`).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "Active",
            Self::ActiveUnderContract => "ActiveUnderContract",
            Self::Pending => "Pending",
            Self::Closed => "Closed",
            Self::ComingSoon => "ComingSoon",
            Self::Incomplete => "Incomplete",
            Self::Canceled => "Canceled",
            Self::Expired => "Expired",
            Self::Withdrawn => "Withdrawn",
            Self::Hold => "Hold",
            Self::Delete => "Delete",
            Self::Gone => "Gone",
        }
    }

    /// Parses a RESO name, with or without spaces, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let same = |name: &str| {
            text.chars()
                .filter(|c| !c.is_whitespace())
                .map(|c| c.to_ascii_lowercase())
                .eq(name.chars().map(|c| c.to_ascii_lowercase()))
        };
        Self::ALL.into_iter().find(|status| same(status.as_str()))
    }

    /// The phase of this status.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            Self::ComingSoon | Self::Incomplete => Phase::Before,
            Self::Active => Phase::Active,
            Self::ActiveUnderContract | Self::Pending => Phase::Pending,
            Self::Closed => Phase::Closed,
            Self::Canceled | Self::Expired | Self::Withdrawn | Self::Hold | Self::Delete | Self::Gone => Phase::Off,
        }
    }
}

impl PropertyType {
    /// Every type, in the order of the enum.
    pub const ALL: [Self; 11] = [
        Self::Apartment,
        Self::Condominium,
        Self::Townhouse,
        Self::SingleFamilyResidence,
        Self::MultiFamily,
        Self::ManufacturedHome,
        Self::Room,
        Self::Land,
        Self::Farm,
        Self::Commercial,
        Self::Other,
    ];

    /// The name in maps and tables.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Apartment => "Apartment",
            Self::Condominium => "Condominium",
            Self::Townhouse => "Townhouse",
            Self::SingleFamilyResidence => "SingleFamilyResidence",
            Self::MultiFamily => "MultiFamily",
            Self::ManufacturedHome => "ManufacturedHome",
            Self::Room => "Room",
            Self::Land => "Land",
            Self::Farm => "Farm",
            Self::Commercial => "Commercial",
            Self::Other => "Other",
        }
    }

    /// Parses a name in the format of [`PropertyType::as_str`], in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str().eq_ignore_ascii_case(text.trim()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_parse_with_and_without_spaces() {
        assert_eq!(Status::parse("Active Under Contract"), Some(Status::ActiveUnderContract));
        assert_eq!(Status::parse("ActiveUnderContract"), Some(Status::ActiveUnderContract));
        assert_eq!(Status::parse("coming soon"), Some(Status::ComingSoon));
        assert_eq!(Status::parse("Price Decrease"), None);
    }
}
