use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError};

use stoop_domain::{Observation, Reason, Time};
use stoop_sources::declared::{Map, Outcome, Reader, Row};

use crate::bytes::{Failure, ReadAt, Watched};
use crate::open::{OpenError, Rows};
use crate::parts::{Part, Parts};
use crate::row::{Content, Location, ReadOptions, RowFault};

/// A page is over when its rows have so many bytes, so that long rows fill no memory.
const PAGE_BYTES: usize = 16 << 20;

/// A file that is read through a map. Rows are counted across the files of an archive, so that a place in it is one
/// number: the same file gives the same rows each time.
pub struct MappedFile {
    map: Map,
    parts: Parts,
    part: Option<Bound>,
    /// The part in hand, and the row in it that was given last.
    name: String,
    location: Option<Location>,
    failure: Failure,
    /// Bytes that were told with a page.
    bytes_reported: u64,
    /// How long the rows of the page in hand are.
    page_bytes: usize,
}

/// Rows of a file that is read through a map.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MappedPage {
    /// The rows that the map does not leave out; for those that are refused, where they stand.
    pub rows: Vec<(Mapped, String)>,
    /// How many rows these are in the file, those included that the map leaves out.
    pub rows_read: u64,
    /// How many bytes were read for them, and for what was passed over before them, as the file lies there.
    pub bytes_read: u64,
    /// Nothing comes behind them.
    pub ended: bool,
    /// The file has more, which is not read: the bound that it has reached, in words.
    pub cut: Option<String>,
}

/// A part, and the map's reader for it.
struct Bound {
    name: String,
    rows: Rows,
    reader: Reader,
}

/// What became of a row.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "nearly every row is an observation; a box would cost each one")]
pub enum Mapped {
    /// It is a listing, and can be one (`Observation::check`).
    Observation(Observation),
    /// The map says that it is none.
    Skipped,
    /// It is refused. A file of an archive that cannot be read is one such row.
    Refused(Refusal),
}

/// Why a row is refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The kind of reason, for counting.
    pub reason: Reason,
    /// What is wrong, in words.
    pub detail: String,
    /// Its beginning.
    pub raw: Vec<u8>,
    /// Which listing it is of, where that much was understood.
    pub native_id: Option<String>,
}

impl MappedFile {
    /// Opens a file by its bytes, wherever they lie. `path` is its name.
    ///
    /// # Errors
    /// As [`Parts::of`]; and when the map asks for columns that the file does not have. In an archive that is told
    /// of each file in its turn.
    pub fn of(path: &Path, bytes: Arc<dyn ReadAt>, map: &Map) -> Result<Self, OpenError> {
        let (bytes, failure) = Watched::new(bytes);
        let opened = Parts::of(path, Arc::new(bytes), &ReadOptions::of(map));
        let opened = opened.and_then(|parts| Self::new(parts, map, Arc::clone(&failure)));
        match failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(source) => Err(OpenError::Bytes { path: path.to_owned(), source }),
            None => opened,
        }
    }

    fn new(mut parts: Parts, map: &Map, failure: Failure) -> Result<Self, OpenError> {
        let part = if parts.is_archive() {
            None
        } else {
            parts.next_part().transpose()?.map(|part| bind(part, map)).transpose()?
        };
        let name = parts.name();
        Ok(Self { map: map.clone(), parts, part, name, location: None, failure, bytes_reported: 0, page_bytes: 0 })
    }

    /// What can be known of an archive's files before they are read: which of them do not fit the map. Files that
    /// are no listings are not told of.
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

    /// The next row; `None` behind the last. `as_of` is when it counts as observed where the map does not tell; `now`
    /// is the moment of reading, against which dates in the future are found.
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

    /// The next rows, at most so many.
    ///
    /// # Errors
    /// When the bytes of the file could not be had. What was read before that is lost: open the file anew.
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
                Mapped::Observation(_) => page.rows.push((mapped, String::new())),
                Mapped::Refused(_) => page.rows.push((mapped, self.place())),
            }
        }
        page.cut = self.cut();
        page.bytes_read = self.bytes_read().saturating_sub(self.bytes_reported);
        self.bytes_reported = self.bytes_read();
        match self.failure.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(error) => Err(error),
            None => Ok(page),
        }
    }

    /// Passes over so many rows without looking into them, and gives how many there were.
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

    /// The bound that the file has reached, in words: what comes behind is not read.
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

    /// Where the row stands that was given last: `export.zip/homes.csv: line 7`; of a file that cannot be read, its
    /// name.
    #[must_use]
    pub fn place(&self) -> String {
        match self.location {
            Some(location) => format!("{}: {location}", self.name),
            None => self.name.clone(),
        }
    }

    /// How many bytes of the file have been read, as it lies where it is.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.parts.bytes_read()
    }

    /// How many bytes the file has where it lies.
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
    /// The row that comes next, and how long it is as it was read.
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
            Content::Json(bytes) => self.reader.read(Row::Json(bytes), &self.name, as_of),
            Content::Csv(record) => self.reader.read(Row::Csv(record), &self.name, as_of),
            Content::Comment(_) => Ok(Outcome::Skipped),
        };
        let mapped = match read {
            Ok(Outcome::Observation(observation)) => match observation.check(now) {
                Ok(()) => Mapped::Observation(observation),
                Err((reason, detail)) => {
                    let native_id = Some(observation.native_id);
                    Mapped::Refused(Refusal { reason, detail, raw: row.content.raw(), native_id })
                }
            },
            Ok(Outcome::Skipped) => Mapped::Skipped,
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
