//! Recomputes all stored results from the lake and compares them.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Row, params};
use rustc_hash::{FxHashMap, FxHashSet};
use stoop_domain::{Alert, Home, HomeId, Market, Observation, Time};
use stoop_market::{Cells, Zones, contribution};
use stoop_pipeline::ports::{Change, HomeImage, PortError};
use stoop_pipeline::{check_alert, check_changes, check_home, check_market};
use stoop_rules::Rules;
use stoop_wire::{home_from_bytes, home_to_bytes};

use crate::check_rollups::check_areas;
use crate::database::{Database, file_bytes};
use crate::error::Result;
use crate::feed;
use crate::lake::LakeFile;
use crate::ledgers::verdict_name;
use crate::partitions::{ByMarket, Partitions};
use crate::store;

/// The number of differences that are described; further ones are only counted.
const NAMED_MAX: usize = 100;

/// The result of [`Database::verify`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Observations in the lake.
    pub observations: u64,
    /// Stored homes.
    pub homes: u64,
    /// Stored markets.
    pub markets: u64,
    /// Stored sums of wide areas.
    pub areas: u64,
    /// Alerts in the ledger.
    pub alerts: u64,
    /// Alerts that are marked as withdrawn.
    pub alerts_withdrawn: u64,
    /// Alerts that are not marked, though their homes, as known now, do not have them by the alerts' own rules. Not a
    /// difference: earlier versions marked none, and after new rules only `stoop judge --send` compares by the old ones.
    pub alerts_unmarked: u64,
    /// Alerts whose rules are not known. They were not checked.
    pub alerts_unchecked: u64,
    /// Files in the folder of the lake that the database does not name, each a difference: see [`Database::unknown_files`].
    pub files_unknown: u64,
    /// Whether missing alerts were searched. New rules apply to the past only on request, so this requires that there
    /// were no other rules.
    pub alerts_complete: bool,
    /// The number of differences.
    pub different: u64,
    /// Describes the first differences.
    pub differences: Vec<String>,
}

impl Verified {
    fn note(&mut self, outcome: Result<(), String>) {
        if let Err(difference) = outcome {
            self.different += 1;
            if self.differences.len() < NAMED_MAX {
                self.differences.push(difference);
            }
        }
    }
}

/// The positions of the stored items of each part.
#[derive(Default)]
struct Stored {
    /// Row IDs.
    homes: Vec<Vec<i64>>,
    /// Positions in the ledger.
    alerts: Vec<Vec<i64>>,
    /// Positions on the change feed.
    changes: Vec<Vec<i64>>,
}

/// A part of the homes, recomputed.
#[derive(Default)]
struct Part {
    homes: FxHashMap<HomeId, Home>,
    /// The observations of homes with alerts or waiting changes.
    relevant: FxHashMap<HomeId, Vec<Observation>>,
    /// The IDs of alerts in the ledger.
    known: FxHashSet<String>,
    /// Homes with waiting changes, which are not fully judged yet.
    waiting: FxHashSet<HomeId>,
}

impl Database {
    /// Recomputes all stored results from the lake and compares them: homes and their columns, markets, archives,
    /// roll-ups, totals, alerts, and the changes that wait to be judged; and that the database names all files of the lake.
    /// Works on one snapshot: later commits are not seen.
    ///
    /// Takes memory for some ten thousand homes, and some bytes for each home. Other data is kept in a temporary file
    /// of the data folder.
    ///
    /// # Errors
    /// If something cannot be read at all, or if `stop`, which is called regularly, returns true.
    pub fn verify(&self, stop: &dyn Fn() -> bool) -> Result<Verified, PortError> {
        // Listed before the snapshot: one that is written later is in neither.
        let files = self.files_of_lake()?;
        self.reading(|| {
            let mut found = Verified::default();
            for LakeFile { path, rows, .. } in self.unknown_of(files)? {
                found.files_unknown += 1;
                found.note(Err(format!(
                    "the lake's file {path} with {rows} observations is not in the database, which is older than its lake or \
                     shares it with another"
                )));
            }
            let mut lake = Partitions::of_lake(self, 0, |_| true, stop)?;
            found.observations = lake.observations;
            let outcome = self.verify_all(&mut lake, &mut found, stop);
            outcome.map_err(self.doing("compare what is stored with the lake"))?;
            Ok(found)
        })
    }

