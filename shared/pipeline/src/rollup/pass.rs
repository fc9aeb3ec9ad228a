//! Brings the sums of wide areas up to the markets, where each is stored by itself.
//!
//! A pass reads the markets that changed as they are now and puts them in place of what they were in their county, then
//! the counties in their region, the regions in their country, and at last says of each market which version is in. It may be killed
//! anywhere: a market is named again until it was settled, and putting a part in its place a second time changes nothing.

#[cfg(test)]
mod tests;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::{Day, Market, Time};
use stoop_market::{Grain, Projection};

use super::area_sum::{AreaSum, DaysTold, Part, Total};
use super::{WideArea, WideLevel};
use crate::ports::{PortError, RollUps};
use crate::with_causes;

/// Days before today that a fresh part tells: a zone may be a day behind UTC.
const BACK: i32 = 2;

/// A part is worked out anew when its days end in so many: well before they do.
const LEFT: i32 = 4;

/// Markets that are in memory at a time.
const MARKETS_AT_ONCE: usize = 25;

/// How often a sum is read again because somebody else was faster.
const TRIES: usize = 5;

/// What a pass did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RolledUp {
    /// Markets that are in the sums of all their areas now, and were not before.
    pub markets: usize,
    /// Markets that changed and are left to the next pass.
    pub left: usize,
    /// Sums that were written.
    pub written: usize,
    /// Sums that somebody else wrote meanwhile.
    pub conflicts: usize,
    /// Areas that could not be brought up; what went wrong is in the log. They are left to the next pass.
    pub failed: usize,
    /// How long before `now` the longest-waiting of the markets was committed, in milliseconds.
    pub lag_ms: Option<i64>,
}

/// A pass under way.
struct Pass<'a> {
    areas: &'a dyn RollUps,
    now: Time,
    /// The markets that changed.
    waiting: BTreeSet<Market>,
    /// Areas below which something changed that is not in this pass.
    behind: BTreeSet<WideArea>,
    /// All markets by their counties, once they were needed.
    known: Option<BTreeMap<WideArea, BTreeSet<Market>>>,
    done: RolledUp,
}

/// A sum that was brought up to its parts.
struct Brought {
    area: WideArea,
    total: Total,
    /// The markets whose changes are in it.
    markets: Vec<(Market, u64)>,
}

/// Rolls up what changed. `stop` is asked between counties; what was begun is brought to its end.
///
/// # Errors
/// When what changed is not known. An area that fails holds up itself and what is above it, and no other.
pub async fn roll_up(areas: &dyn RollUps, now: Time, stop: &(dyn Fn() -> bool + Sync)) -> Result<RolledUp, PortError> {
    let mut pass = Pass::new(areas, now).await?;
    let work = by_county(pass.waiting.clone());
    pass.run(work, stop).await;
    Ok(pass.done)
}

