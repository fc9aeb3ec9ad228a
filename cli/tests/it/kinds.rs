//! `stoop run` with a search of every kind of source, each against a site on loopback that speaks its dialect. Stored
//! are first the listings of each source, then their changes, then what is gone.

#![cfg(unix)]

use std::collections::{BTreeMap, BTreeSet};
use std::process::Stdio;
use std::time::{Duration, UNIX_EPOCH};

use crate::support::{Room, Running, until};
use stoop_domain::{Status, Time};
use stoop_embedded::Database;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{IndexChanges, RunOutcome, RunRecord, SearchIndex};
use stoop_runtime::SystemClock;
use stoop_simulation::country::{Country, EXPORTS, Homes, KEYS};

/// What each search should know.
type Known = BTreeMap<&'static str, Homes>;

/// The environment variable of a key.
fn variable(key: &str) -> String {
    format!("STOOP_TEST_{}", key.to_uppercase())
}

struct Setup {
    room: Room,
    country: Country,
    polled: usize,
}

impl Setup {
    /// Moves the times of all missed listings back by a day, so that the test need not wait.
    fn missed_a_day_before(&self) {
        let database = self.database();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        for search in database.findings().unwrap().into_keys() {
            let mut state = runtime.block_on(database.load(&search, "")).unwrap();
            for since in state.listings.values_mut().filter_map(|entry| entry.missing_since.as_mut()) {
                *since = since.plus_ms(-Time::DAY_MS);
            }
            assert!(runtime.block_on(database.save(&search, &state, &IndexChanges::All)).unwrap());
        }
    }

    fn new() -> Self {
        let secret = |key: &str| format!("{{ env = \"{}\" }}", variable(key));
        let country = Country::start(|| SystemClock.now(), secret).unwrap();
        let room = Room::new();
        for folder in ["maps", EXPORTS] {
            std::fs::create_dir(room.path(folder)).unwrap();
        }
        for (name, map) in country.maps() {
            room.write(name, map);
        }
        room.write("stoop.toml", country.configuration("1d"));
        Self { room, country, polled: 0 }
    }

    /// Writes a file with a modification time in the past, so that it does not look unfinished.
    fn export(&self, name: &str, minutes_ago: i64) {
        let name = format!("{EXPORTS}{name}");
        self.room.write(&name, self.country.export());
        let file = std::fs::File::options().append(true).open(self.room.path(&name)).unwrap();
        let written = SystemClock.now().plus_ms(-60_000 * minutes_ago);
        file.set_modified(UNIX_EPOCH + Duration::from_millis(written.ms().cast_unsigned())).unwrap();
    }

    fn database(&self) -> std::sync::Arc<Database> {
        Database::open(&self.room.path("stoop.db"), &self.room.path("stoop-data")).unwrap()
    }

    /// Starts `stoop run`, which polls every search at once, and stops it when each poll has ended.
    fn run(&mut self) -> Vec<RunRecord> {
        self.polled += self.country.searches.len();
        let mut command = self.room.command(&["run"]);
        command.envs(KEYS.map(|(key, value)| (variable(key), value)));
        let running = Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
        let database = until("the database is made", || self.room.path("stoop.db").exists().then(|| self.database()));
        let runs = until("every search is polled", || {
            let runs = database.runs(self.polled + 1).unwrap();
            let ended = runs.iter().filter(|run| run.outcome != RunOutcome::Running).count();
            (ended == self.polled).then_some(runs)
        });
        running.interrupt();
        assert_eq!(running.wait(), Some(0));
        runs.into_iter().take(self.country.searches.len()).collect()
    }

    fn knows(&self, before: &Known) -> Known {
        let nothing = Homes::new();
        let of = |name| before.get(name).unwrap_or(&nothing);
        self.country.searches.iter().map(|search| (search.name, self.country.knows(search, of(search.name)))).collect()
    }

    /// Asserts that the database has exactly what the searches know, with price and status.
    fn are_stored(&self, known: &Known) {
        let homes = self.database().homes_after(None, usize::MAX).unwrap();
        let stored = homes.into_iter().map(|(id, home)| {
            let facts = home.history.current().unwrap();
            (id.to_string(), (facts.list_price.unwrap().0, facts.status))
        });
        let stored: Homes = stored.collect();
        let wanted: Homes = known.values().flatten().map(|(id, message)| (id.clone(), *message)).collect();
        let ids: BTreeSet<&String> = stored.keys().chain(wanted.keys()).collect();
        // A home that came and was withdrawn between two polls is known as withdrawn.
        let is_between = |id: &String| !wanted.contains_key(id) && stored[id].1 == Status::Delete;
        let other: Vec<_> =
            ids.into_iter().filter(|id| stored.get(*id) != wanted.get(*id) && !is_between(id)).collect();
        let message = |id: &String| format!("{id}: {:?}, not {:?}", stored.get(id), wanted.get(id));
        assert!(other.is_empty(), "{:#?}", other.into_iter().map(message).collect::<Vec<_>>());
    }
}

#[test]
fn a_search_of_every_kind_is_polled_side_by_side() {
    let mut setup = Setup::new();
    setup.export("1.jsonl", 30);
    let runs = setup.run();
    let mut known = setup.knows(&Known::new());
    for run in &runs {
        let counted = (run.outcome, run.counts["new"], run.counts["rejects"]);
        let expected = (RunOutcome::Complete, known[&*run.subject].len() as u64, 0);
        assert_eq!(counted, expected, "{}: {run:?}", run.subject);
    }
    setup.are_stored(&known);

    // Days pass. A listing missed once may only have moved to another page: a scan on another day has to miss it as
    // well.
    setup.country.move_on(&known);
    for (name, minutes_ago) in [("2.jsonl", 20), ("3.jsonl", 10)] {
        setup.export(name, minutes_ago);
        for run in setup.run() {
            assert_eq!((run.outcome, run.counts["rejects"]), (RunOutcome::Complete, 0), "{}: {run:?}", run.subject);
        }
        setup.missed_a_day_before();
    }
    known = setup.knows(&known);
    setup.are_stored(&known);
    setup.room.is_equal();

    for (name, served) in setup.country.served() {
        let refused = served.unauthorized + served.bad_requests + served.not_found + served.over_quota;
        assert_eq!(refused, 0, "{name}: {served:?}");
    }
}
