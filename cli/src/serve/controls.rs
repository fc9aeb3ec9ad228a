use async_trait::async_trait;
use stoop_embedded::{Database, failure_kind};
use stoop_pipeline::SearchControl;
use stoop_pipeline::ports::{FailureKind, PortError, SearchControls};

/// What people ask of searches, on this computer. The server's own handle of the database only reads: another one is
/// opened for a write.
pub(super) struct ServedControls<'s>(pub(super) &'s Database);

#[async_trait]
impl SearchControls for ServedControls<'_> {
    async fn controls(&self) -> Result<Vec<SearchControl>, PortError> {
        self.0.controls().await
    }

    async fn keep(&self, control: &SearchControl) -> Result<(), PortError> {
        let writing = Database::open(self.0.path(), self.0.data());
        let writing = writing.map_err(|error| {
            let kind = failure_kind(&error).unwrap_or(FailureKind::Unavailable);
            PortError::new(kind, format!("keep the control of {}", control.search), error)
        })?;
        writing.keep(control).await
    }
}
