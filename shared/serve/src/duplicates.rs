//! Which listings of an area are of one home, and its figures if each home counts once.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stoop_domain::{History, Home, HomeId, Market, Purpose, Time};
use stoop_identity::{Comparison, Edge, JOIN_WEIGHT, ListingTraits, MODEL_VERSION, Rulings, link};
use stoop_market::{Delta, Zones, correction};

use crate::home::HomeSummary;

/// The most listings that are compared at once: some 400 MB.
pub const COMPARED_LISTINGS_MAX: usize = 200_000;

/// What changes in the markets of an area if each home counts once, though several listings show it.
#[derive(Default)]
pub struct MergedHomes {
    /// The changes of each market.
    pub corrections: Vec<(Market, Delta)>,
    /// The listings that are counted through another one.
    pub merged: usize,
    /// The pairs that are doubtful, and count as two homes.
    pub doubtful: usize,
}

impl MergedHomes {
    /// Joins these listings. A home for sale and for rent is still two: one in each market.
    #[must_use]
    pub fn of(listings: &[(HomeId, Home)]) -> Self {
        let known = |(id, home): &(HomeId, Home)| ListingTraits::of(id, home);
        let (traits, histories): (Vec<ListingTraits>, Vec<&History>) =
            listings.iter().filter_map(|listing| Some((known(listing)?, &listing.1.history))).unzip();
        let (mut merged, mut zones) = (Self::default(), Zones::default());
        let linked = link(&traits, &Rulings::default());
        let joined: BTreeMap<usize, usize> =
            linked.homes.iter().flat_map(|home| home.iter().map(|listing| (*listing, home[0]))).collect();
        let home_of = |listing: usize| joined.get(&listing).copied().unwrap_or(listing);
        merged.doubtful = linked.edges.iter().filter(|edge| home_of(edge.pair.0) != home_of(edge.pair.1)).count();
        for home in linked.homes {
            for purpose in [Purpose::Sale, Purpose::Rent] {
                let of_purpose = home.iter().filter(|at| traits[**at].purpose == purpose);
                let shown: Vec<&History> = of_purpose.map(|at| histories[*at]).collect();
                if shown.len() > 1 {
                    merged.merged += shown.len() - 1;
                    merged.corrections.extend(correction(&shown, &mut zones));
                }
            }
        }
        merged
    }
}

/// The listings of an area, each with what is compared of it.
#[derive(Default)]
pub struct ComparedListings {
    listings: Vec<(HomeSummary, ListingTraits)>,
}

/// The listings of an area that are of one home, and the pairs of which that is doubtful.
#[derive(Clone, Debug, Serialize)]
pub struct Duplicates {
    /// All listings that were compared, also those that are no longer on offer.
    pub listings: usize,
    /// Those on offer or under contract.
    pub listings_open: usize,
    /// The homes that these are of.
    pub homes_open: usize,
    /// How many homes have more than one listing; `homes` may hold fewer.
    pub homes_found: usize,
    /// How many pairs are doubtful; `doubtful` may hold fewer.
    pub doubtful_found: usize,
    /// The weight in bits from which a pair is joined.
    pub join_bits: f64,
    /// The version of the weights: another one may join other listings.
    pub model: u16,
    /// The homes that have more than one listing, in order of their IDs.
    pub homes: Vec<DuplicateHome>,
    /// Pairs that may be of one home, the likeliest first.
    pub doubtful: Vec<ListingPair>,
}

/// A home with more than one listing.
#[derive(Clone, Debug, Serialize)]
pub struct DuplicateHome {
    /// The least ID of its listings.
    pub id: HomeId,
    /// Its listings, by ID.
    pub listings: Vec<HomeSummary>,
    /// What speaks for it: the pairs of its listings that agree most.
    pub evidence: Vec<ListingPair>,
}

