//! Lists of homes.

use rusqlite::{Row, params};
use stoop_domain::{Home, HomeId, Market, Status};
use stoop_pipeline::merging_area;
use stoop_pipeline::ports::PortError;
use stoop_wire::home_from_bytes;

use crate::database::Database;
use crate::error::Result;
use crate::feed::limit_of;

/// No condition: names the county, because a statement takes all its parameters.
const ANY_LISTING: &str = "AND ?5 IS NOT NULL";

impl Database {
    /// The first `limit` homes whose newest facts are of a market, whatever their status, ordered by ID, after `after`.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn homes_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        let sql = "SELECT id, body FROM homes INDEXED BY homes_by_market
                   WHERE market = ?1 AND id > ?2 ORDER BY id LIMIT ?3";
        let after = after.map_or("", HomeId::as_str);
        self.rows(sql, params![market.to_string(), after, limit_of(limit)], home_row)
            .map_err(self.doing(format!("list the homes of {market}")))
    }

    /// Those of [`Database::homes_of`] that are on offer or under contract. If listings are merged, only the one that speaks for
    /// each home.
    pub(crate) fn open_homes_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        self.open_of(market, after, limit, self.speaks()?)
    }

    /// As [`Database::open_homes_of`], with every listing.
    pub(crate) fn open_listings_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        self.open_of(market, after, limit, ANY_LISTING)
    }

    fn open_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
        speaks: &str,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        let sql = format!(
            "SELECT id, body FROM homes INDEXED BY homes_by_market
             WHERE market = ?1 AND id > ?2 AND status IN (SELECT value FROM json_each(?3)) {speaks} ORDER BY id LIMIT ?4"
        );
        let after = after.map_or("", HomeId::as_str);
        let open: Vec<&str> = Status::ALL.into_iter().filter(|status| status.is_open()).map(Status::as_str).collect();
        let open = serde_json::json!(open).to_string();
        self.rows(&sql, params![market.to_string(), after, open, limit_of(limit), merging_area(market)], home_row)
            .map_err(self.doing(format!("list the homes on offer in {market}")))
    }

    /// Those of [`Database::homes_of`] without the listings that do not speak for their home, if listings are merged.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn merged_homes_of(
        &self,
        market: &Market,
        after: Option<&HomeId>,
        limit: usize,
    ) -> Result<Vec<(HomeId, Home)>, PortError> {
        let speaks = self.speaks()?;
        let sql = format!(
            "SELECT id, body FROM homes INDEXED BY homes_by_market
             WHERE market = ?1 AND id > ?2 AND ?3 IS NULL {speaks} ORDER BY id LIMIT ?4"
        );
        let after = after.map_or("", HomeId::as_str);
        let of_market = params![market.to_string(), after, None::<i64>, limit_of(limit), merging_area(market)];
        self.rows(&sql, of_market, home_row).map_err(self.doing(format!("list the homes of {market}")))
    }

    /// The condition that a listing, of the county `?5`, speaks for its home: true of each one if listings are not merged.
    fn speaks(&self) -> Result<&'static str, PortError> {
        Ok(match self.merging()? {
            Some(_) => {
                "AND NOT EXISTS (SELECT 1 FROM merged_listings WHERE county = ?5 AND listing = id AND NOT speaks)"
            }
            None => ANY_LISTING,
        })
    }

    /// Whether a listing of a source is stored.
    ///
    /// # Errors
    /// If that cannot be read.
    pub fn has_listings_of(&self, source: &str) -> Result<bool, PortError> {
        let after = HomeId(format!("{source}/").into());
        let next = self.home_ids_after(Some(&after), 1)?;
        Ok(next.first().is_some_and(|id| id.as_str().starts_with(after.as_str())))
    }

    /// The first `limit` homes, ordered by ID, after `after`.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn homes_after(&self, after: Option<&HomeId>, limit: usize) -> Result<Vec<(HomeId, Home)>, PortError> {
        let sql = "SELECT id, body FROM homes WHERE id > ?1 ORDER BY id LIMIT ?2";
        let after = after.map_or("", HomeId::as_str);
        self.rows(sql, params![after, limit_of(limit)], home_row).map_err(self.doing("list the homes"))
    }

    /// The first `limit` IDs of homes, in order, after `after`. Reads only the IDs.
    ///
    /// # Errors
    /// If they cannot be read.
    pub fn home_ids_after(&self, after: Option<&HomeId>, limit: usize) -> Result<Vec<HomeId>, PortError> {
        let sql = "SELECT id FROM homes WHERE id > ?1 ORDER BY id LIMIT ?2";
        let after = after.map_or("", HomeId::as_str);
        let id = |row: &Row<'_>| Ok(HomeId(row.get_ref(0)?.as_str()?.into()));
        self.rows(sql, params![after, limit_of(limit)], id).map_err(self.doing("list the ids of the homes"))
    }
}

/// A home from its ID and its body.
pub(crate) fn home_row(row: &Row<'_>) -> Result<(HomeId, Home)> {
    Ok((HomeId(row.get_ref(0)?.as_str()?.into()), home_from_bytes(row.get_ref(1)?.as_blob()?)?))
}
