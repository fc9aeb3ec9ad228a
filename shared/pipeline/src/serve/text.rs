//! Views in words, the same in the terminal and on pages.

use stoop_domain::Currency;
use stoop_market::{Definition, Unit};

use super::{UnusualView, Usual};

/// The name of a figure for people: `median price`.
#[must_use]
pub fn figure_title(figure: &Definition) -> String {
    figure.name.replace('_', " ")
}

/// The value of a figure in its unit: `$328,800`, `4.6 months`. `area_unit` is `sqft` or `m2`.
#[must_use]
pub fn figure_text(figure: &Definition, value: f64, currency: Currency, area_unit: &str) -> String {
    match figure.unit {
        #[expect(clippy::cast_possible_truncation, reason = "a number of homes or events")]
        Unit::Homes | Unit::Events => stoop_show::whole(value as i64),
        Unit::Money => stoop_show::price(value, currency),
        Unit::MoneyPerArea => stoop_show::price_per_area(value, currency, area_unit),
        Unit::Days => format!("{value:.0} d"),
        Unit::Months => format!("{value:.1} months"),
        Unit::Share => stoop_show::percent(value),
    }
}

impl UnusualView {
    /// What is unusual, in words: `price cuts in 7 days: 78, very high; usually 41, give or take 9, in the 26 weeks before`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let is = match self.is {
            Usual::VeryLow => "very low",
            Usual::Low => "low",
            Usual::High => "high",
            Usual::VeryHigh => "very high",
        };
        let (what, is_share) = match self.figure {
            "median_price_change" => ("median price against 28 days before", true),
            "active" => ("active homes", false),
            "price_cuts" => ("price cuts in 7 days", false),
            "new" => ("new homes in 7 days", false),
            "pending" => ("homes under contract in 7 days", false),
            _ => ("homes taken off in 7 days", false),
        };
        let [value, usual] = [self.value, self.usual].map(|value| match is_share {
            true if value > 0.0 => format!("+{}", stoop_show::percent(value)),
            true => stoop_show::percent(value),
            false => format!("{value:.0}"),
        });
        let deviation = if is_share { stoop_show::percent(self.deviation) } else { format!("{:.0}", self.deviation) };
        let weeks = self.weeks;
        format!("{what}: {value}, {is}; usually {usual}, give or take {deviation}, in the {weeks} weeks before")
    }
}
