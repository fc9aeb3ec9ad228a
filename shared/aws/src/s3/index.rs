use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use serde::de::DeserializeOwned;
use stoop_domain::Time;
use stoop_pipeline::ports::{IndexOutline, PortError, SearchIndex, SearchState, Sent};

use super::Objects;
use super::object::{Got, Listed, Put, Stored, When, key_part};
use crate::chance::random;
use crate::concurrently::concurrently;

const PREFIX: &str = "index/";
const SUFFIX: &str = ".json.zst";
const RULING: &str = ".ruling";

/// A ruling is one line.
const RULING_BYTES_MAX: usize = 1 << 10;

/// An index grows with its search; a hundred thousand listings compress to some ten MB.
const INDEX_BYTES_MAX: usize = 128 << 20;
const SEARCHES_MAX: usize = 10_000;

/// Indexes of other searches that are read at once: each is unpacked in memory.
const AT_ONCE: usize = 4;

const LEVEL: i32 = 1;

/// What each search has seen, as `index/<source>/<search>.json.zst`: the searches of one source are listed without
/// those of other sources.
///
/// A save is a conditional write: `If-None-Match: *` for a search that was never saved, otherwise `If-Match` with the
/// ETag of the loaded version. A person's ruling on a loss is `index/<source>/<search>.ruling`, and only read. If the
/// response to a write is lost, the SDK sends it again and S3 refuses it because of the first attempt. So each write
/// puts a unique name into the object's metadata, and a refused writer checks whether that name is its own.
#[derive(Debug)]
pub struct S3Index {
    objects: Objects,
    /// The name of this writer, and its number of writes.
    writer: String,
    writes: AtomicU64,
    memory: Mutex<Memory>,
}

/// Cached answers of S3. All of them are checked by a condition.
#[derive(Debug, Default)]
struct Memory {
    /// The version and the ETag with which an index was last loaded or saved here, by key.
    versions: HashMap<String, (u64, String)>,
    /// What other searches have seen, by key.
    others: HashMap<String, (String, Arc<IndexOutline>)>,
}

impl S3Index {
    /// An index in this bucket.
    #[must_use]
    pub fn new(client: Client, bucket: &str) -> Self {
        let writer = format!("{:016x}{:016x}", random(), random());
        Self {
            objects: Objects::new(client, bucket),
            writer,
            writes: AtomicU64::new(0),
            memory: Mutex::new(Memory::default()),
        }
    }

    /// The key of a search's index.
    ///
    /// # Errors
    ///
    /// A name is empty or too long for a key.
    pub fn key(source: &str, search: &str) -> Result<String, PortError> {
        Ok(format!("{}{}{SUFFIX}", prefix(source)?, key_part(search)?))
    }

    /// The key of a person's ruling on a loss of a search, next to its index.
    ///
    /// # Errors
    ///
    /// A name is empty or too long for a key.
    pub fn ruling_key(source: &str, search: &str) -> Result<String, PortError> {
        Ok(format!("{}{}{RULING}", prefix(source)?, key_part(search)?))
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, key: &str, version: u64, etag: String) {
        self.memory().versions.insert(key.to_owned(), (version, etag));
    }

    /// The condition for storing a state that was loaded as `version`; `None` if it is known to be outdated.
    async fn condition(&self, key: &str, version: u64) -> Result<Option<When>, PortError> {
        if version == 0 {
            return Ok(Some(When::Absent));
        }
        let known = self.memory().versions.get(key).filter(|(known, _)| *known == version).cloned();
        if let Some((_, etag)) = known {
            return Ok(Some(When::Etag(etag)));
        }
        // Loaded by another process, or outdated by this one.
        let head = self.objects.head(key).await?.filter(|head| head.version == Some(version));
        Ok(head.map(|head| When::Etag(head.etag)))
    }

    /// What the other searches of a source have seen.
    async fn others(&self, search: &str, source: &str) -> Result<Vec<Arc<IndexOutline>>, PortError> {
        let (prefix, own) = (prefix(source)?, Self::key(source, search)?);
        let mut listed = self.objects.list(&prefix, SEARCHES_MAX).await?;
        listed.retain(|object| object.key != own && object.key.ends_with(SUFFIX));
        let known: HashMap<_, _> = self.memory().others.extract_if(|key, _| key.starts_with(&prefix)).collect();
        let reads = listed.into_iter().map(|object| {
            let known = known.get(&object.key).filter(|(etag, _)| *etag == object.etag).map(|(_, seen)| seen.clone());
            read_other(self.objects.clone(), object, known)
        });
        let others: Vec<_> = concurrently(AT_ONCE, reads).await?.into_iter().flatten().collect();
        let of_source = others.iter().map(|(.., seen)| seen.clone()).collect();
        self.memory().others.extend(others.into_iter().map(|(key, etag, seen)| (key, (etag, seen))));
        Ok(of_source)
    }
}

