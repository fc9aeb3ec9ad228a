use std::cmp::Ordering;

use crate::day_sightings::DaySightings;
use crate::doubt::Doubt;
use crate::facts::Facts;
use crate::interval::{Interval, begin};
use crate::listing::LISTED_SINCE;
use crate::sighting::Sighting;
use crate::status::Status;
use crate::steps::{Step, steps_of};
use crate::time::Time;
use crate::watch::Watch;

mod restore;

/// The maximum number of distinct facts of one listing. A listing with more is [`History::is_overfull`].
pub const FACTS_MAX: usize = 4_096;

/// The maximum number of distinct facts of one listing on one UTC day.
pub const FACTS_PER_DAY_MAX: usize = 64;

/// The history of a listing: a pure function of the *set* of its observations.
///
/// For each UTC day and distinct facts it keeps the first and the last sighting. Merging takes the minimum and the
/// maximum, so duplicates, reordered and late observations give the same history: a join semilattice. Intervals are
/// computed from these sightings in the order of [`Sighting`]. A change to B and back to A within a day is visible; of
/// several such changes within one day only the outermost are.
///
/// ```
/// use stoop_domain::{Address, Applied, Currency, Facts, History, Listing, Minor, Purpose, Sighting, Time};
/// let address = Address { city: Some("Agadir".into()), country: Some("MA".into()), ..Address::default() };
/// let mut listing = Listing::new(Purpose::Sale, Currency::MAD, address);
/// let mut at_price = |minor| {
///     listing.list_price = Some(Minor(minor));
///     Facts::of(&listing).unwrap()
/// };
/// let (a, b) = (at_price(100), at_price(90));
/// let at = |ms| Sighting::at(Time::from_ms(ms));
/// let mut history = History::default();
/// history.apply(at(1), &a, None);
/// history.apply(at(3), &a, None);
/// assert_eq!(history.apply(at(2), &b, None), Applied::Changed);
/// assert_eq!(history.intervals().len(), 3); // A, B, A
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Distinct facts, in the order in which `spans` first uses them.
    facts: Vec<Facts>,
    /// One entry for each day and facts, ordered by day, first sighting, then facts.
    spans: Vec<DaySightings>,
    /// The watch of the last sighting. If several observations share that sighting, the greatest.
    watch: Watch,
    overfull: bool,
}

/// The outcome of applying one observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Applied {
    /// The first observation of the home.
    New,
    /// The computed history changed: an interval began, was split, began earlier, or its price is no longer doubtful.
    Changed,
    /// Confirms an interval. Only the times at which the home counts as unconfirmed or expired changed.
    Confirmed,
    /// Confirms an interval. The computed history did not change.
    Unchanged,
    /// Already known.
    Duplicate,
    /// The listing became overfull and contributes nothing from now on.
    Overfull,
    /// Not applied: the listing is in no market, or it is already overfull.
    Refused,
}

impl History {
    /// Applies one observation of a source that is not polled again ([`Watch::Once`]).
    pub fn apply(&mut self, sighting: Sighting, facts: &Facts, listed_at: Option<Time>) -> Applied {
        self.apply_watched(sighting, facts, listed_at, Watch::Once)
    }

