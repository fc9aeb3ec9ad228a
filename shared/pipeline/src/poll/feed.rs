//! Files instead of pages: which of them are to be read, and how far one is.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use stoop_domain::{Reason, Reject, Time};
use stoop_sources::declared::Order;
use stoop_sources::{Coverage, Cursor};

use super::rows::SourceFile;
use super::scan::Scan;
use super::{FileSet, PollError, PollPorts, Polled, Search};
use crate::loss::CompleteScan;
use crate::ports::{FileError, FileVersion, RunOutcome, ScanCheckpoint, SearchState};
use crate::snapshots::ProvesNothing;
use crate::with_causes;
use crate::{OneRowPerListing, Ordinals};

/// Rows taken at a time.
const ROWS_PER_PAGE: usize = 1_000;

/// A folder with more files than this is not read. What was read is remembered by the file, so this bounds that.
const FILES_MAX: usize = 50_000;

/// In a folder, a file that was written to a shorter time ago than this may still be written.
const QUIET_MS: i64 = 5_000;

/// Files named in a run's message, of each kind.
const NAMES_MAX: usize = 3;

/// How far a file was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct FilePosition {
    mark: u64,
    rows: u64,
    /// Rows of which not even the id was understood.
    unread: u64,
    /// It was read to its end, and what it lacks is noted as missing.
    judged: bool,
}

/// What became of a file.
enum FileOutcome {
    Read,
    /// The run is to stop; the rest is for the next.
    Stopped,
    /// It is not there any more, or another version is.
    Lost(String),
    /// It can't be read as what it should be.
    Unreadable(String),
    /// Too many of its rows are refused: it is not the file that the map is for.
    Wrong(String),
}

/// What is to be told of a run.
#[derive(Default)]
struct Report {
    lost: Vec<String>,
    unreadable: Vec<String>,
    wrong: Vec<String>,
    notes: Vec<String>,
}

/// Reads the files of a search that it has not read yet, the oldest first.
pub(super) async fn feed(
    search: &Search,
    files: &FileSet,
    run: &str,
    ports: PollPorts<'_>,
    state: SearchState,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let before = (state.files.marks.clone(), state.checkpoint.clone());
    let mut scan = Scan::new(search, run, ports, state, search.source.crawl_policy());
    scan.tell_jump(ports.clock.jumped_ms(), polled);
    let mut report = Report::default();
    let stopped = match scan.files(files, &mut report, polled).await {
        Ok(stopped) => stopped,
        Err(error) => {
            // What the stream has is seen; the rest is for the next run. Should saving fail too, the first failure
            // is the one to tell.
            if let Err(second) = scan.save().await {
                tracing::warn!(error = with_causes(&second), "the index could not be saved either");
            }
            return Err(error);
        }
    };
    let nothing_read = polled.listings == 0 && polled.files == 0;
    let failed = !report.wrong.is_empty() && (search.max_rejects.is_some() || polled.listings == 0)
        || !report.unreadable.is_empty() && nothing_read;
    let partial = stopped || [&report.lost, &report.unreadable, &report.wrong].iter().any(|files| !files.is_empty());
    polled.outcome = Some(match (failed, partial) {
        (true, _) => RunOutcome::Failed,
        (false, true) => RunOutcome::Partial,
        (false, false) => RunOutcome::Complete,
    });
    polled.message = report.message(stopped);
    // A person need not wait for another file.
    scan.began_at = scan.state.files.as_of.unwrap_or(scan.began_at);
    scan.tell_gone_again(polled).await?;
    let ruled = scan.do_as_ruled(polled).await?;
    polled.held_back = scan.state.held_back;
    // Most polls find nothing new, and the index may be large.
    let same = !ruled && polled.gone == 0 && before == (scan.state.files.marks.clone(), scan.state.checkpoint.clone());
    if same && polled.pages == 0 { Ok(()) } else { scan.save().await }
}

