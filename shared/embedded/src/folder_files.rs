//! Files of listings that others leave in a folder.

use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use async_trait::async_trait;
use stoop_domain::Time;
use stoop_files::{LocalBytes, Mapped, MappedFile, OpenError};
use stoop_pipeline::ports::{FileError, FilePage, FilePattern, FileRow, FileVersion, Files, OpenFile, PortError};
use stoop_sources::declared::Map;

use crate::error::{at, doing};

/// Folders below a folder; deeper ones are not looked into.
const DEPTH_MAX: usize = 32;

/// Files on this computer. Patterns begin at one folder, that of the configuration, unless they are absolute.
///
/// Links are followed to files and not to folders, so that no walk goes in a circle. A file that is replaced or written
/// to while it is read is told by its length and the time of its last change.
#[derive(Clone, Debug)]
pub struct FolderFiles {
    root: PathBuf,
}

impl FolderFiles {
    /// Patterns begin at this folder.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self { root: root.to_owned() }
    }

    /// Patterns begin at the folder of this file.
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
        // An empty path is the folder that the program was started in.
        let shown = if base.as_os_str().is_empty() { Path::new(".") } else { &base };
        let metadata = std::fs::metadata(shown).map_err(at("find", shown)).map_err(doing(what()))?;
        if !metadata.is_dir() {
            let takes = pattern.takes(pattern.base());
            return Ok(takes.then(|| version(pattern.base().to_owned(), &metadata)).into_iter().collect());
        }
        walk(shown, pattern, most).map_err(at("read", shown)).map_err(doing(what()))
    }

    async fn open(&self, file: &FileVersion, map: &Map, rows_before: u64) -> Result<Box<dyn OpenFile>, FileError> {
        let path = self.root.join(&file.name);
        let opened = File::open(&path).and_then(LocalBytes::new).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => FileError::Left,
            _ => FileError::Unreadable(format!("{}: {error}", file.name)),
        })?;
        let bytes = Arc::new(opened);
        let mut opened = Opened { rows: None, bytes: Arc::clone(&bytes), file: file.clone() };
        opened.is_same()?;
        let mut rows = MappedFile::of(Path::new(&file.name), bytes, map).map_err(|error| match error {
            OpenError::Bytes { source, .. } => FileError::Port(PortError::new(format!("read {}", file.name), source)),
            other => FileError::Unreadable(other.to_string()),
        })?;
        rows.skip_rows(rows_before);
        opened.rows = Some(rows);
        Ok(Box::new(opened))
    }

    fn appear_whole(&self) -> bool {
        false
    }
}

/// A file that is open.
struct Opened {
    rows: Option<MappedFile>,
    bytes: Arc<LocalBytes>,
    file: FileVersion,
}

impl Opened {
    fn is_same(&self) -> Result<(), FileError> {
        let metadata = self.bytes.file().metadata();
        let metadata = metadata.map_err(|error| PortError::new(format!("look at {}", self.file.name), error))?;
        let now = version(self.file.name.clone(), &metadata);
        if now == self.file { Ok(()) } else { Err(FileError::Changed) }
    }
}

#[async_trait]
impl OpenFile for Opened {
    async fn page(&mut self, rows_max: usize, as_of: Time, now: Time) -> Result<FilePage, FileError> {
        let Some(rows) = &mut self.rows else { return Ok(FilePage { ended: true, ..FilePage::default() }) };
        let page = rows.next_page(rows_max, as_of, now);
        // Asked after reading: what was read while it was still the same is of one version.
        self.is_same()?;
        let page = page.map_err(|error| PortError::new(format!("read {}", self.file.name), error))?;
        let rows = page.rows.into_iter().filter_map(row).collect();
        Ok(FilePage { rows, rows_read: page.rows_read, bytes_read: page.bytes_read, ended: page.ended })
    }
}

fn row((mapped, place): (Mapped, String)) -> Option<FileRow> {
    match mapped {
        Mapped::Observation(observation) => Some(FileRow::Found(observation)),
        Mapped::Refused(refusal) => {
            let stoop_files::Refusal { reason, detail, raw, native_id } = refusal;
            Some(FileRow::Refused { place, reason, detail, raw, native_id })
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
            // Gone since its own folder was read.
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
            // Behind a link: what it leads to.
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
