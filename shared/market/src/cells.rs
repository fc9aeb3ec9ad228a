use std::collections::BTreeMap;

use stoop_domain::Day;

use crate::contribution::Delta;
use crate::coordinates::Coordinates;
use crate::key::{Key, WHOLE_AREA};
use crate::kind::{CounterKind, Quantity};
use crate::segment::{Cell, Segment};

/// The state of a market: a sparse vector of integers (a commutative group), folded up to a horizon.
///
/// Equal states are equal bit by bit: zero coordinates are never stored. Sums wrap at 64 bits, which keeps the group
/// laws without a panic. No coordinate comes near that limit (the sum of prices of a [`crate::Segment`] is split into
/// two parts).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    map: Coordinates,
    horizon: Option<Horizon>,
}

/// The days from which a state has single days and hours. Both only ever move forward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Horizon {
    /// Stock changes before this day are in the opening; events before it are dropped.
    pub days: Day,
    /// Hourly events before this UTC day are dropped.
    pub hours: Day,
}

/// If a delta has at least one coordinate per this many of the state, adding it rebuilds the map.
const REBUILD_SHARE: usize = 8;

/// Days of single-day history in a state. Older days go to the archive.
pub const HORIZON_DAYS: i32 = 400;

/// Days of hourly history in a state.
pub const HORIZON_HOURS_DAYS: i32 = 8;

impl Horizon {
    /// The horizon for a newest observation on `newest`: [`HORIZON_DAYS`] and [`HORIZON_HOURS_DAYS`] before it, or up
    /// to a month and up to eight days earlier, so that folding is rare.
    #[must_use]
    pub fn of(newest: Day) -> Self {
        let step = |back: i32, step: i32| Day(newest.0.saturating_sub(back).div_euclid(step) * step);
        Self { days: step(HORIZON_DAYS, 32), hours: step(HORIZON_HOURS_DAYS, 8) }
    }

    fn join(self, other: Self) -> Self {
        Self { days: self.days.max(other.days), hours: self.hours.max(other.hours) }
    }
}

impl Cells {
    /// Adds a delta. Its part before the horizon is added to the opening and returned, for the archive.
    pub fn add(&mut self, delta: &Delta) -> Self {
        let mut late = Self::default();
        if delta.entries().len() * REBUILD_SHARE >= self.map.len() {
            self.add_many(delta.entries().iter().copied(), &mut late);
        } else {
            for (key, value) in delta.entries() {
                self.add_entry(*key, *value, Some(&mut late));
            }
        }
        late
    }

    /// Adds another state: the sum of two markets is the state of both together. The result is folded to the later of
    /// the two horizons.
    pub fn merge(&mut self, other: &Self) {
        if let Some(horizon) = other.horizon {
            drop(self.fold_to(horizon));
        }
        if self.map.is_tree() && other.map.len() * REBUILD_SHARE < self.map.len() {
            other.map.iter().for_each(|(key, value)| self.add_entry(key, value, None));
        } else {
            self.add_many(other.map.iter(), &mut Self::default());
        }
    }

    /// Adds `times` times another state, in the horizon of this one. Neither may need folding. Makes one pass over
    /// both, unless the other one is small.
    pub(crate) fn add_times(&mut self, other: &Self, times: i64) {
        if self.map.is_tree() && other.map.len() * REBUILD_SHARE < self.map.len() {
            other.map.iter().for_each(|(key, value)| self.map.add(key, value.wrapping_mul(times)));
            return;
        }
        let mut known = std::mem::take(&mut self.map).into_list().into_iter().peekable();
        let mut sums: Vec<(Key, i64)> = Vec::with_capacity(known.len() + other.map.len());
        for (key, value) in other.map.iter() {
            sums.extend(std::iter::from_fn(|| known.next_if(|(before, _)| *before < key)));
            let there = known.next_if(|(same, _)| *same == key).map_or(0, |(_, there)| there);
            let sum = there.wrapping_add(value.wrapping_mul(times));
            sums.extend((sum != 0).then_some((key, sum)));
        }
        sums.extend(known);
        self.map = Coordinates::of(sums);
    }

