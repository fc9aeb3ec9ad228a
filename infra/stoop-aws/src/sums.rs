//! Checks that the sums of a stack's counties, regions and countries follow from its markets.
//!
//! The stack may be written during the check. A sum is read before its parts, and markets were pulled before both: so
//! nothing may be older than the sum that contains it. A part newer than its pulled market is compared with the current
//! market.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result};
use stoop_aws::{StackAreas, TableMarket};
use stoop_domain::{Day, Market, Time};
use stoop_embedded::Database;
use stoop_pipeline::ports::{MergedMarket, RollUps, WholeMarket};
use stoop_pipeline::{AreaPart, AreaSum, Total, WideArea, WideLevel, with_causes};

use crate::wrongs::Wrongs;

/// Counties fetched at the same time: large ones have a few megabytes.
const COUNTIES_AT_ONCE: usize = 4;

/// The age of a sum at which the area above must have it: the roll-up checks everything once a day.
const LATE_MS: i64 = 2 * Time::DAY_MS;

/// Sums between two progress messages.
const REPORT_EVERY: u64 = 1_000;

/// The heads of the markets when they were pulled.
#[derive(Debug, Default)]
pub(crate) struct Heads {
    heads: BTreeMap<Market, MarketHead>,
    /// The merged homes of the markets that have some.
    merged: BTreeMap<Market, MergedMarket>,
}

#[derive(Clone, Copy, Debug)]
struct MarketHead {
    version: u64,
    /// Whether it changed since it was rolled up.
    waits: bool,
    /// Whether the market has no error; errors are reported already.
    is_right: bool,
}

impl Heads {
    pub(crate) fn note(&mut self, market: &TableMarket) {
        let TableMarket { item, version, waits, merged } = market;
        // Unreadable names are reported already.
        if let Ok(id) = item.stored.id.parse::<Market>() {
            let head = MarketHead { version: *version, waits: *waits, is_right: item.wrongs.is_empty() };
            if !merged.is_empty() {
                self.merged.insert(id.clone(), merged.clone());
            }
            self.heads.insert(id, head);
        }
    }

    /// The markets, each with whether it is right and was rolled up as it was pulled.
    pub(crate) fn settled(&self) -> impl Iterator<Item = (&Market, bool)> {
        self.heads.iter().map(|(market, head)| (market, head.is_right && !head.waits))
    }

    /// The merged homes of a market.
    pub(crate) fn merged(&self, market: &Market) -> Option<&MergedMarket> {
        self.merged.get(market)
    }
}

/// The sums of a stack, during the check.
pub(crate) struct SumCheck<'a> {
    areas: &'a StackAreas,
    /// What was pulled.
    database: &'a Database,
    heads: &'a Heads,
    now: Time,
    wrongs: &'a mut Wrongs,
    report: &'a dyn Fn(&str),
    /// The areas one level below, for all areas above markets.
    below: BTreeMap<WideArea, BTreeSet<WideArea>>,
    markets: BTreeMap<WideArea, Vec<&'a Market>>,
    /// The keys of the sums that were checked.
    keys: BTreeSet<String>,
    checked: u64,
}

/// The object at the key of a sum.
enum SumObject {
    Nothing,
    Damaged,
    Sum(AreaSum),
}

/// What is known of an area after its check.
#[derive(Default)]
struct CheckedArea {
    /// Its sum, if there is one.
    total: Option<Total>,
    /// Whether the object is not a sum.
    is_damaged: bool,
    /// How many of its markets are in all of their sums, according to their heads.
    settled: usize,
    /// How many are not.
    waiting: usize,
}

impl<'a> SumCheck<'a> {
    pub(crate) fn new(
        areas: &'a StackAreas,
        database: &'a Database,
        heads: &'a Heads,
        now: Time,
        wrongs: &'a mut Wrongs,
        report: &'a dyn Fn(&str),
    ) -> Self {
        let (mut below, mut markets) = (BTreeMap::<_, BTreeSet<WideArea>>::new(), BTreeMap::<_, Vec<&Market>>::new());
        for market in heads.heads.keys() {
            let mut area = WideArea::of(market, WideLevel::County);
            markets.entry(area.clone()).or_default().push(market);
            while let Some(above) = area.parent() {
                below.entry(above.clone()).or_default().insert(area);
                area = above;
            }
        }
        Self { areas, database, heads, now, wrongs, report, below, markets, keys: BTreeSet::new(), checked: 0 }
    }

