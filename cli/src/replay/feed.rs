use std::time::{Duration, Instant};

use stoop_domain::{Observation, Reason, Reject, Status, Time, Watch};
use stoop_embedded::Database;
use stoop_files::{Mapped, Refusal};
use stoop_pipeline::ports::Quarantine;
use stoop_pipeline::{Clock, OneRowPerListing, Ordinals, Refusals, SnapshotResult, Snapshots};
use stoop_runtime::SystemClock;

use super::Source;
use super::alike::Alike;
use super::progress::Progress;
use super::sort::Sorter;
use super::summary::{Summary, hash_of_home};
use crate::args::ReplayArgs;
use crate::intake::Intake;
use crate::stop::Stop;

/// Observations given to the intake at a time: few enough to stay in the processor's cache.
const BATCH: usize = 512;

/// Rejects kept in memory until they are written.
const REJECTS_PENDING_MAX: usize = 1_000;

/// The share of rejects is judged from this row on, and at the end: before it, nothing is taken in yet.
const JUDGED_FROM_ROW: u64 = 1_000;

/// Why feeding ended.
pub(crate) enum Halt {
    End,
    Stopped,
    TooManyRejects(String),
    /// A file has more than is read of it.
    Cut(String),
}

/// Feeds rows to the intake.
pub(crate) struct Feed<'f, 'd> {
    pub(super) intake: &'f mut Intake<'d>,
    pub(super) database: &'d Database,
    pub(super) args: &'f ReplayArgs,
    pub(super) stop: &'f Stop,
    pub(super) progress: &'f Progress,
    pub(super) summary: &'f mut Summary,
    pub(super) batch: Vec<Observation>,
    /// Rows of one listing and time stand with the latest first.
    pub(super) newest_first: bool,
    /// Files tell the past of their listings: rows were seen at their own time, also those of a snapshot.
    pub(super) history: bool,
    /// Where each file is a snapshot: what those read so far had.
    pub(super) snapshots: Option<Snapshots>,
    /// Where none was said to be: whether they look like it.
    pub(super) alike: Alike,
}

/// What happens to the observations that were read.
enum Sink {
    /// They are taken in as they come.
    Intake,
    /// They are sorted first.
    Sorter(Sorter),
}

impl Feed<'_, '_> {
    /// Rows that come in order of time are taken in as they are read.
    pub(crate) async fn by_time(&mut self, sources: Vec<Source>) -> anyhow::Result<Halt> {
        let halt = self.read_all(sources, &mut Sink::Intake).await?;
        if !matches!(halt, Halt::TooManyRejects(_)) {
            self.take().await?;
        }
        Ok(halt)
    }

    /// Rows in any order are read and sorted first, in bounded memory, and taken in then.
    pub(crate) async fn sorted(&mut self, sources: Vec<Source>) -> anyhow::Result<Halt> {
        let mut sink = Sink::Sorter(Sorter::default());
        let halt = self.read_all(sources, &mut sink).await?;
        // What was read in part cannot be sorted: rows still unread may come before all of it. What is behind a bound
        // will never be read.
        if !matches!(halt, Halt::End | Halt::Cut(_)) {
            return Ok(halt);
        }
        let Sink::Sorter(sorter) = sink else { return Ok(halt) };
        let mut pace = Pace::new(self.args.rate);
        for observation in sorter.finish()? {
            self.batch.push(observation?);
            if self.gather(pace.is_due()).await? {
                self.take().await?;
            }
            pace.row().await;
            if self.stop.is_set() {
                self.take().await?;
                return Ok(Halt::Stopped);
            }
        }
        self.take().await?;
        Ok(halt)
    }

