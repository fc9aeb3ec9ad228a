use std::cmp::Ordering;

use serde::{Deserialize, Serialize};

use crate::address::{Market, market_of};
use crate::area::Area;
use crate::doubt::Doubt;
use crate::events::Step;
use crate::listing::{Listing, PropertyType, Status};
use crate::money::Minor;
use crate::sighting::Sighting;
use crate::time::{Day, Time};
use crate::watch::Watch;

/// The most distinct facts of one listing. One that had more is [`History::is_overfull`].
pub const FACTS_MAX: usize = 4_096;

/// The most distinct facts of one listing on one UTC day.
pub const FACTS_PER_DAY_MAX: usize = 64;

/// No listing date before 1990-01-01 is believed, nor one after the listing was seen: it is as if none was told.
pub const LISTED_SINCE: Time = Time::from_known_ms(631_152_000_000);

/// Everything of a listing that enters the arithmetic. Two observations with equal facts tell of one
/// unbroken interval.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Facts {
    /// Where the home is counted.
    pub market: Market,
    /// `StandardStatus`.
    pub status: Status,
    /// `ListPrice`.
    pub list_price: Option<Minor>,
    /// `OriginalListPrice`, where the source tells it.
    pub original_list_price: Option<Minor>,
    /// `ClosePrice`: what it was sold or let for.
    pub close_price: Option<Minor>,
    /// `CloseDate`: when.
    pub close_date: Option<Day>,
    /// Kind of home.
    pub property_type: Option<PropertyType>,
    /// Bedrooms.
    pub bedrooms: Option<u8>,
    /// Living area.
    pub living_area: Option<Area>,
}

/// The sightings of one listing with certain facts on one UTC day: the first and the last of them, and what they said of
/// the listing date.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DaySightings {
    /// An index into [`History::facts`].
    pub facts: u16,
    /// The first sighting of the day.
    pub first: Sighting,
    /// The last.
    pub last: Sighting,
    /// The listing date that the last sighting with one gave.
    pub listed: Option<(Sighting, Time)>,
}

/// What is known of a listing over time: a pure function of the *set* of its observations.
///
/// For each UTC day and facts it keeps the first and the last sighting. Those are joined by least and greatest, so that what
/// comes twice, in another order or years late gives the same history: a join semilattice. The intervals are read from
/// the ends in the order of [`Sighting`]. So A, B, A within a day is told apart; of more changes to and fro within one
/// day only the outermost are.
///
/// ```
/// use stoop_domain::{Applied, Currency, Facts, History, Listing, Minor, Address, Purpose, Sighting, Time};
/// let place = Address { city: Some("Agadir".into()), country: Some("MA".into()), ..Address::default() };
/// let mut listing = Listing::new(Purpose::Sale, Currency::MAD, place);
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
/// assert_eq!(history.runs().len(), 3); // A, B, A
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct History {
    /// Distinct facts, in the order in which `spans` first uses them.
    facts: Vec<Facts>,
    /// One for each day and facts, in the order of first sightings, then of facts.
    spans: Vec<DaySightings>,
    /// What the last sighting of all says; of several with that sighting the greatest.
    watch: Watch,
    overfull: bool,
}

/// A interval of time over which a listing's facts stayed equal and it did not expire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval<'a> {
    /// What held.
    pub facts: &'a Facts,
    /// When it began: the source's time where that is a version, or lies between the last sighting of what held before and
    /// the first of this, else the first sighting.
    pub first: Time,
    /// When it was last seen so, but no later than what held next began: so it may move back.
    pub last: Time,
    /// The first sighting.
    pub sighting: Sighting,
    /// The last sighting.
    pub last_sighting: Sighting,
    /// The listing date that was told last in it.
    pub listed: Option<Time>,
    /// When it ends because nobody sees the home any more, if it is on the market and nothing else was seen by then: a midnight of
    /// UTC, that may lie ahead. See [`Watch::expires_after`].
    pub expires: Option<Time>,
    /// When the home was active and not confirmed, oldest first. See [`Watch::unconfirmed_after`].
    pub unconfirmed: Vec<UnconfirmedInterval>,
}

