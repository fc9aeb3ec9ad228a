use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use stoop_domain::{Observation, Reason, RefusedValue, Time};
use stoop_sources::declared::{Map, RowBytes, RowOutcome, RowReader};

use crate::bytes::{ReadAt, ReadFailure, Watched};
use crate::open::Rows;
use crate::open_error::OpenError;
use crate::parts::{Part, Parts};
use crate::row::{Content, Location, ReadOptions, RowFault};

/// The size of rows at which a page ends, so that long rows do not fill the memory.
const PAGE_BYTES: usize = 16 << 20;

/// A file that is read with a map. Rows are counted across the files of an archive, so that a position is a single
/// number. The same file always gives the same rows.
pub struct MappedFile {
    map: Map,
    parts: Parts,
    part: Option<Bound>,
    /// The current part, and the row in it that was returned last.
    name: String,
    location: Option<Location>,
    failure: ReadFailure,
    /// Bytes that were counted in a page.
    bytes_counted: u64,
    /// The size of the rows of the current page.
    page_bytes: usize,
}

/// A page of rows of a file that is read with a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappedPage {
    /// The rows that the map does not skip, with their locations if they are refused.
    pub rows: Vec<(Mapped, String)>,
    /// The number of rows in the file, including those that the map skips.
    pub rows_read: u64,
    /// The number of bytes of the file that were read, including what was skipped before.
    pub bytes_read: u64,
    /// Whether this is the last page.
    pub ended: bool,
    /// Describes the limit that the file exceeds, if its remaining rows are not read.
    pub cut: Option<String>,
}

/// A part, and the map's reader for it.
struct Bound {
    name: String,
    rows: Rows,
    reader: RowReader,
}

/// The result of reading a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every row is an observation; a box would cost each one")]
pub enum Mapped {
    /// A valid listing (`Observation::check`), and the values that were left out of it.
    Observation(Observation, Vec<RefusedValue>),
    /// The map skips the row.
    Skipped,
    /// The row is refused. An unreadable file of an archive counts as one such row.
    Refused(Refusal),
}

/// Why a row is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of reason, for counting.
    pub reason: Reason,
    /// Explains what is wrong.
    pub detail: String,
    /// The beginning of the row.
    pub raw: Vec<u8>,
    /// The ID of the listing, if it could be read.
    pub native_id: Option<String>,
}

