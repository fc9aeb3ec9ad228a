//! The sums of wide areas that a reader read of the same commits: most pages need those of the country and of the states, and beside
//! a live pipeline each is the sum of what is stored and of the cities that wait to be rolled up.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, MAIN_DB};
use stoop_domain::Day;
use stoop_market::Wide;
use stoop_pipeline::WideArea;

use crate::error::Result;
use crate::stored_sums::Parts;

/// Coordinates of all sums: at 16 bytes each, some 8 MB. A sum that does not fit takes the place of all others.
const COORDINATES_MAX: usize = 1 << 19;

/// What a sum takes besides its coordinates, as so many: its key, and that there is none, take memory too.
const SUM_COORDINATES: usize = 64;

/// An area, the day of its figures, and what is read of it.
pub(crate) type SumKey = (WideArea, Day, Parts);

#[derive(Default)]
pub(crate) struct RecentSums(Mutex<Recent>);

#[derive(Default)]
struct Recent {
    /// The commits that they are of, as SQLite counts them.
    version: i64,
    sums: BTreeMap<SumKey, Option<Wide>>,
    coordinates: usize,
}

impl RecentSums {
    /// The sum as `read` reads it, or as it read it before in a transaction that saw the same commits. Through a handle that may
    /// write, or outside of a transaction, it is always read: there SQLite's count does not say that nothing changed.
    pub(crate) fn known(
        &self,
        connection: &Connection,
        key: SumKey,
        read: impl FnOnce() -> Result<Option<Wide>>,
    ) -> Result<Option<Wide>> {
        if connection.is_autocommit() || !connection.is_readonly(MAIN_DB)? {
            return read();
        }
        let version: i64 = connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = Some(lock()).filter(|recent| recent.version == version)
            && let Some(sum) = known.sums.get(&key)
        {
            return Ok(sum.clone());
        }
        let sum = read()?;
        let mut recent = lock();
        if recent.version != version {
            *recent = Recent { version, ..Recent::default() };
        }
        recent.put(key, sum.clone());
        Ok(sum)
    }
}

impl Recent {
    fn put(&mut self, key: SumKey, sum: Option<Wide>) {
        let coordinates = SUM_COORDINATES + sum.as_ref().map_or(0, Wide::len);
        if self.coordinates + coordinates > COORDINATES_MAX {
            *self = Self { version: self.version, ..Self::default() };
        }
        self.coordinates += coordinates;
        self.sums.insert(key, sum);
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]
mod tests {
    use stoop_domain::Market;
    use stoop_pipeline::WideLevel;

    use super::*;

    #[test]
    fn sums_that_are_not_there_are_bounded_too() {
        let market: Market = "us/wa/king/-/98101:sale:USD".parse().unwrap();
        let area = WideArea::of(&market, WideLevel::Region);
        let mut recent = Recent::default();
        let days = i32::try_from(COORDINATES_MAX / SUM_COORDINATES).unwrap();
        for day in 0..days + 9 {
            recent.put((area.clone(), Day(day), Parts::Now), None);
        }
        assert_eq!((recent.sums.len(), recent.coordinates), (9, 9 * SUM_COORDINATES));
    }
}