    /// Applies one observation.
    pub fn apply_watched(
        &mut self,
        sighting: Sighting,
        facts: &Facts,
        listed_at: Option<Time>,
        watch: Watch,
    ) -> Applied {
        if self.overfull {
            return Applied::Refused;
        }
        let listed_at = listed_at.filter(|listed| (LISTED_SINCE..=sighting.seen).contains(listed));
        let listed = listed_at.map(|time| (sighting, time));
        let Some(newest) = self.newest() else {
            self.facts.push(facts.clone());
            self.spans.push(DaySightings { facts: 0, first: sighting, last: sighting, listed });
            self.watch = watch;
            return Applied::New;
        };
        // Fast path: most observations repeat the last one, a little later.
        let span = self.spans[newest];
        let (is_newest, is_as_before) = (sighting > span.last, self.facts_of(&span) == facts);
        // The latest sighting decides.
        let watch = match sighting.cmp(&span.last) {
            Ordering::Less => self.watch,
            Ordering::Equal => self.watch.max(watch),
            Ordering::Greater => watch,
        };
        if is_newest
            && is_as_before
            && watch == self.watch
            && self.was_seen_by(span.last.seen, sighting.seen)
            && self.stands_alone(newest)
            && (sighting.seen_day() == span.last.seen_day() || !Doubt::may_end(facts, &self.facts))
            && (listed_at.is_none() || listed_at == span.listed.map(|(_, time)| time))
        {
            if sighting.day() == span.last.day() {
                self.spans[newest].add(sighting, listed);
            } else {
                self.spans.push(DaySightings { first: sighting, last: sighting, listed, ..span });
            }
            return self.confirmed(&span, &sighting);
        }
        // If the newest interval changed, no comparison is needed.
        let is_news = is_newest && !is_as_before;
        let same_day = self.of_day(sighting.day());
        match same_day.clone().find(|index| self.facts_of(&self.spans[*index]) == facts) {
            Some(index) if watch == self.watch && !self.spans[index].would_move(sighting, listed) => Applied::Duplicate,
            Some(index) => self.changed(is_news, |history| {
                history.watch = watch;
                history.spans[index].add(sighting, listed);
                history.put_in_order();
            }),
            None if same_day.len() >= FACTS_PER_DAY_MAX => self.overflow(),
            None => match self.index_of(facts) {
                None => self.overflow(),
                Some(facts) => self.changed(is_news, |history| {
                    history.watch = watch;
                    history.spans.push(DaySightings { facts, first: sighting, last: sighting, listed });
                    history.put_in_order();
                }),
            },
        }
    }

