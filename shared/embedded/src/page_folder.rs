use std::path::{Path, PathBuf};

use async_trait::async_trait;
use stoop_pipeline::ports::{Pages, PortError};

use crate::error::{Result, doing};
use crate::files::write_whole;

/// Raw pages as `raw/<run>/<number>.zst` in the data folder.
#[derive(Debug)]
pub struct PageFolder {
    raw: PathBuf,
}

/// The folder of all raw pages in the data folder.
const RAW: &str = "raw";
const LEVEL: i32 = 3;
const RUN_BYTES_MAX: usize = 200;

impl PageFolder {
    /// Pages in this data folder, which is created with the first page.
    #[must_use]
    pub fn new(data: &Path) -> Self {
        Self { raw: data.join(RAW) }
    }

    /// The path of a page. Characters that are unsafe in a file name (`/`, a leading dot, ...) are written as `%2f`, so
    /// that no run leaves the folder and no two runs share one.
    ///
    /// # Errors
    /// If the name of the run is empty or too long for a file name.
    pub fn path(&self, run: &str, number: u32) -> Result<PathBuf, PortError> {
        Ok(self.path_of(run)?.join(format!("{number}.zst")))
    }

    /// The folder of all runs.
    pub(crate) fn folder(&self) -> &Path {
        &self.raw
    }

    /// The folder of a run.
    pub(crate) fn path_of(&self, run: &str) -> Result<PathBuf, PortError> {
        Ok(self.raw.join(name_of(run)?))
    }
}

/// The name of a run's folder.
fn name_of(run: &str) -> Result<String, PortError> {
    let mut name = String::with_capacity(run.len());
    for (i, byte) in run.bytes().enumerate() {
        match byte {
            b'.' if i == 0 => name.push_str("%2e"),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' => name.push(byte.into()),
            _ => name.push_str(&format!("%{byte:02x}")),
        }
    }
    if name.is_empty() || name.len() > RUN_BYTES_MAX {
        let why = format!("the run's name is {run:?}; accepted: 1 to {RUN_BYTES_MAX} bytes");
        return Err(PortError::refused("store a raw page", why));
    }
    Ok(name)
}

#[async_trait]
impl Pages for PageFolder {
    async fn put(&self, run: &str, number: u32, body: &[u8]) -> Result<(), PortError> {
        let path = self.path(run, number)?;
        let store = || -> Result<()> { Ok(write_whole(&path, &[&zstd::encode_all(body, LEVEL)?])?) };
        store().map_err(doing(format!("store page {number} of the run {run}")))
    }

    fn folder_of(&self, run: &str) -> Result<String, PortError> {
        Ok(format!("{RAW}/{}", name_of(run)?))
    }
}
