//! The archive of a market: the sum of the cells that were folded out of its state.
//!
//! It is stored in blocks called pieces. The head names the newest piece and each piece the one before it; the archive
//! is the sum of that chain. A piece is written before the transaction whose head names it, under a name unique to the
//! attempt, and never changes. So a head names exactly what was archived up to its version, even with concurrent
//! writers.

use std::ops::Range;

use aws_sdk_dynamodb::Client;
use stoop_domain::Market;
use stoop_market::Cells;
use stoop_pipeline::ports::{CommitError, PortError};

use super::attributes::Item;
use super::batch::{get_all, pause};
use super::block::{Block, BlockError, BlockRef, chunks_of};
use super::head::{Head, archive_partition};
use super::market::{READS_MAX, read_heads};
use crate::chance::random;

/// The attribute of a piece that names the one before it.
const PREVIOUS: &str = "previous";
/// A piece of this many bytes is not extended. So old years are not rewritten again and again, and extending needs
/// little memory.
const PIECE_BYTES_FULL: u64 = 1 << 20;

/// A piece to write before the head that names it.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) block: Block,
    /// The piece before it.
    previous: Option<BlockRef>,
    /// Whether it merges older pieces, which are obsolete once the head names this one.
    merges: bool,
}

impl Piece {
    /// The piece that lets a head after `old` include `archived`.
    pub(super) async fn of(
        client: &Client,
        table: &str,
        market: &Market,
        old: &Head,
        archived: &Cells,
    ) -> Result<Self, CommitError> {
        let what = || format!("add to the archive of {market} in the table {table}");
        let (mut sum, mut previous, mut merges) = (archived.clone(), old.archive.clone(), false);
        loop {
            let block =
                Block::of(&sum, old.version + 1, random()).map_err(|error| PortError::refused(what(), error))?;
            let Some(before) = previous.take_if(|before| is_to_be_merged(before.bytes, block.reference.bytes)) else {
                return Ok(Self { block, previous, merges });
            };
            match read_piece(client, table, market, &before).await? {
                Ok((cells, before)) => {
                    sum.merge(&cells);
                    (previous, merges) = (before, true);
                }
                Err(error) => {
                    // A faster writer may have deleted it.
                    let now = read_heads(client, table, std::slice::from_ref(market)).await?;
                    if now.get(market).is_none_or(|head| head.version != old.version) {
                        return Err(CommitError::Conflict);
                    }
                    return Err(PortError::damaged(what(), error).into());
                }
            }
        }
    }

    /// The items of its chunks.
    pub(super) fn items(&self, market: &Market) -> Vec<Item> {
        let mut items = self.block.items(&archive_partition(market));
        if let (Some(first), Some(previous)) = (items.first_mut(), &self.previous) {
            previous.put_into(first, PREVIOUS);
        }
        items
    }

    /// The versions of the pieces that it merges, if any. No head that names this piece or comes after it names a block
    /// of these versions.
    pub(super) fn replaces(&self) -> Option<Range<u64>> {
        let from = self.previous.as_ref().map_or(Some(0), |previous| Some(previous.version()? + 1))?;
        self.merges.then_some(from..self.block.reference.version()?)
    }
}

/// Whether a piece is merged into the next one. Each byte is then rewritten only when its piece has grown by half, some
/// ten times in all, and pieces stay few.
fn is_to_be_merged(before_bytes: u64, bytes: u64) -> bool {
    before_bytes < PIECE_BYTES_FULL && before_bytes <= 2 * bytes
}

/// The archive of a market; empty if there is none. It belongs to one head: if a piece is missing, another writer has
/// replaced it, and the head is read again.
pub(super) async fn read_archive(client: &Client, table: &str, market: &Market) -> Result<Cells, PortError> {
    let mut reads = 0;
    loop {
        let head = read_heads(client, table, std::slice::from_ref(market)).await?.remove(market);
        match sum_of(client, table, market, head.and_then(|head| head.archive)).await? {
            Ok(sum) => return Ok(sum),
            Err(error) if reads + 1 == READS_MAX => {
                return Err(PortError::damaged(format!("read the archive of {market} in the table {table}"), error));
            }
            Err(_) => reads += 1,
        }
        pause(0).await;
    }
}

