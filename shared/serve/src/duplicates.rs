//! Which listings of an area are of one home, and its figures if each home counts once.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter};

use serde::Serialize;
use stoop_domain::{Home, HomeId, Market, Time};
use stoop_identity::{Edge, JOIN_WEIGHT, Linked, ListingTraits, MODEL_VERSION, PairRuling, PairRulings, link_ruled};
use stoop_market::Delta;
use stoop_pipeline::MergedListings;

use crate::home::HomeSummary;

/// The most listings that are compared at once: some three seconds and 420 MB, see `docs/PERFORMANCE.md`.
pub const COMPARED_LISTINGS_MAX: usize = 100_000;

/// The weight in bits from which two listings are joined, unless others of their homes speak against it.
#[must_use]
pub fn join_bits() -> f64 {
    f64::from(JOIN_WEIGHT) / 10.0
}

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
    /// Joins these listings by what they have in common and by what people ruled. A home for sale and for rent is still two: one
    /// in each market.
    #[must_use]
    pub fn of(listings: &[(HomeId, Home)], rulings: &PairRulings) -> Self {
        let found = MergedListings::of(listings, rulings, &BTreeSet::new());
        let (merged, doubtful) = (found.merged(), found.doubtful);
        let corrections = found.homes.into_iter().flat_map(|home| home.corrections).collect();
        Self { corrections, merged, doubtful }
    }
}

/// Which listings are of one home, by their positions.
struct JoinedHomes {
    linked: Linked,
    /// The first listing of each listing's home.
    home_of: Vec<usize>,
}

impl JoinedHomes {
    fn of(traits: &[ListingTraits], rulings: &PairRulings) -> Self {
        let linked = link_ruled(traits, rulings);
        let mut home_of: Vec<usize> = (0..traits.len()).collect();
        for home in &linked.homes {
            home.iter().for_each(|listing| home_of[*listing] = home[0]);
        }
        Self { linked, home_of }
    }

    fn is_joined(&self, edge: &Edge) -> bool {
        self.home_of[edge.pair.0] == self.home_of[edge.pair.1]
    }

    /// The pairs that are joined, by the first listing of their home.
    fn evidence(&self) -> BTreeMap<usize, Vec<&Edge>> {
        let mut evidence: BTreeMap<usize, Vec<&Edge>> = BTreeMap::new();
        for edge in self.linked.edges.iter().filter(|edge| self.is_joined(edge)) {
            evidence.entry(self.home_of[edge.pair.0]).or_default().push(edge);
        }
        evidence
    }

    /// The pairs that may be of one home, and are not joined.
    fn doubtful(&self) -> impl Iterator<Item = &Edge> {
        self.linked.edges.iter().filter(|edge| !self.is_joined(edge))
    }
}

/// The listings of an area, each with what is compared of it.
#[derive(Default)]
pub struct ComparedListings {
    listings: Vec<(HomeSummary, ListingTraits)>,
    rulings: PairRulings,
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
    /// How many addresses, places, sizes or headlines are of more listings than are compared with each other: alone they join
    /// none.
    pub blocks_too_large: usize,
    /// How many groups of listings that hang together are so large that only addresses join any of them.
    pub groups_too_large: usize,
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
    /// Whether a person ruled that they are one home, so that the bits do not count.
    pub ruled: bool,
}

impl ComparedListings {
    /// No listings yet, to be joined by these rulings as well.
    #[must_use]
    pub fn ruled_by(rulings: PairRulings) -> Self {
        Self { listings: Vec::new(), rulings }
    }

    /// Adds a listing. One that is in no market is left out. Returns how many there are.
    pub fn add(&mut self, id: HomeId, listing: &Home, now: Time) -> usize {
        let traits = ListingTraits::of(&id, listing);
        self.listings.extend(HomeSummary::of(id, listing, now, None).zip(traits));
        self.listings.len()
    }

