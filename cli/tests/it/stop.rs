//! `stoop` ends when asked, whatever it waits for, and reports what is half done as such.

#![cfg(unix)]
#![allow(unreachable_pub, reason = "`live` uses it too")]

use std::fs::File;
use std::net::TcpListener;
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Room, Running, list, map, says, text, until};

/// Less than any timeout of the program: half a minute for an answer, twenty seconds for another writer.
const NO_FULL_WAIT: Duration = Duration::from_secs(18);

/// A server that accepts connections and never answers.
pub struct Silent {
    pub url: String,
    asked: Arc<AtomicUsize>,
}

impl Silent {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&asked);
        // The thread ends with the test's process.
        std::thread::spawn(move || {
            let mut held = Vec::new();
            for stream in listener.incoming() {
                held.push(stream);
                count.fetch_add(1, Ordering::SeqCst);
            }
        });
        Self { url, asked }
    }

    #[track_caller]
    pub fn until_asked(&self, running: &mut Running) {
        until("a request", || {
            assert!(!running.has_ended(), "it ended before it asked");
            (self.asked.load(Ordering::SeqCst) > 0).then_some(())
        });
    }
}

/// A room with one search of a server that never answers.
fn room_of(silent: &Silent) -> Room {
    let room = Room::new();
    let config = format!(
        "[[search]]\nname = \"all\"\nsource = \"reso\"\nevery = \"1s\"\n[search.params]\nurl = \"{}/odata\"\n\
         name = \"mls\"\ntoken = {{ env = \"STOOP_TEST_TOKEN\" }}\n",
        silent.url
    );
    room.write("stoop.toml", config);
    room
}

/// Starts the program; its standard error goes to `errors.txt`.
fn start(room: &Room, args: &[&str]) -> Running {
    let errors = File::create(room.path("errors.txt")).unwrap();
    let mut command = room.command(args);
    Running(command.env("STOOP_TEST_TOKEN", "t").stdout(Stdio::null()).stderr(errors).spawn().unwrap())
}

/// Asks the program to end, waits until it has, and checks that it waited for nothing else.
#[track_caller]
pub fn ends(running: Running) -> Option<i32> {
    let began = Instant::now();
    running.terminate();
    let code = running.wait();
    assert!(began.elapsed() < NO_FULL_WAIT, "{:?}", began.elapsed());
    code
}

fn runs(room: &Room) -> Vec<Value> {
    list(&room.json(&["runs"])["runs"]).to_vec()
}

#[test]
fn a_silent_server_does_not_delay_the_end() {
    for (args, code) in [(&["poll", "all"][..], 143), (&["run"], 0), (&["sources", "check", "all"], 143)] {
        let silent = Silent::start();
        let room = room_of(&silent);
        let mut running = start(&room, args);
        silent.until_asked(&mut running);
        assert_eq!(ends(running), Some(code), "{args:?}: {}", room.read("errors.txt"));
        if args[0] != "sources" {
            let run = runs(&room).remove(0);
            says(&run, &json!({ "outcome": "partial", "message": "stopped; the next run goes on from here" }));
        }
    }
}

/// Rows of a simulated market, and a lock that blocks alerts: a process that has to send one waits.
fn blocked_room() -> (Room, File) {
    let room = Room::new();
    let rows = room.stoop(&["simulate", "--rows", "3000", "--lively"]).ok().stdout;
    room.write("rows.jsonl", rows);
    std::fs::create_dir(room.path("stoop-data")).unwrap();
    let lock = File::create(room.path("stoop-data/alerts.lock")).unwrap();
    lock.lock().unwrap();
    (room, lock)
}

fn replay_that_stands_still(room: &Room) -> Running {
    let running = start(room, &["replay", "--map", &map("simulated.toml"), "rows.jsonl"]);
    until("observations", || {
        let homes = room.stoop(&["markets", "--json"]).stdout;
        homes.contains("\"active\"").then_some(())
    });
    running
}

#[test]
fn a_blocked_process_ends_and_its_run_is_reported_killed() {
    let (room, lock) = blocked_room();
    let running = replay_that_stands_still(&room);
    says(&runs(&room)[0], &json!({ "kind": "replay", "outcome": "running" }));
    assert_eq!(ends(running), Some(143));
    assert!(room.read("errors.txt").contains("ended before all was done"), "{}", room.read("errors.txt"));
    let run = runs(&room).remove(0);
    says(&run, &json!({ "outcome": "killed", "ended_at": null }));
    assert!(text(&run["message"]).starts_with("its process (stoop replay, "), "{run}");

    drop(lock);
    let message = room.replay(&map("simulated.toml"), &["rows.jsonl"]);
    says(&message, &json!({ "complete": true }));
    let runs = runs(&room);
    room.is_equal();
    says(&runs[0], &json!({ "outcome": "complete" }));
    says(&runs[1], &json!({ "outcome": "killed", "message": run["message"] }));
}

#[test]
fn a_second_signal_ends_at_once() {
    let (room, _lock) = blocked_room();
    let running = replay_that_stands_still(&room);
    running.terminate();
    // Two signals of different kinds may arrive in either order, and two of the same kind may merge into one: the test
    // sends it until a second one arrives.
    let mut running = Some(running);
    let code = until("the end", || {
        let mut one = running.take()?;
        if one.has_ended() {
            return Some(one.wait());
        }
        one.terminate();
        running = Some(one);
        None
    });
    assert_eq!(code, Some(143));
    assert_eq!(room.read("errors.txt"), "", "nothing was waited for");
}

#[test]
fn a_run_stays_running_next_to_another_and_is_killed_with_its_process() {
    let silent = Silent::start();
    let room = room_of(&silent);
    let mut running = start(&room, &["run"]);
    silent.until_asked(&mut running);
    let rows = room.stoop(&["simulate", "--rows", "300"]).ok().stdout;
    room.write("rows.jsonl", rows);
    room.replay(&map("simulated.toml"), &["rows.jsonl"]);
    let of_search = || runs(&room).into_iter().find(|run| run["subject"] == "all").unwrap();
    says(&of_search(), &json!({ "outcome": "running", "message": null }));
    running.kill();
    says(&of_search(), &json!({ "outcome": "killed" }));
    room.replay(&map("simulated.toml"), &["rows.jsonl"]);
    says(&of_search(), &json!({ "outcome": "killed", "ended_at": null }));
    let left =
        std::fs::read_dir(room.path(".")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(left.filter(|name| name.contains("-process-")).count(), 0, "nothing is left of it");
}

#[test]
fn a_second_demo_in_a_folder_says_what_runs_there() {
    let room = Room::new();
    let mut first = start(&room, &["demo", "--homes", "100"]);
    until("a first poll", || {
        assert!(!first.has_ended(), "{}", room.read("errors.txt"));
        room.stoop(&["runs", "--json"]).stdout.contains("illinois").then_some(())
    });
    let pid = first.0.id();
    let second = room.stoop(&["demo", "--seconds", "1"]);
    second.refused(&[&format!("stoop demo (process {pid}) works on stoop.db since 2"), "--db"]);
    assert_eq!(ends(first), Some(0));
    room.stoop(&["demo", "--homes", "100", "--seconds", "1"]).ok();
}
