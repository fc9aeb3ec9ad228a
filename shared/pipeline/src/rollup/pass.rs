//! Brings the sums of wide areas up to date with the markets, in a store that keeps each separately.
//!
//! A pass reads the changed markets as they are now and replaces their parts in their county, then the counties in
//! their region and the regions in their country. At last it marks the version of each market that is included. It may
//! be killed at any point: a market is listed until it is settled, and replacing a part twice changes nothing.

mod look;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::{Day, Market, Time};
use stoop_market::Projection;

use crate::areas::area_sum::{AreaPart, AreaSum, DaysCovered, Total};
use crate::areas::wide_area::{WideArea, WideLevel};
use crate::ports::{PortError, RollUps};
use crate::with_causes;

/// Days before today that a new part covers: a zone may be a day behind UTC.
const BACK: i32 = 2;

/// A part is recomputed when it covers only this many more days.
const LEFT: i32 = 4;

/// Markets in memory at a time.
const MARKETS_AT_ONCE: usize = 25;

/// Markets settled per call.
const SETTLED_AT_ONCE: usize = 100;

/// How often a sum is read again because another writer was faster.
const TRIES: usize = 5;

/// The result of a pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RolledUp {
    /// Markets that are now in the sums of all their areas, and were not before.
    pub markets: usize,
    /// Markets that changed, or were to be checked, and are left to the next pass.
    pub left: usize,
    /// Sums that were written.
    pub written: usize,
    /// Sums that another writer wrote in the meantime.
    pub conflicts: usize,
    /// Areas that could not be updated; the log has the errors. They are left to the next pass.
    pub failed: usize,
    /// How long before `now` the longest-waiting market was committed, in milliseconds.
    pub lag_ms: Option<i64>,
}

/// A pass in progress.
struct Pass<'a> {
    areas: &'a dyn RollUps,
    now: Time,
    /// The markets that changed.
    waiting: BTreeSet<Market>,
    /// Areas with changes that are not in this pass.
    behind: BTreeSet<WideArea>,
    /// All markets by county, once needed.
    known: Option<BTreeMap<WideArea, BTreeSet<Market>>>,
    done: RolledUp,
}

/// Which markets of a county are put into its sum, in addition to those whose days end soon.
#[derive(Clone, Copy)]
enum MarketSelection<'m> {
    /// Those that changed, or all if there is no sum.
    Changed(&'m BTreeSet<Market>),
    /// Those that are missing; parts without a market are removed.
    All,
}

/// A sum that was updated.
struct UpdatedSum {
    area: WideArea,
    total: Total,
    /// The markets whose changes are included.
    markets: Vec<(Market, u64)>,
}

/// Rolls up what changed. `stop` is checked between counties; a county that was begun is finished.
///
/// # Errors
///
/// The changed markets cannot be listed. An area that fails blocks itself and the areas above it, and no other.
pub async fn roll_up(areas: &dyn RollUps, now: Time, stop: &(dyn Fn() -> bool + Sync)) -> Result<RolledUp, PortError> {
    let mut pass = Pass::new(areas, now).await?;
    let regions = pass.changed(stop).await;
    pass.finish(regions).await;
    Ok(pass.done)
}