impl Scan<'_> {
    /// Whether the run was stopped before everything was read.
    async fn files(&mut self, set: &FileSet, report: &mut Report, polled: &mut Polled) -> Result<bool, PollError> {
        let listed = self.ports.files.list(&set.pattern, FILES_MAX + 1).await?;
        if listed.len() > FILES_MAX {
            let pattern = set.pattern.as_str();
            return Err(PollError::Source(format!(
                "{pattern}: there are more than {FILES_MAX} files; take away those that were read"
            )));
        }
        let there: BTreeSet<u64> = listed.iter().map(mark).collect();
        self.state.files.marks.retain(|mark| there.contains(mark));
        let position = self.position().filter(|position| there.contains(&position.mark));
        if position.is_none() {
            // It left half read, or another version came in its place: what was read of it was so all the same.
            self.state.checkpoint = None;
        }
        let now = self.ports.clock.now();
        let quiet = |file: &FileVersion| {
            self.ports.files.appear_whole() || (now.ms() - file.modified.ms()).unsigned_abs() >= QUIET_MS.unsigned_abs()
        };
        let in_hand = |file: &FileVersion| position.is_some_and(|position| position.mark == mark(file));
        let taken = &self.state.files.marks;
        let due = listed.into_iter().filter(|file| in_hand(file) || quiet(file) && !taken.contains(&mark(file)));
        let mut due: Vec<FileVersion> = due.collect();
        let time = |file: &FileVersion| set.map.time_of_file(&file.name, now).unwrap_or(file.modified).min(now);
        due.sort_by_cached_key(|file| (!in_hand(file), time(file), file.name.clone()));
        for file in due {
            if (self.ports.stop)() {
                return Ok(true);
            }
            let resumed = position.filter(|_| in_hand(&file));
            let fate = self.file(set, &file, time(&file), resumed, report, polled).await?;
            let left = self.refusals.leave(self.search.source.name(), &file.name, now);
            self.ports.quarantine.put(&left).await?;
            match fate {
                FileOutcome::Stopped => return Ok(true),
                FileOutcome::Read => polled.files += 1,
                FileOutcome::Lost(why) => {
                    report.lost.push(format!("{}: {why}", file.name));
                    self.state.checkpoint = None;
                    continue;
                }
                FileOutcome::Unreadable(why) => {
                    self.refuse(&file, why.clone(), polled).await?;
                    report.unreadable.push(why);
                }
                FileOutcome::Wrong(why) => report.wrong.push(format!("{}: {why}", file.name)),
            }
            self.state.checkpoint = None;
            self.state.files.marks.insert(mark(&file));
        }
        Ok(false)
    }

    /// Reads one file, from where an earlier run left it.
    async fn file(
        &mut self,
        set: &FileSet,
        file: &FileVersion,
        time: Time,
        resumed: Option<FilePosition>,
        report: &mut Report,
        polled: &mut Polled,
    ) -> Result<FileOutcome, PollError> {
        let newest = self.state.files.newest;
        let late = newest.is_some_and(|newest| time < newest);
        self.began_at = match (&self.state.checkpoint, resumed) {
            (Some(checkpoint), Some(_)) => checkpoint.began_at,
            _ => self.as_of(time, late),
        };
        let mut position = resumed.unwrap_or(FilePosition { mark: mark(file), rows: 0, unread: 0, judged: false });
        self.unread_rows = position.unread;
        self.refusals.judge_anew(position.rows);
        let mut open = match self.ports.files.open(file, &set.map, position.rows).await {
            Ok(open) => open,
            Err(error) => return fate(error),
        };
        let is_snapshot = set.coverage == Coverage::Snapshot;
        let mut source_file = SourceFile {
            name: &file.name,
            late,
            order: set.map.order(),
            as_of: (is_snapshot && !set.map.history()).then_some(self.began_at),
            coverage: set.coverage,
            initial: is_snapshot && !set.map.history() && self.initial,
            resumed: position.rows > 0,
            ordinals: Ordinals::new(set.map.order() == Order::NewestFirst),
            once: OneRowPerListing::default(),
        };
        loop {
            if (self.ports.stop)() {
                return Ok(FileOutcome::Stopped);
            }
            let now = self.ports.clock.now();
            let page = match open.page(ROWS_PER_PAGE, self.began_at, now).await {
                Ok(page) => page,
                Err(error) => return fate(error),
            };
            polled.pages += 1;
            polled.bytes += page.bytes_read;
            self.watch(&page.rows, page.ended, now, polled).await?;
            let (rows_read, ended, cut) = (page.rows_read, page.ended, page.cut.clone());
            if let Some(why) = self.take_rows(page, &mut source_file, now, polled).await? {
                return Ok(FileOutcome::Wrong(why));
            }
            position = FilePosition { rows: position.rows + rows_read, unread: self.unread_rows, ..position };
            self.state.checkpoint = Some(self.mark_place(position));
            if let Some(why) = cut {
                return Ok(FileOutcome::Unreadable(format!(
                    "{}: broken off behind row {}: {why}",
                    file.name, position.rows
                )));
            }
            if ended {
                break;
            }
            if self.is_checkpoint_due(polled) {
                self.save().await?;
            }
        }
        self.learn(polled);
        self.learn_contradictions(polled);
        if !late {
            if is_snapshot {
                self.judge(file, position, report, polled).await?;
            }
            self.state.files.newest = Some(time);
            self.state.files.as_of = Some(self.began_at);
            self.state.full_scan_at = Some(self.began_at);
            (self.state.begun, self.initial) = (true, false);
        } else if is_snapshot {
            self.note_overtaken();
        }
        Ok(FileOutcome::Read)
    }

    /// At the end of a file that should have every listing: what it lacks is missed.
    async fn judge(
        &mut self,
        file: &FileVersion,
        position: FilePosition,
        report: &mut Report,
        polled: &mut Polled,
    ) -> Result<(), PollError> {
        if position.judged {
            self.tell_gone_again(polled).await?;
            return Ok(());
        }
        let has_any = || self.state.listings.values().any(|entry| entry.seen_in_scan == self.began_at);
        let why = match position.unread {
            0 if has_any() => None,
            0 => Some(ProvesNothing::Empty),
            unread => Some(ProvesNothing::Unread(unread)),
        };
        if let Some(why) = why {
            report.notes.push(format!("{}: {why}", file.name));
            return Ok(());
        }
        self.do_as_ruled(polled).await?;
        // Saved together with what is missing, so that a run after a kill does not judge the same file twice.
        self.state.checkpoint = Some(self.mark_place(FilePosition { judged: true, ..position }));
        self.state.scans += 1;
        self.tell_gone(CompleteScan::Export, polled).await
    }

    /// What a snapshot that comes late was the last to have, the newest one lacks.
    fn note_overtaken(&mut self) {
        let (began_at, newest) = (self.began_at, self.state.files.as_of);
        let last_seen_here = self.state.listings.values_mut().filter(|entry| entry.seen_in_scan == began_at);
        last_seen_here.for_each(|entry| entry.missing_since = newest);
    }

    /// A file that can't be opened is in quarantine, once for each of its versions.
    async fn refuse(&mut self, file: &FileVersion, why: String, polled: &mut Polled) -> Result<(), PollError> {
        let version = format!("{} bytes, written at {}", file.size, file.modified);
        let (source, now) = (self.search.source.name(), self.ports.clock.now());
        let reject = Reject::new(source, now, file.name.clone(), Reason::Unreadable, why, version.as_bytes());
        self.ports.quarantine.put(&[reject]).await?;
        polled.rejects += 1;
        Ok(())
    }

    /// As of when a file counts that has this time: never as of the one before it, so that what two files of one
    /// moment say of a home has an order.
    fn as_of(&self, time: Time, late: bool) -> Time {
        match self.state.files.as_of {
            Some(before) if !late => time.max(before.plus_ms(1)),
            _ => time,
        }
    }

    fn position(&self) -> Option<FilePosition> {
        serde_json::from_str(&self.state.checkpoint.as_ref()?.cursor.position).ok()
    }

    fn mark_place(&self, position: FilePosition) -> ScanCheckpoint {
        let position = serde_json::to_string(&position).expect("numbers make JSON");
        self.checkpoint(&Cursor { position, ..Cursor::default() })
    }
}

