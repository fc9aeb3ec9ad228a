use std::cmp::Reverse;

use serde::Serialize;
use serde_json::Value;
use stoop_domain::{Currency, Market, Time, country};

use super::{FiguresView, MergedId, Sum, area_name, unit_name};
use crate::wide_area::WideArea;

/// A row of a list: a market, or the sum of a wide area.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MarketRow {
    /// `us/wa/king:sale:USD`.
    pub id: String,
    /// The area's path.
    pub path: String,
    /// The area's narrowest known name; `unknown` for a wide area whose own name is not known.
    pub name: String,
    /// `sale` or `rent`.
    pub purpose: &'static str,
    /// The currency of all prices.
    pub currency: Currency,
    /// The unit of area in `median_price_per_area`: `sqft` or `m2`.
    pub area_unit: &'static str,
    /// Omitted if there are none.
    #[serde(flatten)]
    pub figures: Option<FiguresView>,
}

/// A figure by which lists are sorted, and its name in CSV.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Figure {
    path: &'static str,
    is_price: bool,
}

/// Which rows are listed, and in what order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ranking {
    /// Only rows with at least this many homes with an asking price.
    pub min_homes: i64,
    /// Sort by this figure, ascending; by default by active homes, descending.
    pub sort: Option<Figure>,
    /// Descending; with a figure only.
    pub desc: bool,
}

impl MarketRow {
    /// The row of a market, without figures.
    #[must_use]
    pub fn of_market(market: &Market) -> Self {
        Self::new(market.area.as_str(), market.area.name(), MergedId::of(market))
    }

    /// The row of a wide area, without figures.
    #[must_use]
    pub fn of_area(area: &WideArea) -> Self {
        let is_unknown = area.path().rsplit('/').next() == Some("-");
        let name = if is_unknown { "unknown".to_owned() } else { area_name(area.path()) };
        Self::new(area.path(), name, area.id())
    }

    /// Adds the figures of a time.
    #[must_use]
    pub fn with_figures(self, sum: Sum<'_>, now: Time) -> Self {
        let country = country(&self.path);
        let figures = FiguresView::of(sum, now, self.currency, country.area_unit, &country.zone);
        Self { figures: Some(figures), ..self }
    }

    fn new(path: &str, name: String, id: MergedId) -> Self {
        Self {
            id: format!("{path}:{id}"),
            path: path.to_owned(),
            name,
            purpose: id.purpose.as_str(),
            currency: id.currency,
            area_unit: unit_name(country(path).area_unit),
            figures: None,
        }
    }
}

impl Figure {
    /// All figures, in order of output.
    pub const ALL: [Self; 45] = [
        Self::plain("active"),
        Self::plain("unconfirmed"),
        Self::plain("priced"),
        Self::price("median_price"),
        Self::price("mean_price"),
        Self::price("p25_price"),
        Self::price("p75_price"),
        Self::price("min_price"),
        Self::price("max_price"),
        Self::price("median_price_per_area"),
        Self::plain("median_age_days"),
        Self::plain("cut_share"),
        Self::plain("median_cut"),
        Self::plain("last_24_hours.new"),
        Self::plain("last_24_hours.back_on_market"),
        Self::plain("last_24_hours.price_cuts"),
        Self::plain("last_24_hours.price_rises"),
        Self::plain("last_24_hours.pending"),
        Self::plain("last_24_hours.closed"),
        Self::plain("last_24_hours.gone"),
        Self::plain("last_24_hours.expired"),
        Self::plain("last_7_days.new"),
        Self::plain("last_7_days.back_on_market"),
        Self::plain("last_7_days.price_cuts"),
        Self::plain("last_7_days.price_rises"),
        Self::plain("last_7_days.pending"),
        Self::plain("last_7_days.closed"),
        Self::plain("last_7_days.gone"),
        Self::plain("last_7_days.expired"),
        Self::plain("last_28_days.new"),
        Self::plain("last_28_days.back_on_market"),
        Self::plain("last_28_days.price_cuts"),
        Self::plain("last_28_days.price_rises"),
        Self::plain("last_28_days.pending"),
        Self::plain("last_28_days.closed"),
        Self::plain("last_28_days.gone"),
        Self::plain("last_28_days.expired"),
        Self::plain("last_90_days.new"),
        Self::plain("last_90_days.back_on_market"),
        Self::plain("last_90_days.price_cuts"),
        Self::plain("last_90_days.price_rises"),
        Self::plain("last_90_days.pending"),
        Self::plain("last_90_days.closed"),
        Self::plain("last_90_days.gone"),
        Self::plain("last_90_days.expired"),
    ];

    const fn plain(path: &'static str) -> Self {
        Self { path, is_price: false }
    }

    const fn price(path: &'static str) -> Self {
        Self { path, is_price: true }
    }

