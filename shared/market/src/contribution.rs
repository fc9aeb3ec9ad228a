mod events;
mod pairs;

use jiff::tz::TimeZone;
use rustc_hash::FxHashMap;
use stoop_domain::{
    Day, Entry, Exit, History, Interval, Market, Minor, Phase, Step, Time, UnconfirmedInterval, resolved_steps,
};

use crate::histogram::Bucket;
use crate::key::Key;
use crate::kind::{CounterKind, Quantity, Role};
use crate::segment::Cell;
use events::{Past, add_events};
use pairs::{FirstPrices, add_pair};

/// What one home adds to each market in which it was ever counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contribution {
    parts: Vec<(Market, Vec<(Key, i64)>)>,
}

/// A change of one market's state. Sorted by key, without zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    entries: Vec<(Key, i64)>,
}

/// Sums many deltas of one market.
#[derive(Clone, Debug, Default)]
pub struct DeltaSum {
    entries: Vec<(Key, i64)>,
}

/// A cache of the time zones of markets.
#[derive(Debug, Default)]
pub struct Zones {
    known: FxHashMap<Market, TimeZone>,
}

/// The contribution of a home: a pure function of its history.
///
/// A home that enters the stock adds one to its cell on that day; a home that leaves subtracts one from its cell on
/// that day. The stock of a day is the sum of all entries and exits up to it, so stock and flows always balance. Expiry
/// is scheduled in advance on its future day, because there is no clock here.
#[must_use]
pub fn contribution(history: &History, zones: &mut Zones) -> Contribution {
    contribution_of(&history.steps(), zones)
}

/// The contribution of a home that several listings show ([`stoop_domain::resolved_steps`]).
#[must_use]
pub fn contribution_of(steps: &[Step<'_>], zones: &mut Zones) -> Contribution {
    let mut sum = Contribution::default();
    let mut standing: Option<Standing<'_>> = None;
    let (mut past, mut first_prices) = (Past::default(), FirstPrices::default());
    for (index, step) in steps.iter().enumerate() {
        let next = steps.get(index + 1).map(|next| next.interval.first);
        standing = add_step(&mut sum, step, standing, zones);
        past.begin(step);
        add_events(&mut sum, step, &past, zones);
        add_pending(&mut sum, &step.interval, next, zones);
        past.add(step, zones);
        add_pair(&mut sum, step, &mut first_prices, zones);
        if let Some(current) = standing {
            add_unconfirmed(&mut sum, &step.interval, &current, next, zones);
            if let Some(at) = step.interval.expires {
                leave(&mut sum, exit_kind(Exit::Expired), &current, at, zones);
                standing = None;
            }
        }
    }
    sum
}

/// The change of each market when a home is updated: `contribution(new) - contribution(old)`.
#[must_use]
pub fn update(old: Option<&History>, new: &History, zones: &mut Zones) -> Vec<(Market, Delta)> {
    let mut sum = contribution(new, zones);
    if let Some(old) = old {
        for (market, entries) in contribution(old, zones).parts {
            sum.of(&market).extend(entries.into_iter().map(|(key, value)| (key, value.wrapping_neg())));
        }
    }
    sum.into_deltas()
}

/// What changes in each market when listings are found to be of one home: its contribution less those of its listings, whose
/// histories are in the order of their IDs. Only listings of one purpose.
#[must_use]
pub fn correction(listings: &[&History], zones: &mut Zones) -> Vec<(Market, Delta)> {
    let mut sum = contribution_of(&resolved_steps(listings), zones);
    for listing in listings {
        for (market, entries) in contribution(listing, zones).parts {
            sum.of(&market).extend(entries.into_iter().map(|(key, value)| (key, value.wrapping_neg())));
        }
    }
    sum.into_deltas()
}

/// A home in the stock and its counted values.
#[derive(Clone, Copy)]
struct Standing<'a> {
    market: &'a Market,
    cell: Cell,
    worth: Worth,
}

/// The values with which a home in stock is counted, other than the count itself.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Worth {
    price: Option<Minor>,
    per_area: Option<Bucket>,
    opened: Day,
    cut: Option<Bucket>,
}

