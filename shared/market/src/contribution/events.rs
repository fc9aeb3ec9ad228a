//! The events at the beginning of an interval that are compared with the home's past.

use std::cmp::Ordering;

use stoop_domain::{
    Currency, Day, Doubt, Entry, Facts, Market, Minor, Phase, PriceChange, Purpose, Step, Time, price_bounds,
};

use super::{Contribution, Entries, Zones};
use crate::histogram::Bucket;
use crate::key::Key;
use crate::kind::{CounterKind, NO_CUT_BEFORE, Quantity};
use crate::segment::Cell;

/// What the events of an interval are compared with.
#[derive(Default)]
pub(super) struct Past<'a> {
    /// The last asking price on each terms, until the home is sold.
    asked: Vec<((Purpose, Currency), LastPrices)>,
    /// The last cut in each market and cell.
    cuts: Vec<Cut<'a>>,
    /// The opening of the spell of the last cut.
    cut_spell: Option<Time>,
}

/// The last price asked, and the first one of the last spell that has one.
#[derive(Clone, Copy, Default)]
struct LastPrices {
    last: Option<Minor>,
    original: Option<Minor>,
}

fn terms_of(facts: &Facts) -> (Purpose, Currency) {
    (facts.market.purpose, facts.market.currency)
}

/// The cell and day of a cut.
struct Cut<'a> {
    market: &'a Market,
    cell: Cell,
    day: Day,
}

impl<'a> Past<'a> {
    /// The prices asked on the terms of these facts: the same purpose and currency.
    fn asked_on(&self, facts: &Facts) -> LastPrices {
        self.asked.iter().find(|(terms, _)| *terms == terms_of(facts)).map(|(_, asked)| *asked).unwrap_or_default()
    }

    /// Forgets the past if another home begins with this interval.
    pub(super) fn begin(&mut self, step: &Step<'a>) {
        if step.another_home {
            *self = Self::default();
        }
    }

    /// Adds an interval, for the events of later ones.
    pub(super) fn add(&mut self, step: &Step<'a>, zones: &mut Zones) {
        let facts = step.interval.facts;
        if step.sold.is_some() {
            self.asked.clear();
        }
        if matches!(facts.status.phase(), Phase::Active | Phase::Pending) {
            let before = self.asked_on(facts);
            let asked =
                LastPrices { last: step.price().or(before.last), original: step.spell.original.or(before.original) };
            self.asked.retain(|(terms, _)| *terms != terms_of(facts));
            self.asked.push((terms_of(facts), asked));
        }
        if step.change.is_some_and(|change| change.to < change.from) {
            let (market, cell) = (&facts.market, Cell::of(facts));
            let day = step.interval.first.day_in(zones.of(market));
            self.cuts.retain(|cut| cut.market != market || cut.cell != cell);
            self.cuts.push(Cut { market, cell, day });
            self.cut_spell = Some(step.spell.opened_at);
        }
    }
}

/// Adds the events at the beginning of an interval that are compared with the home's past: sales, cuts and relists.
pub(super) fn add_events(sum: &mut Contribution, step: &Step<'_>, past: &Past<'_>, zones: &mut Zones) {
    let is_relisted = step.entry == Some(Entry::Relisted);
    if step.change.is_none() && step.sold.is_none() && !is_relisted {
        // Most intervals: civil days are not free.
        return;
    }
    let facts = step.interval.facts;
    let (market, cell, at) = (&facts.market, Cell::of(facts), step.interval.first);
    let day = at.day_in(zones.of(market));
    if let Some(change) = step.change.filter(|change| change.to < change.from) {
        let before = past.cuts.iter().find(|cut| cut.market == market && cut.cell == cell).map(|cut| day.0 - cut.day.0);
        let opened = (past.cut_spell != Some(step.spell.opened_at)).then_some(step.spell.opened_at);
        let age = opened.map(|opened| (day.0 - opened.day_in(zones.of(market)).0).max(0));
        sum.of(market).cut(cell, day, change, before, age);
    }
    if is_relisted
        && let (Some(asked), Some(price)) = (past.asked_on(facts).last, step.price())
        && price < asked
    {
        sum.of(market).0.push((Key::new(cell, Quantity::Count, CounterKind::RelistedLower, day, 0), 1));
    }
    if let Some(sold) = step.sold {
        match sold.on.filter(|on| *on != day) {
            Some(on) => sum.of(market).0.push((Key::new(cell, Quantity::Count, CounterKind::Sold, on, 0), 1)),
            None => drop(sum.of(market).happened(CounterKind::Sold, cell, day, at)),
        }
        let bounds = price_bounds(market.currency, market.purpose);
        if let Some(price) = sold.price.filter(|price| bounds.contains(price)) {
            sum.of(market).sale(facts, cell, sold.on.unwrap_or(day), price, past.asked_on(facts));
        }
    }
}