    async fn read_all(&mut self, sources: Vec<Source>, sink: &mut Sink) -> anyhow::Result<Halt> {
        let mut rejects = Vec::new();
        let mut refusals = Refusals::default();
        let mut pace = Pace::new(self.args.rate.filter(|_| matches!(sink, Sink::Intake)));
        let now = SystemClock.now();
        for mut source in sources {
            let as_of = self.snapshots.as_mut().map_or(now, |snapshots| snapshots.begin(source.as_of));
            let is_first = self.snapshots.as_ref().is_some_and(Snapshots::is_first);
            let (mut ordinals, mut once) = (Ordinals::new(self.newest_first), OneRowPerListing::default());
            let is_of_one_moment = self.snapshots.is_some() && !self.history;
            let mut unread = 0;
            while let Some(mut read) = read_row(&mut source, as_of, now) {
                if let (true, Read::Observation(row)) = (is_of_one_moment, &read)
                    && let Some((reason, detail)) = once.refuse(row)
                {
                    read = refused(&source, now, reason, detail, &line_of(row), Some(row.native_id.clone()));
                }
                // What a stop keeps from being read is not refused.
                if matches!(read, Read::Refused(..)) && self.stop.is_set() {
                    rejects.extend(refusals.leave(&source.source, &source.name, now));
                    self.quarantine(&mut rejects).await?;
                    return Ok(Halt::Stopped);
                }
                self.summary.rows += 1;
                match read {
                    Read::Observation(mut observation) => {
                        if is_of_one_moment {
                            observation.seen = as_of.max(observation.at);
                            observation.initial = is_first;
                            observation.watch = Watch::Complete;
                        }
                        ordinals.give(&mut observation);
                        self.see(&observation);
                        self.keep(observation, sink)?;
                    }
                    Read::Skipped => self.summary.skipped += 1,
                    Read::Refused(reject, native_id) => {
                        match (&mut self.snapshots, native_id) {
                            (Some(snapshots), Some(native_id)) => snapshots.note(&native_id),
                            (_, None) => unread += 1,
                            (None, Some(_)) => {}
                        }
                        self.summary.refuse(&reject);
                        rejects.extend(refusals.refuse(*reject));
                    }
                }
                pace.row().await;
                let full = self.gather(pace.is_due()).await?;
                let pause = full || rejects.len() >= REJECTS_PENDING_MAX || self.summary.rows.is_multiple_of(4_096);
                if !pause {
                    continue;
                }
                if self.summary.rows >= JUDGED_FROM_ROW
                    && let Some(why) = self.too_many_rejects(&source.name)
                {
                    rejects.extend(refusals.leave(&source.source, &source.name, now));
                    self.quarantine(&mut rejects).await?;
                    return Ok(Halt::TooManyRejects(why));
                }
                if full {
                    self.take().await?;
                }
                if rejects.len() >= REJECTS_PENDING_MAX {
                    self.quarantine(&mut rejects).await?;
                }
                self.progress.show(self.summary.rows, &source.rows);
                if self.stop.is_set() {
                    rejects.extend(refusals.leave(&source.source, &source.name, now));
                    self.quarantine(&mut rejects).await?;
                    return Ok(Halt::Stopped);
                }
            }
            rejects.extend(refusals.leave(&source.source, &source.name, now));
            // What lies behind a bound may be all that a snapshot seems to lack.
            if let Some(why) = source.rows.cut() {
                self.quarantine(&mut rejects).await?;
                return Ok(Halt::Cut(format!("{}: broken off: {why}", source.name)));
            }
            self.end_file(&source, unread, sink)?;
            self.progress.file_done(&source.rows);
            if let Some(why) = self.too_many_rejects(&source.name) {
                self.quarantine(&mut rejects).await?;
                return Ok(Halt::TooManyRejects(why));
            }
        }
        self.quarantine(&mut rejects).await?;
        Ok(Halt::End)
    }

    fn see(&mut self, observation: &Observation) {
        match &mut self.snapshots {
            Some(snapshots) => snapshots.see(observation),
            None => self.alike.see(|| hash_of_home(observation)),
        }
    }

    /// At the end of a file: what it says by what it lacks, where it is a snapshot.
    fn end_file(&mut self, source: &Source, unread: u64, sink: &mut Sink) -> anyhow::Result<()> {
        let Some(snapshots) = &mut self.snapshots else {
            self.alike.end_file();
            return Ok(());
        };
        let SnapshotResult { observations, held_back, proves_nothing } = snapshots.end(unread);
        if let Some(held_back) = held_back {
            self.summary.note(format!("{}: {held_back}", source.name));
        }
        if let Some(why) = proves_nothing {
            self.summary.note(format!("{}: {why}", source.name));
        }
        for observation in observations {
            let gone = observation.listing.status == Status::Gone;
            self.summary.gone += u64::from(self.keep(observation, sink)? && gone);
        }
        Ok(())
    }

