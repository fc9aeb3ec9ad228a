use jiff::tz::TimeZone;

use crate::area::AreaUnit;
use crate::money::Currency;

/// What a market takes from the country (and, where zones differ inside it, the region) it lies in.
#[derive(Clone, Debug)]
pub struct Country {
    /// The currency that homes are priced in; `None` where we do not know, and then any is accepted.
    pub currency: Option<Currency>,
    /// The time zone whose midnight closes the day; UTC where we do not know.
    pub zone: TimeZone,
    /// The unit that prices per area are quoted in.
    pub area_unit: AreaUnit,
}

/// The currency that homes of a country are priced in, by its ISO 3166-1 alpha-2 code in either case;
/// `None` where we do not know.
#[must_use]
pub fn currency_of(code: &str) -> Option<Currency> {
    let [a, b] = code.trim().as_bytes() else { return None };
    let code = [a.to_ascii_lowercase(), b.to_ascii_lowercase()];
    Currency::parse(facts(std::str::from_utf8(&code).ok()?, "").0).ok()
}

/// Looks up a country by its ISO 3166-1 alpha-2 code and a region by its usual abbreviation, both in
/// lower case. Zones are those of the IANA database; a US state with two zones has the one where most
/// of its people live.
#[must_use]
pub fn country(code: &str, region: &str) -> Country {
    let (currency, zone) = facts(code, region);
    let area_unit = match code {
        "us" | "ca" | "gb" | "in" | "ae" | "sg" => AreaUnit::SquareFeet,
        _ => AreaUnit::SquareMeters,
    };
    Country { currency: Currency::parse(currency).ok(), zone: TimeZone::get(zone).unwrap_or(TimeZone::UTC), area_unit }
}

/// Currency and zone.
fn facts(code: &str, region: &str) -> (&'static str, &'static str) {
    match code {
        "us" => ("USD", us_zone(region)),
        "ca" => ("CAD", ca_zone(region)),
        "au" => ("AUD", au_zone(region)),
        "ma" => ("MAD", "Africa/Casablanca"),
        "at" => ("EUR", "Europe/Vienna"),
        "de" => ("EUR", "Europe/Berlin"),
        "fr" => ("EUR", "Europe/Paris"),
        "es" => ("EUR", "Europe/Madrid"),
        "it" => ("EUR", "Europe/Rome"),
        "pt" => ("EUR", "Europe/Lisbon"),
        "nl" => ("EUR", "Europe/Amsterdam"),
        "be" => ("EUR", "Europe/Brussels"),
        "ie" => ("EUR", "Europe/Dublin"),
        "lu" => ("EUR", "Europe/Luxembourg"),
        "fi" => ("EUR", "Europe/Helsinki"),
        "gr" => ("EUR", "Europe/Athens"),
        "gb" => ("GBP", "Europe/London"),
        "ch" => ("CHF", "Europe/Zurich"),
        "se" => ("SEK", "Europe/Stockholm"),
        "no" => ("NOK", "Europe/Oslo"),
        "dk" => ("DKK", "Europe/Copenhagen"),
        "pl" => ("PLN", "Europe/Warsaw"),
        "cz" => ("CZK", "Europe/Prague"),
        "hu" => ("HUF", "Europe/Budapest"),
        "tn" => ("TND", "Africa/Tunis"),
        "dz" => ("DZD", "Africa/Algiers"),
        "za" => ("ZAR", "Africa/Johannesburg"),
        "ae" => ("AED", "Asia/Dubai"),
        "in" => ("INR", "Asia/Kolkata"),
        "jp" => ("JPY", "Asia/Tokyo"),
        "sg" => ("SGD", "Asia/Singapore"),
        "nz" => ("NZD", "Pacific/Auckland"),
        _ => ("", "UTC"),
    }
}

fn us_zone(state: &str) -> &'static str {
    match state {
        "ak" => "America/Anchorage",
        "hi" => "Pacific/Honolulu",
        "ca" | "nv" | "or" | "wa" => "America/Los_Angeles",
        "az" => "America/Phoenix",
        "co" | "id" | "mt" | "nm" | "ut" | "wy" => "America/Denver",
        "al" | "ar" | "ia" | "il" | "ks" | "la" | "mn" | "mo" | "ms" | "nd" | "ne" | "ok" | "sd" | "tn" | "tx"
        | "wi" => "America/Chicago",
        "pr" | "vi" => "America/Puerto_Rico",
        _ => "America/New_York",
    }
}

fn ca_zone(province: &str) -> &'static str {
    match province {
        "bc" => "America/Vancouver",
        "ab" => "America/Edmonton",
        "sk" => "America/Regina",
        "mb" => "America/Winnipeg",
        "ns" | "nb" | "pe" => "America/Halifax",
        "nl" => "America/St_Johns",
        _ => "America/Toronto",
    }
}

fn au_zone(state: &str) -> &'static str {
    match state {
        "wa" => "Australia/Perth",
        "sa" => "Australia/Adelaide",
        "nt" => "Australia/Darwin",
        "qld" => "Australia/Brisbane",
        _ => "Australia/Sydney",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_zone_named_here_is_in_the_bundled_database() {
        for code in ["us", "ca", "au", "ma", "at", "gb", "jp", "in", "za", "nz", "tn", "ae"] {
            for region in
                ["", "ak", "hi", "wa", "az", "co", "tx", "pr", "ny", "bc", "sk", "ns", "nl", "sa", "nt", "qld"]
            {
                assert_ne!(country(code, region).zone, TimeZone::UTC, "{code}/{region}");
            }
        }
        assert_eq!(country("us", "wa").zone.iana_name(), Some("America/Los_Angeles"));
        assert_eq!(country("", "").zone, TimeZone::UTC);
    }
}
