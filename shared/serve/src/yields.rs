//! Gross rental yields: what an area's homes for sale would earn at the rents asked for homes like them.

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use super::ConfidenceInterval;
use serde::Serialize;
use stoop_domain::Currency;
use stoop_market::{Cell, KindMedian, KindPrices, LogEstimate, Segment, between_variance};

/// The yield of one kind of home, a property type and number of bedrooms, or of a whole area.
///
/// Few homes of an area lean on the areas around, up to its county: see [`YieldLevelView::weight`].
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct YieldView {
    /// `Condominium, 2 bedrooms`; `all` for the whole area.
    pub label: String,
    /// The same for people.
    #[serde(skip)]
    pub words: String,
    /// The currency of both prices.
    pub currency: Currency,
    /// Twelve months of rent as a share of the price, before all costs: 0.05 is 5 %.
    pub gross_yield: f64,
    /// Its 95 % interval.
    pub gross_yield_interval: ConfidenceInterval,
    /// The price in years of rent: the gross rent multiplier.
    pub price_to_rent: f64,
    /// Median list price for sale in the area; `None` for the whole area, or if it has no such home.
    pub median_price: Option<f64>,
    /// Median rent of a month in the area, likewise.
    pub median_rent: Option<f64>,
    /// Priced homes for sale in the area; of the whole area, those of its kinds with a yield.
    pub sale_homes: i64,
    /// Priced homes for rent in the area, likewise.
    pub rent_homes: i64,
    /// The share (0 to 1) of the area's priced homes for sale that are of a kind with a yield; `None` for a kind.
    pub matched_share: Option<f64>,
    /// What the yield is made of: the area itself, and the areas around that it leans on, narrowest first. Of the whole
    /// area, the mean over its kinds.
    pub levels: Vec<YieldLevelView>,
}

/// What homes of an area tell of a yield.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct YieldLevelView {
    /// The path of the area.
    pub area: String,
    /// Its priced homes for sale, of the kind or kinds.
    pub sale_homes: i64,
    /// Its priced homes for rent.
    pub rent_homes: i64,
    /// How much they weigh: all levels together are 1.
    pub weight: f64,
}

/// The prices of an area in one currency, by kind of home.
#[derive(Clone, Debug, Default)]
pub struct YieldLevel {
    /// Its path.
    pub area: String,
    /// List prices of homes for sale.
    pub sale: KindPrices,
    /// Rents of a month.
    pub rent: KindPrices,
}

/// The least share of homes of a known kind with a yield, for the whole area to have one.
const MATCHED_SHARE: f64 = 0.5;

/// A yield whose 95 % interval reaches further than this factor to either side is none.
const REACH_MAX: f64 = 1.5;

/// A yield of one kind, and what each level weighs in it.
#[derive(Clone, Debug)]
struct Pooled {
    estimate: LogEstimate,
    weights: Vec<f64>,
}

/// The yields of an area in one currency: first that of the whole area, then those of its kinds in their order. `levels` are
/// the area and the areas around that it may lean on, narrowest first.
///
/// The yield of the whole area is the mean over its kinds, weighted by their priced homes for sale in the area. `minor` is
/// the number of minor units in a major one.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "numbers of homes")]
pub fn yields(levels: &[YieldLevel], currency: Currency) -> Vec<YieldView> {
    let Some(own) = levels.first() else { return Vec::new() };
    let pooled = pooled(levels);
    let (mut kinds, mut homes_of_known_kind) = (Vec::new(), 0);
    for kind in own.sale.kinds().filter(is_known) {
        let homes = own.sale.median(kind).map_or(0, |median| median.homes);
        homes_of_known_kind += homes;
        let Some(pooled) = pooled.get(&kind) else { continue };
        let [low, high] = pooled.estimate.interval();
        if high / low <= REACH_MAX * REACH_MAX {
            kinds.push((homes, pooled, kind, of_kind(levels, kind, pooled, currency)));
        }
    }
    let matched: i64 = kinds.iter().map(|(homes, ..)| homes).sum();
    let mut all = Vec::new();
    if matched > 0 && matched as f64 >= MATCHED_SHARE * homes_of_known_kind as f64 {
        all.push(of_all(levels, &kinds, matched, homes_of_known_kind, currency));
    }
    all.extend(kinds.into_iter().map(|(.., view)| view));
    all
}

/// The yields of all kinds in the narrowest level, from those of the levels around, widest first.
fn pooled(levels: &[YieldLevel]) -> BTreeMap<Cell, Pooled> {
    let mut around: BTreeMap<Cell, Pooled> = BTreeMap::new();
    for (at, level) in levels.iter().enumerate().rev() {
        let own: BTreeMap<Cell, LogEstimate> =
            level.sale.kinds().filter(is_known).filter_map(|kind| Some((kind, level.estimate(kind)?))).collect();
        let pairs = own.iter().filter_map(|(kind, own)| Some((*own, around.get(kind)?.estimate)));
        let between = between_variance(pairs);
        let mut of_level: BTreeMap<Cell, Pooled> = BTreeMap::new();
        for (kind, own) in &own {
            let only = || Pooled { estimate: *own, weights: one(levels.len(), at) };
            let pooled = around.get(kind).map_or_else(only, |around| {
                let (estimate, weight) = own.pooled(around.estimate, between);
                let mut weights: Vec<f64> = around.weights.iter().map(|other| other * (1.0 - weight)).collect();
                weights[at] += weight;
                Pooled { estimate, weights }
            });
            of_level.insert(*kind, pooled);
        }
        for (kind, pooled) in around {
            let of_a_part = Pooled { estimate: pooled.estimate.as_of_a_part(between), ..pooled };
            of_level.entry(kind).or_insert(of_a_part);
        }
        around = of_level;
    }
    around
}