    /// Takes an observation in, or leaves it out by its time; whether it was taken.
    fn keep(&mut self, observation: Observation, sink: &mut Sink) -> anyhow::Result<bool> {
        let early = self.args.from.is_some_and(|from| observation.at < from);
        let late = self.args.until.is_some_and(|until| observation.at >= until);
        if early || late {
            self.summary.cut += 1;
            return Ok(false);
        }
        self.summary.note_home(&observation);
        match sink {
            Sink::Intake => self.batch.push(observation),
            Sink::Sorter(sorter) => sorter.push(observation)?,
        }
        Ok(true)
    }

    /// Gives the intake what was read, where that is a batch. Says whether it is time to have it stored.
    async fn gather(&mut self, is_due: bool) -> anyhow::Result<bool> {
        if self.batch.len() >= BATCH {
            self.intake.gather(&self.batch).await?;
            self.batch.clear();
        }
        Ok(is_due || self.intake.is_full())
    }

    /// Has everything stored that was read.
    async fn take(&mut self) -> anyhow::Result<()> {
        let (measured, alerted) = self.intake.take(&self.batch).await?;
        self.batch.clear();
        self.summary.measured.add(&measured);
        self.summary.alerts += alerted.sent.len() as u64;
        self.summary.suspects += alerted.suspects.len() as u64;
        Ok(())
    }

    async fn quarantine(&mut self, rejects: &mut Vec<Reject>) -> anyhow::Result<()> {
        self.database.put(rejects).await?;
        rejects.clear();
        Ok(())
    }

    /// Says so where more rows were refused than the user wants to bear.
    fn too_many_rejects(&self, file: &str) -> Option<String> {
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let percent = self.summary.quarantined as f64 / self.summary.rows.max(1) as f64 * 100.0;
        (percent > self.args.max_rejects).then(|| {
            let reasons = self.summary.reasons_in_words();
            format!(
                "{file}: {} of the first {} rows are refused ({percent:.1} %, more than --max-rejects {}): {reasons}.\n       \
                 Is it the right file for this map? `stoop quarantine` shows the rows.",
                self.summary.quarantined, self.summary.rows, self.args.max_rejects,
            )
        })
    }
}

/// What became of one row.
#[expect(clippy::large_enum_variant, reason = "nearly every row is an observation; a box would cost each one")]
enum Read {
    Observation(Observation),
    Skipped,
    /// With the id of its listing, where that much was understood.
    Refused(Box<Reject>, Option<String>),
}

fn read_row(source: &mut Source, as_of: Time, now: Time) -> Option<Read> {
    Some(match source.rows.next_row(as_of, now)? {
        Mapped::Skipped => Read::Skipped,
        Mapped::Observation(observation) => Read::Observation(observation),
        Mapped::Refused(Refusal { reason, detail, raw, native_id }) => {
            refused(source, now, reason, detail, &raw, native_id)
        }
    })
}

fn refused(source: &Source, now: Time, reason: Reason, detail: String, raw: &[u8], native_id: Option<String>) -> Read {
    Read::Refused(Box::new(Reject::new(&source.source, now, source.rows.place(), reason, detail, raw)), native_id)
}

/// A row as the stream would carry it.
fn line_of(row: &Observation) -> Vec<u8> {
    let mut line = Vec::new();
    stoop_wire::encode(row, &mut line);
    line
}

/// Keeps to so many rows a second, and asks for what was read to be taken in twice a second.
struct Pace {
    rate: Option<u64>,
    began: Instant,
    rows: u64,
    taken: Instant,
}

impl Pace {
    fn new(rate: Option<u64>) -> Self {
        let now = Instant::now();
        Self { rate, began: now, rows: 0, taken: now }
    }

    async fn row(&mut self) {
        let Some(rate) = self.rate else { return };
        self.rows += 1;
        #[expect(clippy::cast_precision_loss, reason = "seconds")]
        let due = self.began + Duration::from_secs_f64(self.rows as f64 / rate as f64);
        let now = Instant::now();
        if due > now + Duration::from_millis(20) {
            tokio::time::sleep_until(due.into()).await;
        }
    }

    fn is_due(&mut self) -> bool {
        let due = self.rate.is_some() && self.taken.elapsed() >= Duration::from_millis(500);
        if due {
            self.taken = Instant::now();
        }
        due
    }
}
