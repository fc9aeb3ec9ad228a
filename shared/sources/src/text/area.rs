use stoop_domain::{Area, AreaUnit};

use super::number::{NumberStyle, NumberTextError, split_number};
use super::period::scaled;

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
pub fn parse_area(
    text: &str,
    style: NumberStyle,
    default: impl Into<AreaMeasure>,
) -> Result<Option<Area>, AreaTextError> {
    let text = text.trim();
    if text.is_empty() || measure(text).is_some() {
        return Ok(None);
    }
    let unknown = |unit: &str| AreaTextError::Unit { text: cut(text), unit: cut(unit) };
    // The exponent of "m²" written as "m2" is not a second number: the first number is the area.
    let number = split_number(text, style)?;
    if !number.before.is_empty() {
        return Err(unknown(number.before));
    }
    let measured = match number.after {
        "" => default.into(),
        after => measure(after).ok_or_else(|| unknown(after))?,
    };
    let too_large = || AreaTextError::TooLarge(cut(text));
    let area = number.scaled(4).ok().and_then(|n| measured.of(n)).ok_or_else(too_large)?;
    Ok((area.ten_thousandths > 0).then_some(area))
}

/// A unit of area in use somewhere: a fraction of one of the three that are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AreaMeasure {
    /// The unit that is stored.
    pub unit: AreaUnit,
    times: i64,
    divisor: i64,
}

impl AreaMeasure {
    /// Converts ten-thousandths of this measure to an area; `None` if it does not fit in 64 bits.
    #[must_use]
    pub fn of(self, ten_thousandths: i64) -> Option<Area> {
        let ten_thousandths = scaled(ten_thousandths, self.times, self.divisor)?;
        Some(Area { ten_thousandths, unit: self.unit })
    }
}

impl From<AreaUnit> for AreaMeasure {
    fn from(unit: AreaUnit) -> Self {
        Self { unit, times: 1, divisor: 1 }
    }
}

/// Parses a unit that is stored as it is: `m2`, `m²`, `sqft`, `acres` and their usual spellings.
#[must_use]
pub fn parse_area_unit(name: &str) -> Option<AreaUnit> {
    measure(name.trim()).filter(|found| found.times == 1 && found.divisor == 1).map(|found| found.unit)
}

/// Parses any known unit: `m2`, `ha`, `sqyd`, `marla`.
#[must_use]
pub fn parse_area_measure(name: &str) -> Option<AreaMeasure> {
    measure(name.trim())
}

/// The units: their names, the unit that is stored, and a fraction.
const UNITS: [(&str, AreaUnit, i64, i64); 14] = [
    (
        "m²|m2|㎡|sqm|qm|sq m|sq. m.|sq.m.|sq mt|sqmt|square meters|square metres|square meter|square metre|mq|mt2|mts2|m^2|kvm|кв.м|кв. м|кв.м.|кв м|м²|м2|square_meters|square_metres|square_meter|squaremeters|squaremeter|mtk",
        AreaUnit::SquareMeters,
        1,
        1,
    ),
    (
        "sqft|sq ft|sq. ft.|sq. ft|sq.ft.|sq.ft|ft²|ft2|square feet|square foot|square_feet|square_foot|squarefeet|squarefoot|sf|sft|ftk",
        AreaUnit::SquareFeet,
        1,
        1,
    ),
    ("acres|acre|ac|acr", AreaUnit::Acres, 1, 1),
    ("ha|hectare|hectares|hektar|hectareas|hectáreas|har", AreaUnit::SquareMeters, 10_000, 1),
    ("are|ares|сотка|сотки|соток", AreaUnit::SquareMeters, 100, 1),
    (
        "sqyd|sq yd|sq. yd.|sq.yd.|sqyds|sq yds|sqyrd|square yards|square yard|square_yards|yd2|yd²|ydk|gaj|gaz",
        AreaUnit::SquareFeet,
        9,
        1,
    ),
    // Of 272.25 square feet, as in land records; some towns sell marlas of 225.
    ("marla|marlas", AreaUnit::SquareFeet, 1_089, 4),
    ("kanal|kanals", AreaUnit::SquareFeet, 5_445, 1),
    ("guntha|gunthas|gunta", AreaUnit::SquareFeet, 1_089, 1),
    ("tsubo|坪", AreaUnit::SquareMeters, 400, 121),
    ("pyeong|평", AreaUnit::SquareMeters, 400, 121),
    ("dunam|dunams|donum|dönüm", AreaUnit::SquareMeters, 1_000, 1),
    ("rai", AreaUnit::SquareMeters, 1_600, 1),
    ("wah|sq wah|ตร.ว.", AreaUnit::SquareMeters, 4, 1),
];

fn measure(name: &str) -> Option<AreaMeasure> {
    let known = |names: &str| names.split('|').any(|known| known.eq_ignore_ascii_case(name));
    let found = UNITS.iter().find(|(names, ..)| known(names));
    found.map(|(_, unit, times, divisor)| AreaMeasure { unit: *unit, times: *times, divisor: *divisor })
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
        assert_eq!(read("70 marla"), Some((190_575_000, SquareFeet)));
        assert_eq!(read("250 sq yd"), Some((22_500_000, SquareFeet)));
        assert_eq!(read("30坪"), Some((991_736, SquareMeters)));
        assert_eq!(
            (read("74.5 кв. м"), read("12 соток")),
            (Some((745_000, SquareMeters)), Some((12_000_000, SquareMeters)))
        );
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
        assert_eq!((parse_area_unit("perch"), parse_area_measure("bigha")), (None, None), "another size in each place");
    }
}
