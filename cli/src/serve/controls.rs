use std::sync::Arc;

use async_trait::async_trait;
use stoop_domain::{HomeId, Time};
use stoop_embedded::{Database, failure_kind};
use stoop_identity::PairRuling;
use stoop_pipeline::SearchControl;
use stoop_pipeline::ports::{FailureKind, PairRulingLedger, PortError, SearchControls};

/// What people ask of searches, on this computer. The server's own handle of the database only reads: another one is
/// opened for a write.
pub(super) struct ServedControls<'s>(pub(super) &'s Database);

#[async_trait]
impl SearchControls for ServedControls<'_> {
    async fn controls(&self) -> Result<Vec<SearchControl>, PortError> {
        self.0.controls().await
    }

    async fn keep(&self, control: &SearchControl) -> Result<(), PortError> {
        let writing = opened_to_write(self.0, || format!("keep the control of {}", control.search))?;
        writing.keep(control).await
    }
}

/// What people rule on pairs of listings, on this computer, likewise by a handle of its own.
pub(super) struct ServedRulings<'s>(pub(super) &'s Database);

#[async_trait]
impl PairRulingLedger for ServedRulings<'_> {
    async fn rule_pair(
        &self,
        listings: (&HomeId, &HomeId),
        ruling: Option<PairRuling>,
        by: &str,
        now: Time,
    ) -> Result<bool, PortError> {
        let writing = opened_to_write(self.0, || "rule on two listings".to_owned())?;
        writing.rule_pair(listings, ruling, by, now).await
    }
}

/// Another handle of the database, to write.
fn opened_to_write(database: &Database, what: impl FnOnce() -> String) -> Result<Arc<Database>, PortError> {
    Database::open(database.path(), database.data()).map_err(|error| {
        let kind = failure_kind(&error).unwrap_or(FailureKind::Unavailable);
        PortError::new(kind, what(), error)
    })
}
