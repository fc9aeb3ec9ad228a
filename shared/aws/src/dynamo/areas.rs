//! Wide areas: their sums are objects in the bucket; an index of the markets table lists the markets not yet in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use stoop_domain::{Day, Market, ParseMarketError, Time, lies_in};
use stoop_market::{Cells, Wide};
use stoop_pipeline::ports::{PortError, RollUps, ShownWide, StoredSum, VisitWide, WholeMarket, WideAreas};
use stoop_pipeline::{AreaSum, DaysCovered, SumError, Total, WideArea, WideLevel};

use super::archive::sum_of;
use super::attributes::{number, text, text_of};
use super::batch::{REQUESTS_MAX, pause};
use super::head::{CHANGED, CHANGED_PARTS, Head, KIND};
use super::market::{READS_MAX, base_of, read_chunks, read_dated_heads};
use crate::concurrently::concurrently;
use crate::error::failed;
use crate::s3::{Got, Objects, Put, PutOutcome, When, key_part};

const PREFIX: &str = "rollups/";
/// A key may have 1,024 bytes, and the name of a table at most 255.
const PATH_BYTES_MAX: usize = 640;
const SUM_BYTES_MAX: usize = 256 << 20;
/// Bytes of a sum to read first: the displayed part is at its beginning.
const BEGINNING_BYTES: u64 = 1 << 20;
/// A version is the time up to which everything is included. A sum that was never complete counts from 1, long before
/// the year 2020.
const WHOLE_SINCE_MS: u64 = 1_577_836_800_000;
/// Sums in memory at once: those of large counties have a few megabytes.
const SUMS_AT_ONCE: usize = 4;

/// The sums of the wide areas of one markets table.
///
/// Each is one object, `rollups/<table>/us/wa/king/sale-USD.sum`, and is replaced only if it is still the one that was
/// read (`If-Match`). If the response to a write is lost, the SDK sends it again and S3 refuses it because of the first
/// attempt; the caller then reads it again and finds it done. The table is part of the key, so that generations stay
/// separate ([ADR 0040](../../../../docs/adr/0040-generations-on-aws.md)); the sums of a deleted table expire.
#[derive(Clone)]
pub struct StackAreas {
    client: Client,
    table: String,
    objects: Objects,
}

impl StackAreas {
    /// The areas of this markets table, with their sums in this bucket.
    #[must_use]
    pub fn new(dynamodb: Client, s3: aws_sdk_s3::Client, markets_table: impl Into<String>, bucket: &str) -> Self {
        Self { client: dynamodb, table: markets_table.into(), objects: Objects::new(s3, bucket) }
    }

    /// The key of an area's sum.
    ///
    /// # Errors
    ///
    /// The table's name does not fit into a key.
    pub fn key(&self, area: &WideArea) -> Result<String, PortError> {
        let path = area.path().split('/').map(key_part).collect::<Result<Vec<String>, PortError>>();
        let path = path.map(|levels| levels.join("/")).ok().filter(|path| path.len() <= PATH_BYTES_MAX);
        // `!` cannot collide with a name: an escape has two digits.
        let path = path.unwrap_or_else(|| format!("!{}", blake3::hash(area.path().as_bytes()).to_hex()));
        let (purpose, currency) = (area.id().purpose.as_str(), area.id().currency);
        Ok(format!("{}{path}/{purpose}-{currency}.sum", self.prefix()?))
    }

    fn prefix(&self) -> Result<String, PortError> {
        Ok(format!("{PREFIX}{}/", key_part(&self.table)?))
    }

    /// The keys of all sums of this table, in order. A key does not always show its area; [`StackAreas::key`] maps
    /// areas to keys.
    ///
    /// # Errors
    ///
    /// They cannot be listed.
    pub async fn keys(&self) -> Result<Vec<String>, PortError> {
        let listed = self.objects.list(&self.prefix()?, false, usize::MAX).await?;
        Ok(listed.into_iter().map(|object| object.key).collect())
    }

    /// An area's sum as stored, or what is wrong with its bytes; `None` if there is none.
    ///
    /// # Errors
    ///
    /// It cannot be read.
    pub async fn stored(&self, area: &WideArea) -> Result<Option<Result<AreaSum, SumError>>, PortError> {
        Ok(self.read(area).await?.map(|(sum, _)| sum))
    }