    /// The figure of this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|figure| figure.name() == name)
    }

    /// All names, in order.
    #[must_use]
    pub fn names() -> String {
        Self::ALL.map(Self::name).join(", ")
    }

    /// Its name: `last_7_days_new`.
    #[must_use]
    pub fn name(self) -> String {
        self.path.replace('.', "_")
    }

    /// Its path in the JSON of a row: `last_7_days.new`.
    #[must_use]
    pub fn path(self) -> &'static str {
        self.path
    }

    /// Whether it is an amount in major units of the currency.
    #[must_use]
    pub fn is_price(self) -> bool {
        self.is_price
    }

    fn of(self, figures: &FiguresView) -> Result<Option<f64>, serde_json::Error> {
        let pointer = format!("/{}", self.path.replace('.', "/"));
        Ok(serde_json::to_value(figures)?.pointer(&pointer).and_then(Value::as_f64))
    }
}

impl Ranking {
    /// Removes unwanted rows and sorts the others; unknown values last, ties by ID. For a row without figures the
    /// number of homes is unknown.
    ///
    /// # Errors
    ///
    /// Figures cannot be serialised.
    pub fn rank(self, rows: &mut Vec<MarketRow>) -> Result<(), serde_json::Error> {
        let priced = |row: &MarketRow| row.figures.as_ref().map_or(0, |figures| figures.priced);
        rows.retain(|row| priced(row) >= self.min_homes);
        let Some(figure) = self.sort else {
            let active = |row: &MarketRow| Reverse(row.figures.as_ref().map(|figures| figures.active));
            rows.sort_by(|a, b| active(a).cmp(&active(b)).then_with(|| a.id.cmp(&b.id)));
            return Ok(());
        };
        let mut keyed = Vec::with_capacity(rows.len());
        for row in rows.drain(..) {
            let value = row.figures.as_ref().map(|figures| figure.of(figures)).transpose()?.flatten();
            keyed.push((if self.desc { value.map(|value| -value) } else { value }, row));
        }
        keyed.sort_by(|(a, left), (b, right)| {
            let by_value = match (a, b) {
                (Some(a), Some(b)) => a.total_cmp(b),
                (a, b) => b.is_some().cmp(&a.is_some()),
            };
            by_value.then_with(|| left.id.cmp(&right.id))
        });
        rows.extend(keyed.into_iter().map(|(_, row)| row));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use stoop_market::Cells;

    use super::*;

    /// A row with this many active homes, this many with an asking price, and this median; `None` for no figures.
    fn row(path: &str, figures: Option<(i64, i64, Option<f64>)>) -> MarketRow {
        let row = MarketRow::of_area(&WideArea::new(path, "sale:USD".parse().unwrap()).unwrap());
        let Some((active, priced, median_price)) = figures else { return row };
        let mut row = row.with_figures(Sum::Whole(&Cells::default()), Time::default());
        let message = row.figures.as_mut().unwrap();
        (message.active, message.priced, message.median_price, message.last_7_days.new) =
            (active, priced, median_price, active - priced);
        row
    }

    fn rows() -> Vec<MarketRow> {
        vec![
            row("us/wa/-", None),
            row("us/wa/king", Some((4, 3, Some(2.0)))),
            row("us/wa/asotin", Some((4, 0, None))),
            row("us/wa/adams", Some((9, 9, Some(0.0)))),
            row("us/wa/pierce", Some((5, 3, Some(2.0)))),
        ]
    }

    fn ranked(min_homes: i64, sort: &str, desc: bool) -> Vec<String> {
        let mut rows = rows();
        let sort = (!sort.is_empty()).then(|| Figure::named(sort).unwrap());
        Ranking { min_homes, sort, desc }.rank(&mut rows).unwrap();
        rows.into_iter().map(|row| row.name).collect()
    }

    #[test]
    fn rows_are_sorted_with_unknown_values_last_either_way() {
        assert_eq!(ranked(0, "", false), ["Adams", "Pierce", "Asotin", "King", "unknown"], "the most homes first");
        assert_eq!(ranked(0, "median_price", false), ["Adams", "King", "Pierce", "unknown", "Asotin"]);
        assert_eq!(ranked(0, "median_price", true), ["King", "Pierce", "Adams", "unknown", "Asotin"]);
        assert_eq!(ranked(0, "last_7_days_new", true), ["Asotin", "Pierce", "King", "Adams", "unknown"]);
    }

    #[test]
    fn rows_with_few_or_unknown_homes_are_left_out() {
        assert_eq!(ranked(1, "", false), ["Adams", "Pierce", "King"]);
        assert_eq!(ranked(4, "active", false), ["Adams"]);
        assert_eq!(ranked(10, "active", false), [""; 0]);
    }

    #[test]
    fn every_figure_is_a_number_of_a_row_and_found_by_its_name() {
        let row = serde_json::to_value(row("us/wa", Some((1, 1, Some(1.0))))).unwrap();
        for figure in Figure::ALL {
            assert_eq!(Figure::named(&figure.name()), Some(figure));
            let value = figure.path().split('.').try_fold(&row, |value, name| value.get(name));
            assert!(value.is_some_and(|value| value.is_number() || value.is_null()), "{}", figure.path());
        }
        assert_eq!((Figure::named("last_7_days.new"), Figure::named("name")), (None, None));
    }
}
