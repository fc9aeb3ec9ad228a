//! `stoop demo`: what it shows, and that an interrupted past is neither lost nor taken for a whole one.

#![cfg(unix)]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use stoop_domain::Time;
use stoop_waits::{Lines, connected};

use crate::support::{Outcome, Room, Running, list, number, text, until};

/// Less than the two seconds after which a stopped program leaves its work, and more than starting it takes.
const SOON: Duration = Duration::from_secs(15);

#[test]
fn the_demo_shows_markets_and_alerts_and_continues_where_it_stopped() {
    let room = Room::new();
    let demo = |seconds: &str| {
        let args = ["--seconds", seconds, "--homes", "1500", "--speed", "10080", "--seed", "7", "--history", "5"];
        room.stoop(&[&["demo", "--port", "0"], &args[..]].concat()).ok().stdout
    };
    let shown = demo("10");
    for part in
        ["A simulated listing portal answers on http://127.0.0.1:", "markets", "active", "Seattle", "sale", "rent"]
    {
        assert!(shown.contains(part), "{part:?} is not in:\n{shown}");
    }
    let lines: Vec<&str> = shown.lines().collect();
    let alert = lines.iter().position(|line| line.contains('▼') && line.contains(" % ") && line.contains('→'));
    let pages = lines.iter().position(|line| line.starts_with("Pages: http://127.0.0.1:"));
    let polled = lines.iter().position(|line| line.starts_with("Polled through 5 simulated days in "));
    assert!(polled < pages && pages < alert && polled.is_some(), "{shown}");
    let first = room.is_equal();
    let alerts = room.alert_ids();
    assert!(!alerts.is_empty() && number(&first["homes"]) > 100.0);
    assert_eq!(room.alert_lines().len(), alerts.len());
    // Observations wait in the database until they fill a file of the lake.
    assert!(room.path("stoop-data/raw").is_dir() && room.path("stoop-data/alerts.jsonl").is_file());
    assert!(!room.path("stoop-data/lake").exists() && number(&first["observations"]) > 0.0);

    let shown = demo("3");
    assert!(shown.contains("Continuing from 2026-0") && !shown.contains("Polling through"), "{shown}");
    let second = room.is_equal();
    assert!(number(&second["observations"]) > number(&first["observations"]), "{first} {second}");
    assert!(alerts.iter().all(|id| room.alert_ids().contains(id)));
}

/// A demo that runs, and its output.
struct Demo {
    running: Running,
    lines: Lines,
}

impl Demo {
    fn start(room: &Room, args: &[&str]) -> Self {
        let mut command = room.command(&[&["demo", "--homes", "800"], args].concat());
        let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap());
        let lines = Lines::of(running.0.stdout.take().unwrap());
        Self { running, lines }
    }

    /// Reads up to a line with these words, and returns all lines.
    #[track_caller]
    fn until(&mut self, words: &str) -> Vec<String> {
        let mut read = Vec::new();
        while let Some(line) = self.lines.next(words) {
            let found = line.contains(words);
            read.push(line);
            if found {
                return read;
            }
        }
        panic!("it ended without {words:?}:\n{}", read.join("\n"))
    }

    /// What it prints to its end.
    fn rest(self) -> (Option<i32>, Vec<String>) {
        let lines = std::iter::from_fn(|| self.lines.next("the demo's end")).collect();
        (self.running.wait(), lines)
    }
}

/// A port that was free a moment ago.
fn free_port() -> String {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port().to_string()
}

/// The first page; `None` while nobody serves it.
fn first_page(port: &str) -> Option<String> {
    let mut stream = connected(format!("127.0.0.1:{port}")).ok()?;
    write!(stream, "GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n").ok()?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).ok()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The days of the past that a demo says are still to be polled, and the line that says it.
fn days_to_poll(lines: &[String]) -> i64 {
    let line = lines.iter().find_map(|line| line.strip_prefix("Polling through "));
    line.and_then(|rest| rest.split(' ').next()?.parse().ok()).unwrap_or_else(|| panic!("{lines:?}"))
}

