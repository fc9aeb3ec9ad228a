use stoop_domain::{Listing, Observation, Sighting, Status, Time};

use super::scan::Scan;
use super::{Origin, PollError, Polled};
use crate::loss::{CompleteScan, LossVerdict, Ruling, judge};
use crate::ports::{IndexEntry, OnStream, PortError};
use crate::snapshots::leaves_as_it_should;

/// What was said to be gone is kept for so long, in case it comes back.
const TOMBSTONE_MS: i64 = 400 * Time::DAY_MS;

/// Another search of the source, which saw a listing before this one missed it, has so long to look again. After that it may have
/// got another name, or be polled no more, and holds nothing. Searches ask for everything once a day, if nothing else is said.
const OTHERS_LOOK_MS: i64 = 8 * Time::DAY_MS;

/// What other searches of the source say of a listing that this one lacks.
#[derive(Clone, Copy, PartialEq, Eq)]
enum InOtherSearches {
    /// None has it.
    Nowhere,
    /// One that has it has not looked since, and may yet.
    Unknown,
    /// One has seen it since: it moved from this search into that.
    Moved,
}

impl Scan<'_> {
    /// The scan has seen all there is: what it lacks and has lacked for long enough is gone. What is too much to be believed yet
    /// is held back, so that nothing changes until it is believed or seen again.
    ///
    /// Not said of a listing that was sold or withdrawn, which only leaves the feed as it should, nor of one
    /// that another search of the source holds: its price or place moved from this search into that.
    pub(super) async fn tell_gone(&mut self, look: CompleteScan, polled: &mut Polled) -> Result<(), PollError> {
        let now = self.looked_at();
        let missing = self.note_missing(now);
        let missing = self.with_others(missing).await?;
        let here = missing.iter().filter(|(_, elsewhere)| *elsewhere == InOtherSearches::Nowhere);
        let entries = here.filter_map(|(id, _)| self.state.listings.get(id));
        let lost = entries.filter(|entry| !leaves_as_it_should(&entry.listing));
        let missing_since: Vec<Time> = lost.filter_map(|entry| entry.missing_since).collect();
        let judgement = judge(&missing_since, self.present(), now, look);
        self.state.held_back = judgement.held_back;
        let since = |native_id: &String| self.state.listings.get(native_id).and_then(|entry| entry.missing_since);
        let is_gone = |native_id: &String| since(native_id).is_some_and(|since| judgement.is_gone(since));
        let is_settled = |(native_id, elsewhere): &(String, InOtherSearches)| {
            *elsewhere != InOtherSearches::Unknown && is_gone(native_id)
        };
        let mut gone: Vec<_> = missing.into_iter().filter(is_settled).collect();
        gone.extend(self.unsaid().await?);
        self.say_gone(gone, polled).await
    }

    /// When the scan looked: a file has its own time, and what the clock said is put right where it is set.
    fn looked_at(&self) -> Time {
        match self.search.source {
            Origin::Files(_) => self.began_at,
            Origin::Http(_) => self.began_by_clock(),
        }
    }

    /// Notes what the scan lacks as missing, and gives it, by native id: all that was not told to be gone.
    fn note_missing(&mut self, now: Time) -> Vec<String> {
        let began_at = self.began_at;
        let lacks = |entry: &IndexEntry| entry.seen_in_scan != began_at && entry.on_stream.gone_at().is_none();
        let missing = self.state.listings.iter_mut().filter(|(_, entry)| lacks(entry));
        let noted = missing.map(|(native_id, entry)| {
            entry.missing_since.get_or_insert(now);
            native_id.clone()
        });
        noted.collect()
    }

    /// How many listings on the market the scan has seen.
    fn present(&self) -> u64 {
        let on_market =
            |entry: &&IndexEntry| entry.on_stream.gone_at().is_none() && !leaves_as_it_should(&entry.listing);
        let listings = self.state.listings.values().filter(|entry| entry.seen_in_scan == self.began_at);
        listings.filter(on_market).count() as u64
    }

    /// What a run that was killed may not have said, and what other searches say of it by now.
    async fn unsaid(&self) -> Result<Vec<(String, InOtherSearches)>, PollError> {
        let in_doubt = |entry: &IndexEntry| matches!(entry.on_stream, OnStream::GoneInDoubt(_));
        let listings = self.state.listings.iter().filter(|(_, entry)| in_doubt(entry));
        let unsaid: Vec<String> = listings.map(|(native_id, _)| native_id.clone()).collect();
        Ok(self.with_others(unsaid).await?)
    }

    /// Beside each listing, what other searches of the source say of it.
    async fn with_others(&self, native_ids: Vec<String>) -> Result<Vec<(String, InOtherSearches)>, PortError> {
        if native_ids.is_empty() {
            return Ok(Vec::new());
        }
        let (search, source) = (&self.search.name, self.search.source.name());
        let held = self.ports.index.held_elsewhere(search, source, &native_ids).await?;
        let may_yet_look = |missing_since: Time| missing_since.plus_ms(OTHERS_LOOK_MS) > self.looked_at();
        let missed = |native_id: &String| {
            let entry = self.state.listings.get(native_id)?;
            entry.missing_since.or(entry.on_stream.gone_at())
        };
        let said = native_ids.into_iter().zip(held).map(|(native_id, seen)| {
            let elsewhere = match (seen, missed(&native_id)) {
                (None, _) => InOtherSearches::Nowhere,
                (Some(seen), Some(since)) if seen < since && may_yet_look(since) => InOtherSearches::Unknown,
                (Some(seen), Some(since)) if seen < since => InOtherSearches::Nowhere,
                (Some(_), _) => InOtherSearches::Moved,
            };
            (native_id, elsewhere)
        });
        Ok(said.collect())
    }

    /// Does what a person said of the loss that is held back, but for what the scan has seen; whether there was anything to do.
    pub(super) async fn do_as_ruled(&mut self, polled: &mut Polled) -> Result<bool, PollError> {
        if self.state.held_back.is_none() {
            return Ok(false);
        }
        let (search, source) = (&self.search.name, self.search.source.name());
        let Some(text) = self.ports.index.ruling(search, source).await? else { return Ok(false) };
        let ruling = match Ruling::parse(&text) {
            Ok(ruling) => ruling,
            Err(error) => {
                tracing::warn!(search, %error, "what is held back stays so");
                polled.rulings.push(error.to_string());
                return Ok(false);
            }
        };
        let is_meant = |entry: &IndexEntry| {
            entry.on_stream.gone_at().is_none() && entry.missing_since.is_some_and(|since| since < ruling.until)
        };
        let meant = self.state.listings.iter_mut().filter(|(_, entry)| is_meant(entry));
        let mut ruled = Vec::new();
        for (native_id, entry) in meant {
            if ruling.verdict == LossVerdict::Reject {
                entry.missing_since = None;
            }
            ruled.push(native_id.clone());
        }
        if ruled.is_empty() {
            // It is about a loss of before.
            return Ok(false);
        }
        tracing::info!(search, %ruling, listings = ruled.len(), "as ruled");
        polled.rulings.push(format!("{ruling}: {} listings", ruled.len()));
        self.state.held_back = None;
        if ruling.verdict == LossVerdict::Release {
            let mut released = self.with_others(ruled).await?;
            released.retain(|(_, elsewhere)| *elsewhere != InOtherSearches::Unknown);
            self.say_gone(released, polled).await?;
        }
        Ok(true)
    }

    /// Says once more what a run that was killed may not have said, without judging anything anew.
    pub(super) async fn tell_gone_again(&mut self, polled: &mut Polled) -> Result<(), PollError> {
        let unsaid = self.unsaid().await?;
        self.say_gone(unsaid, polled).await
    }

    /// Says of these listings that they are gone as of when they were missed first, but for those that another search holds, or has
    /// said it of.
    async fn say_gone(&mut self, missed: Vec<(String, InOtherSearches)>, polled: &mut Polled) -> Result<(), PollError> {
        let began_at = self.began_at;
        let source = self.search.source.name().to_owned();
        if !missed.is_empty() {
            self.look_elsewhere().await?;
        }
        let (mut said, mut gone) = (Vec::new(), Vec::new());
        for (native_id, elsewhere) in missed {
            let sent = self.sent_elsewhere(&native_id);
            let Some(entry) = self.state.listings.get_mut(&native_id) else { continue };
            let missed = entry.missing_since.or(entry.on_stream.gone_at());
            let reported = sent.is_some_and(|sent| {
                let is_gone = matches!(sent.on_stream, OnStream::Gone(_));
                is_gone && missed.is_some_and(|missed| sent.sighting.seen >= missed)
            });
            if elsewhere == InOtherSearches::Moved || reported || leaves_as_it_should(&entry.listing) {
                self.state.listings.remove(&native_id);
                continue;
            }
            if let Some(until) = entry.until {
                // How long it was as it was: a file of before may come yet.
                let listing = entry.listing.clone();
                said.push(Observation::new(source.as_str(), &native_id, until.at, listing).with_sighting(until));
            }
            let sighting = match entry.on_stream.gone_at() {
                // It is said again as it may have been said.
                Some(_) => entry.last,
                None => {
                    let last = sent.map_or(entry.last, |sent| sent.sighting.max(entry.last));
                    let at = entry.missing_since.map_or(began_at, |since| since.min(began_at));
                    Sighting { at, ..Sighting::at(began_at) }.after(&entry.until.map_or(last, |until| until.max(last)))
                }
            };
            entry.on_stream = OnStream::GoneInDoubt(sighting.at);
            entry.last = sighting;
            let listing = Listing { status: Status::Gone, ..entry.listing.clone() };
            said.push(Observation::new(source.as_str(), &native_id, sighting.at, listing).with_sighting(sighting));
            gone.push(native_id);
        }
        if !gone.is_empty() {
            self.save().await?;
            let watched = self.watched();
            said.iter_mut().for_each(|observation| observation.watch = watched);
            self.put(&said.iter().collect::<Vec<_>>()).await?;
            for native_id in &gone {
                if let Some(entry) = self.state.listings.get_mut(native_id) {
                    entry.on_stream = OnStream::Gone(entry.last.at);
                    entry.until = None;
                }
            }
        }
        self.state
            .listings
            .retain(|_, entry| entry.on_stream.gone_at().is_none_or(|at| began_at.ms() - at.ms() < TOMBSTONE_MS));
        polled.gone += gone.len() as u64;
        polled.sent += (said.len() - gone.len()) as u64;
        Ok(())
    }
}
