//! Shared by the tests that read real files with real maps.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stoop_domain::{Observation, Reason, Time};
use stoop_files::{Content, ReadOptions, open};
use stoop_sources::declared::{Map, RowBytes, RowError, RowOutcome, RowReader};

const MAP: &str = r#"
    name = "z"
    country = "AT"
    currency = "EUR"
    purpose = "sale"
    [fields]
    native_id = { from = "id" }
    list_price = { from = "price" }
    city = { constant = "Wien" }
"#;

/// The result of replaying files with a map.
#[derive(Default)]
pub struct Replay {
    pub rows: usize,
    pub skipped: usize,
    pub observations: Vec<Observation>,
    /// Location, reason and detail of each refused row.
    pub refused: Vec<(String, Reason, String)>,
    /// Reason and detail of each value that was left out of an observation.
    pub values: Vec<(Reason, String)>,
}

/// A map of two columns, `id` and `price`.
pub fn plain_map() -> Map {
    Map::parse(MAP, "z.toml").unwrap()
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// A folder of real data, if it exists.
pub fn data(folder: &str) -> Option<PathBuf> {
    let data = std::env::var_os("STOOP_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let folder = data.join(folder);
    if !folder.is_dir() {
        eprintln!("skipped: ../shared/data is not here");
        return None;
    }
    Some(folder)
}

/// The files of a folder whose names contain `part`, by name.
pub fn files(folder: &Path, part: &str) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = folder.read_dir().unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.file_name().unwrap().to_string_lossy().contains(part));
    files.sort();
    files
}

pub fn map(name: &str) -> Map {
    let text = std::fs::read_to_string(root().join("maps").join(name)).unwrap();
    Map::parse(&text, name).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Reads every row of `files` in order.
pub fn replay(map: &Map, files: &[PathBuf]) -> Replay {
    let mut replay = Replay::default();
    let now = Time::parse("2026-11-21T00:00:00Z").unwrap();
    for file in files {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let mut rows = open(file, &ReadOptions::of(map)).unwrap();
        let mut reader: RowReader = match rows.headers() {
            Some(headers) => map.bind_csv(headers).unwrap_or_else(|errors| panic!("{errors}")),
            None => map.bind_json(),
        };
        while let Some(row) = rows.next_row() {
            replay.rows += 1;
            let row = row.unwrap();
            let read = match row.content {
                Content::Json(bytes) => reader.read(RowBytes::Json(bytes), &name, now),
                Content::Csv(record) => reader.read(RowBytes::Csv(record), &name, now),
                Content::Comment(_) => Ok(RowOutcome::Skipped),
            };
            let checked = match read {
                Ok(RowOutcome::Skipped) => {
                    replay.skipped += 1;
                    continue;
                }
                Ok(RowOutcome::Observation(mut observation, refused)) => {
                    replay.values.extend(refused.into_iter().map(|value| (value.reason, value.detail)));
                    let checked = observation.check(now).map_err(|(reason, detail)| RowError { reason, detail });
                    checked.map(|refused| {
                        replay.values.extend(refused.into_iter().map(|value| (value.reason, value.detail)));
                        observation
                    })
                }
                Err(error) => Err(error),
            };
            match checked {
                Ok(observation) => replay.observations.push(observation),
                Err(error) => {
                    replay.refused.push((format!("{name}: {}", row.location), error.reason, error.detail));
                }
            }
        }
    }
    replay
}

impl Replay {
    pub fn homes(&self) -> usize {
        let ids: std::collections::BTreeSet<&str> = self.observations.iter().map(|o| &*o.native_id).collect();
        ids.len()
    }

    pub fn without_price(&self) -> usize {
        self.observations.iter().filter(|o| o.listing.list_price.is_none()).count()
    }

    /// The number of refused rows by reason.
    pub fn reasons(&self) -> BTreeMap<Reason, usize> {
        let mut reasons = BTreeMap::new();
        for (_, reason, _) in &self.refused {
            *reasons.entry(*reason).or_default() += 1;
        }
        reasons
    }

    /// Changes of the last seen price by ID in the order of reading, counted in a simple way: drops, rises, to
    /// unspecified, from unspecified.
    pub fn changes(&self) -> [usize; 4] {
        let mut latest = BTreeMap::new();
        let mut changes = [0; 4];
        for observation in &self.observations {
            let price = observation.listing.list_price;
            match (latest.insert(&observation.native_id, price), price) {
                (Some(Some(from)), Some(to)) if to < from => changes[0] += 1,
                (Some(Some(from)), Some(to)) if to > from => changes[1] += 1,
                (Some(Some(_)), None) => changes[2] += 1,
                (Some(None), Some(_)) => changes[3] += 1,
                _ => {}
            }
        }
        changes
    }
}
