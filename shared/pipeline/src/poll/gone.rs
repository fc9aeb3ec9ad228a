use stoop_domain::{Listing, Observation, Sight, Status, Time};

use super::scan::Scan;
use super::take::IN_DOUBT;
use super::{PollError, Polled};
use crate::ports::IndexEntry;
use crate::snapshots::{MISSED_MAX, leaves_as_it_should};

/// What was said to be gone is kept for so long, in case it comes back.
const TOMBSTONE_MS: i64 = 400 * Time::DAY_MS;

/// In place of a hash: it was said that the listing is gone.
pub(super) const TOLD: u64 = 1;

impl Scan<'_> {
    /// The scan has seen all there is: what it missed is missed once more, and gone the second time.
    ///
    /// Not said of a listing that was sold or withdrawn, which only leaves the feed as it should, nor of one
    /// that another search of the source holds: its price or place moved from this search into that.
    pub(super) async fn tell_gone(&mut self, polled: &mut Polled) -> Result<(), PollError> {
        let missed = self.count_missed();
        self.say_gone(missed, polled).await
    }

    /// What is missed for the second time, by native id.
    fn count_missed(&mut self) -> Vec<String> {
        let mut missed = Vec::new();
        for (native_id, entry) in &mut self.state.listings {
            if entry.seen_in_scan == self.began_at {
                continue;
            }
            let told = entry.gone_at.is_some() && entry.hash != IN_DOUBT;
            if !told {
                entry.missed = entry.missed.saturating_add(1);
                if entry.missed >= MISSED_MAX {
                    missed.push(native_id.clone());
                }
            }
        }
        missed
    }

    /// Says once more what a run that was killed may not have said, without counting anything as missed again.
    pub(super) async fn tell_gone_again(&mut self, polled: &mut Polled) -> Result<(), PollError> {
        let in_doubt = |entry: &IndexEntry| entry.gone_at.is_some() && entry.hash == IN_DOUBT;
        let listings = self.state.listings.iter().filter(|(_, entry)| in_doubt(entry));
        let unsaid = listings.map(|(native_id, _)| native_id.clone()).collect();
        self.say_gone(unsaid, polled).await
    }

    async fn say_gone(&mut self, missed: Vec<String>, polled: &mut Polled) -> Result<(), PollError> {
        let began_at = self.began_at;
        let source = self.search.source.name().to_owned();
        let held = self.ports.index.held_elsewhere(&self.search.name, &source, &missed).await?;
        if !missed.is_empty() {
            self.look_elsewhere().await?;
        }
        let (mut said, mut gone) = (Vec::new(), Vec::new());
        for (native_id, held) in missed.into_iter().zip(held) {
            let elsewhere = self.sent_elsewhere(&native_id);
            let Some(entry) = self.state.listings.get_mut(&native_id) else { continue };
            if held || leaves_as_it_should(&entry.listing) {
                self.state.listings.remove(&native_id);
                continue;
            }
            if let Some(until) = entry.until {
                // How long it was as it was: a file of before may come yet.
                let listing = entry.listing.clone();
                said.push(Observation::new(source.as_str(), &native_id, until.at, listing).with_sight(until));
            }
            let sight = match entry.gone_at {
                // It is said again as it may have been said.
                Some(gone_at) => entry.last.unwrap_or(Sight::at(gone_at)),
                None => {
                    let last = elsewhere.map_or(entry.sent().sight, |sent| sent.sight.max(entry.sent().sight));
                    Sight::at(began_at).after(&entry.until.map_or(last, |until| until.max(last)))
                }
            };
            entry.gone_at = Some(sight.at);
            entry.last = Some(sight);
            entry.hash = IN_DOUBT;
            let listing = Listing { status: Status::Gone, ..entry.listing.clone() };
            said.push(Observation::new(source.as_str(), &native_id, sight.at, listing).with_sight(sight));
            gone.push(native_id);
        }
        if !gone.is_empty() {
            self.save().await?;
            for observation in &mut said {
                observation.watch = self.search.source.watch();
            }
            self.put(&said.iter().collect::<Vec<_>>()).await?;
            for native_id in &gone {
                if let Some(entry) = self.state.listings.get_mut(native_id) {
                    entry.hash = TOLD;
                    entry.until = None;
                }
            }
        }
        self.state.listings.retain(|_, entry| entry.gone_at.is_none_or(|at| began_at.ms() - at.ms() < TOMBSTONE_MS));
        polled.gone += gone.len() as u64;
        polled.sent += (said.len() - gone.len()) as u64;
        Ok(())
    }
}
