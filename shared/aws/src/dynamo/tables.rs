//! The whole content of the tables, as stored.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use stoop_domain::{Market, ParseMarketError, Status, Time};
use stoop_market::Cells;
use stoop_pipeline::ports::{CountyRecord, MergedMarket, PortError};
use stoop_pipeline::{StoredAlert, StoredHome, StoredMarket, with_causes};
use tokio::sync::mpsc;

use super::archive::sum_of;
use super::attributes::{Item, Malformed, bytes_of, number_of, text, text_of};
use super::batch::get_all;
use super::block::chunks_of;
use super::head::{CHANGED, HEAD, Head};
use super::ledger::{WITHDRAWN, day_of};
use super::merged::read_merged;
use super::merging::read_counties;
use crate::error::failed;

/// The prefix of rules' IDs in the ledger; the rest is the hash of their JSON.
const RULES: &str = "rules/";

/// Segments of a table that are scanned in parallel.
const SEGMENTS: i32 = 4;

/// Pages, of at most a megabyte each, that wait to be processed.
const PAGES_WAITING: usize = 4;

/// Markets read at a time: each may have a base of a few hundred kilobytes.
const MARKETS_AT_ONCE: usize = 25;

/// The tables of a stack, for full scans with consistent reads. During concurrent writes, items are of different times.
#[derive(Clone, Debug)]
pub struct DynamoTables {
    client: Client,
}

/// An item, and its errors: missing attributes, wrong types, and contradictions, in words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableItem<T> {
    /// The content.
    pub stored: T,
    /// The errors; usually none.
    pub wrongs: Vec<String>,
}

/// A market, and its head's other attributes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableMarket {
    /// The market.
    pub item: TableItem<StoredMarket>,
    /// Its version; 0 if the head cannot be read.
    pub version: u64,
    /// Whether it changed since it was rolled up.
    pub waits: bool,
    /// Its merged homes. Their corrections are taken out of the state and the archive of [`TableMarket::item`].
    pub merged: MergedMarket,
}

impl DynamoTables {
    /// The tables behind this client.
    #[must_use]
    pub fn new(client: Client) -> Self {
        Self { client }
    }

    /// Visits all homes of a table, a page at a time, in no order.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or `visit` fails.
    pub async fn homes(
        &self,
        table: &str,
        mut visit: impl FnMut(Vec<TableItem<StoredHome>>) -> Result<(), PortError>,
    ) -> Result<(), PortError> {
        let mut pages = self.scan(table, false);
        while let Some(page) = pages.recv().await {
            visit(page?.iter().map(home_of).collect())?;
        }
        Ok(())
    }

    /// Visits all markets of a table with their archives, several at a time, in no order.
    ///
    /// # Errors
    ///
    /// The table cannot be read, or `visit` fails.
    pub async fn markets(
        &self,
        table: &str,
        mut visit: impl FnMut(Vec<TableMarket>) -> Result<(), PortError>,
    ) -> Result<(), PortError> {
        let mut pages = self.scan(table, true);
        while let Some(page) = pages.recv().await {
            for heads in page?.chunks(MARKETS_AT_ONCE) {
                let mut markets = Vec::with_capacity(heads.len());
                for head in heads {
                    markets.push(self.market(table, head).await?);
                }
                visit(markets)?;
            }
        }
        Ok(())
    }

