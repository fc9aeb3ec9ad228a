//! Reads a sample with its own draft: counts the rows that each field fills, and the rows that it refuses.

use std::collections::BTreeMap;

use stoop_domain::{Address, Reason, RefusedValue, Time};

use super::column::ratio;
use super::guess::{Chosen, quoted};
use super::sample::{Sample, SampleRows};
use super::shapes::{Dates, dates};
use super::vocabulary::FIELDS;
use stoop_sources::declared::{Map, RowBytes, RowError, RowOutcome};

/// Results of reading the sample with the draft.
#[derive(Clone, Debug, Default)]
pub struct Proof {
    /// Rows read with the draft.
    pub rows: usize,
    /// Rows that could be read, valid or not.
    pub read: usize,
    /// Rows that became valid listings.
    pub understood: usize,
    /// Rows in which a field is known, by its name in maps.
    pub filled: BTreeMap<&'static str, usize>,
    /// Rows whose place the gazetteer found in the line of the address.
    pub placed: usize,
    /// Rows that are refused, or values of them, by field or reason, with the message of the first.
    pub refused: BTreeMap<String, (usize, String)>,
}

/// A time after all others, so that no row is in the future: the age of the sample is unknown.
const NOW_MS: i64 = 253_370_764_800_000;

pub(super) fn prove(map: &Map, sample: &Sample, file_name: &str) -> Proof {
    let mut proof = Proof { rows: sample.looked_at(), ..Proof::default() };
    let now = Time::from_ms(NOW_MS);
    match &sample.rows {
        SampleRows::Json(rows) => {
            let mut reader = map.bind_json();
            for row in rows {
                let bytes = row.to_string();
                proof.take(reader.read(RowBytes::Json(bytes.as_bytes()), file_name, now), now);
            }
        }
        SampleRows::Csv(headers, rows) => match map.bind_csv(headers) {
            Ok(mut reader) => {
                for row in rows {
                    proof.take(reader.read(RowBytes::Csv(row), file_name, now), now);
                }
            }
            Err(errors) => {
                proof.refused.insert("columns".to_owned(), (rows.len(), errors.to_string()));
            }
        },
    }
    proof
}

impl Proof {
    /// Rows in which an asking or a closing price is known.
    #[must_use]
    pub fn prices(&self) -> usize {
        let of = |field: &str| self.filled.get(field).copied().unwrap_or(0);
        of("list_price").max(of("close_price"))
    }

    /// Rows that this field refuses; `None` if it refuses none.
    pub(super) fn refused_by(&self, field: &str) -> Option<usize> {
        self.refused.get(field).map(|(rows, _)| *rows)
    }

    fn take(&mut self, read: Result<RowOutcome, RowError>, now: Time) {
        match read {
            Ok(RowOutcome::Skipped) => {}
            Ok(RowOutcome::Observation(mut observation, refused)) => {
                self.read += 1;
                let before = observation.listing.address.clone();
                for (name, value) in stoop_domain::fields(&observation.listing) {
                    // Maps name fields of addresses and details without their parents.
                    let name = name.rsplit('.').next().unwrap_or(name);
                    *self.filled.entry(name).or_default() += usize::from(value.is_some());
                }
                for name in ["native_id", "purpose", "currency", "status"] {
                    *self.filled.entry(name).or_default() += 1;
                }
                *self.filled.entry("observed_at").or_default() += usize::from(observation.at != now);
                match observation.check(now) {
                    Ok(more) => {
                        self.understood += 1;
                        self.placed(&before, &observation.listing.address);
                        for RefusedValue { reason, detail } in refused.into_iter().chain(more) {
                            self.refuse(reason, &detail);
                        }
                    }
                    Err((reason, detail)) => self.refuse(reason, &detail),
                }
            }
            Err(RowError { reason, detail }) => self.refuse(reason, &detail),
        }
    }

    /// Counts what the gazetteer found in the line of an address.
    fn placed(&mut self, before: &Address, after: &Address) {
        self.placed += usize::from(after.derived);
        for (name, before, after) in [
            ("city", &before.city, &after.city),
            ("region", &before.region, &after.region),
            ("postal_code", &before.postal_code, &after.postal_code),
        ] {
            *self.filled.entry(name).or_default() += usize::from(before.is_none() && after.is_some());
        }
    }

    /// Why a row is refused, or a value of it, begins with the name of the field, if any.
    fn refuse(&mut self, reason: Reason, detail: &str) {
        let field = detail.split(':').next().filter(|name| FIELDS.iter().any(|field| field.name == *name));
        let key = field.map_or_else(|| reason.to_string(), str::to_owned);
        let entry = self.refused.entry(key).or_insert_with(|| (0, detail.to_owned()));
        entry.0 += 1;
    }
}

/// Fields that refuse a row if they are mapped but missing.
const VITAL: [&str; 6] = ["native_id", "observed_at", "purpose", "currency", "status", "list_price"];

/// Makes the fields that refuse rows lenient or removes them; `None` if there is nothing to change.
pub(super) fn mend(chosen: &Chosen, proof: &Proof) -> Option<Chosen> {
    let mut better = chosen.clone();
    let mut is_better = false;
    for (field, (count, example)) in &proof.refused {
        let Some(at) = better.sure.iter().position(|guess| guess.field == field) else { continue };
        let share = ratio(*count, proof.rows);
        let vital = VITAL.contains(&field.as_str());
        if !vital && share < 0.3 {
            better.sure[at].be_lenient();
            is_better = true;
        } else if !vital || field == "observed_at" || (field == "status" && share > 0.98) {
            let guess = better.sure.remove(at);
            better.unsure.push(guess.doubted(format!("It refuses {count} of {} rows: {example}.", proof.rows)));
            is_better = true;
        }
    }
    is_better.then_some(better)
}

/// Whether times in the sample lack a zone.
pub(super) fn is_zoneless(sample: &Sample, chosen: &Chosen) -> bool {
    let zoneless = |name: &String| {
        let column = sample.columns.iter().find(|column| column.name == *name);
        column.and_then(dates).is_some_and(|found| found.zoneless)
    };
    let moments = ["observed_at", "listed_at", "price_changed_at"];
    let mut read = chosen.sure.iter().filter(|guess| moments.contains(&guess.field));
    read.any(|guess| guess.keys.iter().any(|(key, _)| *key == "file_name") || guess.columns.iter().any(zoneless))
}

/// Whether rows are not sorted by time.
pub(super) fn is_unordered(sample: &Sample, chosen: &Chosen) -> bool {
    let Some(guess) = chosen.sure.iter().find(|guess| guess.field == "observed_at") else { return false };
    let column = sample.columns.iter().find(|column| guess.columns.contains(&column.name));
    let reads = |format: &str| guess.keys.iter().any(|(key, value)| *key == "date" && *value == quoted(format));
    let sorted =
        |found: Dates| found.swapped.filter(|(format, _)| reads(format)).map_or(found.sorted, |(_, sorted)| sorted);
    column.and_then(dates).is_some_and(|found| !sorted(found))
}
