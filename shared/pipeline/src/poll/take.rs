use std::collections::{HashMap, HashSet};

use stoop_domain::{Details, Listing, Observation, Reason, Reject, Sighting, Time};
use stoop_sources::{Found, Next, Page, Row};

use super::confirm::{doubtful_since, is_due};
use super::scan::Scan;
use super::{PollError, Polled};
use crate::ports::{ContentHash, IndexEntry, OnStream, Sent};

/// Fewer refused rows than these, of a scan that asks for changes alone or was resumed, are not judged at its end.
const FEW_CHANGES: u64 = 10;

/// Attempts at putting refused records on the stream.
const PUT_ATTEMPTS_MAX: u32 = 6;

/// A listing that is to be sent.
pub(super) struct Outgoing {
    pub(super) observation: Observation,
    /// What the stream has of the listing once it has acknowledged this.
    pub(super) becomes: OnStream,
    pub(super) new: bool,
    /// Of a row of a file, the latest that said the same.
    pub(super) until: Option<Sighting>,
    /// It tells of the past, and what the index knows is of later.
    pub(super) past: bool,
    /// It says what was sent already, so that it is sighted again.
    pub(super) confirms: bool,
    /// It is not what a row says but what is said once more because of it.
    pub(super) beside: bool,
}

impl Scan<'_> {
    /// Puts what is new or changed on the stream, then notes it as `seen`. Where so much is refused that nothing of the
    /// page is to be sent, says why.
    pub(super) async fn take_page(
        &mut self,
        page: Page,
        number: u32,
        seen: Time,
        polled: &mut Polled,
    ) -> Result<Option<String>, PollError> {
        let is_last = !matches!(page.next, Next::Page(_)) || page.cut.is_some();
        let (before, listings_before) = (self.refusals.refused(), polled.listings);
        self.refusals.pass(page.left_out);
        polled.rows += page.left_out;
        let mut rejects = Vec::new();
        let mut shown: Vec<Observation> = Vec::new();
        for (place, row) in page.rows.into_iter().enumerate() {
            polled.rows += 1;
            match row {
                Row::Refused { native_id, reason, detail, raw } => {
                    match native_id {
                        Some(native_id) => {
                            // It is there, whatever is wrong with it: it must not be taken for gone.
                            self.note_seen(&native_id);
                            self.seen.insert(native_id);
                        }
                        None => self.unread_rows += 1,
                    }
                    let location = format!("{}, page {}, row {}", self.search.name, number + 1, place + 1);
                    let source = self.search.source.name();
                    let reject = Reject::new(source, seen, location, reason, detail, raw.as_bytes());
                    rejects.extend(self.refusals.refuse(reject));
                }
                Row::Found(found) => {
                    let observation = self.observe(*found, seen);
                    self.seen.insert(observation.native_id.clone());
                    match observation.check(seen).and_then(|()| self.fits(&observation)) {
                        Ok(()) => {
                            polled.listings += 1;
                            self.refusals.pass(1);
                            shown.push(observation);
                        }
                        Err((reason, detail)) => {
                            // It is there, whatever is wrong with it: it must not be taken for gone.
                            self.note_seen(&observation.native_id);
                            let location = format!("{}, listing {}", self.search.name, observation.native_id);
                            let raw = steady_bytes(observation.listing.clone());
                            let reject = Reject::new(&observation.source, seen, location, reason, detail, &raw);
                            rejects.extend(self.refusals.refuse(reject));
                        }
                    }
                }
            }
        }
        let place = format!("{}, page {}", self.search.name, number + 1);
        rejects.extend(self.refusals.leave(self.search.source.name(), &place, seen));
        polled.rejects += self.refusals.refused() - before;
        if let Some(why) = self.too_many(is_last) {
            polled.not_taken += polled.listings - listings_before;
            self.ports.quarantine.put(&rejects).await?;
            return Ok(Some(why));
        }
        let outgoing = self.differing(shown).await?;
        self.send(outgoing, &rejects, polled).await?;
        Ok(None)
    }

    /// Why what was refused so far is too much, where it is.
    fn too_many(&self, is_last: bool) -> Option<String> {
        // What changed of late, or the rest of a scan, may be one row that nobody can read: it fails no poll, hour
        // after hour.
        let is_few = (self.incremental || !self.whole) && self.refusals.refused() < FEW_CHANGES;
        self.refusals.too_many(self.search.max_rejects, is_last && !is_few)
    }

    /// Puts listings on the stream and rejects in quarantine, then notes the listings as seen.
    pub(super) async fn send(
        &mut self,
        mut outgoing: Vec<Outgoing>,
        rejects: &[Reject],
        polled: &mut Polled,
    ) -> Result<(), PollError> {
        self.believe(&mut outgoing);
        let watched = self.watched();
        outgoing.iter_mut().for_each(|out| out.observation.watch = watched);
        let ids = outgoing.iter().map(|out| out.observation.native_id.as_str());
        let new = ids.filter(|id| !self.state.listings.contains_key(*id)).collect::<HashSet<_>>().len() as u64;
        let of_rows = outgoing.iter().filter(|out| !out.beside && !out.confirms).count() as u64;
        let confirmed = outgoing.iter().filter(|out| out.confirms).count() as u64;
        let sent = outgoing.len() as u64;
        self.doubt(&outgoing).await?;
        let observations: Vec<&Observation> = outgoing.iter().map(|out| &out.observation).collect();
        self.put(&observations).await?;
        polled.new += new;
        polled.changed += of_rows.saturating_sub(new);
        polled.confirmed += confirmed;
        polled.sent += sent;
        self.ports.quarantine.put(rejects).await?;
        for Outgoing { observation, becomes, until, past, .. } in outgoing {
            if !past {
                let sent = Sent { sighting: observation.sighting(), on_stream: becomes };
                let entry = self.entry(&observation.native_id, sent, until, observation.listing);
                self.state.listings.insert(observation.native_id, entry);
            }
        }
        Ok(())
    }

    /// A time that is told and lies ahead is that of the sighting: a clock runs ahead.
    fn observe(&self, found: Found, seen: Time) -> Observation {
        let Found { native_id, at, versioned, listing } = found;
        let at = at.map_or(seen, |at| at.min(seen));
        let sighting = Sighting { at, seen, seq: 0, versioned, initial: self.initial };
        Observation::new(self.search.source.name(), native_id, seen, listing).with_sighting(sighting)
    }

    /// What is to be sent of the listings on a page: those that the stream does not have so.
    async fn differing(&mut self, mut shown: Vec<Observation>) -> Result<Vec<Outgoing>, PollError> {
        if shown.is_empty() {
            return Ok(Vec::new());
        }
        self.look_elsewhere().await?;
        // Of rows of one listing the one of the later time is the later one, and else the one below.
        shown.sort_by_key(|observation| observation.at);
        let mut on_page: HashMap<String, Sent> = HashMap::new();
        let mut outgoing = Vec::new();
        for observation in shown {
            let (id, content) = (&observation.native_id, content_hash(&observation.listing));
            let above = on_page.get(id).copied();
            if above.is_some_and(|above| above.on_stream.is(content)) {
                continue;
            }
            let before = above.or_else(|| self.sent_elsewhere(id));
            if let Some(out) = self.outgoing(observation, content, before) {
                let sent = Sent { sighting: out.observation.sighting(), on_stream: out.becomes };
                on_page.insert(out.observation.native_id.clone(), sent);
                outgoing.push(out);
            }
        }
        Ok(outgoing)
    }

    /// The listing as it is to be sent; `None` where the stream has it so. What was sent `before` by another search of the
    /// source, or is to be sent for a row above, is compared as well: the latest counts.
    fn outgoing(&mut self, observation: Observation, content: ContentHash, before: Option<Sent>) -> Option<Outgoing> {
        let known = self.state.listings.get(&observation.native_id);
        let seen_in_scan = known.map(|entry| entry.seen_in_scan);
        let ours = known.map(IndexEntry::sent);
        let theirs = before.filter(|before| ours.is_none_or(|ours| before.sighting > ours.sighting));
        let doubtful = known.is_some_and(|entry| entry.doubtful.is_some());
        let mut sighting = observation.sighting();
        let mut confirms = false;
        if let Some(last) = theirs.or(ours) {
            let is_same = last.on_stream.is(content) && ours.is_some();
            confirms =
                is_same && is_due(&observation.listing, doubtful, self.watched(), last.sighting.seen, sighting.seen);
            if is_same && !confirms {
                self.note_seen(&observation.native_id);
                if theirs.is_some() {
                    let entry = self.entry(&observation.native_id, last, None, observation.listing);
                    self.state.listings.insert(observation.native_id, entry);
                }
                return None;
            }
            // The source says that it has been so since before it was last seen otherwise: a time that does not move with
            // every change.
            let stands_still = match seen_in_scan {
                _ if confirms => false,
                _ if sighting.versioned => last.on_stream.is_other_than(content) && sighting.at <= last.sighting.at,
                Some(seen_in_scan) => sighting.at <= seen_in_scan,
                None => false,
            };
            if stands_still {
                sighting.at = sighting.seen;
            }
            sighting = sighting.after(&last.sighting);
        }
        let observation = observation.with_sighting(sighting);
        let new = ours.is_none();
        let becomes = OnStream::Listing(content);
        Some(Outgoing { observation, becomes, new, until: None, past: false, confirms, beside: false })
    }

    /// Learns what other searches of the source have sent last, unless this scan knows it already.
    pub(super) async fn look_elsewhere(&mut self) -> Result<(), PollError> {
        if self.elsewhere.is_none() {
            let (search, source) = (&self.search.name, self.search.source.name());
            self.elsewhere = Some(self.ports.index.sent_elsewhere(search, source).await?);
        }
        Ok(())
    }

    /// What another search of the source has sent of a listing last, as far as it was asked for.
    pub(super) fn sent_elsewhere(&self, native_id: &str) -> Option<Sent> {
        self.elsewhere.as_ref()?.get(native_id).copied()
    }

    /// Whether the stream can take a listing at all.
    pub(super) fn fits(&self, observation: &Observation) -> Result<(), (Reason, String)> {
        let mut line = Vec::new();
        stoop_wire::encode(observation, &mut line);
        let (bytes, most) = (line.len() + 1, self.ports.stream.record_bytes_max());
        if bytes <= most {
            return Ok(());
        }
        Err((Reason::TooLong, format!("the listing takes {bytes} bytes; a record of the stream has {most} at most")))
    }

    pub(super) fn note_seen(&mut self, native_id: &str) {
        if let Some(entry) = self.state.listings.get_mut(native_id) {
            entry.seen_in_scan = self.began_at;
            entry.missing_since = None;
        }
    }

    /// Notes, before they are sent, that what the stream has of these listings is in doubt. Without it, a
    /// kill between sending and saving would leave the old hash, and a listing that went back to what it was
    /// by the next poll would never be sent again; one that was new and left by then would never be missed.
    ///
    /// New ones are noted only once a scan has seen everything: until then every page is full of them.
    async fn doubt(&mut self, outgoing: &[Outgoing]) -> Result<(), PollError> {
        let settled = self.state.full_scan_at.is_some();
        let of_pages = self.search.source.http().is_some();
        let outgoing = || outgoing.iter().filter(|out| !out.past);
        if outgoing().all(|out| out.new && !settled) {
            return Ok(());
        }
        for Outgoing { observation, new, until, .. } in outgoing() {
            let sighting = observation.sighting();
            match self.state.listings.get_mut(&observation.native_id) {
                Some(entry) => {
                    (entry.on_stream, entry.missing_since) = (OnStream::InDoubt, None);
                    // A file's rows have a time of their own: what is read again is sent again as it was.
                    if of_pages {
                        entry.last = sighting;
                    }
                }
                None if *new && settled => {
                    let sent = Sent { sighting, on_stream: OnStream::InDoubt };
                    let entry = self.entry(&observation.native_id, sent, *until, observation.listing.clone());
                    self.state.listings.insert(observation.native_id.clone(), entry);
                }
                None => {}
            }
        }
        self.save().await
    }

    /// What the index keeps of a listing seen in this scan.
    fn entry(&self, native_id: &str, sent: Sent, until: Option<Sighting>, listing: Listing) -> IndexEntry {
        let Sent { sighting: last, on_stream } = sent;
        let before = self.state.listings.get(native_id).map(|entry| (entry.listing.list_price, entry.doubtful));
        let doubtful = doubtful_since(before, &listing, last.seen);
        let mut listing = Listing { details: Details::default(), ..listing };
        self.state.distrust.drop_from(&mut listing);
        IndexEntry { on_stream, last, doubtful, until, seen_in_scan: self.began_at, missing_since: None, listing }
    }

    /// Puts observations on the stream, many lines to a record, refused records again by their place.
    pub(super) async fn put(&self, observations: &[&Observation]) -> Result<(), PollError> {
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

/// A hash of what a listing says.
pub(super) fn content_hash(listing: &Listing) -> ContentHash {
    let hash = blake3::hash(&steady_bytes(listing.clone()));
    ContentHash(u64::from_le_bytes(std::array::from_fn(|i| hash.as_bytes()[i])))
}

/// What a listing says, without what only seems to change: a listing date told as "6 minutes ago" moves a
/// little with every look.
pub(super) fn steady_bytes(listing: Listing) -> Vec<u8> {
    let listing = Listing { listed_at: None, ..listing };
    let observation = Observation::new("", String::new(), Time::default(), listing);
    let mut bytes = Vec::new();
    stoop_wire::encode(&observation, &mut bytes);
    bytes
}