    /// Folds everything before the horizon; never unfolds. Returns what the state no longer has, for the archive.
    ///
    /// Folding moves and drops coordinates regardless of their values, so it is linear: folding a sum equals summing
    /// the folded states.
    pub fn fold_to(&mut self, horizon: Horizon) -> Self {
        let mut leaving = Self::default();
        let horizon = self.horizon.map_or(horizon, |folded| folded.join(horizon));
        if self.horizon == Some(horizon) {
            return leaving;
        }
        self.horizon = Some(horizon);
        let old = std::mem::take(&mut self.map).into_list();
        let (stay, others): (Vec<_>, Vec<_>) = old.into_iter().partition(|(key, _)| self.folded(*key) == Some(*key));
        self.map = Coordinates::of(stay);
        for (key, value) in others {
            self.add_entry(key, value, Some(&mut leaving));
        }
        leaving
    }

    /// The state of all days: this one with its opening replaced by the archive.
    ///
    /// Applies to a single market only. A sum is folded to the latest horizon of its parts, and no archive has the days
    /// of the other parts before that.
    ///
    /// Read the state first, then the archive. Days that are folded in between are then in both, and the state's
    /// version is used.
    #[must_use]
    pub fn with_archive(mut self, archive: &Self) -> Self {
        let Some(Horizon { days, hours }) = self.horizon else { return self };
        self.map.retain(|key| key.kind() != Some(CounterKind::Opening));
        self.horizon = Some(Horizon { days: Day(i32::MIN), hours });
        self.add_many(archive.map.iter().filter(|(key, _)| key.day() < days.0), &mut Self::default());
        self
    }

    /// The days from which the state has single days and hours. `None` if it was never folded.
    #[must_use]
    pub fn horizon(&self) -> Option<Horizon> {
        self.horizon
    }