impl Entries<'_> {
    /// Adds a cut: its size, the days since the home's last cut in this market and cell, and for the first cut of a spell
    /// the days since the spell opened.
    #[expect(clippy::cast_precision_loss, reason = "a bucket is far coarser")]
    fn cut(self, cell: Cell, day: Day, change: PriceChange, before: Option<i32>, age: Option<i32>) {
        let mut put = |quantity, kind, bucket| self.0.push((Key::new(cell, quantity, kind, day, bucket), 1));
        if let Some(size) = Bucket::of((change.from.0 - change.to.0) as f64 / change.from.0 as f64 * 10_000.0) {
            put(Quantity::Cut, CounterKind::CutStep, size.0);
        }
        put(
            Quantity::CutGap,
            CounterKind::PriceCut,
            before.map_or(NO_CUT_BEFORE, |days| days.clamp(0, NO_CUT_BEFORE - 1)),
        );
        if let Some(age) = age {
            put(Quantity::Age, CounterKind::PriceCut, age);
        }
    }

    /// Adds a possible closing price, and its ratio to the asking prices. A price that is a quarter of the other or less is
    /// not compared with it: one of both is a mistake.
    #[expect(clippy::cast_precision_loss, reason = "a bucket is far coarser")]
    fn sale(self, facts: &Facts, cell: Cell, day: Day, price: Minor, asked: LastPrices) {
        let mut put = |quantity, kind, bucket, value: i64| {
            if value != 0 {
                self.0.push((Key::new(cell, quantity, kind, day, bucket), value));
            }
        };
        if let Some(bucket) = Bucket::of_whole(price.0) {
            put(Quantity::Price, CounterKind::Sold, bucket.0, 1);
            put(Quantity::PriceSum, CounterKind::Sold, 0, price.0 & 0xffff_ffff);
            put(Quantity::PriceSumHigh, CounterKind::Sold, 0, price.0 >> 32);
        }
        let per_area = facts.living_area.and_then(|area| Bucket::of(price.0 as f64 / area.square_metres()));
        if let Some(bucket) = per_area {
            put(Quantity::PricePerArea, CounterKind::Sold, bucket.0, 1);
        }
        let last = [asked.last, facts.list_price];
        let original = [asked.original, facts.original_list_price];
        for (kind, asked) in [(CounterKind::Sold, last), (CounterKind::SoldOriginal, original)] {
            let comparable = asked.into_iter().flatten().find(|asked| Doubt::of_leap(*asked, price).is_none());
            if let Some(ratio) = comparable.and_then(|asked| ratio(price, asked)) {
                put(Quantity::Ratio, kind, ratio, 1);
            }
        }
    }
}

/// A price as a share of another, in basis points: the nearest one on the same side of 10,000, so that only equal prices
/// give 10,000. `None` if the other is not positive.
fn ratio(price: Minor, asked: Minor) -> Option<i32> {
    let (price, asked) = (i128::from(price.0), i128::from(asked.0));
    let rounded = (asked > 0).then(|| (price * 20_000 + asked) / (asked * 2))?;
    let rounded = match price.cmp(&asked) {
        Ordering::Less => rounded.clamp(0, 9_999),
        Ordering::Equal => 10_000,
        Ordering::Greater => rounded.max(10_001),
    };
    i32::try_from(rounded).ok()
}
