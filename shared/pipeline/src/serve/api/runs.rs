use std::collections::BTreeMap;

use serde::Serialize;
use stoop_domain::Time;

use super::Api;
use super::error::ApiError;
use super::params::Params;
use crate::ports::{RunOutcome, RunRecord};
use crate::serve::{as_text, as_text_or_null};

const LISTED_DEFAULT: u16 = 50;
const LISTED_MAX: u16 = 500;

/// The last runs, newest first.
#[derive(Serialize)]
pub(super) struct RunList {
    runs: Vec<RunView>,
    /// Whether there are older ones.
    more: bool,
}

/// A [`RunRecord`] with times in RFC 3339.
#[derive(Serialize)]
struct RunView {
    id: String,
    kind: String,
    subject: String,
    #[serde(serialize_with = "as_text")]
    began_at: Time,
    #[serde(serialize_with = "as_text_or_null")]
    ended_at: Option<Time>,
    outcome: RunOutcome,
    message: Option<String>,
    counts: BTreeMap<String, u64>,
}

impl From<RunRecord> for RunView {
    fn from(run: RunRecord) -> Self {
        let RunRecord { id, kind, subject, began_at, ended_at, outcome, message, counts } = run;
        Self { id, kind, subject, began_at, ended_at, outcome, message, counts }
    }
}

impl Api<'_> {
    /// `GET /api/v1/runs`
    pub(super) async fn list_runs(&self, query: &str) -> Result<RunList, ApiError> {
        let mut params = Params::read(query, &["limit"]);
        let limit = usize::from(params.count("limit", LISTED_DEFAULT, LISTED_MAX));
        params.done()?;
        let mut runs = self.browse.runs(limit + 1).await?;
        let more = runs.len() > limit;
        runs.truncate(limit);
        Ok(RunList { runs: runs.into_iter().map(RunView::from).collect(), more })
    }
}
