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
    CommitError, CountyRecord, MarketChange, MergedHomeRecord, MergedMarket, MergedMarkets, MergingTerms, PortError,
    RollUps, Versioned,
};
use crate::with_causes;

/// A county is merged again after this time at the earliest: a pass reads all of its listings.
pub const MERGED_EVERY_MS: i64 = 15 * 60 * Time::SECOND_MS;

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

/// Merges the counties with changes that an earlier pass marked, and marks those with changes since they were rolled up. `stop` is
/// checked between counties. Call it before [`crate::roll_up`], which forgets what changed.
///
/// # Errors
///
/// The counties or the changed markets cannot be listed, or a county cannot be marked.
pub async fn merge_counties(
    areas: &dyn RollUps,
    merges: &dyn MergedMarkets,
    request: MergeRequest<'_>,
    stop: &(dyn Fn() -> bool + Sync),
) -> Result<MergedCounties, PortError> {
    let mut done = MergedCounties::default();
    // Those that this pass marks are merged by the next one: lists of listings may lag behind what was just stored.
    let known = merges.counties().await?;
    if request.terms.is_none() && known.iter().all(|county| county.merged_at.is_none()) {
        return Ok(done);
    }
    let mut all: Option<BTreeMap<String, Vec<Market>>> = None;
    if request.terms.is_some() {
        // Those that were switched off are as good as unknown.
        let is_new = known.iter().all(|county| county.merged_at.is_none() && county.changes == county.merged);
        let changed: BTreeSet<String> = match (request.all, is_new) {
            (false, false) => areas.changed().await?.iter().map(merging_area).collect(),
            _ => by_county(&mut all, areas).await?.keys().cloned().collect(),
        };
        for county in &changed {
            merges.mark(county).await?;
        }
        done.waiting =
            changed.iter().filter(|county| !known.iter().any(|known| known.county == **county)).count() as u64;
    }
    let rulings = merges.rulings().await?;
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
        let pass = CountyPass { merges, request, rulings: &rulings, county: &county };
        match pass.run(&markets, &mut done).await {
            Ok(()) => done.counties += 1,
            Err(error) => {
                let (county, kind) = (&county.county, error.kind().as_str());
                tracing::error!(
                    county,
                    error = with_causes(&error),
                    kind,
                    "the listings of a county are to be merged again"
                );
                done.failed += 1;
            }
        }
    }
    Ok(done)
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
    let is_changed = county.changes > county.merged || county.terms != *terms;
    // A clock that was set back must not stop it.
    let since_ms = (request.now.ms() - merged_at.ms()).abs();
    is_changed && (since_ms >= MERGED_EVERY_MS || county.terms != *terms)
}

/// The pass of one county.
struct CountyPass<'a> {
    merges: &'a dyn MergedMarkets,
    request: MergeRequest<'a>,
    rulings: &'a PairRulings,
    county: &'a CountyRecord,
}

impl CountyPass<'_> {
    async fn run(&self, markets: &[Market], done: &mut MergedCounties) -> Result<(), PortError> {
        let Some(terms) = self.request.terms else {
            let none = MergedMarket { changes: self.county.changes, ..MergedMarket::default() };
            for market in markets {
                done.written += u64::from(self.store(market, &none).await?);
            }
            let CountyRecord { county, changes, .. } = self.county.clone();
            return self
                .merges
                .settle(&CountyRecord { county, changes, merged: changes, ..CountyRecord::default() })
                .await;
        };
        if self.county.merged_at.is_none() {
            // From the first market on there is something to take back.
            let begun = CountyRecord { merged_at: Some(Time::default()), ..self.county.clone() };
            self.merges.settle(&begun).await?;
        }
        let listings = self.merges.listings(markets, self.request.listings_max).await?;
        if listings.is_none() {
            done.too_large.push(self.county.county.clone());
        }
        let found = MergedListings::of(listings.as_deref().unwrap_or_default(), self.rulings, &terms.except);
        let mut by_market = merged_by_market(&found, listings.as_deref().unwrap_or_default());
        for market in markets {
            let merged = MergedMarket { changes: self.county.changes, ..by_market.remove(market).unwrap_or_default() };
            done.written += u64::from(self.store(market, &merged).await?);
        }
        for (market, merged) in by_market {
            // A market that the list of markets lacks yet.
            let merged = MergedMarket { changes: self.county.changes, ..merged };
            done.written += u64::from(self.store(&market, &merged).await?);
        }
        let settled = CountyRecord {
            merged: self.county.changes,
            merged_at: Some(self.request.now),
            terms: terms.clone(),
            homes: found.homes.len() as u64,
            listings: found.homes.iter().map(|home| home.listings.len() as u64).sum(),
            ..self.county.clone()
        };
        self.merges.settle(&settled).await
    }

    /// Stores what a market has of merged homes, if it has something else. Whether it was written.
    async fn store(&self, market: &Market, merged: &MergedMarket) -> Result<bool, PortError> {
        if has(&self.merges.merged(market).await?, merged) {
            return Ok(false);
        }
        let mut tries = 0;
        loop {
            let stored = self.merges.whole(market).await?;
            let (state, before) =
                stored.unwrap_or_else(|| (Versioned { value: Cells::default(), version: 0 }, <_>::default()));
            // Another pass may have known more.
            if before.changes > merged.changes || has(&before, merged) {
                return Ok(false);
            }
            let Versioned { value: mut cells, version: version_read } = state;
            let delta = difference(&before.corrections, &merged.corrections);
            let archived = cells.add(&delta);
            let change =
                MarketChange { market, version_read, new: &cells, deltas: vec![&delta], fold_to: None, archived };
            match self.merges.replace(&change, merged).await {
                Ok(()) => return Ok(true),
                Err(CommitError::Conflict) if tries < TRIES => tries += 1,
                Err(CommitError::Port(error)) => return Err(error),
                Err(error) => return Err(PortError::refused(format!("merge the listings of {market}"), error)),
            }
        }
    }
}

/// Whether the content is the same, as of whatever changes.
fn has(stored: &MergedMarket, merged: &MergedMarket) -> bool {
    (&stored.homes, &stored.corrections) == (&merged.homes, &merged.corrections)
}

fn difference(before: &Cells, after: &Cells) -> Delta {
    let mut sum = DeltaSum::default();
    sum.add(&before.as_delta().negated());
    sum.add(&after.as_delta());
    sum.sum()
}

/// What each market has of merged homes: of those of `found`, which are of these listings.
#[must_use]
pub fn merged_by_market(found: &MergedListings, listings: &[(HomeId, Home)]) -> BTreeMap<Market, MergedMarket> {
    let counted: BTreeMap<&HomeId, &Market> =
        listings.iter().filter_map(|(id, home)| Some((id, &home.history.current()?.market))).collect();
    let mut markets: BTreeMap<Market, MergedMarket> = BTreeMap::new();
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