    async fn read(&self, area: &WideArea) -> Result<Option<(Result<AreaSum, SumError>, String)>, PortError> {
        let Got::Object { etag, body } = self.objects.get(&self.key(area)?, None, SUM_BYTES_MAX).await? else {
            return Ok(None);
        };
        Ok(Some((AreaSum::from_bytes(&body), etag)))
    }

    /// Markets to be rolled up whose names begin with this.
    async fn waiting(&self, begins: &str) -> Result<Vec<Market>, PortError> {
        let part = |part: u8| listed(self.client.clone(), self.table.clone(), Index::Changed(part), begins.to_owned());
        let parts: Vec<_> = (0..CHANGED_PARTS).map(part).collect();
        let mut markets: Vec<Market> = concurrently(REQUESTS_MAX, parts).await?.into_iter().flatten().collect();
        markets.sort_unstable();
        Ok(markets)
    }

    async fn shown(
        &self,
        area: &WideArea,
        markets: usize,
        now: Time,
        with_series: bool,
    ) -> Result<Option<ShownWide>, PortError> {
        // Read the waiting markets first: a market that is rolled up before the sum is read is then in it, and only
        // reported as missing.
        let waiting = self.waiting(&format!("{}/", area.path())).await?;
        let total = self.total(area, with_series).await?;
        let waiting = waiting.iter().filter(|market| is_of(area, market)).count();
        Ok(total.and_then(|total| shown(total, area, markets, waiting, now)))
    }

    async fn total(&self, area: &WideArea, with_series: bool) -> Result<Option<Total>, PortError> {
        let key = self.key(area)?;
        let Some(beginning) = self.objects.beginning(&key, BEGINNING_BYTES).await? else { return Ok(None) };
        match Total::from_beginning(&beginning, with_series) {
            Ok(Some(total)) => return Ok(Some(total)),
            // Continue with the next piece.
            Ok(None) => {}
            Err(error) => return Ok(self.not_read(&key, &error)),
        }
        let Got::Object { body, .. } = self.objects.get(&key, None, SUM_BYTES_MAX).await? else { return Ok(None) };
        match Total::from_beginning(&body, with_series) {
            Ok(Some(total)) => Ok(Some(total)),
            Ok(None) => Ok(self.not_read(&key, &SumError::Damaged)),
            Err(error) => Ok(self.not_read(&key, &error)),
        }
    }

    fn not_read<T>(&self, key: &str, error: &SumError) -> Option<T> {
        tracing::error!(sum = self.objects.name(key), %error, "the sum of an area cannot be read and is ignored");
        None
    }

    /// The parts of an area, each without its series, and the version of their sum.
    async fn parts(self, area: WideArea) -> Result<(WideArea, SumParts), PortError> {
        let mut parts = BTreeMap::new();
        let mut version = 0;
        if let Some(sum) = self.sum(&area).await?.sum {
            version = sum.version();
            for (name, part) in sum.parts() {
                match part.now() {
                    Ok(now) => {
                        let total =
                            Total { version: part.version, covered: part.covered, markets: part.markets, sum: now };
                        parts.insert(name.to_owned(), total);
                    }
                    Err(error) => drop(self.not_read::<()>(&self.key(&area)?, &error)),
                }
            }
        }
        Ok((area, SumParts { version, parts }))
    }
}

/// The parts of a sum, by name.
struct SumParts {
    version: u64,
    parts: BTreeMap<String, Total>,
}

/// An index of the markets table.
#[derive(Clone, Copy)]
enum Index {
    /// All markets.
    Heads,
    /// One partition of the markets to be rolled up.
    Changed(u8),
}

/// The markets in an index whose names begin with this, in order.
async fn listed(client: Client, table: String, index: Index, begins: String) -> Result<Vec<Market>, PortError> {
    let (name, key, value) = match index {
        Index::Heads => ("heads", "kind", KIND.to_owned()),
        Index::Changed(part) => (CHANGED, CHANGED, part.to_string()),
    };
    let what = || format!("Query of the index {name} of the table {table}");
    let mut request = client
        .query()
        .table_name(&table)
        .index_name(name)
        .expression_attribute_names("#key", key)
        .expression_attribute_values(":key", text(value));
    request = if begins.is_empty() {
        request.key_condition_expression("#key = :key")
    } else {
        request
            .key_condition_expression("#key = :key AND begins_with(#market, :begins)")
            .expression_attribute_names("#market", "market")
            .expression_attribute_values(":begins", text(begins))
    };
    let mut pages = request.into_paginator().send();
    let mut markets = Vec::new();
    while let Some(page) = pages.next().await {
        for item in page.map_err(failed(what))?.items() {
            let name = text_of(item, "market").map_err(|error| PortError::damaged(what(), error))?;
            let market: Result<Market, ParseMarketError> = name.parse();
            markets.push(market.map_err(|error| PortError::damaged(what(), error))?);
        }
    }
    Ok(markets)
}

