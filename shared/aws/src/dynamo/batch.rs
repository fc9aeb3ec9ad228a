//! Reading many items by key.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::KeysAndAttributes;
use stoop_pipeline::ports::{FailureKind, PortError};

use super::attributes::Item;
use crate::chance::backoff_ms;
use crate::concurrently::concurrently;
use crate::error::failed;

/// DynamoDB's limit for one `BatchGetItem`.
const KEYS_MAX: usize = 100;

/// Consecutive requests without progress before giving up.
const IDLE_MAX: u32 = 6;

/// Concurrent requests of one call of a port.
pub(super) const REQUESTS_MAX: usize = 8;

/// The items with these keys, in any order; missing ones are omitted. No key may come twice. The read is consistent. If
/// there are `attributes`, only those are read.
pub(super) async fn get_all(
    client: &Client,
    table: &str,
    keys: &[Item],
    attributes: &'static [&'static str],
) -> Result<Vec<Item>, PortError> {
    read(client, table, keys, attributes, true).await
}

/// Like [`get_all`], eventually consistent at half the price: writes of the last second may be missing.
pub(super) async fn get_all_eventually_consistent(
    client: &Client,
    table: &str,
    keys: &[Item],
    attributes: &'static [&'static str],
) -> Result<Vec<Item>, PortError> {
    read(client, table, keys, attributes, false).await
}

async fn read(
    client: &Client,
    table: &str,
    keys: &[Item],
    attributes: &'static [&'static str],
    consistent: bool,
) -> Result<Vec<Item>, PortError> {
    let get = |keys: &[Item]| get(client.clone(), table.to_owned(), keys.to_vec(), attributes, consistent);
    let batches: Vec<_> = keys.chunks(KEYS_MAX).map(get).collect();
    Ok(concurrently(REQUESTS_MAX, batches).await?.into_iter().flatten().collect())
}

/// Reads one batch, repeating the keys that DynamoDB left unprocessed: a response has at most 16 MB, and less under
/// load.
async fn get(
    client: Client,
    table: String,
    mut keys: Vec<Item>,
    attributes: &'static [&'static str],
    consistent: bool,
) -> Result<Vec<Item>, PortError> {
    let asked = keys.len();
    let what = || format!("BatchGetItem of {asked} items from the table {table}");
    let mut found = Vec::with_capacity(asked);
    let mut idle = 0;
    loop {
        let waiting = keys.len();
        let request = request(keys, attributes, consistent).map_err(|error| PortError::refused(what(), error))?;
        let answer = client.batch_get_item().request_items(&table, request).send().await.map_err(failed(what))?;
        found.extend(answer.responses.unwrap_or_default().remove(&table).unwrap_or_default());
        keys = answer.unprocessed_keys.unwrap_or_default().remove(&table).map(|left| left.keys).unwrap_or_default();
        if keys.is_empty() {
            return Ok(found);
        }
        idle = if keys.len() < waiting { 0 } else { idle + 1 };
        if idle > IDLE_MAX {
            let why = format!("{} of them were still unprocessed after {IDLE_MAX} more requests", keys.len());
            return Err(PortError::new(FailureKind::Throttled, what(), why));
        }
        pause(idle).await;
    }
}

fn request(
    keys: Vec<Item>,
    attributes: &[&str],
    consistent: bool,
) -> Result<KeysAndAttributes, aws_sdk_dynamodb::error::BuildError> {
    let request = KeysAndAttributes::builder().set_keys(Some(keys)).consistent_read(consistent);
    if attributes.is_empty() {
        return request.build();
    }
    // Uses placeholders, because many plain words are reserved.
    let names: HashMap<String, String> =
        attributes.iter().enumerate().map(|(i, name)| (format!("#{i}"), (*name).to_owned())).collect();
    let projection = (0..attributes.len()).map(|i| format!("#{i}")).collect::<Vec<_>>().join(", ");
    request.projection_expression(projection).set_expression_attribute_names(Some(names)).build()
}

/// Waits before a retry after `times` requests without progress: some tens of milliseconds at first, at most two
/// seconds.
pub(super) async fn pause(times: u32) {
    tokio::time::sleep(Duration::from_millis(backoff_ms(times, 50, 2_000))).await;
}
