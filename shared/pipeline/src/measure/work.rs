use std::collections::BTreeSet;

use stoop_domain::{Applied, Event, EventKind, History, Home, HomeId, Market, Observation, Phase, Time};
use stoop_market::{Delta, Horizon, Zones, update};
use stoop_wire::{HomeError, home_from_bytes};

use super::Measured;

/// One home's part of a batch.
pub(super) struct Work {
    pub(super) id: HomeId,
    pub(super) version_read: u64,
    /// The image that was read, where what is read from it moved; `None` for a home that was not there.
    pub(super) old: Option<Box<Home>>,
    /// Until when it had been seen on offer in each of its markets.
    offered: Vec<(Market, Time)>,
    /// Boxed, so that moving a batch's works about moves little.
    pub(super) new: Box<Home>,
    /// Places in the batch of all its observations, and of those that `new` includes.
    pub(super) places: Vec<usize>,
    pub(super) taken: Vec<usize>,
    /// Whether what is read from the history moved.
    pub(super) notable: bool,
    /// What the home adds to its markets, once worked out; nothing, where a market is only folded further.
    pub(super) deltas: Vec<(Market, Delta)>,
    /// How far some of those markets are to be folded.
    folds: Vec<(Market, Horizon)>,
    pub(super) counts: Measured,
}

impl Work {
    /// Applies the observations at `places` to a home as it was read: nothing, where its version is 0.
    pub(super) fn new(
        id: HomeId,
        read: &[u8],
        version_read: u64,
        observations: &[Observation],
        places: Vec<usize>,
    ) -> Result<Self, HomeError> {
        let image = || if version_read == 0 { Ok(Box::default()) } else { home_from_bytes(read).map(Box::new) };
        let home = image()?;
        let offered = offered_until(&home.history);
        let counts = Measured { observations: places.len() as u64, ..Measured::default() };
        let taken = Vec::with_capacity(places.len());
        let (deltas, folds) = (Vec::new(), Vec::new());
        let mut work = Self {
            id,
            version_read,
            old: None,
            offered,
            new: home,
            places,
            taken,
            notable: false,
            deltas,
            folds,
            counts,
        };
        for &place in &work.places {
            let applied = work.new.apply(&observations[place]);
            let count = match applied {
                Applied::New => &mut work.counts.new,
                Applied::Changed => &mut work.counts.changed,
                Applied::Unchanged => &mut work.counts.unchanged,
                Applied::Duplicate => &mut work.counts.duplicates,
                Applied::Overfull | Applied::Refused => &mut work.counts.overfull,
            };
            *count += 1;
            match applied {
                Applied::New | Applied::Changed => work.notable = true,
                Applied::Overfull => {
                    work.notable = true;
                    work.counts.homes_overfull += 1;
                }
                Applied::Unchanged | Applied::Duplicate | Applied::Refused => {}
            }
            if !matches!(applied, Applied::Duplicate | Applied::Refused) {
                work.taken.push(place);
            }
        }
        if work.notable {
            work.old = (version_read > 0).then(image).transpose()?;
            work.count_price_changes();
        }
        Ok(work)
    }

    /// Whether there is nothing to store.
    pub(super) fn is_idle(&self) -> bool {
        self.taken.is_empty()
    }

    /// Works out what the home adds to its markets, and how far they are to be folded.
    pub(super) fn weigh(&mut self, zones: &mut Zones) {
        if self.notable {
            let old = self.old.as_ref().map(|old| &old.history);
            self.deltas = update(old, &self.new.history, zones);
        }
        for (market, until) in offered_until(&self.new.history) {
            let zone = zones.of(&market);
            let horizon = Horizon::of(until.day_in(zone));
            let known = self.offered.iter().find(|(known, _)| *known == market);
            if known.is_some_and(|(_, known)| *known == until || Horizon::of(known.day_in(zone)) == horizon) {
                continue;
            }
            if self.deltas.iter().all(|(touched, _)| *touched != market) {
                self.deltas.push((market.clone(), Delta::default()));
            }
            self.folds.push((market, horizon));
        }
    }

    /// How far a market is to be folded because of this home.
    pub(super) fn fold_to(&self, market: &Market) -> Option<Horizon> {
        self.folds.iter().find(|(folded, _)| folded == market).map(|(_, horizon)| *horizon)
    }

    fn count_price_changes(&mut self) {
        let count = |events: &[Event], kind| events.iter().map(|event| i64::from(event.kind == kind)).sum::<i64>();
        let new = self.new.history.events();
        let old = self.old.as_ref().map(|old| old.history.events()).unwrap_or_default();
        self.counts.price_cuts = count(&new, EventKind::PriceCut) - count(&old, EventKind::PriceCut);
        self.counts.price_rises = count(&new, EventKind::PriceRise) - count(&old, EventKind::PriceRise);
    }
}

/// Until when a home was seen on offer in each of its markets.
///
/// These times only ever grow, because no sighting is ever taken back, and whoever makes one grow tells the market, be it
/// by an observation that changes nothing else. So how far a market is folded depends neither on the order of
/// observations nor on how batches are cut.
fn offered_until(history: &History) -> Vec<(Market, Time)> {
    let mut times: Vec<(Market, Time)> = Vec::new();
    for span in history.spans() {
        let facts = &history.facts()[usize::from(span.facts)];
        if facts.status.phase() != Phase::Active {
            continue;
        }
        let at = span.last.ranked_at();
        match times.iter_mut().find(|(known, _)| *known == facts.market) {
            Some((_, newest)) => *newest = at.max(*newest),
            None => times.push((facts.market.clone(), at)),
        }
    }
    times
}

/// Cuts works into pieces of at most `items_max` homes and markets each. Homes of one market stay
/// together, so that each market is written as few times as can be.
pub(super) fn cut_into_pieces(mut works: Vec<Work>, items_max: usize) -> Vec<Vec<Work>> {
    if works.iter().map(|work| 1 + work.deltas.len()).sum::<usize>() <= items_max {
        return if works.is_empty() { Vec::new() } else { vec![works] };
    }
    let market = |work: &Work| work.deltas.first().map(|(market, _)| market.clone());
    if works.len().saturating_mul(2) > items_max {
        works.sort_by_cached_key(market);
    }
    let mut pieces: Vec<Vec<Work>> = Vec::new();
    let mut piece: Vec<Work> = Vec::new();
    let mut markets: BTreeSet<Market> = BTreeSet::new();
    for work in works {
        let more = work.deltas.iter().filter(|(market, _)| !markets.contains(market)).count();
        if !piece.is_empty() && piece.len() + 1 + markets.len() + more > items_max {
            pieces.push(std::mem::take(&mut piece));
            markets.clear();
        }
        markets.extend(work.deltas.iter().map(|(market, _)| market.clone()));
        piece.push(work);
    }
    if !piece.is_empty() {
        pieces.push(piece);
    }
    pieces
}
