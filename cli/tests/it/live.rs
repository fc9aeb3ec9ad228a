//! `stoop poll` and `stoop run` against a portal on loopback, and a webhook that receives alerts.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use crate::stop::{Silent, ends};
use crate::support::{Room, Running, list, number, says, text, until};
use crate::webhook::Webhook;
use crate::wide::rolled_up;
use serde_json::json;
use stoop_domain::Time;
use stoop_embedded::{Counts, Database};
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{IndexChanges, SearchIndex, SearchState};
use stoop_runtime::SystemClock;
use stoop_simulation::{Fault, Portal, PortalConfig, Simulation, SimulationConfig};

const TOKEN: &str = "a-token-of-the-test";

/// The environment variable of the search's token.
const TOKEN_ENV: &str = "STOOP_TEST_TOKEN";

/// A portal with homes of four regions. The test moves its clock.
pub(crate) struct Market {
    simulation: Arc<Mutex<Simulation>>,
    portal: Portal,
}

impl Market {
    pub(crate) fn new() -> Self {
        // In the past by any clock, so that no time is in the future.
        let start = Time::parse("2025-03-03T00:00:00Z").unwrap();
        let simulation = Arc::new(Mutex::new(Simulation::new(SimulationConfig::new(11, start, 300, 8).lively())));
        let config = PortalConfig { token: Some(TOKEN.into()), ..PortalConfig::new(move || start) };
        let portal = Portal::start(Arc::clone(&simulation), config).unwrap();
        Self { simulation, portal }
    }

    fn days_pass(&self, days: i64) {
        let mut simulation = self.simulation.lock().unwrap();
        let later = simulation.now().plus_ms(days * Time::DAY_MS);
        simulation.advance(later);
    }

    fn listed(&self) -> usize {
        self.simulation.lock().unwrap().homes().count()
    }

    /// A room with a configuration of one search for the whole portal.
    pub(crate) fn room(&self, alerts: &str) -> Room {
        let room = Room::new();
        let config = format!(
            "[alerts]\ndrop_percent = 2\n{alerts}\n[[search]]\nname = \"all\"\nsource = \"reso\"\nevery = \"1s\"\n\
             [search.params]\nurl = \"{}/odata\"\nname = \"mls\"\ntoken = {{ env = \"{TOKEN_ENV}\" }}\ntop = 100\n",
            self.portal.url()
        );
        room.write("stoop.toml", config);
        room
    }
}

/// `stoop poll all`, with the token in the environment.
fn poll(room: &Room) -> crate::support::Outcome {
    crate::support::Outcome::of(room.command(&["poll", "all", "--json"]).env(TOKEN_ENV, TOKEN))
}

