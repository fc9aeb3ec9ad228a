use std::collections::{HashMap, HashSet};

use stoop_domain::Time;
use stoop_sources::{Answer, Contradictions, Coverage, CrawlPolicy, Cursor, Next, Page, ReadError, Row, Source};

use super::breaker::Ended;
use super::drift::DriftCheck;
use super::fetch::Fetcher;
use super::progress::{Progress, Shown};
use super::robots::Robots;
use super::{Origin, PollError, PollPorts, Polled, Search, feed};
use crate::Refusals;
use crate::loss::CompleteScan;
use crate::ports::{OnStream, RunOutcome, ScanCheckpoint, SearchState, Sent};
use crate::with_causes;

/// A checkpoint is saved every so many pages, beside the end of the run.
const PAGES_PER_CHECKPOINT: u64 = 10;

/// And after any page, where the last was saved so long ago, and so many times as long as saving takes: each page that has
/// to be asked for again may be one of few.
const CHECKPOINT_MS: i64 = 1_000;
const CHECKPOINT_TIMES: i64 = 20;

/// A page at which so many polls in a row began and failed may be there no more: the scan begins anew.
const TRIES_MAX: u32 = 3;

/// A scan in progress.
pub(super) struct Scan<'a> {
    pub(super) search: &'a Search,
    pub(super) ports: PollPorts<'a>,
    pub(super) crawl_policy: CrawlPolicy,
    run: &'a str,
    /// When it began: the scan's name in the index, so that no two scans of a search have the same. By the clock, unless
    /// that was set back.
    pub(super) began_at: Time,
    /// When this run began, by the clock.
    clock_at: Time,
    /// It is the search's first: what it finds was there when the search began.
    pub(super) initial: bool,
    pub(super) state: SearchState,
    /// Distinct listings seen since the scan began.
    pub(super) seen: HashSet<String>,
    /// What other searches of the source have sent last, once it was asked for.
    pub(super) elsewhere: Option<HashMap<String, Sent>>,
    /// Every page was read by this run: a resumed scan has not seen what the run before it saw.
    pub(super) whole: bool,
    /// Rows of which not even the id was understood: any listing may be behind them.
    pub(super) unread_rows: u64,
    /// Rows that are none of the search's listings, though the total counts them.
    left_out: u64,
    /// The most listings that any page said there are: a listing may leave while the scan goes on.
    total: Option<u64>,
    /// The pages lead nowhere: the next scan begins anew instead of going on.
    astray: bool,
    /// It asks only for what changed.
    pub(super) incremental: bool,
    /// In what share of the rows each field was filled.
    pub(super) watch: DriftCheck,
    /// What was counted of contradictions and not learnt yet.
    pub(super) contradictions: Contradictions,
    /// What was refused.
    pub(super) refusals: Refusals,
    /// When the state was saved last, and how long that took.
    saved: (Time, i64),
}

