//! What people ruled on pairs of listings.

use std::collections::BTreeMap;

use stoop_domain::HomeId;

/// What a person ruled on two listings.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PairRuling {
    /// They are of one home, whatever speaks against it.
    OneHome,
    /// They are of two homes, whatever speaks for one.
    TwoHomes,
}

/// The rulings on pairs of listings; at most one on each pair.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PairRulings {
    pairs: BTreeMap<(HomeId, HomeId), PairRuling>,
}

impl PairRulings {
    /// Adds a ruling, in place of an earlier one on the same pair. A listing with itself is no pair.
    pub fn rule(&mut self, a: HomeId, b: HomeId, ruling: PairRuling) {
        if a != b {
            self.pairs.insert(if a < b { (a, b) } else { (b, a) }, ruling);
        }
    }

    /// The pairs with their rulings, in order; the smaller ID of each pair first.
    pub fn iter(&self) -> impl Iterator<Item = (&HomeId, &HomeId, PairRuling)> {
        self.pairs.iter().map(|((a, b), ruling)| (a, b, *ruling))
    }

    /// How many pairs have one.
    #[must_use]
    pub fn len(&self) -> usize {
        self.pairs.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }
}
