#[cfg(feature = "database")]
mod database;

use std::collections::HashSet;
use std::io::{BufRead, BufReader, Read};
use std::sync::Arc;

use deltalake::logstore::object_store::path::Path;
use deltalake::logstore::object_store::{Error as StoreError, ObjectStoreExt as _};
use flate2::bufread::MultiGzDecoder;
use futures_util::TryStreamExt as _;
use stoop_domain::Time;
use tokio::sync::mpsc;

use crate::error::{Doing, LakeError, doing};
use crate::place::Lake;

/// Lines of a chunk.
const ROWS_MAX: usize = 50_000;
/// Bytes of a chunk's lines.
const BYTES_MAX: usize = 32 << 20;
/// Files whose last lines are in one chunk: each is fetched on its own.
const OBJECTS_MAX: usize = 256;
/// A longer line is no observation: a record of the stream has at most 10 MiB.
const LINE_MAX: u64 = 16 << 20;
/// The folder of bronze in a bucket.
const FOLDER: &str = "lake/observations";
/// Where lines come from that are in no file yet.
const OUTBOX: &str = "outbox";

/// Lines of bronze on their way into the tables.
#[derive(Debug, Default)]
pub struct Chunk {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    /// The lines of each file, in order.
    pub(crate) parts: Vec<BronzePart>,
}

/// The lines of a chunk that are of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BronzePart {
    /// The path of the file, or `outbox`.
    pub object: Arc<str>,
    /// The number of its lines in this chunk.
    pub lines: usize,
    /// The number of all its lines, if the last one is in this chunk. `None` for the outbox, which has no end.
    pub ended: Option<u64>,
    /// Why the rest of the file cannot be read. It is never taken as a whole, and read again each time.
    pub damage: Option<Arc<str>>,
}

/// A file of bronze in a bucket that was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its path in the lake.
    pub path: String,
    location: Path,
    /// When it came.
    pub since: Time,
}

/// Chunks of bronze, made while the one before is written.
pub struct Bronze(mpsc::Receiver<Result<Chunk, LakeError>>);

impl Waiting {
    /// The files below `lake/observations/` of a bucket that were not `taken`, in the order in which they are read: by
    /// day of arrival. Objects without bytes, which stand for folders in S3's console, are none.
    ///
    /// # Errors
    /// If the bucket cannot be listed.
    pub async fn list(lake: &Lake, taken: &HashSet<String>) -> Result<Vec<Self>, LakeError> {
        let (store, base) = lake.objects()?;
        let folder = FOLDER.split('/').fold(base.clone(), |path, part| path.join(part));
        let mut found = Vec::new();
        let mut listed = store.list(Some(&folder));
        while let Some(object) = listed.try_next().await.map_err(doing(format!("list {FOLDER}")))? {
            let parts = object.location.prefix_match(&base).into_iter().flatten();
            let path = parts.map(|part| part.as_ref().to_owned()).collect::<Vec<_>>().join("/");
            if object.size > 0 && !taken.contains(&path) {
                let since = Time::from_ms(object.last_modified.timestamp_millis());
                found.push(Self { path, location: object.location, since });
            }
        }
        found.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }
}

impl Bronze {
    /// The lake of a bucket: these files, compressed by gzip, by zstd, or not at all.
    #[must_use]
    pub fn of_bucket(lake: Lake, files: Vec<Waiting>) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        tokio::spawn(async move {
            if let Err(error) = read_bucket(&lake, files, &sender).await {
                // If nobody listens any more, nobody needs the error.
                drop(sender.send(Err(error)).await);
            }
        });
        Self(receiver)
    }

    /// The next chunk. `None` after the last one.
    ///
    /// # Errors
    /// If bronze cannot be read.
    pub async fn next(&mut self) -> Result<Option<Chunk>, LakeError> {
        self.0.recv().await.transpose()
    }
}

async fn read_bucket(
    lake: &Lake,
    files: Vec<Waiting>,
    sender: &mpsc::Sender<Result<Chunk, LakeError>>,
) -> Result<(), LakeError> {
    let (store, _) = lake.objects()?;
    let to_receiver = sender.clone();
    let mut chunks = Chunks::new(move |chunk| to_receiver.blocking_send(chunk).is_ok());
    for Waiting { path, location, .. } in files {
        let failed = Doing::new(format!("read the file {path} of bronze"));
        let body = match store.get(&location).await {
            Ok(found) => Ok(found.bytes().await.map_err(|error| failed.by(error))?),
            // One that was removed since, or may not be read, is damaged; whatever else is wrong may be so with all.
            Err(error @ (StoreError::NotFound { .. } | StoreError::PermissionDenied { .. })) => Err(error.to_string()),
            Err(error) => return Err(failed.by(error)),
        };
        let pushed = tokio::task::spawn_blocking(move || {
            chunks.open(&path);
            let read = body.and_then(|body| {
                each_line(&body, |line| chunks.push(&path, line)).map_err(|damage| damage.to_string())
            });
            let is_going_on = match read {
                Ok(is_going_on) => is_going_on && chunks.end_object_if_many(),
                // The lines before are good, and so are the other files.
                Err(damage) => {
                    chunks.break_off(&damage);
                    true
                }
            };
            (chunks, is_going_on)
        });
        let is_going_on;
        (chunks, is_going_on) = pushed.await.map_err(|error| failed.by(error))?;
        if !is_going_on {
            return Ok(());
        }
    }
    tokio::task::spawn_blocking(move || chunks.end()).await.map_err(doing("read bronze"))
}

