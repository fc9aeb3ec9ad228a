use std::collections::BTreeMap;
use std::hash::BuildHasher;

use rustc_hash::{FxBuildHasher, FxHashSet};
use serde::Serialize;
use stoop_domain::{Observation, Reason, Reject};
use stoop_pipeline::Measured;

use super::halt::Halt;
use crate::out::{self, say};
use crate::show::count;

/// Files mentioned individually in the notes.
const NOTES_MAX: usize = 3;

/// What a replay read and what it changed.
#[derive(Default)]
pub(super) struct Summary {
    pub(super) rows: u64,
    /// Rows that the map says are not listings.
    pub(super) skipped: u64,
    /// Rows outside `--from` and `--until`.
    pub(super) cut: u64,
    pub(super) quarantined: u64,
    /// Rows that were taken without some of their values.
    pub(super) flawed: u64,
    /// Those values.
    values_refused: u64,
    reasons: BTreeMap<Reason, u64>,
    pub(super) measured: Measured,
    pub(super) alerts: u64,
    pub(super) suspects: u64,
    /// Homes reported gone because snapshots lack them.
    pub(super) gone: u64,
    /// Other messages, at most [`NOTES_MAX`].
    pub(super) notes: Vec<String>,
    /// Observations with a price, asked or paid.
    pub(super) priced: u64,
    /// Hashes of the IDs of the homes seen.
    homes: FxHashSet<u64>,
}

/// The summary that `--json` prints.
#[derive(Serialize)]
struct Json<'a> {
    complete: bool,
    rows: u64,
    skipped: u64,
    outside_time: u64,
    observations: u64,
    new: u64,
    changed: u64,
    unchanged: u64,
    duplicates: u64,
    overfull: u64,
    quarantined: u64,
    values_refused: u64,
    reasons: BTreeMap<&'a str, u64>,
    priced: u64,
    homes: u64,
    gone: u64,
    price_changes: i64,
    drops: i64,
    rises: i64,
    alerts: u64,
    suspects: u64,
    changed_nothing: bool,
}

/// A hash of the home's ID.
pub(super) fn hash_of_home(observation: &Observation) -> u64 {
    FxBuildHasher.hash_one((&observation.source, &observation.native_id))
}

impl Summary {
    pub(super) fn note_home(&mut self, observation: &Observation) {
        let listing = &observation.listing;
        self.priced += u64::from(listing.list_price.is_some() || listing.close_price.is_some());
        self.homes.insert(hash_of_home(observation));
    }

    pub(super) fn note(&mut self, note: String) {
        match self.notes.len() {
            ..NOTES_MAX => self.notes.push(note),
            NOTES_MAX => self.notes.push("more files like that".to_owned()),
            _ => {}
        }
    }

    pub(super) fn refuse(&mut self, reject: &Reject) {
        self.quarantined += 1;
        *self.reasons.entry(reject.reason).or_default() += 1;
    }

    /// Counts the refused values of a row that is taken.
    pub(super) fn refuse_values(&mut self, rejects: &[Reject]) {
        self.flawed += 1;
        for reject in rejects {
            self.values_refused += 1;
            *self.reasons.entry(reject.reason).or_default() += 1;
        }
    }

    pub(super) fn reasons_in_words(&self) -> String {
        let words = self.reasons.iter().map(|(reason, n)| format!("{reason} {}", count(*n)));
        words.collect::<Vec<_>>().join(", ")
    }

    fn json(&self, halt: &Halt) -> Json<'_> {
        let measured = &self.measured;
        Json {
            complete: matches!(halt, Halt::End),
            rows: self.rows,
            skipped: self.skipped,
            outside_time: self.cut,
            observations: measured.observations,
            new: measured.new,
            changed: measured.changed,
            unchanged: measured.unchanged,
            duplicates: measured.duplicates,
            overfull: measured.overfull,
            quarantined: self.quarantined,
            values_refused: self.values_refused,
            reasons: self.reasons.iter().map(|(reason, n)| (reason.as_str(), *n)).collect(),
            priced: self.priced,
            homes: self.homes.len() as u64,
            gone: self.gone,
            price_changes: measured.price_cuts + measured.price_rises,
            drops: measured.price_cuts,
            rises: measured.price_rises,
            alerts: self.alerts,
            suspects: self.suspects,
            changed_nothing: measured.changed_nothing(),
        }
    }

    pub(super) fn counts(&self) -> BTreeMap<String, u64> {
        let measured = &self.measured;
        let whole = |n: i64| u64::try_from(n).unwrap_or(0);
        let pairs = [
            ("rows", self.rows),
            ("observations", measured.observations),
            ("new", measured.new),
            ("changed", measured.changed),
            ("duplicates", measured.duplicates),
            ("overfull", measured.overfull),
            ("rejects", self.quarantined),
            ("values_refused", self.values_refused),
            ("gone", self.gone),
            ("drops", whole(measured.price_cuts)),
            ("rises", whole(measured.price_rises)),
            ("alerts", self.alerts),
        ];
        pairs.into_iter().map(|(name, n)| (name.to_owned(), n)).collect()
    }

    pub(super) fn print(&self, json: bool, halt: &Halt) -> anyhow::Result<()> {
        if json {
            return out::json_line(&self.json(halt));
        }
        let measured = &self.measured;
        let line = |name: &str, value: u64, note: &str| {
            let gap = if note.is_empty() { "" } else { "  " };
            say!("{name:>14}  {:>12}{gap}{note}", count(value));
        };
        let signed = |name: &str, value: i64, note: &str| match u64::try_from(value) {
            Ok(value) => line(name, value, note),
            Err(_) => say!("{name:>14}  {value:>12}  {note}"),
        };
        if self.priced == 0 && measured.observations > 0 {
            say!("Warning: no row has a price. Without one a home is in no figure of prices.\n");
        }
        line("rows", self.rows, "");
        if self.skipped > 0 {
            line("skipped", self.skipped, "the map says: not listings");
        }
        if self.cut > 0 {
            line("outside", self.cut, "of --from and --until");
        }
        let parts = format!(
            "new {}, changed {}, seen again {}",
            count(measured.new),
            count(measured.changed),
            count(measured.unchanged)
        );
        line("observations", measured.observations, &parts);
        line("duplicates", measured.duplicates, "");
        if measured.overfull > 0 {
            line("overfull", measured.overfull, "IDs with too many observations to be homes: see `stoop quarantine`");
        }
        line("quarantined", self.quarantined, &self.reasons_in_words());
        if self.values_refused > 0 {
            line("values refused", self.values_refused, "their homes are counted without them: see `stoop quarantine`");
        }
        line("homes", self.homes.len() as u64, "");
        if self.gone > 0 {
            line("gone", self.gone, "a file lacks them");
        }
        signed("price changes", measured.price_cuts + measured.price_rises, "");
        signed("drops", measured.price_cuts, "");
        signed("rises", measured.price_rises, "");
        line("alerts", self.alerts, if self.suspects > 0 { "sent" } else { "" });
        line("suspects", self.suspects, if self.suspects > 0 { "held back: stoop alerts --suspect" } else { "" });
        match halt {
            Halt::End if measured.changed_nothing() && measured.observations > 0 => {
                say!("\nNothing changed: every observation was known already.");
            }
            Halt::Stopped => say!("\nStopped before the end; run it again to continue."),
            _ => {}
        }
        Ok(())
    }
}