    fn verify_all(&self, lake: &mut Partitions, found: &mut Verified, stop: &dyn Fn() -> bool) -> Result<()> {
        self.check_totals(lake, found)?;
        let rules = self.rules_ever()?;
        let unknown = self.rows("SELECT 1 FROM alerts WHERE rules IS NULL LIMIT 1", [], |_| Ok(()))?;
        found.alerts_complete = rules.len() == 1 && unknown.is_empty();
        let stored = self.assign_parts(lake, found)?;
        let mut sums = ByMarket::new(self.data(), lake.count())?;
        let mut zones = Zones::default();
        for part in 0..lake.count() {
            if stop() {
                return Err("stopped on request".into());
            }
            let mut homes = Part::default();
            let changes = self.changes_of(part, &stored, &mut homes, found)?;
            let alerts = self.alerts_of(part, &stored, &mut homes, found)?;
            lake.take(part, |id, observation| {
                homes.homes.entry(id.clone()).or_default().apply(&observation);
                if let Some(observations) = homes.relevant.get_mut(&id) {
                    observations.push(observation);
                }
                Ok(())
            })?;
            for (alert, judged_by) in &alerts {
                let observations = homes.relevant.get(&alert.home).map(Vec::as_slice).unwrap_or_default();
                found.alerts_withdrawn += u64::from(alert.withdrawn.is_some());
                match judged_by.and_then(|id| rules.get(&id)) {
                    Some(rules) => {
                        found.note(check_alert(alert, rules, observations));
                        homes.check_mark(alert, rules, found);
                    }
                    None if judged_by.is_some() => {
                        found.note(Err(format!("the rules that alert {} was judged by are not stored", alert.id)));
                    }
                    None => found.alerts_unchecked += 1,
                }
            }
            for (id, changes) in &changes {
                found.note(check_changes(changes, homes.relevant.get(id).map(Vec::as_slice).unwrap_or_default()));
            }
            if let (true, Some(rules)) = (found.alerts_complete, rules.values().next()) {
                homes.check_no_alert_missing(rules, found);
            }
            put_contributions(&homes, &mut sums, &mut zones)?;
            for row in stored.homes.get(part).into_iter().flatten() {
                self.check_stored_home(*row, &mut homes, found)?;
            }
            let mut left: Vec<&HomeId> = homes.homes.keys().collect();
            left.sort_unstable();
            left.into_iter().for_each(|id| found.note(Err(format!("home {id} has observations, but is not stored"))));
        }
        self.check_markets(&mut sums, found)?;
        let inner = self.lock();
        let count: i64 = inner.connection.query_row("SELECT count(*) FROM areas", [], |row| row.get(0))?;
        found.areas = count.cast_unsigned();
        check_areas(&inner.connection, &mut |outcome| found.note(outcome))
    }

