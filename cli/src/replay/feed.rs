use std::time::{Duration, Instant};

use stoop_domain::{Observation, Reason, RefusedValue, Reject, Status, Time, Watch};
use stoop_embedded::Database;
use stoop_files::{Mapped, Refusal};
use stoop_pipeline::ports::Quarantine;
use stoop_pipeline::{Clock, OneRowPerListing, Ordinals, Refusals, SnapshotResult, Snapshots};
use stoop_runtime::SystemClock;

use super::Source;
use super::alike::Alike;
use super::halt::Halt;
use super::progress::Progress;
use super::sort::Sorter;
use super::summary::{Summary, hash_of_home};
use crate::args::ReplayArgs;
use crate::intake::Intake;
use crate::stop::Stop;

/// Observations per call of the intake: few enough for the processor's cache.
const BATCH: usize = 512;

/// Rejects kept in memory until they are written.
const REJECTS_PENDING_MAX: usize = 1_000;

/// The share of rejects is checked from this row on, and at the end. Before this row nothing is stored.
const JUDGED_FROM_ROW: u64 = 1_000;

/// Feeds rows to the intake.
pub(crate) struct Feed<'f, 'd> {
    pub(super) intake: &'f mut Intake<'d>,
    pub(super) database: &'d Database,
    pub(super) args: &'f ReplayArgs,
    pub(super) stop: &'f Stop,
    pub(super) progress: &'f Progress,
    pub(super) summary: &'f mut Summary,
    pub(super) batch: Vec<Observation>,
    /// Whether the rows of one listing and time come latest first.
    pub(super) newest_first: bool,
    /// Whether files hold the history of their listings: rows have their own times, also in a snapshot.
    pub(super) history: bool,
    /// If each file is a snapshot: the homes of the files read so far.
    pub(super) snapshots: Option<Snapshots>,
    /// Otherwise: whether the files look like snapshots.
    pub(super) alike: Alike,
}

/// Where observations go.
enum Sink {
    /// Processed as they come.
    Intake,
    /// Sorted first.
    Sorter(Sorter),
}

impl Feed<'_, '_> {
    /// Processes rows that are in order of time as they are read.
    pub(crate) async fn by_time(&mut self, sources: Vec<Source>) -> anyhow::Result<Halt> {
        let halt = self.read_all(sources, &mut Sink::Intake).await?;
        if !matches!(halt, Halt::TooManyRejects(_)) {
            self.take().await?;
        }
        Ok(halt)
    }

