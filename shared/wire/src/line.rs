use std::ops::Range;

use serde::Deserialize;
use stoop_domain::{Address, Area, AreaUnit, Details, HomeValue, Listing, Observation, Purpose, Reason, Time, Watch};

use crate::json::Object;

/// The version of the line format that this program writes.
///
/// Version 2 adds `seen`, `seq` and the other parts of the sighting; in version 1, `seen` equals `at`. `watch` is left
/// out if the source is not polled again. Version 3 writes `address` where older ones write `place`.
pub const VERSION: u32 = 3;

/// The line is not an observation.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// Written by a newer version of Stoop. Update this one before it continues.
    #[error("a line of format {0}; this program reads up to {VERSION}")]
    NewerVersion(u32),
    #[error("not UTF-8")]
    NotUtf8,
    /// Not JSON, or not an observation.
    #[error("{0}")]
    Unreadable(String),
}

#[derive(Deserialize)]
struct Version {
    v: u32,
}

/// Appends an observation as one line of JSON, without a line break. Fields that are `None` or empty are left out.
/// Names and formats are those of [`Observation`]'s `Deserialize`.
///
/// Hand-written, because every row of every feed passes here and a general serializer takes twice as long. A property
/// test compares the result with that of `serde_json`.
pub fn encode(observation: &Observation, out: &mut Vec<u8>) {
    encode_head(observation, out, |out| {
        encode_listing(&observation.listing, out);
    });
}

/// A listing as it stands in a line, encoded once: for a hash of what it says, its size, and the line itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncodedListing {
    bytes: Vec<u8>,
    /// Where `listed_at` stands, with the comma before it.
    listed_at: Range<usize>,
}

impl EncodedListing {
    /// Encodes a listing.
    #[must_use]
    pub fn of(listing: &Listing) -> Self {
        // More than most listings take.
        let mut bytes = Vec::with_capacity(1_024);
        let listed_at = encode_listing(listing, &mut bytes);
        Self { bytes, listed_at }
    }

    /// What the listing says, in two parts, without what only seems to change: a listing date of "6 minutes ago" moves a
    /// little each time that a page is fetched. The parts of a listing, put together, are those of it without the date.
    #[must_use]
    pub fn steady(&self) -> [&[u8]; 2] {
        [&self.bytes[..self.listed_at.start], &self.bytes[self.listed_at.end..]]
    }
}

/// Appends what [`encode`] appends, with the observation's listing encoded already.
pub fn encode_with(observation: &Observation, listing: &EncodedListing, out: &mut Vec<u8>) {
    encode_head(observation, out, |out| out.extend_from_slice(&listing.bytes));
}

/// How many bytes [`encode_with`] appends.
#[must_use]
pub fn encoded_len(observation: &Observation, listing: &EncodedListing) -> usize {
    let mut head = Vec::with_capacity(256);
    encode_head(observation, &mut head, |_| {});
    head.len() + listing.bytes.len()
}

fn encode_head(observation: &Observation, out: &mut Vec<u8>, listing: impl FnOnce(&mut Vec<u8>)) {
    let Observation { source, native_id, at, seen, seq, versioned, initial, watch, .. } = observation;
    let mut object = Object::begin(out);
    object.number("v", VERSION.into());
    object.text("source", source);
    object.text("native_id", native_id);
    object.number("at", at.ms());
    object.number_if("seen", (seen != at).then_some(seen.ms()));
    object.number_if("seq", (*seq > 0).then_some(i64::from(*seq)));
    for (name, is_set) in [("versioned", *versioned), ("initial", *initial)] {
        if is_set {
            object.flag(name);
        }
    }
    if *watch != Watch::Once {
        object.plain("watch", watch.as_str());
    }
    object.nested("listing", listing);
    object.end();
}

