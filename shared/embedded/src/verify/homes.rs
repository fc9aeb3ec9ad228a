//! Homes, and the alerts and changes of theirs, compared with their observations.

use rusqlite::Row;
use rustc_hash::{FxHashMap, FxHashSet};
use stoop_domain::{Alert, Home, HomeId, Market, Observation, Time};
use stoop_market::{Cells, Zones, contribution};
use stoop_pipeline::check_home;
use stoop_pipeline::ports::{Change, HomeImage};
use stoop_rules::Rules;
use stoop_wire::{home_from_bytes, home_to_bytes};

use super::{StoredPositions, Verified};
use crate::database::Database;
use crate::error::Result;
use crate::feed;
use crate::ledgers::verdict_name;
use crate::partitions::ByMarket;

/// A part of the homes, recomputed.
#[derive(Default)]
pub(super) struct RecomputedHomes {
    pub(super) homes: FxHashMap<HomeId, Home>,
    /// The observations of homes with alerts or waiting changes.
    pub(super) relevant: FxHashMap<HomeId, Vec<Observation>>,
    /// The IDs of alerts in the ledger.
    pub(super) known: FxHashSet<String>,
    /// Homes with waiting changes, which are not fully judged yet.
    pub(super) waiting: FxHashSet<HomeId>,
}

impl Database {
    pub(super) fn changes_of(
        &self,
        part: usize,
        stored: &StoredPositions,
        homes: &mut RecomputedHomes,
        found: &mut Verified,
    ) -> Result<FxHashMap<HomeId, Vec<(i64, Change)>>> {
        let mut changes: FxHashMap<HomeId, Vec<(i64, Change)>> = FxHashMap::default();
        for seq in stored.changes.get(part).into_iter().flatten() {
            match self.rows("SELECT seq, home, old, new FROM changes WHERE seq = ?1", [seq], feed::change) {
                Ok(rows) => rows.into_iter().for_each(|(seq, change)| {
                    homes.relevant.entry(change.home.clone()).or_default();
                    homes.waiting.insert(change.home.clone());
                    changes.entry(change.home.clone()).or_default().push((seq, change));
                }),
                Err(error) => found.note(Err(format!("the change {seq} on the change feed cannot be read: {error}"))),
            }
        }
        Ok(changes)
    }

    pub(super) fn alerts_of(
        &self,
        part: usize,
        stored: &StoredPositions,
        homes: &mut RecomputedHomes,
        found: &mut Verified,
    ) -> Result<Vec<(Alert, Option<i64>)>> {
        let mut alerts = Vec::new();
        for seq in stored.alerts.get(part).into_iter().flatten() {
            let sql = "SELECT id, at, verdict, body, rules FROM alerts WHERE seq = ?1";
            let read = |row: &Row<'_>| {
                let columns: (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok((columns, serde_json::from_str::<Alert>(row.get_ref(3)?.as_str()?)?, row.get(4)?))
            };
            let rows = self.rows(sql, [seq], read).unwrap_or_else(|error| {
                found.note(Err(format!("the alert at position {seq} is damaged: {error}")));
                Vec::new()
            });
            for (columns, alert, rules) in rows {
                let expected = (alert.id.0.clone(), alert.at.ms(), verdict_name(&alert.verdict).to_owned());
                if columns != expected {
                    let id = &columns.0;
                    found.note(Err(format!(
                        "the columns of the alert {id} differ: stored {columns:?}, expected {expected:?}"
                    )));
                }
                homes.known.insert(columns.0);
                homes.relevant.entry(alert.home.clone()).or_default();
                alerts.push((alert, rules));
            }
        }
        Ok(alerts)
    }

