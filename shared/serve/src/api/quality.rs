use serde::Serialize;
use stoop_domain::Time;
use stoop_pipeline::ports::MergedCounts;
use stoop_show::{Csv, Field};

use super::Api;
use super::answer::RouteAnswer;
use super::error::ApiError;
use super::params::Params;
use crate::{AreaQuality, MergedId, Quality, RunView, as_text};

/// How far figures can be trusted.
#[derive(Serialize)]
pub(super) struct QualityAnswer {
    #[serde(serialize_with = "as_text")]
    as_of: Time,
    /// The last verification; null if there was none.
    verified: Option<RunView>,
    /// The homes that are counted in place of their listings; null if each listing counts as a home.
    merged: Option<MergedCounts>,
    /// The largest first.
    areas: Vec<AreaQuality>,
}

impl RouteAnswer for QualityAnswer {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        let columns = [
            "id",
            "path",
            "name",
            "active",
            "unconfirmed",
            "priced",
            "priced_per_area",
            "thin",
            "warming_up",
            "observed_at",
            "lag_seconds",
        ];
        Ok(Some(Csv::of(columns.map(Field::Plain), &self.areas)?))
    }
}

impl Api<'_> {
    /// `GET /api/v1/quality`
    pub(super) async fn quality(&self, query: &str, now: Time) -> Result<QualityAnswer, ApiError> {
        let mut params = Params::read(query, &["purpose", "currency"]);
        let (purpose, currency) = (params.purpose(), params.currency());
        params.done()?;
        let asked = |id: &MergedId| {
            purpose.is_none_or(|purpose| id.purpose == purpose)
                && currency.is_none_or(|currency| id.currency == currency)
        };
        let quality = Quality::read(&self.reader, asked, now).await?;
        let areas = if quality.id.is_some_and(|id| asked(&id)) { quality.areas } else { Vec::new() };
        Ok(QualityAnswer { as_of: now, verified: quality.verified.map(RunView::from), merged: quality.merged, areas })
    }
}
