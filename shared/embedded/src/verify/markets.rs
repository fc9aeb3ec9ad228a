//! Markets, compared with the sums of the contributions of their homes.

use rusqlite::{OptionalExtension, Row, params};
use stoop_domain::Market;
use stoop_market::Cells;
use stoop_pipeline::check_market;

use super::Verified;
use crate::database::Database;
use crate::error::Result;
use crate::partitions::{ByMarket, sum_up};
use crate::store;

impl Database {
    /// Compares the stored markets with the sums of the contributions.
    pub(super) fn check_markets(&self, sums: &mut ByMarket, found: &mut Verified) -> Result<()> {
        let mut ids: Vec<Vec<String>> = vec![Vec::new(); sums.count()];
        for id in self.rows("SELECT id FROM markets ORDER BY id", [], |row| Ok(row.get::<_, String>(0)?))? {
            found.markets += 1;
            let bucket = sums.bucket_of(&id);
            ids[bucket].push(id);
        }
        for table in ["bases", "tails", "archives"] {
            let sql = format!("SELECT DISTINCT market FROM {table} WHERE market NOT IN (SELECT id FROM markets)");
            for id in self.rows(&sql, [], |row| Ok(row.get::<_, String>(0)?))? {
                found.note(Err(format!("the table {table} has rows of market {id}, which is not stored")));
            }
        }
        for (bucket, ids) in ids.into_iter().enumerate() {
            let mut recomputed = sum_up(sums, bucket)?;
            for id in ids {
                let sum = recomputed.remove(&id).unwrap_or_default();
                let outcome = self.check_stored_market(&id, sum);
                found.note(outcome.unwrap_or_else(|error| Err(format!("market {id} cannot be read: {error}"))));
            }
            for (id, _) in recomputed.into_iter().filter(|(_, cells)| !cells.is_empty()) {
                found.note(Err(format!("market {id} has homes, but is not stored")));
            }
        }
        Ok(())
    }

    fn check_stored_market(&self, id: &str, sum: Cells) -> Result<Result<(), String>> {
        let market: Market = id.parse()?;
        let inner = self.lock();
        let Some(stored) = store::market(&inner.connection, &market)? else {
            return Ok(Err(format!("market {id} is stored without a state")));
        };
        let archive = store::archive(&inner.connection, &market)?;
        if let Err(difference) = check_market(&market, &stored.value, &archive, sum) {
            return Ok(Err(difference));
        }
        let sql = "SELECT version, base_bytes, tail_bytes, (SELECT length(body) FROM bases WHERE market = ?1),
                   (SELECT coalesce(sum(length(body)), 0) FROM tails WHERE market = ?1) FROM markets WHERE id = ?1";
        type Sizes = (u64, i64, i64);
        let sizes: Option<(Sizes, Sizes)> = inner
            .connection
            .prepare_cached(sql)?
            .query_row(params![id], |row| {
                let version = row.get::<_, i64>(0)?.cast_unsigned();
                Ok(((version, row.get(1)?, row.get(2)?), (stored.version, row.get(3)?, row.get(4)?)))
            })
            .optional()?;
        let in_periods = |row: &Row<'_>| -> rusqlite::Result<(i32, Vec<u8>)> { Ok((row.get(0)?, row.get(1)?)) };
        let mut periods = inner.connection.prepare_cached("SELECT period, body FROM archives WHERE market = ?1")?;
        for row in periods.query_map([id], in_periods)? {
            let (period, body) = row?;
            if Cells::from_bytes(&body)?.into_periods().keys().any(|known| *known != period) {
                return Ok(Err(format!("the archive of market {id} has days of another period in period {period}")));
            }
        }
        Ok(match sizes {
            Some((stored, counted)) if stored != counted => {
                let what = "version, bytes of the base, bytes of the tails";
                Err(format!("the columns ({what}) of market {id} differ: stored {stored:?}, counted {counted:?}"))
            }
            _ => Ok(()),
        })
    }
}
