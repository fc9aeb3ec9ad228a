use std::collections::HashSet;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use stoop_domain::Reject;
use stoop_pipeline::ports::{PortError, Quarantine};

use super::Objects;
use super::object::{Put, PutOutcome, When, key_part};
use crate::concurrently::concurrently;

/// Objects stored at once. An unreadable page has hundreds of rejects, each an object of its own, so that a reject that
/// is found again is stored once.
const AT_ONCE: usize = 16;

/// Attempts at a write that raced with another of the same reject.
const RACES_MAX: u32 = 3;

/// Rejects as `quarantine/<source>/<hash>.json`. The hash covers what makes two rejects the same
/// ([`Reject::identity`]).
#[derive(Clone, Debug)]
pub struct S3Quarantine {
    objects: Objects,
}

impl S3Quarantine {
    /// A quarantine in this bucket.
    #[must_use]
    pub fn new(client: Client, bucket: &str) -> Self {
        Self { objects: Objects::new(client, bucket) }
    }

    /// The key of a reject.
    ///
    /// # Errors
    ///
    /// Its source's name is empty or too long for a key.
    pub fn key(reject: &Reject) -> Result<String, PortError> {
        let mut hasher = blake3::Hasher::new();
        for part in reject.identity() {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
        Ok(format!("quarantine/{}/{}.json", key_part(&reject.source)?, hasher.finalize().to_hex()))
    }
}

/// The count of new rejects is exact, except for a write whose response was lost: the SDK's second attempt finds the
/// object of the first one and takes it for known.
#[async_trait]
impl Quarantine for S3Quarantine {
    async fn put(&self, rejects: &[Reject]) -> Result<usize, PortError> {
        let mut keys = HashSet::new();
        let mut writes = Vec::new();
        for reject in rejects {
            let key = Self::key(reject)?;
            if keys.insert(key.clone()) {
                let body =
                    serde_json::to_vec(reject).map_err(|error| PortError::refused(format!("write {key}"), error))?;
                writes.push(store_once(self.objects.clone(), key, body));
            }
        }
        let stored = concurrently(AT_ONCE, writes).await?;
        Ok(stored.into_iter().filter(|new| *new).count())
    }
}

/// Whether the object is new.
async fn store_once(objects: Objects, key: String, body: Vec<u8>) -> Result<bool, PortError> {
    let put = Put { key, body, content_type: "application/json", when: When::Absent, writer: None };
    for _ in 0..RACES_MAX {
        match objects.put(put.clone()).await? {
            PutOutcome::Yes(_) => return Ok(true),
            PutOutcome::No => return Ok(false),
            PutOutcome::Raced => {}
        }
    }
    let why = format!("another write to it was under way {RACES_MAX} times");
    Err(PortError::unavailable(format!("PutObject {}", objects.name(&put.key)), why))
}