    /// What is known of the counties of a table of markets whose listings are merged.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn counties(&self, table: &str) -> Result<Vec<CountyRecord>, PortError> {
        read_counties(&self.client, table).await
    }

    /// All alerts of a ledger, and its rules as JSON, by ID.
    ///
    /// # Errors
    ///
    /// The table cannot be read.
    pub async fn ledger(
        &self,
        table: &str,
    ) -> Result<(Vec<TableItem<StoredAlert>>, Vec<TableItem<(String, String)>>), PortError> {
        let (mut alerts, mut rules) = (Vec::new(), Vec::new());
        let mut pages = self.scan(table, false);
        while let Some(page) = pages.recv().await {
            for item in page? {
                let id = text_of(&item, "id").unwrap_or_default();
                if id.starts_with(RULES) {
                    rules.push(rules_of(id, &item));
                } else {
                    alerts.push(alert_of(id, &item));
                }
            }
        }
        alerts.sort_unstable_by(|a, b| (a.stored.at, &a.stored.id).cmp(&(b.stored.at, &b.stored.id)));
        rules.sort_unstable_by(|a, b| a.stored.cmp(&b.stored));
        Ok((alerts, rules))
    }

    /// The pages of a table, or of its heads alone, as they arrive. An error ends them.
    fn scan(&self, table: &str, heads: bool) -> mpsc::Receiver<Result<Vec<Item>, PortError>> {
        let (pages, received) = mpsc::channel(PAGES_WAITING);
        for segment in 0..SEGMENTS {
            let mut request = self.client.scan().table_name(table).consistent_read(true);
            request = request.segment(segment).total_segments(SEGMENTS);
            if heads {
                request = request
                    .filter_expression("#part = :head")
                    .expression_attribute_names("#part", "part")
                    .expression_attribute_values(":head", text(HEAD));
            }
            let (pages, table) = (pages.clone(), table.to_owned());
            tokio::spawn(async move {
                let mut found = request.into_paginator().send();
                while let Some(page) = found.next().await {
                    let page = page.map_err(failed(|| format!("Scan of the table {table}")));
                    let is_last = page.is_err();
                    // The receiver is gone: there was an error elsewhere.
                    if pages.send(page.map(|page| page.items.unwrap_or_default())).await.is_err() || is_last {
                        return;
                    }
                }
            });
        }
        received
    }

    /// A market, given its head. Unreadable parts are listed as errors.
    async fn market(&self, table: &str, item: &Item) -> Result<TableMarket, PortError> {
        let id = text_of(item, "market").unwrap_or_default().to_owned();
        let mut stored = StoredMarket { id, ..StoredMarket::default() };
        let mut merged = MergedMarket::default();
        let wrongs = self.read_market(table, item, &mut stored, &mut merged).await?;
        let id = &stored.id;
        let wrongs = wrongs.into_iter().map(|wrong| format!("the head of market {id}: {wrong}")).collect();
        let version = Head::from_item(item).map_or(0, |head| head.version);
        Ok(TableMarket { item: TableItem { stored, wrongs }, version, waits: item.contains_key(CHANGED), merged })
    }

    async fn read_market(
        &self,
        table: &str,
        item: &Item,
        stored: &mut StoredMarket,
        merged: &mut MergedMarket,
    ) -> Result<Vec<String>, PortError> {
        let market: Market = match stored.id.parse() {
            Ok(market) => market,
            Err(error) => {
                let error: ParseMarketError = error;
                return Ok(vec![error.to_string()]);
            }
        };
        let head = match Head::from_item(item) {
            Ok(head) => head,
            Err(error) => return Ok(vec![error.to_string()]),
        };
        let mut wrongs = Vec::new();
        let archive = sum_of(&self.client, table, &market, head.archive.clone()).await?;
        match archive {
            Ok(sum) => stored.archive = sum,
            Err(error) => wrongs.push(format!("its archive: {error}")),
        }
        let base = match &head.base {
            None => Ok(Cells::default()),
            Some(base) => {
                let partition = market.to_string();
                let chunks = get_all(&self.client, table, &base.keys(&partition), &[]).await?;
                match chunks_of(&chunks) {
                    Ok(chunks) => base.find(&partition, &chunks).map_err(|error| format!("its base: {error}")),
                    Err(error) => Err(format!("its base: {error}")),
                }
            }
        };
        let parts = base.and_then(|base| Ok((base, head.tail_cells().map_err(|error| error.to_string())?)));
        let (base, tail) = match parts {
            Ok(parts) => parts,
            Err(error) => {
                wrongs.push(error);
                return Ok(wrongs);
            }
        };
        let mut state = base.clone();
        state.merge(&tail);
        wrongs.extend(differs(item, &head, &market, &state));
        match read_merged(&self.client, table, &market, &head).await? {
            Ok(found) => *merged = found,
            Err(error) => wrongs.push(format!("its merged homes: {error}")),
        }
        let named = head.base.as_ref().map_or(Some(1), |base| base.version());
        match named {
            Some(version) if version <= head.version => stored.base = Some((version, base)),
            _ => wrongs.push(format!("its version is {}, and that of its base {named:?}", head.version)),
        }
        // A base newer than the tail has this version itself.
        stored.tail = (!head.tail.is_empty()).then_some((head.version, tail));
        let corrections = merged.corrections();
        if !corrections.is_empty() {
            stored.archive.merge(&state.add(&corrections.as_delta().negated()));
            (stored.base, stored.tail) = (Some((head.version, state)), None);
        }
        Ok(wrongs)
    }
}

/// The attributes of a head that differ from what the state gives: the market's name, and its figures as of the time in
/// the head.
fn differs(found: &Item, head: &Head, market: &Market, state: &Cells) -> Vec<String> {
    let as_of = text_of(found, "as_of").ok().and_then(|text| Time::parse(text).ok());
    let Some(as_of) = as_of else {
        return vec!["it has no attribute `as_of` that is a moment".into()];
    };
    let mut expected: Vec<(String, AttributeValue)> = head.to_item(market, state, as_of).into_iter().collect();
    // It is removed when the market is rolled up.
    expected.retain(|(name, _)| name != CHANGED || found.contains_key(CHANGED));
    expected.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let mut wrongs = Vec::new();
    for (name, expected) in expected {
        let mut path = name.clone();
        if let Some((stored, recomputed)) = first_difference(found.get(&name), Some(&expected), &mut path) {
            wrongs.push(format!("its attribute {path} differs: stored {stored}, recomputed {recomputed}"));
        }
    }
    wrongs
}

