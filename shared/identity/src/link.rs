//! Joins listings that are of one home.

mod agglomerate;
mod one;

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;
use stoop_domain::HomeId;

use crate::blocks::Blocks;
use crate::compare::{Common, Comparison};
use crate::findings::{DOUBT_WEIGHT, JOIN_WEIGHT};
use crate::rulings::{PairRuling, PairRulings};
use crate::traits::ListingTraits;

pub use one::{LinkedListing, link_one};

/// The most listings that are joined by all kinds of evidence. In a larger component only addresses with a unit, or of a
/// house, count.
pub const COMPONENT_MAX: usize = 32;

/// Coordinates, a headline or a day that more listings have do not tell homes apart.
const COMMON: usize = 16;

/// Two listings that share a block, and what comparing them found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The positions of the listings, the smaller first.
    pub pair: (usize, usize),
    pub comparison: Comparison,
}

/// Which listings are of one home.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Linked {
    /// The listings of each home that has more than one, as positions in order of their IDs; the homes in order of their
    /// first.
    pub homes: Vec<Vec<usize>>,
    /// The pairs that speak for one home: [`DOUBT_WEIGHT`] or more, without a veto.
    pub edges: Vec<Edge>,
    /// How many pairs were compared.
    pub compared: usize,
    /// How many blocks joined nothing because they were too large.
    pub void_blocks: usize,
    /// How many components were larger than [`COMPONENT_MAX`].
    pub oversized: usize,
}

/// Joins listings at the limit [`JOIN_WEIGHT`]. The result depends on their set alone, not on their order.
#[must_use]
pub fn link(listings: &[ListingTraits]) -> Linked {
    link_ruled(listings, &PairRulings::default())
}

/// Joins listings at another limit, to measure what it gains and loses.
#[must_use]
pub fn link_at(listings: &[ListingTraits], join_weight: i32) -> Linked {
    link_by(listings, join_weight, &PairRulings::default())
}

/// Joins listings at the limit [`JOIN_WEIGHT`] and by what people ruled. Listings that were ruled to be of one home are joined
/// first, with what agrees with any of them; but never two that were ruled to be of two. Rulings on other listings have no effect.
#[must_use]
pub fn link_ruled(listings: &[ListingTraits], rulings: &PairRulings) -> Linked {
    link_by(listings, JOIN_WEIGHT, rulings)
}

fn link_by(listings: &[ListingTraits], join_weight: i32, rulings: &PairRulings) -> Linked {
    let mut order: Vec<usize> = (0..listings.len()).collect();
    order.sort_unstable_by(|a, b| listings[*a].id.cmp(&listings[*b].id));
    let linker = Linker::new(listings, join_weight, rulings);
    let blocks = Blocks::of(listings);
    let mut pairs = blocks.pairs();
    if !linker.rulings.is_empty() {
        pairs.extend(linker.rulings.keys());
        pairs.sort_unstable();
        pairs.dedup();
    }
    let mut linked = Linked { compared: pairs.len(), void_blocks: blocks.void, ..Linked::default() };
    drop(blocks);
    let mut rank = vec![0; listings.len()];
    order.iter().enumerate().for_each(|(at, listing)| rank[*listing] = at);
    for (a, b) in pairs {
        let (a, b) = (a as usize, b as usize);
        let pair = if rank[a] < rank[b] { (a, b) } else { (b, a) };
        let comparison = linker.compare(pair.0, pair.1);
        if comparison.veto.is_none() && comparison.strength() >= DOUBT_WEIGHT.min(join_weight) {
            linked.edges.push(Edge { pair, comparison });
        }
    }
    linked.edges.sort_unstable_by_key(|edge| (rank[edge.pair.0], rank[edge.pair.1]));
    let joins = linked.edges.iter().filter(|edge| edge.comparison.strength() >= join_weight);
    for component in components(listings.len(), joins.clone().map(|edge| edge.pair)) {
        if component.len() <= COMPONENT_MAX {
            linked.homes.extend(linker.agglomerate(component, &rank));
            continue;
        }
        linked.oversized += 1;
        let strong = joins.clone().filter(|edge| edge.comparison.is_strong());
        let inside = strong.filter(|edge| component.binary_search(&edge.pair.0).is_ok()).map(|edge| edge.pair);
        let smaller = components(listings.len(), inside).into_iter().filter(|smaller| smaller.len() <= COMPONENT_MAX);
        linked.homes.extend(smaller.flat_map(|smaller| linker.agglomerate(smaller, &rank)));
    }
    linked.homes.sort_unstable_by_key(|home| home.first().map(|first| rank[*first]));
    linked
}

