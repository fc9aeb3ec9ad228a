use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_sdk_s3::Client;
use stoop_domain::Time;
use stoop_pipeline::ports::{
    FailureKind, IndexChanges, IndexManifest, IndexOutline, IndexSave, ManifestOutline, PortError, SearchIndex,
    SearchState, SegmentName, SentElsewhere,
};
use stoop_pipeline::with_causes;

use super::Objects;
use super::object::{Got, ListedObject, Put, PutOutcome, When, key_part};
use crate::chance::random;
use crate::concurrently::concurrently;

const PREFIX: &str = "index/";
const SUFFIX: &str = ".json.zst";
const RULING: &str = ".ruling";
const CONTENT_TYPE: &str = "application/zstd";

/// A ruling is one line.
const RULING_BYTES_MAX: usize = 1 << 10;

/// An index grows with its search; a hundred thousand listings compress to some ten MB.
const INDEX_BYTES_MAX: usize = 128 << 20;
const SEARCHES_MAX: usize = 10_000;

/// Changes stay in the manifest up to about this size: a request costs more than the bytes.
const RECENT: RangeInclusive<u64> = 128 << 10..=128 << 10;

/// Far more than an index has, with those that were replaced.
const SEGMENTS_MAX: usize = 10_000;

/// Indexes of other searches that are read at once: each is unpacked in memory.
const AT_ONCE: usize = 4;

/// Segments of one index that are read at once.
const SEGMENTS_AT_ONCE: usize = 8;

/// Manifests that are kept in memory. A poll needs one.
const MANIFESTS_MAX: usize = 16;

/// What each search has seen: a manifest `index/<source>/<search>.json.zst`, so that the searches of one source are
/// listed without those of other sources, and segments `index/<source>/<search>/<number>-<writer>.json.zst` (ADR 0048).
///
/// A save stores a segment, if it needs a new one, and then the manifest that names it. The manifest is a conditional
/// write: `If-None-Match: *` for a search that was never saved, otherwise `If-Match` with the ETag of the loaded
/// version. Each write has a unique name, which is in the key of its segment, so two writers never share one. If the
/// response to a write of the manifest is lost, the SDK sends it again and S3 refuses it because of the first attempt.
/// So the name is in the manifest's metadata, and a refused writer checks whether it is its own.
///
/// A person's ruling on a loss is `index/<source>/<search>.ruling`, and only read.
#[derive(Debug)]
pub struct S3Index {
    objects: Objects,
    /// The name of this writer, and its number of writes.
    writer: String,
    writes: AtomicU64,
    memory: Mutex<IndexCache>,
}

