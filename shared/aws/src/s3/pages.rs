use async_trait::async_trait;
use aws_sdk_s3::Client;
use stoop_pipeline::ports::{Pages, PortError};

use super::Objects;
use super::object::key_part;

/// A zstd level that is still faster than the network.
const LEVEL: i32 = 3;

/// Raw pages as `pages/<run>/<number>.zst`.
#[derive(Clone, Debug)]
pub struct S3Pages {
    objects: Objects,
}

impl S3Pages {
    /// Pages in this bucket.
    #[must_use]
    pub fn new(client: Client, bucket: &str) -> Self {
        Self { objects: Objects::new(client, bucket) }
    }

    /// The key of a page.
    ///
    /// # Errors
    ///
    /// The run's name is empty or too long for a key.
    pub fn key(run: &str, number: u32) -> Result<String, PortError> {
        Ok(format!("{}/{number}.zst", folder_of(run)?))
    }
}

fn folder_of(run: &str) -> Result<String, PortError> {
    Ok(format!("pages/{}", key_part(run)?))
}

#[async_trait]
impl Pages for S3Pages {
    async fn put(&self, run: &str, number: u32, body: &[u8]) -> Result<(), PortError> {
        let key = Self::key(run, number)?;
        let compressed =
            zstd::encode_all(body, LEVEL).map_err(|error| PortError::refused(format!("compress {key}"), error))?;
        self.objects.store(key, compressed, "application/zstd").await
    }
    fn folder_of(&self, run: &str) -> Result<String, PortError> {
        folder_of(run)
    }
}