/// The first difference between two values, both in words. `path` leads to it.
fn first_difference(
    stored: Option<&AttributeValue>,
    recomputed: Option<&AttributeValue>,
    path: &mut String,
) -> Option<(String, String)> {
    use AttributeValue::{L, M, N};
    match (stored, recomputed) {
        (Some(M(stored)), Some(M(recomputed))) => {
            let mut names: Vec<&String> = stored.keys().chain(recomputed.keys()).collect();
            names.sort_unstable();
            names.dedup();
            let whole = path.len();
            names.into_iter().find_map(|name| {
                path.truncate(whole);
                path.push('.');
                path.push_str(name);
                first_difference(stored.get(name), recomputed.get(name), path)
            })
        }
        (Some(L(stored)), Some(L(recomputed))) if stored.len() == recomputed.len() => {
            stored.iter().zip(recomputed).find_map(|(a, b)| first_difference(Some(a), Some(b), path))
        }
        // Digits may be written differently.
        (Some(N(a)), Some(N(b))) if a.parse::<f64>().is_ok_and(|a| b.parse() == Ok(a)) => None,
        (stored, recomputed) if stored == recomputed => None,
        (stored, recomputed) => {
            let show =
                |value: Option<&AttributeValue>| value.map_or_else(|| "none".to_owned(), |value| format!("{value:?}"));
            Some((show(stored), show(recomputed)))
        }
    }
}

fn home_of(item: &Item) -> TableItem<StoredHome> {
    let id = text_of(item, "id").unwrap_or_default().to_owned();
    let mut wrongs = Wrongs { of: format!("home {id}"), found: Vec::new() };
    let stored = StoredHome {
        version: wrongs.needed(number_of(item, "version")),
        body: wrongs.needed(bytes_of(item, "body").map(<[u8]>::to_vec)),
        market: wrongs.if_there(item, "market", text_of).map(str::to_owned),
        status: wrongs.if_there(item, "status", text_of).map(str::to_owned),
        list_price: wrongs.if_there(item, "list_price", number_of),
        last_seen: wrongs.if_there(item, "seen_at", number_of),
        id,
    };
    let open_in = wrongs.if_there(item, "open_in", text_of);
    let is_open = stored.status.as_deref().and_then(Status::parse).is_some_and(Status::is_open);
    let expected = stored.market.as_deref().filter(|_| is_open);
    wrongs.needed(if open_in == expected {
        Ok(())
    } else {
        Err(format!("its attribute `open_in` is {open_in:?}, expected {expected:?}"))
    });
    wrongs.needed(match item.get("notable") {
        Some(AttributeValue::Bool(_)) => Ok(()),
        _ => Err("it has no attribute `notable` that is true or false".to_owned()),
    });
    TableItem { stored, wrongs: wrongs.found }
}

fn alert_of(id: &str, item: &Item) -> TableItem<StoredAlert> {
    let mut wrongs = Wrongs { of: format!("alert {id}"), found: Vec::new() };
    let at = wrongs.needed(
        text_of(item, "at")
            .map_err(|error| error.to_string())
            .and_then(|text| Time::parse(text).map_err(|error| error.to_string())),
    );
    let day = wrongs.needed(text_of(item, "day"));
    if day != day_of(at) {
        wrongs.found.push(format!("alert {id}: it is listed under the day {day:?}, and is of {}", day_of(at)));
    }
    let stored = StoredAlert {
        id: id.to_owned(),
        at: at.ms(),
        verdict: wrongs.needed(text_of(item, "verdict")).to_owned(),
        body: match item.contains_key(WITHDRAWN) {
            true => wrongs.needed(alert_json(item)),
            false => wrongs.needed(text_of(item, "body")).to_owned(),
        },
        rules: wrongs.if_there(item, "rules", text_of).map(str::to_owned),
    };
    TableItem { stored, wrongs: wrongs.found }
}

/// A withdrawn alert as JSON that says so.
fn alert_json(item: &Item) -> Result<String, String> {
    let alert = super::ledger::alert_of(item).map_err(|error| with_causes(&error))?;
    serde_json::to_string(&alert).map_err(|error| error.to_string())
}

fn rules_of(id: &str, item: &Item) -> TableItem<(String, String)> {
    let mut wrongs = Wrongs { of: "the ledger".into(), found: Vec::new() };
    let body = wrongs.needed(text_of(item, "body")).to_owned();
    if id != format!("{RULES}{}", blake3::hash(body.as_bytes()).to_hex()) {
        wrongs.found.push(format!("the item {id} of the ledger has other rules than its name says"));
    }
    TableItem { stored: (id.to_owned(), body), wrongs: wrongs.found }
}

/// Collects the errors of an item.
struct Wrongs {
    of: String,
    found: Vec<String>,
}

impl Wrongs {
    /// A required value, or the default after an error.
    fn needed<T: Default, E: ToString>(&mut self, read: Result<T, E>) -> T {
        read.unwrap_or_else(|error| {
            self.found.push(format!("{}: {}", self.of, error.to_string()));
            T::default()
        })
    }

    /// An optional value.
    fn if_there<'i, T>(
        &mut self,
        item: &'i Item,
        name: &str,
        read: impl Fn(&'i Item, &str) -> Result<T, Malformed>,
    ) -> Option<T> {
        item.get(name)?;
        read(item, name).map_err(|error| self.found.push(format!("{}: {error}", self.of))).ok()
    }
}