    /// Compares a stored home and removes it from `homes`.
    pub(super) fn check_stored_home(&self, row: i64, homes: &mut RecomputedHomes, found: &mut Verified) -> Result<()> {
        type Columns = (Option<String>, Option<String>, Option<i64>, Option<i64>);
        let sql = "SELECT id, body, market, status, list_price, last_seen FROM homes WHERE rowid = ?1";
        let read = |row: &Row<'_>| -> Result<(HomeId, Vec<u8>, Columns)> {
            let columns = (row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?);
            Ok((HomeId(row.get_ref(0)?.as_str()?.into()), row.get(1)?, columns))
        };
        for (id, body, columns) in self.rows(sql, [row], read)? {
            let Some(home) = homes.homes.remove(&id) else {
                found.note(Err(format!("home {id} is stored, but no observation of it is")));
                continue;
            };
            let recomputed = home_to_bytes(&home);
            if recomputed != body {
                found.note(match home_from_bytes(&body) {
                    Err(error) => Err(format!("home {id} cannot be read: {error}")),
                    Ok(stored) => check_home(&id, &stored, &home)
                        .and_then(|()| Err(format!("the bytes of home {id} are not in canonical form"))),
                });
            }
            let HomeImage { market, status, list_price, last_seen, .. } = HomeImage::of(&home, recomputed);
            let expected: Columns = (
                market.map(|market| market.to_string()),
                status.map(|status| status.as_str().to_owned()),
                list_price.map(|price| price.0),
                last_seen.map(Time::ms),
            );
            let names = ["market", "status", "list_price", "last_seen"];
            let show = |columns: Columns| {
                [
                    format!("{:?}", columns.0),
                    format!("{:?}", columns.1),
                    format!("{:?}", columns.2),
                    format!("{:?}", columns.3),
                ]
            };
            let pairs = show(columns).into_iter().zip(show(expected));
            for (name, (stored, expected)) in
                names.iter().zip(pairs).filter(|(_, (stored, expected))| stored != expected)
            {
                found.note(Err(format!(
                    "the column {name} of home {id} differs: stored {stored}, recomputed {expected}"
                )));
            }
        }
        Ok(())
    }
}

impl RecomputedHomes {
    /// Checks that an alert is not marked as withdrawn if its home has it; counts those that lack the mark.
    pub(super) fn check_mark(&self, alert: &Alert, rules: &Rules, found: &mut Verified) {
        let Some(home) = self.homes.get(&alert.home).filter(|_| !self.waiting.contains(&alert.home)) else { return };
        match (alert.withdrawn, rules.stands(alert, home)) {
            (None, false) => found.alerts_unmarked += 1,
            (Some(_), true) if found.alerts_complete => {
                let Alert { id, home, .. } = alert;
                found.note(Err(format!("the alert {id} of home {home} is marked as withdrawn, but the home has it")));
            }
            _ => {}
        }
    }

    /// Reports alerts that follow from the rules and are not in the ledger.
    pub(super) fn check_no_alert_missing(&self, rules: &Rules, found: &mut Verified) {
        let mut missing = Vec::new();
        for (id, home) in self.homes.iter().filter(|(id, _)| !self.waiting.contains(*id)) {
            let standing = rules.standing(id, home).into_iter();
            missing.extend(
                standing.map(|alert| alert.id).filter(|alert| !self.known.contains(&alert.0)).map(|alert| (id, alert)),
            );
        }
        missing.sort_unstable();
        for (home, alert) in missing {
            found.note(Err(format!("the alert {alert} of home {home} is not in the ledger")));
        }
    }
}

/// Stores the contributions of the homes of a part by market.
pub(super) fn put_contributions(part: &RecomputedHomes, sums: &mut ByMarket, zones: &mut Zones) -> Result<()> {
    let mut markets: FxHashMap<Market, Cells> = FxHashMap::default();
    for home in part.homes.values() {
        for (market, delta) in contribution(&home.history, zones).into_deltas() {
            drop(markets.entry(market).or_default().add(&delta));
        }
    }
    markets.iter().try_for_each(|(market, cells)| sums.put(&market.to_string(), &cells.to_bytes()))
}
