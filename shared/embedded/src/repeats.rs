//! Which alerts say nothing new: another listing of the same home had one before.

use rusqlite::{Connection, params};
use stoop_domain::{Alert, AlertId, Time};
use stoop_pipeline::merging_area;

use crate::error::Result;
use crate::ledgers::{intact, with_position};
use crate::unmerged::is_merging;

/// A cut that another portal shows within this time is the same one.
const SAME_CUT_MS: i64 = 14 * Time::DAY_MS;

/// The alert that the one at this position repeats: it was recorded before, of another listing of the same home, at as low a price
/// within two weeks. `None` if there is none, or if each listing counts.
pub(crate) fn repeated(connection: &Connection, position: i64, alert: &Alert) -> Result<Option<AlertId>> {
    if !is_merging(connection)? {
        return Ok(None);
    }
    let sql = "SELECT a.seq, a.body FROM merged_listings mine
               JOIN merged_listings other INDEXED BY merged_by_home ON other.county = mine.county AND other.home = mine.home
               JOIN alerts a INDEXED BY alerts_by_home ON json_extract(a.body, '$.home') = other.listing AND json_valid(a.body)
               WHERE mine.county = ?1 AND mine.listing = ?2 AND other.listing <> ?2 AND a.seq < ?3 AND a.verdict = 'alert'
               AND a.at BETWEEN ?4 AND ?5 ORDER BY a.seq";
    let (from, until) = (alert.at.plus_ms(-SAME_CUT_MS), alert.at.plus_ms(SAME_CUT_MS));
    let of_others = params![merging_area(&alert.market), alert.home.as_str(), position, from.ms(), until.ms()];
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(of_others)?;
    while let Some(row) = rows.next()? {
        let (_, other) = with_position(row)?;
        let says_it = |other: &Alert| {
            other.withdrawn.is_none() && other.to <= alert.to && other.market.currency == alert.market.currency
        };
        if let Some(other) = intact(other).filter(says_it) {
            return Ok(Some(other.id));
        }
    }
    Ok(None)
}