/// Passes the lines of a file, which may be compressed by gzip or zstd, to `visit` until it returns `false`. Of a line that
/// is too long it gets the beginning.
fn each_line(body: &[u8], mut visit: impl FnMut(&[u8]) -> bool) -> std::io::Result<bool> {
    let mut lines: Box<dyn BufRead> = match body {
        [0x1f, 0x8b, ..] => Box::new(BufReader::new(MultiGzDecoder::new(body))),
        [0x28, 0xb5, 0x2f, 0xfd, ..] => Box::new(BufReader::new(zstd::Decoder::with_buffer(body)?)),
        _ => Box::new(body),
    };
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = lines.by_ref().take(LINE_MAX + 1).read_until(b'\n', &mut line)?;
        if read == 0 {
            return Ok(true);
        }
        if line.pop_if(|byte| *byte == b'\n').is_none() && read as u64 > LINE_MAX {
            skip_line(lines.as_mut())?;
        }
        if !line.is_empty() && !visit(&line) {
            return Ok(false);
        }
    }
}

fn skip_line(lines: &mut dyn BufRead) -> std::io::Result<()> {
    loop {
        let buffer = lines.fill_buf()?;
        let (length, is_end) = match buffer.iter().position(|byte| *byte == b'\n') {
            Some(end) => (end + 1, true),
            None => (buffer.len(), buffer.is_empty()),
        };
        lines.consume(length);
        if is_end {
            return Ok(());
        }
    }
}

/// Makes chunks of lines, and sends each one that is full.
struct Chunks<S> {
    send: S,
    chunk: Chunk,
    /// The file of the last line, and how many lines it has had.
    object: Option<(Arc<str>, u64)>,
}

impl<S: FnMut(Result<Chunk, LakeError>) -> bool> Chunks<S> {
    fn new(send: S) -> Self {
        Self { send, chunk: Chunk::default(), object: None }
    }

    /// The following lines are of this file.
    fn open(&mut self, object: &str) {
        if self.object.as_ref().is_none_or(|(last, _)| last.as_ref() != object) {
            self.end_object();
            self.object = Some((object.into(), 0));
        }
    }

    /// Returns `false` if nobody wants more.
    fn push(&mut self, object: &str, line: &[u8]) -> bool {
        self.open(object);
        let is_full = self.chunk.ends.len() >= ROWS_MAX || self.chunk.bytes.len() + line.len() > BYTES_MAX;
        if is_full && !self.chunk.ends.is_empty() && !(self.send)(Ok(std::mem::take(&mut self.chunk))) {
            return false;
        }
        if let Some((name, count)) = &mut self.object {
            *count += 1;
            self.chunk.part_of(name).lines += 1;
        }
        self.chunk.bytes.extend_from_slice(line);
        self.chunk.ends.push(self.chunk.bytes.len());
        true
    }

    /// The last file has no more lines. Sends the chunk if it has many files. Returns `false` if nobody wants more.
    fn end_object_if_many(&mut self) -> bool {
        self.end_object();
        self.chunk.parts.len() < OBJECTS_MAX || (self.send)(Ok(std::mem::take(&mut self.chunk)))
    }

    /// The last file has no more lines.
    fn end_object(&mut self) {
        let Some((object, lines)) = self.object.take() else { return };
        if object.as_ref() == OUTBOX {
            return;
        }
        // Its last line may be in a chunk that was sent.
        self.chunk.part_of(&object).ended = Some(lines);
    }

    /// The rest of the file cannot be read.
    fn break_off(&mut self, damage: &str) {
        if let Some((object, _)) = self.object.take() {
            self.chunk.part_of(&object).damage = Some(damage.into());
        }
    }

    fn end(mut self) {
        self.end_object();
        if !self.chunk.parts.is_empty() {
            // If nobody listens any more, nobody needs the error.
            let _is_wanted = (self.send)(Ok(std::mem::take(&mut self.chunk)));
        }
    }
}

impl Chunk {
    /// All lines of a file.
    pub fn of_object<'a>(object: &str, lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut chunk = Self::default();
        for line in lines {
            chunk.bytes.extend_from_slice(line);
            chunk.ends.push(chunk.bytes.len());
        }
        let lines = chunk.ends.len();
        chunk.parts.push(BronzePart { object: object.into(), lines, ended: Some(lines as u64), damage: None });
        chunk
    }

    /// The part of a file of which lines are added, which is the last one.
    fn part_of(&mut self, object: &Arc<str>) -> &mut BronzePart {
        if self.parts.last().is_none_or(|last| !Arc::ptr_eq(&last.object, object)) {
            self.parts.push(BronzePart { object: Arc::clone(object), lines: 0, ended: None, damage: None });
        }
        let last = self.parts.len() - 1;
        &mut self.parts[last]
    }

    /// The files whose last line is in this chunk.
    pub fn ended(&self) -> impl Iterator<Item = &Arc<str>> {
        self.parts.iter().filter(|part| part.ended.is_some()).map(|part| &part.object)
    }

    /// The lines, each with the number of its part.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (usize, &[u8])> {
        let parts = self.parts.iter().enumerate().flat_map(|(part, lines)| std::iter::repeat_n(part, lines.lines));
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        parts.zip(starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end]))
    }

    /// Whether a line is longer than any observation.
    pub(crate) fn is_too_long(line: &[u8]) -> bool {
        line.len() as u64 > LINE_MAX
    }
}
