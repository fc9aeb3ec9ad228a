use stoop_domain::{Purpose, parse_decimal};

use super::row::TYPES;
use super::{LIMIT_MAX, RentCast};
use crate::link;
use crate::params::ParamReader;
use crate::port::{Coverage, Params, SearchError};

const BASE: &str = "https://api.rentcast.io/v1";
/// Requests per month in the free plan: the default limit on pages per scan.
const PAGES: u32 = 50;
const DEGREE_E6: i64 = 1_000_000;

pub(super) fn read(params: &Params) -> Result<RentCast, SearchError> {
    let mut reader = ParamReader::new("rentcast", RentCast::PARAMS, params);
    let purpose = if reader.one_of("purpose", &["sale", "rent"]) == "rent" { Purpose::Rent } else { Purpose::Sale };
    let base = reader.address("url", BASE);
    let mut query: Vec<(&str, String)> = Vec::new();
    place(&mut reader, &mut query);
    if let Some(types) = reader.get("propertyType") {
        query.push(("propertyType", property_types(&mut reader, types)));
    }
    for name in ["bedrooms", "bathrooms", "daysOld"] {
        if let Some(value) = reader.get(name) {
            if !value.bytes().all(|byte| byte.is_ascii_digit() || b".:|*".contains(&byte)) {
                reader.mistake(name, value, "a number, or a range as RentCast writes it, like 2:4");
            }
            query.push((name, value.to_owned()));
        }
    }
    let status = reader.one_of("status", &["Active", "Inactive"]);
    query.push(("status", status.to_owned()));
    let limit = reader.number("limit", 1..=LIMIT_MAX, LIMIT_MAX);
    let pages_max = reader.number("pages", 1..=10_000, PAGES);
    let key = reader.text("key", "");
    // A listing that leaves a window of days, or that is no longer inactive, is not gone.
    let whole = status == "Active" && reader.get("daysOld").is_none();
    reader.finish()?;
    let query: Vec<String> =
        query.iter().map(|(name, value)| format!("{name}={}", link::encode(value, link::VALUE))).collect();
    Ok(RentCast {
        base,
        key,
        purpose,
        limit: u64::from(limit),
        query: query.join("&"),
        pages_max,
        coverage: if whole { Coverage::Snapshot } else { Coverage::Changes },
    })
}

/// Adds a ZIP code, a city with its state, a state, or a circle: exactly one of them.
fn place(reader: &mut ParamReader<'_>, query: &mut Vec<(&'static str, String)>) {
    let (zip, city, state) = (reader.get("zipCode"), reader.get("city"), reader.get("state").map(str::to_uppercase));
    let circle = ["latitude", "longitude", "radius"];
    let in_circle = circle.iter().filter(|name| reader.get(name).is_some()).count();
    let ways = [zip.is_some(), city.is_some() || state.is_some(), in_circle > 0].into_iter().filter(|way| *way).count();
    if ways != 1 {
        let given = zip.unwrap_or_default();
        reader.mistake("zipCode", given, "one of: zipCode; city and state; state; latitude, longitude and radius");
    }
    if let Some(zip) = zip {
        if zip.len() != 5 || !zip.bytes().all(|byte| byte.is_ascii_digit()) {
            reader.mistake("zipCode", zip, "a zip of five digits like 78723");
        }
        query.push(("zipCode", zip.to_owned()));
    }
    if let Some(city) = city {
        if state.is_none() {
            reader.mistake("city", city, "a city together with state");
        }
        query.push(("city", city.to_owned()));
    }
    if let Some(state) = state {
        if state.len() != 2 || !state.bytes().all(|byte| byte.is_ascii_uppercase()) {
            reader.mistake("state", &state, "a state's two letters like TX");
        }
        query.push(("state", state));
    }
    if in_circle == 0 {
        return;
    }
    for (name, least, most) in [("latitude", -90, 90), ("longitude", -180, 180), ("radius", 0, 100)] {
        let value = reader.get(name).unwrap_or_default();
        let number = parse_decimal(value, 6).ok();
        if !number.is_some_and(|e6| (least * DEGREE_E6..=most * DEGREE_E6).contains(&e6)) {
            reader.mistake(name, value, &format!("a number from {least} to {most}; a circle has all three"));
        }
        query.push((name, value.to_owned()));
    }
}

/// Encodes the property types in RentCast's spelling: upper and lower case matter.
fn property_types(reader: &mut ParamReader<'_>, text: &str) -> String {
    let mut types = Vec::new();
    for name in text.split('|').map(str::trim) {
        match TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
            Some((known, _)) => types.push(*known),
            None => {
                let known = TYPES.map(|(known, _)| known).join(", ");
                reader.mistake("propertyType", name, &format!("{known}; several are parted by |"));
            }
        }
    }
    types.join("|")
}
