use async_trait::async_trait;
use stoop_domain::Observation;
use stoop_pipeline::ports::PortError;

/// Where a store puts the observations of a commit, before the state that includes them.
///
/// Contract: what was kept is never lost; it may be kept twice. An error says that something may not have been kept.
#[async_trait]
pub trait Lake: Send + Sync {
    /// Keeps observations that a state is about to include.
    async fn keep(&self, observations: &[&Observation]) -> Result<(), PortError>;
}
