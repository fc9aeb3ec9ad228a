use jiff::tz::TimeZone;
use rustc_hash::FxHashMap;
use stoop_domain::{Day, Event, Facts, History, Market, Phase, Run, Spell, Time};

use crate::histogram::Bucket;
use crate::key::{Key, Measure, Segment};

/// What one home adds to each market it was ever counted in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contribution {
    parts: Vec<(Market, Vec<(Key, i64)>)>,
}

/// What is to be added to one market's state. Sorted by key, no zeros.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    entries: Vec<(Key, i64)>,
}

/// The time zones of markets, looked up once each.
#[derive(Debug, Default)]
pub struct Zones {
    known: FxHashMap<Market, TimeZone>,
}

/// The contribution of a home: a pure function of its history.
///
/// A stretch in which the home is active adds one to the stock of the day it began and takes it away on
/// the day the next stretch began; two stretches that begin on one day leave only the later in the
/// day's close. Events are counted on their day and in their hour. Each stretch counts in the market,
/// type and bedroom count that it was seen with.
#[must_use]
pub fn contribution(history: &History, zones: &mut Zones) -> Contribution {
    let mut sum = Contribution::default();
    history.for_each_stretch(|run, spell, events, until| {
        let zone = zones.of(&run.facts.market);
        let entries = sum.of(&run.facts.market);
        if run.facts.status.phase() == Phase::Active {
            add_stock(entries, run, spell, until, zone);
        }
        for event in events {
            add_flow(entries, run.facts, event, zone);
        }
    });
    sum
}

/// The difference that an updated home makes, market by market: `contribution(new) - contribution(old)`.
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

impl Contribution {
    /// The contribution as what it adds to each market.
    #[must_use]
    pub fn into_deltas(self) -> Vec<(Market, Delta)> {
        let deltas = self.parts.into_iter().map(|(market, entries)| (market, Delta::of(entries)));
        deltas.filter(|(_, delta)| !delta.entries.is_empty()).collect()
    }

    fn of(&mut self, market: &Market) -> &mut Vec<(Key, i64)> {
        let place = self.parts.iter().position(|(known, _)| known == market).unwrap_or_else(|| {
            self.parts.push((market.clone(), Vec::with_capacity(32)));
            self.parts.len() - 1
        });
        &mut self.parts[place].1
    }
}

impl Delta {
    /// Sums entries of equal key.
    fn of(mut entries: Vec<(Key, i64)>) -> Self {
        entries.sort_unstable_by_key(|(key, _)| *key);
        entries.dedup_by(|next, kept| {
            let same = next.0 == kept.0;
            if same {
                kept.1 = kept.1.wrapping_add(next.1);
            }
            same
        });
        entries.retain(|(_, value)| *value != 0);
        Self { entries }
    }

    /// The opposite: what takes this delta back.
    #[must_use]
    pub fn negated(&self) -> Self {
        Self { entries: self.entries.iter().map(|(key, value)| (*key, value.wrapping_neg())).collect() }
    }

    pub(crate) fn entries(&self) -> &[(Key, i64)] {
        &self.entries
    }
}

impl Zones {
    /// The zone whose midnight closes this market's day.
    pub fn of(&mut self, market: &Market) -> &TimeZone {
        // Two lookups, because returning from the first borrows the map for both paths.
        if !self.known.contains_key(market) {
            self.known.insert(market.clone(), market.area.country().zone);
        }
        &self.known[market]
    }
}

fn segments(facts: &Facts) -> [Segment; 3] {
    [Segment::All, Segment::Type(facts.property_type), Segment::Bedrooms(facts.bedrooms)]
}

fn add_stock(entries: &mut Vec<(Key, i64)>, run: Run<'_>, spell: Spell, until: Option<Time>, zone: &TimeZone) {
    let facts = run.facts;
    let from = run.first.day_in(zone);
    let until = until.map(|time| time.day_in(zone));
    if until == Some(from) {
        return;
    }
    let price = facts.list_price;
    let price_bucket = price.and_then(|price| Bucket::of_whole(price.0));
    #[expect(clippy::cast_precision_loss, reason = "a bucket is far coarser")]
    let per_area = match (price, facts.living_area) {
        (Some(price), Some(area)) => Bucket::of(price.0 as f64 / area.square_metres()),
        _ => None,
    };
    #[expect(clippy::cast_precision_loss, reason = "a bucket is far coarser")]
    let cut = match (price, spell.original) {
        (Some(price), Some(original)) if price < original => {
            Bucket::of((original.0 - price.0) as f64 / original.0 as f64 * 10_000.0)
        }
        _ => None,
    };
    let opened = spell.opened_at.day_in(zone).0;
    for segment in segments(facts) {
        let mut both = |measure, bucket, value: i64| {
            entries.push((Key::stock(segment, measure, from, bucket), value));
            if let Some(day) = until {
                entries.push((Key::stock(segment, measure, day, bucket), value.wrapping_neg()));
            }
        };
        both(Measure::Active, 0, 1);
        both(Measure::Opened, opened, 1);
        if let (Some(bucket), Some(price)) = (price_bucket, price) {
            both(Measure::Price, bucket.0, 1);
            both(Measure::PriceSum, 0, price.0);
        }
        if let Some(bucket) = per_area {
            both(Measure::PricePerArea, bucket.0, 1);
        }
        if let Some(bucket) = cut {
            both(Measure::Cut, bucket.0, 1);
        }
    }
}

fn add_flow(entries: &mut Vec<(Key, i64)>, facts: &Facts, event: &Event, zone: &TimeZone) {
    let (day, hour): (Day, _) = (event.at.day_in(zone), event.at.hour());
    for segment in segments(facts) {
        entries.push((Key::flow_day(segment, day, event.kind), 1));
        entries.push((Key::flow_hour(segment, hour, event.kind), 1));
    }
}
