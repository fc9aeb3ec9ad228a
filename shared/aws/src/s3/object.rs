use aws_sdk_s3::Client;
use aws_sdk_s3::error::{BuildError, ProvideErrorMetadata};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{Delete as Deletion, ObjectIdentifier};
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use stoop_domain::Time;
use stoop_pipeline::ports::{FailureKind, PortError};

use crate::error::failed;
use crate::failure::of_code;

/// The longest part of a key that is made from a name, in bytes; a whole key may have 1,024.
const PART_BYTES_MAX: usize = 400;

/// The metadata of an object that names its writer.
const WRITER: &str = "stoop-writer";

/// Objects that one request can delete.
const DELETED_AT_ONCE: usize = 1_000;

/// A bucket, with the operations that the ports need.
#[derive(Clone, Debug)]
pub(crate) struct Objects {
    client: Client,
    bucket: String,
}

/// The stored object, for conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ObjectHead {
    pub(super) etag: String,
    /// The writer that [`Put::writer`] stored with it.
    pub(super) writer: Option<String>,
}

/// The result of a read.
#[derive(Debug)]
pub(crate) enum Got {
    /// There is no such object.
    Missing,
    /// It still has the given ETag.
    Unchanged,
    /// The stored object.
    Object { etag: String, body: Vec<u8> },
}

/// One object in a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ListedObject {
    pub(crate) key: String,
    pub(crate) etag: String,
}

/// The condition for storing an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum When {
    /// No condition: overwrites.
    Always,
    /// There is no object with this key.
    Absent,
    /// The stored object has this ETag.
    Etag(String),
}

/// An object to store.
#[derive(Clone, Debug)]
pub(crate) struct Put {
    pub(crate) key: String,
    pub(crate) body: Vec<u8>,
    pub(crate) content_type: &'static str,
    pub(crate) when: When,
    /// A unique name of this write, stored with it.
    pub(crate) writer: Option<String>,
}

/// The outcome of a conditional write.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PutOutcome {
    /// It is stored, with this ETag.
    Yes(String),
    /// The condition does not hold (412, or 404 where an object was expected).
    No,
    /// Another write to the same key was in progress (409); the outcome is unknown.
    Raced,
}

impl Objects {
    pub(crate) fn new(client: Client, bucket: &str) -> Self {
        Self { client, bucket: bucket.to_owned() }
    }

