//! The head of a market: the part that every commit changes. Pure; [`super::market`] reads and writes it.

use aws_sdk_dynamodb::types::AttributeValue;
use stoop_domain::{Market, Time};
use stoop_market::{CATALOGUE_VERSION, Cells, CodecError};
use stoop_pipeline::ports::MarketChange;
use stoop_serve::{FiguresView, Sum};

use super::attributes::{Item, Malformed, bytes, bytes_of, item, native, number, number_of, text};
use super::block::{Block, BlockRef, unpack};

/// The prefix of the partition of a market's pieces; the market's name follows.
pub(super) const ARCHIVE_PREFIX: &str = "archive:";
/// The prefix of the partition of a market's merged homes. Not longer than the one above.
pub(super) const MERGED_PREFIX: &str = "merged:";

/// The `part` of a head.
pub(super) const HEAD: &str = "head";
/// The `kind` of a head, by which the index `heads` lists all markets.
pub(super) const KIND: &str = "market";
/// The attribute by which the index `changed` lists the markets to roll up. Every commit writes it; it is removed when
/// that version is in the sums of the areas above.
pub(super) const CHANGED: &str = "changed";
/// The partitions of that index: each takes a thousand writes a second.
pub(super) const CHANGED_PARTS: u8 = 4;
/// A tail of up to this many bytes never causes a new base: with the figures and the rest the head stays below 2 KB,
/// and DynamoDB bills whole kilobytes.
const TAIL_BYTES_FREE: u64 = 768;
/// The most bytes of a tail, however large its base is.
const TAIL_BYTES_MAX: u64 = 64 << 10;
/// Far more than a tail of that size unpacks to.
const TAIL_UNPACKED_MAX: u64 = 16 << 20;
const LEVEL: i32 = 3;
/// The attributes that name the base and the newest piece of the archive.
const BASE: &str = "base";
const ARCHIVE: &str = "archive";
/// The attribute that names its merged homes.
const MERGED: &str = "merged";

/// A head as stored; the default is that of a market that is not stored.
///
/// The state of the market is the base with the tail merged into it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Head {
    /// 0 if the market is not stored.
    pub(super) version: u64,
    /// The sum of everything added since the base was written: [`Cells::to_bytes`], compressed; empty if nothing was.
    pub(super) tail: Vec<u8>,
    /// Bytes billed for tails since the base was written; each tail counts twice, because it is in a transaction.
    pub(super) carried: u64,
    /// The state that the tail is added to; `None` means empty.
    pub(super) base: Option<BlockRef>,
    /// The newest piece of the archive; `None` if nothing was archived yet.
    pub(super) archive: Option<BlockRef>,
    /// The merged homes; `None` if there are none.
    pub(super) merged: Option<BlockRef>,
}

/// The result of a commit on a head.
#[derive(Debug)]
pub(super) struct HeadStep {
    pub(super) head: Head,
    /// A base to write before the head that names it.
    pub(super) base: Option<Block>,
}

