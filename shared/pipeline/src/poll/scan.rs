use std::collections::{BTreeMap, HashSet};

use stoop_domain::{Details, Listing, Observation, Reject, Status, Time};
use stoop_sources::{Answer, Coverage, Cursor, Found, Manners, Method, Next, Page, Request, Row};

use super::fetch::Fetcher;
use super::robots::allows;
use super::{PollError, PollPorts, Polled, Search, USER_AGENT};
use crate::ports::{IndexEntry, RunOutcome, RunRecord, ScanCheckpoint, SearchState};

/// A listing that so many provably complete scans in a row have missed is gone.
const MISSED_MAX: u8 = 2;

/// Attempts at putting refused records on the stream.
const PUT_ATTEMPTS_MAX: u32 = 6;

/// A checkpoint is saved every so many pages, beside the end of the run.
const PAGES_PER_CHECKPOINT: u64 = 10;

/// Polls a search once: fetches its pages, puts new and changed listings on the stream, says of
/// listings that are gone that they are, and saves what it saw. The run is in the ledger from its
/// beginning.
///
/// Nothing counts as seen before the stream has accepted it, so that whatever fails or is killed is
/// sent again by the next poll. A run that stops early leaves a checkpoint where the next goes on.
///
/// # Errors
/// When the source does not answer as it should or a port fails. The ledger says so as well.
pub async fn poll(search: &Search, run: &str, ports: PollPorts<'_>) -> Result<Polled, PollError> {
    let mut record = RunRecord {
        id: run.to_owned(),
        kind: "poll".into(),
        subject: search.name.clone(),
        began_at: ports.clock.now(),
        ended_at: None,
        outcome: RunOutcome::Running,
        message: None,
        counts: BTreeMap::new(),
    };
    ports.runs.record(&record).await?;
    let mut polled = Polled::default();
    let outcome = scan(search, run, ports, &mut polled).await;
    record.ended_at = Some(ports.clock.now());
    record.counts = polled.counts();
    (record.outcome, record.message) = match &outcome {
        Ok(()) => (polled.outcome.unwrap_or(RunOutcome::Partial), polled.message.clone()),
        Err(error) => (RunOutcome::Failed, Some(error.to_string())),
    };
    ports.runs.record(&record).await?;
    outcome.map(|()| polled)
}

/// A scan in progress.
struct Scan<'a> {
    search: &'a Search,
    ports: PollPorts<'a>,
    manners: Manners,
    run: &'a str,
    began_at: Time,
    state: SearchState,
    /// Distinct listings seen since the scan began.
    seen: HashSet<String>,
    /// Every page was read by this run: a resumed scan has not seen what the run before it saw.
    whole: bool,
    /// Rows of which not even the id was understood: any listing may be behind them.
    unread_rows: u64,
}

async fn scan(search: &Search, run: &str, ports: PollPorts<'_>, polled: &mut Polled) -> Result<(), PollError> {
    let manners = search.source.manners();
    let mut fetcher = Fetcher::new(ports, manners.clone(), run);
    let state = ports.index.load(&search.name).await?;
    let now = ports.clock.now();
    let due = state.full_scan_at.is_none_or(|at| now.ms() - at.ms() >= search.full_scan_every_ms);
    let since = if due { None } else { state.watermark.as_deref() };
    let resumed = state.checkpoint.clone();
    let began_at = resumed.as_ref().map_or(now, |checkpoint| checkpoint.began_at);
    let mut cursor = resumed.as_ref().map_or_else(|| search.source.begin(since), |c| c.cursor.clone());
    let whole = resumed.is_none();
    let mut scan = Scan { search, ports, manners, run, began_at, state, seen: HashSet::new(), whole, unread_rows: 0 };

    let outcome = scan.pages(&mut cursor, &mut fetcher, polled).await;
    polled.requests = fetcher.requests;
    match outcome {
        Ok(end) => scan.finish(end, &cursor, polled).await,
        Err(error) => {
            // What the stream has is seen; the rest of the scan is for the next run. Should saving fail
            // too, the first failure is the one to tell.
            scan.state.checkpoint = (polled.pages > 0).then(|| scan.checkpoint(&cursor));
            if let Err(second) = scan.save().await {
                tracing::warn!(error = %second, "the index could not be saved either");
            }
            Err(error)
        }
    }
}

