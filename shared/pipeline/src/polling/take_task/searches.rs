use async_trait::async_trait;
use stoop_sources::settings::MapErrors;

use crate::polling::poll::Search;
use crate::ports::PortError;

/// The configured searches.
#[async_trait]
pub trait Searches: Send + Sync {
    /// Builds a search with its secrets, as far as they are known. Why there is none, if so.
    async fn prepare(&self, name: &str) -> Result<Result<Box<dyn PreparedSearch + '_>, NotPolled>, PortError>;
}

/// A search that was built with its secrets.
#[async_trait]
pub trait PreparedSearch: Send + Sync {
    /// The search.
    fn search(&self) -> &Search;

    /// Builds it again, with secrets that are read now; `None` if they are the same, it has none, or nothing can be
    /// built with them.
    async fn renew(&self) -> Result<Option<Box<dyn PreparedSearch + '_>>, PortError>;
}

/// Why there is nothing to poll.
#[derive(Debug, thiserror::Error)]
pub enum NotPolled {
    /// No configuration was ever accepted.
    #[error("no configuration was accepted")]
    NoConfiguration,
    /// It was removed from the configuration or switched off after it was sent.
    #[error("no search of this name is switched on")]
    NoSuchSearch,
    /// The planner accepted it, but a secret is missing.
    #[error(transparent)]
    Mistakes(#[from] MapErrors),
}