    /// Finds those that are of one home; the first `limit` homes and pairs. Without `all`, homes and pairs of which nothing is
    /// on offer or under contract are left out.
    #[must_use]
    pub fn duplicates(self, all: bool, limit: usize) -> Duplicates {
        let Self { listings, rulings } = self;
        let (summaries, traits): (Vec<HomeSummary>, Vec<ListingTraits>) = listings.into_iter().unzip();
        let joined = JoinedHomes::of(&traits, &rulings);
        let is_open = |at: usize| summaries[at].days_on_market.is_some();
        let open = || (0..traits.len()).filter(|at| is_open(*at));
        let homes_open: BTreeSet<usize> = open().map(|at| joined.home_of[at]).collect();
        let is_shown = |home: &&Vec<usize>| all || home.iter().any(|at| is_open(*at));
        let homes: Vec<&Vec<usize>> = joined.linked.homes.iter().filter(is_shown).collect();
        let is_shown = |edge: &&Edge| all || is_open(edge.pair.0) || is_open(edge.pair.1);
        let doubtful = likeliest_first(joined.doubtful().filter(is_shown).collect());
        let mut evidence = joined.evidence();
        let mut home = |home: &Vec<usize>| DuplicateHome::of(home, &summaries, &mut evidence, &traits);
        Duplicates {
            listings: traits.len(),
            listings_open: open().count(),
            homes_open: homes_open.len(),
            homes_found: homes.len(),
            doubtful_found: doubtful.len(),
            blocks_too_large: joined.linked.void_blocks,
            groups_too_large: joined.linked.oversized,
            join_bits: join_bits(),
            model: MODEL_VERSION,
            homes: homes.into_iter().take(limit).map(&mut home).collect(),
            doubtful: pairs(doubtful.into_iter().take(limit), &traits),
        }
    }
}

impl DuplicateHome {
    fn of(
        home: &[usize],
        summaries: &[HomeSummary],
        evidence: &mut BTreeMap<usize, Vec<&Edge>>,
        traits: &[ListingTraits],
    ) -> Self {
        Self {
            id: traits[home[0]].id.clone(),
            listings: home.iter().map(|at| summaries[*at].clone()).collect(),
            evidence: pairs(likeliest_first(evidence.remove(&home[0]).unwrap_or_default()), traits),
        }
    }
}

impl DuplicateHome {
    /// The pairs that say why it is one home: the surest ones, one fewer than it has listings.
    #[must_use]
    pub fn surest(&self) -> &[ListingPair] {
        &self.evidence[..self.evidence.len().min(self.listings.len().saturating_sub(1))]
    }
}

/// Edges, the likeliest first.
pub(crate) fn likeliest_first(mut edges: Vec<&Edge>) -> Vec<&Edge> {
    edges.sort_by_key(|edge| -edge.comparison.strength());
    edges
}

/// These edges between listings with these traits.
pub(crate) fn pairs<'e>(edges: impl IntoIterator<Item = &'e Edge>, traits: &[ListingTraits]) -> Vec<ListingPair> {
    edges.into_iter().map(|edge| ListingPair::of(edge, traits)).collect()
}

impl ListingPair {
    pub(crate) fn of(edge: &Edge, traits: &[ListingTraits]) -> Self {
        let comparison = &edge.comparison;
        let meanings = |speaks_for| {
            let wanted = comparison.findings.iter().filter(|finding| (finding.weight() >= 0) == speaks_for);
            wanted.map(|finding| finding.meaning()).collect()
        };
        Self {
            a: traits[edge.pair.0].id.clone(),
            b: traits[edge.pair.1].id.clone(),
            bits: f64::from(comparison.weight) / 10.0,
            findings: meanings(true),
            against: meanings(false),
            ruled: comparison.ruling == Some(PairRuling::OneHome),
        }
    }
}

impl Display for ListingPair {
    /// `22.0 bits: same street and number of a house · same bedrooms · but: other prices`.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.ruled {
            f.write_str("ruled to be one home; ")?;
        }
        write!(f, "{:.1} bits: {}", self.bits, self.findings.join(" · "))?;
        match self.against.as_slice() {
            [] => Ok(()),
            against => write!(f, " · but: {}", against.join(" · ")),
        }
    }
}