struct Linker<'a> {
    listings: &'a [ListingTraits],
    join_weight: i32,
    /// How many listings have exactly these coordinates.
    coordinates: FxHashMap<(i32, i32), usize>,
    /// How many listings have exactly these words in the headline.
    titles: FxHashMap<&'a [String], usize>,
    /// How many listings a source listed in an area on a day.
    listed: FxHashMap<(&'a str, &'a str, i64), usize>,
    /// The pairs on which a person ruled, as positions, the smaller first.
    rulings: FxHashMap<(u32, u32), PairRuling>,
}

impl<'a> Linker<'a> {
    fn new(listings: &'a [ListingTraits], join_weight: i32, rulings: &PairRulings) -> Self {
        let mut coordinates: FxHashMap<(i32, i32), usize> = FxHashMap::default();
        for at in listings.iter().filter_map(|listing| listing.coordinates) {
            *coordinates.entry(at).or_default() += 1;
        }
        let mut titles: FxHashMap<&[String], usize> = FxHashMap::default();
        let mut listed: FxHashMap<(&str, &str, i64), usize> = FxHashMap::default();
        for listing in listings {
            *titles.entry(&listing.title).or_default() += 1;
            *listed.entry(on_day(listing)).or_default() += 1;
        }
        Self { listings, join_weight, coordinates, titles, listed, rulings: positions(listings, rulings) }
    }

    fn compare(&self, a: usize, b: usize) -> Comparison {
        let (one, other) = (&self.listings[a], &self.listings[b]);
        let has_common_place = |listing: &ListingTraits| {
            listing.coordinates.and_then(|at| self.coordinates.get(&at)).is_some_and(|count| *count > COMMON)
        };
        let common = Common {
            coordinates: has_common_place(one) || has_common_place(other),
            listed: [one, other]
                .into_iter()
                .any(|it| self.listed.get(&on_day(it)).is_some_and(|count| *count > COMMON)),
            title: self.titles.get(one.title.as_slice()).is_some_and(|count| *count > COMMON),
        };
        let comparison = Comparison::of(one, other, common);
        #[expect(clippy::cast_possible_truncation, reason = "as in blocks")]
        let pair = (a.min(b) as u32, a.max(b) as u32);
        match self.rulings.get(&pair) {
            Some(ruling) => comparison.ruled(*ruling),
            None => comparison,
        }
    }

    /// The listings on which there is a ruling with this one.
    fn ruled_with(&self, of: usize) -> impl Iterator<Item = usize> {
        let pairs = self.rulings.keys().map(|(a, b)| (*a as usize, *b as usize));
        pairs.filter_map(move |(a, b)| if a == of { Some(b) } else { (b == of).then_some(a) })
    }
}

/// The rulings on pairs of these listings, by position.
fn positions(listings: &[ListingTraits], rulings: &PairRulings) -> FxHashMap<(u32, u32), PairRuling> {
    if rulings.is_empty() {
        return FxHashMap::default();
    }
    let at: FxHashMap<&HomeId, u32> = listings.iter().map(|listing| &listing.id).zip(0..).collect();
    let pair = |(a, b, ruling)| {
        let (a, b) = (*at.get(a)?, *at.get(b)?);
        Some(((a.min(b), a.max(b)), ruling))
    };
    rulings.iter().filter_map(pair).collect()
}

/// What a source listed together in an area.
fn on_day(listing: &ListingTraits) -> (&str, &str, i64) {
    (listing.source(), listing.area.as_str(), listing.listed.unwrap_or(i64::MIN))
}

/// The connected components of pairs, each sorted.
fn components(count: usize, pairs: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<usize>> {
    let mut parents: FxHashMap<usize, usize> = FxHashMap::default();
    fn root(parents: &mut FxHashMap<usize, usize>, of: usize) -> usize {
        let mut at = of;
        while let Some(parent) = parents.get(&at).copied().filter(|parent| *parent != at) {
            at = parent;
        }
        parents.insert(of, at);
        at
    }
    for (a, b) in pairs {
        let (a, b) = (root(&mut parents, a), root(&mut parents, b));
        parents.insert(a.max(b), a.min(b));
        parents.entry(a.min(b)).or_insert(a.min(b));
    }
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    let mut known: Vec<usize> = parents.keys().copied().filter(|at| *at < count).collect();
    known.sort_unstable();
    for at in known {
        let root = root(&mut parents, at);
        members.entry(root).or_default().push(at);
    }
    members.into_values().filter(|members| members.len() > 1).collect()
}

#[cfg(test)]
mod tests;