pub(crate) fn run(room: &Room) -> Running {
    let mut command = room.command(&["run"]);
    Running(command.env(TOKEN_ENV, TOKEN).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
}

#[test]
fn a_poll_stores_the_portals_listings_and_then_their_changes() {
    let market = Market::new();
    let room = market.room("");
    let first = poll(&room).ok().json();
    let listed = market.listed();
    says(&first, &json!({ "listings": listed, "new": listed, "changed": 0, "gone": 0, "rejects": 0 }));
    assert_eq!(number(&first["pages"]), listed.div_ceil(100) as f64);
    assert!(matches!(rolled_up(&room), (0, areas) if areas > 0), "{:?}", rolled_up(&room));
    assert_eq!(room.is_equal()["homes"], listed);
    // Nothing has changed: the portal is asked only for the last minutes, and all of that is known.
    let again = poll(&room).ok().json();
    says(&again, &json!({ "pages": 1, "new": 0, "changed": 0 }));
    assert!(number(&again["listings"]) < 10.0, "{again}");

    market.days_pass(20);
    let later = poll(&room).ok().json();
    assert!(number(&later["changed"]) > 0.0 && number(&later["price_changes"]) > 0.0, "{later}");
    let alerts = room.alert_ids();
    assert!(!alerts.is_empty());
    assert_eq!(room.alert_lines().len(), alerts.len());
    let runs = room.json(&["runs"]);
    says(&runs["runs"][0], &json!({ "kind": "poll", "subject": "all", "outcome": "complete" }));
    assert_eq!(list(&runs["runs"]).iter().filter(|run| run["kind"] == "poll").count(), 3);
    assert_eq!(room.is_equal()["homes"], market.listed());
    // The raw pages are stored verbatim.
    assert!(room.path("stoop-data/raw").read_dir().unwrap().count() > 0);
    assert!(!room.read("stoop.toml").contains(TOKEN));
}

#[test]
fn polls_after_the_clock_was_weeks_ahead_are_processed() {
    let market = Market::new();
    let room = market.room("");
    poll(&room).ok();
    // The state after a poll under a future date whose observations were processed under that date.
    let ahead = SystemClock.now().plus_ms(20 * Time::DAY_MS);
    let database = Database::open(&room.path("stoop.db"), &room.path("stoop-data")).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let state = runtime.block_on(database.load("all", "mls")).unwrap();
    let state = SearchState { seen: Some(ahead), ..state };
    assert!(runtime.block_on(database.save("all", &state, &IndexChanges::none())).unwrap());
    database.set_setting("newest sighting", &ahead.ms().to_string()).unwrap();
    drop(database);
    market.days_pass(2);
    let second = poll(&room).ok().json();
    assert!(number(&second["changed"]) > 3.0, "{second:?}");
    assert_eq!(counts(&room).unwrap().quarantined, 0, "nothing is of the future");
}

#[test]
fn a_missing_token_is_a_mistake_and_a_wrong_one_a_failure() {
    let market = Market::new();
    let room = market.room("");
    room.stoop(&["poll", "all"]).refused(&["search[0].params.token: the environment has no variable", TOKEN_ENV]);
    room.stoop(&["poll", "most"]).refused(&[TOKEN_ENV]);
    let wrong = crate::support::Outcome::of(room.command(&["poll", "all"]).env(TOKEN_ENV, "another"));
    assert_eq!(wrong.code, Some(1), "{}", wrong.stderr);
    assert!(wrong.stderr.contains("status 401") && wrong.stderr.contains("token"), "{}", wrong.stderr);
    assert!(!wrong.stderr.contains("another"), "a secret is never shown: {}", wrong.stderr);
    says(&room.json(&["runs"])["runs"][0], &json!({ "outcome": "failed" }));
    let unknown = crate::support::Outcome::of(room.command(&["poll", "most"]).env(TOKEN_ENV, TOKEN));
    unknown.refused(&["the search \"most\" is not configured; there are: all"]);
}

#[test]
fn a_portal_that_answers_html_with_status_200_fails_the_poll_and_the_next_one_goes_on() {
    let market = Market::new();
    let room = market.room("");
    market.portal.faults().plan(Fault::Html, 1);
    let failed = poll(&room);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.stderr.to_lowercase().contains("html"), "{}", failed.stderr);
    says(&room.json(&["runs"])["runs"][0], &json!({ "outcome": "failed" }));
    poll(&room).ok();
    assert_eq!(room.is_equal()["homes"], market.listed());
}

#[test]
fn a_portal_whose_pages_form_a_circle_fails_the_poll_and_keeps_its_rows() {
    let market = Market::new();
    let room = market.room("");
    market.portal.faults().plan(Fault::LoopingLink, 10);
    let failed = poll(&room);
    assert_eq!(failed.code, Some(1), "{}", failed.stderr);
    assert!(failed.stderr.contains("leads back to the page it stands on"), "{}", failed.stderr);
    market.portal.faults().clear();
    room.is_equal();
    poll(&room).ok();
    assert_eq!(room.is_equal()["homes"], market.listed());
}

#[test]
fn a_portal_with_transient_errors_is_asked_again() {
    let market = Market::new();
    let room = market.room("");
    market.portal.faults().plan(Fault::ServerError, 1);
    market.portal.faults().plan(Fault::Drop, 1);
    market.portal.faults().plan(Fault::TooManyRequests { retry_after_s: 1 }, 1);
    market.portal.faults().plan(Fault::GarbageRow, 1);
    let polled = poll(&room).ok().json();
    says(&polled, &json!({ "rejects": 0, "values_refused": 1, "new": market.listed() }));
    let rejects = room.rejects();
    assert!(rejects[0].0.contains(", listing ") && rejects.len() == 1, "{rejects:?}");
    room.is_equal();
}

#[test]
fn a_quiet_search_is_polled_less_often_also_after_a_restart() {
    let market = Market::new();
    let room = market.room("");
    room.write("stoop.toml", room.read("stoop.toml").replace("every = \"1s\"", "every = \"1s\"\nevery_max = \"3s\""));
    for log in ["first.log", "second.log"] {
        let out = std::fs::File::create(room.path(log)).unwrap();
        let mut command = room.command(&["run"]);
        let mut running = Running(command.env(TOKEN_ENV, TOKEN).stdout(out).stderr(Stdio::null()).spawn().unwrap());
        until("the longest distance", || {
            assert!(!running.has_ended());
            room.read(log).contains("next in 3.0 s").then_some(())
        });
        running.interrupt();
        assert_eq!(running.wait(), Some(0));
    }
    let (first, second) = (room.read("first.log"), room.read("second.log"));
    let mut polls = first.lines().filter(|line| line.contains("all: "));
    assert!(!polls.next().unwrap().contains("next in"), "the first poll sets no pace: {first}");
    let restarted = second.lines().find(|line| line.contains("all: ")).unwrap();
    assert!(restarted.ends_with("next in 3.0 s"), "a restart continues from there: {second}");
}