pub(super) async fn scan(
    search: &Search,
    run: &str,
    ports: PollPorts<'_>,
    polled: &mut Polled,
) -> Result<(), PollError> {
    let state = load(search, ports).await?;
    let source = match &search.source {
        Origin::Http(source) => &**source,
        Origin::Files(files) => return feed::feed(search, files, run, ports, state, polled).await,
    };
    let mut fetcher = Fetcher::new(ports, source, run).limited(search.limits.as_deref());
    let now = ports.clock.now();
    // Either way: of a clock that was set back nobody knows how long ago that was.
    let due = state.full_scan_at.is_none_or(|at| (now.ms() - at.ms()).abs() >= search.full_scan_every_ms);
    let since = if due { None } else { state.watermark.as_deref() };
    let resumed = state.checkpoint.clone();
    let mut cursor = resumed.as_ref().map_or_else(|| source.begin(since), |c| c.cursor.clone());
    let mut scan = Scan::new(search, run, ports, state, source.crawl_policy());
    scan.began_at = resumed.as_ref().map_or(scan.began_at, |checkpoint| checkpoint.began_at);
    scan.clock_at = scan.look_at_clock(polled);
    scan.whole = resumed.is_none();
    scan.incremental = cursor.since.is_some();
    let outcome = scan.pages(source, &mut cursor, &mut fetcher, polled).await;
    let how = match &outcome {
        Ok(End::All { .. } | End::Capped(_) | End::Refused(_)) => Ended::Well,
        Err(PollError::Source(_) | PollError::Denied(_)) => Ended::Badly,
        Ok(End::Stopped(..)) | Err(_) => Ended::Otherwise,
    };
    if let Err(error) = fetcher.close(how, polled).await {
        tracing::warn!(error = with_causes(&error), "the account's record does not say how this poll ended");
    }
    match outcome {
        Ok(end) => scan.finish(end, &cursor, polled).await,
        Err(error) => {
            // What the stream has is seen; the rest of the scan is for the next run. Should saving fail
            // too, the first failure is the one to tell.
            let tries = if polled.pages > 0 { 0 } else { resumed.map_or(TRIES_MAX, |checkpoint| checkpoint.tries + 1) };
            let goes_on = tries < TRIES_MAX && !scan.astray && !matches!(error, PollError::Drifted(_));
            scan.state.pace.learn(scan.began_by_clock(), false, polled);
            scan.state.checkpoint = goes_on.then(|| ScanCheckpoint { tries, ..scan.checkpoint(&cursor) });
            if let Err(second) = scan.save().await {
                tracing::warn!(error = with_causes(&second), "the index could not be saved either");
            }
            Err(error)
        }
    }
}

/// What the search has seen; nothing, where it has come to ask for something else since. What was said to
/// be gone stays said, so that its return is noticed by the new search as well.
async fn load(search: &Search, ports: PollPorts<'_>) -> Result<SearchState, PollError> {
    let asks = search.source.asks();
    let source = search.source.name().to_owned();
    let state = ports.index.load(&search.name, &source).await?;
    if state.asks == asks || state.version == 0 {
        return Ok(SearchState { asks, source, ..state });
    }
    tracing::info!(search = search.name, "asks for something else than before and starts afresh");
    let mut listings = state.listings;
    // Of another source, the ids mean other listings.
    listings.retain(|_, entry| match entry.on_stream.gone_at() {
        Some(at) if state.source == source => {
            entry.on_stream = OnStream::Gone(at);
            true
        }
        _ => false,
    });
    let SearchState { version, seen, clock, .. } = state;
    Ok(SearchState { version, asks, source, seen, clock, listings, ..SearchState::default() })
}

/// How the pages of a scan ended.
enum End {
    All {
        watermark: Option<String>,
    },
    Capped(String),
    /// Too much was refused.
    Refused(String),
    Stopped(RunOutcome, String),
}

fn too_long(pages: u32) -> End {
    End::Capped(format!("broken off after {pages} pages, the most that are read of this search in one scan"))
}

impl Fetcher<'_> {
    fn end(&self) -> End {
        let (outcome, why) = self.why_ended();
        End::Stopped(outcome, why)
    }
}

impl<'a> Scan<'a> {
    pub(super) fn new(
        search: &'a Search,
        run: &'a str,
        ports: PollPorts<'a>,
        state: SearchState,
        crawl_policy: CrawlPolicy,
    ) -> Self {
        let now = ports.clock.now();
        Self {
            search,
            ports,
            crawl_policy,
            run,
            began_at: state.seen.map_or(now, |seen| now.max(seen.plus_ms(1))),
            clock_at: now,
            initial: !state.begun && state.full_scan_at.is_none(),
            state,
            seen: HashSet::new(),
            elsewhere: None,
            whole: true,
            unread_rows: 0,
            left_out: 0,
            total: None,
            astray: false,
            incremental: false,
            watch: DriftCheck::default(),
            contradictions: Contradictions::default(),
            refusals: Refusals::default(),
            saved: (now, 0),
        }
    }

