use std::borrow::Cow;
use std::collections::BTreeSet;

use stoop_domain::{Applied, Event, EventKind, History, Home, HomeId, Market, Observation, Phase, Time};
use stoop_market::{Delta, Horizon, Zones, update};
use stoop_rules::may_raise;
use stoop_wire::{HomeError, home_from_bytes, home_to_bytes};

use super::Measured;
use crate::ports::{HomeChange, HomeImage};

/// One home's part of a batch.
pub(super) struct Work {
    pub(super) id: HomeId,
    pub(super) version_read: u64,
    /// The image that was read, if its history changed; `None` for a new home.
    old: Option<Box<[u8]>>,
    pub(super) new: HomeImage<'static>,
    /// Indexes in the batch of all its observations, and of those that `new` includes.
    pub(super) indexes: Vec<usize>,
    pub(super) taken: Vec<usize>,
    /// See [`HomeChange`].
    notable: bool,
    moved: bool,
    /// The home's additions to its markets; empty if a market is only folded further.
    pub(super) deltas: Vec<(Market, Delta)>,
    /// How far to fold some of those markets.
    folds: Vec<(Market, Horizon)>,
    pub(super) counts: Measured,
}

/// The effect of a home's step on its markets.
#[derive(Default)]
pub(super) struct HomeEffect {
    /// See [`Work`].
    pub(super) deltas: Vec<(Market, Delta)>,
    pub(super) folds: Vec<(Market, Horizon)>,
    /// Cuts and rises added to the history.
    pub(super) price_cuts: i64,
    pub(super) price_rises: i64,
}

impl Work {
    /// Applies the observations at these indexes to a home as read (empty if its version is 0), and computes its
    /// additions to its markets.
    pub(super) fn new(
        id: HomeId,
        read: &[u8],
        version_read: u64,
        observations: &[Observation],
        indexes: Vec<usize>,
        zones: &mut Zones,
    ) -> Result<Self, HomeError> {
        let mut home = if version_read == 0 { Home::default() } else { home_from_bytes(read)? };
        let offered = offered_until(&home.history);
        let market_read = market_of(&home).cloned();
        let mut counts = Measured { observations: indexes.len() as u64, ..Measured::default() };
        let mut taken = Vec::with_capacity(indexes.len());
        let mut read_moved = Moved::Nothing;
        for &index in &indexes {
            let applied = home.apply(&observations[index]);
            counts.count(applied);
            read_moved = read_moved.max(Moved::by(applied));
            if is_taken(applied) {
                taken.push(index);
            }
        }
        let mut weighed = HomeEffect::default();
        let mut old = None;
        if !taken.is_empty() {
            old = if read_moved > Moved::Nothing && version_read > 0 { Some(home_from_bytes(read)?) } else { None };
            weighed = weigh(old.as_ref().map(|old| &old.history), &offered, &home.history, read_moved, zones);
        }
        let notable = is_notable(read_moved, old.as_ref(), &home);
        let bytes = if taken.is_empty() { read.to_vec() } else { home_to_bytes(&home) };
        counts.price_cuts = weighed.price_cuts;
        counts.price_rises = weighed.price_rises;
        Ok(Self {
            id,
            version_read,
            old: (notable && version_read > 0).then(|| read.into()),
            moved: version_read == 0 || market_of(&home) != market_read.as_ref(),
            new: HomeImage::of(&home, bytes),
            indexes,
            taken,
            notable,
            deltas: weighed.deltas,
            folds: weighed.folds,
            counts,
        })
    }

    /// Whether there is nothing to store.
    pub(super) fn is_idle(&self) -> bool {
        self.taken.is_empty()
    }

    /// How far to fold a market because of this home.
    pub(super) fn fold_to(&self, market: &Market) -> Option<Horizon> {
        self.folds.iter().find(|(folded, _)| folded == market).map(|(_, horizon)| *horizon)
    }

    pub(super) fn change(&self) -> HomeChange<'_> {
        HomeChange {
            id: &self.id,
            version_read: self.version_read,
            old: self.old.as_deref().map(Cow::Borrowed),
            new: self.new.borrowed(),
            notable: self.notable,
            moved: self.moved,
        }
    }
}

/// What changed in a home's history.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Moved {
    #[default]
    Nothing,
    /// When it becomes unconfirmed or expires: only its markets need to know.
    Lasting,
    /// An event.
    Notable,
}

impl Moved {
    pub(super) fn by(applied: Applied) -> Self {
        match applied {
            Applied::New | Applied::Changed | Applied::Overfull => Self::Notable,
            Applied::Confirmed => Self::Lasting,
            Applied::Unchanged | Applied::Duplicate | Applied::Refused => Self::Nothing,
        }
    }
}

/// Whether the observation is now part of the home, and was not before.
pub(super) fn is_taken(applied: Applied) -> bool {
    !matches!(applied, Applied::Duplicate | Applied::Refused)
}

/// Whether the home goes on the change feed after this kind of change: it may have alerts, or had them before it became
/// overfull.
pub(super) fn is_notable(moved: Moved, old: Option<&Home>, new: &Home) -> bool {
    moved == Moved::Notable && (may_raise(new) || new.history.is_overfull() && old.is_some_and(may_raise))
}

/// The market in which a home is counted now.
pub(super) fn market_of(home: &Home) -> Option<&Market> {
    home.history.current().map(|facts| &facts.market)
}

/// Computes what a home adds to its markets, and how far they are folded. `offered` is the earlier result of
/// [`offered_until`]; `old` is the previous home, if it changed and existed.
pub(super) fn weigh(
    old: Option<&History>,
    offered: &[(Market, Time)],
    new: &History,
    moved: Moved,
    zones: &mut Zones,
) -> HomeEffect {
    let mut weighed = HomeEffect::default();
    if moved > Moved::Nothing {
        weighed.deltas = update(old, new, zones);
    }
    if moved == Moved::Notable {
        let count = |events: &[Event], kind| events.iter().map(|event| i64::from(event.kind == kind)).sum::<i64>();
        let (new, old) = (new.events(), old.map(History::events).unwrap_or_default());
        weighed.price_cuts = count(&new, EventKind::PriceCut) - count(&old, EventKind::PriceCut);
        weighed.price_rises = count(&new, EventKind::PriceRise) - count(&old, EventKind::PriceRise);
    }
    for (market, until) in offered_until(new) {
        let zone = zones.of(&market);
        let horizon = Horizon::of(until.day_in(zone));
        let known = offered.iter().find(|(known, _)| *known == market);
        if known.is_some_and(|(_, known)| *known == until || Horizon::of(known.day_in(zone)) == horizon) {
            continue;
        }
        if weighed.deltas.iter().all(|(touched, _)| *touched != market) {
            weighed.deltas.push((market.clone(), Delta::default()));
        }
        weighed.folds.push((market, horizon));
    }
    weighed
}

/// Until when a home was seen on offer in each of its markets.
///
/// These times only grow, because no sighting is ever removed, and whatever makes one grow updates the market, even an
/// observation that changes nothing else. So how far a market is folded depends neither on the order of observations
/// nor on the cut into batches.
pub(crate) fn offered_until(history: &History) -> Vec<(Market, Time)> {
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

/// Cuts works into pieces of at most `items_max` homes and markets each. Homes of one market stay together, so that
/// each market is written as few times as possible.
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