    /// Whether the listing has more than [`FACTS_MAX`] distinct facts, or more than [`FACTS_PER_DAY_MAX`] on one day.
    /// That happens if a map uses the wrong column as the ID. An overfull listing has no intervals, contributes nothing
    /// and stays overfull, in whatever order its observations arrive.
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        self.overfull
    }

    /// The intervals of equal facts, oldest first. An interval on the market ends when it expires; a later sighting
    /// begins another.
    #[must_use]
    pub fn intervals(&self) -> Vec<Interval<'_>> {
        let mut intervals: Vec<Interval<'_>> = Vec::new();
        let mut before: Option<(u16, Sighting)> = None;
        let mut take = |facts: u16, sighting: Sighting, listed: Option<Time>| {
            let first = begin(intervals.last().map(|interval| interval.first).zip(before), &sighting);
            match (intervals.last_mut(), before) {
                (Some(interval), Some((known, _)))
                    if known == facts && interval.expires.is_none_or(|expires| first < expires) =>
                {
                    interval.extend(self.watch, first, sighting, listed);
                }
                (last, _) => {
                    if let Some(last) = last {
                        last.end(first);
                    }
                    let facts = &self.facts[usize::from(facts)];
                    intervals.push(Interval::begin(self.watch, facts, first, sighting, listed));
                }
            }
            before = Some((facts, sighting));
        };
        let date = |span: &DaySightings| span.listed.map(|(_, time)| time);
        if self.spans.is_sorted_by(|a, b| a.last < b.first) {
            for span in &self.spans {
                take(span.facts, span.first, date(span));
                take(span.facts, span.last, None);
            }
        } else {
            for (sighting, facts, listed) in self.ends() {
                take(facts, sighting, listed);
            }
        }
        intervals
    }

    /// The intervals with the events at their beginning, oldest first.
    #[must_use]
    pub fn steps(&self) -> Vec<Step<'_>> {
        steps_of(self.intervals())
    }

    /// The watch of the last sighting.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.watch
    }

    /// When the home expires or expired, unless it is seen again. `None` if it never does.
    #[must_use]
    pub fn expires(&self) -> Option<Time> {
        self.intervals().last().and_then(|interval| interval.expires)
    }

    /// The newest status at the end of the day of `now`, in the market's time zone. [`Status::Expired`] if the home is
    /// on the market by its last sighting but has expired since.
    #[must_use]
    pub fn status_at(&self, now: Time) -> Option<Status> {
        let facts = self.current()?;
        let is_expired = self.expires().is_some_and(|expires| {
            let zone = facts.market.area.country().zone;
            expires.day_in(&zone) <= now.day_in(&zone)
        });
        Some(if is_expired { Status::Expired } else { facts.status })
    }

    /// The newest facts. `None` for an empty or overfull history.
    #[must_use]
    pub fn current(&self) -> Option<&Facts> {
        self.newest().map(|index| self.facts_of(&self.spans[index]))
    }

    /// The times of the first and the last sighting.
    #[must_use]
    pub fn seen(&self) -> Option<(Time, Time)> {
        let intervals = self.intervals();
        Some((intervals.first()?.first, intervals.last()?.last))
    }

    /// The listing date that the source gave last.
    #[must_use]
    pub fn listed_at(&self) -> Option<Time> {
        self.spans.iter().filter_map(|span| span.listed).max().map(|(_, time)| time)
    }

    /// All distinct facts, in the order in which they were first seen.
    #[must_use]
    pub fn facts(&self) -> &[Facts] {
        &self.facts
    }

    /// The stored sightings, for encoding.
    #[must_use]
    pub fn spans(&self) -> &[DaySightings] {
        &self.spans
    }

    /// An overfull history, which has no observations and accepts none.
    #[must_use]
    pub fn overfull() -> Self {
        Self { overfull: true, ..Self::default() }
    }

    /// Both ends of all spans in the order of sightings, each with the listing date that belongs to it.
    fn ends(&self) -> Vec<(Sighting, u16, Option<Time>)> {
        let mut ends = Vec::with_capacity(self.spans.len() * 2);
        for DaySightings { facts, first, last, listed } in &self.spans {
            // A date that was given between the two ends belongs to the first.
            let (with_last, with_first) = match listed {
                Some((sighting, time)) if sighting == last => (Some(*time), None),
                listed => (None, listed.map(|(_, time)| time)),
            };
            ends.push((*first, *facts, with_first));
            ends.push((*last, *facts, with_last));
        }
        ends.sort_by(|a, b| {
            a.0.cmp(&b.0).then_with(|| self.facts[usize::from(a.1)].cmp(&self.facts[usize::from(b.1)]))
        });
        ends
    }

    fn facts_of(&self, span: &DaySightings) -> &Facts {
        &self.facts[usize::from(span.facts)]
    }

    /// The index of the span with the last sighting.
    fn newest(&self) -> Option<usize> {
        let day = self.of_day(self.spans.last()?.first.day());
        let rank = |index: &usize| (self.spans[*index].last, self.facts_of(&self.spans[*index]));
        day.max_by(|a, b| rank(a).cmp(&rank(b)))
    }

    /// Whether all other spans of the day of the newest span ended before it began. Then another sighting only extends
    /// it.
    fn stands_alone(&self, newest: usize) -> bool {
        let DaySightings { first, .. } = self.spans[newest];
        self.of_day(first.day()).all(|index| index == newest || self.spans[index].last < first)
    }

    /// Whether nothing was seen after `last`, and `last` is not after `next`. With versioned times it can be. Always
    /// true if the source is not polled again.
    fn was_seen_by(&self, last: Time, next: Time) -> bool {
        let all = || self.spans.iter().all(|span| span.first.seen.max(span.last.seen) <= last);
        self.watch == Watch::Once || last <= next && all()
    }

    /// The indexes of the spans of a day.
    fn of_day(&self, day: i64) -> std::ops::Range<usize> {
        let from = self.spans.partition_point(|span| span.first.day() < day);
        from..from + self.spans[from..].partition_point(|span| span.first.day() == day)
    }

    /// The index of these facts in the table. Adds them if they are new; `None` if the table is full.
    fn index_of(&mut self, facts: &Facts) -> Option<u16> {
        let known = self.facts.iter().rposition(|known| known == facts);
        if known.is_none() && self.facts.len() >= FACTS_MAX {
            return None;
        }
        let index = known.unwrap_or_else(|| {
            self.facts.push(facts.clone());
            self.facts.len() - 1
        });
        u16::try_from(index).ok()
    }

    fn overflow(&mut self) -> Applied {
        *self = Self::overfull();
        Applied::Overfull
    }

    /// Applies `change` and returns whether the computed history changed. With `is_news` it is known to change.
    fn changed(&mut self, is_news: bool, change: impl FnOnce(&mut Self)) -> Applied {
        if is_news {
            change(self);
            return Applied::Changed;
        }
        let before = self.clone();
        change(self);
        let reads_the_same = |(a, b): (&Step<'_>, &Step<'_>)| {
            let (one, other) = (&a.interval, &b.interval);
            (one.facts, one.first, one.listed) == (other.facts, other.first, other.listed)
                && one.sighting.initial == other.sighting.initial
                && a.doubtful == b.doubtful
        };
        let lasts_the_same = |(a, b): (&Step<'_>, &Step<'_>)| {
            (a.interval.expires, &a.interval.unconfirmed) == (b.interval.expires, &b.interval.unconfirmed)
        };
        let (old, new) = (before.steps(), self.steps());
        let pairs = || old.iter().zip(&new);
        match () {
            () if old.len() != new.len() || !pairs().all(reads_the_same) => Applied::Changed,
            () if !pairs().all(lasts_the_same) => Applied::Confirmed,
            () => Applied::Unchanged,
        }
    }

    /// The outcome of a later sighting with the same facts as the newest span. If the home expired in between, it is
    /// back.
    fn confirmed(&self, span: &DaySightings, sighting: &Sighting) -> Applied {
        let phase = self.facts_of(span).status.phase();
        let first = begin(Some((span.last.seen, (span.facts, span.last))), sighting);
        match self.watch {
            watch if watch.expires_at(phase, span.last.seen).is_some_and(|expires| expires <= first) => {
                Applied::Changed
            }
            watch if watch.unconfirmed_at(phase, span.last.seen) != watch.unconfirmed_at(phase, sighting.seen) => {
                Applied::Confirmed
            }
            watch if watch.expires_at(phase, span.last.seen) != watch.expires_at(phase, sighting.seen) => {
                Applied::Confirmed
            }
            _ => Applied::Unchanged,
        }
    }

    /// Sorts the spans by sighting and the facts by first use, so that equal histories are equal bit by bit.
    fn put_in_order(&mut self) {
        let facts = std::mem::take(&mut self.facts);
        self.spans.sort_by(|a, b| in_order(&facts, a, b));
        let mut new_index = vec![u16::MAX; facts.len()];
        let mut order: Vec<u16> = Vec::with_capacity(facts.len());
        for span in &mut self.spans {
            let index = &mut new_index[usize::from(span.facts)];
            if *index == u16::MAX {
                *index = u16::try_from(order.len()).unwrap_or(u16::MAX);
                order.push(span.facts);
            }
            span.facts = *index;
        }
        if order.len() == facts.len() && order.iter().enumerate().all(|(index, old)| index == usize::from(*old)) {
            self.facts = facts;
        } else {
            let mut facts: Vec<Option<Facts>> = facts.into_iter().map(Some).collect();
            self.facts = order.iter().filter_map(|old| facts[usize::from(*old)].take()).collect();
        }
    }
}

/// The order of spans: by day, first sighting, then facts.
fn in_order(facts: &[Facts], a: &DaySightings, b: &DaySightings) -> Ordering {
    let days = a.first.day().cmp(&b.first.day());
    let facts = || facts[usize::from(a.facts)].cmp(&facts[usize::from(b.facts)]);
    days.then_with(|| a.first.cmp(&b.first)).then_with(facts)
}
