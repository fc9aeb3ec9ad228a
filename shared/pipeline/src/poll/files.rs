//! Polls files instead of pages: chooses the files to read, and takes each page of rows through all steps.

mod due;
mod position;
mod report;

use stoop_domain::{Reason, Reject, Time};
use stoop_sources::Coverage;
use stoop_sources::declared::Order;

use super::believe::Believer;
use super::check::{self, Checked};
use super::context::PollPorts;
use super::diff;
use super::error::PollError;
use super::index::Index;
use super::jumps::report_jump;
use super::origin::FileSet;
use super::polled::Polled;
use super::publish::publish;
use super::scan::Scan;
use super::search::Search;
use super::settle::{Look, do_as_ruled, judge_absent, say_gone_again};
use super::source_file::SourceFile;
use crate::drift::DriftCheck;
use crate::loss::CompleteScan;
use crate::ports::{FileError, FilePage, FileRow, FileVersion, OpenFile};
use crate::snapshots::ProvesNothing;
use crate::{OneRowPerListing, Ordinals, Refusals};
use due::{Due, due};
use position::FilePosition;
use report::Report;

/// Rows per page.
const ROWS_PER_PAGE: usize = 1_000;

/// The outcome of reading a file.
enum FileOutcome {
    Read,
    /// The run must stop; the next run continues.
    Stopped,
    /// The file was deleted or replaced.
    Lost(String),
    /// The file does not have the expected format.
    Unreadable(String),
    /// Too many rows are refused: it is not a file for this map.
    Wrong(String),
}

/// The state of each step of a poll of files.
struct FileScan<'a> {
    scan: Scan<'a>,
    drift: DriftCheck,
    refusals: Refusals,
    index: Index<'a>,
    believer: Believer,
    report: Report,
}

/// Reads the new files of a search, the oldest first.
pub(super) async fn poll(
    search: &Search,
    files: &FileSet,
    run: &str,
    ports: PollPorts<'_>,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let index = Index::load(search, ports.index, ports.clock).await?;
    let before = (index.state.files.marks.clone(), index.state.checkpoint.clone());
    let now = ports.clock.now();
    let began_at = index.state.seen.map_or(now, |seen| now.max(seen.plus_ms(1)));
    let initial = !index.state.begun && index.state.full_scan_at.is_none();
    let scan = Scan { search, ports, run, began_at, initial, incremental: false, resumed: false };
    let (drift, refusals, believer, report) = <_>::default();
    let mut of = FileScan { scan, drift, refusals, index, believer, report };
    report_jump(&search.name, ports.clock.jumped_ms(), polled);
    let stopped = match walk(&mut of, files, polled).await {
        Ok(stopped) => stopped,
        Err(error) => {
            // What the stream has counts as seen; the next run continues.
            of.index.save_after_failure().await;
            return Err(error);
        }
    };
    (polled.outcome, polled.message) = of.report.outcome(search, stopped, polled);
    // A person's ruling need not wait for another file.
    of.scan.began_at = of.index.state.files.as_of.unwrap_or(of.scan.began_at);
    let look = look(&of.scan);
    say_gone_again(look, &mut of.index, polled).await?;
    let ruled = do_as_ruled(look, &mut of.index, polled).await?;
    let state = &of.index.state;
    polled.held_back = state.held_back;
    // Most polls find nothing new, and the index may be large: save only changes.
    let same = !ruled && polled.gone == 0 && before == (state.files.marks.clone(), state.checkpoint.clone());
    if same && polled.pages == 0 { Ok(()) } else { of.index.save().await }
}

fn look<'a>(scan: &Scan<'a>) -> Look<'a> {
    Look { scan: *scan, at: scan.began_at, watch: scan.search.source.watch() }
}

/// Reads the files that are due. Returns whether the run was stopped before everything was read.
async fn walk(of: &mut FileScan<'_>, set: &FileSet, polled: &mut Polled) -> Result<bool, PollError> {
    let ports = of.scan.ports;
    let now = ports.clock.now();
    for Due { file, time, resumed } in due(set, now, ports, &mut of.index.state).await? {
        if (ports.stop)() {
            return Ok(true);
        }
        let outcome = read_file(of, set, &file, time, resumed, polled).await?;
        let left = of.refusals.leave(of.scan.source(), &file.name, now);
        ports.quarantine.put(&left).await?;
        let state = &mut of.index.state;
        match outcome {
            FileOutcome::Stopped => return Ok(true),
            FileOutcome::Read => polled.files += 1,
            FileOutcome::Lost(why) => {
                of.report.lost.push(format!("{}: {why}", file.name));
                state.checkpoint = None;
                continue;
            }
            FileOutcome::Unreadable(why) => {
                refuse(&of.scan, &file, why.clone(), polled).await?;
                of.report.unreadable.push(why);
            }
            FileOutcome::Wrong(why) => of.report.wrong.push(format!("{}: {why}", file.name)),
        }
        state.checkpoint = None;
        state.files.marks.insert(position::mark(&file));
    }
    Ok(false)
}