    fn check_totals(&self, lake: &Partitions, found: &mut Verified) -> Result<()> {
        let sql = "SELECT lake_rows, newest, outbox_bytes, (SELECT coalesce(sum(length(body)), 0) FROM outbox),
                   (SELECT coalesce(sum(rows), 0) FROM lake_objects) + (SELECT coalesce(sum(rows), 0) FROM outbox)
                   FROM totals";
        let observations = i64::try_from(lake.observations)?;
        let newest = lake.newest.map(Time::ms);
        let totals = self.rows(sql, [], |row| {
            let stored: (i64, Option<i64>, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
            Ok((stored, (observations, newest, row.get(3)?), row.get::<_, i64>(4)?))
        })?;
        match totals.first() {
            None => found.note(Err("the totals are not stored".into())),
            Some((stored, recomputed, named)) => {
                if stored != recomputed {
                    let what = "observations, time of the newest, bytes that wait";
                    found
                        .note(Err(format!("the totals ({what}) differ: stored {stored:?}, recomputed {recomputed:?}")));
                }
                if *named != observations {
                    found.note(Err(format!("the lake's tables name {named} observations, but it has {observations}")));
                }
            }
        }
        for object in self.lake_objects()? {
            let bytes = file_bytes(&self.data().join(&object.path));
            if bytes != object.bytes {
                let (path, stored) = (object.path, object.bytes);
                found.note(Err(format!("the lake's file {path} has {bytes} bytes, and {stored} by the table")));
            }
        }
        Ok(())
    }

    /// All rules by which homes were ever judged.
    fn rules_ever(&self) -> Result<BTreeMap<i64, Rules>> {
        let rules = self.rows("SELECT id, body FROM rules", [], |row| {
            Ok((row.get(0)?, serde_json::from_str(row.get_ref(1)?.as_str()?)?))
        })?;
        Ok(rules.into_iter().collect())
    }

    /// Assigns all stored items to parts. Reports items of homes that are not in the lake.
    fn assign_parts(&self, lake: &Partitions, found: &mut Verified) -> Result<Stored> {
        let mut assign = |sql: &str, what: &str, count: &mut u64| -> Result<Vec<Vec<i64>>> {
            let mut parts = vec![Vec::new(); lake.count()];
            self.each_row(sql, |row| {
                *count += 1;
                let (position, home): (i64, String) = (row.get(0)?, row.get(1)?);
                match lake.part_of(&home) {
                    Some(part) => parts[part].push(position),
                    None => found.note(Err(format!("{what}home {home} is stored, but no observation of it is"))),
                }
                Ok(())
            })?;
            Ok(parts)
        };
        let (mut homes, mut alerts, mut others) = (0, 0, 0);
        let stored = Stored {
            homes: assign("SELECT rowid, id FROM homes ORDER BY rowid", "", &mut homes)?,
            alerts: assign(
                "SELECT seq, coalesce(json_extract(body, '$.home'), '?') FROM alerts ORDER BY seq",
                "an alert of ",
                &mut alerts,
            )?,
            changes: assign("SELECT seq, home FROM changes ORDER BY seq", "a change of ", &mut others)?,
        };
        (found.homes, found.alerts) = (homes, alerts);
        Ok(stored)
    }

    fn changes_of(
        &self,
        part: usize,
        stored: &Stored,
        homes: &mut Part,
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

    fn alerts_of(
        &self,
        part: usize,
        stored: &Stored,
        homes: &mut Part,
        found: &mut Verified,
    ) -> Result<Vec<(Alert, Option<i64>)>> {
        let mut alerts = Vec::new();
        for seq in stored.alerts.get(part).into_iter().flatten() {
            let sql = "SELECT id, at, verdict, body, rules FROM alerts WHERE seq = ?1";
            let read = |row: &Row<'_>| {
                let columns: (String, i64, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok((columns, serde_json::from_str::<Alert>(row.get_ref(3)?.as_str()?)?, row.get(4)?))
            };
            for (columns, alert, rules) in self.rows(sql, [seq], read)? {
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
    fn check_stored_home(&self, row: i64, homes: &mut Part, found: &mut Verified) -> Result<()> {
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

    /// Compares the stored markets with the sums of the contributions.
    fn check_markets(&self, sums: &mut ByMarket, found: &mut Verified) -> Result<()> {
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

    /// Passes rows to `visit` one by one.
    pub(crate) fn each_row(&self, sql: &str, mut visit: impl FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
        let inner = self.lock();
        let mut statement = inner.connection.prepare(sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            visit(row)?;
        }
        Ok(())
    }
}

impl Part {
    /// Checks that an alert is not marked as withdrawn if its home has it; counts those that lack the mark.
    fn check_mark(&self, alert: &Alert, rules: &Rules, found: &mut Verified) {
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
    fn check_no_alert_missing(&self, rules: &Rules, found: &mut Verified) {
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
fn put_contributions(part: &Part, sums: &mut ByMarket, zones: &mut Zones) -> Result<()> {
    let mut markets: FxHashMap<Market, Cells> = FxHashMap::default();
    for home in part.homes.values() {
        for (market, delta) in contribution(&home.history, zones).into_deltas() {
            drop(markets.entry(market).or_default().add(&delta));
        }
    }
    markets.iter().try_for_each(|(market, cells)| sums.put(&market.to_string(), &cells.to_bytes()))
}

/// The markets of a bucket with the sums of their contributions.
pub(crate) fn sum_up(sums: &mut ByMarket, bucket: usize) -> Result<BTreeMap<String, Cells>> {
    let mut markets: BTreeMap<String, Cells> = BTreeMap::new();
    sums.take(bucket, |market, body| {
        let cells = Cells::from_bytes(body)?;
        match markets.get_mut(market) {
            Some(sum) => sum.merge(&cells),
            None => drop(markets.insert(market.to_owned(), cells)),
        }
        Ok(())
    })?;
    Ok(markets)
}
