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

/// The lake of a store that does not feed it: because it only reads, or because its observations lie in the lake already, or
/// are brought there by another. It keeps nothing and says that all is well.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLake;

#[async_trait]
impl Lake for NoLake {
    async fn keep(&self, _: &[&Observation]) -> Result<(), PortError> {
        Ok(())
    }
}
