//! A process is killed many times in the middle of its work, and nothing is lost, duplicated or left over.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::support::{apply, files, lake, market, now, observation, open};
use stoop_domain::{HomeId, Observation};
use stoop_embedded::Database;
use stoop_market::{Cells, Zones, update};
use stoop_pipeline::ports::Store;
use stoop_waits::{Lines, PATIENCE, ended};

const CHILD: &str = "STOOP_CRASH_CHILD";
const ROUNDS: u64 = 30;

/// The observations of this step: two new homes, and one that is in every step. They are large enough that the outbox
/// becomes a file every few steps.
fn step(number: i64) -> [Observation; 3] {
    let [a, b] = ["a", "b"].map(|half| observation(&format!("{number}{half}"), number, 150_000));
    [a, b, observation("always", number, 150_000)]
}

fn steps(database: &Database) -> i64 {
    let stored = now(database.markets(&[market()])).unwrap().remove(0);
    stored.map_or(0, |stored| stored.version.cast_signed())
}

/// Not a test: the child process runs this until it is killed.
#[test]
fn child() {
    let Ok(folder) = std::env::var(CHILD) else { return };
    let database = open(Path::new(&folder));
    let mut stdout = std::io::stdout();
    loop {
        let number = steps(&database);
        apply(&database, &step(number).each_ref());
        writeln!(stdout, "\ncommitted {}", number + 1).unwrap();
        stdout.flush().unwrap();
    }
}

#[test]
fn the_database_is_valid_after_a_kill_at_any_moment() {
    let folder = tempfile::TempDir::new().unwrap();
    let mut before = 0;
    for round in 0..ROUNDS {
        let confirmed_step = run_and_kill(folder.path(), round);
        let database = open(folder.path());
        let now = steps(&database);
        assert!(now >= confirmed_step.max(before), "round {round}: {now} steps, but {confirmed_step} were confirmed");
        before = now;
        if round % 10 == 9 || round == ROUNDS - 1 {
            is_whole(&database, now);
        }
        assert!(no_orphans(&database), "round {round}");
    }
    assert!(before > 5, "the rounds are too short for the test");
}

/// Lets a child work until it confirmed some commits, and slightly longer, and kills it. Returns the last confirmed
/// step.
fn run_and_kill(folder: &Path, round: u64) -> i64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child", "--nocapture"])
        .env(CHILD, folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = Lines::of(child.stdout.take().unwrap());
    let mut confirmed_step = 0;
    let confirmed = |line: String| line.strip_prefix("committed ").and_then(|number| number.parse::<i64>().ok());
    for _ in 0..round % 6 {
        // The child ends only by the kill, so there is always another line.
        let mut next = std::iter::from_fn(|| lines.next("a commit of the child"));
        confirmed_step = next.find_map(confirmed).unwrap();
    }
    std::thread::sleep(Duration::from_micros(round * 7_919 % 30_000));
    child.kill().unwrap();
    ended(&mut child, "the end of the killed child", PATIENCE).unwrap();
    // It had committed every step that it confirmed.
    let left = std::iter::from_fn(|| lines.next("the end of the child's output"));
    left.filter_map(confirmed).last().unwrap_or(confirmed_step)
}

fn is_whole(database: &Database, steps: i64) {
    let expected: Vec<Observation> = (0..steps).flat_map(step).collect();
    let seen = lake(database);
    assert_eq!(seen.len(), expected.len());
    assert!(seen == expected, "every observation is in the lake once, in the order of the commits");

    let homes = database.homes_after(None, usize::MAX).unwrap();
    assert_eq!(homes.len(), usize::try_from(steps * 2 + 1).unwrap());
    let always = database.home(&HomeId("avito/always".into())).unwrap().unwrap();
    assert_eq!(always.version, steps.cast_unsigned());
    let mut recomputed = Cells::default();
    for (_, home) in &homes {
        for (_, delta) in update(None, &home.history, &mut Zones::default()) {
            recomputed.add(&delta);
        }
    }
    assert_eq!(database.cells(&market()).unwrap().unwrap(), recomputed, "the market is the sum of its homes");
    assert_eq!(database.changes(0, usize::MAX).unwrap().len(), expected.len());
    let counts = database.counts().unwrap();
    assert_eq!(counts.observations, expected.len() as u64);
    assert_eq!(database.newest_observation().unwrap(), expected.last().map(|observation| observation.at));
    assert!(counts.lake_objects > 0, "the steps are too small for files");
}

fn no_orphans(database: &Database) -> bool {
    let mut named: Vec<_> = database.lake_objects().unwrap().into_iter().map(|object| object.path).collect();
    named.sort();
    files(database.data()) == named
}
