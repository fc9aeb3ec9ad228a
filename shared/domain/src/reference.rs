//! Figures of areas that do not come from listings: income, population, rates, price indices.

use std::fmt;

use jiff::civil::Date;
use serde::{Serialize, Serializer};

use crate::money::Currency;
use crate::time::Day;

/// The unit of a reference series. Printed as `USD`, `share`, `persons`, `index`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceUnit {
    /// Major units of a currency.
    Money(Currency),
    /// A share: 0.05 is 5 %.
    Share,
    /// A number of people.
    Persons,
    /// A number without a unit.
    Index,
}

/// A named figure of areas, with dates.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceSeries {
    /// `a-z`, `0-9` and `_`, beginning with a letter.
    pub name: String,
    /// The unit of all values.
    pub unit: ReferenceUnit,
    /// Its areas, ordered by path.
    pub areas: Vec<AreaValues>,
}

/// A reference series in an area and in the areas around it.
#[derive(Clone, Debug, PartialEq)]
pub struct ReferenceAround {
    /// Its name.
    pub name: String,
    /// The unit of its values.
    pub unit: ReferenceUnit,
    /// The areas with values, narrowest first.
    pub levels: Vec<AreaValues>,
}

/// The values of one area.
#[derive(Clone, Debug, PartialEq)]
pub struct AreaValues {
    /// The area's path without unknown levels at its end: `us/wa`.
    pub path: String,
    /// The values by day, ordered, at most one a day.
    pub values: Vec<(Day, f64)>,
}

impl ReferenceUnit {
    /// Parses what [`fmt::Display`] prints; a currency in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "share" => Some(Self::Share),
            "persons" => Some(Self::Persons),
            "index" => Some(Self::Index),
            code => Currency::parse(code).ok().map(Self::Money),
        }
    }
}

impl fmt::Display for ReferenceUnit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Money(currency) => write!(f, "{currency}"),
            Self::Share => f.write_str("share"),
            Self::Persons => f.write_str("persons"),
            Self::Index => f.write_str("index"),
        }
    }
}

impl Serialize for ReferenceUnit {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl ReferenceAround {
    /// The value on a day: the last one at or before it, of the narrowest area that has one.
    #[must_use]
    pub fn at(&self, day: Day) -> Option<(&str, Day, f64)> {
        self.levels.iter().find_map(|level| level.at(day).map(|(of, value)| (level.path.as_str(), of, value)))
    }
}

impl AreaValues {
    /// The last value at or before a day.
    #[must_use]
    pub fn at(&self, day: Day) -> Option<(Day, f64)> {
        let after = self.values.partition_point(|(of, _)| *of <= day);
        after.checked_sub(1).map(|last| self.values[last])
    }
}

impl Day {
    /// The last day of a date, a month or a year: `2025-01-31`, `2025-01`, `2025`.
    #[must_use]
    pub fn last_of(text: &str) -> Option<Self> {
        let mut parts = text.split('-').zip([4, 2, 2]);
        let mut next = || {
            let (digits, length) = parts.next()?;
            let is_number = digits.len() == length && digits.bytes().all(|byte| byte.is_ascii_digit());
            Some(digits.parse::<i16>().ok().filter(|_| is_number))
        };
        let year = next()??;
        let month = next();
        let day = next();
        if text.split('-').count() > 3 {
            return None;
        }
        let month = i8::try_from(month.unwrap_or(Some(12))?).ok()?;
        let date = match day {
            Some(day) => Date::new(year, month, i8::try_from(day?).ok()?).ok()?,
            None => Date::new(year, month, 1).ok()?.last_of_month(),
        };
        Some(Self::from_date(date)).filter(|_| year > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_ends_with_its_last_day() {
        let last = |text| Day::last_of(text).map(|day| day.to_string());
        assert_eq!(last("2024-02-15").as_deref(), Some("2024-02-15"));
        assert_eq!(last("2024-02").as_deref(), Some("2024-02-29"));
        assert_eq!(last("1999").as_deref(), Some("1999-12-31"));
        for text in
            ["", "24", "0000", "2024-2", "2024-13", "2024-02-30", "2024-02-01-01", "2024-02-01T00", "+024", "RegionID"]
        {
            assert_eq!(last(text), None, "{text}");
        }
    }

    #[test]
    fn the_last_value_at_or_before_a_day_counts() {
        let values = AreaValues { path: "us".into(), values: vec![(Day(10), 1.0), (Day(20), 2.0)] };
        assert_eq!(
            [9, 10, 19, 20, 99].map(|day| values.at(Day(day)).map(|(of, value)| (of.0, value))),
            [None, Some((10, 1.0)), Some((10, 1.0)), Some((20, 2.0)), Some((20, 2.0)),]
        );
    }

    #[test]
    fn units_are_parsed_as_printed() {
        for text in ["USD", "share", "persons", "index"] {
            assert_eq!(ReferenceUnit::parse(text).unwrap().to_string(), text);
        }
        assert_eq!(ReferenceUnit::parse("dollars"), None);
    }
}
