use std::collections::HashMap;
use std::sync::OnceLock;

use jiff::tz::TimeZone;

use crate::area::AreaUnit;
use crate::money::Currency;

/// What a market takes from the places it lies in.
#[derive(Clone, Debug)]
pub struct Country {
    /// The currency that homes are priced in; `None` where we do not know, and then any is accepted.
    pub currency: Option<Currency>,
    /// The time zone whose midnight closes the day; UTC where we do not know.
    pub zone: TimeZone,
    /// The unit that prices per area are quoted in.
    pub area_unit: AreaUnit,
}

/// Time zones: a line for each place whose zone differs from that of what is around it, with its path (the unknown levels
/// behind it left out) and the name that the IANA database has for the zone. Made of the gazetteer, and held to it, by
/// `tests/it/zones.rs`, so that who only asks for a zone does not carry all places.
const ZONES: &str = include_str!("../data/zones.tsv");

/// The zone that is told for a path.
fn zone_of(path: &str) -> Option<&'static str> {
    static LINES: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    let lines = LINES.get_or_init(|| ZONES.lines().filter_map(|line| line.split_once('\t')).collect());
    lines.get(path).copied()
}

/// The currency that homes of a country are priced in, by its ISO 3166-1 alpha-2 code in either case; `None` where we do not
/// know, or where other currencies are usual as well.
#[must_use]
pub fn currency_of(code: &str) -> Option<Currency> {
    let currency = match code.trim().to_ascii_lowercase().as_str() {
        "us" => "USD",
        "ca" => "CAD",
        "au" => "AUD",
        "ma" => "MAD",
        "at" | "de" | "fr" | "es" | "it" | "pt" | "nl" | "be" | "ie" | "lu" | "fi" | "gr" => "EUR",
        "gb" => "GBP",
        "ch" => "CHF",
        "se" => "SEK",
        "no" => "NOK",
        "dk" => "DKK",
        "pl" => "PLN",
        "cz" => "CZK",
        "hu" => "HUF",
        "tn" => "TND",
        "dz" => "DZD",
        "za" => "ZAR",
        "ae" => "AED",
        "in" => "INR",
        "jp" => "JPY",
        "sg" => "SGD",
        "nz" => "NZD",
        _ => return None,
    };
    Currency::parse(currency).ok()
}

/// Looks up what a path settles, or the beginning of one: `us`, `us/wa`, `us/tx/el-paso`, `us/wa/king/seattle/98178`. A place
/// that has several zones has that of most of its people.
#[must_use]
pub fn country(path: &str) -> Country {
    let code = path.split('/').next().unwrap_or(path);
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    let around: Vec<&str> = ends.map(|end| path[..end].trim_end_matches("/-")).collect();
    let zone = around.into_iter().rev().find_map(zone_of).unwrap_or("UTC");
    let area_unit = match code {
        "us" | "ca" | "gb" | "in" | "ae" | "sg" => AreaUnit::SquareFeet,
        _ => AreaUnit::SquareMeters,
    };
    Country { currency: currency_of(code), zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC), area_unit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_has_the_zone_of_the_narrowest_that_differs() {
        for (path, zone) in [
            ("us", "America/New_York"),
            ("us/wa", "America/Los_Angeles"),
            ("us/washington", "America/Los_Angeles"),
            ("us/wa/king/seattle/98178", "America/Los_Angeles"),
            ("us/tx/travis/austin/78704", "America/Chicago"),
            ("us/tx/el-paso/el-paso/79901", "America/Denver"),
            ("us/fl/escambia/pensacola/-", "America/Chicago"),
            ("us/~nowhere/-/~somewhere/-", "America/New_York"),
            ("ma/-/-/~nowhere/-", "Africa/Casablanca"),
            ("~atlantis/-/-/-/-", "UTC"),
            ("-/-/-/~somewhere/-", "UTC"),
            ("", "UTC"),
        ] {
            assert_eq!(country(path).zone.iana_name(), Some(zone), "{path}");
        }
    }

    #[test]
    fn currencies_and_units_are_those_of_the_country() {
        assert_eq!(currency_of(" MA "), Some(Currency::MAD));
        assert_eq!((country("us/wa").currency, country("us").area_unit), (Some(Currency::USD), AreaUnit::SquareFeet));
        assert_eq!((currency_of("us/wa"), currency_of("xx"), currency_of("")), (None, None, None));
    }
}
