use serde::Serialize;
use stoop_domain::{Reject, Time};
use stoop_show::{Csv, Field};

use super::Api;
use super::answer::RouteAnswer;
use super::error::ApiError;
use super::params::Params;
use crate::as_text;
use stoop_pipeline::ports::RefusedRows;

const LISTED_DEFAULT: u16 = 50;
const LISTED_MAX: u16 = 500;

/// What was refused.
#[derive(Serialize)]
pub(super) struct QuarantineList {
    /// By source and reason.
    counts: Vec<Refused>,
    /// The newest first.
    rejects: Vec<RejectView>,
}

/// A [`Reject`] whose time is RFC 3339.
#[derive(Serialize)]
struct RejectView {
    source: String,
    #[serde(serialize_with = "as_text")]
    at: Time,
    location: String,
    reason: &'static str,
    detail: String,
    raw: String,
    /// The number of refused rows that it stands for.
    rows: u64,
    /// The number of refused values that it stands for, whose rows were kept.
    values: u64,
}

impl From<Reject> for RejectView {
    fn from(reject: Reject) -> Self {
        let Reject { source, at, location, reason, detail, raw, rows, values } = reject;
        Self { source, at, location, reason: reason.as_str(), detail, raw, rows, values }
    }
}

#[derive(Serialize)]
struct Refused {
    source: String,
    reason: &'static str,
    rows: u64,
    values: u64,
}

impl From<RefusedRows> for Refused {
    fn from(RefusedRows { source, reason, rows, values }: RefusedRows) -> Self {
        Self { source, reason: reason.as_str(), rows, values }
    }
}

impl RouteAnswer for QuarantineList {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        let columns = ["source", "at", "location", "reason", "detail", "raw", "rows", "values"];
        Ok(Some(Csv::of(columns.map(Field::Plain), &self.rejects)?))
    }
}

impl Api<'_> {
    /// `GET /api/v1/quarantine`
    pub(super) async fn list_quarantine(&self, query: &str) -> Result<QuarantineList, ApiError> {
        let mut params = Params::read(query, &["limit"]);
        let limit = usize::from(params.count("limit", LISTED_DEFAULT, LISTED_MAX));
        params.done()?;
        let quarantined = self.reader.browse.quarantine(limit).await?.ok_or_else(|| {
            let message = "this server does not list its quarantine, which is in the bucket under quarantine/";
            ApiError::new(404, "no_quarantine", message)
        })?;
        let counts = quarantined.counts.into_iter().map(Refused::from).collect();
        let rejects = quarantined.newest.into_iter().map(RejectView::from).collect();
        Ok(QuarantineList { counts, rejects })
    }
}
