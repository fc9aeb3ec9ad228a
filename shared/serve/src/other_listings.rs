//! The other listings of a home: those that are of it, and those of which that is doubtful.

use serde::Serialize;
use stoop_domain::{Home, HomeId, Time};
use stoop_identity::{Edge, LinkedListing, ListingTraits, PairRulings, link_one};

use crate::duplicates::{likeliest_first, pairs};
use crate::{DuplicateHome, HomeSummary, ListingPair};

/// The most doubtful listings that are named.
const DOUBTFUL_MAX: usize = 10;

/// The other listings of a home.
#[derive(Clone, Debug, Default)]
pub struct OtherListings {
    /// How many listings were compared, the home's own among them.
    pub compared: usize,
    /// Why none was looked for; `None` if they were.
    pub not_compared: Option<NotCompared>,
    /// The home with all its listings, if it has others.
    pub home: Option<DuplicateHome>,
    /// Listings that may be of the same home, the likeliest first, ten at most. None of them is in `home`.
    pub doubtful: Vec<DoubtfulListing>,
    /// How many these are without a limit.
    pub doubtful_found: usize,
    /// Whether figures count the home once, though several listings show it.
    pub counts_once: bool,
}

/// Why other listings of a home were not looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NotCompared {
    /// Its area has more listings than are compared.
    TooManyListings,
    /// Its source does not let its address or its earlier prices be shown, which other listings may tell.
    NotDisplayed,
}

/// A listing that may be of the same home.
#[derive(Clone, Debug, Serialize)]
pub struct DoubtfulListing {
    /// The listing.
    pub listing: HomeSummary,
    /// What comparing it with the home's own listing found.
    pub evidence: ListingPair,
}

/// The listings of an area, among which those of one home are looked for.
#[derive(Default)]
pub struct AreaListings {
    homes: Vec<(HomeId, Home)>,
    traits: Vec<ListingTraits>,
    rulings: PairRulings,
}

impl AreaListings {
    /// No listings yet, to be joined by these rulings as well.
    #[must_use]
    pub fn ruled_by(rulings: PairRulings) -> Self {
        Self { rulings, ..Self::default() }
    }

    /// Adds a listing. One that is in no market is left out. Returns how many there are.
    pub fn add(&mut self, id: HomeId, listing: Home) -> usize {
        if let Some(traits) = ListingTraits::of(&id, &listing) {
            self.traits.push(traits);
            self.homes.push((id, listing));
        }
        self.homes.len()
    }

    /// Finds the listings that are of the home with this ID, and those that may be. Finds none of one that was not added.
    #[must_use]
    pub fn others_of(&self, id: &HomeId, now: Time) -> OtherListings {
        let compared = self.homes.len();
        let Some(of) = self.traits.iter().position(|traits| traits.id == *id) else {
            return OtherListings { compared, ..OtherListings::default() };
        };
        let LinkedListing { home, edges } = link_one(&self.traits, of, &self.rulings);
        let (inside, beside): (Vec<&Edge>, Vec<&Edge>) =
            edges.iter().partition(|edge| home.contains(&edge.pair.0) && home.contains(&edge.pair.1));
        let beside = likeliest_first(beside);
        let doubtful = |edge: &&Edge| {
            let other = if edge.pair.0 == of { edge.pair.1 } else { edge.pair.0 };
            Some(DoubtfulListing { listing: self.summary(other, now)?, evidence: ListingPair::of(edge, &self.traits) })
        };
        OtherListings {
            compared,
            not_compared: None,
            counts_once: false,
            doubtful_found: beside.len(),
            doubtful: beside.iter().take(DOUBTFUL_MAX).filter_map(doubtful).collect(),
            home: home.first().map(|first| DuplicateHome {
                id: self.traits[*first].id.clone(),
                listings: home.iter().filter_map(|at| self.summary(*at, now)).collect(),
                evidence: pairs(likeliest_first(inside), &self.traits),
            }),
        }
    }

    fn summary(&self, at: usize, now: Time) -> Option<HomeSummary> {
        let (id, home) = &self.homes[at];
        HomeSummary::of(id.clone(), home, now, None)
    }
}

impl OtherListings {
    /// None, for this reason.
    #[must_use]
    pub fn not_compared(why: NotCompared) -> Self {
        Self { not_compared: Some(why), ..Self::default() }
    }

    /// The listings that are of the same home as this one, by ID.
    pub fn of_the_same_home(&self, id: &HomeId) -> impl Iterator<Item = &HomeSummary> {
        self.home.iter().flat_map(|home| &home.listings).filter(move |listing| listing.id != *id)
    }
}

#[cfg(test)]
mod tests;
