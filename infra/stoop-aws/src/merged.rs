//! Checks that the merged homes of a stack follow from its listings.

use std::collections::BTreeMap;

use anyhow::Result;
use stoop_domain::{Home, HomeId, Market};
use stoop_embedded::Database;
use stoop_identity::{MODEL_VERSION, PairRulings};
use stoop_pipeline::ports::{CountyRecord, MergedOfCounty};
use stoop_pipeline::{MergedListings, merged_by_market, merging_area};

use crate::sums::Heads;
use crate::wrongs::Wrongs;

/// Homes read at a time.
const PAGE: usize = 1_000;

/// Checks the counties that were settled all the time, and returns their number. What changed meanwhile, and what waits for a pass,
/// is not checked, nor what another version of the weights merged.
pub(crate) fn check(
    database: &Database,
    heads: &Heads,
    before: &[CountyRecord],
    after: &[CountyRecord],
    wrongs: &mut Wrongs,
) -> Result<u64> {
    let mut markets: BTreeMap<String, Vec<(&Market, bool)>> = BTreeMap::new();
    for (market, is_settled) in heads.settled() {
        markets.entry(merging_area(market)).or_default().push((market, is_settled));
    }
    let mut checked = 0;
    let is_merged = |county: &CountyRecord| county.merged_at.is_some() && county.changes == county.merged;
    for county in before.iter().filter(|county| after.contains(county) && is_merged(county)) {
        let markets = markets.remove(&county.county).unwrap_or_default();
        if county.terms.model != MODEL_VERSION || markets.iter().any(|(_, is_settled)| !is_settled) {
            continue;
        }
        checked += 1;
        let mut listings = Vec::new();
        for (market, _) in &markets {
            read(database, market, &mut listings)?;
        }
        listings.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        let found = MergedListings::of(&listings, &PairRulings::default(), &county.terms.except);
        let mut expected = merged_by_market(&found, &listings);
        let none = MergedOfCounty::default();
        for (market, _) in markets {
            let expected = expected.remove(market).unwrap_or_default();
            let stored = heads.merged(market).and_then(|merged| merged.counties.get(&county.county)).unwrap_or(&none);
            if let Some(home) = first_difference(stored, &expected) {
                wrongs.note(format!("the merged home {home} in {market} differs from what its listings give"));
            } else if let Some(difference) = stored.corrections.first_difference(&expected.corrections) {
                wrongs.note(format!("the corrections of {market} differ (stored, recomputed): {difference}"));
            }
        }
        wrongs
            .note_all(expected.into_keys().map(|market| format!("the market {market} of merged homes is not stored")));
    }
    Ok(checked)
}

fn read(database: &Database, market: &Market, listings: &mut Vec<(HomeId, Home)>) -> Result<()> {
    let mut after: Option<HomeId> = None;
    loop {
        let page = database.homes_of(market, after.as_ref(), PAGE)?;
        let is_last = page.len() < PAGE;
        after = page.last().map(|(id, _)| id.clone());
        listings.extend(page);
        if is_last {
            return Ok(());
        }
    }
}

/// The first merged home that only one has, or that differs.
fn first_difference<'a>(stored: &'a MergedOfCounty, expected: &'a MergedOfCounty) -> Option<&'a HomeId> {
    let only = |of: &'a MergedOfCounty, other: &MergedOfCounty| {
        of.homes.iter().filter(|home| !other.homes.contains(home)).map(|home| &home.id).min()
    };
    only(stored, expected).into_iter().chain(only(expected, stored)).min()
}
