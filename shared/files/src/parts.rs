use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::vec;

use stoop_sources::declared::Format;

use crate::bytes::{ByteRange, ReadAt};
use crate::format::{self, Allowance, ContentKind, Packing};
use crate::open::{Rows, local, open_entry, open_whole};
use crate::open_error::OpenError;
use crate::row::ReadOptions;
use crate::zip::{Archive, ZipEntry};

/// A file as one or more parts with rows: the file itself, or the files in an archive, by name.
///
/// ```no_run
/// use stoop_files::{Parts, ReadOptions};
///
/// let mut parts = Parts::open("export.zip".as_ref(), &ReadOptions::default())?;
/// while let Some(part) = parts.next_part() {
///     match part {
///         Ok(mut part) => println!("{}: {:?}", part.name, part.rows.next_row().is_some()),
///         Err(error) => eprintln!("{error}"),
///     }
/// }
/// # Ok::<(), stoop_files::OpenError>(())
/// ```
pub struct Parts {
    path: PathBuf,
    options: ReadOptions,
    inner: PartsSource,
    bytes_read: Arc<AtomicU64>,
    bytes_total: u64,
    allowance: Arc<Allowance>,
}

enum PartsSource {
    One(Option<Box<Rows>>),
    Archive { archive: Archive, left: vec::IntoIter<ZipEntry>, name: Option<String> },
}

/// A file, or a file in an archive.
#[derive(Debug)]
pub struct Part {
    /// The path of the file; for a file in an archive, the path of the archive, a slash, and the name of the entry.
    pub name: String,
    /// The rows. For an archive, [`Parts::bytes_read`] gives the progress.
    pub rows: Rows,
}

impl Parts {
    /// Opens a file on disk.
    ///
    /// # Errors
    /// As [`open`](crate::open), and if the directory of an archive is broken. An error of a single file in an archive
    /// is reported in its turn.
    pub fn open(path: &Path, options: &ReadOptions) -> Result<Self, OpenError> {
        Self::of(path, Arc::new(local(path)?), options)
    }

    /// Opens bytes of another source. `path` determines the format and names them in errors.
    ///
    /// # Errors
    /// As [`Parts::open`].
    pub fn of(path: &Path, bytes: Arc<dyn ReadAt>, options: &ReadOptions) -> Result<Self, OpenError> {
        let whole = ByteRange::whole(bytes);
        let beginning = whole.beginning::<4>();
        let beginning =
            beginning.map_err(|error| OpenError::Unreadable { path: path.to_owned(), problem: error.to_string() })?;
        let bytes_total = whole.size();
        let allowance = Allowance::of(bytes_total);
        // An archive is detected by its name, so that a zip archive with a damaged beginning is reported as one, or by
        // its bytes, unless its name is that of another format: a spreadsheet is a zip archive as well.
        let kind = format::named(path).kind;
        let is_book = options.format == Some(Format::Xlsx) || options.format.is_none() && is_workbook(kind, &whole);
        let readable = (kind != ContentKind::Unknown || options.format.is_some()) && !is_book;
        let (inner, bytes_read) = if kind == ContentKind::Archive || readable && Packing::of(&beginning) == Packing::Zip
        {
            let archive = Archive::open(path, &whole)?;
            let left = archive.entries.clone().into_iter();
            (PartsSource::Archive { archive, left, name: None }, Arc::default())
        } else {
            let rows = open_whole(path, &whole, options, &allowance)?;
            let bytes_read = rows.progress();
            (PartsSource::One(Some(Box::new(rows))), bytes_read)
        };
        Ok(Self { path: path.to_owned(), options: options.clone(), inner, bytes_read, bytes_total, allowance })
    }

    /// The next part, or why it cannot be opened; `None` after the last one.
    pub fn next_part(&mut self) -> Option<Result<Part, OpenError>> {
        match &mut self.inner {
            PartsSource::One(rows) => {
                let rows = *rows.take()?;
                Some(Ok(Part { name: self.path.display().to_string(), rows }))
            }
            PartsSource::Archive { archive, left, name: current } => {
                let Some(entry) = left.next() else {
                    // The unread rest (folders, the directory) counts as read.
                    self.bytes_read.store(self.bytes_total, Relaxed);
                    return None;
                };
                // A slash on every platform, so that the name is the same everywhere.
                let name = format!("{}/{}", self.path.display(), entry.name);
                *current = Some(name.clone());
                let (read, options, allowance) = (&self.bytes_read, &self.options, &self.allowance);
                let rows = open_entry(Path::new(&name), archive, &entry, read, options, allowance);
                Some(rows.map(|rows| Part { name, rows }))
            }
        }
    }

    /// The name of the part returned last; before that, and for a file that is not an archive, the name of the file.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.inner {
            PartsSource::Archive { name: Some(name), .. } => name.clone(),
            _ => self.path.display().to_string(),
        }
    }

    /// Whether the file is an archive.
    #[must_use]
    pub fn is_archive(&self) -> bool {
        matches!(self.inner, PartsSource::Archive { .. })
    }

    /// The limits of the file.
    pub(crate) fn allowance(&self) -> &Allowance {
        &self.allowance
    }

    /// The number of bytes of the file that were read, as stored.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Relaxed).min(self.bytes_total)
    }

    /// The size of the file in bytes, as stored.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.bytes_total
    }
}

/// Whether a file is an Excel workbook, by its name, or if it has none by its first bytes.
fn is_workbook(kind: ContentKind, whole: &ByteRange) -> bool {
    match kind {
        ContentKind::Rows(format) => format == Format::Xlsx,
        ContentKind::Nameless => {
            whole.beginning::<4_096>().is_ok_and(|beginning| format::guess(&beginning, false) == Format::Xlsx)
        }
        ContentKind::Archive | ContentKind::Unknown => false,
    }
}

impl std::fmt::Debug for Parts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Parts({}, {} of {} bytes)", self.path.display(), self.bytes_read(), self.bytes_total)
    }
}