/// A mark of a version of a file.
fn mark(file: &FileVersion) -> u64 {
    let FileVersion { name, size, modified, tag } = file;
    let version = format!("{size}\n{}\n{}\n{name}", modified.ms(), tag.as_deref().unwrap_or_default());
    let hash = blake3::hash(version.as_bytes());
    u64::from_le_bytes(std::array::from_fn(|i| hash.as_bytes()[i]))
}

fn fate(error: FileError) -> Result<FileOutcome, PollError> {
    match error {
        FileError::Left | FileError::Changed => Ok(FileOutcome::Lost(error.to_string())),
        FileError::Stopped => Ok(FileOutcome::Stopped),
        FileError::Unreadable(why) => Ok(FileOutcome::Unreadable(why)),
        FileError::Port(error) => Err(error.into()),
    }
}

impl Report {
    fn message(&self, stopped: bool) -> Option<String> {
        let mut parts = Vec::new();
        if stopped {
            parts.push("stopped; the next run goes on from here".to_owned());
        }
        for list in [&self.wrong, &self.unreadable, &self.lost, &self.notes] {
            parts.extend(list.iter().take(NAMES_MAX).cloned());
            if list.len() > NAMES_MAX {
                parts.push(format!("and {} more", list.len() - NAMES_MAX));
            }
        }
        (!parts.is_empty()).then(|| parts.join("; "))
    }
}