    /// `s3://bucket/key`, for messages.
    pub(crate) fn name(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.bucket)
    }

    /// Reads an object of at most `bytes_max` bytes, unless it still has a known ETag.
    pub(crate) async fn get(&self, key: &str, known: Option<&str>, bytes_max: usize) -> Result<Got, PortError> {
        let what = || format!("GetObject {}", self.name(key));
        let request =
            self.client.get_object().bucket(&self.bucket).key(key).set_if_none_match(known.map(str::to_owned));
        let object = match request.send().await {
            Ok(object) => object,
            Err(error) => match status(&error) {
                Some(304) => return Ok(Got::Unchanged),
                Some(404) if is_no_such_key(&error) => return Ok(Got::Missing),
                Some(403) if self.is_absent(key).await => return Ok(Got::Missing),
                _ => return Err(failed(what)(error)),
            },
        };
        let bytes = object.content_length().and_then(|bytes| usize::try_from(bytes).ok()).unwrap_or(usize::MAX);
        if bytes > bytes_max {
            return Err(PortError::refused(what(), format!("it has {bytes} bytes; accepted: at most {bytes_max}")));
        }
        let etag = object.e_tag().unwrap_or_default().to_owned();
        let body = object.body.collect().await.map_err(|error| PortError::unavailable(what(), error))?;
        Ok(Got::Object { etag, body: body.to_vec() })
    }

    /// The first bytes of an object, at most `bytes_max`; `None` if there is no such object.
    pub(crate) async fn beginning(&self, key: &str, bytes_max: u64) -> Result<Option<Vec<u8>>, PortError> {
        let what = || format!("GetObject {} up to {bytes_max}", self.name(key));
        let range = format!("bytes=0-{}", bytes_max.saturating_sub(1));
        let object = match self.client.get_object().bucket(&self.bucket).key(key).range(range).send().await {
            Ok(object) => object,
            Err(error) => match status(&error) {
                Some(404) if is_no_such_key(&error) => return Ok(None),
                Some(403) if self.is_absent(key).await => return Ok(None),
                _ => return Err(failed(what)(error)),
            },
        };
        let body = object.body.collect().await.map_err(|error| PortError::unavailable(what(), error))?;
        Ok(Some(body.to_vec()))
    }

    /// The metadata of an object; `None` if there is none.
    pub(super) async fn head(&self, key: &str) -> Result<Option<ObjectHead>, PortError> {
        match self.client.head_object().bucket(&self.bucket).key(key).send().await {
            Ok(head) => {
                let writer = head.metadata().and_then(|metadata| metadata.get(WRITER)).cloned();
                Ok(Some(ObjectHead { etag: head.e_tag().unwrap_or_default().to_owned(), writer }))
            }
            // The response to HEAD has no body, so a missing bucket looks like a missing object.
            Err(error) if status(&error) == Some(404) => Ok(None),
            Err(error) if status(&error) == Some(403) && self.is_absent(key).await => Ok(None),
            Err(error) => Err(failed(|| format!("HeadObject {}", self.name(key)))(error)),
        }
    }

    /// Whether a read was refused (403) because the object is missing, not because of permissions.
    ///
    /// S3 returns 404 only to clients that may list the key. The documentation does not say whether permission to list
    /// some prefixes is enough, but such a permission allows a listing of the key itself, so this asks for one. If that
    /// is refused as well, nothing is known and the refusal stands: a forbidden bucket is not an empty one.
    async fn is_absent(&self, key: &str) -> bool {
        let listed = self.client.list_objects_v2().bucket(&self.bucket).prefix(key).max_keys(1).send().await;
        // The key itself sorts first among the keys that begin with it.
        listed.is_ok_and(|listed| listed.contents().first().and_then(|object| object.key()) != Some(key))
    }

    /// Stores an object.
    pub(crate) async fn put(&self, put: Put) -> Result<PutOutcome, PortError> {
        let Put { key, body, content_type, when, writer } = put;
        let mut request = self.client.put_object().bucket(&self.bucket).key(&key).content_type(content_type);
        match &when {
            When::Always => {}
            When::Absent => request = request.if_none_match("*"),
            When::Etag(etag) => request = request.if_match(etag),
        }
        if let Some(writer) = writer {
            request = request.metadata(WRITER, writer);
        }
        match request.body(ByteStream::from(body)).send().await {
            Ok(stored) => Ok(PutOutcome::Yes(stored.e_tag().unwrap_or_default().to_owned())),
            Err(error) => match status(&error) {
                Some(412) if when != When::Always => Ok(PutOutcome::No),
                Some(409) if when != When::Always => Ok(PutOutcome::Raced),
                Some(404) if is_no_such_key(&error) && matches!(when, When::Etag(_)) => Ok(PutOutcome::No),
                Some(403) if matches!(when, When::Etag(_)) && self.is_absent(&key).await => Ok(PutOutcome::No),
                _ => Err(failed(|| format!("PutObject {}", self.name(&key)))(error)),
            },
        }
    }

    /// Stores an object, overwriting an existing one.
    pub(crate) async fn store(&self, key: String, body: Vec<u8>, content_type: &'static str) -> Result<(), PortError> {
        self.put(Put { key, body, content_type, when: When::Always, writer: None }).await.map(|_| ())
    }

    /// Deletes objects. Those that do not exist are no error.
    pub(super) async fn delete(&self, keys: Vec<String>) -> Result<(), PortError> {
        for keys in keys.chunks(DELETED_AT_ONCE) {
            let what = || format!("DeleteObjects {} and {} more", self.name(&keys[0]), keys.len() - 1);
            let unnamed = |error| PortError::refused(what(), error);
            let ids = keys.iter().map(|key| ObjectIdentifier::builder().key(key).build());
            let ids = ids.collect::<Result<_, BuildError>>().map_err(unnamed)?;
            let delete = Deletion::builder().set_objects(Some(ids)).quiet(true).build().map_err(unnamed)?;
            let answer = self.client.delete_objects().bucket(&self.bucket).delete(delete).send().await;
            if let Some(error) = answer.map_err(failed(what))?.errors().first() {
                let why = [error.key(), error.code(), error.message()].map(Option::unwrap_or_default).join(": ");
                let kind = error.code().and_then(of_code).unwrap_or(FailureKind::Refused);
                return Err(PortError::new(kind, what(), why));
            }
        }
        Ok(())
    }

    /// All objects whose keys begin with `prefix`, in the order of their keys. More than `objects_max` are an error. A
    /// `shallow` list omits keys with another slash after the prefix.
    pub(crate) async fn list(
        &self,
        prefix: &str,
        shallow: bool,
        objects_max: usize,
    ) -> Result<Vec<ListedObject>, PortError> {
        let what = || format!("ListObjectsV2 {}", self.name(prefix));
        let mut found = Vec::new();
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = request.set_delimiter(shallow.then(|| "/".to_owned())).into_paginator().send();
        while let Some(page) = pages.next().await {
            for object in page.map_err(failed(what))?.contents.unwrap_or_default() {
                let (key, etag) = (object.key.unwrap_or_default(), object.e_tag.unwrap_or_default());
                found.push(ListedObject { key, etag });
            }
            if found.len() > objects_max {
                return Err(PortError::refused(what(), format!("more than {objects_max} objects are there")));
            }
        }
        Ok(found)
    }

    /// The objects whose keys begin with `prefix` and for which `takes` is true, with size and modification time; at
    /// most `most`. A `shallow` list omits keys with another slash after the prefix.
    pub(super) async fn list_files(
        &self,
        prefix: &str,
        shallow: bool,
        most: usize,
        takes: impl Fn(&str) -> bool + Send,
    ) -> Result<Vec<(ListedObject, u64, Time)>, PortError> {
        let what = || format!("ListObjectsV2 {}", self.name(prefix));
        let mut found = Vec::new();
        let request = self.client.list_objects_v2().bucket(&self.bucket).prefix(prefix);
        let mut pages = request.set_delimiter(shallow.then(|| "/".to_owned())).into_paginator().send();
        while let Some(page) = pages.next().await {
            for object in page.map_err(failed(what))?.contents.unwrap_or_default() {
                let key = object.key.unwrap_or_default();
                // Consoles create such objects to show an empty folder.
                if key.ends_with('/') || !takes(&key) {
                    continue;
                }
                let size = object.size.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
                let written = object.last_modified.and_then(|at| at.to_millis().ok()).unwrap_or_default();
                let listed = ListedObject { key, etag: object.e_tag.unwrap_or_default() };
                found.push((listed, size, Time::from_ms(written)));
                if found.len() == most {
                    return Ok(found);
                }
            }
        }
        Ok(found)
    }

    /// The bytes of an object from one offset to before another, if it still has this ETag.
    pub(super) async fn range(&self, key: &str, etag: &str, from: u64, to: u64) -> Result<Vec<u8>, Ranged> {
        let what = || format!("GetObject {} from {from}", self.name(key));
        let range = format!("bytes={from}-{}", to.saturating_sub(1));
        let request = self.client.get_object().bucket(&self.bucket).key(key).range(range).if_match(etag);
        let object = match request.send().await {
            Ok(object) => object,
            Err(error) => {
                let code = error.as_service_error().and_then(ProvideErrorMetadata::code);
                return Err(match (status(&error), code) {
                    (Some(412), _) => Ranged::Changed,
                    (Some(404), Some("NoSuchKey")) => Ranged::Missing,
                    (_, Some("InvalidObjectState")) => {
                        Ranged::Archived("it is in an archive class of S3; accepted: a class with immediate access")
                    }
                    (Some(403), _) if self.is_absent(key).await => Ranged::Missing,
                    _ => Ranged::Failed(failed(what)(error)),
                });
            }
        };
        let body =
            object.body.collect().await.map_err(|error| Ranged::Failed(PortError::unavailable(what(), error)))?;
        Ok(body.to_vec())
    }
}

