use std::collections::BTreeMap;

use stoop_aws::Secret;
use stoop_pipeline::ports::{ConfigFiles, PortError};
use stoop_pipeline::{Search, with_causes};
use stoop_runtime::{Fetched, MAIN_FILE, Wanting, parse_search, wanted};
use stoop_sources::settings::MapErrors;

use crate::App;

/// A search, with the secrets it was built with.
pub(crate) struct Prepared {
    pub(crate) search: Search,
    files: ConfigFiles,
    secrets: BTreeMap<String, Result<String, String>>,
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

impl App<'_> {
    /// Builds a search from the accepted configuration.
    pub(crate) async fn prepare(&self, name: &str) -> Result<Result<Prepared, NotPolled>, PortError> {
        let Some(files) = self.configuration.accepted().await? else { return Ok(Err(NotPolled::NoConfiguration)) };
        let mut secrets = BTreeMap::new();
        let text = files.files.get(MAIN_FILE).map(String::as_str).unwrap_or_default();
        for secret in wanted(text, Wanting::Search(name)).secrets {
            let value = self.secrets.get(&format!("{}{secret}", self.secrets_prefix)).await;
            secrets.insert(secret, shown(value));
        }
        Ok(make(name, files, secrets))
    }

    /// Reads the secrets of a search again; `None` if they are unchanged, or none are used.
    pub(crate) async fn renew(&self, name: &str, old: &Prepared) -> Result<Option<Prepared>, PortError> {
        let mut secrets = BTreeMap::new();
        for secret in old.secrets.keys() {
            let value = self.secrets.refresh(&format!("{}{secret}", self.secrets_prefix)).await;
            secrets.insert(secret.clone(), shown(value));
        }
        if secrets == old.secrets {
            return Ok(None);
        }
        Ok(make(name, old.files.clone(), secrets).ok())
    }
}

/// The text of a secret, or why there is none.
fn shown(secret: Result<Secret, PortError>) -> Result<String, String> {
    secret.map(|secret| secret.reveal().to_owned()).map_err(|error| with_causes(&error))
}

fn make(
    name: &str,
    files: ConfigFiles,
    secrets: BTreeMap<String, Result<String, String>>,
) -> Result<Prepared, NotPolled> {
    let text = files.files.get(MAIN_FILE).map(String::as_str).unwrap_or_default();
    let fetched = Fetched { secrets: secrets.clone(), ..Fetched::files(files.files.clone()) };
    let config = parse_search(text, MAIN_FILE, name, &fetched)?.ok_or(NotPolled::NoSuchSearch)?;
    Ok(Prepared { search: config.search, files, secrets })
}
