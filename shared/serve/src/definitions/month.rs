use std::fmt;
use std::str::FromStr;

use jiff::civil::{Date, date};
use serde::{Serialize, Serializer};
use stoop_domain::Day;

use super::Period;

/// A calendar month, `2026-04`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Month {
    first: Date,
}

/// The text is not a month of the years 1970 to 2059.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("accepted: a month like 2026-04")]
pub struct MonthError;

impl Month {
    /// The month that contains a day.
    #[must_use]
    pub fn of(day: Day) -> Self {
        Self { first: day.date().first_of_month() }
    }

    /// The month before.
    #[must_use]
    pub fn before(self) -> Self {
        Self::of(Day(Day::from_date(self.first).0 - 1))
    }

    /// All its days.
    #[must_use]
    pub fn period(self) -> Period {
        Period { from: Day::from_date(self.first), until: Day::from_date(self.first.last_of_month()) }
    }
}

impl FromStr for Month {
    type Err = MonthError;

    fn from_str(text: &str) -> Result<Self, MonthError> {
        let (year, month) = text.split_once('-').ok_or(MonthError)?;
        let is_number = |text: &str, digits: usize| text.len() == digits && text.bytes().all(|b| b.is_ascii_digit());
        if !is_number(year, 4) || !is_number(month, 2) {
            return Err(MonthError);
        }
        let (year, month): (i16, i8) = (year.parse().map_err(|_| MonthError)?, month.parse().map_err(|_| MonthError)?);
        if !(1_970..2_060).contains(&year) || !(1..=12).contains(&month) {
            return Err(MonthError);
        }
        Ok(Self { first: date(year, month, 1) })
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.first.year(), self.first.month())
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_has_all_its_days() {
        let month: Month = "2028-02".parse().unwrap();
        let Period { from, until } = month.period();
        assert_eq!((from.to_string().as_str(), until.to_string().as_str()), ("2028-02-01", "2028-02-29"));
        assert_eq!(Month::of(until), month);
        assert_eq!((month.to_string().as_str(), month.before().to_string().as_str()), ("2028-02", "2028-01"));
        assert_eq!(month.before().before().to_string(), "2027-12");
    }

    #[test]
    fn only_a_month_is_a_month() {
        for text in ["2026", "2026-13", "2026-00", "2026-4", "26-04", "2026-04-01", "+026-04", "2026-+4", "1969-12", ""]
        {
            assert_eq!(text.parse::<Month>(), Err(MonthError), "{text}");
        }
    }
}
