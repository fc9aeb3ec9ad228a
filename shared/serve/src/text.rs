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
    /// What is unusual, in words: `price cuts in 7 days: 78, more than usual; mostly 23 to 59 in the 26 weeks before`.
    #[must_use]
    pub fn sentence(&self) -> String {
        let (what, is_share) = match self.figure {
            "mix_adjusted_change" => ("asking prices at the same mix against 28 days before", true),
            "active_change" => ("change of homes on offer in 7 days", false),
            "price_cuts" => ("price cuts in 7 days", false),
            "price_rises" => ("price rises in 7 days", false),
            "new" => ("new homes in 7 days", false),
            "back_on_market" => ("homes back on the market in 7 days", false),
            "pending" => ("homes under contract in 7 days", false),
            "sold" => ("sales in 7 days", false),
            _ => ("homes taken off in 7 days", false),
        };
        let is_change = is_share || self.figure == "active_change";
        let is = match (self.is, is_change) {
            (Usual::Low, true) => "lower than usual",
            (Usual::Low, false) => "fewer than usual",
            (Usual::High, true) => "higher than usual",
            (Usual::High, false) => "more than usual",
        };
        let text = |value: f64| {
            let sign = if is_change && value > 0.0 { "+" } else { "" };
            let value = if is_share { stoop_show::percent(value) } else { format!("{:.0}", value + 0.0) };
            format!("{sign}{value}")
        };
        let [low, high] = [self.usual_interval.low, self.usual_interval.high].map(text);
        let (value, weeks) = (text(self.value), self.weeks);
        format!("{what}: {value}, {is}; mostly {low} to {high} in the {weeks} weeks before")
    }
}