/// Why a market's change cannot be stored.
#[derive(Debug, thiserror::Error)]
pub(super) enum StepError {
    #[error(transparent)]
    Tail(#[from] TailError),
    #[error("cannot compress")]
    Compress(#[from] std::io::Error),
}

/// A tail that cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum TailError {
    #[error("the tail is damaged")]
    Compressed(#[from] std::io::Error),
    #[error("the tail cannot be read")]
    Cells(#[from] CodecError),
}

impl Head {
    /// The head after `change` is applied to the state of this one, with the archive and the merged homes that it had. A new base is written
    /// only when carrying the tail has cost as much as that will: see ADR 0008.
    pub(super) fn step(&self, change: &MarketChange<'_>, nonce: u64) -> Result<HeadStep, StepError> {
        let version = self.version + 1;
        let mut tail = self.tail_cells()?;
        // Cells that leave the tail are in `archived`; the state does not need them.
        change.deltas.iter().for_each(|delta| drop(tail.add(delta)));
        change.fold_to.into_iter().for_each(|horizon| drop(tail.fold_to(horizon)));
        let tail = zstd::bulk::compress(&tail.to_bytes(), LEVEL)?;
        let (archive, merged) = (self.archive.clone(), self.merged.clone());
        let rest = Self { version, archive, merged, ..Self::default() };
        let tail_bytes = tail.len() as u64;
        let carried = self.carried + 2 * tail_bytes;
        if !is_worth_a_base(tail_bytes, carried, self.base.as_ref().map_or(0, |base| base.bytes)) {
            let head = Self { tail, carried, base: self.base.clone(), ..rest };
            return Ok(HeadStep { head, base: None });
        }
        let base = Block::of(change.new, version, nonce)?;
        let head = Self { base: Some(base.reference.clone()), ..rest };
        Ok(HeadStep { head, base: Some(base) })
    }

    /// The market's state, given the state of the base.
    pub(super) fn state(&self, mut base: Cells) -> Result<Cells, TailError> {
        base.merge(&self.tail_cells()?);
        Ok(base)
    }

    pub(super) fn tail_cells(&self) -> Result<Cells, TailError> {
        if self.tail.is_empty() {
            return Ok(Cells::default());
        }
        Ok(Cells::from_bytes(&unpack(&self.tail, TAIL_UNPACKED_MAX)?)?)
    }

    /// The key of a market's head.
    pub(super) fn key(market: &Market) -> Item {
        item([("market", text(market.to_string())), ("part", text(HEAD))])
    }

    /// The item to store, with the figures of the state at `now` as readable attributes.
    pub(super) fn to_item(&self, market: &Market, state: &Cells, now: Time) -> Item {
        let mut item = item([
            ("market", text(market.to_string())),
            ("part", text(HEAD)),
            ("kind", text(KIND)),
            ("version", number(self.version)),
            (CHANGED, text(changed_part(market).to_string())),
            ("tail", bytes(self.tail.clone())),
            ("carried", number(self.carried)),
            ("area", text(market.area.to_string())),
            ("purpose", text(market.purpose.as_str())),
            ("currency", text(market.currency.to_string())),
            ("catalogue_version", number(CATALOGUE_VERSION)),
            ("as_of", text(now.to_string())),
            ("figures", figures(market, state, now)),
        ]);
        for (block, name) in [(&self.base, BASE), (&self.archive, ARCHIVE), (&self.merged, MERGED)] {
            block.iter().for_each(|block| block.put_into(&mut item, name));
        }
        item
    }

    /// Reads what [`Head::to_item`] wrote.
    pub(super) fn from_item(item: &Item) -> Result<Self, Malformed> {
        let (base, archive) = (BlockRef::of_item(item, BASE)?, BlockRef::of_item(item, ARCHIVE)?);
        let (version, carried) = (number_of(item, "version")?, number_of(item, "carried")?);
        let merged = BlockRef::of_item(item, MERGED)?;
        Ok(Self { version, tail: bytes_of(item, "tail")?.to_vec(), carried, base, archive, merged })
    }

    /// Its approximate memory, in bytes.
    pub(super) fn memory_bytes(&self) -> usize {
        768 + self.tail.len()
    }
}

/// The partition of the index `changed` that lists a market.
fn changed_part(market: &Market) -> u8 {
    blake3::hash(market.to_string().as_bytes()).as_bytes()[0] % CHANGED_PARTS
}

/// Whether to write a new base. It costs its own bytes and those of the old one, as deleting is billed like writing.
/// The saving is unknown, so it is written when the same amount has been paid for carrying the tail.
fn is_worth_a_base(tail_bytes: u64, carried: u64, base_bytes: u64) -> bool {
    tail_bytes > TAIL_BYTES_MAX || (tail_bytes > TAIL_BYTES_FREE && carried > 2 * base_bytes.max(tail_bytes))
}

fn figures(market: &Market, state: &Cells, now: Time) -> AttributeValue {
    let country = market.area.country();
    let view = FiguresView::of(Sum::Whole(state), now, market.currency, country.area_unit, &country.zone);
    // Stock and flows only: all figures would make an item of two more kilobytes, which every commit pays for.
    native(&serde_json::to_value(view.without_values()).unwrap_or_default())
}

/// The partition of the pieces of a market's archive.
pub(super) fn archive_partition(market: &Market) -> String {
    format!("{ARCHIVE_PREFIX}{market}")
}

/// The partition of the merged homes of a market.
pub(super) fn merged_partition(market: &Market) -> String {
    format!("{MERGED_PREFIX}{market}")
}

#[cfg(test)]
mod tests;
