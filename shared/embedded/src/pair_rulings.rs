//! What people ruled on pairs of listings. A rebuild keeps it: it is not computed from the lake.

use std::collections::BTreeSet;

use async_trait::async_trait;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use stoop_domain::{HomeId, Time};
use stoop_identity::{PairRuling, PairRulings};
use stoop_pipeline::merging_area;
use stoop_pipeline::ports::{FailureKind, PairRulingLedger, PortError};

use crate::database::Database;
use crate::error::Result;
use crate::failure::Failure;
use crate::schema::{RULINGS, has_table};
use crate::unmerged::{check_one_generation, is_merging, mark};

impl Database {
    /// What people ruled on pairs of listings.
    ///
    /// # Errors
    /// If it cannot be read.
    pub fn pair_rulings(&self) -> Result<PairRulings, PortError> {
        rulings(&self.lock().connection).map_err(self.doing("read the rulings on listings"))
    }

    /// Stores a ruling on two listings, in the name of `by` and in place of an earlier one; `None` takes it back. Returns whether that changed
    /// anything. A rebuild keeps rulings.
    ///
    /// # Errors
    /// If a listing is not stored, if they are the same one or in two counties, or if it cannot be stored.
    pub fn rule_on_pair(
        &self,
        a: &HomeId,
        b: &HomeId,
        ruling: Option<PairRuling>,
        by: &str,
        now: Time,
    ) -> Result<bool, PortError> {
        let rule = || -> Result<bool> {
            let (a, b) = if a < b { (a, b) } else { (b, a) };
            let refused = |why: String| Err(Failure::boxed(FailureKind::Refused, why));
            if a == b {
                return refused(format!("{a} is one listing; accepted: two listings"));
            }
            let mut inner = self.lock();
            let transaction = inner.connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let county_of = |id: &HomeId| -> Result<Option<String>> {
                let sql = "SELECT market FROM homes WHERE id = ?1";
                let market: Option<Option<String>> =
                    transaction.prepare_cached(sql)?.query_row([id.as_str()], |row| row.get(0)).optional()?;
                Ok(market.flatten().map(|market| market.parse()).transpose()?.as_ref().map(merging_area))
            };
            let mut counties = BTreeSet::new();
            for id in [a, b] {
                match county_of(id)? {
                    Some(county) => drop(counties.insert(county)),
                    None => {
                        return refused(format!(
                            "no listing {id} is counted in a market; accepted: an ID like SOURCE/ID, as lists have it"
                        ));
                    }
                }
            }
            if let (Some(first), Some(second)) = (counties.first(), counties.last())
                && first != second
            {
                return refused(format!(
                    "they are in two counties, {first} and {second}: listings are merged within one"
                ));
            }
            let merges = is_merging(&transaction)?;
            if merges {
                check_one_generation(&transaction)?;
            }
            transaction.execute_batch(RULINGS)?;
            let changed = match ruling {
                Some(ruling) => {
                    let sql = "INSERT INTO pair_rulings(a, b, ruling, at, by) VALUES(?1, ?2, ?3, ?4, ?5)
                               ON CONFLICT DO UPDATE SET ruling = excluded.ruling, at = excluded.at, by = excluded.by
                               WHERE ruling <> excluded.ruling";
                    transaction.execute(sql, params![a.as_str(), b.as_str(), name_of(ruling), now.ms(), by])?
                }
                None => {
                    let sql = "DELETE FROM pair_rulings WHERE a = ?1 AND b = ?2";
                    transaction.execute(sql, params![a.as_str(), b.as_str()])?
                }
            };
            if merges {
                counties.iter().try_for_each(|county| mark(&transaction, county))?;
            }
            transaction.commit()?;
            Ok(changed > 0)
        };
        rule().map_err(self.doing("rule on two listings"))
    }
}

#[async_trait]
impl PairRulingLedger for Database {
    async fn rule_pair(
        &self,
        (a, b): (&HomeId, &HomeId),
        ruling: Option<PairRuling>,
        by: &str,
        now: Time,
    ) -> Result<bool, PortError> {
        let is_changed = self.rule_on_pair(a, b, ruling, by, now)?;
        self.merge_listings(&|| false)?;
        Ok(is_changed)
    }
}

/// See [`Database::pair_rulings`].
pub(crate) fn rulings(connection: &Connection) -> Result<PairRulings> {
    let mut rulings = PairRulings::default();
    if !has_table(connection, "pair_rulings")? {
        return Ok(rulings);
    }
    let mut statement = connection.prepare_cached("SELECT a, b, ruling FROM pair_rulings")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = row.get_ref(2)?.as_str()?;
        let ruling = [PairRuling::OneHome, PairRuling::TwoHomes].into_iter().find(|ruling| name_of(*ruling) == name);
        let ruling = ruling.ok_or_else(|| format!("{name:?} is no ruling"))?;
        rulings.rule(HomeId(row.get_ref(0)?.as_str()?.into()), HomeId(row.get_ref(1)?.as_str()?.into()), ruling);
    }
    Ok(rulings)
}

/// The name of a ruling in the table.
fn name_of(ruling: PairRuling) -> &'static str {
    match ruling {
        PairRuling::OneHome => "one home",
        PairRuling::TwoHomes => "two homes",
    }
}
