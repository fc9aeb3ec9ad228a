use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use super::PortError;

/// The files of a configuration: `stoop.toml` and the maps that it names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfigFiles {
    /// Names this content: differs whenever any file does.
    pub fingerprint: String,
    /// Texts by path, relative to the folder of `stoop.toml`.
    pub files: BTreeMap<String, String>,
}

/// Where a stack's configuration is uploaded, and where the accepted one is kept.
///
/// Operators upload files one after the other, and may upload mistakes. So the planner looks at what is
/// uploaded, and every function works by what the planner has accepted as a whole.
#[async_trait]
pub trait Configuration: Send + Sync {
    /// Names what is uploaded now, without reading it; `None` where nothing is.
    async fn fingerprint(&self) -> Result<Option<String>, PortError>;

    /// What is uploaded now.
    async fn uploaded(&self) -> Result<ConfigFiles, PortError>;

    /// What was accepted last.
    async fn accepted(&self) -> Result<Option<ConfigFiles>, PortError>;

    /// Accepts a configuration, as a whole or not at all.
    async fn accept(&self, files: &ConfigFiles) -> Result<(), PortError>;
}