/// How the pages of a scan ended.
enum End {
    All { total: Option<u64>, watermark: Option<String> },
    Capped,
    Stopped,
}

impl Scan<'_> {
    async fn pages(
        &mut self,
        cursor: &mut Cursor,
        fetcher: &mut Fetcher<'_>,
        polled: &mut Polled,
    ) -> Result<End, PollError> {
        let mut visited = HashSet::new();
        let mut watermark = self.state.watermark.clone();
        loop {
            if (self.ports.stop)() {
                return Ok(End::Stopped);
            }
            if !visited.insert(cursor.position.clone()) {
                return Err(PollError::Source("the pages lead in a circle".into()));
            }
            if polled.pages >= u64::from(self.manners.pages_max) {
                return Err(PollError::Source(format!("no end after {} pages", polled.pages)));
            }
            let request = self.search.source.request(cursor);
            if self.manners.robots && polled.pages == 0 {
                self.ask_robots(&request, fetcher).await?;
            }
            let answer = fetcher.fetch(&request).await?;
            let number = u32::try_from(polled.pages).unwrap_or(u32::MAX);
            self.ports.pages.put(self.run, number, &answer.body).await?;
            let content_type = answer.header("content-type").unwrap_or("").to_owned();
            let read = Answer { content_type: &content_type, body: &answer.body };
            let now = self.ports.clock.now();
            let page =
                self.search.source.read(cursor, &read, now).map_err(|error| PollError::Source(error.to_string()))?;
            polled.pages += 1;
            polled.bytes += answer.body.len() as u64;
            watermark = page.watermark.clone().or(watermark);
            let (next, total) = (page.next.clone(), page.total);
            self.take_page(page, number, now, polled).await?;
            match next {
                Next::Page(next) => *cursor = next,
                Next::End => return Ok(End::All { total, watermark }),
                Next::Capped => return Ok(End::Capped),
            }
            if polled.pages.is_multiple_of(PAGES_PER_CHECKPOINT) {
                self.state.checkpoint = Some(self.checkpoint(cursor));
                self.save().await?;
            }
        }
    }

    /// Puts what is new or changed on the stream, then notes it as seen.
    async fn take_page(&mut self, page: Page, number: u32, now: Time, polled: &mut Polled) -> Result<(), PollError> {
        let mut rejects = Vec::new();
        let mut sent: Vec<(Observation, u64, bool)> = Vec::new();
        for (place, row) in page.rows.into_iter().enumerate() {
            let location = format!("{}, page {}, row {}", self.search.name, number + 1, place + 1);
            let reject =
                |reason, detail, raw: &[u8]| Reject::new(self.search.source.name(), now, location, reason, detail, raw);
            match row {
                Row::Refused { reason, detail, raw } => {
                    self.unread_rows += 1;
                    rejects.push(reject(reason, detail, raw.as_bytes()));
                }
                Row::Found(found) => {
                    let observation = self.observe(*found, now);
                    self.seen.insert(observation.native_id.clone());
                    if let Err((reason, detail)) = observation.check(now) {
                        // It is there, whatever is wrong with it: it must not be taken for gone.
                        self.note_seen(&observation.native_id);
                        let mut raw = Vec::new();
                        stoop_wire::encode(&observation, &mut raw);
                        rejects.push(reject(reason, detail, &raw));
                        continue;
                    }
                    polled.listings += 1;
                    let hash = content_hash(&observation.listing);
                    let known = self.state.listings.get(&observation.native_id);
                    if known.is_some_and(|entry| entry.hash == hash) {
                        self.note_seen(&observation.native_id);
                    } else {
                        let new = known.is_none();
                        sent.push((observation, hash, new));
                    }
                }
            }
        }
        let observations: Vec<&Observation> = sent.iter().map(|(observation, ..)| observation).collect();
        self.put(&observations).await?;
        self.ports.quarantine.put(&rejects).await?;
        polled.rejects += rejects.len() as u64;
        for (observation, hash, new) in sent {
            *(if new { &mut polled.new } else { &mut polled.changed }) += 1;
            let listing = Listing { details: Details::default(), ..observation.listing };
            let entry = IndexEntry { hash, seen_in_scan: self.began_at, missed: 0, listing };
            self.state.listings.insert(observation.native_id, entry);
        }
        Ok(())
    }

    fn note_seen(&mut self, native_id: &str) {
        if let Some(entry) = self.state.listings.get_mut(native_id) {
            entry.seen_in_scan = self.began_at;
            entry.missed = 0;
        }
    }

    fn observe(&self, found: Found, now: Time) -> Observation {
        Observation {
            source: self.search.source.name().into(),
            native_id: found.native_id,
            at: found.at.unwrap_or(now),
            listing: found.listing,
        }
    }

    /// The scan ended without a failure: say what is gone, if it proved that, and save.
    async fn finish(&mut self, end: End, cursor: &Cursor, polled: &mut Polled) -> Result<(), PollError> {
        let full = cursor.since.is_none();
        self.state.checkpoint = None;
        let (outcome, message) = match end {
            End::Stopped => {
                self.state.checkpoint = (polled.pages > 0 || !self.whole).then(|| self.checkpoint(cursor));
                (RunOutcome::Partial, Some("stopped; the next run goes on from here".to_owned()))
            }
            End::Capped => {
                (RunOutcome::Partial, Some("the source shows no more pages of this search: split it".to_owned()))
            }
            End::All { total, watermark } => {
                self.state.watermark = watermark;
                let seen = self.seen.len() as u64;
                if full {
                    self.state.full_scan_at = Some(self.began_at);
                }
                let snapshot = full && self.manners.coverage == Coverage::Snapshot && self.whole;
                let mut message = None;
                if snapshot && self.unread_rows > 0 {
                    message =
                        Some(format!("{} rows were not understood: nothing is said to be gone", self.unread_rows));
                } else if snapshot && total.is_some_and(|total| seen >= total) {
                    self.state.scans += 1;
                    polled.gone = self.tell_gone().await?;
                }
                (RunOutcome::Complete, message)
            }
        };
        polled.outcome = Some(outcome);
        polled.message = message;
        self.save().await
    }

    /// The scan has seen all there is: what it missed is missed once more, and gone the second time.
    async fn tell_gone(&mut self) -> Result<u64, PollError> {
        let mut gone = Vec::new();
        for (native_id, entry) in &mut self.state.listings {
            if entry.seen_in_scan != self.began_at {
                entry.missed += 1;
                if entry.missed >= MISSED_MAX {
                    let listing = Listing { status: Status::Gone, ..entry.listing.clone() };
                    let (source, native_id) = (self.search.source.name().into(), native_id.clone());
                    gone.push(Observation { source, native_id, at: self.began_at, listing });
                }
            }
        }
        let observations: Vec<&Observation> = gone.iter().collect();
        self.put(&observations).await?;
        for observation in &gone {
            self.state.listings.remove(&observation.native_id);
        }
        Ok(gone.len() as u64)
    }

    /// Puts observations on the stream, many lines to a record, refused records again by their place.
    async fn put(&self, observations: &[&Observation]) -> Result<(), PollError> {
        let mut records = pack(observations, self.ports.stream.record_bytes_max(), &self.search.name);
        for attempt in 0..PUT_ATTEMPTS_MAX {
            if records.is_empty() {
                return Ok(());
            }
            if attempt > 0 {
                self.ports.clock.sleep(100 << attempt).await;
            }
            let refused: HashSet<usize> = self.ports.stream.put(&records).await?.into_iter().collect();
            let all = std::mem::take(&mut records).into_iter().enumerate();
            records = all.filter(|(place, _)| refused.contains(place)).map(|(_, record)| record).collect();
        }
        if records.is_empty() { Ok(()) } else { Err(PollError::Refused(records.len())) }
    }

    fn checkpoint(&self, cursor: &Cursor) -> ScanCheckpoint {
        ScanCheckpoint { cursor: cursor.clone(), run: self.run.to_owned(), began_at: self.began_at }
    }

    async fn save(&mut self) -> Result<(), PollError> {
        if !self.ports.index.save(&self.search.name, &self.state).await? {
            return Err(PollError::Raced(self.search.name.clone()));
        }
        self.state.version += 1;
        Ok(())
    }

    async fn ask_robots(&self, request: &Request, fetcher: &mut Fetcher<'_>) -> Result<(), PollError> {
        let after_scheme = request.url.find("://").map_or(0, |at| at + 3);
        let path_at = request.url[after_scheme..].find('/').map_or(request.url.len(), |at| after_scheme + at);
        let (origin, path) = request.url.split_at(path_at);
        let robots =
            Request { method: Method::Get, url: format!("{origin}/robots.txt"), headers: Vec::new(), body: None };
        fetcher.requests += 1;
        // RFC 9309: a file that is not there allows all; one that cannot be had allows nothing.
        let allowed = match self.ports.http.send(&robots).await {
            Ok(answer) if answer.status == 200 => {
                allows(&String::from_utf8_lossy(&answer.body), USER_AGENT, if path.is_empty() { "/" } else { path })
            }
            Ok(answer) => (400..500).contains(&answer.status),
            Err(_) => false,
        };
        if allowed {
            Ok(())
        } else {
            Err(PollError::Source(format!("robots.txt of {origin} does not let us fetch {path}")))
        }
    }
}

