//! Addresses and amounts as portals write them, shared by dialects.

use std::borrow::Cow;

use serde_json::Value;
use stoop_domain::{Minor, PropertyType};

use super::GARBAGE;
use crate::home::Home;
use crate::words::{self, nth};

/// `1204 Fernbank St Unit 7`.
pub(super) fn line(home: &Home) -> String {
    let street =
        nth(if home.area.city.is_american() { &words::AMERICAN_STREETS } else { &words::MOROCCAN_STREETS }, home.words);
    match unit(home) {
        Some(unit) => format!("{} {street} Unit {unit}", home.number),
        None => format!("{} {street}", home.number),
    }
}

/// The number of a flat.
fn unit(home: &Home) -> Option<u32> {
    matches!(home.kind, PropertyType::Apartment | PropertyType::Condominium).then(|| home.index % 48 + 1)
}

/// An amount in major units, with cents only if they are not zero; text in a garbage row.
pub(super) fn price(amount: Minor, garbage: bool) -> Value {
    match (garbage, amount.0 % 100) {
        (true, _) => GARBAGE.into(),
        (false, 0) => (amount.0 / 100).into(),
        (false, _) => serde_json::from_str(&decimal(amount)).unwrap_or(Value::Null),
    }
}

/// `389000` or `389000.07`.
pub(super) fn decimal(amount: Minor) -> String {
    let (sign, amount) = (if amount.0 < 0 { "-" } else { "" }, amount.0.unsigned_abs());
    match amount % 100 {
        0 => format!("{sign}{}", amount / 100),
        cents => format!("{sign}{}.{cents:02}", amount / 100),
    }
}

/// `1 250 000`, with this separator between the groups.
pub(super) fn grouped(amount: Minor, sign: &str) -> String {
    let digits = (amount.0 / 100).to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    let whole = groups.collect::<Vec<Cow<'_, str>>>().join(sign);
    match amount.0 % 100 {
        0 => whole,
        cents => format!("{whole}.{cents:02}"),
    }
}

/// A coordinate with six decimals.
pub(super) fn degrees(e6: i32) -> Value {
    let sign = if e6 < 0 { "-" } else { "" };
    let text = format!("{sign}{}.{:06}", e6.unsigned_abs() / 1_000_000, e6.unsigned_abs() % 1_000_000);
    serde_json::from_str(&text).unwrap_or(Value::Null)
}

/// Whether a location text contains the home: a city with state (`Chicago, IL`), a postal code or a state code, but not
/// the name of a state.
pub(super) fn lies_in(home: &Home, position: &str) -> bool {
    let city = home.area.city;
    let position = position.trim();
    position.eq_ignore_ascii_case(&format!("{}, {}", city.name, city.region))
        || position.eq_ignore_ascii_case(city.region)
        || position == home.area.postal_code
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_round_trip() {
        assert_eq!(price(Minor(38_900_000), false).to_string(), "389000");
        assert_eq!(price(Minor(38_900_007), false).to_string(), "389000.07");
        assert_eq!(price(Minor(-150), false).to_string(), "-1.5");
        assert_eq!(price(Minor(38_900_007), true), GARBAGE);
        assert_eq!(grouped(Minor(125_000_000), " "), "1 250 000");
        assert_eq!(grouped(Minor(95_005), ","), "950.05");
        assert_eq!(degrees(-87_000_042).to_string(), "-87.000042");
    }
}
