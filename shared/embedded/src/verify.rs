//! Recomputes all stored results from the lake and compares them.

mod homes;
mod markets;
mod merged;

use std::collections::BTreeMap;

use stoop_domain::{HomeId, Time};
use stoop_market::Zones;
use stoop_pipeline::ports::PortError;
use stoop_pipeline::{check_alert, check_changes};
use stoop_rules::Rules;

use crate::check_rollups::check_areas;
use crate::database::{Database, file_bytes};
use crate::error::Result;
use crate::failure::Failure;
use crate::lake::LakeFile;
use crate::partitions::{ByMarket, Partitions};
use homes::{RecomputedHomes, put_contributions};

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
    /// Homes that are counted in place of their listings.
    pub merged_homes: u64,
    /// Counties with changes whose listings are not merged yet. Not a difference: the next pass does it. Their merged homes were
    /// not checked, other than that the markets have the stored corrections.
    pub counties_unmerged: u64,
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
struct StoredPositions {
    /// Row IDs.
    homes: Vec<Vec<i64>>,
    /// Positions in the ledger.
    alerts: Vec<Vec<i64>>,
    /// Positions on the change feed.
    changes: Vec<Vec<i64>>,
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
                return Err(Failure::stopped());
            }
            let mut homes = RecomputedHomes::default();
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
        self.check_merged(&mut sums, found, stop)?;
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
    fn assign_parts(&self, lake: &Partitions, found: &mut Verified) -> Result<StoredPositions> {
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
        let stored = StoredPositions {
            homes: assign("SELECT rowid, id FROM homes ORDER BY rowid", "", &mut homes)?,
            alerts: assign(
                "SELECT seq, coalesce(json_extract(body, '$.home'), '?') FROM alerts WHERE json_valid(body) ORDER BY seq",
                "an alert of ",
                &mut alerts,
            )?,
            changes: assign("SELECT seq, home FROM changes ORDER BY seq", "a change of ", &mut others)?,
        };
        for damaged in
            self.rows("SELECT seq FROM alerts WHERE NOT json_valid(body)", [], |row| Ok(row.get::<_, i64>(0)?))?
        {
            alerts += 1;
            found.note(Err(format!("the alert at position {damaged} is damaged: it is not JSON")));
        }
        (found.homes, found.alerts) = (homes, alerts);
        Ok(stored)
    }
}