/// The same, and whatever else is not in order: parts whose days end soon, areas that are missing in the one above them, and
/// markets that are missing in their county. To be done once a day, and when something was found damaged.
///
/// # Errors
/// When what changed, or which markets there are, is not known.
pub async fn roll_up_all(
    areas: &dyn RollUps,
    now: Time,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<RolledUp, PortError> {
    let mut pass = Pass::new(areas, now).await?;
    let mut work = by_county(pass.waiting.clone());
    let all = pass.known().await?.clone();
    for (county, markets) in pass.not_in_order(&all).await {
        work.entry(county).or_default().extend(markets);
    }
    pass.run(work, stop).await;
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

    async fn run(&mut self, work: BTreeMap<WideArea, BTreeSet<Market>>, stop: &(dyn Fn() -> bool + Sync)) {
        let mut counties = Vec::new();
        for (county, markets) in work {
            if stop() {
                self.done.left += markets.len();
                self.leave_behind(&county);
                continue;
            }
            match self.county(&county, &markets).await {
                Ok(brought) => counties.push(brought),
                Err(error) => self.fail(&county, markets.len(), &error),
            }
        }
        let regions = self.above(counties).await;
        let countries = self.above(regions).await;
        for (market, version) in countries.into_iter().flat_map(|country| country.markets) {
            match self.areas.settle(&market, version).await {
                Ok(()) => self.done.markets += 1,
                Err(error) => {
                    tracing::warn!(%market, error = with_causes(&error), "a market is to be rolled up once more");
                    self.done.left += 1;
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
        tracing::error!(%area, error = with_causes(error), "an area is to be rolled up again");
        self.done.failed += 1;
        self.done.left += markets;
        self.leave_behind(area);
    }

    fn leave_behind(&mut self, area: &WideArea) {
        let mut above = area.parent();
        while let Some(area) = above {
            above = area.parent();
            self.behind.insert(area);
        }
    }

    /// Brings a county up to some of its markets, and to those of its parts whose days end soon.
    async fn county(&mut self, county: &WideArea, markets: &BTreeSet<Market>) -> Result<Brought, PortError> {
        let today = self.today();
        for _ in 0..TRIES {
            let stored = self.areas.sum(county).await?;
            // A county that has no sum is a new one, or one whose sum was lost.
            let all = match stored.sum {
                Some(_) => BTreeSet::new(),
                None => self.known().await?.get(county).cloned().unwrap_or_default(),
            };
            let mut sum = stored.sum.clone().unwrap_or_else(|| AreaSum::empty(county.level()));
            let ends_soon = |(name, part): (&str, &Part)| is_due(part.told, today).then(|| name.parse().ok()).flatten();
            let wanted: BTreeSet<Market> =
                sum.parts().filter_map(ends_soon).chain(all).chain(markets.iter().cloned()).collect();
            let wanted = Vec::from_iter(wanted);
            let first = Day(today.0.saturating_sub(BACK));
            let told_from = Projection::new(first, Grain::Fine).first_day();
            let (mut versions, mut changed) = (Vec::new(), false);
            for some in wanted.chunks(MARKETS_AT_ONCE) {
                let read = self.areas.whole(some, told_from).await?;
                for (market, whole) in some.iter().zip(read) {
                    let Some(whole) = whole else { continue };
                    if self.waiting.contains(market) {
                        self.note_lag(whole.committed);
                    }
                    versions.push((market.clone(), whole.version));
                    let name = market.to_string();
                    let is_there = |part: &Part| part.version == whole.version && !is_due(part.told, today);
                    if sum.part(&name).is_some_and(is_there) {
                        continue;
                    }
                    put(&mut sum, county, &name, &Total::of(&whole, first))?;
                    changed = true;
                }
            }
            if !changed || self.is_put(county, &mut sum, &stored).await? {
                let markets = versions.into_iter().filter(|(market, _)| markets.contains(market)).collect();
                return Ok(Brought { area: county.clone(), total: sum.total(), markets });
            }
        }
        Err(too_busy(county))
    }

    /// Brings the areas one level above these up to them.
    async fn above(&mut self, parts: Vec<Brought>) -> Vec<Brought> {
        let mut areas: BTreeMap<WideArea, Vec<Brought>> = BTreeMap::new();
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
                    brought.push(Brought { area, total, markets });
                }
                Err(error) => self.fail(&area, parts.iter().map(|part| part.markets.len()).sum(), &error),
            }
        }
        brought
    }

    async fn area(&mut self, area: &WideArea, parts: &[Brought]) -> Result<Total, PortError> {
        for _ in 0..TRIES {
            let stored = self.areas.sum(area).await?;
            let mut sum = stored.sum.clone().unwrap_or_else(|| AreaSum::empty(area.level()));
            let mut changed = false;
            if stored.sum.is_none() {
                for (part, total) in self.parts_of(area, parts).await? {
                    put(&mut sum, area, part.path(), &total)?;
                }
            }
            for Brought { area: part, total, .. } in parts {
                // What is there may be newer: another pass was faster.
                if sum.part(part.path()).is_none_or(|stored| stored.version < total.version) {
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

    /// The sums that are stored of the parts of an area, without those that are at hand.
    async fn parts_of(&mut self, area: &WideArea, at_hand: &[Brought]) -> Result<Vec<(WideArea, Total)>, PortError> {
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
        // All that was committed until its version is in it: of what is behind that stays what it was.
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

    /// The counties of which something is not in order, each with the markets that are missing in it.
    async fn not_in_order(&mut self, all: &BTreeMap<WideArea, BTreeSet<Market>>) -> Vec<(WideArea, BTreeSet<Market>)> {
        let today = self.today();
        let mut found = Vec::new();
        let mut above: BTreeMap<WideArea, Option<AreaSum>> = BTreeMap::new();
        for (county, markets) in all {
            let region = county.parent();
            for area in [region.clone(), region.as_ref().and_then(WideArea::parent)].into_iter().flatten() {
                if let Entry::Vacant(slot) = above.entry(area) {
                    let read = self.areas.sum(slot.key()).await.map(|stored| stored.sum);
                    let sum = read.unwrap_or_else(|error| {
                        self.fail(slot.key(), 0, &error);
                        None
                    });
                    slot.insert(sum);
                }
            }
            let region = region.as_ref();
            let in_region = region.and_then(|area| above[area].as_ref()?.part(county.path()));
            let is_whole = in_region.is_some_and(|part| part.markets >= markets.len() && !is_due(part.told, today));
            let is_in_country = region.is_some_and(|region| {
                let country = region.parent().and_then(|country| above[&country].as_ref());
                let part = country.and_then(|country| country.part(region.path()));
                part.map(|part| part.version) == above[region].as_ref().map(AreaSum::version)
            });
            if is_whole && is_in_country {
                continue;
            }
            let read = self.areas.sum(county).await.map(|stored| stored.sum);
            match read {
                Ok(sum) => {
                    let is_missing =
                        |market: &&Market| sum.as_ref().and_then(|sum| sum.part(&market.to_string())).is_none();
                    found.push((county.clone(), markets.iter().filter(is_missing).cloned().collect()));
                }
                Err(error) => self.fail(county, markets.len(), &error),
            }
        }
        found
    }

    fn today(&self) -> Day {
        Day(i32::try_from(self.now.ms().div_euclid(Time::DAY_MS)).unwrap_or_default())
    }

    fn note_lag(&mut self, committed: Time) {
        let lag = self.now.ms() - committed.ms();
        self.done.lag_ms = Some(self.done.lag_ms.unwrap_or(0).max(lag));
    }
}

fn is_due(told: DaysTold, today: Day) -> bool {
    told.until.0 < today.0.saturating_add(LEFT) || told.from > today
}

fn put(sum: &mut AreaSum, area: &WideArea, name: &str, part: &Total) -> Result<(), PortError> {
    sum.put(name, part).map_err(|error| PortError::new(format!("put {name} into the sum of {area}"), error))
}

fn too_busy(area: &WideArea) -> PortError {
    PortError::new(format!("roll up {area}"), format!("somebody else was faster {TRIES} times in a row"))
}
