//! A poll of files. [`page`] is the walk of one page of rows through all steps.

mod due;
mod position;
mod report;

use stoop_domain::{Reason, Reject, Time};
use stoop_sources::Coverage;
use stoop_sources::declared::Order;

use super::believe::Believer;
use super::check::{self, CheckedPage};
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
use super::settle::{ScanContext, do_as_ruled, judge_absent, report_gone_again};
use super::source_file::SourceFile;
use crate::ports::{FileError, FilePage, FileRow, FileVersion, OpenFile};
use crate::search::drift::DriftCheck;
use crate::search::loss::CompleteScan;
use crate::search::snapshots::ProvesNothing;
use crate::{OneRowPerListing, Ordinals, Refusals};
use due::{Due, due};
use position::FilePosition;
use report::Report;

/// The rows of a page.
const ROWS_PER_PAGE: usize = 1_000;

/// How reading a file ended.
enum FileOutcome {
    Read,
    /// The run is to stop. The next run reads the rest.
    Stopped,
    /// The file was removed or replaced.
    Lost(String),
    /// It is damaged or of another format.
    Unreadable(String),
    /// Too many of its rows are refused: the map is for another kind of file.
    Wrong(String),
}

/// The states of all steps. The walk passes each step only its own.
struct FileScan<'a> {
    scan: Scan<'a>,
    drift: DriftCheck,
    refusals: Refusals,
    index: Index<'a>,
    believer: Believer,
    report: Report,
}

/// Reads the files of a search that were not read yet, the oldest first.
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
    report_jump(&search.name, ports.clock.jumped_ms(&search.name), polled);
    let stopped = match walk(&mut of, files, polled).await {
        Ok(stopped) => stopped,
        Err(error) => {
            // The index keeps what the stream acknowledged. The next run reads the rest.
            of.index.save_after_failure().await;
            return Err(error);
        }
    };
    (polled.outcome, polled.message) = of.report.outcome(search, stopped, polled);
    // A ruling is applied even if there is no new file.
    of.scan.began_at = of.index.state.files.as_of.unwrap_or(of.scan.began_at);
    let look = look(&of.scan);
    report_gone_again(look, &mut of.index, polled).await?;
    let ruled = do_as_ruled(look, &mut of.index, polled).await?;
    let state = &of.index.state;
    polled.held_back = state.held_back;
    // Most polls find nothing new, and the index may be large.
    let same = !ruled && polled.gone == 0 && before == (state.files.marks.clone(), state.checkpoint.clone());
    if same && polled.pages == 0 { Ok(()) } else { of.index.save().await }
}

fn look<'a>(scan: &Scan<'a>) -> ScanContext<'a> {
    ScanContext { scan: *scan, at: scan.began_at, watch: scan.search.source.watch() }
}

/// Reads the files that are due. Returns whether the run was stopped before the last one.
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

/// Reads one file, from the position of an earlier run.
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

/// Why no further page of a file is read.
enum PageEnd {
    /// The file was read to its end.
    Last,
    Outcome(FileOutcome),
}

/// One page of rows, from the file to the index. `None` if another page follows.
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
    let CheckedPage { listings, refused_ids, unread_rows, rejects } = checked;
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

/// Sorts rows by their own times, unless the file is sorted or all have one time.
fn sort(rows: &mut [FileRow], source_file: &SourceFile<'_>) {
    if source_file.order != Order::ByTime && source_file.as_of.is_none() {
        rows.sort_by_key(|row| match row {
            FileRow::Found(observation, _) => observation.at,
            FileRow::Refused { .. } => Time::default(),
        });
    }
}

/// After the last row of a file: learns from it, and reports what is gone.
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

/// After a snapshot: decides what is gone.
async fn judge(
    of: &mut FileScan<'_>,
    file: &FileVersion,
    position: FilePosition,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let look = look(&of.scan);
    if position.judged {
        return report_gone_again(look, &mut of.index, polled).await;
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
    // This is saved together with the missing listings, so that a run after a kill does not decide on the same file
    // twice.
    let judged = FilePosition { judged: true, ..position };
    of.index.state.checkpoint = Some(of.scan.checkpoint(judged.cursor()));
    of.index.state.scans += 1;
    judge_absent(CompleteScan::Export, look, &mut of.index, polled).await
}

/// Puts a file that can't be read in quarantine, each version once.
async fn refuse(scan: &Scan<'_>, file: &FileVersion, why: String, polled: &mut Polled) -> Result<(), PollError> {
    let version = format!("{} bytes, written at {}", file.size, file.modified);
    let (source, now) = (scan.source(), scan.ports.clock.now());
    let reject = Reject::new(source, now, file.name.clone(), Reason::Unreadable, why, version.as_bytes());
    scan.ports.quarantine.put(&[reject]).await?;
    polled.rejects += 1;
    Ok(())
}

/// The time that a file is given. It is later than that of the file before, so that two files with one time have an
/// order.
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