    /// Reads and sorts rows in any order, in bounded memory, and then processes them.
    pub(crate) async fn sorted(&mut self, sources: Vec<Source>) -> anyhow::Result<Halt> {
        let mut sink = Sink::Sorter(Sorter::default());
        let halt = self.read_all(sources, &mut sink).await?;
        // A partial read cannot be sorted: unread rows may come before all of it. Rows beyond a bound will never be
        // read.
        if !matches!(halt, Halt::End | Halt::Cut(_)) {
            return Ok(halt);
        }
        let Sink::Sorter(sorter) = sink else { return Ok(halt) };
        let mut pace = ReplayPace::new(self.args.rate);
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
        let mut pace = ReplayPace::new(self.args.rate.filter(|_| matches!(sink, Sink::Intake)));
        let now = SystemClock.now();
        for mut source in sources {
            let as_of = self.snapshots.as_mut().map_or(now, |snapshots| snapshots.begin(source.as_of));
            let is_first = self.snapshots.as_ref().is_some_and(Snapshots::is_first);
            let (mut ordinals, mut once) = (Ordinals::new(self.newest_first), OneRowPerListing::default());
            let is_of_one_moment = self.snapshots.is_some() && !self.history;
            let mut unread = 0;
            while let Some(mut read) = read_row(&mut source, as_of, now) {
                if let (true, Read::Observation(row, _)) = (is_of_one_moment, &read)
                    && let Some((reason, detail)) = once.refuse(row)
                {
                    read = refused(&source, now, reason, detail, &line_of(row), Some(row.native_id.clone()));
                }
                // A row that a stop interrupts is not a reject.
                if matches!(read, Read::Refused(..)) && self.stop.is_set() {
                    rejects.extend(refusals.leave(&source.source, &source.name, now));
                    self.quarantine(&mut rejects).await?;
                    return Ok(Halt::Stopped);
                }
                self.summary.rows += 1;
                match read {
                    Read::Observation(mut observation, values) => {
                        if !values.is_empty() {
                            let values = refused_values(&source, now, &observation, values);
                            self.summary.refuse_values(&values);
                            rejects.extend(refusals.refuse_values(values));
                        }
                        if is_of_one_moment {
                            observation.seen = as_of.max(observation.at);
                            observation.initial = is_first;
                            observation.watch = Watch::Complete;
                        } else {
                            ordinals.give(&mut observation);
                        }
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
            // The rows beyond a bound may hold what the snapshot seems to lack.
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

    /// Ends a file: if it is a snapshot, emits what its missing homes mean.
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

    /// Takes an observation, or skips it by its time. Returns whether it was taken.
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

    /// Passes a full batch to the intake. Returns whether it is time to store it.
    async fn gather(&mut self, is_due: bool) -> anyhow::Result<bool> {
        if self.batch.len() >= BATCH {
            self.intake.gather(&self.batch).await?;
            self.batch.clear();
        }
        Ok(is_due || self.intake.is_full())
    }

    /// Stores everything that was read.
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

    /// A message if more rows were refused than the user accepts.
    fn too_many_rejects(&self, file: &str) -> Option<String> {
        let Summary { rows, quarantined, flawed, .. } = *self.summary;
        #[expect(clippy::cast_precision_loss, reason = "a share")]
        let percent = (quarantined + flawed) as f64 / rows.max(1) as f64 * 100.0;
        (percent > self.args.max_rejects).then(|| {
            let reasons = self.summary.reasons_in_words();
            let are = if flawed > 0 { "are refused, or values of them," } else { "are refused" };
            format!(
                "{file}: {} of the first {rows} rows {are} ({percent:.1} %, more than --max-rejects {}): {reasons}.\n       \
                 Is it the right file for this map? `stoop quarantine` shows the rows.",
                quarantined + flawed,
                self.args.max_rejects,
            )
        })
    }
}

/// The outcome of one row.
#[expect(clippy::large_enum_variant, reason = "nearly every row is an observation; a box would cost each one")]
enum Read {
    /// With the values that were left out.
    Observation(Observation, Vec<RefusedValue>),
    Skipped,
    /// With the ID of its listing, if that could be read.
    Refused(Box<Reject>, Option<String>),
}

fn read_row(source: &mut Source, as_of: Time, now: Time) -> Option<Read> {
    Some(match source.rows.next_row(as_of, now)? {
        Mapped::Skipped => Read::Skipped,
        Mapped::Observation(observation, values) => Read::Observation(observation, values),
        Mapped::Refused(Refusal { reason, detail, raw, native_id }) => {
            refused(source, now, reason, detail, &raw, native_id)
        }
    })
}

fn refused(source: &Source, now: Time, reason: Reason, detail: String, raw: &[u8], native_id: Option<String>) -> Read {
    Read::Refused(Box::new(Reject::new(&source.source, now, source.rows.place(), reason, detail, raw)), native_id)
}

/// The values that were left out of a row, as rejects.
fn refused_values(source: &Source, now: Time, row: &Observation, values: Vec<RefusedValue>) -> Vec<Reject> {
    let (line, place) = (line_of(row), source.rows.place());
    values.into_iter().map(|value| Reject::of_value(&source.source, now, place.clone(), value, &line)).collect()
}

/// A row as a line of the stream.
fn line_of(row: &Observation) -> Vec<u8> {
    let mut line = Vec::new();
    stoop_wire::encode(row, &mut line);
    line
}

/// Limits the rows per second, and stores what was read twice a second.
struct ReplayPace {
    rate: Option<u64>,
    began: Instant,
    rows: u64,
    taken: Instant,
}

impl ReplayPace {
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
