//! Joins the listings of a component, the surest pair of groups first.

use super::Linker;
use crate::compare::Comparison;
use crate::rulings::PairRuling;

/// What speaks for and against joining two groups.
#[derive(Clone, Copy, Default)]
struct Bond {
    /// Whether a person ruled that a pair between them is two homes.
    is_forbidden: bool,
    /// How many pairs between them have another veto.
    vetoes: u32,
    /// The weights of all other pairs.
    sum: i64,
    pairs: i64,
}

impl Bond {
    fn of(comparison: &Comparison) -> Self {
        match comparison.ruling {
            Some(PairRuling::TwoHomes) => Self { is_forbidden: true, ..Self::default() },
            _ if comparison.veto.is_some() => Self { vetoes: 1, ..Self::default() },
            _ => Self { sum: i64::from(comparison.weight), pairs: 1, ..Self::default() },
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            is_forbidden: self.is_forbidden || other.is_forbidden,
            vetoes: self.vetoes + other.vetoes,
            sum: self.sum + other.sum,
            pairs: self.pairs + other.pairs,
        }
    }

    /// The mean weight of the pairs; `None` if the groups must not be joined. Listings that a person ruled to be of one home
    /// need not agree, so with a group of these the vetoes of some pairs do not count, if others have none.
    fn mean(self, is_ruled: bool) -> Option<i64> {
        let is_vetoed = self.is_forbidden || self.vetoes > 0 && !is_ruled;
        (!is_vetoed && self.pairs > 0).then(|| self.sum / self.pairs)
    }
}

/// The groups of a component, and the bonds between them.
struct Groups {
    members: Vec<Vec<usize>>,
    /// Whether a ruling joined members of a group.
    is_ruled: Vec<bool>,
    bonds: Vec<Vec<Bond>>,
}

impl Groups {
    /// Each listing by itself.
    fn of(listings: &[usize], linker: &Linker<'_>) -> Self {
        let count = listings.len();
        let mut bonds = vec![vec![Bond::default(); count]; count];
        for a in 0..count {
            for b in a + 1..count {
                let bond = Bond::of(&linker.compare(listings[a], listings[b]));
                (bonds[a][b], bonds[b][a]) = (bond, bond);
            }
        }
        let members = listings.iter().map(|listing| vec![*listing]).collect();
        Self { members, is_ruled: vec![false; count], bonds }
    }

    /// Joins the group `b` to `a`, which is before it.
    fn join(&mut self, a: usize, b: usize) {
        let joined = self.members.remove(b);
        self.members[a].extend(joined);
        let is_ruled = self.is_ruled.remove(b);
        self.is_ruled[a] |= is_ruled;
        let of_b = self.bonds.remove(b);
        for (at, row) in self.bonds.iter_mut().enumerate() {
            let other = row.remove(b);
            if at != a {
                row[a] = row[a].and(other);
            }
        }
        let others = of_b.into_iter().enumerate().filter(|(at, _)| *at != b).map(|(_, bond)| bond);
        for (at, other) in others.enumerate().filter(|(at, _)| *at != a) {
            self.bonds[a][at] = self.bonds[a][at].and(other);
        }
    }

    /// Joins listings that a person ruled to be of one home, in order, unless that would join two that were ruled to be of two.
    fn join_ruled(&mut self, linker: &Linker<'_>, listings: &[usize]) {
        for (at, one) in listings.iter().enumerate() {
            for other in &listings[at + 1..] {
                if linker.compare(*one, *other).ruling != Some(PairRuling::OneHome) {
                    continue;
                }
                let group_of = |listing: &usize| self.members.iter().position(|group| group.contains(listing));
                let (Some(one), Some(other)) = (group_of(one), group_of(other)) else { continue };
                let (a, b) = (one.min(other), one.max(other));
                if a != b && !self.bonds[a][b].is_forbidden {
                    self.join(a, b);
                    self.is_ruled[a] = true;
                }
            }
        }
    }

    /// The two groups with the greatest mean weight, if that is enough to join them; of equal ones the first.
    fn surest(&self, join_weight: i32) -> Option<(usize, usize)> {
        let mut best: Option<(i64, usize, usize)> = None;
        for a in 0..self.members.len() {
            for b in a + 1..self.members.len() {
                let Some(mean) = self.bonds[a][b].mean(self.is_ruled[a] || self.is_ruled[b]) else { continue };
                if mean >= i64::from(join_weight) && best.is_none_or(|(known, ..)| mean > known) {
                    best = Some((mean, a, b));
                }
            }
        }
        best.map(|(_, a, b)| (a, b))
    }
}

impl Linker<'_> {
    /// Joins the listings of a component: those that were ruled to be of one home, then the surest groups, as long as the mean
    /// weight between two of them reaches the limit and no pair between them has a veto that counts. Returns the groups of more
    /// than one, each in the order of `rank`.
    pub(super) fn agglomerate(&self, mut component: Vec<usize>, rank: &[usize]) -> Vec<Vec<usize>> {
        component.sort_unstable_by_key(|listing| rank[*listing]);
        let mut groups = Groups::of(&component, self);
        if !self.rulings.is_empty() {
            groups.join_ruled(self, &component);
        }
        while let Some((a, b)) = groups.surest(self.join_weight) {
            groups.join(a, b);
        }
        let mut joined: Vec<Vec<usize>> = groups.members.into_iter().filter(|group| group.len() > 1).collect();
        joined.iter_mut().for_each(|group| group.sort_unstable_by_key(|listing| rank[*listing]));
        joined
    }
}
