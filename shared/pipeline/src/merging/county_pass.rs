//! Merges the listings of counties in a store that has no transaction over their markets (ADR 0080).
//!
//! Each market is written by itself: its state and its merged homes at once. So a pass may be killed anywhere, and may run beside
//! other passes and commits; what it leaves undone, the next one does.

use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::{Home, HomeId, Market, Time};
use stoop_identity::PairRulings;
use stoop_market::{Cells, Delta, DeltaSum};

use super::{MergedListings, merging_area};
use crate::ports::{
    CommitError, CountyRecord, MarketChange, MergedHomeRecord, MergedMarket, MergedMarkets, MergedOfCounty,
    MergingTerms, PortError, RollUps, Versioned,
};
use crate::with_causes;

/// A county is merged again after this time at the earliest: a pass reads all of its listings.
const MERGED_EVERY_MS: i64 = 15 * 60 * Time::SECOND_MS;

/// How often a market is read again because another writer was faster.
const TRIES: usize = 5;

/// What a pass over counties did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergedCounties {
    /// Counties whose homes were computed anew.
    pub counties: u64,
    /// Markets that were written.
    pub written: u64,
    /// Counties with changes that wait for their turn.
    pub waiting: u64,
    /// Counties with too many listings to compare: there each listing counts.
    pub too_large: Vec<String>,
    /// Counties that could not be merged; the log has the errors. The next pass tries again.
    pub failed: u64,
}

/// How a pass goes over counties.
#[derive(Clone, Copy, Debug)]
pub struct MergeRequest<'a> {
    /// How listings are merged. `None`: each one counts, and what was merged is taken back.
    pub terms: Option<&'a MergingTerms>,
    /// The time.
    pub now: Time,
    /// Whether all counties are marked, also those without changes.
    pub all: bool,
    /// The most listings of a county that are compared.
    pub listings_max: usize,
}

/// Merges the counties that were marked: [`mark_counties`] marks them when their markets are rolled up. `stop` is checked between
/// counties.
///
/// # Errors
///
/// The counties or the markets cannot be listed, or a county cannot be marked.
pub async fn merge_counties(
    areas: &dyn RollUps,
    merges: &dyn MergedMarkets,
    request: MergeRequest<'_>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<MergedCounties, PortError> {
    let mut done = MergedCounties::default();
    // Those that this pass marks are merged by the next one: lists of listings may lag behind what was just stored.
    let mut known = merges.counties().await?;
    if request.terms.is_none() && known.iter().all(|county| county.merged_at.is_none()) {
        return Ok(done);
    }
    let mut all: Option<BTreeMap<String, Vec<Market>>> = None;
    // While all is off nothing is marked; and until one is merged, not all may be marked.
    let is_new = known.iter().all(|county| county.merged_at.is_none());
    if request.terms.is_some() && (request.all || is_new) {
        let waits = |name: &String| known.iter().any(|county| county.county == *name && county.changes > county.merged);
        for county in by_county(&mut all, areas).await?.keys().filter(|name| !waits(name)) {
            merges.mark(county).await?;
            done.waiting += 1;
        }
    }
    // The one that has waited for the longest time first, or the last ones would never be merged.
    known.sort_by_key(|county| county.merged_at);
    for county in known {
        if !is_due(&county, request) {
            done.waiting += u64::from(county.changes > county.merged);
            continue;
        }
        if stop() {
            done.waiting += 1;
            continue;
        }
        let markets = by_county(&mut all, areas).await?.get(&county.county).cloned().unwrap_or_default();
        let mut pass = CountyPass { merges, request, county };
        match pass.run(markets, &mut done).await {
            Ok(()) => done.counties += 1,
            Err(error) => {
                let (name, kind) = (&pass.county.county, error.kind().as_str());
                tracing::error!(
                    county = name,
                    error = with_causes(&error),
                    kind,
                    "the listings of a county are to be merged again"
                );
                done.failed += 1;
                // Not at once: what is damaged stays so, and a pass reads much.
                let waits = CountyRecord { merged_at: Some(request.now), ..pass.county.clone() };
                if let Err(error) = merges.settle(&waits).await {
                    tracing::warn!(county = name, error = with_causes(&error), "it is merged again at once");
                }
            }
        }
    }
    Ok(done)
}

