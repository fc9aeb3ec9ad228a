//! The setting by which listings are merged, and the counties with changes that are not merged yet.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Transaction, params};
use serde::{Deserialize, Serialize};
use stoop_domain::Market;
use stoop_identity::MODEL_VERSION;
use stoop_pipeline::merging_area;
use stoop_pipeline::ports::{Commit, FailureKind};

use crate::error::Result;
use crate::failure::Failure;
use crate::schema::has_table;

/// The name of the setting that switches merging on.
pub(crate) const SETTING: &str = "merging";

/// How listings are merged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Merging {
    /// The sources whose listings are never merged with others.
    pub except: BTreeSet<String>,
    /// The version of the weights by which they were merged: with another one all are merged anew.
    #[serde(default)]
    pub(crate) model: u16,
}

impl Default for Merging {
    fn default() -> Self {
        Self::except([])
    }
}

impl Merging {
    /// Merges the listings of all sources but these.
    #[must_use]
    pub fn except(sources: impl IntoIterator<Item = String>) -> Self {
        Self { except: sources.into_iter().collect(), model: MODEL_VERSION }
    }
}

/// Whether each home counts once.
pub(crate) fn is_merging(connection: &Connection) -> Result<bool> {
    Ok(connection.prepare_cached("SELECT 1 FROM settings WHERE name = ?1")?.exists([SETTING])?)
}

pub(crate) fn merging(connection: &Connection) -> Result<Option<Merging>> {
    let sql = "SELECT body FROM settings WHERE name = ?1";
    let body: Option<String> = connection.prepare_cached(sql)?.query_row([SETTING], |row| row.get(0)).optional()?;
    Ok(body.map(|body| serde_json::from_str(&body)).transpose()?)
}

pub(crate) fn store_setting(connection: &Connection, merging: &Merging) -> Result<()> {
    let sql = "INSERT INTO settings(name, body) VALUES(?1, ?2) ON CONFLICT DO UPDATE SET body = excluded.body";
    connection.execute(sql, params![SETTING, serde_json::to_string(merging)?])?;
    Ok(())
}

/// Marks the counties of a commit's homes and markets as unmerged, if listings are merged.
pub(crate) fn mark_changed(transaction: &Transaction<'_>, commit: &Commit<'_>) -> Result<()> {
    if !is_merging(transaction)? {
        return Ok(());
    }
    let of_homes = commit.homes.iter().filter_map(|home| home.new.market.as_ref());
    let markets: BTreeSet<&Market> = of_homes.chain(commit.markets.iter().map(|market| market.market)).collect();
    let counties: BTreeSet<String> = markets.into_iter().map(merging_area).collect();
    counties.iter().try_for_each(|county| mark(transaction, county))
}

/// Marks a county.
pub(crate) fn mark(connection: &Connection, county: &str) -> Result<()> {
    let sql =
        "INSERT INTO county_changes(county, changes) VALUES(?1, 1) ON CONFLICT DO UPDATE SET changes = changes + 1";
    connection.prepare_cached(sql)?.execute([county])?;
    Ok(())
}

/// Refuses if there is another generation than the live one: it would count otherwise when it is swapped in.
pub(crate) fn check_one_generation(connection: &Connection) -> Result<()> {
    if has_table(connection, "rebuild")? {
        let why = "a rebuild has made another state beside the live one; `stoop rebuild --forget` removes it";
        return Err(Failure::boxed(FailureKind::Refused, why));
    }
    Ok(())
}