/// A time over which a home that counted as active was not confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnconfirmedInterval {
    /// Since when: a midnight of UTC, that may lie ahead.
    pub from: Time,
    /// Until when; `None`: until the interval ends, whenever that is.
    pub until: Option<Time>,
}

/// What became of one observation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Applied {
    /// The first observation of this home.
    New,
    /// What is read from the history moved: a interval began, was split, is now known to have begun earlier, or its price is
    /// doubtful no more.
    Changed,
    /// It confirmed a interval at another time: when the home counts as unconfirmed or expired moved, and nothing else did.
    Confirmed,
    /// It confirmed a interval at another time; nothing that is read from the history moved.
    Unchanged,
    /// It was known already.
    Duplicate,
    /// It made the listing overfull: from now on it contributes nothing.
    Overfull,
    /// It lies in no market, or its listing was overfull already: it is not taken up.
    Refused,
}

impl Facts {
    /// The facts of a listing; `None` where it lies in no market.
    #[must_use]
    pub fn of(listing: &Listing) -> Option<Self> {
        Some(Self::in_market(listing, market_of(listing)?))
    }

    fn in_market(listing: &Listing, market: Market) -> Self {
        Self {
            market,
            status: listing.status,
            list_price: listing.list_price,
            original_list_price: listing.original_list_price,
            close_price: listing.close_price,
            close_date: listing.close_date,
            property_type: listing.property_type,
            bedrooms: listing.bedrooms,
            living_area: listing.living_area,
        }
    }
}

impl History {
    /// Takes up one observation of who does not look again ([`Watch::Once`]).
    pub fn apply(&mut self, sighting: Sighting, facts: &Facts, listed_at: Option<Time>) -> Applied {
        self.apply_watched(sighting, facts, listed_at, Watch::Once)
    }

