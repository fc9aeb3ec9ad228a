//! Checks everything, changed or not.

use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::Market;

use super::{MarketSelection, Pass, UpdatedSum, is_due};
use crate::areas::area_sum::{AreaPart, DaysCovered};
use crate::areas::wide_area::WideArea;

/// The entries of a sum for its parts, by name.
struct Entries {
    version: u64,
    parts: BTreeMap<String, ListedPart>,
}

struct ListedPart {
    version: u64,
    covered: DaysCovered,
    markets: usize,
}

impl Pass<'_> {
    /// Updates the counties with errors, and returns their regions. What is found is corrected before the search goes
    /// on, so that each pass makes progress, however much there is.
    pub(super) async fn not_in_order(
        &mut self,
        all: &BTreeMap<WideArea, BTreeSet<Market>>,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> Vec<UpdatedSum> {
        let today = self.today();
        let mut regions: BTreeMap<WideArea, BTreeSet<WideArea>> = BTreeMap::new();
        for county in all.keys() {
            if let Some(region) = county.parent() {
                regions.entry(region).or_default().insert(county.clone());
            }
        }
        let countries: BTreeSet<WideArea> = regions.keys().filter_map(WideArea::parent).collect();
        let mut read = BTreeMap::new();
        for country in countries {
            let Some(lines) = self.lines(&country).await else { continue };
            // Including those without markets.
            for region in lines.parts.keys().filter_map(|path| WideArea::new(path, country.id())) {
                regions.entry(region).or_default();
            }
            read.insert(country, lines);
        }
        let mut brought = Vec::new();
        for (region, mut counties) in regions {
            let mut in_region = Vec::new();
            let Some(lines) = (if stop() { None } else { self.lines(&region).await }) else {
                // Those already left are counted.
                let more =
                    counties.iter().filter(|county| !self.behind.contains(county)).map(|county| all[county].len());
                self.done.left = (self.done.left + more.sum::<usize>()).max(1);
                continue;
            };
            let country = region.parent().and_then(|country| read.get(&country));
            let in_country = country.map(|country| country.parts.get(region.path()).map_or(0, |line| line.version));
            let is_in_country = in_country.is_none_or(|version| version == lines.version);
            counties.extend(lines.parts.keys().filter_map(|path| WideArea::new(path, region.id())));
            for county in counties {
                let markets = all.get(&county).map_or(0, BTreeSet::len);
                let line = lines.parts.get(county.path());
                let is_whole = line.is_some_and(|line| line.markets == markets && !is_due(line.covered, today));
                if (is_whole && is_in_country) || self.behind.contains(&county) {
                    continue;
                }
                if stop() {
                    self.done.left += markets.max(1);
                    self.leave_behind(&county);
                    continue;
                }
                match self.county(&county, MarketSelection::All).await {
                    Ok(county) => in_region.push(county),
                    Err(error) => self.fail(&county, markets, &error),
                }
            }
            brought.extend(self.above(in_region).await);
        }
        brought
    }

    /// The entries of an area's sum, empty if there is none; `None` if it cannot be read.
    async fn lines(&mut self, area: &WideArea) -> Option<Entries> {
        let sum = match self.areas.sum(area).await {
            Ok(stored) => stored.sum.unwrap_or_default(),
            Err(error) => {
                self.fail(area, 0, &error);
                return None;
            }
        };
        let line = |part: &AreaPart| ListedPart { version: part.version, covered: part.covered, markets: part.markets };
        let parts = sum.parts().map(|(name, part)| (name.to_owned(), line(part))).collect();
        Some(Entries { version: sum.version(), parts })
    }
}