/// Reads one file, from where an earlier run stopped.
async fn read_file(
    of: &mut FileScan<'_>,
    set: &FileSet,
    file: &FileVersion,
    time: Time,
    resumed: Option<FilePosition>,
    polled: &mut Polled,
) -> Result<FileOutcome, PollError> {
    let state = &of.index.state;
    let late = state.files.newest.is_some_and(|newest| time < newest);
    of.scan.began_at = match (&state.checkpoint, resumed) {
        (Some(checkpoint), Some(_)) => checkpoint.began_at,
        _ => as_of(time, late, state.files.as_of),
    };
    let mut position = resumed.unwrap_or_else(|| FilePosition::begin(file));
    of.refusals.judge_anew(position.rows);
    let mut open = match of.scan.ports.files.open(file, &set.map, position.rows).await {
        Ok(open) => open,
        Err(error) => return outcome_of(error),
    };
    let mut source_file = source_file(set, file, late, position.rows > 0, &of.scan);
    loop {
        if (of.scan.ports.stop)() {
            return Ok(FileOutcome::Stopped);
        }
        match page(of, &mut *open, &mut source_file, &mut position, polled).await? {
            Some(PageEnd::Last) => break,
            Some(PageEnd::Outcome(outcome)) => return Ok(outcome),
            None if of.index.is_save_due(polled.pages) => of.index.save().await?,
            None => {}
        }
    }
    file_ended(of, set.coverage, file, time, late, position, polled).await?;
    Ok(FileOutcome::Read)
}

fn source_file<'f>(set: &FileSet, file: &'f FileVersion, late: bool, resumed: bool, scan: &Scan<'_>) -> SourceFile<'f> {
    let as_of = (set.coverage == Coverage::Snapshot && !set.map.history()).then_some(scan.began_at);
    SourceFile {
        name: &file.name,
        late,
        order: set.map.order(),
        as_of,
        coverage: set.coverage,
        initial: as_of.is_some() && scan.initial,
        resumed,
        ordinals: Ordinals::new(set.map.order() == Order::NewestFirst),
        once: OneRowPerListing::default(),
    }
}

/// The end of a file's pages.
enum PageEnd {
    /// The file was read to its end.
    Last,
    Outcome(FileOutcome),
}

/// Takes one page of rows from the file to the index. `None` if another page follows.
async fn page(
    of: &mut FileScan<'_>,
    open: &mut dyn OpenFile,
    source_file: &mut SourceFile<'_>,
    position: &mut FilePosition,
    polled: &mut Polled,
) -> Result<Option<PageEnd>, PollError> {
    let scan = of.scan;
    let now = scan.ports.clock.now();
    let page = match open.page(ROWS_PER_PAGE, scan.began_at, now).await {
        Ok(page) => page,
        Err(error) => return Ok(Some(PageEnd::Outcome(outcome_of(error)?))),
    };
    let FilePage { mut rows, rows_read, bytes_read, ended, cut } = page;
    polled.pages += 1;
    polled.bytes += bytes_read;
    check::watch(&rows, ended, now, &scan, &mut of.drift, &of.index.state, polled).await?;

    sort(&mut rows, source_file);
    of.refusals.pass(rows_read.saturating_sub(rows.len() as u64));
    polled.rows += rows_read;
    let checked = check::rows(rows, now, &scan, source_file, &of.index, &mut of.refusals, polled);
    let Checked { listings, refused_ids, unread_rows, rejects } = checked;
    if !source_file.late {
        refused_ids.iter().for_each(|native_id| of.index.saw(native_id, scan.began_at));
    }
    if let Some(why) = of.refusals.too_many(scan.search.max_rejects, ended) {
        polled.not_taken += listings.len() as u64;
        scan.ports.quarantine.put(&rejects).await?;
        return Ok(Some(PageEnd::Outcome(FileOutcome::Wrong(why))));
    }

    of.index.look_elsewhere().await?;
    let changes = diff::rows(listings, scan.began_at, source_file, &mut of.index);
    publish(changes, &rejects, &scan, &mut of.believer, &mut of.index, polled).await?;
    position.rows += rows_read;
    position.unread += unread_rows;
    of.index.state.checkpoint = Some(scan.checkpoint(position.cursor()));
    Ok(match cut {
        Some(why) => {
            let why = format!("{}: broken off behind row {}: {why}", source_file.name, position.rows);
            Some(PageEnd::Outcome(FileOutcome::Unreadable(why)))
        }
        None => ended.then_some(PageEnd::Last),
    })
}

