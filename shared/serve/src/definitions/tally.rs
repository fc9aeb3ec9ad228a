use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use stoop_domain::{Day, Entry, Exit, History, Market, Minor, Phase, Step, Time};
use stoop_market::Zones;

use super::MergedId;

/// Some days, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Period {
    /// The first.
    pub from: Day,
    /// The last.
    pub until: Day,
}

/// What the homes of one purpose and currency did in a period. Homes each count once, however often it happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// The days of the period.
    pub days: i64,
    /// Homes active at any time.
    pub active: i64,
    /// Homes active at the close of the last day.
    pub active_at_end: i64,
    /// The sum of the homes active at the close of each day.
    pub active_days: i64,
    /// The sum of the homes under contract at the close of each day.
    pub pending_days: i64,
    /// Homes with a listing date in the period; if the source gives none, homes whose spell began in it.
    pub listed: i64,
    /// Homes that went from active to under contract.
    pub pending: i64,
    /// Those at most 90 days after their spell opened.
    pub pending_early: i64,
    /// Homes with a price cut while active or under contract.
    pub cut: i64,
    /// Those that were active at any time.
    pub cut_and_active: i64,
    /// Homes active at any time that asked less at the close of the last day than at the close of the day before the
    /// first.
    pub lower: i64,
}

/// Adds homes up, one after the other.
#[derive(Debug)]
pub struct Tallies<'a> {
    /// In order.
    markets: &'a [Market],
    period: Period,
    zones: Zones,
    sums: BTreeMap<MergedId, Tally>,
}

/// Redfin leaves out contracts of homes that were on the market for longer.
const PENDING_DAYS_MAX: i32 = 90;

/// What one home did.
#[derive(Clone, Copy, Default)]
struct OfHome {
    active: bool,
    active_at_end: bool,
    active_days: i32,
    pending_days: i32,
    listed: bool,
    pending: bool,
    pending_early: bool,
    cut: bool,
    price_before: Option<Minor>,
    price_at_end: Option<Minor>,
}

/// The days of an interval.
#[derive(Clone, Copy)]
struct Stay {
    from: Day,
    /// The last day with any part of it.
    last: Day,
    /// The first day at whose close it is over.
    over: Day,
}

impl<'a> Tallies<'a> {
    /// Counts homes of these markets, which are in order.
    #[must_use]
    pub fn new(markets: &'a [Market], period: Period) -> Self {
        let days = i64::from(period.until.0 - period.from.0 + 1);
        let sums = markets.iter().map(|market| (MergedId::of(market), Tally { days, ..Tally::default() })).collect();
        Self { markets, period, zones: Zones::default(), sums }
    }

    /// Adds a home. An overfull one has no history.
    pub fn add(&mut self, history: &History) {
        let steps = history.steps();
        let mut homes: BTreeMap<MergedId, OfHome> = BTreeMap::new();
        // The spell of a home that was there before its search, without a listing date.
        let mut undated: Option<Time> = None;
        for (index, step) in steps.iter().enumerate() {
            let opened_at = step.spell.opened_at;
            if step.entry == Some(Entry::Initial) && opened_at == step.interval.first {
                undated = Some(opened_at);
            }
            let before = index.checked_sub(1).and_then(|before| steps.get(before));
            if let (Some(Exit::Pending), Some(before)) = (step.exit, before)
                && let Some((id, zone)) = self.here(&before.interval.facts.market)
            {
                let (day, opened) = (step.interval.first.day_in(&zone), before.spell.opened_at.day_in(&zone));
                let home = homes.entry(id).or_default();
                let went = self.period.has(day);
                home.pending |= went;
                home.pending_early |= went && day.0.saturating_sub(opened.0) <= PENDING_DAYS_MAX;
            }
            if let Some((id, zone)) = self.here(&step.interval.facts.market) {
                let stay = Stay::of(step, steps.get(index + 1), &zone);
                let is_dated = undated != Some(opened_at);
                homes.entry(id).or_default().take(step, stay, is_dated, self.period, &zone);
            }
        }
        for (id, home) in homes {
            self.sums.entry(id).or_default().add(home);
        }
    }

