use std::io;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use aws_sdk_s3::Client;
use stoop_domain::Time;
use stoop_files::{Mapped, MappedFile, OpenError, Refusal};
use stoop_pipeline::ports::{
    FailureKind, FileError, FilePage, FilePattern, FileRow, FileVersion, Files, OpenFile, PortError,
};
use stoop_sources::declared::Map;
use tokio::runtime::Handle;
use tokio::task::spawn_blocking;

use super::Objects;
use super::object::Ranged;
use super::ranges::Ranges;

/// The prefix of all files' keys; patterns match the rest.
const PREFIX: &str = "files/";

/// Files that others put into the data bucket, under `files/`.
///
/// An object is read by ranges of one version: each request has the ETag as a condition. Unpacking and reading rows run
/// on a thread of their own, which waits for the ranges; so an object need not fit into memory or on the disk.
#[derive(Clone, Debug)]
pub struct S3Files {
    objects: Objects,
}

impl S3Files {
    /// Files in this bucket.
    #[must_use]
    pub fn new(client: Client, bucket: &str) -> Self {
        Self { objects: Objects::new(client, bucket) }
    }
}

#[async_trait]
impl Files for S3Files {
    async fn list(&self, pattern: &FilePattern, most: usize) -> Result<Vec<FileVersion>, PortError> {
        let shallow = pattern.depth_max() == Some(1);
        // A base alone may be an object of that name, or a folder of objects.
        let prefix = match (shallow, pattern.base()) {
            (true, base) if !base.is_empty() => format!("{PREFIX}{base}/"),
            (_, base) => format!("{PREFIX}{base}"),
        };
        let takes = |key: &str| key.strip_prefix(PREFIX).is_some_and(|name| pattern.takes(name));
        let listed = self.objects.list_files(&prefix, shallow, most, takes).await?;
        let files = listed.into_iter().map(|(listed, size, modified)| FileVersion {
            name: listed.key[PREFIX.len()..].to_owned(),
            size,
            modified,
            tag: Some(listed.etag),
        });
        Ok(files.collect())
    }

    async fn open(&self, file: &FileVersion, map: &Map, rows_before: u64) -> Result<Box<dyn OpenFile>, FileError> {
        let (objects, handle) = (self.objects.clone(), Handle::current());
        let (key, etag) = (format!("{PREFIX}{}", file.name), file.tag.clone().unwrap_or_default());
        let ranges = Ranges::new(file.size, move |from, to| {
            let ranged = handle.block_on(objects.range(&key, &etag, from, to));
            ranged.map_err(|error| io::Error::other(BrokenReader(error)))
        });
        let (name, map) = (file.name.clone(), map.clone());
        let opened = aside(move || {
            let mut rows = MappedFile::of(Path::new(&name), Arc::new(ranges), &map)?;
            rows.skip_rows(rows_before);
            Ok(rows)
        });
        let rows = opened.await.map_err(|error| match error {
            OpenError::Bytes { source, .. } => file_error(&file.name, source),
            other => FileError::Unreadable(other.to_string()),
        })?;
        Ok(Box::new(OpenObject { rows: Some(rows), name: file.name.clone() }))
    }

    fn appear_whole(&self) -> bool {
        true
    }
}

/// An open object. Its rows are absent while the other thread reads a page.
struct OpenObject {
    rows: Option<MappedFile>,
    name: String,
}

#[async_trait]
impl OpenFile for OpenObject {
    async fn page(&mut self, rows_max: usize, as_of: Time, now: Time) -> Result<FilePage, FileError> {
        let Some(mut rows) = self.rows.take() else {
            let why = "the previous page was abandoned";
            return Err(FileError::Port(PortError::unavailable(format!("read {}", self.name), why)));
        };
        let read = aside(move || {
            let page = rows.next_page(rows_max, as_of, now);
            (rows, page)
        });
        let (rows, page) = read.await;
        self.rows = Some(rows);
        let page = page.map_err(|error| file_error(&self.name, error))?;
        let rows = page.rows.into_iter().filter_map(row).collect();
        Ok(FilePage { rows, rows_read: page.rows_read, bytes_read: page.bytes_read, ended: page.ended, cut: page.cut })
    }
}

/// Runs blocking work on another thread.
async fn aside<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match spawn_blocking(work).await {
        Ok(done) => done,
        // Nobody aborts the task, so this is a panic, which is passed on.
        Err(stopped) => resume_unwind(stopped.into_panic()),
    }
}

/// Why a range could not be read; passes through the reader.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct BrokenReader(Ranged);

fn file_error(name: &str, error: io::Error) -> FileError {
    match error.downcast::<BrokenReader>() {
        Ok(BrokenReader(Ranged::Missing)) => FileError::Left,
        Ok(BrokenReader(Ranged::Changed)) => FileError::Changed,
        Ok(BrokenReader(Ranged::Archived(why))) => FileError::Unreadable(format!("{name}: {why}")),
        Ok(BrokenReader(Ranged::Failed(error))) => FileError::Port(error),
        Err(error) => FileError::Port(PortError::new(FailureKind::of_io(&error), format!("read {name}"), error)),
    }
}

fn row((mapped, position): (Mapped, String)) -> Option<FileRow> {
    match mapped {
        Mapped::Observation(observation, refused) => Some(FileRow::Found(observation, refused)),
        Mapped::Refused(Refusal { reason, detail, raw, native_id }) => {
            Some(FileRow::Refused { position, reason, detail, raw, native_id })
        }
        Mapped::Skipped => None,
    }
}