/// Like [`roll_up`], then corrects everything else: parts whose days end soon, areas missing from the one above,
/// markets missing from their county, and parts of deleted markets. Run it once a day, and after damage was found.
///
/// # Errors
///
/// The changed markets, or all markets, cannot be listed.
pub async fn roll_up_all(
    areas: &dyn RollUps,
    now: Time,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<RolledUp, PortError> {
    let mut pass = Pass::new(areas, now).await?;
    let all = pass.known().await?.clone();
    let mut regions = pass.changed(stop).await;
    regions.extend(pass.not_in_order(&all, stop).await);
    pass.finish(regions).await;
    Ok(pass.done)
}

fn by_county(markets: impl IntoIterator<Item = Market>) -> BTreeMap<WideArea, BTreeSet<Market>> {
    let mut counties: BTreeMap<WideArea, BTreeSet<Market>> = BTreeMap::new();
    for market in markets {
        counties.entry(WideArea::of(&market, WideLevel::County)).or_default().insert(market);
    }
    counties
}

impl<'a> Pass<'a> {
    async fn new(areas: &'a dyn RollUps, now: Time) -> Result<Self, PortError> {
        let waiting = areas.changed().await?.into_iter().collect();
        Ok(Self { areas, now, waiting, behind: BTreeSet::new(), known: None, done: RolledUp::default() })
    }

    /// Updates the counties of the changed markets, and returns their regions.
    async fn changed(&mut self, stop: &(dyn Fn() -> bool + Sync)) -> Vec<UpdatedSum> {
        let mut work: BTreeMap<Option<WideArea>, Vec<(WideArea, BTreeSet<Market>)>> = BTreeMap::new();
        for (county, markets) in by_county(self.waiting.clone()) {
            work.entry(county.parent()).or_default().push((county, markets));
        }
        // A different county is first each time: otherwise, if there is always more work than a pass can do, the last
        // ones would never be begun.
        let chance = blake3::hash(&self.now.ms().to_le_bytes());
        let chance = chance.as_bytes().iter().fold(0, |sum: usize, byte| sum.wrapping_mul(257) ^ usize::from(*byte));
        let mut work: Vec<_> = work.into_values().collect();
        let regions_max = work.len().max(1);
        work.rotate_left(chance % regions_max);
        let mut regions = Vec::new();
        for mut of_region in work {
            let first = chance / regions_max % of_region.len().max(1);
            of_region.rotate_left(first);
            let mut counties = Vec::new();
            for (county, markets) in of_region {
                if stop() {
                    self.done.left += markets.len();
                    self.leave_behind(&county);
                    continue;
                }
                match self.county(&county, MarketSelection::Changed(&markets)).await {
                    Ok(brought) => counties.push(brought),
                    Err(error) => self.fail(&county, markets.len(), &error),
                }
            }
            regions.extend(self.above(counties).await);
        }
        regions
    }

    /// Updates the countries of these regions, and marks their markets as included.
    async fn finish(&mut self, regions: Vec<UpdatedSum>) {
        let countries = self.above(regions).await;
        let markets: Vec<(Market, u64)> = countries.into_iter().flat_map(|country| country.markets).collect();
        for some in markets.chunks(SETTLED_AT_ONCE) {
            match self.areas.settle(some).await {
                Ok(()) => self.done.markets += some.len(),
                Err(error) => {
                    tracing::warn!(error = with_causes(&error), "markets are to be rolled up once more");
                    self.done.left += some.len();
                }
            }
        }
    }

    async fn known(&mut self) -> Result<&BTreeMap<WideArea, BTreeSet<Market>>, PortError> {
        let known = match self.known.take() {
            Some(known) => known,
            None => by_county(self.areas.markets().await?),
        };
        Ok(self.known.insert(known))
    }

    fn fail(&mut self, area: &WideArea, markets: usize, error: &PortError) {
        tracing::error!(%area, error = with_causes(error), kind = error.kind().as_str(), "an area is to be rolled up again");
        self.done.failed += 1;
        self.done.left += markets;
        self.leave_behind(area);
    }

    fn leave_behind(&mut self, area: &WideArea) {
        let mut above = Some(area.clone());
        while let Some(area) = above {
            above = area.parent();
            self.behind.insert(area);
        }
    }

    /// Updates a county with some of its markets, and with those of its parts whose days end soon.
    async fn county(&mut self, county: &WideArea, wanted: MarketSelection<'_>) -> Result<UpdatedSum, PortError> {
        let today = self.today();
        let none = BTreeSet::new();
        let (markets, is_all) = match wanted {
            MarketSelection::Changed(markets) => (markets, false),
            MarketSelection::All => (&none, true),
        };
        for _ in 0..TRIES {
            let stored = self.areas.sum(county).await?;
            // A county without a sum is new, or its sum was lost.
            let all = match stored.sum {
                Some(_) if !is_all => BTreeSet::new(),
                _ => self.known().await?.get(county).cloned().unwrap_or_default(),
            };
            let mut sum = stored.sum.clone().unwrap_or_default();
            let is_wanted = |(name, part): (&str, &AreaPart)| {
                let market = name.parse::<Market>().ok();
                market.filter(|market| is_due(part.covered, today) || (is_all && !all.contains(market)))
            };
            let missing = all.iter().filter(|market| sum.part(&market.to_string()).is_none());
            let wanted: BTreeSet<Market> =
                sum.parts().filter_map(is_wanted).chain(missing.chain(markets).cloned()).collect();
            let wanted = Vec::from_iter(wanted);
            let first = Day(today.0.saturating_sub(BACK));
            let covered_from = Projection::new(first).first_day();
            let (mut versions, mut changed) = (Vec::new(), false);
            for some in wanted.chunks(MARKETS_AT_ONCE) {
                let read = self.areas.whole(some, covered_from).await?;
                for (market, whole) in some.iter().zip(read) {
                    let name = market.to_string();
                    let Some(whole) = whole else {
                        changed |= sum.remove(&name);
                        continue;
                    };
                    if self.waiting.contains(market) {
                        self.note_lag(whole.committed);
                    }
                    versions.push((market.clone(), whole.version));
                    let is_there = |part: &AreaPart| part.version == whole.version && !is_due(part.covered, today);
                    if sum.part(&name).is_some_and(is_there) {
                        continue;
                    }
                    put(&mut sum, county, &name, &Total::of(&whole, first))?;
                    changed = true;
                }
            }
            if !changed || self.is_put(county, &mut sum, &stored).await? {
                let markets = versions.into_iter().filter(|(market, _)| markets.contains(market)).collect();
                return Ok(UpdatedSum { area: county.clone(), total: sum.total(), markets });
            }
        }
        Err(too_busy(county))
    }

    /// Updates the areas one level above these.
    async fn above(&mut self, parts: Vec<UpdatedSum>) -> Vec<UpdatedSum> {
        let mut areas: BTreeMap<WideArea, Vec<UpdatedSum>> = BTreeMap::new();
        for part in parts {
            if let Some(area) = part.area.parent() {
                areas.entry(area).or_default().push(part);
            }
        }
        let mut brought = Vec::new();
        for (area, parts) in areas {
            match self.area(&area, &parts).await {
                Ok(total) => {
                    let markets = parts.into_iter().flat_map(|part| part.markets).collect();
                    brought.push(UpdatedSum { area, total, markets });
                }
                Err(error) => self.fail(&area, parts.iter().map(|part| part.markets.len()).sum(), &error),
            }
        }
        brought
    }

    async fn area(&mut self, area: &WideArea, parts: &[UpdatedSum]) -> Result<Total, PortError> {
        for _ in 0..TRIES {
            let stored = self.areas.sum(area).await?;
            let mut sum = stored.sum.clone().unwrap_or_default();
            let mut changed = false;
            if stored.sum.is_none() {
                for (part, total) in self.parts_of(area, parts).await? {
                    put(&mut sum, area, part.path(), &total)?;
                }
            }
            for UpdatedSum { area: part, total, .. } in parts {
                let there = sum.part(part.path()).map(|there| there.version);
                // The stored part may be newer, because another pass was faster. It may also come from a lost sum, or
                // from a clock that was ahead.
                let newer = if there.is_some_and(|there| there > total.version) {
                    let Some(newer) = self.areas.sum(part).await?.sum else { continue };
                    Some(newer.total())
                } else {
                    None
                };
                let total = newer.as_ref().unwrap_or(total);
                if there != Some(total.version) {
                    put(&mut sum, area, part.path(), total)?;
                    changed = true;
                }
            }
            if !changed || self.is_put(area, &mut sum, &stored).await? {
                return Ok(sum.total());
            }
        }
        Err(too_busy(area))
    }

    /// The stored sums of an area's parts, except those at hand.
    async fn parts_of(&mut self, area: &WideArea, at_hand: &[UpdatedSum]) -> Result<Vec<(WideArea, Total)>, PortError> {
        let lies_below = |county: &WideArea| {
            let mut below = Some(county.clone());
            while let Some(part) = below {
                let parent = part.parent();
                if parent.as_ref() == Some(area) {
                    return Some(part);
                }
                below = parent;
            }
            None
        };
        let all: BTreeSet<WideArea> = self.known().await?.keys().filter_map(lies_below).collect();
        let mut found = Vec::new();
        for part in all {
            if at_hand.iter().any(|brought| brought.area == part) {
                continue;
            }
            if let Some(sum) = self.areas.sum(&part).await?.sum {
                found.push((part, sum.total()));
            }
        }
        Ok(found)
    }

    async fn is_put(
        &mut self,
        area: &WideArea,
        sum: &mut AreaSum,
        stored: &crate::ports::StoredSum,
    ) -> Result<bool, PortError> {
        // Every commit before its version is included; if something is behind, that time does not change.
        let until = if self.behind.contains(area) { 0 } else { self.now.ms() };
        sum.stamp(u64::try_from(until).unwrap_or_default());
        let is_put = self.areas.put(area, sum, stored).await?;
        if is_put {
            self.done.written += 1;
        } else {
            self.done.conflicts += 1;
        }
        Ok(is_put)
    }

    fn today(&self) -> Day {
        Day(i32::try_from(self.now.ms().div_euclid(Time::DAY_MS)).unwrap_or_default())
    }

    fn note_lag(&mut self, committed: Time) {
        let lag = self.now.ms() - committed.ms();
        self.done.lag_ms = Some(self.done.lag_ms.unwrap_or(0).max(lag));
    }
}

fn is_due(covered: DaysCovered, today: Day) -> bool {
    covered.until.0 < today.0.saturating_add(LEFT) || covered.from > today
}

fn put(sum: &mut AreaSum, area: &WideArea, name: &str, part: &Total) -> Result<(), PortError> {
    sum.put(name, part).map_err(|error| PortError::damaged(format!("put {name} into the sum of {area}"), error))
}

fn too_busy(area: &WideArea) -> PortError {
    PortError::unavailable(format!("roll up {area}"), format!("another writer was faster {TRIES} times in a row"))
}