fn one(count: usize, at: usize) -> Vec<f64> {
    (0..count).map(|level| if level == at { 1.0 } else { 0.0 }).collect()
}

/// Whether a kind of home is of known type and number of bedrooms.
fn is_known(kind: &Cell) -> bool {
    kind.property_type.is_some() && kind.bedrooms.is_some()
}

impl YieldLevel {
    /// The yield of a kind from the homes of this area alone.
    fn estimate(&self, kind: Cell) -> Option<LogEstimate> {
        let of = |prices: &KindPrices| prices.median(kind).and_then(KindMedian::estimate);
        Some(of(&self.rent)?.over(of(&self.sale)?).times(12.0))
    }

    fn view(&self, kinds: &[Cell], weight: f64) -> YieldLevelView {
        let homes =
            |prices: &KindPrices| kinds.iter().filter_map(|kind| prices.median(*kind)).map(|median| median.homes).sum();
        YieldLevelView {
            area: self.area.clone(),
            sale_homes: homes(&self.sale),
            rent_homes: homes(&self.rent),
            weight: rounded(weight, 10_000.0),
        }
    }
}

fn of_kind(levels: &[YieldLevel], kind: Cell, pooled: &Pooled, currency: Currency) -> YieldView {
    let own = &levels[0];
    let major = |prices: &KindPrices| {
        let median = prices.median(kind)?.median;
        Some(median.round() / 10_f64.powi(currency.minor_digits().cast_signed()))
    };
    let weighed = levels.iter().zip(&pooled.weights).enumerate();
    let weighed = weighed.filter(|(at, (_, weight))| *at == 0 || **weight >= 0.005);
    let view = own.view(&[kind], 1.0);
    YieldView {
        label: Segment::Cell(kind).label(),
        words: Segment::Cell(kind).words(),
        currency,
        gross_yield: rounded(pooled.estimate.value(), 10_000.0),
        gross_yield_interval: ConfidenceInterval::of(pooled.estimate.interval(), |end| rounded(end, 10_000.0)),
        price_to_rent: rounded(1.0 / pooled.estimate.value(), 100.0),
        median_price: major(&own.sale),
        median_rent: major(&own.rent),
        sale_homes: view.sale_homes,
        rent_homes: view.rent_homes,
        matched_share: None,
        levels: weighed.map(|(_, (level, weight))| level.view(&[kind], *weight)).collect(),
    }
}

#[expect(clippy::cast_precision_loss, reason = "numbers of homes")]
fn of_all(
    levels: &[YieldLevel],
    kinds: &[(i64, &Pooled, Cell, YieldView)],
    matched: i64,
    homes_of_known_kind: i64,
    currency: Currency,
) -> YieldView {
    let share = |homes: i64| homes as f64 / matched as f64;
    let mean: f64 = kinds.iter().map(|(homes, pooled, ..)| share(*homes) * pooled.estimate.value()).sum();
    // The delta method: the deviation of a yield is its value times that of its logarithm.
    let variance: f64 = kinds
        .iter()
        .map(|(homes, pooled, ..)| (share(*homes) * pooled.estimate.value()).powi(2) * pooled.estimate.variance)
        .sum();
    let interval = LogEstimate { log: mean.ln(), variance: variance / (mean * mean) }.interval();
    let cells: Vec<Cell> = kinds.iter().map(|(.., kind, _)| *kind).collect();
    let weight = |at: usize| kinds.iter().map(|(homes, pooled, ..)| share(*homes) * pooled.weights[at]).sum::<f64>();
    let weighed = levels.iter().enumerate().map(|(at, level)| (at, level.view(&cells, weight(at))));
    let own = levels[0].view(&cells, 1.0);
    YieldView {
        label: "all".to_owned(),
        words: "all".to_owned(),
        currency,
        gross_yield: rounded(mean, 10_000.0),
        gross_yield_interval: ConfidenceInterval::of(interval, |end| rounded(end, 10_000.0)),
        price_to_rent: rounded(1.0 / mean, 100.0),
        median_price: None,
        median_rent: None,
        sale_homes: own.sale_homes,
        rent_homes: own.rent_homes,
        matched_share: Some(rounded(share(matched) * matched as f64 / homes_of_known_kind as f64, 10_000.0)),
        levels: weighed.filter(|(at, level)| *at == 0 || level.weight >= 0.005).map(|(_, level)| level).collect(),
    }
}

fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}
