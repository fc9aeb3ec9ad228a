//! The home of one listing, without those of all others.

use std::collections::BTreeSet;

use super::{COMPONENT_MAX, Edge, Linker};
use crate::blocks::SortedBlocks;
use crate::compare::Comparison;
use crate::findings::{DOUBT_WEIGHT, JOIN_WEIGHT};
use crate::rulings::PairRulings;
use crate::traits::ListingTraits;

/// What [`link`](super::link) finds of one listing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinkedListing {
    /// The listings of its home, itself among them, as positions in order of their IDs; empty if it has no other.
    pub home: Vec<usize>,
    /// The edges between the listings of the home, and those from this listing to others, in order of the IDs.
    pub edges: Vec<Edge>,
}

/// Finds the home of the listing at this position. The result is that of [`link_ruled`](super::link_ruled) on the same listings, but only
/// what hangs together with this one is compared.
///
/// # Panics
/// If there is no listing at this position.
#[must_use]
pub fn link_one(listings: &[ListingTraits], of: usize, rulings: &PairRulings) -> LinkedListing {
    let search = LinkSearch { linker: Linker::new(listings, JOIN_WEIGHT, rulings), blocks: SortedBlocks::of(listings) };
    let joins = |edge: &Edge| edge.comparison.strength() >= JOIN_WEIGHT;
    let is_strong = |edge: &Edge| edge.comparison.is_strong();
    // In a component that is too large, only addresses with a unit, or of a house, join; if those still join too many, nothing.
    let component = search.component(of, joins).or_else(|| search.component(of, |edge| joins(edge) && is_strong(edge)));
    let mut rank = vec![0; listings.len()];
    let mut order: Vec<usize> = (0..listings.len()).collect();
    order.sort_unstable_by(|a, b| listings[*a].id.cmp(&listings[*b].id));
    order.iter().enumerate().for_each(|(at, listing)| rank[*listing] = at);
    let homes = search.linker.agglomerate(component.unwrap_or_default(), &rank);
    let home = homes.into_iter().find(|home| home.contains(&of)).unwrap_or_default();
    let mut edges = search.edges(of);
    for listing in home.iter().filter(|listing| **listing != of) {
        let inside = |edge: &Edge| {
            let other = if edge.pair.0 == *listing { edge.pair.1 } else { edge.pair.0 };
            other != of && listing < &other && home.contains(&other)
        };
        edges.extend(search.edges(*listing).into_iter().filter(inside));
    }
    edges.sort_unstable_by_key(|edge| (rank[edge.pair.0], rank[edge.pair.1]));
    LinkedListing { home, edges }
}

struct LinkSearch<'a> {
    linker: Linker<'a>,
    blocks: SortedBlocks,
}

impl LinkSearch<'_> {
    /// The pairs of this listing that speak for one home.
    fn edges(&self, of: usize) -> Vec<Edge> {
        let listings = self.linker.listings;
        let speaks = |other: usize| {
            let pair = if listings[of].id < listings[other].id { (of, other) } else { (other, of) };
            let comparison: Comparison = self.linker.compare(pair.0, pair.1);
            (comparison.veto.is_none() && comparison.strength() >= DOUBT_WEIGHT).then_some(Edge { pair, comparison })
        };
        let mut others: BTreeSet<usize> = self.blocks.beside(&listings[of], of).into_iter().collect();
        others.extend(self.linker.ruled_with(of));
        others.into_iter().filter_map(speaks).collect()
    }

    /// The listings that hang together with this one by such edges; `None` if they are more than [`COMPONENT_MAX`].
    fn component(&self, of: usize, is_such: impl Fn(&Edge) -> bool) -> Option<Vec<usize>> {
        let mut component = BTreeSet::from([of]);
        let mut unvisited = vec![of];
        while let Some(listing) = unvisited.pop() {
            for edge in self.edges(listing).iter().filter(|edge| is_such(edge)) {
                let other = if edge.pair.0 == listing { edge.pair.1 } else { edge.pair.0 };
                if component.insert(other) {
                    unvisited.push(other);
                }
            }
            if component.len() > COMPONENT_MAX {
                return None;
            }
        }
        Some(component.into_iter().collect())
    }
}