/// Adds the events at the beginning of an interval. Returns the home's standing from then on.
fn add_step<'a>(
    sum: &mut Contribution,
    step: &Step<'a>,
    before: Option<Standing<'a>>,
    zones: &mut Zones,
) -> Option<Standing<'a>> {
    let facts = step.interval.facts;
    let (market, cell, at) = (&facts.market, Cell::of(facts), step.interval.first);
    let standing = (facts.status.phase() == Phase::Active).then(|| {
        let worth = Worth::of(step, zones.of(market));
        Standing { market, cell, worth }
    });
    let enter = |sum: &mut Contribution, zones: &mut Zones, kind: CounterKind, now: &Standing<'_>| {
        let day = at.day_in(zones.of(now.market));
        sum.of(now.market).moved(kind, now.cell, day, &now.worth, 1).happened(kind, now.cell, day, at);
    };
    match (&before, &standing) {
        (Some(before), Some(now)) if step.exit.is_none() && before.cell != now.cell => {
            let [left, entered] = between(before.cell, now.cell);
            leave(sum, left, before, at, zones);
            enter(sum, zones, entered, now);
        }
        (Some(before), Some(now)) if step.exit.is_none() => {
            if before.worth != now.worth {
                let kind = step.change.map_or(CounterKind::Amended, |change| change_kind(change.to < change.from));
                let day = at.day_in(zones.of(market));
                let entries = sum.of(market);
                entries.moved(kind, cell, day, &before.worth, -1).moved(kind, cell, day, &now.worth, 1);
            }
        }
        (before, now) => {
            if let (Some(before), Some(exit)) = (before, step.exit) {
                leave(sum, exit_kind(exit), before, at, zones);
            }
            if let (Some(now), Some(entry)) = (now, step.entry) {
                enter(sum, zones, entry_kind(entry), now);
            }
        }
    }
    if let Some(change) = step.change {
        let day = at.day_in(zones.of(market));
        sum.of(market).happened(change_kind(change.to < change.from), cell, day, at);
    }
    standing
}

/// Adds a home to the stock under contract, from the beginning of a pending interval to its end.
fn add_pending(sum: &mut Contribution, interval: &Interval<'_>, next: Option<Time>, zones: &mut Zones) {
    let facts = interval.facts;
    if facts.status.phase() != Phase::Pending {
        return;
    }
    let (cell, zone) = (Cell::of(facts), zones.of(&facts.market));
    let key = |at: Time| Key::new(cell, Quantity::PendingStock, CounterKind::Amended, at.day_in(zone), 0);
    let ends = interval.expires.or(next).map(|at| (key(at), -1));
    let entries = sum.of(&facts.market).0;
    entries.push((key(interval.first), 1));
    entries.extend(ends);
}

/// Removes a home from the stock.
fn leave(sum: &mut Contribution, kind: CounterKind, before: &Standing<'_>, at: Time, zones: &mut Zones) {
    let day = at.day_in(zones.of(before.market));
    sum.of(before.market).moved(kind, before.cell, day, &before.worth, -1).happened(kind, before.cell, day, at);
}

/// Adds the days on which a home in stock becomes unconfirmed, and on which that ends because it is seen again or
/// leaves. They may lie in the future. `next` is the beginning of the next interval.
fn add_unconfirmed(
    sum: &mut Contribution,
    interval: &Interval<'_>,
    standing: &Standing<'_>,
    next: Option<Time>,
    zones: &mut Zones,
) {
    let zone = zones.of(standing.market);
    let entries = sum.of(standing.market).0;
    for UnconfirmedInterval { from, until } in &interval.unconfirmed {
        let until = until.or(interval.expires).or(next);
        for (at, value) in [(Some(*from), 1), (until, -1)] {
            let key =
                |at: Time| Key::new(standing.cell, Quantity::Unconfirmed, CounterKind::Amended, at.day_in(zone), 0);
            entries.extend(at.map(|at| (key(at), value)));
        }
    }
}

/// The kinds for a home that changes its cell within a market.
fn between(before: Cell, now: Cell) -> [CounterKind; 2] {
    match (before.property_type == now.property_type, before.bedrooms == now.bedrooms) {
        (false, true) => [CounterKind::TypeOut, CounterKind::TypeIn],
        (true, false) => [CounterKind::BedroomsOut, CounterKind::BedroomsIn],
        _ => [CounterKind::CellOut, CounterKind::CellIn],
    }
}

fn change_kind(is_cut: bool) -> CounterKind {
    if is_cut { CounterKind::PriceCut } else { CounterKind::PriceRise }
}

fn entry_kind(entry: Entry) -> CounterKind {
    match entry {
        Entry::Initial => CounterKind::Initial,
        Entry::New => CounterKind::New,
        Entry::Relisted => CounterKind::Relisted,
        Entry::BackOnMarket => CounterKind::BackOnMarket,
        Entry::MovedIn => CounterKind::MovedIn,
    }
}

fn exit_kind(exit: Exit) -> CounterKind {
    match exit {
        Exit::Pending => CounterKind::Pending,
        Exit::Closed => CounterKind::Closed,
        Exit::Gone => CounterKind::Gone,
        Exit::MovedOut => CounterKind::MovedOut,
        Exit::Expired => CounterKind::Expired,
    }
}

