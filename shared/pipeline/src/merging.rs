//! Counts each home once, though several listings show it.

use std::collections::BTreeSet;

use stoop_domain::{History, Home, HomeId, Market, Purpose, Time, speaks_at};
use stoop_identity::{Linked, ListingTraits, PairRulings, link_ruled};
use stoop_market::{Delta, Zones, correction};

use crate::{WideArea, WideLevel};

mod county_pass;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]
mod tests;

pub use county_pass::{MergeRequest, MergedCounties, mark_counties, merge_counties, merged_by_market};

/// Listings of one purpose that show one home.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MergedHome {
    /// The least ID of its listings.
    pub id: HomeId,
    /// Its listings, by ID; at least two.
    pub listings: Vec<HomeId>,
    /// The listing that speaks for it now; `None` if all have expired.
    pub speaker: Option<HomeId>,
    /// What changes in each market if the home is counted in place of its listings.
    pub corrections: Vec<(Market, Delta)>,
}

/// The homes of some listings that have more than one of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MergedListings {
    /// In order of their IDs.
    pub homes: Vec<MergedHome>,
    /// The pairs that may be of one home, and count as two.
    pub doubtful: usize,
}

impl MergedListings {
    /// Joins these listings, by rulings and by what they have in common; those of the sources `except` with none. A function of
    /// the set of listings. A home for sale and for rent is two here: one in each market.
    #[must_use]
    pub fn of(listings: &[(HomeId, Home)], rulings: &PairRulings, except: &BTreeSet<String>) -> Self {
        let known = |(id, home): &(HomeId, Home)| ListingTraits::of(id, home);
        let (traits, histories): (Vec<ListingTraits>, Vec<&History>) = listings
            .iter()
            .filter_map(|listing| Some((known(listing)?, &listing.1.history)))
            .filter(|(traits, _)| !except.contains(traits.source()))
            .unzip();
        let now = histories.iter().filter_map(|history| history.seen()).map(|(_, last)| last).max();
        let Linked { homes, edges, .. } = link_ruled(&traits, rulings);
        let (mut merged, mut zones) = (Self::default(), Zones::default());
        for home in &homes {
            for purpose in [Purpose::Sale, Purpose::Rent] {
                let shown: Vec<usize> = home.iter().copied().filter(|at| traits[*at].purpose == purpose).collect();
                if shown.len() > 1 {
                    let ids: Vec<&HomeId> = shown.iter().map(|at| &traits[*at].id).collect();
                    let histories: Vec<&History> = shown.iter().map(|at| histories[*at]).collect();
                    merged.homes.push(MergedHome::of(&ids, &histories, now.unwrap_or_default(), &mut zones));
                }
            }
        }
        merged.homes.sort_unstable_by(|a, b| a.id.cmp(&b.id));
        let mut home_of: Vec<usize> = (0..traits.len()).collect();
        homes.iter().for_each(|home| home.iter().for_each(|at| home_of[*at] = home[0]));
        merged.doubtful = edges.iter().filter(|edge| home_of[edge.pair.0] != home_of[edge.pair.1]).count();
        merged
    }

    /// How many listings are counted through another one.
    #[must_use]
    pub fn merged(&self) -> usize {
        self.homes.iter().map(|home| home.listings.len() - 1).sum()
    }
}

impl MergedHome {
    /// The home of these listings, which are in the order of their IDs.
    fn of(ids: &[&HomeId], histories: &[&History], now: Time, zones: &mut Zones) -> Self {
        let speaker = speaks_at(histories, now).map(|at| ids[at].clone());
        let listings: Vec<HomeId> = ids.iter().copied().cloned().collect();
        Self { id: listings[0].clone(), listings, speaker, corrections: correction(histories, zones) }
    }
}

/// The area within which listings are compared with each other when states count homes: the county of a market.
#[must_use]
pub fn merging_area(market: &Market) -> String {
    WideArea::of(market, WideLevel::County).path().to_owned()
}
