use std::collections::BTreeMap;

use stoop_domain::Day;

use crate::contribution::Delta;
use crate::key::{Key, Measure, Segment};

/// How many days back a market's state tells the close of every single day. What is older is folded
/// into the opening balance.
pub const HORIZON_DAYS: i32 = 400;

/// A market's state: a sparse vector of whole numbers (a commutative group), folded up to a day.
///
/// Equal states are equal bit by bit: a coordinate of zero is never kept. Sums wrap at 64 bits, which
/// keeps the group laws without a panic; [`stoop_domain::Observation::check`] bounds prices far below.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cells {
    map: BTreeMap<Key, i64>,
    /// Stock changes before this day stand on the day before it; flows before it are forgotten.
    folded_to: Option<Day>,
}

impl Cells {
    /// Adds a difference of contributions.
    pub fn add(&mut self, delta: &Delta) {
        for (key, value) in delta.entries() {
            self.add_entry(*key, *value);
        }
    }

    /// Adds another state to this one: the sum of two markets is the market of both. The result is
    /// folded as far as either was.
    pub fn merge(&mut self, other: &Self) {
        if let Some(day) = other.folded_to {
            self.fold_to(day);
        }
        for (key, value) in &other.map {
            self.add_entry(*key, *value);
        }
    }

    /// Folds everything before `day` into the opening balance of `day`; never unfolds.
    ///
    /// Folding moves and drops coordinates without regard to their values, so it is linear: folding a
    /// sum is summing the folded.
    pub fn fold_to(&mut self, day: Day) {
        if self.folded_to.is_some_and(|folded| day <= folded) {
            return;
        }
        self.folded_to = Some(day);
        let old = std::mem::take(&mut self.map);
        for (key, value) in old {
            self.add_entry(key, value);
        }
    }

    /// The first day whose close is still told, if anything was folded.
    #[must_use]
    pub fn folded_to(&self) -> Option<Day> {
        self.folded_to
    }

    /// How many coordinates are not zero.
    #[must_use]
    pub fn len(&self) -> usize {
        self.map.len()
    }

    /// Whether every coordinate is zero.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.map.is_empty()
    }

    /// The segments that have any coordinate, in order.
    #[must_use]
    pub fn segments(&self) -> Vec<Segment> {
        let mut segments = Vec::new();
        let mut from = Some(Key(0));
        while let Some((key, _)) = from.and_then(|from| self.map.range(from..).next()) {
            segments.extend(Segment::from_code(key.segment_code()));
            from = key.segment_code().checked_add(1).map(|next| Key(u64::from(next) << 56));
        }
        segments
    }

    /// The first coordinate in which two states differ, in words, or `None` where they are equal.
    #[must_use]
    pub fn first_difference(&self, other: &Self) -> Option<String> {
        if self.folded_to != other.folded_to {
            return Some(format!("folded to {:?} and {:?}", self.folded_to, other.folded_to));
        }
        let keys = self.map.keys().chain(other.map.keys());
        let key = keys.filter(|key| self.map.get(key) != other.map.get(key)).min()?;
        let [left, right] = [self, other].map(|cells| cells.map.get(key).copied().unwrap_or(0));
        let segment = Segment::from_code(key.segment_code()).map_or_else(|| "?".into(), Segment::label);
        let (measure, time, bucket) = (key.measure_code(), key.time(), key.bucket());
        Some(format!("segment {segment}, measure {measure}, time {time}, bucket {bucket}: {left} and {right}"))
    }

    pub(crate) fn range(
        &self,
        segment: Segment,
        measure: Measure,
        until: i32,
    ) -> impl Iterator<Item = (Key, i64)> + '_ {
        self.map.range(Key::start(segment, measure)..=Key::end(segment, measure, until)).map(|(k, v)| (*k, *v))
    }

    pub(crate) fn range_between(
        &self,
        segment: Segment,
        measure: Measure,
        from: i32,
        until: i32,
    ) -> impl Iterator<Item = (Key, i64)> + '_ {
        let range = Key::at(segment, measure, from)..=Key::end(segment, measure, until.max(from));
        self.map.range(range).map(|(k, v)| (*k, *v)).filter(move |_| from <= until)
    }

    pub(crate) fn entries(&self) -> impl ExactSizeIterator<Item = (Key, i64)> + '_ {
        self.map.iter().map(|(k, v)| (*k, *v))
    }

    pub(crate) fn from_entries(map: BTreeMap<Key, i64>, folded_to: Option<Day>) -> Self {
        Self { map, folded_to }
    }

    fn add_entry(&mut self, key: Key, value: i64) {
        let Some(key) = self.folded(key) else { return };
        match self.map.entry(key) {
            std::collections::btree_map::Entry::Vacant(slot) => {
                if value != 0 {
                    slot.insert(value);
                }
            }
            std::collections::btree_map::Entry::Occupied(mut slot) => {
                let sum = slot.get().wrapping_add(value);
                if sum == 0 {
                    slot.remove();
                } else {
                    slot.insert(sum);
                }
            }
        }
    }

    /// Where a coordinate stands after folding; `None` where it is forgotten.
    fn folded(&self, key: Key) -> Option<Key> {
        let Some(Day(day)) = self.folded_to else { return Some(key) };
        let measure = key.measure_code();
        if Measure::is_stock(measure) {
            return Some(if key.time() < day { key.with_time(day - 1) } else { key });
        }
        let first = if measure == Measure::FlowHour as u8 { day.saturating_mul(24) } else { day };
        (key.time() >= first).then_some(key)
    }
}