#[test]
fn a_run_polls_until_interrupted_and_retries_the_webhook() {
    let market = Market::new();
    let webhook = Webhook::start(|nth| if nth < 2 { 500 } else { 200 });
    let room = market.room(&format!("webhook = \"{}\"", webhook.url));
    let mut running = run(&room);
    until("a first poll", || {
        assert!(!running.has_ended());
        (counts(&room)?.homes == market.listed() as u64).then_some(())
    });
    market.days_pass(20);
    let first = until("an alert at the webhook", || webhook.heard().into_iter().find(|post| post.status == 200));
    running.interrupt();
    assert_eq!(running.wait(), Some(0));

    let ids = room.alert_ids();
    assert_eq!(room.alert_lines().len(), ids.len(), "each is in the file once");
    let mut posts: BTreeMap<String, Vec<u16>> = BTreeMap::new();
    for post in webhook.heard() {
        posts.entry(text(&post.alert["id"]).to_owned()).or_default().push(post.status);
    }
    // The first alert was refused twice, sent again until it was accepted, and then no more.
    assert_eq!(posts[text(&first.alert["id"])], [500, 500, 200]);
    assert!(posts.values().all(|answers| answers.iter().filter(|answer| **answer == 200).count() <= 1), "{posts:?}");
    assert!(posts.keys().all(|id| ids.contains(id)));
    says(&first.alert, &json!({ "rule": "price-drop", "why_suspect": null }));

    // The next run continues: new alerts are sent, and none twice.
    market.days_pass(20);
    let running = run(&room);
    until("all alerts at the webhook", || {
        let Counts { alerts, homes, .. } = counts(&room)?;
        // Alerts of the first pages are sent before a poll has read the last one.
        let all_read = homes == market.listed() as u64;
        (all_read && alerts > ids.len() as u64 && webhook.accepted().len() as u64 == alerts).then_some(())
    });
    running.interrupt();
    assert_eq!(running.wait(), Some(0));
    assert_eq!(webhook.accepted(), room.alert_ids());
    assert_eq!(room.alert_lines().len(), webhook.accepted().len());
    assert_eq!(room.is_equal()["homes"], market.listed());
}

/// Runs on a disk of its own, on which space is freed bit by bit, so that each step of the work meets the full disk.
#[cfg(target_os = "linux")]
const ON_A_SMALL_DISK: &str = r#"
set -e
mkdir disk && mount -t tmpfs -o size=8m tmpfs disk && cp stoop.toml disk && cd disk
filled=0
while head -c 32768 /dev/zero > full.$filled 2>/dev/null; do filled=$((filled + 1)); done
for n in $(seq 0 16); do rm full.$n; done
"$STOOP" run > run.log 2>&1 &
pid=$!
for n in $(seq 17 $filled); do
  sleep 0.1
  kill -0 $pid || { cat run.log; exit 1; }
  rm full.$n
done
until "$STOOP" verify --json | grep -q "\"homes\": *$HOMES\b"; do sleep 0.2; done
kill -INT $pid
wait $pid
cat run.log
"#;

#[cfg(target_os = "linux")]
#[test]
fn a_run_waits_while_the_disk_is_full_and_loses_nothing() {
    use std::process::Command;
    let own_mounts = |command: &str| {
        let mut unshare = Command::new("unshare");
        unshare.args(["-rm", "sh", "-c", command]).stdin(Stdio::null());
        unshare
    };
    if crate::support::Outcome::of(&mut own_mounts("mount -t tmpfs tmpfs /mnt")).code != Some(0) {
        eprintln!("skipped: this system lets nobody mount a disk of his own");
        return;
    }
    let market = Market::new();
    let room = market.room("");
    let mut script = own_mounts(ON_A_SMALL_DISK);
    script.env("STOOP", env!("CARGO_BIN_EXE_stoop")).env("HOMES", market.listed().to_string()).env(TOKEN_ENV, TOKEN);
    let log = crate::support::Outcome::of(script.current_dir(room.path(""))).ok().stdout;
    let waits = log.lines().filter(|line| line.ends_with("; waits until there is space")).count();
    assert!(waits > 0 && log.contains("is full"), "{log}");
    assert_eq!(log.matches("there is space again").count(), waits, "{log}");
}