fn prefix(source: &str) -> Result<String, PortError> {
    Ok(format!("{PREFIX}{}/", key_part(source)?))
}

/// `None` if the index was deleted after it was listed.
async fn read_other(
    objects: Objects,
    object: Listed,
    known: Option<Arc<IndexOutline>>,
) -> Result<Option<(String, String, Arc<IndexOutline>)>, PortError> {
    let Listed { key, etag } = object;
    if let Some(seen) = known {
        return Ok(Some((key, etag, seen)));
    }
    match objects.get(&key, None, INDEX_BYTES_MAX).await? {
        Got::Object { etag, body } => {
            let seen = unpack(&body).map_err(|error| PortError::new(format!("read {}", objects.name(&key)), error))?;
            Ok(Some((key, etag, Arc::new(seen))))
        }
        Got::Missing | Got::Unchanged => Ok(None),
    }
}

fn unpack<T: DeserializeOwned>(body: &[u8]) -> Result<T, std::io::Error> {
    Ok(serde_json::from_slice(&zstd::decode_all(body)?)?)
}

fn pack(state: &SearchState) -> Result<Vec<u8>, std::io::Error> {
    zstd::encode_all(serde_json::to_vec(state)?.as_slice(), LEVEL)
}

#[async_trait]
impl SearchIndex for S3Index {
    async fn load(&self, search: &str, source: &str) -> Result<SearchState, PortError> {
        let key = Self::key(source, search)?;
        match self.objects.get(&key, None, INDEX_BYTES_MAX).await? {
            Got::Missing | Got::Unchanged => Ok(SearchState::default()),
            Got::Object { etag, body } => {
                let unreadable = |error| PortError::new(format!("read {}", self.objects.name(&key)), error);
                let state: SearchState = unpack(&body).map_err(unreadable)?;
                self.remember(&key, state.version, etag);
                Ok(state)
            }
        }
    }

    async fn save(&self, search: &str, state: &SearchState) -> Result<bool, PortError> {
        let key = Self::key(&state.source, search)?;
        let Some(when) = self.condition(&key, state.version).await? else { return Ok(false) };
        let version = state.version + 1;
        let body = pack(&SearchState { version, ..state.clone() });
        let body = body.map_err(|error| PortError::new(format!("write {}", self.objects.name(&key)), error))?;
        let writer = format!("{}-{}", self.writer, self.writes.fetch_add(1, Ordering::Relaxed));
        let signed = Some((version, writer.clone()));
        let put = Put { key: key.clone(), body, content_type: "application/zstd", when, signed };
        let etag = match self.objects.put(put).await? {
            Stored::Yes(etag) => Some(etag),
            Stored::No | Stored::Raced => {
                let head = self.objects.head(&key).await?;
                head.filter(|head| head.writer.as_ref() == Some(&writer)).map(|head| head.etag)
            }
        };
        match etag {
            Some(etag) => {
                self.remember(&key, version, etag);
                Ok(true)
            }
            None => Ok(false),
        }
    }

    async fn held_elsewhere(
        &self,
        search: &str,
        source: &str,
        native_ids: &[String],
    ) -> Result<Vec<Option<Time>>, PortError> {
        let others = self.others(search, source).await?;
        Ok(native_ids.iter().map(|id| others.iter().filter_map(|outline| outline.holds(id)).max()).collect())
    }

    async fn sent_elsewhere(&self, search: &str, source: &str) -> Result<HashMap<String, Sent>, PortError> {
        let others = self.others(search, source).await?;
        Ok(IndexOutline::latest(others.iter().map(Arc::as_ref)))
    }

    async fn ruling(&self, search: &str, source: &str) -> Result<Option<String>, PortError> {
        let key = Self::ruling_key(source, search)?;
        match self.objects.get(&key, None, RULING_BYTES_MAX).await? {
            Got::Object { body, .. } => Ok(Some(String::from_utf8_lossy(&body).into_owned())),
            Got::Missing | Got::Unchanged => Ok(None),
        }
    }
}
