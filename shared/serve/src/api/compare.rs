use serde::Serialize;
use stoop_domain::{Purpose, Time};
use stoop_market::Window;
use stoop_show::Csv;

use super::Api;
use super::answer::RouteAnswer;
use super::error::ApiError;
use super::known::narrowed;
use super::params::Params;
use crate::{
    Allowance, AreaRequest, CompareError, Comparing, Comparison, MarketRow, MarketView, as_text, as_text_or_null,
    market_for,
};

const ACCEPTED: [&str; 7] = ["area", "purpose", "currency", "by", "window", "figures", "as_of"];

/// Areas side by side.
#[derive(Serialize)]
pub(super) struct ComparisonAnswer {
    /// The time of the figures.
    #[serde(serialize_with = "as_text")]
    as_of: Time,
    /// Everything committed before this time is included; absent if everything is.
    #[serde(serialize_with = "as_text_or_null", skip_serializing_if = "Option::is_none")]
    rolled_up_at: Option<Time>,
    /// The areas, in the order given.
    areas: Vec<MarketRow>,
    #[serde(flatten)]
    comparison: Comparison,
}

impl RouteAnswer for ComparisonAnswer {
    /// A row for each figure of each area.
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        let mut rows = Vec::new();
        for figure in &self.comparison.figures {
            for (area, value) in self.areas.iter().zip(&figure.values) {
                let mut row = serde_json::to_value(value)?;
                let figure = serde_json::to_value(figure)?;
                for name in ["figure", "window", "part"] {
                    row[name] = figure[name].clone();
                }
                row["area"] = serde_json::to_value(&area.id)?;
                rows.push(row);
            }
        }
        Ok(Some(Csv::plain(["area", "figure", "window", "part", "value", "sample", "thin"], rows)))
    }
}

impl Api<'_> {
    /// `GET /api/v1/compare`
    pub(super) async fn compare(&self, query: &str, now: Time) -> Result<ComparisonAnswer, ApiError> {
        let mut params = Params::read_with_list(query, &ACCEPTED, "area");
        let areas = params.areas();
        let (purpose, currency) = (params.purpose().unwrap_or(Purpose::Sale), params.currency());
        let comparing = Comparing {
            by: params.part(),
            window: params.window().unwrap_or(Window::Days28),
            figures: params.definitions("figures").unwrap_or_default(),
        };
        let as_of = params.moment("as_of").unwrap_or(now);
        params.done()?;

        let mut allowance = Allowance::of_answer();
        let mut markets: Vec<MarketView> = Vec::with_capacity(areas.len());
        for area in areas {
            let found = self.known.area(self.reader.views, &narrowed(&area, Some(purpose), currency), now).await?;
            // One day: changes are wanted, and no series.
            let view = self.reader.area(&found, AreaRequest::at(as_of, 1), &mut allowance).await?;
            markets.push(market_for(view, purpose)?);
        }
        let comparison = comparing.compare(&markets);
        let areas = markets.iter().map(MarketRow::of_view).collect();
        Ok(ComparisonAnswer { as_of, rolled_up_at: allowance.rolled_up_at(), areas, comparison })
    }
}

impl From<CompareError> for ApiError {
    fn from(error: CompareError) -> Self {
        match error {
            CompareError::NoHomes { .. } => Self::new(404, "no_such_area", error.to_string()),
            CompareError::SeveralCurrencies { .. } => Self::parameters(vec![format!("area: {error}; or set currency")]),
        }
    }
}
