//! The port for merged homes on the tables of a [`DynamoStore`].
//!
//! What is known of the counties are the items of one partition of the markets table. The listings of a market come from an index
//! of the homes table.

use std::collections::{BTreeMap, BTreeSet};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use stoop_domain::{Home, HomeId, Market, Time};
use stoop_market::Cells;
use stoop_pipeline::ports::{
    CommitError, CountyRecord, FailureKind, MarketChange, MergedMarket, MergedMarkets, OtherListings, PortError, Store,
    Versioned,
};
use stoop_pipeline::with_causes;

use super::attributes::{Item, bytes_of, item, number, number_of, text, text_of};
use super::batch::{REQUESTS_MAX, get_all_eventually_consistent, pause};
use super::commit::commit_merged;
use super::market::{READS_MAX, base_of, read_chunks, read_heads};
use super::merged::{merged_if_readable, read_merged, read_merged_of};
use super::store::DynamoStore;
use crate::concurrently::concurrently;
use crate::error::failed;

/// The partition of counties and rulings. No market has such a name.
const MERGING: &str = "merging";
/// The beginning of the `part` of a county; its path follows.
const COUNTY: &str = "county#";

/// The index of the homes table that lists the homes counted in a market.
const BY_MARKET: &str = "by_market";

/// A sort key may have 1,024 bytes. A longer path gives its place to its hash.
const PATH_BYTES_MAX: usize = 900;

/// Homes read at a time.
const HOMES_AT_ONCE: usize = 400;

#[async_trait]
impl MergedMarkets for DynamoStore {
    async fn counties(&self) -> Result<Vec<CountyRecord>, PortError> {
        read_counties(&self.client, &self.markets).await
    }

    async fn mark(&self, county: &str) -> Result<(), PortError> {
        let request = self
            .client
            .update_item()
            .table_name(&self.markets)
            .set_key(Some(county_key(county)))
            .update_expression("SET #county = :county ADD #changes :one")
            .expression_attribute_names("#county", "county")
            .expression_attribute_names("#changes", "changes")
            .expression_attribute_values(":county", text(county))
            .expression_attribute_values(":one", number(1));
        let what = || format!("UpdateItem of the county {county} in the table {}", self.markets);
        request.send().await.map(|_| ()).map_err(failed(what))
    }

    async fn settle(&self, county: &CountyRecord) -> Result<(), PortError> {
        let what = || format!("UpdateItem of the county {} in the table {}", county.county, self.markets);
        let terms = serde_json::to_string(&county.terms).map_err(|error| PortError::refused(what(), error))?;
        let elsewhere = serde_json::to_string(&county.elsewhere).map_err(|error| PortError::refused(what(), error))?;
        let set = "SET #county = :county, #merged = :merged, #terms = :terms, #homes = :homes, #listings = :listings, \
                   #elsewhere = :elsewhere";
        let mut request = self
            .client
            .update_item()
            .table_name(&self.markets)
            .set_key(Some(county_key(&county.county)))
            .condition_expression("attribute_not_exists(#merged) OR #merged <= :merged")
            .expression_attribute_names("#county", "county")
            .expression_attribute_names("#elsewhere", "elsewhere")
            .expression_attribute_names("#merged", "merged")
            .expression_attribute_names("#at", "merged_at")
            .expression_attribute_names("#terms", "terms")
            .expression_attribute_names("#homes", "homes")
            .expression_attribute_names("#listings", "listings")
            .expression_attribute_values(":county", text(&county.county))
            .expression_attribute_values(":elsewhere", text(elsewhere))
            .expression_attribute_values(":merged", number(county.merged))
            .expression_attribute_values(":terms", text(terms))
            .expression_attribute_values(":homes", number(county.homes))
            .expression_attribute_values(":listings", number(county.listings));
        request = match county.merged_at {
            Some(at) => request
                .update_expression(format!("{set}, #at = :at"))
                .expression_attribute_values(":at", text(at.to_string())),
            None => request.update_expression(format!("{set} REMOVE #at")),
        };
        match request.send().await {
            Ok(_) => Ok(()),
            // A pass that included more marks has ended.
            Err(error)
                if error.as_service_error().is_some_and(UpdateItemError::is_conditional_check_failed_exception) =>
            {
                Ok(())
            }
            Err(error) => Err(failed(what)(error)),
        }
    }