/// Sorts rows with their own times by time, unless the map declares that order.
fn sort(rows: &mut [FileRow], source_file: &SourceFile<'_>) {
    if source_file.order != Order::ByTime && source_file.as_of.is_none() {
        rows.sort_by_key(|row| match row {
            FileRow::Found(observation) => observation.at,
            FileRow::Refused { .. } => Time::default(),
        });
    }
}

/// Handles the end of a file: learns from all of its rows and, for a snapshot, handles the listings that it lacks.
async fn file_ended(
    of: &mut FileScan<'_>,
    coverage: Coverage,
    file: &FileVersion,
    time: Time,
    late: bool,
    position: FilePosition,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let scan = of.scan;
    check::learn(&mut of.drift, &scan, &mut of.index.state, polled);
    of.believer.learn(&scan.search.name, &mut of.index.state.distrust, polled);
    let is_snapshot = coverage == Coverage::Snapshot;
    if late {
        if is_snapshot {
            let newest = of.index.state.files.as_of;
            of.index.note_overtaken(scan.began_at, newest);
        }
        return Ok(());
    }
    if is_snapshot {
        judge(of, file, position, polled).await?;
    }
    let state = &mut of.index.state;
    state.files.newest = Some(time);
    state.files.as_of = Some(scan.began_at);
    state.full_scan_at = Some(scan.began_at);
    state.begun = true;
    of.scan.initial = false;
    Ok(())
}

/// At the end of a file with snapshot coverage: marks listings that it lacks as missing.
async fn judge(
    of: &mut FileScan<'_>,
    file: &FileVersion,
    position: FilePosition,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let look = look(&of.scan);
    if position.judged {
        return say_gone_again(look, &mut of.index, polled).await;
    }
    let why = match position.unread {
        0 if of.index.has_any_of(of.scan.began_at) => None,
        0 => Some(ProvesNothing::Empty),
        unread => Some(ProvesNothing::Unread(unread)),
    };
    if let Some(why) = why {
        of.report.notes.push(format!("{}: {why}", file.name));
        return Ok(());
    }
    do_as_ruled(look, &mut of.index, polled).await?;
    // Saved together with the missing listings, so that a run after a kill does not judge the same file twice.
    let judged = FilePosition { judged: true, ..position };
    of.index.state.checkpoint = Some(of.scan.checkpoint(judged.cursor()));
    of.index.state.scans += 1;
    judge_absent(CompleteScan::Export, look, &mut of.index, polled).await
}

/// Puts a file that cannot be opened into quarantine, once for each of its versions.
async fn refuse(scan: &Scan<'_>, file: &FileVersion, why: String, polled: &mut Polled) -> Result<(), PollError> {
    let version = format!("{} bytes, written at {}", file.size, file.modified);
    let (source, now) = (scan.source(), scan.ports.clock.now());
    let reject = Reject::new(source, now, file.name.clone(), Reason::Unreadable, why, version.as_bytes());
    scan.ports.quarantine.put(&[reject]).await?;
    polled.rejects += 1;
    Ok(())
}

/// The time that a file of this time counts as: never that of the file before it, so that the rows of two files with
/// the same time are ordered.
fn as_of(time: Time, late: bool, before: Option<Time>) -> Time {
    match before {
        Some(before) if !late => time.max(before.plus_ms(1)),
        _ => time,
    }
}

fn outcome_of(error: FileError) -> Result<FileOutcome, PollError> {
    match error {
        FileError::Left | FileError::Changed => Ok(FileOutcome::Lost(error.to_string())),
        FileError::Stopped => Ok(FileOutcome::Stopped),
        FileError::Unreadable(why) => Ok(FileOutcome::Unreadable(why)),
        FileError::Port(error) => Err(error.into()),
    }
}
