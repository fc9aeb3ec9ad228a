use async_trait::async_trait;
use stoop_domain::Observation;
use stoop_pipeline::ports::PortError;

/// Where a store puts the observations of a commit, before the state that includes them.
///
/// Contract: a kept observation is never lost, and may be kept twice. After an error some may not be kept.
#[async_trait]
pub trait Lake: Send + Sync {
    /// Keeps observations that a state is about to include.
    async fn keep(&self, observations: &[&Observation]) -> Result<(), PortError>;
}

/// The lake of a store that does not feed one: because it only reads, its observations are in the lake already, or
/// something else delivers them. It keeps nothing and always succeeds.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoLake;

#[async_trait]
impl Lake for NoLake {
    async fn keep(&self, _: &[&Observation]) -> Result<(), PortError> {
        Ok(())
    }
}
