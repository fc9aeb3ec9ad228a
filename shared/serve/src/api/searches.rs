use serde::Serialize;
use stoop_domain::Time;
use stoop_show::Csv;

use super::Api;
use super::answer::RouteAnswer;
use super::error::ApiError;
use super::params::Params;
use crate::{ControlError, SEARCH_COLUMNS, SearchView, control_search, searches};
use stoop_pipeline::ControlAction;

/// The searches, by name.
#[derive(Serialize)]
pub(super) struct SearchList {
    searches: Vec<SearchView>,
}

impl RouteAnswer for SearchList {
    fn csv(&self) -> Result<Option<Csv>, ApiError> {
        Ok(Some(Csv::of(SEARCH_COLUMNS, &self.searches)?))
    }
}

impl Api<'_> {
    /// `GET /api/v1/searches`
    pub(super) async fn list_searches(&self, query: &str) -> Result<SearchList, ApiError> {
        Params::read(query, &[]).done()?;
        Ok(SearchList { searches: searches(self.reader.browse, self.reader.controls).await? })
    }

    /// `POST /api/v1/searches/{search}/poll`, `.../pause` and `.../resume`
    pub(super) async fn control(
        &self,
        search: &str,
        action: ControlAction,
        by: &str,
        clock: Time,
    ) -> Result<SearchView, ApiError> {
        let controls =
            self.reader.controls.ok_or_else(|| ApiError::new(405, "method_not_allowed", "this server only reads"))?;
        let view = control_search(self.reader.browse, controls, search, action, by, clock).await?;
        // The audit of writes.
        tracing::info!(search, action = action.as_str(), by, "a search was controlled");
        Ok(view)
    }
}

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        let message = error.to_string();
        match error {
            ControlError::NoSuchSearch { nearest, .. } => {
                Self::new(404, "no_such_search", message).with_details(nearest)
            }
            ControlError::Port(error) => error.into(),
        }
    }
}
