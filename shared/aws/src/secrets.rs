use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_secretsmanager::Client;
use serde_json::Value;
use stoop_domain::Time;
use stoop_pipeline::ports::PortError;
use stoop_pipeline::{Clock, with_causes};

use crate::error::failed;

/// How long a secret is used before it is read again.
const TTL_MS: i64 = 5 * 60 * Time::SECOND_MS;

/// How long an old secret is used while Secrets Manager does not respond. Longer would accept a withdrawn secret for
/// too long.
const STALE_MAX_MS: i64 = Time::HOUR_MS;

/// The least time between reads of [`Secrets::refresh`]: wrong tokens must not cause a read each.
const REFRESH_EVERY_MS: i64 = 30 * Time::SECOND_MS;

/// A secret's text. Only [`Secret::reveal`] shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(Arc<str>);

impl Secret {
    /// The text itself. Do not log it.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Reads secrets from Secrets Manager and caches them for five minutes.
///
/// A secret is identified by its name or ARN (in another account, by its ARN). If it is a JSON object, as the console
/// makes them, `#` and a key follow: `arn:aws:secretsmanager:...:stoop-zillow-AbCdEf#key`.
pub struct Secrets {
    client: Client,
    clock: Arc<dyn Clock>,
    known: Mutex<HashMap<String, CachedSecret>>,
}

#[derive(Clone)]
struct CachedSecret {
    text: Arc<str>,
    read_at: Time,
}

impl Secrets {
    /// Secrets read with this client.
    #[must_use]
    pub fn new(client: Client, clock: Arc<dyn Clock>) -> Self {
        Self { client, clock, known: Mutex::default() }
    }

    /// A secret, at most five minutes old; up to an hour if Secrets Manager does not respond.
    ///
    /// # Errors
    ///
    /// It cannot be read, is not text, or lacks the key. The message has the secret's name, never its text.
    pub async fn get(&self, name: &str) -> Result<Secret, PortError> {
        self.read(name, TTL_MS).await
    }

    /// The current secret: for when the cached one is refused or does not match, as after a rotation. Reads at most
    /// every 30 seconds.
    ///
    /// # Errors
    ///
    /// As for [`Secrets::get`].
    pub async fn refresh(&self, name: &str) -> Result<Secret, PortError> {
        self.read(name, REFRESH_EVERY_MS).await
    }

    async fn read(&self, name: &str, good_for_ms: i64) -> Result<Secret, PortError> {
        let (id, key) = match name.split_once('#') {
            Some((id, key)) => (id, Some(key)),
            None => (name, None),
        };
        let now = self.clock.now();
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner).get(id).cloned();
        let age_ms = |known: &CachedSecret| now.ms() - known.read_at.ms();
        let text = match known {
            Some(known) if age_ms(&known) < good_for_ms => known.text,
            known => match self.fetch(id).await {
                Ok(text) => {
                    let fresh = CachedSecret { text: text.clone(), read_at: now };
                    self.known.lock().unwrap_or_else(PoisonError::into_inner).insert(id.to_owned(), fresh);
                    text
                }
                Err(error) => match known.filter(|known| age_ms(known) < STALE_MAX_MS) {
                    Some(known) => {
                        let kind = error.kind().as_str();
                        tracing::warn!(
                            error = with_causes(&error),
                            kind,
                            "the cached value of the secret stays in use"
                        );
                        known.text
                    }
                    None => return Err(error),
                },
            },
        };
        match key {
            None => Ok(Secret(text)),
            Some(key) => member(&text, key).map(Secret).map_err(|why| PortError::refused(what(id), why)),
        }
    }

    async fn fetch(&self, id: &str) -> Result<Arc<str>, PortError> {
        let answer = self.client.get_secret_value().secret_id(id).send().await.map_err(failed(|| what(id)))?;
        match answer.secret_string() {
            Some(text) => Ok(text.into()),
            None => Err(PortError::refused(what(id), "it is binary; accepted: a text")),
        }
    }
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

fn what(id: &str) -> String {
    format!("GetSecretValue {id}")
}

/// A member of a secret that is a JSON object. An error does not show the text.
fn member(text: &str, key: &str) -> Result<Arc<str>, String> {
    let accepted = format!("accepted: a JSON object with a text as {key:?}");
    let Ok(Value::Object(members)) = serde_json::from_str(text) else {
        return Err(format!("it is not a JSON object; {accepted}"));
    };
    match members.get(key) {
        Some(Value::String(text)) => Ok(text.as_str().into()),
        Some(_) => Err(format!("{key:?} is not a text in it; {accepted}")),
        None => Err(format!("it has no {key:?}; {accepted}")),
    }
}
