//! Output to a terminal, a pipe and a file: nothing from a source, a file name or a search controls the terminal, and
//! no line is wider than requested.

#![cfg(unix)]

use std::fs::File;
use std::process::Stdio;
use std::sync::{Arc, Mutex};

use stoop_domain::Time;
use stoop_simulation::{Portal, PortalConfig, Simulation, SimulationConfig};

use crate::support::{Outcome, Room, Running};

/// Every text from outside in these tests: a window title, a cleared screen, a C1 code, reversed text direction.
const HOSTILE: &str = "x\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}y\u{2066}z\u{2069}\u{61c}";

const MAP: &str = r#"
name = "made"
country = "US"
purpose = "sale"
currency = "USD"
[fields]
native_id = { from = "id" }
observed_at = { from = "seen", date = "iso" }
list_price = { from = "price" }
city = { from = "city" }
line = { from = "line" }
title = { from = "title" }
url = { from = "url" }
"#;

/// Whether a character can move the cursor, name a window or reverse text.
fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[track_caller]
fn plain(outcome: &Outcome, command: &[&str]) {
    for text in [&outcome.stdout, &outcome.stderr] {
        let found = text.chars().find(|c| is_control(*c) && !matches!(c, '\n' | '\r'));
        assert_eq!(found, None, "{command:?}: {text:?}");
    }
}

/// A room with a replay of a hostile file: a home whose price falls, and rows that are refused.
fn room() -> Room {
    let room = Room::new();
    let file = format!("{}.csv", HOSTILE.replace('/', ""));
    let home = |seen: &str, price: &str| {
        format!("a{HOSTILE},{seen},{price},Reno,1 {HOSTILE} St,{HOSTILE},https://h.example/{HOSTILE}\n")
    };
    let rows = [home("2026-03-01", "300000"), home("2026-03-20", "200000"), home("2026-03-21", HOSTILE)];
    room.write("made.toml", MAP);
    room.write(&file, format!("id,seen,price,city,line,title,url\n{}", rows.concat()));
    let args = ["replay", "--map", "made.toml", "--max-rejects", "100", &file];
    let outcome = room.stoop(&args).ok();
    assert!(outcome.stdout.contains("▼ 33.3 %"), "{}", outcome.stdout);
    plain(&outcome, &args);
    room
}

const VIEWS: [&[&str]; 9] = [
    &["markets"],
    &["market", "reno"],
    &["homes", "reno", "--all"],
    &["alerts"],
    &["alerts", "--suspect"],
    &["quarantine"],
    &["runs"],
    &["sources"],
    &["verify"],
];

#[test]
fn no_view_passes_control_characters() {
    let room = room();
    let homes = room.json(&["homes", "reno", "--all"]);
    let id = homes["homes"][0]["id"].as_str().unwrap();
    assert!(homes["homes"][0]["title"].as_str().unwrap().contains("owned"), "{homes}");
    for view in VIEWS.into_iter().chain([&["home", id][..]]) {
        let forms: &[&str] = if view == ["verify"] { &["", "--json"] } else { &["", "--json", "--csv"] };
        for form in forms {
            let args: Vec<&str> = view.iter().chain([form]).copied().filter(|arg| !arg.is_empty()).collect();
            plain(&room.stoop(&args).ok(), &args);
        }
    }
    // Programs get the original text.
    let runs = room.json(&["runs"]);
    let replay = runs["runs"].as_array().unwrap().iter().find(|run| run["kind"] == "replay").unwrap();
    assert!(replay["subject"].as_str().unwrap().contains('\u{202e}'));
}

#[test]
fn no_error_message_passes_control_characters() {
    let room = room();
    let missing = format!("{HOSTILE}.toml").replace('/', "");
    room.write(
        "bad.toml",
        format!("[[search]]\nname = {:?}\nsource = \"{}\"\n", HOSTILE.replace(char::is_control, ""), "reso"),
    );
    room.write("hostile.toml", format!("name = \"made\"\n# {HOSTILE}\npurpose = \"\u{202e}sale\"\n"));
    let wrong: [&[&str]; 9] = [
        &["replay", "--map", &missing, "made.toml"],
        &["replay", "--map", "made.toml", &missing],
        &["replay", "--map", "hostile.toml", "made.toml"],
        &["--db", &missing, "runs"],
        &["run", "--config", "bad.toml"],
        &["poll", HOSTILE, "--config", "bad.toml"],
        &["home", HOSTILE],
        &["market", HOSTILE],
        &[HOSTILE],
    ];
    for args in wrong {
        let outcome = room.stoop(args);
        outcome.refused(&[]);
        assert!(!outcome.stderr.is_empty());
        plain(&outcome, args);
    }
}

