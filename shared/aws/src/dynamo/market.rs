//! Reads the states of markets, and caches their heads.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use aws_sdk_dynamodb::Client;
use stoop_domain::{Market, Time};
use stoop_market::Cells;
use stoop_pipeline::ports::{PortError, Versioned};

use super::attributes::{Item, text_of};
use super::batch::{get_all, pause};
use super::block::{BlockError, Chunks, chunks_of};
use super::head::{ARCHIVE_PREFIX, Head};

/// DynamoDB's limit for a partition key.
const KEY_BYTES_MAX: usize = 2_048;

/// How often a head is read again because a block that it names is missing. Each time another writer must have replaced
/// the block and deleted it before it was read.
pub(super) const READS_MAX: u32 = 6;

/// The most memory of the cached heads, in bytes.
const HEADS_BYTES_MAX: usize = 8 << 20;

/// Heads as last read or written, so that a commit needs no second read.
#[derive(Debug, Default)]
pub(super) struct Heads(Mutex<Remembered>);

#[derive(Debug, Default)]
struct Remembered {
    heads: HashMap<Market, Head>,
    bytes: usize,
}

impl Heads {
    /// The head of this version, if it is cached.
    pub(super) fn get(&self, market: &Market, version: u64) -> Option<Head> {
        self.with(|remembered| remembered.heads.get(market).filter(|head| head.version == version).cloned())
    }

    pub(super) fn put(&self, market: &Market, head: Head) {
        self.with(|remembered| {
            remembered.remove(market);
            if remembered.bytes + head.memory_bytes() > HEADS_BYTES_MAX {
                *remembered = Remembered::default();
            }
            remembered.bytes += head.memory_bytes();
            remembered.heads.insert(market.clone(), head);
        });
    }

    pub(super) fn remove(&self, market: &Market) {
        self.with(|remembered| remembered.remove(market));
    }

    fn with<T>(&self, act: impl FnOnce(&mut Remembered) -> T) -> T {
        // A panic while it was locked left nothing half done: entries are inserted and removed whole.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Remembered {
    fn remove(&mut self, market: &Market) {
        if let Some(head) = self.heads.remove(market) {
            self.bytes -= head.memory_bytes();
        }
    }
}

/// The heads of stored markets; others are omitted. No market may come twice.
pub(super) async fn read_heads(
    client: &Client,
    table: &str,
    markets: &[Market],
) -> Result<BTreeMap<Market, Head>, PortError> {
    let heads = read_dated_heads(client, table, markets).await?;
    Ok(heads.into_iter().map(|(market, (head, _))| (market, head)).collect())
}

/// Like [`read_heads`], each with the time of its commit.
pub(super) async fn read_dated_heads(
    client: &Client,
    table: &str,
    markets: &[Market],
) -> Result<BTreeMap<Market, (Head, Time)>, PortError> {
    if let Some(market) = markets.iter().find(|market| ARCHIVE_PREFIX.len() + market.to_string().len() > KEY_BYTES_MAX)
    {
        let limit = KEY_BYTES_MAX - ARCHIVE_PREFIX.len();
        let bytes = market.to_string().len();
        return Err(PortError::refused(
            format!("read the market {market} in the table {table}"),
            format!("its name has {bytes} bytes, at most {limit} fit into a key"),
        ));
    }
    let keys: Vec<Item> = markets.iter().map(Head::key).collect();
    let items = get_all(client, table, &keys, &[]).await?;
    let by_name: HashMap<String, &Market> = markets.iter().map(|market| (market.to_string(), market)).collect();
    let mut heads = BTreeMap::new();
    for item in &items {
        let damaged = |error| PortError::damaged(format!("read a head in the table {table}"), error);
        let name = text_of(item, "market").map_err(damaged)?;
        let damaged = |error| PortError::damaged(format!("read the head of {name} in the table {table}"), error);
        let head = Head::from_item(item).map_err(damaged)?;
        if let Some(market) = by_name.get(name) {
            let committed = text_of(item, "as_of").ok().and_then(|text| Time::parse(text).ok()).unwrap_or_default();
            heads.insert((*market).clone(), (head, committed));
        }
    }
    Ok(heads)
}

/// The states of stored markets; caches their heads in `remembered`. No market may come twice.
pub(super) async fn read_states(
    client: &Client,
    table: &str,
    markets: &[Market],
    remembered: &Heads,
) -> Result<BTreeMap<Market, Versioned<Cells>>, PortError> {
    let mut states = BTreeMap::new();
    let mut wanted = markets.to_vec();
    for read in 1.. {
        let heads = read_heads(client, table, &wanted).await?;
        let chunks = read_chunks(client, table, &heads).await?;
        wanted.clear();
        for (market, head) in heads {
            let what = || format!("read the market {market} in the table {table}");
            match base_of(&market, &head, &chunks) {
                Ok(base) => {
                    let value = head.state(base).map_err(|error| PortError::damaged(what(), error))?;
                    states.insert(market.clone(), Versioned { value, version: head.version });
                    remembered.put(&market, head);
                }
                Err(error) if read >= READS_MAX => return Err(PortError::damaged(what(), error)),
                Err(_) => wanted.push(market),
            }
        }
        if wanted.is_empty() {
            break;
        }
        pause(0).await;
    }
    Ok(states)
}

pub(super) async fn read_chunks(
    client: &Client,
    table: &str,
    heads: &BTreeMap<Market, Head>,
) -> Result<Chunks, PortError> {
    let bases = heads.iter().filter_map(|(market, head)| Some((market, head.base.as_ref()?)));
    let keys: Vec<Item> = bases.flat_map(|(market, base)| base.keys(&market.to_string())).collect();
    let items = get_all(client, table, &keys, &[]).await?;
    chunks_of(&items).map_err(|error| PortError::damaged(format!("read a chunk of a base in the table {table}"), error))
}

pub(super) fn base_of(market: &Market, head: &Head, chunks: &Chunks) -> Result<Cells, BlockError> {
    head.base.as_ref().map_or(Ok(Cells::default()), |base| base.find(&market.to_string(), chunks))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn market(i: usize) -> Market {
        format!("us/wa/king/-/{i}:sale:USD").parse().unwrap()
    }

    #[test]
    fn a_head_is_cached_by_its_version() {
        let heads = Heads::default();
        let head = Head { version: 3, ..Head::default() };
        heads.put(&market(1), head.clone());
        assert_eq!(heads.get(&market(1), 3), Some(head));
        assert_eq!(heads.get(&market(1), 4), None);
        assert_eq!(heads.get(&market(2), 3), None);
        heads.remove(&market(1));
        assert_eq!(heads.get(&market(1), 3), None);
    }

    #[test]
    fn the_cache_is_bounded() {
        let heads = Heads::default();
        let head = Head { version: 1, tail: vec![0; 64 << 10], ..Head::default() };
        for i in 0..1_000 {
            heads.put(&market(i % 400), head.clone());
            let (bytes, sum) =
                heads.with(|kept| (kept.bytes, kept.heads.values().map(Head::memory_bytes).sum::<usize>()));
            assert_eq!(bytes, sum);
            assert!(bytes <= HEADS_BYTES_MAX);
            assert!(heads.get(&market(i % 400), 1).is_some());
        }
    }
}
