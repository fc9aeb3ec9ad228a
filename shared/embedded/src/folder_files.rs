//! Files of listings in folders.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use stoop_domain::Time;
use stoop_files::{LocalBytes, Mapped, MappedFile, OpenError, Stopping};
use stoop_pipeline::ports::{FileError, FilePage, FilePattern, FileRow, FileVersion, Files, OpenFile, PortError};
use stoop_sources::declared::Map;

use crate::error::{at, doing};

/// The maximum depth of folders that are searched.
const DEPTH_MAX: usize = 32;

/// Files on this computer. Relative patterns start at one folder, that of the configuration.
///
/// Links to files are followed, links to folders are not, so that no search is endless. A file that is replaced or
/// written while it is read is detected by its length and modification time.
#[derive(Clone)]
pub struct FolderFiles {
    root: PathBuf,
    stop: Stop,
}

/// Returns whether to stop.
type Stop = Arc<dyn Fn() -> bool + Send + Sync>;

impl FolderFiles {
    /// Relative patterns start at this folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned(), stop: Arc::new(|| false) }
    }

    /// Stops reading when `stop` returns true. A disk may be slow, and a file may contain only blank lines.
    #[must_use]
    pub fn until(self, stop: impl Fn() -> bool + Send + Sync + 'static) -> Self {
        Self { stop: Arc::new(stop), ..self }
    }

    /// Relative patterns start at the folder of this file.
    #[must_use]
    pub fn beside(file: &Path) -> Self {
        Self::new(file.parent().unwrap_or(Path::new("")))
    }
}

#[async_trait]
impl Files for FolderFiles {
    async fn list(&self, pattern: &FilePattern, most: usize) -> Result<Vec<FileVersion>, PortError> {
        let base = self.root.join(pattern.base());
        let what = || format!("list the files {}", pattern.as_str());
        // An empty path is the working directory.
        let shown = if base.as_os_str().is_empty() { Path::new(".") } else { &base };
        let metadata = std::fs::metadata(shown).map_err(at("find", shown)).map_err(doing(what()))?;
        if !metadata.is_dir() {
            let takes = pattern.takes(pattern.base());
            return Ok(takes.then(|| version(pattern.base().to_owned(), &metadata)).into_iter().collect());
        }
        walk(shown, pattern, most).map_err(at("read", shown)).map_err(doing(what()))
    }

    async fn open(&self, file: &FileVersion, map: &Map, rows_before: u64) -> Result<Box<dyn OpenFile>, FileError> {
        let (path, file, map, stop) = (self.root.join(&file.name), file.clone(), map.clone(), Arc::clone(&self.stop));
        let opened = on_other_thread(move || Opened::open(&path, file, &map, rows_before, stop)).await?;
        Ok(Box::new(opened))
    }

    fn appear_whole(&self) -> bool {
        false
    }
}

/// An open file.
struct Opened {
    /// `None` while another thread reads a page.
    rows: Option<MappedFile>,
    bytes: Arc<LocalBytes>,
    file: FileVersion,
    stop: Stop,
}

impl Opened {
    fn open(path: &Path, file: FileVersion, map: &Map, rows_before: u64, stop: Stop) -> Result<Self, FileError> {
        let unreadable = |why: &dyn std::fmt::Display| FileError::Unreadable(format!("{}: {why}", file.name));
        let failed = |error: io::Error| match error.kind() {
            io::ErrorKind::NotFound => FileError::Left,
            _ => unreadable(&error),
        };
        // Opening a pipe would block, so its type is checked first.
        if !std::fs::metadata(path).map_err(failed)?.is_file() {
            return Err(unreadable(&"this is not a file but a pipe or a device"));
        }
        let bytes = Arc::new(File::open(path).and_then(LocalBytes::new).map_err(failed)?);
        let mut opened = Self { rows: None, bytes: Arc::clone(&bytes), file: file.clone(), stop };
        opened.is_same()?;
        let bytes = Arc::new(Stopping::new(bytes, Arc::clone(&opened.stop)));
        let mut rows = MappedFile::of(Path::new(&file.name), bytes, map).map_err(|error| match error {
            OpenError::Bytes { source, .. } => opened.failed(source),
            other => FileError::Unreadable(other.to_string()),
        })?;
        rows.skip_rows(rows_before);
        opened.rows = Some(rows);
        Ok(opened)
    }