pub(super) async fn sum_of(
    client: &Client,
    table: &str,
    market: &Market,
    mut next: Option<BlockRef>,
) -> Result<Result<Cells, BlockError>, PortError> {
    let mut sum = Cells::default();
    while let Some(piece) = next {
        match read_piece(client, table, market, &piece).await? {
            Ok((cells, previous)) => {
                sum.merge(&cells);
                next = previous;
            }
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Ok(sum))
}

/// A piece, and the name of the one before it. The inner error may be caused by a concurrent writer.
async fn read_piece(
    client: &Client,
    table: &str,
    market: &Market,
    piece: &BlockRef,
) -> Result<Result<(Cells, Option<BlockRef>), BlockError>, PortError> {
    let partition = archive_partition(market);
    let items = get_all(client, table, &piece.keys(&partition), &[]).await?;
    let failed = |error| PortError::damaged(format!("read the archive of {market} in the table {table}"), error);
    let mut previous = None;
    for item in &items {
        previous = previous.or(BlockRef::of_item(item, PREVIOUS).map_err(failed)?);
    }
    let chunks = chunks_of(&items).map_err(failed)?;
    Ok(piece.find(&partition, &chunks).map(|cells| (cells, previous)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dynamo::attributes::text_of;

    fn block(version: u64) -> Block {
        Block::of(&Cells::default(), version, version).unwrap()
    }

    #[test]
    fn a_piece_names_the_one_before_it() {
        let market: Market = "ma/-/-/agadir/-:sale:MAD".parse().unwrap();
        let before = block(3).reference;
        let items = |previous| Piece { block: block(7), previous, merges: false }.items(&market);
        let item = items(Some(before.clone())).remove(0);
        assert_eq!(text_of(&item, "market"), Ok("archive:ma/-/-/agadir/-:sale:MAD"));
        assert_eq!(BlockRef::of_item(&item, PREVIOUS), Ok(Some(before)));
        assert_eq!(BlockRef::of_item(&items(None)[0], PREVIOUS), Ok(None));
    }

    #[test]
    fn what_a_piece_replaces_lies_between_it_and_the_one_before_it() {
        let piece = |previous: Option<u64>, merges| {
            let previous = previous.map(|version| block(version).reference);
            Piece { block: block(7), previous, merges }.replaces()
        };
        assert_eq!(piece(Some(3), true), Some(4..7));
        assert_eq!(piece(None, true), Some(0..7));
        assert_eq!(piece(Some(3), false), None);
    }

    /// Write units of `commits` commits that archive `bytes_of` bytes each, and how often each byte is written.
    /// Deleting is billed like writing.
    fn cost(commits: u64, bytes_of: impl Fn(u64) -> u64) -> (u64, u64) {
        let (mut pieces, mut message, mut written, mut units): (Vec<u64>, u64, u64, u64) = (Vec::new(), 0, 0, 0);
        for commit in 0..commits {
            let mut bytes = bytes_of(commit);
            message += bytes;
            while let Some(before) = pieces.pop_if(|before| is_to_be_merged(*before, bytes)) {
                bytes += before;
                units += before.div_ceil(1_024);
            }
            written += bytes;
            units += bytes.div_ceil(1_024);
            pieces.push(bytes);
            let full = pieces.iter().filter(|bytes| **bytes >= PIECE_BYTES_FULL).count();
            assert!(pieces.len() <= full + 10, "{pieces:?}");
        }
        assert!(pieces.iter().all(|bytes| *bytes < 3 * PIECE_BYTES_FULL), "{pieces:?}");
        assert_eq!(pieces.iter().sum::<u64>(), message);
        (units.div_ceil(commits), written.div_ceil(message))
    }

    /// Checks the figures of ADR 0029.
    #[test]
    fn pieces_are_few_and_seldom_written_again() {
        assert_eq!(cost(40_000, |_| 200), (5, 9));
        let (_, times) = cost(40_000, |i| if i % 100 == 0 { 40_000 } else { 60 + i % 7 * 40 });
        assert!(times < 6, "{times}");
    }
}