    async fn listings(&self, markets: &[Market], limit: usize) -> Result<Option<Vec<(HomeId, Home)>>, PortError> {
        let mut ids: BTreeSet<String> = BTreeSet::new();
        for some in markets.chunks(REQUESTS_MAX) {
            let one = |market: &Market| counted_in(self.client.clone(), self.homes.clone(), market.clone());
            let each: Vec<_> = some.iter().map(one).collect();
            ids.extend(concurrently(REQUESTS_MAX, each).await?.into_iter().flatten());
            if ids.len() > limit {
                return Ok(None);
            }
        }
        let ids: Vec<String> = ids.into_iter().collect();
        let mut listings = BTreeMap::new();
        for some in ids.chunks(HOMES_AT_ONCE) {
            let keys: Vec<Item> = some.iter().map(|id| item([("id", text(id))])).collect();
            for found in get_all_eventually_consistent(&self.client, &self.homes, &keys, &["id", "body"]).await? {
                let damaged = |error| PortError::damaged(format!("read a home in {}", self.homes), error);
                let id = text_of(&found, "id").map_err(damaged)?;
                let what = || format!("read the home {id} in the table {}", self.homes);
                let body = bytes_of(&found, "body").map_err(|error| PortError::damaged(what(), error))?;
                let home = stoop_wire::home_from_bytes(body).map_err(|error| PortError::damaged(what(), error))?;
                listings.insert(HomeId(id.into()), home);
            }
        }
        Ok(Some(listings.into_iter().collect()))
    }

    async fn merged(&self, market: &Market) -> Result<MergedMarket, PortError> {
        read_merged_of(&self.client, &self.markets, market).await
    }

    async fn whole(&self, market: &Market) -> Result<Option<(Versioned<Cells>, MergedMarket)>, PortError> {
        let what = || format!("read the market {market} in the table {}", self.markets);
        for read in 1.. {
            let heads = read_heads(&self.client, &self.markets, std::slice::from_ref(market)).await?;
            let Some(head) = heads.get(market) else { return Ok(None) };
            let chunks = read_chunks(&self.client, &self.markets, &heads).await?;
            let merged = read_merged(&self.client, &self.markets, market, head).await?;
            match (base_of(market, head, &chunks), merged) {
                (Ok(base), Ok(merged)) => {
                    let value = head.state(base).map_err(|error| PortError::damaged(what(), error))?;
                    self.heads.put(market, head.clone());
                    return Ok(Some((Versioned { value, version: head.version }, merged)));
                }
                (Err(error), _) | (_, Err(error)) if read >= READS_MAX => {
                    return Err(PortError::damaged(what(), error));
                }
                // Another writer replaced a block meanwhile.
                _ => pause(0).await,
            }
        }
        Ok(None)
    }

    async fn replace(&self, change: &MarketChange<'_>, merged: &MergedMarket) -> Result<(), CommitError> {
        commit_merged(self, change, merged).await
    }
}

#[async_trait]
impl OtherListings for DynamoStore {
    async fn others(&self, listing: &HomeId, market: &Market) -> Result<Vec<(HomeId, Home)>, PortError> {
        let merged = merged_if_readable(&self.client, &self.markets, market).await?;
        let Some(home) = merged.home_of(listing) else { return Ok(Vec::new()) };
        let ids: Vec<HomeId> = home.listings.iter().filter(|other| *other != listing).cloned().collect();
        let homes = match self.homes(&ids).await {
            Err(error) if error.kind() == FailureKind::Damaged => {
                tracing::error!(%listing, error = with_causes(&error), "an alert is judged without the other listings of its home");
                return Ok(Vec::new());
            }
            read => read?,
        };
        Ok(ids.into_iter().zip(homes).filter_map(|(id, home)| Some((id, home?.value))).collect())
    }
}

fn county_key(county: &str) -> Item {
    // `!` begins no path.
    let hashed = || format!("!{}", blake3::hash(county.as_bytes()).to_hex());
    let name = if county.len() <= PATH_BYTES_MAX { county.to_owned() } else { hashed() };
    item([("market", text(MERGING)), ("part", text(format!("{COUNTY}{name}")))])
}

