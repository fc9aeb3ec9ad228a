use std::collections::BTreeMap;

use async_trait::async_trait;
use stoop_aws::{Secret, Secrets};
use stoop_pipeline::ports::{ConfigFiles, PortError};
use stoop_pipeline::{NotPolled, PreparedSearch, Search, Searches, with_causes};
use stoop_runtime::{Fetched, MAIN_FILE, Wanting, parse_search, wanted};

use crate::PollerHandler;

/// A search of the accepted configuration, with the secrets it was built with.
struct Prepared<'a> {
    store: SecretStore<'a>,
    search: Search,
    files: ConfigFiles,
    secrets: BTreeMap<String, Result<String, String>>,
}

/// The stack's secrets.
#[derive(Clone, Copy)]
struct SecretStore<'a> {
    secrets: &'a Secrets,
    prefix: &'a str,
}

#[async_trait]
impl Searches for PollerHandler<'_> {
    async fn prepare(&self, name: &str) -> Result<Result<Box<dyn PreparedSearch + '_>, NotPolled>, PortError> {
        let Some(files) = self.configuration.accepted().await? else { return Ok(Err(NotPolled::NoConfiguration)) };
        let store = SecretStore { secrets: self.secrets, prefix: self.secrets_prefix };
        let mut secrets = BTreeMap::new();
        let text = files.files.get(MAIN_FILE).map(String::as_str).unwrap_or_default();
        for secret in wanted(text, Wanting::Search(name)).secrets {
            let value = store.secrets.get(&store.id(&secret)).await;
            secrets.insert(secret, shown(value));
        }
        Ok(match Prepared::new(store, name, files, secrets) {
            Ok(prepared) => Ok(Box::new(prepared)),
            Err(why) => Err(why),
        })
    }
}

#[async_trait]
impl PreparedSearch for Prepared<'_> {
    fn search(&self) -> &Search {
        &self.search
    }

    async fn renew(&self) -> Result<Option<Box<dyn PreparedSearch + '_>>, PortError> {
        let mut secrets = BTreeMap::new();
        for secret in self.secrets.keys() {
            let value = self.store.secrets.refresh(&self.store.id(secret)).await;
            secrets.insert(secret.clone(), shown(value));
        }
        if secrets == self.secrets {
            return Ok(None);
        }
        let Ok(renewed) = Self::new(self.store, &self.search.name, self.files.clone(), secrets) else {
            return Ok(None);
        };
        Ok(Some(Box::new(renewed)))
    }
}

impl<'a> Prepared<'a> {
    fn new(
        store: SecretStore<'a>,
        name: &str,
        files: ConfigFiles,
        secrets: BTreeMap<String, Result<String, String>>,
    ) -> Result<Self, NotPolled> {
        let text = files.files.get(MAIN_FILE).map(String::as_str).unwrap_or_default();
        let fetched = Fetched { secrets: secrets.clone(), ..Fetched::files(files.files.clone()) };
        let config = parse_search(text, MAIN_FILE, name, &fetched)?.ok_or(NotPolled::NoSuchSearch)?;
        Ok(Self { store, search: config.search, files, secrets })
    }
}

impl SecretStore<'_> {
    /// The name of a secret of the configuration in Secrets Manager.
    fn id(&self, secret: &str) -> String {
        format!("{}{secret}", self.prefix)
    }
}

/// The text of a secret, or why there is none.
fn shown(secret: Result<Secret, PortError>) -> Result<String, String> {
    secret.map(|secret| secret.reveal().to_owned()).map_err(|error| with_causes(&error))
}