/// Marks the counties of markets that are being rolled up, unless each listing counts and nothing is left of another time. Call it
/// before that is noted: what changed is known no longer then.
///
/// # Errors
///
/// The counties cannot be listed, or one cannot be marked.
pub async fn mark_counties<'m>(
    merges: &dyn MergedMarkets,
    terms: Option<&MergingTerms>,
    markets: impl Iterator<Item = &'m Market>,
) -> Result<(), PortError> {
    if terms.is_none() && merges.counties().await?.iter().all(|county| county.merged_at.is_none()) {
        return Ok(());
    }
    for county in markets.map(merging_area).collect::<BTreeSet<_>>() {
        merges.mark(&county).await?;
    }
    Ok(())
}

async fn by_county<'a>(
    known: &'a mut Option<BTreeMap<String, Vec<Market>>>,
    areas: &dyn RollUps,
) -> Result<&'a BTreeMap<String, Vec<Market>>, PortError> {
    if known.is_none() {
        let mut counties: BTreeMap<String, Vec<Market>> = BTreeMap::new();
        for market in areas.markets().await? {
            counties.entry(merging_area(&market)).or_default().push(market);
        }
        *known = Some(counties);
    }
    Ok(known.get_or_insert_default())
}

/// Whether a county is to be merged, or taken apart, now.
fn is_due(county: &CountyRecord, request: MergeRequest<'_>) -> bool {
    let Some(terms) = request.terms else { return county.merged_at.is_some() };
    let Some(merged_at) = county.merged_at else { return county.changes > 0 };
    // A clock that was set back must not stop it.
    let is_early = (request.now.ms() - merged_at.ms()).abs() < MERGED_EVERY_MS;
    (county.changes > county.merged || county.terms != *terms) && !is_early
}

/// The pass of one county.
struct CountyPass<'a> {
    merges: &'a dyn MergedMarkets,
    request: MergeRequest<'a>,
    /// As it is stored now.
    county: CountyRecord,
}

/// The outcome of storing markets.
#[derive(Default)]
struct MarketOutcomes {
    written: u64,
    /// Those of which another pass knew more.
    left: BTreeSet<Market>,
}

/// The outcome of storing one of them.
#[derive(Clone, Copy, PartialEq, Eq)]
enum MarketOutcome {
    Written,
    AsItWas,
    Left,
}