#[test]
fn csv_has_no_formulas() {
    let room = Room::new();
    room.write("made.toml", MAP);
    room.write("a.csv", "id,seen,price,city,line,title,url\n1,2026-03-01,1250.5,Reno,\"1 \"\"A\"\" St, 2\",=1+1,\n");
    room.stoop(&["replay", "--map", "made.toml", "a.csv"]).ok();
    let csv = room.stoop(&["homes", "reno", "--csv"]).ok().stdout;
    let mut rows = csv::Reader::from_reader(csv.as_bytes());
    let names: Vec<String> = rows.headers().unwrap().iter().map(str::to_owned).collect();
    let row = rows.records().next().unwrap().unwrap();
    let cell = |name: &str| &row[names.iter().position(|known| known == name).unwrap()];
    assert_eq!(
        ["id", "price", "currency", "title", "line"].map(cell),
        ["made/1", "1250.50", "USD", "'=1+1", "1 \"A\" St, 2"]
    );
    assert_eq!(cell("last_event_at"), "2026-03-01T00:00:00Z");
    assert!(csv.lines().count() == 2 && csv.ends_with("\r\n"), "{csv:?}");
    // The header is printed without rows, too.
    assert_eq!(room.stoop(&["alerts", "--csv"]).ok().stdout.lines().count(), 1);
    room.stoop(&["alerts", "--csv", "--json"]).refused(&["--json", "--csv"]);
}

#[test]
fn a_closed_pipe_is_not_an_error_a_full_disk_is() {
    let room = room();
    for args in [&["markets"][..], &["verify"], &["runs", "--json"], &["homes", "reno", "--csv"], &["--help"]] {
        let mut command = room.command(args);
        let mut running = Running(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
        drop(running.0.stdout.take());
        let outcome = Outcome::at_the_end_of(&mut running);
        assert_eq!(outcome.code, Some(0), "{args:?}: {}", outcome.stderr);
        let Ok(full) = File::options().write(true).open("/dev/full") else { continue };
        let mut running = Running(room.command(args).stdout(full).stderr(Stdio::piped()).spawn().unwrap());
        let outcome = Outcome::at_the_end_of(&mut running);
        assert_eq!(outcome.code, Some(1), "{args:?}");
        assert!(outcome.stderr.contains("stoop: cannot write to standard output: "), "{args:?}: {}", outcome.stderr);
    }
}

/// Polls a portal that refuses the token, with logging on.
fn logged(log: &[&str], colours: Option<(&str, &str)>) -> Outcome {
    let start = Time::parse("2025-03-03T00:00:00Z").unwrap();
    let simulation = Arc::new(Mutex::new(Simulation::new(SimulationConfig::new(11, start, 10, 2))));
    let config = PortalConfig { token: Some("another".into()), ..PortalConfig::new(move || start) };
    let portal = Portal::start(simulation, config).unwrap();
    let room = Room::new();
    room.write(
        "stoop.toml",
        format!(
            "[[search]]\nname = \"none\"\nsource = \"reso\"\n[search.params]\nurl = \"{}/odata\"\nname = \"mls\"\n\
             token = {{ env = \"STOOP_TEST_TOKEN\" }}\n",
            portal.url()
        ),
    );
    let args: Vec<&str> = ["poll", "none"].into_iter().chain(log.iter().copied()).collect();
    let mut command = room.command(&args);
    command.env("STOOP_TEST_TOKEN", "a-token").env("STOOP_LOG", "trace");
    for name in ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"] {
        command.env_remove(name);
    }
    if let Some((name, value)) = colours {
        command.env(name, value);
    }
    let outcome = Outcome::of(&mut command);
    assert_eq!(outcome.code, Some(1), "{}", outcome.stderr);
    assert!(outcome.stderr.lines().count() > 1, "something is logged: {}", outcome.stderr);
    outcome
}

#[test]
fn a_piped_log_has_colours_only_on_request() {
    assert!(!logged(&[], None).stderr.contains('\u{1b}'));
    assert!(!logged(&["--log-json"], Some(("CLICOLOR_FORCE", "1"))).stderr.contains('\u{1b}'));
    assert!(logged(&[], Some(("CLICOLOR_FORCE", "1"))).stderr.contains("\u{1b}["));
    assert!(!logged(&[], Some(("NO_COLOR", "1"))).stderr.contains('\u{1b}'));
}

#[test]
fn a_view_is_as_wide_as_columns_says() {
    let room = room();
    for view in VIEWS.iter().filter(|view| view[0] != "verify") {
        let outcome = Outcome::of(room.command(view).env("COLUMNS", "60")).ok();
        let widest = outcome.stdout.lines().max_by_key(|line| line.chars().count()).unwrap();
        assert!(widest.chars().count() <= 60, "{view:?}: {widest}");
    }
    let forced = Outcome::of(room.command(&["markets"]).env("CLICOLOR_FORCE", "1")).ok();
    assert!(forced.stdout.contains("\u{1b}[1m"));
    assert!(!room.stoop(&["markets"]).stdout.contains('\u{1b}'));
}