async fn settle(client: Client, table: String, market: Market, version: u64) -> Result<(), PortError> {
    let request = client
        .update_item()
        .table_name(&table)
        .set_key(Some(Head::key(&market)))
        .update_expression("REMOVE #changed")
        .condition_expression("#version = :version")
        .expression_attribute_names("#changed", CHANGED)
        .expression_attribute_names("#version", "version")
        .expression_attribute_values(":version", number(version));
    match request.send().await {
        Ok(_) => Ok(()),
        Err(error) => match error.as_service_error() {
            // Another version is stored or being committed: it must be rolled up as well.
            Some(
                UpdateItemError::ConditionalCheckFailedException(_) | UpdateItemError::TransactionConflictException(_),
            ) => Ok(()),
            _ => Err(failed(|| format!("UpdateItem of the head of {market} in the table {table}"))(error)),
        },
    }
}

#[async_trait]
impl RollUps for StackAreas {
    async fn changed(&self) -> Result<Vec<Market>, PortError> {
        self.waiting("").await
    }

    async fn markets(&self) -> Result<Vec<Market>, PortError> {
        listed(self.client.clone(), self.table.clone(), Index::Heads, String::new()).await
    }

    async fn whole(&self, markets: &[Market], covered_from: Day) -> Result<Vec<Option<WholeMarket>>, PortError> {
        let (client, table) = (&self.client, &self.table);
        let mut found: BTreeMap<Market, WholeMarket> = BTreeMap::new();
        let mut wanted: Vec<Market> = markets.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        for read in 1.. {
            let dated = read_dated_heads(client, table, &wanted).await?;
            let heads: BTreeMap<Market, Head> =
                dated.iter().map(|(market, (head, _))| (market.clone(), head.clone())).collect();
            let chunks = read_chunks(client, table, &heads).await?;
            wanted.clear();
            for (market, (head, committed)) in dated {
                let what = || format!("read the market {market} in the table {table}");
                let (version, archive) = (head.version, head.archive.clone());
                // A block that the head names may have been replaced and deleted since.
                let state = match base_of(&market, &head, &chunks) {
                    Ok(base) => head.state(base).map_err(|error| PortError::damaged(what(), error))?,
                    Err(error) if read >= READS_MAX => return Err(PortError::damaged(what(), error)),
                    Err(_) => {
                        wanted.push(market);
                        continue;
                    }
                };
                let is_covered = state.horizon().is_none_or(|horizon| horizon.days <= covered_from);
                let archive =
                    if is_covered { Ok(Cells::default()) } else { sum_of(client, table, &market, archive).await? };
                match archive {
                    Ok(archive) => drop(found.insert(market, WholeMarket { version, state, archive, committed })),
                    Err(error) if read >= READS_MAX => return Err(PortError::damaged(what(), error)),
                    Err(_) => wanted.push(market),
                }
            }
            if wanted.is_empty() {
                break;
            }
            pause(0).await;
        }
        Ok(markets.iter().map(|market| found.get(market).cloned()).collect())
    }

    async fn settle(&self, markets: &[(Market, u64)]) -> Result<(), PortError> {
        let one = |(market, version): &(Market, u64)| {
            settle(self.client.clone(), self.table.clone(), market.clone(), *version)
        };
        let all: Vec<_> = markets.iter().map(one).collect();
        concurrently(REQUESTS_MAX, all).await.map(drop)
    }

    async fn sum(&self, area: &WideArea) -> Result<StoredSum, PortError> {
        let Some((sum, etag)) = self.read(area).await? else { return Ok(StoredSum::default()) };
        let key = self.key(area)?;
        let sum = sum.map_or_else(|error| self.not_read(&key, &error), Some);
        Ok(StoredSum { sum, tag: Some(etag) })
    }

