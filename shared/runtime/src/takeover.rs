use stoop_pipeline::ports::{ConfigFiles, Configuration, PortError};
use stoop_sources::settings::MapErrors;

use crate::config::{Fetched, PlanConfig, parse_plan};

/// The main file of a configuration.
pub const MAIN_FILE: &str = "stoop.toml";

/// The accepted configuration, as far as the planner needs it.
#[derive(Default)]
pub struct Takeover {
    accepted: Option<(ConfigFiles, PlanConfig)>,
}

/// Why an upload is not accepted; the stack keeps the accepted configuration.
#[derive(Debug, thiserror::Error)]
pub enum TakeoverError {
    /// There are files, but none of this name.
    #[error("there is no {MAIN_FILE} among the uploaded files: {0}")]
    NoMainFile(String),
    /// All its mistakes.
    #[error(transparent)]
    Mistakes(MapErrors),
}

impl Takeover {
    /// Checks the upload. If it is new and has no mistake, it is accepted and applies to every function at once;
    /// otherwise the accepted one stays. Returns why an upload was refused.
    ///
    /// # Errors
    ///
    /// The configuration cannot be read or written.
    pub async fn check(&mut self, port: &dyn Configuration) -> Result<Option<TakeoverError>, PortError> {
        let fingerprint = port.fingerprint().await?;
        if self.accepted.is_none() {
            // Another execution environment, even an older program, may have accepted it: it is checked again.
            let accepted = port.accepted().await?;
            self.accepted =
                accepted.and_then(|files| Some((check(&files).ok()?, files))).map(|(plan, files)| (files, plan));
        }
        let known = self.accepted.as_ref().map(|(files, _)| &files.fingerprint);
        if fingerprint.is_none() || known == fingerprint.as_ref() {
            return Ok(None);
        }
        let files = port.uploaded().await?;
        let plan = match check(&files) {
            Ok(plan) => plan,
            Err(refused) => return Ok(Some(refused)),
        };
        port.accept(&files).await?;
        tracing::info!(fingerprint = files.fingerprint, searches = plan.searches.len(), "a configuration is accepted");
        self.accepted = Some((files, plan));
        Ok(None)
    }

    /// The current plan; `None` if nothing was ever accepted.
    #[must_use]
    pub fn plan(&self) -> Option<&PlanConfig> {
        self.accepted.as_ref().map(|(_, plan)| plan)
    }
}

fn check(files: &ConfigFiles) -> Result<PlanConfig, TakeoverError> {
    let Some(text) = files.files.get(MAIN_FILE) else {
        return Err(TakeoverError::NoMainFile(files.files.keys().cloned().collect::<Vec<_>>().join(", ")));
    };
    parse_plan(text, MAIN_FILE, &Fetched::files(files.files.clone())).map_err(TakeoverError::Mistakes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;

    /// A folder of uploaded files.
    #[derive(Default)]
    struct Folder {
        uploaded: Mutex<BTreeMap<String, String>>,
        accepted: Mutex<Option<ConfigFiles>>,
    }

    impl Folder {
        fn upload(&self, name: &str, text: &str) {
            self.uploaded.lock().unwrap().insert(name.to_owned(), text.to_owned());
        }
    }

    #[async_trait]
    impl Configuration for Folder {
        async fn fingerprint(&self) -> Result<Option<String>, PortError> {
            let uploaded = self.uploaded.lock().unwrap();
            Ok((!uploaded.is_empty()).then(|| format!("{uploaded:?}")))
        }

        async fn uploaded(&self) -> Result<ConfigFiles, PortError> {
            let files = self.uploaded.lock().unwrap().clone();
            Ok(ConfigFiles { fingerprint: format!("{files:?}"), files })
        }

        async fn accepted(&self) -> Result<Option<ConfigFiles>, PortError> {
            Ok(self.accepted.lock().unwrap().clone())
        }

        async fn accept(&self, files: &ConfigFiles) -> Result<(), PortError> {
            *self.accepted.lock().unwrap() = Some(files.clone());
            Ok(())
        }
    }

    const GOOD: &str = "[[search]]\nname = 'seattle'\nsource = 'reso'\nparams = { url = 'https://x.example/odata', \
                        token = { secret = 'mls' } }\n";

    fn names(takeover: &Takeover) -> Vec<String> {
        takeover.plan().map(|plan| plan.searches.iter().map(|search| search.name.clone()).collect()).unwrap_or_default()
    }

    #[tokio::test]
    async fn an_upload_without_mistakes_is_accepted() {
        let folder = Folder::default();
        let mut takeover = Takeover::default();
        assert!(takeover.check(&folder).await.unwrap().is_none());
        assert!(takeover.plan().is_none(), "nothing is uploaded yet");
        folder.upload("maps/x.toml", "");
        assert!(matches!(takeover.check(&folder).await.unwrap(), Some(TakeoverError::NoMainFile(_))));
        folder.upload(MAIN_FILE, GOOD);
        assert!(takeover.check(&folder).await.unwrap().is_none());
        assert_eq!(names(&takeover), ["seattle"]);
    }

    #[tokio::test]
    async fn a_mistake_keeps_the_last_accepted_one_in_a_new_environment_too() {
        let folder = Folder::default();
        folder.upload(MAIN_FILE, GOOD);
        assert!(Takeover::default().check(&folder).await.unwrap().is_none());
        folder.upload(MAIN_FILE, &GOOD.replace("reso", "nowhere"));
        let mut takeover = Takeover::default();
        for _ in 0..2 {
            let refused = takeover.check(&folder).await.unwrap().expect("reported at each tick");
            assert!(refused.to_string().contains("nowhere"), "{refused}");
            assert_eq!(names(&takeover), ["seattle"]);
        }
        folder.upload(MAIN_FILE, &GOOD.replace("seattle", "tacoma"));
        assert!(takeover.check(&folder).await.unwrap().is_none());
        assert_eq!(names(&takeover), ["tacoma"]);
    }
}