/// Packs observations into records of whole lines. The key is the search: what one search sees belongs
/// to few markets, and one consumer of them has no conflicts with others.
fn pack(observations: &[&Observation], bytes_max: usize, key: &str) -> Vec<(String, Vec<u8>)> {
    let mut records: Vec<(String, Vec<u8>)> = Vec::new();
    let mut line = Vec::new();
    for observation in observations {
        line.clear();
        stoop_wire::encode(observation, &mut line);
        line.push(b'\n');
        match records.last_mut() {
            Some((_, record)) if record.len() + line.len() <= bytes_max => record.extend_from_slice(&line),
            _ => records.push((key.to_owned(), line.clone())),
        }
    }
    records
}

/// A hash of what a listing says, without what only seems to change: a listing date told as "6 minutes
/// ago" moves a little with every look.
fn content_hash(listing: &Listing) -> u64 {
    let steady = Listing { listed_at: None, ..listing.clone() };
    let observation = Observation { source: "".into(), native_id: String::new(), at: Time::default(), listing: steady };
    let mut bytes = Vec::new();
    stoop_wire::encode(&observation, &mut bytes);
    let hash = blake3::hash(&bytes);
    u64::from_le_bytes(std::array::from_fn(|i| hash.as_bytes()[i]))
}

impl Polled {
    /// The counts by name, for the ledger.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, u64> {
        let pairs = [
            ("requests", self.requests),
            ("pages", self.pages),
            ("bytes", self.bytes),
            ("listings", self.listings),
            ("new", self.new),
            ("changed", self.changed),
            ("gone", self.gone),
            ("rejects", self.rejects),
        ];
        pairs.into_iter().map(|(name, count)| (name.to_owned(), count)).collect()
    }
}
