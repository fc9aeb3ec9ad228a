use stoop_domain::{Area, AreaUnit};

use super::number::{NumberStyle, NumberTextError, split_number};

/// Why a text is not an area.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AreaTextError {
    /// The number cannot be read.
    #[error(transparent)]
    Number(#[from] NumberTextError),
    /// Unknown unit.
    #[error("{text:?}: {unit:?} is no unit of area known here (m², sqft, acres, ha)")]
    Unit {
        /// The whole text.
        text: String,
        /// The part that is not understood.
        unit: String,
    },
    /// Larger than any home.
    #[error("{0:?} is too large an area")]
    TooLarge(String),
}

/// Parses an area such as `103 m²`, `1,312 sqft`, `0.1952 Acres`, `2 ha`, or a bare number in `default` units. A unit
/// alone (`m²`) and zero mean unknown.
///
/// # Errors
/// Fails if the number or its unit cannot be read.
pub fn parse_area(text: &str, style: NumberStyle, default: AreaUnit) -> Result<Option<Area>, AreaTextError> {
    let text = text.trim();
    if text.is_empty() || unit_and_factor(text).is_some() {
        return Ok(None);
    }
    let unknown = |unit: &str| AreaTextError::Unit { text: cut(text), unit: cut(unit) };
    // The exponent of "m²" written as "m2" is not a second number: the first number is the area.
    let number = split_number(text, style)?;
    if !number.before.is_empty() {
        return Err(unknown(number.before));
    }
    let (unit, factor) = match number.after {
        "" => (default, 1),
        after => unit_and_factor(after).ok_or_else(|| unknown(after))?,
    };
    let too_large = || AreaTextError::TooLarge(cut(text));
    let ten_thousandths = number.scaled(4).ok().and_then(|n| n.checked_mul(factor)).ok_or_else(too_large)?;
    Ok((ten_thousandths > 0).then_some(Area { ten_thousandths, unit }))
}

/// Parses a unit: `m2`, `m²`, `sqft`, `acres` and their usual spellings.
#[must_use]
pub fn parse_area_unit(name: &str) -> Option<AreaUnit> {
    unit_and_factor(name.trim()).filter(|(_, factor)| *factor == 1).map(|(unit, _)| unit)
}

fn unit_and_factor(name: &str) -> Option<(AreaUnit, i64)> {
    const UNITS: [(&[&str], AreaUnit, i64); 4] = [
        (&["m²", "m2", "sqm", "qm", "sq m", "sq. m.", "square meters", "square metres"], AreaUnit::SquareMeters, 1),
        (&["sqft", "sq ft", "sq. ft.", "sq. ft", "ft²", "ft2", "square feet", "sf"], AreaUnit::SquareFeet, 1),
        (&["acres", "acre", "ac"], AreaUnit::Acres, 1),
        (&["ha", "hectare", "hectares"], AreaUnit::SquareMeters, 10_000),
    ];
    UNITS
        .iter()
        .find(|(names, ..)| names.iter().any(|n| n.eq_ignore_ascii_case(name)))
        .map(|(_, unit, factor)| (*unit, *factor))
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use AreaUnit::{Acres, SquareFeet, SquareMeters};

    fn read(text: &str) -> Option<(i64, AreaUnit)> {
        parse_area(text, NumberStyle::En, SquareMeters).unwrap().map(|a| (a.ten_thousandths, a.unit))
    }

    #[test]
    fn areas_are_read_with_their_units() {
        assert_eq!(read("103 m²"), Some((1_030_000, SquareMeters)));
        assert_eq!(read("40\n\t\t\tm²"), Some((400_000, SquareMeters)));
        assert_eq!(read("134m2"), Some((1_340_000, SquareMeters)));
        assert_eq!(read("1,312 sqft"), Some((13_120_000, SquareFeet)));
        assert_eq!(read("8502 Square Feet"), Some((85_020_000, SquareFeet)));
        assert_eq!(read("0.1952 Acres"), Some((1_952, Acres)));
        assert_eq!(read("8.125 acres"), Some((81_250, Acres)));
        assert_eq!(read("2.5 ha"), Some((250_000_000, SquareMeters)));
        assert_eq!(read("83"), Some((830_000, SquareMeters)));
        let german = parse_area("68,5 m²", NumberStyle::De, SquareMeters).unwrap().unwrap();
        assert_eq!(german.ten_thousandths, 685_000);
    }

    #[test]
    fn a_unit_alone_and_zero_are_unknown() {
        assert_eq!(read("m²"), None);
        assert_eq!(read("0 m²"), None);
        assert_eq!(read(""), None);
    }

    #[test]
    fn another_unit_is_refused() {
        for text in ["5 rooms", "beaucoup", "ca. 5 m²", "99999999999999999 ha", "3 m² 4 m²"] {
            assert!(parse_area(text, NumberStyle::En, SquareMeters).is_err(), "{text}");
        }
        assert_eq!(parse_area_unit("Square Feet"), Some(SquareFeet));
        assert_eq!(parse_area_unit("ha"), None);
        assert_eq!(parse_area_unit("perch"), None);
    }
}