/// The counties of a markets table whose listings are merged, or are to be, in order.
pub(super) async fn read_counties(client: &Client, table: &str) -> Result<Vec<CountyRecord>, PortError> {
    let what = || format!("Query of the counties in the table {table}");
    let request = client
        .query()
        .table_name(table)
        .consistent_read(true)
        .key_condition_expression("#market = :merging AND begins_with(#part, :county)")
        .expression_attribute_names("#market", "market")
        .expression_attribute_names("#part", "part")
        .expression_attribute_values(":merging", text(MERGING))
        .expression_attribute_values(":county", text(COUNTY));
    let mut pages = request.into_paginator().send();
    let mut counties = Vec::new();
    while let Some(page) = pages.next().await {
        for found in page.map_err(failed(what))?.items() {
            counties.push(county_of(found).map_err(|why| PortError::damaged(what(), why))?);
        }
    }
    Ok(counties)
}

fn county_of(found: &Item) -> Result<CountyRecord, Box<dyn std::error::Error + Send + Sync>> {
    let number = |name| if found.contains_key(name) { number_of(found, name) } else { Ok(0) };
    let changes = number("changes")?;
    let county = text_of(found, "county")?.to_owned();
    let elsewhere = found.contains_key("elsewhere").then(|| text_of(found, "elsewhere")).transpose()?;
    let merged_at = found.contains_key("merged_at").then(|| text_of(found, "merged_at")).transpose()?;
    let terms = found.contains_key("terms").then(|| text_of(found, "terms")).transpose()?;
    Ok(CountyRecord {
        county,
        changes,
        merged: number("merged")?,
        merged_at: merged_at.map(Time::parse).transpose()?,
        terms: terms.map(serde_json::from_str).transpose()?.unwrap_or_default(),
        homes: number("homes")?,
        listings: number("listings")?,
        elsewhere: elsewhere.map(serde_json::from_str).transpose()?.unwrap_or_default(),
    })
}

/// The IDs of the homes that are counted in a market, from the index.
async fn counted_in(client: Client, table: String, market: Market) -> Result<Vec<String>, PortError> {
    let what = || format!("Query of the homes of {market} in the index {BY_MARKET} of the table {table}");
    let request = client
        .query()
        .table_name(&table)
        .index_name(BY_MARKET)
        .key_condition_expression("#market = :market")
        .expression_attribute_names("#market", "market")
        .expression_attribute_values(":market", text(market.to_string()));
    let mut pages = request.into_paginator().send();
    let mut ids = Vec::new();
    while let Some(page) = pages.next().await {
        for found in page.map_err(failed(what))?.items() {
            ids.push(text_of(found, "id").map_err(|error| PortError::damaged(what(), error))?.to_owned());
        }
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_county_is_read_that_was_only_marked_or_also_merged() {
        let mut marked = county_key("us/wa/king");
        marked.insert("changes".into(), number(4));
        marked.insert("county".into(), text("us/wa/king"));
        let expected = CountyRecord { county: "us/wa/king".into(), changes: 4, ..CountyRecord::default() };
        assert_eq!(county_of(&marked).unwrap(), expected);
        for (name, value) in [("merged", number(3)), ("homes", number(2)), ("listings", number(5))] {
            marked.insert(name.into(), value);
        }
        marked.insert("merged_at".into(), text("2026-01-14T12:00:00Z"));
        marked.insert("terms".into(), number(1));
        assert!(county_of(&marked).unwrap_err().to_string().contains("`terms`"));
        marked.insert("terms".into(), text(r#"{"except":["a"],"model":7}"#));
        let county = county_of(&marked).unwrap();
        assert_eq!((county.merged, county.homes, county.listings, county.terms.model), (3, 2, 5, 7));
        assert_eq!(county.merged_at, Some(Time::from_ms(1_768_392_000_000)));
        let elsewhere: BTreeSet<Market> = BTreeSet::from(["us/wa/king/-/98101:sale:USD".parse().unwrap()]);
        marked.insert("elsewhere".into(), text(serde_json::to_string(&elsewhere).unwrap()));
        assert_eq!(county_of(&marked).unwrap().elsewhere, elsewhere);
        assert!(county_key(&"x".repeat(2_000))["part"].as_s().unwrap().len() < 100);
    }
}
