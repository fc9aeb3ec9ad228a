//! The text against a strict parser, and its values against what was stored.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use stoop_domain::{Reason, Reject, Time};
use stoop_embedded::Database;
use stoop_pipeline::ports::{Budgets, Quarantine, RunLedger, RunOutcome, RunRecord};

use super::list::{METRICS, Place};
use super::{ServerMeter, text};

/// A family: its type, and its samples by labels.
type Families = BTreeMap<String, (String, BTreeMap<Vec<(String, String)>, f64>)>;

/// Parses the format as its document says, and refuses what it does not allow.
#[track_caller]
fn parsed(text: &str) -> Families {
    assert!(text.ends_with('\n'), "the last line ends");
    let mut families = Families::new();
    let (mut current, mut helped) = (String::new(), BTreeSet::new());
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(helped.insert(name.to_owned()), "{name} has one help text");
            assert!(!help.trim().is_empty(), "{line}");
            continue;
        }
        if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, kind) = rest.split_once(' ').expect("a type");
            assert!(helped.contains(name), "{name} has a help text before its type");
            assert!(["counter", "gauge"].contains(&kind), "{line}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "only counters end in _total: {line}");
            let known = families.insert(name.to_owned(), (kind.to_owned(), BTreeMap::new()));
            assert!(known.is_none(), "{name} has one type");
            name.clone_into(&mut current);
            continue;
        }
        assert!(!line.starts_with('#') && !line.is_empty(), "{line}");
        let end = line.find(['{', ' ']).expect("a value");
        assert_eq!(line[..end], current, "a family is in one piece");
        let is_letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        assert!(line[..end].starts_with(|c: char| c.is_ascii_lowercase()) && line[..end].chars().all(is_letter));
        let (labels, value) = match line[end..].strip_prefix('{') {
            Some(rest) => labels(rest),
            None => (Vec::new(), &line[end..]),
        };
        let value: f64 = value.strip_prefix(' ').expect("one space").parse().expect("a number");
        assert!(value.is_finite() && value >= 0.0, "{line}");
        let known = families.get_mut(&current).expect("a type").1.insert(labels, value);
        assert!(known.is_none(), "twice: {line}");
    }
    families
}

/// The labels up to the closing brace, and the rest.
fn labels(mut rest: &str) -> (Vec<(String, String)>, &str) {
    let mut labels = Vec::new();
    loop {
        let (name, after) = rest.split_once("=\"").expect("a label");
        let mut value = String::new();
        let mut letters = after.char_indices();
        let end = loop {
            match letters.next().expect("the value ends") {
                (at, '"') => break at + 1,
                (_, '\\') => value.push(match letters.next().expect("an escaped letter").1 {
                    'n' => '\n',
                    letter @ ('\\' | '"') => letter,
                    letter => panic!("\\{letter} is no escape"),
                }),
                (_, letter) => value.push(letter),
            }
        };
        labels.push((name.to_owned(), value));
        match after[end..].strip_prefix(',') {
            Some(more) => rest = more,
            None => return (labels, after[end..].strip_prefix('}').expect("a brace")),
        }
    }
}

fn now<T>(future: impl Future<Output = T>) -> T {
    future.now_or_never().expect("SQLite waits for nothing")
}

fn run(id: &str, kind: &str, outcome: RunOutcome, counts: &[(&str, u64)]) -> RunRecord {
    RunRecord {
        id: id.into(),
        kind: kind.into(),
        subject: "made".into(),
        began_at: Time::from_ms(0),
        ended_at: None,
        outcome,
        message: None,
        counts: counts.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect(),
        raw_pages: None,
    }
}

fn open(folder: &tempfile::TempDir) -> Arc<Database> {
    Database::open(&folder.path().join("stoop.db"), &folder.path().join("stoop-data")).unwrap()
}

fn read(database: &Database, server: &ServerMeter) -> Families {
    parsed(&now(text(database, server, Time::from_ms(10_000))).unwrap())
}

#[track_caller]
fn value(families: &Families, name: &str, labels: &[(&str, &str)]) -> f64 {
    let labels: Vec<_> = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let (_, samples) = families.get(name).unwrap_or_else(|| panic!("no {name}"));
    *samples.get(&labels).unwrap_or_else(|| panic!("{name} has no {labels:?}: {samples:?}"))
}

#[test]
fn an_empty_database_has_zeros_and_no_lag() {
    let folder = tempfile::tempdir().unwrap();
    let families = read(&open(&folder), &ServerMeter::default());
    for name in ["stoop_polls_failed_total", "stoop_listings_seen_total", "stoop_homes", "stoop_alerts_sent_total"] {
        assert_eq!(value(&families, name, &[]), 0.0, "{name}");
    }
    assert!(!families.contains_key("stoop_observation_lag_seconds"), "unknown, not zero");
}