    /// The number of coordinates that are not zero.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether every coordinate is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.len() == 0
    }

    /// The cells with at least one coordinate, in order.
    #[must_use]
    pub fn cells(&self) -> Vec<Cell> {
        let mut cells = Vec::new();
        let mut from = Some(Key(0));
        while let Some((key, _)) = from.and_then(|from| self.map.from(from).next()) {
            cells.extend(key.cell());
            from = key.cell_code().checked_add(1).map(|next| Key::first_of(next, Quantity::Count));
        }
        cells
    }

    /// The property types and numbers of bedrooms with at least one coordinate, in order.
    #[must_use]
    pub fn segments(&self) -> Vec<Segment> {
        let cells = self.cells();
        let types = cells.iter().map(|cell| Segment::Type(cell.property_type));
        let bedrooms = cells.iter().map(|cell| Segment::Bedrooms(cell.bedrooms));
        let mut segments: Vec<Segment> = types.chain(bedrooms).collect();
        segments.sort_unstable();
        segments.dedup();
        segments
    }

    /// Splits the state into periods of 32 days, by number. The archive stores each period separately.
    #[must_use]
    pub fn into_periods(self) -> BTreeMap<i32, Self> {
        let mut periods: BTreeMap<i32, Self> = BTreeMap::new();
        for (key, value) in self.map.into_list() {
            // In order, so that each goes to the end of its period.
            periods.entry(key.day().div_euclid(32)).or_default().map.add(key, value);
        }
        periods
    }

    /// Describes the first coordinate that differs. `None` if the states are equal.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<String> {
        if self.horizon != other.horizon {
            return Some(format!("folded to {:?} and {:?}", self.horizon, other.horizon));
        }
        let keys = self.map.iter().chain(other.map.iter()).map(|(key, _)| key);
        let key = keys.filter(|key| self.map.get(*key) != other.map.get(*key)).min()?;
        let [left, right] = [self, other].map(|cells| cells.map.get(key));
        let cell = key.cell().map_or_else(|| "?".into(), |cell| Segment::Cell(cell).label());
        let kind = key.kind().map_or_else(|| "?".into(), |kind| format!("{kind:?}"));
        let (quantity, day, bucket) = (key.quantity(), Day(key.day()), key.bucket());
        Some(format!("{cell}: {quantity:?} {kind} on {day}, bucket {bucket}: {left} and {right}"))
    }

    /// The coordinates of a quantity in a segment: of each cell, by kind and day.
    pub(crate) fn of(&self, segment: Segment, quantity: Quantity) -> impl Iterator<Item = (Key, i64)> + '_ {
        let cells = self.cells().into_iter().filter(move |cell| segment.contains(*cell));
        cells.flat_map(move |cell| {
            let from = Key::new_first(cell, quantity);
            self.map.from(from).take_while(move |(key, _)| key.is_of(from))
        })
    }

    /// The coordinates of a quantity that are of the whole area and of no cell.
    pub(crate) fn of_area(&self, quantity: Quantity) -> impl Iterator<Item = (Key, i64)> + '_ {
        let from = Key::first_of(WHOLE_AREA, quantity);
        self.map.from(from).take_while(move |(key, _)| key.is_of(from))
    }

    /// The delta that makes this state of nothing. The state of a delta is that delta, as it is stored; it was never folded.
    #[must_use]
    pub fn as_delta(&self) -> Delta {
        Delta::of_sorted(self.entries().collect())
    }

    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = (Key, i64)> + '_ {
        self.map.iter()
    }

    pub(crate) fn from_sorted(entries: Vec<(Key, i64)>, horizon: Option<Horizon>) -> Self {
        Self { map: Coordinates::of(entries), horizon }
    }

    /// Adds many coordinates, in order, in one pass over the state. This avoids a search for each, and the half-empty
    /// nodes of a tree that grows step by step.
    fn add_many(&mut self, entries: impl Iterator<Item = (Key, i64)>, late: &mut Self) {
        let mut known = std::mem::take(&mut self.map).into_list().into_iter().peekable();
        let mut sums: Vec<(Key, i64)> = Vec::with_capacity(known.len() + entries.size_hint().0);
        let mut rest: Vec<(Key, i64)> = Vec::new();
        for (key, value) in entries {
            if self.folded(key) != Some(key) {
                rest.push((key, value));
                continue;
            }
            sums.extend(std::iter::from_fn(|| known.next_if(|(before, _)| *before < key)));
            let there = known.next_if(|(same, _)| *same == key).map_or(0, |(_, there)| there);
            let sum = there.wrapping_add(value);
            sums.extend((sum != 0).then_some((key, sum)));
        }
        sums.extend(known);
        self.map = Coordinates::of(sums);
        for (key, value) in rest {
            self.add_entry(key, value, Some(&mut *late));
        }
    }

    /// Adds to a coordinate, or to the one that it is folded into. The part that the state no longer has is added to
    /// `late`.
    fn add_entry(&mut self, key: Key, value: i64, late: Option<&mut Self>) {
        let folded = self.folded(key);
        if folded != Some(key)
            && key.kind() != Some(CounterKind::Opening)
            && key.quantity() != Quantity::Hour
            && let Some(late) = late
        {
            late.map.add(key, value);
        }
        if let Some(key) = folded {
            self.map.add(key, value);
        }
    }

    /// The coordinate into which `key` is folded; `None` if it is dropped.
    fn folded(&self, key: Key) -> Option<Key> {
        let Some(Horizon { days, hours }) = self.horizon else { return Some(key) };
        let quantity = key.quantity();
        if quantity == Quantity::Hour {
            return (key.day() >= hours.0).then_some(key);
        }
        if key.day() >= days.0 {
            return Some(key);
        }
        let is_stock = key.kind().is_some_and(|kind| quantity.is_stock(kind));
        is_stock.then(|| key.opening(days.0 - 1))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Few coordinates, so that they coincide, on both sides of the horizon, with every way of folding.
    fn entries() -> impl Strategy<Value = BTreeMap<Key, i64>> {
        let cell = Cell { property_type: None, bedrooms: None };
        let kind = prop::sample::select(vec![
            CounterKind::Opening,
            CounterKind::New,
            CounterKind::Gone,
            CounterKind::PriceCut,
        ]);
        let quantity = prop::sample::select(vec![Quantity::Count, Quantity::Price, Quantity::Hour]);
        let key = (quantity, kind, 0_i32..6, 0_i32..2)
            .prop_map(move |(quantity, kind, day, bucket)| Key::new(cell, quantity, kind, Day(day), bucket));
        prop::collection::btree_map(key, prop::sample::select(vec![-2_i64, -1, 1, 2]), 0..40)
    }

    proptest! {
        #[test]
        fn adding_many_at_once_equals_adding_one_by_one(
            known in entries(),
            more in entries(),
            fold_to in prop::option::of((0_i32..6, 0_i32..6)),
        ) {
            let mut much = Cells { map: Coordinates::of(known.into_iter().collect()), horizon: None };
            if let Some((days, hours)) = fold_to {
                drop(much.fold_to(Horizon { days: Day(days), hours: Day(hours) }));
            }
            let mut few = much.clone();
            let more: Vec<(Key, i64)> = more.into_iter().collect();
            let [mut much_late, mut few_late] = [Cells::default(), Cells::default()];
            much.add_many(more.iter().copied(), &mut much_late);
            more.iter().for_each(|(key, value)| few.add_entry(*key, *value, Some(&mut few_late)));
            prop_assert_eq!((much, much_late), (few, few_late));
        }
    }
}