    async fn pages(
        &mut self,
        source: &dyn Source,
        cursor: &mut Cursor,
        fetcher: &mut Fetcher<'_>,
        polled: &mut Polled,
    ) -> Result<End, PollError> {
        let mut visited = HashSet::new();
        let mut robots = Robots::default();
        let mut watermark = self.state.watermark.clone();
        let mut progress = Progress::default();
        loop {
            if !visited.insert(cursor.position.clone()) {
                self.astray = true;
                return Err(PollError::Source("the pages lead in a circle".into()));
            }
            if cursor.pages_before >= self.crawl_policy.pages_max {
                return Ok(too_long(cursor.pages_before));
            }
            let request = source.request(cursor);
            if self.crawl_policy.robots && robots.ask(&request, fetcher).await?.is_none() {
                return Ok(fetcher.end());
            }
            let Some(answer) = fetcher.fetch(&request).await? else { return Ok(fetcher.end()) };
            let number = u32::try_from(polled.pages).unwrap_or(u32::MAX);
            self.ports.pages.put(self.run, number, &answer.body).await?;
            let read = Answer { status: answer.status, headers: &answer.headers, body: &answer.body };
            let now = self.look_at_clock(polled);
            let seen = self.seen_at(now);
            let page = source.read(cursor, &read, now);
            let page = page.map_err(|error| match error {
                ReadError::Denied(why) => PollError::Denied(why),
                other => PollError::Source(other.to_string()),
            })?;
            polled.pages += 1;
            polled.bytes += answer.body.len() as u64;
            // It may be large, and so may be what is made of its listings.
            drop(answer);
            watermark = page.watermark.clone().or(watermark);
            self.total = page.total.max(self.total);
            self.left_out += page.left_out;
            let next = page.next.clone();
            self.watch(&page.rows, !matches!(next, Next::Page(_)), now, polled).await?;
            let (shown, cut) = (self.shown(&page), page.cut.clone());
            if let Some(why) = self.take_page(page, number, seen, polled).await? {
                return Ok(End::Refused(why));
            }
            if let Some(cut) = cut {
                return Ok(End::Capped(format!("broken off at page {}: {cut}", number + 1)));
            }
            match next {
                Next::Page(next) => match progress.note(&shown, number) {
                    None => *cursor = next,
                    Some(why) => return Ok(End::Capped(why)),
                },
                Next::End => return Ok(End::All { watermark }),
                Next::Capped if cursor.pages_before + 1 >= self.crawl_policy.pages_max => {
                    return Ok(too_long(self.crawl_policy.pages_max));
                }
                Next::Capped => {
                    return Ok(End::Capped("the source does not show all of this search: make it smaller".to_owned()));
                }
            }
            if self.is_checkpoint_due(polled) {
                self.state.checkpoint = Some(self.checkpoint(cursor));
                self.save().await?;
            }
        }
    }

    /// What a page shows, before its listings are noted as seen.
    fn shown(&self, page: &Page) -> Shown {
        let mut ids = page.rows.iter().filter_map(Row::native_id).peekable();
        Shown {
            empty: page.rows.is_empty() && page.left_out == 0,
            nothing_new: ids.peek().is_some() && ids.all(|id| self.seen.contains(id)),
            overlaps: page.overlaps,
        }
    }

    /// The scan ended without a failure: say what is gone, if it proved that, and save.
    async fn finish(&mut self, end: End, cursor: &Cursor, polled: &mut Polled) -> Result<(), PollError> {
        if let End::Stopped(RunOutcome::Skipped, why) = end {
            // Nothing was asked, so there is nothing to save.
            (polled.outcome, polled.message) = (Some(RunOutcome::Skipped), Some(why));
            return Ok(());
        }
        self.learn_contradictions(polled);
        if matches!(end, End::Capped(_)) {
            self.state.proves_absence = Some(false);
        }
        self.state.checkpoint = None;
        self.state.begun |= matches!(end, End::All { .. } | End::Capped(_));
        let (outcome, message) = match end {
            End::Stopped(outcome, why) => {
                self.state.checkpoint = (polled.pages > 0 || !self.whole).then(|| self.checkpoint(cursor));
                (outcome, Some(why))
            }
            End::Capped(why) => (RunOutcome::Partial, Some(why)),
            End::Refused(why) => (RunOutcome::Failed, Some(why)),
            End::All { watermark } => {
                self.state.watermark = watermark;
                self.learn(polled);
                match cursor.since {
                    None => self.finish_full(polled).await?,
                    Some(_) => {
                        // A person need not wait for the next full scan, which may be a day away.
                        self.do_as_ruled(polled).await?;
                        (RunOutcome::Complete, None)
                    }
                }
            }
        };
        self.state.pace.learn(self.began_by_clock(), outcome == RunOutcome::Complete, polled);
        polled.pace = Some(self.state.pace);
        polled.outcome = Some(outcome);
        polled.message = message;
        polled.held_back = self.state.held_back;
        self.save().await
    }

