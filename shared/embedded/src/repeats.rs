//! Alerts of homes with several listings: which say nothing new, and where else the home is shown.

use rusqlite::{Connection, params};
use stoop_domain::{Alert, AlertId, AlertListing, Home, HomeId, Time};
use stoop_pipeline::merging_area;
use stoop_wire::home_from_bytes;

use crate::error::Result;
use crate::ledgers::{intact, with_position};
use crate::store::home;
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
        if let Some(other) = intact(other).filter(|other| alert.is_said_by(other)) {
            return Ok(Some(other.id));
        }
    }
    Ok(None)
}

/// Adds the other listings of its home that are on offer or under contract, by ID, if each home counts once, and if the sources of
/// both let it be shown that they are of one home.
pub(crate) fn add_other_listings(connection: &Connection, alert: &mut Alert) -> Result<()> {
    if !is_merging(connection)? {
        return Ok(());
    }
    let may_be_named = |home: &Home| home.may_be_shown() && home.others_may_be_shown();
    if !home(connection, &alert.home)?.is_some_and(|own| may_be_named(&own.value)) {
        return Ok(());
    }
    let sql = "SELECT homes.id, homes.body FROM merged_listings mine
               JOIN merged_listings other INDEXED BY merged_by_home ON other.county = mine.county AND other.home = mine.home
               JOIN homes ON homes.id = other.listing
               WHERE mine.county = ?1 AND mine.listing = ?2 AND other.listing <> ?2 ORDER BY homes.id";
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([merging_area(&alert.market).as_str(), alert.home.as_str()])?;
    while let Some(row) = rows.next()? {
        let home = home_from_bytes(row.get_ref(1)?.as_blob()?)?;
        let listing = HomeId(row.get_ref(0)?.as_str()?.into());
        alert.other_listings.extend(AlertListing::of(&listing, &home, alert.market.currency));
    }
    Ok(())
}