impl CountyPass<'_> {
    /// Merges the listings of these markets, or takes apart what was merged.
    async fn run(&mut self, markets: Vec<Market>, done: &mut MergedCounties) -> Result<(), PortError> {
        let mut within: BTreeSet<Market> = markets.iter().cloned().collect();
        let Some(terms) = self.request.terms else {
            within.extend(self.county.elsewhere.iter().cloned());
            let MarketOutcomes { written, left } = self.store_all(&within, BTreeMap::new()).await?;
            done.written += written;
            if written > 0 || !left.is_empty() {
                // Another pass may be on its way, by what was in force before. One that writes nothing says that it is over.
                return Ok(());
            }
            let CountyRecord { county, changes, .. } = self.county.clone();
            let off = CountyRecord { county, changes, merged: changes, ..CountyRecord::default() };
            return self.note(off).await;
        };
        let listings = self.merges.listings(&markets, self.request.listings_max).await?;
        if listings.is_none() {
            done.too_large.push(self.county.county.clone());
        }
        let listings = listings.unwrap_or_default();
        // A stack keeps no rulings.
        let found = MergedListings::of(&listings, &PairRulings::default(), &terms.except);
        let by_market = merged_by_market(&found, &listings);
        let elsewhere: BTreeSet<Market> = by_market.keys().filter(|market| !self.is_own(market)).cloned().collect();
        self.note(CountyRecord {
            // From the first market on there is something to take back.
            merged_at: Some(self.county.merged_at.unwrap_or_default()),
            elsewhere: elsewhere.union(&self.county.elsewhere).cloned().collect(),
            ..self.county.clone()
        })
        .await?;
        within.extend(by_market.keys().cloned());
        within.extend(self.county.elsewhere.iter().cloned());
        let MarketOutcomes { written, left } = self.store_all(&within, by_market).await?;
        done.written += written;
        let left = left.into_iter().filter(|market| !self.is_own(market));
        self.note(CountyRecord {
            merged: self.county.changes,
            merged_at: Some(self.request.now),
            terms: terms.clone(),
            homes: found.homes.len() as u64,
            listings: found.homes.iter().map(|home| home.listings.len() as u64).sum(),
            elsewhere: elsewhere.into_iter().chain(left).collect(),
            ..self.county.clone()
        })
        .await
    }

    /// Stores what is known of the county, if that is something else.
    async fn note(&mut self, county: CountyRecord) -> Result<(), PortError> {
        if county != self.county {
            self.merges.settle(&county).await?;
            self.county = county;
        }
        Ok(())
    }

    fn is_own(&self, market: &Market) -> bool {
        merging_area(market) == self.county.county
    }

    /// Stores what each market has of this county; what is damaged stops no other market.
    async fn store_all(
        &self,
        markets: &BTreeSet<Market>,
        mut merged: BTreeMap<Market, MergedOfCounty>,
    ) -> Result<MarketOutcomes, PortError> {
        let (mut stored, mut failed) = (MarketOutcomes::default(), None);
        for market in markets {
            let merged = MergedOfCounty { changes: self.county.changes, ..merged.remove(market).unwrap_or_default() };
            match self.store(market, &merged).await {
                Ok(MarketOutcome::Written) => stored.written += 1,
                Ok(MarketOutcome::AsItWas) => {}
                Ok(MarketOutcome::Left) => drop(stored.left.insert(market.clone())),
                Err(error) => drop(failed.get_or_insert(error)),
            }
        }
        failed.map_or(Ok(stored), Err)
    }

    /// Stores what a market has of this county, if it has something else.
    async fn store(&self, market: &Market, merged: &MergedOfCounty) -> Result<MarketOutcome, PortError> {
        let county = &self.county.county;
        if self.merges.merged(market).await?.counties.get(county).unwrap_or(&MergedOfCounty::default()).has(merged) {
            return Ok(MarketOutcome::AsItWas);
        }
        let mut tries = 0;
        loop {
            let stored = self.merges.whole(market).await?;
            let (state, mut all) =
                stored.unwrap_or_else(|| (Versioned { value: Cells::default(), version: 0 }, MergedMarket::default()));
            let before = all.counties.remove(county).unwrap_or_default();
            if before.changes > merged.changes {
                // Another pass knew more. What it wrote may be of the same moment as what is not marked any more.
                self.merges.mark(county).await?;
                return Ok(MarketOutcome::Left);
            }
            if before.has(merged) {
                return Ok(MarketOutcome::AsItWas);
            }
            if self.request.terms.is_some() {
                all.counties.insert(county.clone(), merged.clone());
            }
            let Versioned { value: mut cells, version: version_read } = state;
            let delta = difference(&before.corrections, &merged.corrections);
            let archived = cells.add(&delta);
            let change =
                MarketChange { market, version_read, new: &cells, deltas: vec![&delta], fold_to: None, archived };
            match self.merges.replace(&change, &all).await {
                Ok(()) => return Ok(MarketOutcome::Written),
                Err(CommitError::Conflict) if tries < TRIES => tries += 1,
                Err(CommitError::Port(error)) => return Err(error),
                Err(error) => return Err(PortError::refused(format!("merge the listings of {market}"), error)),
            }
        }
    }
}

fn difference(before: &Cells, after: &Cells) -> Delta {
    let mut sum = DeltaSum::default();
    sum.add(&before.as_delta().negated());
    sum.add(&after.as_delta());
    sum.sum()
}

/// What each market has of merged homes: of those of `found`, which are of these listings.
#[must_use]
pub fn merged_by_market(found: &MergedListings, listings: &[(HomeId, Home)]) -> BTreeMap<Market, MergedOfCounty> {
    let counted: BTreeMap<&HomeId, &Market> =
        listings.iter().filter_map(|(id, home)| Some((id, &home.history.current()?.market))).collect();
    let mut markets: BTreeMap<Market, MergedOfCounty> = BTreeMap::new();
    for home in &found.homes {
        let record =
            || MergedHomeRecord { id: home.id.clone(), listings: home.listings.clone(), speaker: home.speaker.clone() };
        let within: BTreeSet<&Market> =
            home.listings.iter().filter_map(|listing| counted.get(listing).copied()).collect();
        for market in within {
            markets.entry(market.clone()).or_default().homes.push(record());
        }
        for (market, correction) in &home.corrections {
            drop(markets.entry(market.clone()).or_default().corrections.add(correction));
        }
    }
    markets
}