    /// The end of a scan that asked for everything.
    async fn finish_full(&mut self, polled: &mut Polled) -> Result<(RunOutcome, Option<String>), PollError> {
        let seen = self.seen.len() as u64;
        let judged = self.whole && self.crawl_policy.coverage == Coverage::Snapshot;
        if judged && self.total.is_some_and(|total| seen + self.unread_rows + self.left_out < total) {
            // The pages shifted while they were read. The next poll asks for everything again.
            self.state.proves_absence = Some(false);
            let total = self.total.unwrap_or_default();
            return Ok((RunOutcome::Partial, Some(format!("{seen} of {total} listings were shown"))));
        }
        self.state.full_scan_at = Some(self.began_by_clock());
        self.state.proves_absence = Some(judged && self.total.is_some() && self.unread_rows == 0);
        if judged && self.unread_rows > 0 {
            let why = format!("{} rows were not understood: nothing is said to be gone", self.unread_rows);
            return Ok((RunOutcome::Complete, Some(why)));
        }
        if judged && self.total.is_some() {
            self.state.scans += 1;
            self.do_as_ruled(polled).await?;
            self.tell_gone(CompleteScan::Pages, polled).await?;
        }
        Ok((RunOutcome::Complete, None))
    }

    /// The clock was set by so much.
    pub(super) fn shift_clock(&mut self, jumped_ms: i64) {
        self.clock_at = self.clock_at.plus_ms(jumped_ms);
    }

    /// How what is seen now will be looked at again. A source that is to show all it has proves that only where it says how many
    /// that are, and shows so many.
    pub(super) fn watched(&self) -> stoop_domain::Watch {
        let source = &self.search.source;
        let reported = self.incremental || self.total.is_some();
        match source.watch() {
            stoop_domain::Watch::Complete if source.http().is_some() => {
                let proves = reported && self.state.proves_absence != Some(false);
                if proves { stoop_domain::Watch::Complete } else { stoop_domain::Watch::Repeated }
            }
            watch => watch,
        }
    }

    /// When it began, by the clock as it is now: not in its future.
    pub(super) fn began_by_clock(&self) -> Time {
        self.began_at.min(self.clock_at)
    }

    pub(super) fn checkpoint(&self, cursor: &Cursor) -> ScanCheckpoint {
        ScanCheckpoint { cursor: cursor.clone(), run: self.run.to_owned(), began_at: self.began_at, tries: 0 }
    }

    pub(super) fn is_checkpoint_due(&self, polled: &Polled) -> bool {
        let (at, took_ms) = self.saved;
        let since_ms = self.ports.clock.now().ms() - at.ms();
        polled.pages.is_multiple_of(PAGES_PER_CHECKPOINT) || since_ms >= CHECKPOINT_MS.max(took_ms * CHECKPOINT_TIMES)
    }

    pub(super) async fn save(&mut self) -> Result<(), PollError> {
        let began = self.ports.clock.now();
        if !self.ports.index.save(&self.search.name, &self.state).await? {
            return Err(PollError::Raced(self.search.name.clone()));
        }
        self.state.version += 1;
        let now = self.ports.clock.now();
        self.saved = (now, now.ms() - began.ms());
        Ok(())
    }
}