    /// Checks all sums, and returns their number. `listed` are the keys that existed before the markets were pulled.
    pub(crate) async fn check(mut self, listed: Vec<String>) -> Result<u64> {
        let settled = self.heads.heads.values().filter(|head| !head.waits).count();
        if listed.is_empty() && settled > 0 && self.areas.keys().await?.is_empty() {
            self.wrongs.note(format!("no area has a sum, and {settled} markets are marked as rolled up"));
            return Ok(0);
        }
        let countries: Vec<WideArea> = self.below.keys().filter(|area| area.parent().is_none()).cloned().collect();
        for country in countries {
            let found = self.areas.stored(&country).await?;
            self.area(&country, found).await?;
        }
        for key in listed.into_iter().filter(|key| !self.keys.contains(key)) {
            self.wrongs.note(format!("the object {key} is not the sum of an area with markets"));
        }
        Ok(self.checked)
    }

    /// Checks a region or a country, and everything below.
    async fn area(&mut self, area: &WideArea, found: Stored) -> Result<CheckedArea> {
        let found = self.check_sum(area, found)?;
        let mut below = self.below.get(area).cloned().unwrap_or_default();
        for (name, _) in found.sum().into_iter().flat_map(AreaSum::parts) {
            // A part that appeared since the markets were pulled is checked like the others.
            match WideArea::new(name, area.id()).filter(|part| part.parent().as_ref() == Some(area)) {
                Some(part) => drop(below.insert(part)),
                None => self.wrongs.note(format!("the sum of {area} has a part {name:?}, which is not in it")),
            }
        }
        let mut checked = CheckedArea::of(&found);
        let below: Vec<WideArea> = below.into_iter().collect();
        let at_once = if area.level() == WideLevel::Region { COUNTIES_AT_ONCE } else { 1 };
        for some in below.chunks(at_once) {
            for (part, fetched) in some.iter().zip(self.fetched(some).await?) {
                let of_part = match part.level() {
                    WideLevel::County => self.county(part, fetched).await?,
                    _ => Box::pin(self.area(part, fetched)).await?,
                };
                if let Some(sum) = found.sum() {
                    self.check_part(area, sum.part(part.path()), part, &of_part);
                }
                checked.settled += of_part.settled;
                checked.waiting += of_part.waiting;
            }
        }
        self.note_if_lost(area, &found, checked.settled);
        Ok(checked)
    }

    async fn fetched(&self, areas: &[WideArea]) -> Result<Vec<Stored>> {
        let fetch = |area: &WideArea| {
            let (areas, area) = (self.areas.clone(), area.clone());
            tokio::spawn(async move { areas.stored(&area).await })
        };
        let fetching: Vec<_> = areas.iter().map(fetch).collect();
        let mut found = Vec::with_capacity(areas.len());
        for fetched in fetching {
            found.push(fetched.await.context("the sum of an area is not read")??);
        }
        Ok(found)
    }

    /// Checks that an object is the sum of its parts.
    fn check_sum(&mut self, area: &WideArea, found: Stored) -> Result<SumObject> {
        self.keys.insert(self.areas.key(area)?);
        let Some(found) = found else { return Ok(SumObject::Nothing) };
        self.checked += 1;
        if self.checked.is_multiple_of(REPORT_EVERY) {
            (self.report)(&format!("sums: {} checked", self.checked));
        }
        let is_sum = found.and_then(|sum| Ok((sum.first_difference()?, sum)));
        match is_sum {
            Ok((difference, sum)) => {
                if let Some(difference) = difference {
                    let wrong =
                        format!("the sum of {area} is not that of its parts (stored, recomputed): {difference}");
                    self.wrongs.note(wrong);
                }
                Ok(SumObject::Sum(sum))
            }
            Err(error) => {
                self.wrongs.note(format!("the sum of {area} cannot be read: {}", with_causes(&error)));
                Ok(SumObject::Damaged)
            }
        }
    }

    fn note_if_lost(&mut self, area: &WideArea, found: &SumObject, settled: usize) {
        if settled > 0 && matches!(found, SumObject::Nothing) {
            let wrong =
                format!("the sum of {area} does not exist, and {settled} of its markets are marked as rolled up");
            self.wrongs.note(wrong);
        }
    }

    /// Compares a part of a region or a country with the sum of that area.
    fn check_part(&mut self, area: &WideArea, part: Option<&AreaPart>, below: &WideArea, found: &CheckedArea) {
        let in_part = part.map_or(0, |part| part.markets);
        let wrong = match (part, &found.total) {
            (Some(_), None) => (!found.is_damaged).then(|| "there is no such sum".into()),
            (Some(part), Some(total)) if part.version == total.version => part.check(total).err(),
            (Some(part), Some(total)) if part.version > total.version => {
                Some(format!("it is of version {}, and the sum itself of {}", part.version, total.version))
            }
            _ if in_part < found.settled => {
                Some(format!("{in_part} markets are in it, and {} are marked as rolled up", found.settled))
            }
            // Days advance without a changed market, and a pass may have been killed. The next day's pass catches up.
            (part, Some(total)) if found.waiting == 0 && self.is_late(total) => {
                let version = part.map_or(0, |part| part.version);
                Some(format!("it is of version {version}, and the sum itself of {} for two days", total.version))
            }
            _ => None,
        };
        if let Some(wrong) = wrong {
            self.wrongs.note(format!("the part {below} of the sum of {area}: {wrong}"));
        }
    }

