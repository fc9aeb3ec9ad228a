//! Reference series beside the figures of an area.

use serde::Serialize;
use stoop_domain::{Currency, Day, ReferenceAround, ReferenceUnit};

use super::area::{trimmed, wider};

/// The value of a reference series for an area on a day.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReferenceView {
    /// The name of the series.
    pub name: String,
    /// The last value at or before the day.
    pub value: f64,
    /// A currency (major units), `share`, `persons` or `index`.
    pub unit: ReferenceUnit,
    /// The day of the value.
    pub date: String,
    /// The path of the area that the value is for: the area itself, or the nearest around it that has a value.
    pub of: String,
    /// The area's median list price divided by the value. `None` for rents, for values that are not in the currency of
    /// the market or not above 0, and without a median.
    pub price_ratio: Option<f64>,
}

/// The path of an area and of the known areas around it, narrowest first, without unknown levels at their ends.
pub fn areas_around(path: &str) -> impl Iterator<Item = &str> {
    let path = trimmed(path.trim_end_matches('/'));
    std::iter::once(path).chain(wider(path))
}

impl ReferenceView {
    /// The view of a series on a day, beside the median list price of homes for sale in a currency, if it is known.
    pub(super) fn of(series: &ReferenceAround, day: Day, median_price: Option<(f64, Currency)>) -> Option<Self> {
        let (of, date, value) = series.at(day)?;
        let comparable = |(_, currency): &(f64, Currency)| series.unit == ReferenceUnit::Money(*currency);
        let ratio = median_price.filter(comparable).filter(|_| value > 0.0).map(|(median, _)| median / value);
        Some(Self {
            name: series.name.clone(),
            value,
            unit: series.unit,
            date: date.to_string(),
            of: of.to_owned(),
            price_ratio: ratio.map(|ratio| (ratio * 10_000.0).round() / 10_000.0),
        })
    }

    /// The value with its unit.
    #[must_use]
    pub fn text(&self) -> String {
        match self.unit {
            // Minor units only below a hundred.
            ReferenceUnit::Money(currency) if self.value.abs() < 100.0 => stoop_show::amount(self.value, currency),
            ReferenceUnit::Money(currency) => stoop_show::amount(self.value.round(), currency),
            ReferenceUnit::Share => format!("{:.2} %", self.value * 100.0),
            #[expect(clippy::cast_possible_truncation, reason = "a number of people")]
            ReferenceUnit::Persons => stoop_show::whole(self.value.round() as i64),
            ReferenceUnit::Index => format!("{:.1}", self.value),
        }
    }
}

#[cfg(test)]
mod tests {
    use stoop_domain::AreaValues;

    use super::*;

    fn day(text: &str) -> Day {
        Day::last_of(text).unwrap()
    }

    fn level(path: &str, values: &[(&str, f64)]) -> AreaValues {
        AreaValues { path: path.to_owned(), values: values.iter().map(|(of, value)| (day(of), *value)).collect() }
    }

    #[test]
    fn areas_lie_around_a_path() {
        let around = |path: &'static str| areas_around(path).collect::<Vec<_>>();
        assert_eq!(around("us/wa/king"), ["us/wa/king", "us/wa", "us"]);
        assert_eq!(around("us/"), ["us"]);
        assert_eq!(around("ma/-/-/~c/-"), ["ma/-/-/~c", "ma"]);
    }

    #[test]
    fn the_nearest_area_with_a_value_by_that_day_counts() {
        let series = ReferenceAround {
            name: "income".into(),
            unit: ReferenceUnit::Money(Currency::USD),
            levels: vec![
                level("us/wa/king", &[("2024-12-31", 120_000.0)]),
                level("us/wa", &[("2022-12-31", 90_000.0), ("2023-12-31", 95_000.0)]),
            ],
        };
        assert_eq!(series.at(day("2022-12-30")), None);
        assert_eq!(series.at(day("2023-01-01")), Some(("us/wa", day("2022-12-31"), 90_000.0)));
        assert_eq!(series.at(day("2024-12-30")), Some(("us/wa", day("2023-12-31"), 95_000.0)));
        assert_eq!(series.at(day("2024-12-31")), Some(("us/wa/king", day("2024-12-31"), 120_000.0)));
    }
}
