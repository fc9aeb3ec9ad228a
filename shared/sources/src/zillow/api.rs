use stoop_domain::Purpose;

use super::plan::{PRICE_MAX, Range};
use crate::link::{VALUE, encode};
use crate::params::ParamReader;

/// An API for Zillow's listings: its URL and its names.
#[derive(Debug)]
pub(super) struct ZillowApi {
    pub(super) name: &'static str,
    pub(super) host: &'static str,
    pub(super) path: &'static str,
    /// What an answer without rows was expected to be, for messages.
    pub(super) expected: &'static str,
    /// Name of the array of rows.
    pub(super) rows: &'static str,
    /// Names of a row's status and property type.
    pub(super) status: &'static str,
    pub(super) kind: &'static str,
    /// Parameters for sales, for rentals, and for every query.
    for_sale: &'static str,
    for_rent: &'static str,
    sale_prices: [&'static str; 2],
    rent_prices: [&'static str; 2],
    filters: &'static [(&'static str, &'static str)],
    /// Whether property types are flags instead of a list of names.
    kinds_by_flag: bool,
    /// Whether the first page is requested by its number.
    first_is_numbered: bool,
}

pub(super) const APIS: [&ZillowApi; 2] = [&ZILLOW_COM1, &ZILLOW56];

static ZILLOW_COM1: ZillowApi = ZillowApi {
    name: "zillow-com1",
    host: "zillow-com1.p.rapidapi.com",
    path: "/propertyExtendedSearch",
    expected: "JSON with props",
    rows: "props",
    status: "listingStatus",
    kind: "propertyType",
    for_sale: "status_type=ForSale",
    for_rent: "status_type=ForRent",
    sale_prices: ["minPrice", "maxPrice"],
    rent_prices: ["rentMinPrice", "rentMaxPrice"],
    filters: &[
        ("home_type", "home_type"),
        ("sort", "sort"),
        ("bathsMin", "bathsMin"),
        ("bathsMax", "bathsMax"),
        ("bedsMin", "bedsMin"),
        ("bedsMax", "bedsMax"),
        ("sqftMin", "sqftMin"),
        ("sqftMax", "sqftMax"),
        ("daysOn", "daysOn"),
        ("soldInLast", "soldInLast"),
        ("keywords", "keywords"),
    ],
    kinds_by_flag: false,
    first_is_numbered: true,
};

static ZILLOW56: ZillowApi = ZillowApi {
    name: "zillow56",
    host: "zillow56.p.rapidapi.com",
    path: "/search",
    expected: "JSON with results",
    rows: "results",
    status: "homeStatus",
    kind: "homeType",
    for_sale: "output=json&status=forSale",
    for_rent: "output=json&status=forRent",
    sale_prices: ["price_min", "price_max"],
    rent_prices: ["monthlyPayment_min", "monthlyPayment_max"],
    filters: &[
        ("sort", "sortSelection"),
        ("listing_type", "listing_type"),
        ("bathsMin", "baths_min"),
        ("bathsMax", "baths_max"),
        ("bedsMin", "beds_min"),
        ("bedsMax", "beds_max"),
        ("sqftMin", "sqft_min"),
        ("sqftMax", "sqft_max"),
        ("daysOn", "doz"),
        ("keywords", "keywords"),
    ],
    kinds_by_flag: true,
    // Reports differ on whether pages count from 0 or 1; without a number, it is certainly the first.
    first_is_numbered: false,
};

/// zillow-com1's names of property types, and zillow56's flags for them.
const KINDS: [(&str, &[&str]); 8] = [
    ("Houses", &["isSingleFamily"]),
    ("Townhomes", &["isTownhouse"]),
    ("Condos", &["isCondo"]),
    ("Apartments", &["isApartment"]),
    ("Apartments_Condos_Co-ops", &["isApartment", "isCondo"]),
    ("Multi-family", &["isMultiFamily"]),
    ("Manufactured", &["isManufactured"]),
    ("LotsLand", &["isLotLand"]),
];

/// Parameters of a search that are passed to the API under its own names.
const FILTERS: [&str; 12] = [
    "home_type",
    "sort",
    "listing_type",
    "bathsMin",
    "bathsMax",
    "bedsMin",
    "bedsMax",
    "sqftMin",
    "sqftMax",
    "daysOn",
    "soldInLast",
    "keywords",
];

impl ZillowApi {
    /// Builds all query parameters except prices and page, encoded.
    pub(super) fn query(&self, reader: &mut ParamReader<'_>, purpose: Purpose) -> String {
        let offered = if purpose == Purpose::Rent { self.for_rent } else { self.for_sale };
        let mut query = format!("location={}&{offered}", encode(&reader.text("location", ""), VALUE));
        for name in FILTERS {
            let Some(value) = reader.get(name) else { continue };
            if name == "home_type" && self.kinds_by_flag {
                self.kinds(reader, value, &mut query);
            } else if let Some((_, its)) = self.filters.iter().find(|(ours, _)| *ours == name) {
                query.push_str(&format!("&{its}={}", encode(value, VALUE)));
            } else {
                reader.mistake(name, value, &format!("nothing with api = {:?}: it has no such filter", self.name));
            }
        }
        query
    }

    /// Sets every flag, because the defaults are unknown.
    fn kinds(&self, reader: &mut ParamReader<'_>, wanted: &str, query: &mut String) {
        let mut on: Vec<&str> = Vec::new();
        for name in wanted.split(',').map(str::trim) {
            match KINDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
                Some((_, flags)) => on.extend(*flags),
                None => {
                    let names = KINDS.map(|(name, _)| name).join(", ");
                    reader.mistake("home_type", wanted, &format!("some of {names}, parted by commas"));
                    return;
                }
            }
        }
        for (_, flags) in KINDS.iter().filter(|(_, flags)| flags.len() == 1) {
            query.push_str(&format!("&{}={}", flags[0], on.contains(&flags[0])));
        }
    }

    /// The price bounds of the search.
    pub(super) fn prices(&self, reader: &mut ParamReader<'_>, purpose: Purpose) -> Range {
        let (ours, others) = match purpose {
            Purpose::Sale => (["minPrice", "maxPrice"], ["rentMinPrice", "rentMaxPrice"]),
            Purpose::Rent => (["rentMinPrice", "rentMaxPrice"], ["minPrice", "maxPrice"]),
        };
        for (name, use_instead) in others.into_iter().zip(ours) {
            if let Some(value) = reader.get(name) {
                reader.mistake(name, value, &format!("nothing in a search of this status_type: use {use_instead}"));
            }
        }
        // The API may read a maximum price of 0 as "none".
        let least = reader.get(ours[0]).map(|_| reader.number(ours[0], 0..=PRICE_MAX, 0));
        let most = reader.get(ours[1]).map(|_| reader.number(ours[1], 1..=PRICE_MAX, PRICE_MAX));
        if let (Some(least), Some(most)) = (least, most)
            && least > most
        {
            reader.mistake(ours[0], &least.to_string(), &format!("no more than {} = {most}", ours[1]));
        }
        Range { least, most }
    }

    /// Query parameters for a page of a price range.
    pub(super) fn page_query(&self, purpose: Purpose, range: Range, page: u32) -> String {
        let [least, most] = if purpose == Purpose::Rent { self.rent_prices } else { self.sale_prices };
        let page = (page > 1 || self.first_is_numbered).then_some(page);
        let said = [(least, range.least), (most, range.most), ("page", page)];
        said.into_iter().filter_map(|(name, value)| Some(format!("&{name}={}", value?))).collect()
    }
}