    fn is_late(&self, total: &Total) -> bool {
        i64::try_from(total.version).is_ok_and(|written| self.now.ms() - written > LATE_MS)
    }

    /// Checks a county: its parts are markets.
    async fn county(&mut self, county: &WideArea, found: Stored) -> Result<CheckedArea> {
        let found = self.check_sum(county, found)?;
        let mut checked = CheckedArea::of(&found);
        let markets = self.markets.get(county).cloned().unwrap_or_default();
        for market in &markets {
            let head = self.heads.heads[*market];
            *(if head.waits { &mut checked.waiting } else { &mut checked.settled }) += 1;
            let Some(sum) = found.sum() else { continue };
            let part = sum.part(&market.to_string());
            let wrong = match part {
                _ if !head.is_right => None,
                Some(part) if part.version > head.version => self.is_as_now(market, part).await.err(),
                Some(part) if part.version == head.version => self.is_as_pulled(market, head, part)?.err(),
                // It waits for a roll-up.
                _ if head.waits => None,
                part => {
                    let what =
                        part.map_or("it does not exist".into(), |part| format!("it is of version {}", part.version));
                    Some(format!("{what}, and the market is marked as rolled up in version {}", head.version))
                }
            };
            self.note_part(county, &market.to_string(), wrong);
        }
        for (name, part) in found.sum().into_iter().flat_map(AreaSum::parts) {
            let wrong = match name.parse::<Market>() {
                Ok(market)
                    if self.heads.heads.contains_key(&market) && WideArea::of(&market, county.level()) == *county =>
                {
                    continue;
                }
                Ok(market) if WideArea::of(&market, county.level()) == *county => {
                    self.is_as_now(&market, part).await.err()
                }
                _ => Some("it is not a market of this county".into()),
            };
            self.note_part(county, name, wrong);
        }
        self.note_if_lost(county, &found, checked.settled);
        Ok(checked)
    }

    fn note_part(&mut self, county: &WideArea, name: &str, wrong: Option<String>) {
        if let Some(wrong) = wrong {
            self.wrongs.note(format!("the part {name} of the sum of {county}: {wrong}"));
        }
    }

    /// Whether a part equals its market as pulled, which has the same version.
    fn is_as_pulled(&self, market: &Market, head: MarketHead, part: &AreaPart) -> Result<Result<(), String>> {
        let Some(mut state) = self.database.cells(market)? else { return Ok(Ok(())) };
        let mut archive = self.database.archive(market)?;
        if let Some(merged) = self.heads.merged(market) {
            let archived = state.add(&merged.corrections().as_delta());
            archive.merge(&archived);
        }
        let whole = WholeMarket { version: head.version, state, archive, ..WholeMarket::default() };
        Ok(part.check_market(&whole))
    }

    /// Whether a part newer than the pulled market equals the market's current or a later state.
    async fn is_as_now(&self, market: &Market, part: &AreaPart) -> Result<(), String> {
        // The part may have any number of days of the archive.
        let all_days = Day(i32::MIN);
        let read = self.areas.whole(std::slice::from_ref(market), all_days).await;
        match read.map_err(|error| format!("its market cannot be read: {}", with_causes(&error)))?.pop().flatten() {
            None => Err("there is no such market".into()),
            Some(whole) if whole.version < part.version => {
                Err(format!("it is of version {}, and the market of {}", part.version, whole.version))
            }
            Some(whole) if whole.version == part.version => part.check_market(&whole),
            // It changed again.
            Some(_) => Ok(()),
        }
    }
}

/// See [`StackAreas::stored`].
type Stored = Option<std::result::Result<AreaSum, stoop_pipeline::SumError>>;

impl SumObject {
    fn sum(&self) -> Option<&AreaSum> {
        match self {
            Self::Sum(sum) => Some(sum),
            Self::Nothing | Self::Damaged => None,
        }
    }
}

impl CheckedArea {
    fn of(found: &SumObject) -> Self {
        let total = found.sum().map(AreaSum::total);
        Self { total, is_damaged: matches!(found, SumObject::Damaged), ..Self::default() }
    }
}