/// Gives the range of `listed_at` in `out`, with the comma before it.
fn encode_listing(listing: &Listing, out: &mut Vec<u8>) -> Range<usize> {
    let mut object = Object::begin(out);
    object.plain(
        "purpose",
        match listing.purpose {
            Purpose::Sale => "Sale",
            Purpose::Rent => "Rent",
        },
    );
    object.plain("status", listing.status.as_str());
    object.plain("currency", listing.currency.code());
    object.number_if("list_price", listing.list_price.map(|price| price.0));
    object.number_if("original_list_price", listing.original_list_price.map(|price| price.0));
    object.number_if("previous_list_price", listing.previous_list_price.map(|price| price.0));
    object.number_if("close_price", listing.close_price.map(|price| price.0));
    object.number_if("close_date", listing.close_date.map(|day| i64::from(day.0)));
    object.number_if("price_changed_at", listing.price_changed_at.map(Time::ms));
    object.nested("address", |out| encode_address(&listing.address, out));
    // Not a loop over `HOME_FIELDS`, which takes 8 % longer for the whole line.
    macro_rules! encode_each {
        ($($_name:literal, $field:ident: $kind:ident, $_kept:ident $({ $($_mark:tt)* })?, $_meaning:literal;)*) => {
            $(encode_value(&mut object, stringify!($field), listing.$field.map(HomeValue::$kind));)*
        };
    }
    stoop_domain::home_fields!(encode_each);
    let start = object.written();
    object.number_if("listed_at", listing.listed_at.map(Time::ms));
    let listed_at = start..object.written();
    if !listing.details.is_empty() {
        object.nested("details", |out| encode_details(&listing.details, out));
    }
    object.end();
    listed_at
}

#[expect(clippy::inline_always, reason = "each call has one kind, so that nothing of the `match` remains")]
#[inline(always)]
fn encode_value(object: &mut Object<'_>, key: &'static str, value: Option<HomeValue>) {
    match value {
        None => {}
        Some(HomeValue::PropertyType(kind)) => object.plain(key, kind.as_str()),
        Some(HomeValue::Count(count)) => object.number(key, count.into()),
        Some(HomeValue::Hundredths(hundredths)) => object.number(key, hundredths.into()),
        Some(HomeValue::Area(area)) => object.nested(key, |out| encode_area(area, out)),
        Some(HomeValue::Year(year)) => object.number(key, year.into()),
        Some(HomeValue::Fee(fee)) => object.number(key, fee.0),
        Some(HomeValue::Flag(flag)) => object.boolean(key, flag),
    }
}

fn encode_area(area: Area, out: &mut Vec<u8>) {
    let mut object = Object::begin(out);
    object.number("ten_thousandths", area.ten_thousandths);
    object.plain(
        "unit",
        match area.unit {
            AreaUnit::SquareMeters => "SquareMeters",
            AreaUnit::SquareFeet => "SquareFeet",
            AreaUnit::Acres => "Acres",
        },
    );
    object.end();
}

fn encode_address(address: &Address, out: &mut Vec<u8>) {
    let mut object = Object::begin(out);
    object.text_if("line", address.line.as_deref());
    object.text_if("neighbourhood", address.neighbourhood.as_deref());
    object.text_if("city", address.city.as_deref());
    object.text_if("county", address.county.as_deref());
    object.text_if("region", address.region.as_deref());
    object.text_if("postal_code", address.postal_code.as_deref());
    object.text_if("country", address.country.as_deref());
    object.number_if("latitude_e6", address.latitude_e6.map(i64::from));
    object.number_if("longitude_e6", address.longitude_e6.map(i64::from));
    if address.derived {
        object.boolean("derived", true);
    }
    object.end();
}

fn encode_details(details: &Details, out: &mut Vec<u8>) {
    let mut object = Object::begin(out);
    object.text_if("title", details.title.as_deref());
    object.text_if("description", details.description.as_deref());
    object.text_if("seller", details.seller.as_deref());
    object.text_if("agency", details.agency.as_deref());
    object.texts("images", &details.images);
    object.texts("amenities", &details.amenities);
    object.text_if("url", details.url.as_deref());
    object.end();
}

/// Decodes one line.
///
/// # Errors
/// If the line is not an observation of a known version.
pub fn decode(line: &[u8]) -> Result<Observation, LineError> {
    if std::str::from_utf8(line).is_err() {
        return Err(LineError::NotUtf8);
    }
    let unreadable = |error: serde_json::Error| LineError::Unreadable(error.to_string());
    match serde_json::from_slice::<Observation>(line) {
        // The version is parsed separately only if the line is invalid or may be newer. Unknown fields are ignored, so
        // that a later program may add fields without a new version.
        Ok(observation) if line.starts_with(b"{\"v\":3,") => Ok(observation),
        outcome => {
            let Version { v } = serde_json::from_slice(line).map_err(unreadable)?;
            if v > VERSION {
                return Err(LineError::NewerVersion(v));
            }
            outcome.map_err(unreadable)
        }
    }
}

/// The lines of a record, without empty ones.
pub fn lines(record: &[u8]) -> impl Iterator<Item = &[u8]> {
    record.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}

impl LineError {
    /// The reason for the quarantine.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            Self::NewerVersion(_) => Reason::NewerVersion,
            Self::NotUtf8 => Reason::NotUtf8,
            Self::Unreadable(_) => Reason::Unreadable,
        }
    }
}