    /// Takes up one observation.
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
        // Most observations say what the last one said, a little later.
        let span = self.spans[newest];
        let (is_newest, is_as_before) = (sighting > span.last, self.facts_of(&span) == facts);
        // The last writer's.
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
        // Where the newest interval is another one than before, there is no need to compare.
        let is_news = is_newest && !is_as_before;
        let same_day = self.of_day(sighting.day());
        match same_day.clone().find(|address| self.facts_of(&self.spans[*address]) == facts) {
            Some(address) if watch == self.watch && !self.spans[address].would_move(sighting, listed) => {
                Applied::Duplicate
            }
            Some(address) => self.changed(is_news, |history| {
                history.watch = watch;
                history.spans[address].add(sighting, listed);
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

    /// Whether more was said of this listing than any has to say: more than [`FACTS_MAX`] distinct facts, or more than
    /// [`FACTS_PER_DAY_MAX`] on one day, as where a map takes the wrong column for the id. Such a listing has no
    /// intervals and contributes nothing, whatever came first, and stays so.
    #[must_use]
    pub fn is_overfull(&self) -> bool {
        self.overfull
    }

    /// The intervals of equal facts, oldest first. One that is on the market and of which nothing was seen for so long that it
    /// expired ends; seen again it is another.
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
                    interval.sight_again(self.watch, first, sighting, listed);
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

    /// How the home is watched: what its last sighting says.
    #[must_use]
    pub fn watch(&self) -> Watch {
        self.watch
    }

    /// When the home expires or expired, if it is on the market and nothing is seen of it any more; `None` where it never does.
    #[must_use]
    pub fn expires(&self) -> Option<Time> {
        self.intervals().last().and_then(|interval| interval.expires)
    }

    /// The newest status as of the close of the day of `now`, a civil day of its market: [`Status::Expired`] where the home is
    /// said to be on the market and nobody has seen it for so long that it does not count any more.
    #[must_use]
    pub fn status_at(&self, now: Time) -> Option<Status> {
        let facts = self.current()?;
        let is_expired = self.expires().is_some_and(|expires| {
            let zone = facts.market.area.country().zone;
            expires.day_in(&zone) <= now.day_in(&zone)
        });
        Some(if is_expired { Status::Expired } else { facts.status })
    }

    /// The newest facts; `None` for a history without observations, or one that is overfull.
    #[must_use]
    pub fn current(&self) -> Option<&Facts> {
        self.newest().map(|address| self.facts_of(&self.spans[address]))
    }

    /// When the listing was first and last seen.
    #[must_use]
    pub fn seen(&self) -> Option<(Time, Time)> {
        let intervals = self.intervals();
        Some((intervals.first()?.first, intervals.last()?.last))
    }

    /// The listing date that was told last.
    #[must_use]
    pub fn listed_at(&self) -> Option<Time> {
        self.spans.iter().filter_map(|span| span.listed).max().map(|(_, time)| time)
    }

    /// The distinct facts that it ever had, in the order in which they were first seen.
    #[must_use]
    pub fn facts(&self) -> &[Facts] {
        &self.facts
    }

    /// What is kept: for storing.
    #[must_use]
    pub fn spans(&self) -> &[DaySightings] {
        &self.spans
    }

    /// An overfull history.
    #[must_use]
    pub fn overfull() -> Self {
        Self { overfull: true, ..Self::default() }
    }

    /// A history as it was stored; `None` where no observations could have made it.
    #[must_use]
    pub fn from_parts(facts: Vec<Facts>, spans: Vec<DaySightings>, watch: Watch) -> Option<Self> {
        let fits = |span: &DaySightings| {
            let bounds = (span.first, span.last);
            usize::from(span.facts) < facts.len()
                && span.first <= span.last
                && span.first.day() == span.last.day()
                && span.listed.is_none_or(|(sighting, time)| {
                    bounds.0 <= sighting && sighting <= bounds.1 && (LISTED_SINCE..=sighting.seen).contains(&time)
                })
        };
        if facts.len() > FACTS_MAX || facts.is_empty() != spans.is_empty() || !spans.iter().all(fits) {
            return None;
        }
        if spans.is_empty() && watch != Watch::Once {
            return None;
        }
        let history = Self { facts, spans, watch, overfull: false };
        let alone = |spans: &[DaySightings]| {
            if spans.len() == 1 {
                return true;
            }
            let mut known: Vec<u16> = spans.iter().map(|span| span.facts).collect();
            known.sort_unstable();
            spans.len() <= FACTS_PER_DAY_MAX && known.is_sorted_by(|a, b| a < b)
        };
        let mut distinct: Vec<&Facts> = history.facts.iter().collect();
        distinct.sort_unstable();
        // Each facts' first use is of the place behind those used before it.
        let mut used = 0;
        let in_order_of_use = history.spans.iter().all(|span| {
            let address = usize::from(span.facts);
            used += usize::from(address == used);
            address < used
        });
        let sound = history.spans.is_sorted_by(|a, b| in_order(&history.facts, a, b) == Ordering::Less)
            && in_order_of_use
            && used == history.facts.len()
            && distinct.is_sorted_by(|a, b| a < b)
            && history.spans.chunk_by(|a, b| a.first.day() == b.first.day()).all(alone);
        sound.then_some(history)
    }

    /// Both ends of all spans, and the listing date with the end that it belongs to, in the order of sightings.
    fn ends(&self) -> Vec<(Sighting, u16, Option<Time>)> {
        let mut ends = Vec::with_capacity(self.spans.len() * 2);
        for DaySightings { facts, first, last, listed } in &self.spans {
            // What was told between the two counts where the first is.
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

    /// The place of the span with the last sighting of all.
    fn newest(&self) -> Option<usize> {
        let day = self.of_day(self.spans.last()?.first.day());
        let rank = |address: &usize| (self.spans[*address].last, self.facts_of(&self.spans[*address]));
        day.max_by(|a, b| rank(a).cmp(&rank(b)))
    }

    /// Whether all else of the day of the newest span was seen before it: then one more sighting begins nothing anew.
    fn stands_alone(&self, newest: usize) -> bool {
        let DaySightings { first, .. } = self.spans[newest];
        self.of_day(first.day()).all(|address| address == newest || self.spans[address].last < first)
    }

    /// Whether nothing was seen after `last`, nor that after `next`, as it may be where the time is a version; or nobody asks.
    fn was_seen_by(&self, last: Time, next: Time) -> bool {
        let all = || self.spans.iter().all(|span| span.first.seen.max(span.last.seen) <= last);
        self.watch == Watch::Once || last <= next && all()
    }

    /// The places of the spans of a day.
    fn of_day(&self, day: i64) -> std::ops::Range<usize> {
        let from = self.spans.partition_point(|span| span.first.day() < day);
        from..from + self.spans[from..].partition_point(|span| span.first.day() == day)
    }

    /// The place of these facts in the table, where they are put if they are new; `None` where there is no room.
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

    /// Changes what is kept and says whether anything that is read from it moved, unless that is known.
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

    /// What became of a sighting that says what the newest span says, a little later. Where the home expired in between, it is
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

    /// Puts spans in the order of sightings and the table of facts in that of first use, so that equal histories are equal
    /// bit by bit.
    fn put_in_order(&mut self) {
        let facts = std::mem::take(&mut self.facts);
        self.spans.sort_by(|a, b| in_order(&facts, a, b));
        let mut place_of = vec![u16::MAX; facts.len()];
        let mut order: Vec<u16> = Vec::with_capacity(facts.len());
        for span in &mut self.spans {
            let address = &mut place_of[usize::from(span.facts)];
            if *address == u16::MAX {
                *address = u16::try_from(order.len()).unwrap_or(u16::MAX);
                order.push(span.facts);
            }
            span.facts = *address;
        }
        if order.len() == facts.len() && order.iter().enumerate().all(|(address, old)| address == usize::from(*old)) {
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

/// When a interval began that was first seen at `sighting`. `before` is when the interval before it began, and its last sighting.
///
/// By the source's time, if that is possible: after what held before was seen for the last time. A source whose time stands
/// still or is wrong does not know; then it is what was seen that counts.
fn begin(before: Option<(Time, (u16, Sighting))>, sighting: &Sighting) -> Time {
    let at = sighting.at.min(sighting.seen);
    let Some((began, (_, last))) = before else {
        return if sighting.initial { sighting.seen } else { at };
    };
    let begin = if sighting.versioned || last.seen >= sighting.seen || at > last.seen { at } else { sighting.seen };
    begin.max(began)
}

impl<'a> Interval<'a> {
    fn begin(watch: Watch, facts: &'a Facts, first: Time, sighting: Sighting, listed: Option<Time>) -> Self {
        let last = sighting.seen.max(first);
        let mut interval = Self {
            facts,
            first,
            last,
            sighting,
            last_sighting: sighting,
            listed,
            expires: None,
            unconfirmed: Vec::new(),
        };
        interval.look_ahead(watch);
        interval
    }

    /// It was seen so once more, and was so since `first`.
    fn sight_again(&mut self, watch: Watch, first: Time, sighting: Sighting, listed: Option<Time>) {
        if let Some(unconfirmed) = self.unconfirmed.pop() {
            let until = first.max(self.last);
            self.unconfirmed.extend(
                (unconfirmed.from < until).then_some(UnconfirmedInterval { until: Some(until), ..unconfirmed }),
            );
        }
        self.last = self.last.max(sighting.seen);
        self.last_sighting = sighting;
        self.listed = listed.or(self.listed);
        self.look_ahead(watch);
    }

    /// What becomes of it if it is not seen so any more.
    fn look_ahead(&mut self, watch: Watch) {
        let phase = self.facts.status.phase();
        self.expires = watch.expires_at(phase, self.last);
        let from = watch.unconfirmed_at(phase, self.last);
        self.unconfirmed.extend(from.map(|from| UnconfirmedInterval { from, until: None }));
    }

    /// Something else was seen to be so since `next`, or the same after it had expired.
    fn end(&mut self, next: Time) {
        self.last = self.last.min(next).max(self.first);
        self.expires = self.expires.filter(|expires| *expires <= next);
        // What is late may have been seen after the next began.
        self.unconfirmed.retain(|unconfirmed| unconfirmed.from < next);
        for unconfirmed in &mut self.unconfirmed {
            unconfirmed.until = unconfirmed.until.map(|until| until.min(next));
        }
    }
}

impl DaySightings {
    fn add(&mut self, sighting: Sighting, listed: Option<(Sighting, Time)>) {
        self.first = self.first.min(sighting);
        self.last = self.last.max(sighting);
        self.listed = self.listed.max(listed);
    }

    fn would_move(&self, sighting: Sighting, listed: Option<(Sighting, Time)>) -> bool {
        sighting < self.first || sighting > self.last || listed > self.listed
    }
}
