use std::collections::HashMap;
use std::sync::OnceLock;

use jiff::tz::TimeZone;

use crate::area::AreaUnit;
use crate::money::Currency;

/// Currency, time zone and area unit of a market, which depend on its area.
#[derive(Clone, Debug)]
pub struct Country {
    /// The currency of home prices. `None` if unknown: then every currency is accepted.
    pub currency: Option<Currency>,
    /// The time zone whose midnight ends the day. UTC if unknown.
    pub zone: TimeZone,
    /// The unit of prices per area.
    pub area_unit: AreaUnit,
}

/// Time zones: one line (path, IANA name) for each place whose zone differs from that of the place that contains it.
/// Trailing unknown levels of the path are left out. `tests/it/zones.rs` generates the table from the gazetteer and
/// compares the two. A separate table lets callers look up a zone without loading the whole gazetteer.
const ZONES: &str = include_str!("../data/zones.tsv");

/// The zone of exactly this path in the table.
fn zone_of(path: &str) -> Option<&'static str> {
    static LINES: OnceLock<HashMap<&'static str, &'static str>> = OnceLock::new();
    let lines = LINES.get_or_init(|| ZONES.lines().filter_map(|line| line.split_once('\t')).collect());
    lines.get(path).copied()
}

/// The currency of home prices in a country. `code` is its ISO 3166-1 alpha-2 code, in either case.
///
/// Returns `None` if the country is unknown or if homes there are also priced in other currencies.
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

/// Looks up currency, time zone and area unit of an area path or a prefix of one: `us`, `us/wa`, `us/tx/el-paso`,
/// `us/wa/king/seattle/98178`. A place with several time zones has the one in which most of its people live.
#[must_use]
pub fn country(path: &str) -> Country {
    let code = path.split('/').next().unwrap_or(path);
    let ends = path.match_indices('/').map(|(end, _)| end).chain([path.len()]);
    let prefixes: Vec<&str> = ends.map(|end| path[..end].trim_end_matches("/-")).collect();
    let zone = prefixes.into_iter().rev().find_map(zone_of).unwrap_or("UTC");
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
    fn the_narrowest_entry_decides_the_zone() {
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
    fn currency_and_unit_depend_on_the_country() {
        assert_eq!(currency_of(" MA "), Some(Currency::MAD));
        assert_eq!((country("us/wa").currency, country("us").area_unit), (Some(Currency::USD), AreaUnit::SquareFeet));
        assert_eq!((currency_of("us/wa"), currency_of("xx"), currency_of("")), (None, None, None));
    }
}
