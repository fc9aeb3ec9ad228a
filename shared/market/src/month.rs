use std::fmt;

use jiff::civil;
use stoop_domain::Day;

/// A civil month: the number of months since January of the year 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(pub i32);

impl Month {
    /// The month that contains a day.
    #[must_use]
    pub fn of(day: Day) -> Self {
        let date = day.date();
        Self(i32::from(date.year()) * 12 + i32::from(date.month()) - 1)
    }

    /// Its first day, for years that a [`Day`] can have.
    #[must_use]
    pub fn first(self) -> Day {
        let [year, month] = self.year_and_month();
        let year = i16::try_from(year.clamp(-9_999, 9_999)).unwrap_or_default();
        Day::from_date(civil::date(year, i8::try_from(month).unwrap_or(1), 1))
    }

    fn year_and_month(self) -> [i32; 2] {
        [self.0.div_euclid(12), self.0.rem_euclid(12) + 1]
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [year, month] = self.year_and_month();
        write!(f, "{year:04}-{month:02}")
    }
}

#[cfg(test)]
#[test]
fn a_month_has_the_days_from_its_first_to_the_next() {
    for day in -32_768..32_768 {
        let month = Month::of(Day(day));
        let next = Month(month.0 + 1).first();
        assert!((month.first().0..next.0).contains(&day) && (28..=31).contains(&(next.0 - month.first().0)));
        assert!(Day(day).to_string().starts_with(&month.to_string()));
    }
}
