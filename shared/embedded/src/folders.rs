//! What is kept as files beside the database: raw pages, and alerts for whoever reads `alerts.jsonl`.

use std::fs::OpenOptions;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use stoop_domain::Alert;
use stoop_pipeline::ports::{Pages, PortError, Publisher};
use stoop_pipeline::serve::AlertView;

use crate::error::{Result, at, doing};
use crate::files::write_whole;

/// Raw pages as `raw/<run>/<number>.zst` in the data folder.
#[derive(Debug)]
pub struct PageFolder {
    raw: PathBuf,
}

const LEVEL: i32 = 3;
const RUN_BYTES_MAX: usize = 200;

impl PageFolder {
    /// Pages in this data folder, which is made when the first page comes.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self { raw: data.join("raw") }
    }

    /// Where a page lies. What a file name should not have in it (`/`, a leading dot, ...) is written as
    /// `%2f`, so that no run's name leads out of the folder, and no two runs share a folder.
    ///
    /// # Errors
    /// When the run's name is empty or too long for a file name.
    pub fn path(&self, run: &str, number: u32) -> Result<PathBuf, PortError> {
        Ok(self.folder_of(run)?.join(format!("{number}.zst")))
    }

    /// The folder of all runs.
    pub(crate) fn folder(&self) -> &Path {
        &self.raw
    }

    /// The folder of a run.
    pub(crate) fn folder_of(&self, run: &str) -> Result<PathBuf, PortError> {
        let mut name = String::with_capacity(run.len());
        for (i, byte) in run.bytes().enumerate() {
            match byte {
                b'.' if i == 0 => name.push_str("%2e"),
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(byte.into()),
                _ => name.push_str(&format!("%{byte:02x}")),
            }
        }
        if name.is_empty() || name.len() > RUN_BYTES_MAX {
            let why = format!("the run's name is {run:?}; 1 to {RUN_BYTES_MAX} bytes make a folder's name");
            return Err(PortError::new("store a raw page", why));
        }
        Ok(self.raw.join(name))
    }
}

#[async_trait]
impl Pages for PageFolder {
    async fn put(&self, run: &str, number: u32, body: &[u8]) -> Result<(), PortError> {
        let path = self.path(run, number)?;
        let store = || -> Result<()> { Ok(write_whole(&path, &[&zstd::encode_all(body, LEVEL)?])?) };
        store().map_err(doing(format!("store page {number} of the run {run}")))
    }
}

/// Tells alerts by appending each as one line of JSON to a file.
///
/// A line is on the disk when `publish` returns. If the process dies in the middle of one, the torn line
/// is closed before the next is written, so that it spoils no other.
#[derive(Debug)]
pub struct FilePublisher {
    path: PathBuf,
    turn: Mutex<()>,
}

impl FilePublisher {
    /// Appends to this file, which is made, with its folder, when the first alert comes.
    #[must_use]
    pub fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), turn: Mutex::new(()) }
    }
}

#[async_trait]
impl Publisher for FilePublisher {
    async fn publish(&self, alerts: &[Alert]) -> Vec<Result<(), PortError>> {
        let append = |alert: &Alert| -> Result<()> {
            let mut line = serde_json::to_vec(&AlertView::of(alert))?;
            line.push(b'\n');
            let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
            Ok(append_line(&self.path, line).map_err(at("append to", &self.path))?)
        };
        alerts.iter().map(|alert| append(alert).map_err(doing(format!("tell the alert {}", alert.id)))).collect()
    }
}

/// The file is opened for each line, so that one that was moved away or deleted meanwhile begins anew,
/// and the line goes out in one write, so that two programs that append do not mix theirs.
fn append_line(path: &Path, mut line: Vec<u8>) -> std::io::Result<()> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
    if file.metadata()?.len() > 0 {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        if last != *b"\n" {
            line.insert(0, b'\n');
        }
    }
    file.write_all(&line)?;
    file.sync_data()
}