impl MappedFile {
    /// Opens a file by its bytes. `path` is its name.
    ///
    /// # Errors
    /// As [`Parts::of`], and if the map needs columns that the file does not have. For an archive, each file reports
    /// this in its turn.
    pub fn of(path: &Path, bytes: Arc<dyn ReadAt>, map: &Map) -> Result<Self, OpenError> {
        let (bytes, failure) = Watched::new(bytes);
        let opened = Parts::of(path, Arc::new(bytes), &ReadOptions::of(map));
        let opened = opened.and_then(|parts| Self::new(parts, map, Arc::clone(&failure)));
        match failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(source) => Err(OpenError::Bytes { path: path.to_owned(), source }),
            None => opened,
        }
    }

    fn new(mut parts: Parts, map: &Map, failure: ReadFailure) -> Result<Self, OpenError> {
        let part = if parts.is_archive() {
            None
        } else {
            parts.next_part().transpose()?.map(|part| bind(part, map)).transpose()?
        };
        let name = parts.name();
        Ok(Self { map: map.clone(), parts, part, name, location: None, failure, bytes_counted: 0, page_bytes: 0 })
    }

    /// Checks the files of an archive against the map before they are read. Returns the files that do not fit; files
    /// that contain no listings are ignored.
    #[must_use]
    pub fn misfits(path: &Path, bytes: Arc<dyn ReadAt>, map: &Map) -> Vec<OpenError> {
        let mut misfits = Vec::new();
        let Ok(mut parts) = Parts::of(path, bytes, &ReadOptions::of(map)) else { return misfits };
        while parts.is_archive()
            && let Some(part) = parts.next_part()
        {
            misfits.extend(part.ok().and_then(|part| bind(part, map).err()));
        }
        misfits
    }

    /// The next row; `None` after the last one. `as_of` is the time of observation if the map gives none. Dates after
    /// `now`, the time of reading, are refused.
    pub fn next_row(&mut self, as_of: Time, now: Time) -> Option<Mapped> {
        loop {
            if self.cut().is_some() {
                return None;
            }
            if let Some(bound) = &mut self.part {
                if let Some((location, mapped, bytes)) = bound.next_row(as_of, now) {
                    self.location = Some(location);
                    self.page_bytes += bytes;
                    self.parts.allowance().row();
                    return Some(mapped);
                }
                self.part = None;
            }
            match self.next_part()? {
                Ok(bound) => self.part = Some(bound),
                Err(refusal) => return Some(Mapped::Refused(refusal)),
            }
        }
    }

    /// The next rows, at most `rows_max`.
    ///
    /// # Errors
    /// If the bytes of the file cannot be read. The rows of this page are lost: open the file again.
    pub fn next_page(&mut self, rows_max: usize, as_of: Time, now: Time) -> io::Result<MappedPage> {
        let mut page = MappedPage::default();
        self.page_bytes = 0;
        while page.rows_read < rows_max as u64 && self.page_bytes < PAGE_BYTES {
            let Some(mapped) = self.next_row(as_of, now) else {
                page.ended = true;
                break;
            };
            page.rows_read += 1;
            match mapped {
                Mapped::Skipped => {}
                Mapped::Observation(..) => page.rows.push((mapped, String::new())),
                Mapped::Refused(_) => page.rows.push((mapped, self.place())),
            }
        }
        page.cut = self.cut();
        page.bytes_read = self.bytes_read().saturating_sub(self.bytes_counted);
        self.bytes_counted = self.bytes_read();
        match self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(page),
        }
    }

    /// Skips rows without reading their content. Returns the number of skipped rows.
    pub fn skip_rows(&mut self, rows: u64) -> u64 {
        let mut passed = 0;
        while passed < rows {
            if let Some(bound) = &mut self.part {
                if bound.rows.next_row().is_some() {
                    self.parts.allowance().row();
                    passed += 1;
                    continue;
                }
                self.part = None;
            }
            match self.next_part() {
                None => break,
                Some(Ok(bound)) => self.part = Some(bound),
                Some(Err(_)) => passed += 1,
            }
        }
        passed
    }

    /// Describes the limit that the file exceeds; later rows are not read.
    #[must_use]
    pub fn cut(&self) -> Option<String> {
        self.parts.allowance().exceeded()
    }

    fn next_part(&mut self) -> Option<Result<Bound, Refusal>> {
        let part = self.parts.next_part()?;
        self.location = None;
        self.name = self.parts.name();
        Some(part.and_then(|part| bind(part, &self.map)).map_err(|error| Refusal::of(&error)))
    }

    /// The location of the row returned last: `export.zip/homes.csv: line 7`; the name of a file that cannot be read.
    #[must_use]
    pub fn place(&self) -> String {
        match self.location {
            Some(location) => format!("{}: {location}", self.name),
            None => self.name.clone(),
        }
    }

    /// The number of bytes of the file that were read, as stored.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.parts.bytes_read()
    }

    /// The size of the file in bytes, as stored.
    #[must_use]
    pub fn total_bytes(&self) -> u64 {
        self.parts.total_bytes()
    }
}

fn bind(part: Part, map: &Map) -> Result<Bound, OpenError> {
    let Part { name, rows } = part;
    let reader = match rows.headers() {
        Some(headers) => map
            .bind_csv(headers)
            .map_err(|errors| OpenError::Misfit { path: name.clone().into(), problem: errors.to_string() })?,
        None => map.bind_json(),
    };
    Ok(Bound { name, rows, reader })
}

impl Bound {
    /// The next row with its location and length.
    fn next_row(&mut self, as_of: Time, now: Time) -> Option<(Location, Mapped, usize)> {
        let row = match self.rows.next_row()? {
            Ok(row) => row,
            Err(fault) => {
                let RowFault { location, reason, detail, raw } = fault;
                let bytes = raw.len();
                return Some((location, Mapped::Refused(Refusal { reason, detail, raw, native_id: None }), bytes));
            }
        };
        let bytes = row.content.len();
        let read = match row.content {
            Content::Json(bytes) => self.reader.read(RowBytes::Json(bytes), &self.name, as_of),
            Content::Csv(record) => self.reader.read(RowBytes::Csv(record), &self.name, as_of),
            Content::Comment(_) => Ok(RowOutcome::Skipped),
        };
        let mapped = match read {
            Ok(RowOutcome::Observation(mut observation, mut refused)) => match observation.check(now) {
                Ok(more) => {
                    refused.extend(more);
                    Mapped::Observation(observation, refused)
                }
                Err((reason, detail)) => {
                    let native_id = Some(observation.native_id);
                    Mapped::Refused(Refusal { reason, detail, raw: row.content.raw(), native_id })
                }
            },
            Ok(RowOutcome::Skipped) => Mapped::Skipped,
            Err(error) => {
                let raw = row.content.raw();
                Mapped::Refused(Refusal { reason: error.reason, detail: error.detail, raw, native_id: None })
            }
        };
        Some((row.location, mapped, bytes))
    }
}

impl Refusal {
    fn of(error: &OpenError) -> Self {
        Self { reason: Reason::Unreadable, detail: error.to_string(), raw: Vec::new(), native_id: None }
    }
}

impl std::fmt::Debug for MappedFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MappedFile({:?}, at {})", self.parts, self.place())
    }
}
