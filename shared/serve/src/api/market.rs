use serde::Serialize;
use stoop_domain::Time;
use stoop_show::Csv;

use super::Api;
use super::answer::RouteAnswer;
use super::error::ApiError;
use super::known::narrowed;
use super::params::Params;
use crate::{Allowance, AreaRequest, AreaView, YieldView, area_csv, as_text_or_null};

const DAYS_DEFAULT: u16 = 90;
/// Ten years and more.
const DAYS_MAX: u16 = 4_000;

/// The most IDs in a response: a country's would fill it.
const IDS_MAX: usize = 2_000;

#[derive(Serialize)]
pub(super) struct AreaAnswer {
    #[serde(flatten)]
    view: AreaView,
    /// The number of markets; `consists_of` has the first ones.
    consists_of_total: usize,
    /// Everything committed before this time is included; absent if everything is.
    #[serde(serialize_with = "as_text_or_null", skip_serializing_if = "Option::is_none")]
    rolled_up_at: Option<Time>,
    /// Absent unless requested.
    #[serde(skip_serializing_if = "Option::is_none")]
    yields: Option<Vec<YieldView>>,
}

impl RouteAnswer for AreaAnswer {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        Ok(Some(area_csv(&self.view.markets)?))
    }
}

impl Api<'_> {
    /// `GET /api/v1/markets/{area}`
    pub(super) async fn market(&self, area: &str, query: &str, now: Time) -> Result<AreaAnswer, ApiError> {
        let mut params = Params::read(query, &["purpose", "currency", "days", "yields", "index", "as_of"]);
        let area = narrowed(&params.area_of_path(area), params.purpose(), params.currency());
        let days = params.count("days", DAYS_DEFAULT, DAYS_MAX);
        let wants_yields = params.flag("yields");
        let as_of = params.moment("as_of").unwrap_or(now);
        let with_index = params.flag("index");
        params.done()?;

        let found = self.known.area(self.reader.views, &area, now).await?;
        let mut allowance = Allowance::of_answer();
        let request = AreaRequest { as_of, days, with_index };
        let mut view = self.reader.area(&found, request, &mut allowance).await?;
        for market in &mut view.markets {
            self.reader.add_observed(market, &found, as_of).await?;
            self.reader.add_reference(market).await?;
        }
        let yields = match wants_yields {
            true => {
                let all = self.known.all(self.reader.views, now).await?;
                Some(self.reader.yields(&found.path, &all, as_of, &mut allowance).await?)
            }
            false => None,
        };
        let consists_of_total = view.consists_of.len();
        view.consists_of.truncate(IDS_MAX);
        Ok(AreaAnswer { view, consists_of_total, rolled_up_at: allowance.rolled_up_at(), yields })
    }
}
