//! Real data: where it is, how it is replayed, and how it is read without Stoop.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use flate2::read::GzDecoder;
use serde_json::{Value, json};

use super::{Room, list, map, number, root, says, text};

/// A replay of real files with the project's map, and its output. It also checks that the stored state is that of the
/// stored observations, and that the same files again change nothing.
pub struct Replay {
    pub room: Room,
    pub message: Value,
    pub files: Vec<String>,
}

pub fn replay(folder: &str, part: &str, map_name: &str) -> Option<Replay> {
    replay_with(folder, part, map_name, None, &[])
}

pub fn replay_with(folder: &str, part: &str, map_name: &str, config: Option<&str>, options: &[&str]) -> Option<Replay> {
    let files = data(folder, part)?;
    let room = Room::new();
    let map = map(map_name);
    let mut args = vec!["replay", "--map", &map];
    if let Some(config) = config {
        args.extend(["--config", room.write("stoop.toml", config)]);
    }
    args.extend(options);
    args.extend(files.iter().map(String::as_str));
    let message = room.json(&args);
    println!("{map_name}: {message}");
    says(&message, &json!({ "complete": true, "overfull": 0, "changed_nothing": false }));
    let verified = room.is_equal();
    assert_eq!(verified["homes"], message["homes"]);
    let kept = number(&message["observations"]) - number(&message["duplicates"]);
    assert_eq!(number(&verified["observations"]), kept);

    let (alerts, lines) = (room.alert_ids(), room.alert_lines().len());
    let again = room.json(&args);
    let nothing = json!({
        "rows": message["rows"], "observations": message["observations"], "duplicates": message["observations"],
        "homes": message["homes"], "quarantined": message["quarantined"], "new": 0, "changed": 0, "unchanged": 0, "overfull": 0,
        "price_changes": 0, "drops": 0, "rises": 0, "alerts": 0, "suspects": 0, "changed_nothing": true,
    });
    says(&again, &nothing);
    assert_eq!(room.is_equal(), verified);
    assert_eq!((room.alert_ids(), room.alert_lines().len()), (alerts, lines));
    Some(Replay { room, message, files })
}

impl Replay {
    #[track_caller]
    pub fn says(&self, expected: Value) {
        says(&self.message, &expected);
    }

    /// The number of areas of its homes, how many of these are known from the source alone, and the number of cities.
    #[track_caller]
    pub fn lies_in(&self, areas: usize, message: usize, cities: usize) {
        let markets = self.room.json(&["markets", "--limit", "100000"]);
        let paths: BTreeSet<&str> = list(&markets["markets"]).iter().map(|market| text(&market["path"])).collect();
        let city = |path: &'_ str| path.rsplit_once('/').map(|(city, _)| city.to_owned());
        let found = (
            paths.len(),
            paths.iter().filter(|path| path.contains('~')).count(),
            paths.iter().filter_map(|path| city(path)).collect::<BTreeSet<_>>().len(),
        );
        assert_eq!(found, (areas, message, cities), "{paths:#?}");
    }

    /// The drops that were sent or held back: home, price before, price after.
    pub fn drops(&self, which: &[&str]) -> BTreeSet<(String, i64, i64)> {
        let args: Vec<&str> = ["alerts", "--limit", "1000"].into_iter().chain(which.iter().copied()).collect();
        let message = self.room.json(&args);
        list(&message["alerts"])
            .iter()
            .map(|a| (text(&a["home"]).to_owned(), whole(&a["from"]), whole(&a["to"])))
            .collect()
    }
}

/// The rows of a compressed CSV file, by column name.
pub fn csv_rows(file: &str) -> Vec<BTreeMap<String, String>> {
    let file = std::fs::File::open(file).unwrap();
    csv::Reader::from_reader(GzDecoder::new(file)).deserialize().map(Result::unwrap).collect()
}

/// An amount to the nearest major unit.
#[track_caller]
#[expect(clippy::cast_possible_truncation, reason = "it is rounded")]
pub fn whole(amount: &Value) -> i64 {
    number(amount).round() as i64
}

/// The files in a folder of real data whose names contain `part`, sorted by name; `None` if the data is not available.
pub fn data(folder: &str, part: &str) -> Option<Vec<String>> {
    let data = std::env::var_os("STOOP_DATA").map_or_else(|| root().join("../shared/data"), PathBuf::from);
    let Ok(entries) = data.join(folder).read_dir() else {
        eprintln!("skipped: ../shared/data is not here");
        return None;
    };
    let paths = entries.map(|entry| entry.unwrap().path());
    let fits = |path: &PathBuf| path.file_name().is_some_and(|name| name.to_string_lossy().contains(part));
    let mut files: Vec<String> = paths.filter(fits).map(|path| path.display().to_string()).collect();
    files.sort();
    assert!(!files.is_empty(), "{folder} has no {part}");
    Some(files)
}
