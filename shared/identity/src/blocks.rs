//! Blocks: listings are compared only if they share one.

use rustc_hash::FxHashMap;
use std::hash::{Hash, Hasher};

use crate::traits::ListingTraits;

/// A block that has more listings than this joins none: its key does not tell homes apart. It stays so for good.
pub const BLOCK_MAX: usize = 64;

/// The side of a cell of coordinates, in millionths of a degree of latitude: 250 m.
const CELL: i32 = 2_250;

/// What listings of one home have in common, as a number: a hash of a text that names the kind of the block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BlockKey(u64);

impl BlockKey {
    fn of(parts: impl Hash) -> Self {
        let mut hasher = rustc_hash::FxHasher::default();
        parts.hash(&mut hasher);
        Self(hasher.finish())
    }
}

/// The blocks of a listing: those of its address, of its coordinates, of its size and its first price in its quarter, and of
/// its headline.
#[must_use]
pub fn block_keys(listing: &ListingTraits) -> Vec<BlockKey> {
    let mut keys = Vec::with_capacity(12);
    let area = listing.area.as_str();
    let city = match listing.area.levels() {
        [_, _, _, "-", _] => area,
        [.., quarter] => area.strip_suffix(quarter).unwrap_or(area),
    };
    if let Some(street) = &listing.street
        && let Some(number) = &street.number
    {
        // "12-14" shares the block of 12.
        let first = number.split('-').next().unwrap_or(number);
        keys.push(BlockKey::of(("address", city, &street.name, first)));
        // The name may be misspelt.
        let bedrooms = listing.bedrooms.filter(|_| street.unit.is_none());
        keys.push(BlockKey::of(("number", area, first, &street.unit, bedrooms)));
    }
    if let Some((latitude, longitude)) = listing.coordinates {
        // Cells of two grids, so that no border divides what is close.
        for (row, column) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let at = |degrees: i32, half: i32, side: i32| (degrees + half * side / 2).div_euclid(side);
            let cell = (at(latitude, row, CELL), at(longitude, column, CELL * 4 / 3));
            keys.push(BlockKey::of(("cell", (row, column), cell, listing.bedrooms)));
        }
    }
    if let Some(living_area) = listing.living_area {
        for half in [0, 1] {
            keys.push(BlockKey::of((
                "quarter",
                area,
                listing.purpose,
                listing.bedrooms,
                half,
                area_step(living_area, half),
            )));
        }
    }
    if let Some(price) = listing.first_price {
        keys.push(BlockKey::of(("price", area, listing.purpose, listing.bedrooms, price)));
    }
    if listing.title.len() >= 3 {
        keys.push(BlockKey::of(("title", city, &listing.title)));
    }
    keys
}

/// The step of an area on a ladder of steps of 3 to 6 %; `half` shifts it by half a step.
fn area_step(hundredths: u64, half: u64) -> u64 {
    // Each doubling has 32 linear steps. Two of them are one here.
    let hundredths = hundredths.max(64);
    let doublings = hundredths.ilog2();
    let part = (hundredths >> (doublings - 5)) & 31;
    (u64::from(doublings) * 32 + part + half) / 2
}

/// The listings of each block, without those of blocks that are too large.
pub(crate) struct Blocks {
    members: FxHashMap<BlockKey, Vec<u32>>,
    /// How many blocks are too large.
    pub(crate) void: usize,
}

impl Blocks {
    /// The blocks of listings, by their positions.
    pub(crate) fn of(listings: &[ListingTraits]) -> Self {
        let mut members: FxHashMap<BlockKey, Vec<u32>> = FxHashMap::default();
        for (at, listing) in (0_u32..).zip(listings) {
            for key in block_keys(listing) {
                members.entry(key).or_default().push(at);
            }
        }
        let void = members.values().filter(|members| members.len() > BLOCK_MAX).count();
        members.retain(|_, members| (2..=BLOCK_MAX).contains(&members.len()));
        Self { members, void }
    }

    /// The pairs of listings that share a block, each once, in order.
    pub(crate) fn pairs(&self) -> Vec<(u32, u32)> {
        let mut pairs = Vec::new();
        for members in self.members.values() {
            for (at, one) in members.iter().enumerate() {
                pairs.extend(
                    members[at + 1..]
                        .iter()
                        .filter(|other| *other != one)
                        .map(|other| (*one.min(other), *one.max(other))),
                );
            }
        }
        pairs.sort_unstable();
        pairs.dedup();
        pairs
    }
}

/// The blocks of all listings, to find those beside a few of them.
pub(crate) struct SortedBlocks {
    /// Each block with each of its listings, in order.
    members: Vec<(BlockKey, u32)>,
}

impl SortedBlocks {
    /// The blocks of listings, by their positions.
    pub(crate) fn of(listings: &[ListingTraits]) -> Self {
        let mut members = Vec::with_capacity(listings.len() * 12);
        for (at, listing) in (0_u32..).zip(listings) {
            members.extend(block_keys(listing).into_iter().map(|key| (key, at)));
        }
        members.sort_unstable();
        Self { members }
    }

    /// The listings that share a block with this one, each once, in order; `at` is its position.
    pub(crate) fn beside(&self, listing: &ListingTraits, at: usize) -> Vec<usize> {
        let mut found = Vec::new();
        for key in block_keys(listing) {
            let from = self.members.partition_point(|(other, _)| *other < key);
            let block = self.members[from..].iter().take_while(|(other, _)| *other == key);
            let block: Vec<usize> = block.take(BLOCK_MAX + 1).map(|(_, at)| *at as usize).collect();
            if block.len() <= BLOCK_MAX {
                found.extend(block.into_iter().filter(|other| *other != at));
            }
        }
        found.sort_unstable();
        found.dedup();
        found
    }
}