/// Two listings and what comparing them found.
#[derive(Clone, Debug, Serialize)]
pub struct ListingPair {
    /// The listing with the smaller ID.
    pub a: HomeId,
    /// The other one.
    pub b: HomeId,
    /// How much speaks for one home: the binary logarithm of the odds that the findings add.
    pub bits: f64,
    /// What speaks for one home, in words.
    pub findings: Vec<&'static str>,
    /// What speaks against it.
    pub against: Vec<&'static str>,
    /// What excludes one home, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub veto: Option<&'static str>,
}

impl ComparedListings {
    /// Adds a listing. One that is in no market is left out.
    pub fn add(&mut self, id: HomeId, listing: &Home, now: Time) {
        let traits = ListingTraits::of(&id, listing);
        self.listings.extend(HomeSummary::of(id, listing, now, None).zip(traits));
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.listings.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listings.is_empty()
    }

    /// Finds those that are of one home; the first `limit` homes and pairs. Without `all`, homes and pairs of which nothing is
    /// on offer or under contract are left out.
    #[must_use]
    pub fn duplicates(self, all: bool, limit: usize) -> Duplicates {
        let (summaries, traits): (Vec<HomeSummary>, Vec<ListingTraits>) = self.listings.into_iter().unzip();
        let linked = link(&traits, &Rulings::default());
        let mut home_of: Vec<usize> = (0..traits.len()).collect();
        for home in &linked.homes {
            home.iter().for_each(|listing| home_of[*listing] = home[0]);
        }
        let is_open = |at: usize| summaries[at].days_on_market.is_some();
        let open = || (0..traits.len()).filter(|at| is_open(*at));
        let homes_open: BTreeSet<usize> = open().map(|at| home_of[at]).collect();
        let pair = |edge: &Edge| ListingPair::of(&traits[edge.pair.0].id, &traits[edge.pair.1].id, &edge.comparison);
        let shown = linked.homes.iter().filter(|home| all || home.iter().any(|at| is_open(*at)));
        let homes = shown.map(|home| {
            let mut edges: Vec<&Edge> =
                linked.edges.iter().filter(|edge| home.contains(&edge.pair.0) && home.contains(&edge.pair.1)).collect();
            edges.sort_by_key(|edge| -edge.comparison.weight);
            DuplicateHome {
                id: traits[home[0]].id.clone(),
                listings: home.iter().map(|at| summaries[*at].clone()).collect(),
                evidence: edges.into_iter().map(pair).collect(),
            }
        });
        let homes: Vec<DuplicateHome> = homes.collect();
        let is_doubtful = |edge: &&Edge| {
            let (a, b) = edge.pair;
            home_of[a] != home_of[b] && (all || is_open(a) || is_open(b))
        };
        let mut doubtful: Vec<&Edge> = linked.edges.iter().filter(is_doubtful).collect();
        doubtful.sort_by_key(|edge| -edge.comparison.weight);
        Duplicates {
            listings: traits.len(),
            listings_open: open().count(),
            homes_open: homes_open.len(),
            homes_found: homes.len(),
            doubtful_found: doubtful.len(),
            join_bits: f64::from(JOIN_WEIGHT) / 10.0,
            model: MODEL_VERSION,
            homes: homes.into_iter().take(limit).collect(),
            doubtful: doubtful.into_iter().take(limit).map(pair).collect(),
        }
    }
}

impl ListingPair {
    fn of(a: &HomeId, b: &HomeId, comparison: &Comparison) -> Self {
        let meanings = |speaks_for| {
            let wanted = comparison.findings.iter().filter(|finding| (finding.weight() >= 0) == speaks_for);
            wanted.map(|finding| finding.meaning()).collect()
        };
        Self {
            a: a.clone(),
            b: b.clone(),
            bits: f64::from(comparison.weight) / 10.0,
            findings: meanings(true),
            against: meanings(false),
            veto: comparison.veto.map(|veto| veto.meaning()),
        }
    }
}