/// Why a range of an object could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum Ranged {
    #[error("the object no longer exists")]
    Missing,
    #[error("the object has changed")]
    Changed,
    #[error("{0}")]
    Archived(&'static str),
    #[error(transparent)]
    Failed(PortError),
}

/// A name as one part of a key: letters, digits, `-`, `_` and `.` are kept, any other byte becomes `!2f`. (`%2f` would
/// be more common, but S3 advises against `%`.) Two names never give the same part, and none gives `.` or `..`, which
/// some tools take for folders.
///
/// # Errors
///
/// The name is empty or too long.
pub(crate) fn key_part(name: &str) -> Result<String, PortError> {
    let mut part = String::with_capacity(name.len());
    for (i, byte) in name.bytes().enumerate() {
        match byte {
            b'.' if i == 0 => part.push_str("!2e"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => part.push(byte.into()),
            _ => part.push_str(&format!("!{byte:02x}")),
        }
    }
    if part.is_empty() || part.len() > PART_BYTES_MAX {
        let why = format!("the name is {name:?}; accepted: 1 to {PART_BYTES_MAX} bytes, escapes included");
        return Err(PortError::refused("make an object key from a name", why));
    }
    Ok(part)
}

fn status<E>(error: &SdkError<E, HttpResponse>) -> Option<u16> {
    error.raw_response().map(|response| response.status().as_u16())
}

/// A missing bucket has the same status.
fn is_no_such_key<E: ProvideErrorMetadata>(error: &SdkError<E, HttpResponse>) -> bool {
    error.as_service_error().is_some_and(|error| error.code() == Some("NoSuchKey"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_make_distinct_parts_that_are_not_paths() {
        let part = |name| key_part(name).unwrap();
        assert_eq!(part("seattle-98178_a.b"), "seattle-98178_a.b");
        assert_eq!(part("a/../b"), "a!2f..!2fb");
        assert_eq!(part(".."), "!2e.");
        assert_eq!(part("à !"), "!c3!a0!20!21");
        assert!(key_part("").is_err() && key_part(&"/".repeat(200)).is_err());
    }
}