    /// The error for a file that could not be read.
    fn failed(&self, error: io::Error) -> FileError {
        if (self.stop)() {
            return FileError::Stopped;
        }
        FileError::Port(doing(format!("read {}", self.file.name))(error))
    }

    fn is_same(&self) -> Result<(), FileError> {
        let metadata = self.bytes.file().metadata();
        let metadata = metadata.map_err(doing(format!("inspect {}", self.file.name)))?;
        let now = version(self.file.name.clone(), &metadata);
        if now == self.file { Ok(()) } else { Err(FileError::Changed) }
    }
}

#[async_trait]
impl OpenFile for Opened {
    async fn page(&mut self, rows_max: usize, as_of: Time, now: Time) -> Result<FilePage, FileError> {
        let Some(mut rows) = self.rows.take() else {
            let why = "reading the page before was aborted";
            return Err(FileError::Port(PortError::unavailable(format!("read {}", self.file.name), why)));
        };
        let read = on_other_thread(move || {
            let page = rows.next_page(rows_max, as_of, now);
            (rows, page)
        });
        let (rows, page) = read.await;
        self.rows = Some(rows);
        // Checked after reading: then everything that was read belongs to one version.
        self.is_same()?;
        let page = page.map_err(|error| self.failed(error))?;
        let rows = page.rows.into_iter().filter_map(row).collect();
        Ok(FilePage { rows, rows_read: page.rows_read, bytes_read: page.bytes_read, ended: page.ended, cut: page.cut })
    }
}

/// Runs blocking work on another thread, so that a slow disk does not block other work.
async fn on_other_thread<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(done) => done,
        // Nobody aborts the task, so the error is a panic. Propagate it.
        Err(stopped) => std::panic::resume_unwind(stopped.into_panic()),
    }
}

fn row((mapped, position): (Mapped, String)) -> Option<FileRow> {
    match mapped {
        Mapped::Observation(observation, refused) => Some(FileRow::Found(observation, refused)),
        Mapped::Refused(refusal) => {
            let stoop_files::Refusal { reason, detail, raw, native_id } = refusal;
            Some(FileRow::Refused { position, reason, detail, raw, native_id })
        }
        Mapped::Skipped => None,
    }
}

fn walk(base: &Path, pattern: &FilePattern, most: usize) -> io::Result<Vec<FileVersion>> {
    let depth_max = pattern.depth_max().unwrap_or(DEPTH_MAX).min(DEPTH_MAX);
    let mut found = Vec::new();
    let prefix = match pattern.base() {
        "" => String::new(),
        base if base.ends_with('/') => base.to_owned(),
        base => format!("{base}/"),
    };
    let mut folders = vec![(base.to_owned(), prefix, 1)];
    while let Some((folder, prefix, depth)) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            // Removed since its folder was read.
            Err(error) if depth > 1 && error.kind() == io::ErrorKind::NotFound => continue,
            entries => entries?,
        };
        for entry in entries {
            let entry = entry?;
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.file_type()?.is_dir() {
                if depth < depth_max {
                    folders.push((entry.path(), format!("{name}/"), depth + 1));
                }
                continue;
            }
            if !pattern.takes(&name) {
                continue;
            }
            // The target of a link.
            match std::fs::metadata(entry.path()) {
                Ok(metadata) if metadata.is_file() => found.push(version(name, &metadata)),
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
            if found.len() == most {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

fn version(name: String, metadata: &Metadata) -> FileVersion {
    let modified = metadata.modified().ok();
    let ms = modified.map_or(0, |modified| match modified.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |ms| -ms),
    });
    FileVersion { name, size: metadata.len(), modified: Time::from_ms(ms), tag: None }
}

impl std::fmt::Debug for FolderFiles {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FolderFiles").field("root", &self.root).finish_non_exhaustive()
    }
}
