//! Merged homes: compared with what joining the stored listings gives, and added to the sums of the markets.

use super::Verified;
use crate::database::Database;
use crate::error::Result;
use crate::merging::{all_counties, expected_and_stored};
use crate::partitions::ByMarket;
use crate::unmerged::merging;

impl Database {
    /// Adds the stored corrections to the sums, and compares merged homes with the stored listings. Does nothing if each listing
    /// counts.
    pub(super) fn check_merged(
        &self,
        sums: &mut ByMarket,
        found: &mut Verified,
        stop: &dyn Fn() -> bool,
    ) -> Result<()> {
        let merging = merging(&self.lock().connection)?;
        let Some(merging) = merging else { return Ok(()) };
        self.each_row("SELECT market, body FROM corrections", |row| {
            sums.put(row.get_ref(0)?.as_str()?, row.get_ref(1)?.as_blob()?)
        })?;
        let homes =
            self.rows("SELECT count(DISTINCT home) FROM merged_listings", [], |row| Ok(row.get::<_, i64>(0)?))?;
        found.merged_homes = homes.into_iter().next().unwrap_or_default().cast_unsigned();
        let counties = all_counties(&self.lock().connection)?;
        for county in counties {
            if stop() {
                return Err(crate::failure::Failure::stopped());
            }
            let compared = expected_and_stored(&self.lock().connection, &merging, &county)?;
            match compared {
                Some((expected, stored)) => {
                    let difference = stored.first_difference(&expected);
                    found.note(difference.map_or(Ok(()), |what| Err(format!("{county}: {what}"))));
                }
                None => found.counties_unmerged += 1,
            }
        }
        Ok(())
    }
}
