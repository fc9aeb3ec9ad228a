use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::PortError;

/// The files of a configuration: `stoop.toml` and the maps that it names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFiles {
    /// Identifies this content: differs whenever any file does.
    pub fingerprint: String,
    /// Texts by path, relative to the folder of `stoop.toml`.
    pub files: BTreeMap<String, String>,
}

/// Where a stack's configuration is uploaded, and where the accepted one is stored.
///
/// Operators upload files one by one, and may upload mistakes. So the planner checks the upload, and all functions use
/// what the planner has accepted as a whole.
#[async_trait]
pub trait Configuration: Send + Sync {
    /// Identifies the upload without reading it; `None` if there is none.
    async fn fingerprint(&self) -> Result<Option<String>, PortError>;

    /// The upload.
    async fn uploaded(&self) -> Result<ConfigFiles, PortError>;

    /// The accepted configuration.
    async fn accepted(&self) -> Result<Option<ConfigFiles>, PortError>;

    /// Accepts a configuration, as a whole or not at all.
    async fn accept(&self, files: &ConfigFiles) -> Result<(), PortError>;
}
