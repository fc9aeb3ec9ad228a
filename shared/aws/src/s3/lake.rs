use aws_sdk_s3::Client;
use stoop_pipeline::ports::{FailureKind, PortError};

use super::Objects;
use super::object::Got;

/// The prefix that the delivery stream writes to.
const PREFIX: &str = "lake/observations/";

/// Firehose writes at most 128 MB before compression.
const OBJECT_BYTES_MAX: usize = 256 << 20;

/// Reads the lake in the data bucket: objects of wire lines, under `lake/observations/`, by day of arrival.
#[derive(Clone, Debug)]
pub struct S3Lake {
    objects: Objects,
}

/// An object of the lake.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LakeEntry {
    /// Its key in the bucket.
    pub key: String,
    /// Changes with its content.
    pub etag: String,
}

impl S3Lake {
    /// The lake in this bucket.
    #[must_use]
    pub fn new(client: Client, bucket: &str) -> Self {
        Self { objects: Objects::new(client, bucket) }
    }

    /// All objects that exist now, in the order of their keys.
    ///
    /// # Errors
    ///
    /// They cannot be listed.
    pub async fn entries(&self) -> Result<Vec<LakeEntry>, PortError> {
        let listed = self.objects.list_files(PREFIX, false, usize::MAX, |_| true).await?;
        let mut entries: Vec<LakeEntry> =
            listed.into_iter().map(|(listed, ..)| LakeEntry { key: listed.key, etag: listed.etag }).collect();
        entries.sort_unstable();
        Ok(entries)
    }

    /// The bytes of an object, as stored.
    ///
    /// # Errors
    ///
    /// It cannot be read, is gone, or is larger than the delivery stream ever writes.
    pub async fn read(&self, key: &str) -> Result<Vec<u8>, PortError> {
        match self.objects.get(key, None, OBJECT_BYTES_MAX).await? {
            Got::Object { body, .. } => Ok(body),
            Got::Missing | Got::Unchanged => Err(PortError::new(
                FailureKind::NotFound,
                format!("GetObject {}", self.objects.name(key)),
                "it no longer exists",
            )),
        }
    }
}
