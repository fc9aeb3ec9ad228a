use serde::{Deserialize, Serialize};

use crate::address::Address;
use crate::area::Area;
use crate::money::{Currency, Minor};
use crate::property_type::PropertyType;
use crate::status::Status;
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
    /// `InternetEntireListingDisplayYN`: whether the seller lets the listing be shown on the Internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display: Option<bool>,
    /// `InternetAddressDisplayYN`: whether the seller lets the address be shown on the Internet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_address: Option<bool>,
    /// `InternetAutomatedValuationDisplayYN`: whether estimates of its value may be shown beside the listing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_estimate: Option<bool>,
    /// Whether earlier prices and events may be shown. RESO has no such field; a search or a map says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_history: Option<bool>,
    /// Whether the listing may be shown when it is no longer on offer. RESO has no such field; a search or a map says it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_expired: Option<bool>,
    /// When the listing came on the market (`OnMarketDate`, `ListingContractDate`, ...).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed_at: Option<Time>,
    /// Fields for display only.
    #[serde(default, skip_serializing_if = "Details::is_empty")]
    pub details: Details,
}

/// Calls a macro with the fields of a [`Listing`] that describe the home itself: for each the name in maps, the field,
/// its [`HomeKind`](crate::HomeKind), where a home keeps it ([`FieldPlace`](crate::FieldPlace)) and what it means, for documents.
/// They are in the order of a line. A new one goes to the end; an attribute takes the next free mark (1, 2, 3, 8 and 9
/// are used elsewhere).
///
/// [`HOME_FIELDS`](crate::HOME_FIELDS) is the same for a loop, which is slower.
#[macro_export]
macro_rules! home_fields {
    ($then:ident) => {
        $then! {
            "property_type", property_type: PropertyType, Fact, "What is offered, such as Condominium";
            "bedrooms", bedrooms: Count, Fact, "Bedrooms; 0 is a studio";
            "bathrooms", bathrooms_hundredths: Hundredths, Attribute { mark: 4 }, "Bathrooms";
            "living_area", living_area: Area, Fact, "Floor area";
            "lot_area", lot_area: Area, Attribute { mark: 5 }, "Area of the lot";
            "year_built", year_built: Year, Attribute { mark: 6 }, "Year of construction";
            "association_fee", association_fee: Fee, Attribute { mark: 7 }, "Owners' fee for the building";
            "display", display: Flag, Attribute { mark: 10 }, "Whether the listing may be shown on the Internet";
            "display_address", display_address: Flag, Attribute { mark: 11 }, "Whether its address may be shown there";
            "display_estimate", display_estimate: Flag, Attribute { mark: 12 }, "Whether estimates of its value may be shown beside it";
            "display_history", display_history: Flag, Attribute { mark: 13 }, "Whether its earlier prices and events may be shown";
            "display_expired", display_expired: Flag, Attribute { mark: 14 }, "Whether it may be shown when it is no longer on offer";
        }
    };
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
            display: None,
            display_address: None,
            display_estimate: None,
            display_history: None,
            display_expired: None,
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
