//! The merged homes of a market: a block that its head names, as JSON.

use aws_sdk_dynamodb::Client;
use stoop_domain::Market;
use stoop_pipeline::ports::{FailureKind, MergedMarket, PortError};
use stoop_pipeline::with_causes;

use super::attributes::Item;
use super::batch::{get_all, pause};
use super::block::{Block, BlockError, BlockRef, chunks_of};
use super::head::{Head, merged_partition};
use super::market::{READS_MAX, read_heads};
use crate::chance::random;

/// The block of a market's merged homes, for a head of `version`; `None` if there are none.
pub(super) fn merged_block(merged: &MergedMarket, version: u64, market: &Market) -> Result<Option<Block>, PortError> {
    if merged.is_empty() {
        return Ok(None);
    }
    let what = || format!("write the merged homes of {market}");
    let content = serde_json::to_vec(merged).map_err(|error| PortError::refused(what(), error))?;
    Block::of_content(&content, version, random()).map(Some).map_err(|error| PortError::refused(what(), error))
}

/// The merged homes that a head names. The inner error may be caused by a concurrent writer.
pub(super) async fn read_merged(
    client: &Client,
    table: &str,
    market: &Market,
    head: &Head,
) -> Result<Result<MergedMarket, BlockError>, PortError> {
    let Some(block) = &head.merged else { return Ok(Ok(MergedMarket::default())) };
    let partition = merged_partition(market);
    let items: Vec<Item> = get_all(client, table, &block.keys(&partition), &[]).await?;
    let damaged = |error| PortError::damaged(format!("read the merged homes of {market} in the table {table}"), error);
    let chunks = chunks_of(&items).map_err(damaged)?;
    Ok(content_of(block, &block.in_order(&partition, &chunks)))
}

fn content_of(block: &BlockRef, chunks: &[Option<&[u8]>]) -> Result<MergedMarket, BlockError> {
    serde_json::from_slice(&block.content(chunks)?).map_err(|_| BlockError::Damaged(block.name.clone()))
}

/// The merged homes of a market as stored now; none of a market that is not stored.
pub(super) async fn read_merged_of(client: &Client, table: &str, market: &Market) -> Result<MergedMarket, PortError> {
    let mut reads = 0;
    loop {
        let head = read_heads(client, table, std::slice::from_ref(market)).await?.remove(market).unwrap_or_default();
        match read_merged(client, table, market, &head).await? {
            Ok(merged) => return Ok(merged),
            Err(error) if reads + 1 == READS_MAX => {
                let what = format!("read the merged homes of {market} in the table {table}");
                return Err(PortError::damaged(what, error));
            }
            Err(_) => reads += 1,
        }
        pause(0).await;
    }
}

/// The same for lists and alerts: what is damaged counts as none, and the log has it.
pub(super) async fn merged_if_readable(
    client: &Client,
    table: &str,
    market: &Market,
) -> Result<MergedMarket, PortError> {
    match read_merged_of(client, table, market).await {
        Err(error) if error.kind() == FailureKind::Damaged => {
            tracing::error!(%market, error = with_causes(&error), "each listing of this market is shown and judged by itself");
            Ok(MergedMarket::default())
        }
        read => read,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use stoop_domain::HomeId;
    use stoop_market::Cells;
    use stoop_pipeline::ports::{MergedHomeRecord, MergedOfCounty};

    use super::*;

    #[test]
    fn merged_homes_are_read_as_written_and_damage_is_named() {
        let market: Market = "us/wa/king/-/98101:sale:USD".parse().unwrap();
        assert!(merged_block(&MergedMarket::default(), 1, &market).unwrap().is_none());
        let [a, b] = ["a/1", "b/1"].map(|id| HomeId(id.into()));
        let home = MergedHomeRecord { id: a.clone(), listings: vec![a.clone(), b], speaker: Some(a) };
        let county = MergedOfCounty { changes: 3, homes: vec![home], corrections: Cells::default() };
        let merged = MergedMarket { counties: BTreeMap::from([("us/wa/king".to_owned(), county)]) };
        let block = merged_block(&merged, 7, &market).unwrap().unwrap();
        let chunks: Vec<Option<&[u8]>> = block.chunks().map(|(_, chunk)| Some(chunk)).collect();
        assert_eq!(content_of(&block.reference, &chunks), Ok(merged));
        for damaged in [&br#"{"us/wa/king":{"changes":1,"homes":[],"corrections":"0z"}}"#[..], b"{", b""] {
            let other = Block::of_content(damaged, 7, 1).unwrap();
            let chunks: Vec<Option<&[u8]>> = other.chunks().map(|(_, chunk)| Some(chunk)).collect();
            assert_eq!(content_of(&other.reference, &chunks), Err(BlockError::Damaged(other.reference.name.clone())));
        }
    }
}
