use serde::Serialize;
use stoop_show::Csv;

use super::Api;
use super::answer::RouteAnswer;
use super::error::ApiError;
use super::params::Params;
use crate::{RUN_COLUMNS, RunView};

const LISTED_DEFAULT: u16 = 50;
const LISTED_MAX: u16 = 500;

/// The last runs, newest first.
#[derive(Serialize)]
pub(super) struct RunList {
    runs: Vec<RunView>,
    /// Whether there are older ones.
    more: bool,
}

impl RouteAnswer for RunList {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        Ok(Some(Csv::of(RUN_COLUMNS, &self.runs)?))
    }
}

impl Api<'_> {
    /// `GET /api/v1/runs`
    pub(super) async fn list_runs(&self, query: &str) -> Result<RunList, ApiError> {
        let mut params = Params::read(query, &["limit"]);
        let limit = usize::from(params.count("limit", LISTED_DEFAULT, LISTED_MAX));
        params.done()?;
        let mut runs = self.reader.browse.runs(limit + 1).await?;
        let more = runs.len() > limit;
        runs.truncate(limit);
        Ok(RunList { runs: runs.into_iter().map(RunView::from).collect(), more })
    }
}