#[test]
fn a_failed_poll_shows_every_cause_on_its_line_and_in_the_ledger() {
    let market = Market::new();
    let room = market.room("");
    std::fs::create_dir(room.path("stoop-data")).unwrap();
    room.write("stoop-data/raw", "no folder");
    let failed = poll(&room);
    assert_eq!(failed.code, Some(1));
    let cause = "cannot create the folder stoop-data/raw/all-";
    assert_eq!(failed.stderr.matches(cause).count(), 1, "{}", failed.stderr);
    assert!(failed.stderr.starts_with("stoop: store page 0 of the run all-"), "{}", failed.stderr);
    assert!(failed.stderr.contains(": Not a directory (os error 20)"), "{}", failed.stderr);
    let run = room.json(&["runs"])["runs"][0].clone();
    let hint = "trying again does not help: check rights, paths and configuration; more: stoop explain refused";
    let expected = format!("stoop: {}\nstoop: {hint}\n", text(&run["message"]));
    assert_eq!(failed.stderr, expected, "the ledger says the same, and people see what helps");
}

#[test]
fn a_retry_after_does_not_delay_the_end() {
    let market = Market::new();
    let room = market.room("");
    market.portal.faults().plan(Fault::TooManyRequests { retry_after_s: 100 }, 1);
    let running = run(&room);
    until("the request that is refused", || (market.portal.faults().left() == 0).then_some(()));
    assert_eq!(ends(running), Some(0));
    let stopped = room.json(&["runs"])["runs"][0].clone();
    says(&stopped, &json!({ "outcome": "partial", "message": "stopped; the next run goes on from here" }));
}

fn raw_pages(room: &Room) -> usize {
    let folders = room.path("stoop-data/raw").read_dir().unwrap();
    folders.map(|folder| folder.unwrap().path().read_dir().unwrap().count()).sum()
}

#[test]
fn prune_removes_old_data_and_keeps_the_figures() {
    let market = Market::new();
    let room = market.room("[keep]\nraw_pages_size = \"0MB\"\n");
    poll(&room).ok();
    let before = (room.is_equal(), raw_pages(&room));
    assert!(before.1 > 0);
    let would = room.json(&["prune", "--dry-run"]);
    assert!(number(&would["raw_pages"]["removed"]) > 0.0, "{would}");
    assert_eq!((room.is_equal(), raw_pages(&room)), before, "nothing is removed yet");
    let pruned = room.json(&["prune"]);
    assert_eq!((&pruned["raw_pages"], &pruned["runs"]["removed"]), (&would["raw_pages"], &would["runs"]["removed"]));
    assert_eq!((room.is_equal(), raw_pages(&room)), (before.0, 0));
    says(&poll(&room).ok().json(), &json!({ "new": 0, "changed": 0 }));
    let message = room.stoop(&["prune"]).ok().stdout;
    assert!(message.contains("bytes gone, 0 stay") && message.ends_with("are kept.\n"), "{message}");
    room.write("stoop.toml", "[keep]\nraw_pages = \"for ever\"\n");
    room.stoop(&["prune"]).refused(&["stoop.toml:2: keep.raw_pages: \"for ever\" is not a time span"]);
}

#[test]
fn flush_writes_what_waits_to_a_file_once() {
    let market = Market::new();
    let room = market.room("");
    poll(&room).ok();
    let before = room.is_equal();
    let files = || room.path("stoop-data/lake").exists();
    assert!(!files(), "a small market waits in the database");
    let flushed = room.json(&["flush"]);
    assert!(number(&flushed["observations"]) > 0.0 && files(), "{flushed}");
    assert_eq!(room.is_equal(), before);
    let message = room.stoop(&["flush"]).ok().stdout;
    assert_eq!(message, "nothing to write: the files of the lake have every observation\n");
    room.stoop(&["flush", "--db", "none.db"]).refused(&["none.db"]);
}

#[test]
fn a_run_prunes_in_the_background() {
    let market = Market::new();
    let room = market.room("[keep]\nraw_pages_size = \"0MB\"\n");
    poll(&room).ok();
    let of_the_poll: Vec<_> =
        room.path("stoop-data/raw").read_dir().unwrap().map(|folder| folder.unwrap().path()).collect();
    let mut running = run(&room);
    until("the poll's pages are gone", || {
        assert!(!running.has_ended());
        of_the_poll.iter().all(|folder| !folder.exists()).then_some(())
    });
    running.interrupt();
    assert_eq!(running.wait(), Some(0));
    let left = room.path(".").read_dir().unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name.contains("-process-")).count(), 0, "an orderly end leaves no trace");
    room.is_equal();
}

#[test]
fn a_silent_webhook_does_not_delay_the_end() {
    let market = Market::new();
    let silent = Silent::start();
    let room = market.room(&format!("webhook = \"{}\"", silent.url));
    let mut running = run(&room);
    until("a first poll", || {
        assert!(!running.has_ended());
        (counts(&room)?.homes == market.listed() as u64).then_some(())
    });
    market.days_pass(20);
    silent.until_asked(&mut running);
    assert_eq!(ends(running), Some(0));
}

fn counts(room: &Room) -> Option<Counts> {
    Database::open_read(&room.path("stoop.db"), &room.path("stoop-data")).ok()?.counts().ok()
}