/// Cached answers of S3. All of them are checked by a condition.
#[derive(Debug, Default)]
struct IndexCache {
    /// The manifest with which an index was last loaded or saved here, and its ETag, by key.
    manifests: HashMap<String, (Arc<IndexManifest>, String)>,
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
            memory: Mutex::new(IndexCache::default()),
        }
    }

    /// The key of the manifest of a search's index.
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

    fn memory(&self) -> MutexGuard<'_, IndexCache> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remember(&self, key: &str, manifest: Arc<IndexManifest>, etag: String) {
        let manifests = &mut self.memory().manifests;
        if manifests.len() >= MANIFESTS_MAX && !manifests.contains_key(key) {
            manifests.clear();
        }
        manifests.insert(key.to_owned(), (manifest, etag));
    }

    /// The stored manifest and its ETag.
    async fn manifest(&self, key: &str) -> Result<Option<(Arc<IndexManifest>, String)>, PortError> {
        let Got::Object { etag, body } = self.objects.get(key, None, INDEX_BYTES_MAX).await? else { return Ok(None) };
        let manifest = IndexManifest::decode(&body).map_err(unreadable(&self.objects, key))?;
        Ok(Some((Arc::new(manifest), etag)))
    }

    /// The manifest of a state that was loaded as `version`, and the condition for replacing it; `None` if it is known
    /// to be outdated.
    async fn loaded(&self, key: &str, version: u64) -> Result<Option<(Arc<IndexManifest>, When)>, PortError> {
        if version == 0 {
            return Ok(Some((Arc::default(), When::Absent)));
        }
        let known = self.memory().manifests.get(key).filter(|(known, _)| known.version() == version).cloned();
        let found = match known {
            Some(known) => Some(known),
            // Loaded by another process, or outdated by this one.
            None => self.manifest(key).await?.filter(|(stored, _)| stored.version() == version),
        };
        Ok(found.map(|(manifest, etag)| (manifest, When::Etag(etag))))
    }

    /// Deletes segments that are no longer used. A failure is only logged: the next save that merges segments deletes
    /// them.
    async fn delete_segments(&self, key: &str, before: u64) {
        let delete = async || {
            let mut keys = self.objects.list(&segments_prefix(key), false, SEGMENTS_MAX).await?;
            // Numbers have leading zeros, so their order is that of the keys.
            let first_used = format!("{}{before:020}", segments_prefix(key));
            keys.retain(|object| object.key < first_used);
            self.objects.delete(keys.into_iter().map(|object| object.key).collect()).await
        };
        if let Err(error) = delete().await {
            tracing::warn!(key, error = with_causes(&error), "unused segments of an index could not be deleted");
        }
    }

    /// What the other searches of a source have seen.
    async fn others(&self, search: &str, source: &str) -> Result<Vec<Arc<IndexOutline>>, PortError> {
        let (prefix, own) = (prefix(source)?, Self::key(source, search)?);
        let mut listed = self.objects.list(&prefix, true, SEARCHES_MAX).await?;
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

/// What the keys of the segments of an index begin with. `key` is that of its manifest.
fn segments_prefix(key: &str) -> String {
    format!("{}/", key.strip_suffix(SUFFIX).unwrap_or(key))
}

fn segment_key(key: &str, name: &str) -> String {
    format!("{}{name}{SUFFIX}", segments_prefix(key))
}

fn unreadable(objects: &Objects, key: &str) -> impl FnOnce(std::io::Error) -> PortError {
    let what = format!("read {}", objects.name(key));
    move |error| PortError::damaged(what, error)
}

/// The bytes of the segments of an index, in order.
async fn read_segments(objects: &Objects, key: &str, names: &[SegmentName]) -> Result<Vec<Vec<u8>>, PortError> {
    let keys: Vec<String> = names.iter().map(|name| segment_key(key, &name.to_string())).collect();
    concurrently(SEGMENTS_AT_ONCE, keys.into_iter().map(|key| read_segment(objects.clone(), key))).await
}

async fn read_segment(objects: Objects, key: String) -> Result<Vec<u8>, PortError> {
    match objects.get(&key, None, INDEX_BYTES_MAX).await? {
        Got::Object { body, .. } => Ok(body),
        Got::Missing | Got::Unchanged => Err(PortError::new(
            FailureKind::NotFound,
            format!("read {}", objects.name(&key)),
            "this segment of an index is missing",
        )),
    }
}

/// `None` if the index was deleted after it was listed.
async fn read_other(
    objects: Objects,
    object: ListedObject,
    known: Option<Arc<IndexOutline>>,
) -> Result<Option<(String, String, Arc<IndexOutline>)>, PortError> {
    let ListedObject { key, etag } = object;
    if let Some(seen) = known {
        return Ok(Some((key, etag, seen)));
    }
    let Got::Object { etag, body } = objects.get(&key, None, INDEX_BYTES_MAX).await? else { return Ok(None) };
    let manifest = ManifestOutline::decode(&body).map_err(unreadable(&objects, &key))?;
    let segments = read_segments(&objects, &key, manifest.segments()).await?;
    let seen = manifest.whole(segments.iter().map(Vec::as_slice)).map_err(unreadable(&objects, &key))?;
    Ok(Some((key, etag, Arc::new(seen))))
}

#[async_trait]
impl SearchIndex for S3Index {
    async fn load(&self, search: &str, source: &str) -> Result<SearchState, PortError> {
        let key = Self::key(source, search)?;
        let Some((manifest, etag)) = self.manifest(&key).await? else { return Ok(SearchState::default()) };
        let segments = read_segments(&self.objects, &key, manifest.segments()).await?;
        let state = manifest.whole(segments.iter().map(Vec::as_slice)).map_err(unreadable(&self.objects, &key))?;
        self.remember(&key, manifest, etag);
        Ok(state)
    }

    async fn save(&self, search: &str, state: &SearchState, changes: &IndexChanges) -> Result<bool, PortError> {
        let key = Self::key(&state.source, search)?;
        let Some((before, when)) = self.loaded(&key, state.version).await? else { return Ok(false) };
        let unwritable = |error| PortError::refused(format!("write {}", self.objects.name(&key)), error);
        let writer = format!("{}-{}", self.writer, self.writes.fetch_add(1, Ordering::Relaxed));
        let save = before.next(state, changes, writer.clone(), &RECENT).map_err(unwritable)?;
        let IndexSave { manifest, segment, unused_before } = save;
        if let Some((name, body)) = segment {
            let key = segment_key(&key, &name.to_string());
            self.objects.store(key, body, CONTENT_TYPE).await?;
        }
        let body = manifest.encode().map_err(unwritable)?;
        let put = Put { key: key.clone(), body, content_type: CONTENT_TYPE, when, writer: Some(writer.clone()) };
        let etag = match self.objects.put(put).await? {
            PutOutcome::Yes(etag) => Some(etag),
            PutOutcome::No | PutOutcome::Raced => {
                let head = self.objects.head(&key).await?;
                head.filter(|head| head.writer.as_ref() == Some(&writer)).map(|head| head.etag)
            }
        };
        let Some(etag) = etag else { return Ok(false) };
        self.remember(&key, Arc::new(manifest), etag);
        if let Some(before) = unused_before {
            self.delete_segments(&key, before).await;
        }
        Ok(true)
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

    async fn sent_elsewhere(&self, search: &str, source: &str) -> Result<SentElsewhere, PortError> {
        Ok(SentElsewhere::of(self.others(search, source).await?))
    }

    async fn ruling(&self, search: &str, source: &str) -> Result<Option<String>, PortError> {
        let key = Self::ruling_key(source, search)?;
        match self.objects.get(&key, None, RULING_BYTES_MAX).await? {
            Got::Object { body, .. } => Ok(Some(String::from_utf8_lossy(&body).into_owned())),
            Got::Missing | Got::Unchanged => Ok(None),
        }
    }
}
