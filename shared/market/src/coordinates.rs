//! The coordinates of a state that are not zero, in the order of their keys.

use std::collections::{BTreeMap, btree_map};
use std::fmt;

use crate::key::Key;

/// Coordinates in order: as a list, which is quickly read, walked and freed, and as a tree once single ones come and go.
#[derive(Clone)]
pub(crate) enum Coordinates {
    Sorted(Vec<(Key, i64)>),
    Tree(BTreeMap<Key, i64>),
}

/// Walks over coordinates in order.
pub(crate) enum Iter<'c> {
    Sorted(std::slice::Iter<'c, (Key, i64)>),
    Tree(btree_map::Iter<'c, Key, i64>),
}

impl Coordinates {
    /// Those of a list. It should be in order, each key once; of a key that is there twice, the last one counts.
    pub(crate) fn of(list: Vec<(Key, i64)>) -> Self {
        if list.is_sorted_by(|(a, _), (b, _)| a < b) {
            Self::Sorted(list)
        } else {
            Self::Tree(list.into_iter().collect())
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Sorted(list) => list.len(),
            Self::Tree(tree) => tree.len(),
        }
    }

    /// Whether adding to a coordinate that is not there is cheap.
    pub(crate) fn is_tree(&self) -> bool {
        matches!(self, Self::Tree(_))
    }

    /// The coordinate at a key; 0 without one.
    pub(crate) fn get(&self, key: Key) -> i64 {
        match self {
            Self::Sorted(list) => list.binary_search_by_key(&key, |(key, _)| *key).map_or(0, |at| list[at].1),
            Self::Tree(tree) => tree.get(&key).copied().unwrap_or(0),
        }
    }

    pub(crate) fn iter(&self) -> Iter<'_> {
        match self {
            Self::Sorted(list) => Iter::Sorted(list.iter()),
            Self::Tree(tree) => Iter::Tree(tree.iter()),
        }
    }

    /// Those from a key on.
    pub(crate) fn from(&self, key: Key) -> impl Iterator<Item = (Key, i64)> + '_ {
        let (list, tree) = match self {
            Self::Sorted(list) => (Some(&list[list.partition_point(|(known, _)| *known < key)..]), None),
            Self::Tree(tree) => (None, Some(tree.range(key..))),
        };
        let list = list.into_iter().flatten().copied();
        list.chain(tree.into_iter().flatten().map(|(key, value)| (*key, *value)))
    }

    pub(crate) fn into_list(self) -> Vec<(Key, i64)> {
        match self {
            Self::Sorted(list) => list,
            Self::Tree(tree) => tree.into_iter().collect(),
        }
    }

    pub(crate) fn retain(&mut self, keeps: impl Fn(Key) -> bool) {
        match self {
            Self::Sorted(list) => list.retain(|(key, _)| keeps(*key)),
            Self::Tree(tree) => tree.retain(|key, _| keeps(*key)),
        }
    }

    /// Adds to a coordinate. Sums wrap at 64 bits, and a coordinate that becomes zero is removed.
    pub(crate) fn add(&mut self, key: Key, value: i64) {
        if let Self::Sorted(list) = self {
            match list.binary_search_by_key(&key, |(key, _)| *key) {
                Ok(at) if list[at].1.wrapping_add(value) != 0 => {
                    list[at].1 = list[at].1.wrapping_add(value);
                    return;
                }
                Err(at) if at == list.len() => {
                    list.extend((value != 0).then_some((key, value)));
                    return;
                }
                _ if value == 0 => return,
                _ => *self = Self::Tree(std::mem::take(list).into_iter().collect()),
            }
        }
        let Self::Tree(tree) = self else { return };
        match tree.entry(key) {
            btree_map::Entry::Vacant(slot) => {
                if value != 0 {
                    slot.insert(value);
                }
            }
            btree_map::Entry::Occupied(mut slot) => {
                let sum = slot.get().wrapping_add(value);
                if sum == 0 {
                    slot.remove();
                } else {
                    slot.insert(sum);
                }
            }
        }
    }
}

impl Default for Coordinates {
    fn default() -> Self {
        Self::Sorted(Vec::new())
    }
}

impl PartialEq for Coordinates {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Coordinates {}

impl fmt::Debug for Coordinates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Iterator for Iter<'_> {
    type Item = (Key, i64);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Sorted(list) => list.next().copied(),
            Self::Tree(tree) => tree.next().map(|(key, value)| (*key, *value)),
        }
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        match self {
            Self::Sorted(list) => list.size_hint(),
            Self::Tree(tree) => tree.size_hint(),
        }
    }
}

impl ExactSizeIterator for Iter<'_> {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Few keys and values, so that coordinates meet and cancel.
    fn entry() -> impl Strategy<Value = (Key, i64)> {
        (0_u64..12).prop_flat_map(|key| (Just(Key(key)), -2_i64..=2))
    }

    proptest! {
        #[test]
        fn a_list_and_a_tree_are_as_a_map(
            known in prop::collection::btree_map((0_u64..12).prop_map(Key), 1_i64..=2, 0..8),
            added in prop::collection::vec(entry(), 0..12),
            from in 0_u64..13,
            dropped in 0_u64..12,
        ) {
            let mut map = known.clone();
            let mut coordinates = Coordinates::of(known.into_iter().collect());
            for (key, value) in added {
                *map.entry(key).or_default() += value;
                map.retain(|_, sum| *sum != 0);
                coordinates.add(key, value);
                prop_assert_eq!(coordinates.get(key), map.get(&key).copied().unwrap_or(0));
            }
            let (from, dropped) = (Key(from), Key(dropped));
            let pairs = |map: &BTreeMap<Key, i64>| map.iter().map(|(key, value)| (*key, *value)).collect::<Vec<_>>();
            prop_assert_eq!(coordinates.len(), map.len());
            prop_assert_eq!(coordinates.from(from).collect::<Vec<_>>(), pairs(&map.split_off(&from)));
            let mut map: BTreeMap<Key, i64> = coordinates.iter().collect();
            coordinates.retain(|key| key != dropped);
            map.remove(&dropped);
            prop_assert_eq!(coordinates.into_list(), pairs(&map));
        }
    }

    #[test]
    fn lists_out_of_order_are_sorted() {
        let [one, two] = [Key(1), Key(2)];
        assert_eq!(Coordinates::of(vec![(two, 2), (one, 1)]).into_list(), [(one, 1), (two, 2)]);
        assert_eq!(Coordinates::of(vec![(one, 1), (one, 3)]).into_list(), [(one, 3)]);
    }
}