#[test]
fn an_interrupted_past_is_served_meanwhile_and_goes_on_later() {
    let room = Room::new();
    let port = free_port();
    let mut demo = Demo::start(&room, &["--history", "1000", "--port", &port]);
    assert_eq!(days_to_poll(&demo.until("Polling through")), 1_000);
    until("a page with a market", || first_page(&port).filter(|page| page.contains("Chicago")));
    // It is asked to end while it polls, and ends at once.
    let asked = Instant::now();
    demo.running.interrupt();
    let (code, lines) = demo.rest();
    assert!(asked.elapsed() < SOON, "{:?}", asked.elapsed());
    let stopped = lines.iter().any(|line| line.starts_with("Stopped at 202") && line.contains("the next demo goes on"));
    assert!(stopped && code == Some(0), "{code:?} {lines:?}");
    assert!(!lines.iter().any(|line| line.contains("Pages: ") || line.contains("active")), "{lines:?}");
    room.is_equal();

    // The second one is killed.
    let mut demo = Demo::start(&room, &["--history", "1000", "--port", "0"]);
    let left = days_to_poll(&demo.until("Polling through"));
    assert!((1..1_000).contains(&left), "{left}");
    let reached = days_polled(&room);
    until("another week", || (days_polled(&room) > reached + 7).then_some(()));
    demo.running.kill();
    room.is_equal();

    // The third one polls what is missing, and only then shows markets.
    let history = (days_polled(&room) + 20).to_string();
    let demo = Demo::start(&room, &["--history", &history, "--port", "0", "--seconds", "1"]);
    let (code, lines) = demo.rest();
    assert_eq!(code, Some(0), "{lines:?}");
    let left = days_to_poll(&lines);
    assert!((19..=21).contains(&left), "{left}: {lines:?}");
    let at = |words: &str| lines.iter().position(|line| line.starts_with(words)).unwrap_or_else(|| panic!("{lines:?}"));
    assert!(at("Continuing from 202") < at("Polling through"));
    assert!(at("Polled through") < at("Pages: http://127.0.0.1:"));
    assert!(at("Pages: ") < at("market "));
    room.is_equal();
}

/// The days from the beginning of every demo to the last complete poll.
fn days_polled(room: &Room) -> i64 {
    let runs = room.json(&["runs", "--limit", "20"]);
    let complete = list(&runs["runs"]).iter().filter(|run| run["outcome"] == "complete");
    let last = complete.map(|run| Time::parse(text(&run["began_at"])).unwrap()).max().unwrap();
    (last.ms() - Time::parse("2026-01-05T00:00:00Z").unwrap().ms()) / Time::DAY_MS
}

#[test]
#[cfg(target_os = "linux")]
fn the_pages_open_in_a_browser_if_asked_for() {
    use std::os::unix::fs::PermissionsExt;
    let room = Room::new();
    room.write("xdg-open", "#!/bin/sh\nprintf %s \"$1\" >opened.new && mv opened.new opened\n");
    std::fs::set_permissions(room.path("xdg-open"), PermissionsExt::from_mode(0o755)).unwrap();
    let demo = |path: &str, open: &[&str]| {
        let args = [&["demo", "--homes", "100", "--history", "1", "--seconds", "2", "--port", "0"], open].concat();
        Outcome::of(room.command(&args).env("PATH", path)).ok()
    };
    let path = format!("{}:{}", room.path("").display(), std::env::var("PATH").unwrap());
    demo(&path, &[]);
    assert!(!room.path("opened").exists(), "only if asked for");
    let shown = demo(&path, &["--open"]).stdout;
    let opened = until("an opened page", || std::fs::read_to_string(room.path("opened")).ok());
    assert!(shown.contains(&format!("Pages: {opened}  Ctrl-C stops.")), "{opened:?}: {shown}");
    // Without one, the demo goes on.
    let none = demo("/nowhere", &["--open"]);
    assert!(none.stderr.contains("stoop: xdg-open opens no browser: "), "{}", none.stderr);
}