    async fn put(&self, area: &WideArea, sum: &AreaSum, read: &StoredSum) -> Result<bool, PortError> {
        let key = self.key(area)?;
        let body = sum.to_bytes().map_err(|error| PortError::refused(format!("write the sum of {area}"), error))?;
        let when = read.tag.clone().map_or(When::Absent, When::Etag);
        let put = Put { key, body, content_type: "application/octet-stream", when, writer: None };
        Ok(matches!(self.objects.put(put).await?, PutOutcome::Yes(_)))
    }
}

#[async_trait]
impl WideAreas for StackAreas {
    async fn wide(&self, area: &WideArea, markets: usize, now: Time) -> Result<Option<ShownWide>, PortError> {
        self.shown(area, markets, now, true).await
    }

    async fn now(&self, area: &WideArea, markets: usize, now: Time) -> Result<Option<ShownWide>, PortError> {
        self.shown(area, markets, now, false).await
    }

    fn may_lag(&self) -> bool {
        true
    }

    async fn each(
        &self,
        level: WideLevel,
        markets: &[Market],
        now: Time,
        visit: &mut VisitWide<'_>,
    ) -> Result<(), PortError> {
        let mut above: BTreeMap<Option<WideArea>, BTreeMap<WideArea, Vec<&Market>>> = BTreeMap::new();
        for market in markets {
            let area = WideArea::of(market, level);
            above.entry(area.parent()).or_default().entry(area).or_default().push(market);
        }
        let mut waiting: BTreeMap<WideArea, usize> = BTreeMap::new();
        for market in self.waiting("").await? {
            *waiting.entry(WideArea::of(&market, level)).or_default() += 1;
        }
        let above: Vec<_> = above.into_iter().collect();
        for some in above.chunks(SUMS_AT_ONCE) {
            let parents: Vec<WideArea> = some.iter().filter_map(|(parent, _)| parent.clone()).collect();
            let reads: Vec<_> = parents.into_iter().map(|area| self.clone().parts(area)).collect();
            let mut parts: BTreeMap<WideArea, SumParts> =
                concurrently(SUMS_AT_ONCE, reads).await?.into_iter().collect();
            for (parent, areas) in some {
                let mut parts = parent.as_ref().and_then(|parent| parts.remove(parent));
                for (area, markets) in areas {
                    let total = match level {
                        WideLevel::Country => self.total(area, false).await?,
                        WideLevel::City => parts.as_ref().and_then(|county| added_up(county, markets)),
                        _ => parts.as_mut().and_then(|above| above.parts.remove(area.path())),
                    };
                    let waiting = waiting.get(area).copied().unwrap_or_default();
                    visit(area.clone(), total.and_then(|total| shown(total, area, markets.len(), waiting, now)));
                }
            }
        }
        Ok(())
    }
}

fn is_of(area: &WideArea, market: &Market) -> bool {
    lies_in(market.area.as_str(), area.path()) && WideArea::of(market, area.level()) == *area
}

/// A city: the sum of its markets in the county's sum.
fn added_up(county: &SumParts, markets: &[&Market]) -> Option<Total> {
    let parts: Vec<&Total> = markets.iter().filter_map(|market| county.parts.get(&market.to_string())).collect();
    let mut sum = Wide::default();
    parts.iter().for_each(|part| sum.add(&part.sum));
    let from = parts.iter().map(|part| part.covered.from).max()?;
    let until = parts.iter().map(|part| part.covered.until).min()?;
    Some(Total { version: county.version, covered: DaysCovered { from, until }, markets: parts.len(), sum })
}

/// A sum that may be shown: it covers the day, was once complete, and has all markets of the area except the latest.
fn shown(total: Total, area: &WideArea, markets: usize, waiting: usize, now: Time) -> Option<ShownWide> {
    let is_covered = total.covered.has(now.day_in(&area.country().zone)) && total.markets + waiting >= markets;
    if !is_covered || (waiting > 0 && total.version < WHOLE_SINCE_MS) {
        return None;
    }
    let rolled_up = i64::try_from(total.version).ok().map(Time::from_ms).filter(|_| waiting > 0);
    Some(ShownWide { sum: total.sum, rolled_up })
}

impl fmt::Debug for StackAreas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StackAreas").field("table", &self.table).field("objects", &self.objects).finish_non_exhaustive()
    }
}