    /// The sums by purpose and currency, in that order: one for each that the markets have.
    #[must_use]
    pub fn sums(self) -> BTreeMap<MergedId, Tally> {
        self.sums
    }

    fn here(&mut self, market: &Market) -> Option<(MergedId, TimeZone)> {
        self.markets.binary_search(market).ok()?;
        Some((MergedId::of(market), self.zones.of(market).clone()))
    }
}

impl OfHome {
    fn take(&mut self, step: &Step<'_>, stay: Stay, is_dated: bool, period: Period, zone: &TimeZone) {
        let phase = step.interval.facts.status.phase();
        if phase != Phase::Before {
            self.listed |= step.interval.listed.is_some_and(|listed| period.has(listed.day_in(zone)));
        }
        let closes = stay.closes_in(period);
        match phase {
            Phase::Active => {
                self.active |= stay.from <= period.until && period.from <= stay.last;
                self.active_at_end |= stay.is_at_close_of(period.until);
                self.active_days += closes;
                self.listed |= is_dated && period.has(step.spell.opened_at.day_in(zone));
            }
            Phase::Pending => self.pending_days += closes,
            Phase::Before | Phase::Closed | Phase::Off => return,
        }
        self.cut |= step.change.is_some_and(|change| change.to < change.from) && period.has(stay.from);
        if stay.is_at_close_of(Day(period.from.0 - 1)) {
            self.price_before = step.price();
        }
        if stay.is_at_close_of(period.until) {
            self.price_at_end = step.price();
        }
    }
}

impl Tally {
    fn add(&mut self, home: OfHome) {
        let is_lower = home.price_before.zip(home.price_at_end).is_some_and(|(before, end)| end < before);
        self.active += i64::from(home.active);
        self.active_at_end += i64::from(home.active_at_end);
        self.active_days += i64::from(home.active_days);
        self.pending_days += i64::from(home.pending_days);
        self.listed += i64::from(home.listed);
        self.pending += i64::from(home.pending);
        self.pending_early += i64::from(home.pending_early);
        self.cut += i64::from(home.cut);
        self.cut_and_active += i64::from(home.cut && home.active);
        self.lower += i64::from(home.active && is_lower);
    }
}

impl Period {
    /// A moment of its last day.
    #[must_use]
    pub fn last_moment(self, zone: &TimeZone) -> Time {
        let noon = self.until.date().at(12, 0, 0, 0).to_zoned(zone.clone());
        // No zone skips noon; at the edge of jiff's range the day of UTC is near enough.
        let ms = noon.map_or(i64::from(self.until.0) * Time::DAY_MS, |noon| noon.timestamp().as_millisecond());
        Time::from_ms(ms)
    }

    fn has(self, day: Day) -> bool {
        (self.from..=self.until).contains(&day)
    }
}

impl Stay {
    fn of(step: &Step<'_>, next: Option<&Step<'_>>, zone: &TimeZone) -> Self {
        let from = step.interval.first.day_in(zone);
        let end = step.interval.expires.or(next.map(|next| next.interval.first));
        let over = end.map_or(Day(i32::MAX), |end| end.day_in(zone));
        // An interval that ends at midnight has no part of the day that begins then.
        let last = end.map_or(Day(i32::MAX), |end| end.plus_ms(-1).day_in(zone).max(from));
        Self { from, last, over }
    }

    fn is_at_close_of(self, day: Day) -> bool {
        self.from <= day && day < self.over
    }

    /// The days of a period at whose close it stands.
    fn closes_in(self, period: Period) -> i32 {
        let (from, until) = (self.from.max(period.from), self.over.min(Day(period.until.0 + 1)));
        until.0.saturating_sub(from.0).max(0)
    }
}