#[test]
fn values_are_those_of_the_ledgers_and_hostile_names_stay_in_their_quotes() {
    let folder = tempfile::tempdir().unwrap();
    let database = open(&folder);
    let polls = [
        run("1", "poll", RunOutcome::Complete, &[("listings", 40), ("sent", 3), ("gone", 2), ("rejects", 1)]),
        run("2", "poll", RunOutcome::Failed, &[("listings", 2), ("held_back", 9)]),
        run("3", "replay", RunOutcome::Complete, &[("rejects", 4), ("observations", 5)]),
    ];
    for run in &polls {
        now(RunLedger::record(&*database, run)).unwrap();
    }
    let hostile = "a\"b\\c\nd{e=\"f\"} 1";
    let reject = Reject::new(hostile, Time::from_ms(0), "row 1".into(), Reason::BadValue, "price".into(), b"raw");
    now(Quarantine::put(&*database, &[reject])).unwrap();
    let (record, version) = now(Budgets::load(&*database, "homes.example#1")).unwrap();
    assert!(now(Budgets::save(&*database, "homes.example#1", &record, version)).unwrap());
    let server = Arc::new(ServerMeter::default());
    for (status, bytes) in [(200, 5), (304, 0), (404, 7), (503, 1)] {
        server.answered(status, Duration::from_millis(250), bytes);
    }
    let viewer = server.view();
    let families = read(&database, &server);
    let of = |name: &str| value(&families, name, &[]);
    assert_eq!((of("stoop_polls_complete_total"), of("stoop_polls_failed_total")), (1.0, 1.0));
    assert_eq!((of("stoop_listings_seen_total"), of("stoop_observations_sent_total")), (42.0, 5.0));
    assert_eq!((of("stoop_losses_held_total"), of("stoop_listings_held_back_total")), (1.0, 9.0));
    assert_eq!(of("stoop_quarantined_total"), 5.0, "of polls and replays");
    assert_eq!(value(&families, "stoop_runs_total", &[("kind", "replay"), ("outcome", "complete")]), 1.0);
    let labels = [("source", hostile), ("reason", "bad_value")];
    assert_eq!(value(&families, "stoop_quarantine_kept", &labels), 1.0);
    assert_eq!(value(&families, "stoop_account_held", &[("account", "homes.example#1")]), 0.0);
    assert_eq!((of("stoop_http_answering_seconds_total"), of("stoop_http_body_bytes_total")), (1.0, 13.0));
    assert_eq!(value(&families, "stoop_http_requests_total", &[("status", "5xx")]), 1.0);
    assert_eq!(of("stoop_live_viewers"), 1.0);
    drop(viewer);
    assert_eq!(value(&read(&database, &server), "stoop_live_viewers", &[]), 0.0);
}

#[test]
fn every_name_is_one_metric_and_follows_the_rule() {
    let names: BTreeSet<String> = METRICS.iter().map(super::list::Metric::prometheus).collect();
    assert_eq!(names.len(), METRICS.len());
    let of = |name: &str| METRICS.iter().find(|metric| metric.name == name).unwrap().prometheus();
    assert_eq!(of("ListingsSeen"), "stoop_listings_seen_total");
    assert_eq!(of("RollUpLagMs"), "stoop_roll_up_lag_seconds");
    assert_eq!(of("DatabaseBytes"), "stoop_database_bytes");
    assert_eq!(of("SearchesOverdue"), "stoop_searches_overdue");
    assert_eq!(of("NewestObservationAt"), "stoop_newest_observation_timestamp_seconds");
}

/// The names that functions give to their meters.
fn names_in_functions() -> BTreeSet<String> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let functions = std::fs::read_dir(root.join("functions")).unwrap().map(|function| function.unwrap().path());
    let mut names = BTreeSet::new();
    for function in functions.chain([root.join("lake/function")]) {
        for file in std::fs::read_dir(function.join("src")).unwrap() {
            let source = std::fs::read_to_string(file.unwrap().path()).unwrap();
            for call in ["count", "gauge", "milliseconds", "bytes"] {
                let call = format!("meter.{call}(\"");
                let named = source.split(&call).skip(1);
                names.extend(named.filter_map(|rest| rest.split('"').next()).map(str::to_owned));
            }
            // `self.meter.count(ended, 1)`
            names.extend(
                source
                    .split("=> \"Polls")
                    .skip(1)
                    .filter_map(|rest| Some("Polls".to_owned() + rest.split('"').next()?)),
            );
            names.extend(source.contains("_ => \"PollsPartial\"").then(|| "PollsPartial".to_owned()));
        }
    }
    names
}

#[test]
fn the_list_has_exactly_the_metrics_of_the_functions() {
    let listed: BTreeSet<String> =
        METRICS.iter().filter(|metric| metric.place != Place::Laptop).map(|metric| metric.name.to_owned()).collect();
    assert_eq!(listed, names_in_functions());
}