impl Worth {
    #[expect(clippy::cast_precision_loss, reason = "a bucket is far coarser")]
    fn of(step: &Step<'_>, zone: &TimeZone) -> Self {
        let (facts, spell) = (step.interval.facts, step.spell);
        let price = step.price();
        let per_area = match (price, facts.living_area) {
            (Some(price), Some(area)) => Bucket::of(price.0 as f64 / area.square_metres()),
            _ => None,
        };
        let cut = match (price, spell.original) {
            (Some(price), Some(original)) if price < original => {
                Bucket::of((original.0 - price.0) as f64 / original.0 as f64 * 10_000.0)
            }
            _ => None,
        };
        Self { price, per_area, opened: spell.opened_at.day_in(zone), cut }
    }
}

/// The entries of one market.
struct Entries<'s>(&'s mut Vec<(Key, i64)>);

impl Entries<'_> {
    /// Adds a home with these values on entry (`sign` 1), or removes it on exit (-1).
    fn moved(self, kind: CounterKind, cell: Cell, day: Day, worth: &Worth, sign: i64) -> Self {
        let mut put = |quantity, bucket, value: i64| {
            if value != 0 {
                self.0.push((Key::new(cell, quantity, kind, day, bucket), sign * value));
            }
        };
        if kind.role() != Role::InPlace {
            put(Quantity::Count, 0, 1);
        }
        put(Quantity::Opened, worth.opened.0, 1);
        if let Some(price) = worth.price
            && let Some(bucket) = Bucket::of_whole(price.0)
        {
            put(Quantity::Price, bucket.0, 1);
            put(Quantity::PriceSum, 0, price.0 & 0xffff_ffff);
            put(Quantity::PriceSumHigh, 0, price.0 >> 32);
        }
        if let Some(bucket) = worth.per_area {
            put(Quantity::PricePerArea, bucket.0, 1);
        }
        if let Some(bucket) = worth.cut {
            put(Quantity::Cut, bucket.0, 1);
        }
        self
    }

    /// Counts an event: in its hour, and on its day unless the count of the stock shows it.
    fn happened(self, kind: CounterKind, cell: Cell, day: Day, at: Time) -> Self {
        if matches!(kind.role(), Role::InPlace | Role::NoStock) {
            self.0.push((Key::new(cell, Quantity::Count, kind, day, 0), 1));
        }
        self.0.push((Key::hour(cell, kind, at.hour()), 1));
        self
    }
}

impl Contribution {
    /// Splits the contribution into deltas by market.
    #[must_use]
    pub fn into_deltas(self) -> Vec<(Market, Delta)> {
        let deltas = self.parts.into_iter().map(|(market, entries)| (market, Delta::of(entries)));
        deltas.filter(|(_, delta)| !delta.entries.is_empty()).collect()
    }

    fn of(&mut self, market: &Market) -> Entries<'_> {
        let index = self.parts.iter().position(|(known, _)| known == market).unwrap_or_else(|| {
            self.parts.push((market.clone(), Vec::with_capacity(32)));
            self.parts.len() - 1
        });
        Entries(&mut self.parts[index].1)
    }
}

impl Extend<(Key, i64)> for Entries<'_> {
    fn extend<T: IntoIterator<Item = (Key, i64)>>(&mut self, entries: T) {
        self.0.extend(entries);
    }
}

impl Delta {
    fn of(mut entries: Vec<(Key, i64)>) -> Self {
        sum_up(&mut entries);
        Self { entries }
    }

    /// The delta that undoes this one.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self { entries: self.entries.iter().map(|(key, value)| (*key, value.wrapping_neg())).collect() }
    }

    /// A delta of these entries, which are sorted by key and have no zeros.
    pub(crate) fn of_sorted(entries: Vec<(Key, i64)>) -> Self {
        Self { entries }
    }

    pub(crate) fn entries(&self) -> &[(Key, i64)] {
        &self.entries
    }
}

/// Sums entries with equal keys. The result is sorted by key and has no zeros.
pub(crate) fn sum_up(entries: &mut Vec<(Key, i64)>) {
    entries.sort_unstable_by_key(|(key, _)| *key);
    entries.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 = kept.1.wrapping_add(next.1);
        }
        same
    });
    entries.retain(|(_, value)| *value != 0);
}

impl DeltaSum {
    /// Adds a delta.
    pub fn add(&mut self, delta: &Delta) {
        self.entries.extend_from_slice(&delta.entries);
    }

    /// The sum of all added deltas.
    #[must_use]
    pub fn sum(self) -> Delta {
        Delta::of(self.entries)
    }
}

impl Zones {
    /// The time zone whose midnight ends the day of this market.
    pub fn of(&mut self, market: &Market) -> &TimeZone {
        // Two lookups: returning from the first would keep the map borrowed on both paths.
        if !self.known.contains_key(market) {
            self.known.insert(market.clone(), market.area.country().zone);
        }
        &self.known[market]
    }
}
