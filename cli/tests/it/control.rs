//! Searches of a running `stoop run`: paused, resumed and polled now, from another process.

#![cfg(unix)]

use serde_json::Value;

use crate::live::{Market, run};
use crate::pages::served::RunningServer;
use crate::support::{Room, Running, number, text, until};

/// A running search that is due once an hour, after its first poll.
fn hourly(market: &Market) -> (Room, Running) {
    let room = market.room("");
    room.write("stoop.toml", room.read("stoop.toml").replace("every = \"1s\"", "every = \"1h\""));
    let mut running = run(&room);
    until("a first poll", || {
        assert!(!running.has_ended());
        (search(&room)?["sent_at"].is_string() && polls(&room) == 1).then_some(())
    });
    (room, running)
}

/// The search, as `stoop searches` lists it.
fn search(room: &Room) -> Option<Value> {
    // The database is made by the run.
    let listed = room.stoop(&["searches", "--json"]);
    (listed.code == Some(0)).then(|| listed.json())?["searches"].as_array()?.first().cloned()
}

/// How many polls are complete.
fn polls(room: &Room) -> usize {
    let runs = room.json(&["runs"]);
    runs["runs"].as_array().unwrap().iter().filter(|run| run["outcome"] == "complete").count()
}

#[test]
fn a_poll_that_is_asked_for_begins_at_once_also_of_a_paused_search() {
    let market = Market::new();
    let (room, running) = hourly(&market);
    let first = search(&room).unwrap();
    assert_eq!((number(&first["every_seconds"]), &first["paused_at"]), (3_600.0, &Value::Null));
    let served = RunningServer::start(&room);
    let post = |path: &str| {
        let host = &served.host;
        served.send(&format!("POST {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
    };
    assert_eq!(post("/api/v1/searches/all/poll").status, 202);
    until("a second poll", || (polls(&room) == 2).then_some(()));
    until("it is answered", || search(&room)?["poll_asked_at"].is_null().then_some(()));

    assert!(room.stoop(&["pause", "all"]).ok().stdout.contains("all is paused since"));
    assert_eq!(search(&room).unwrap()["next_at"], Value::Null);
    assert!(served.page("/runs").contains("paused since"));
    assert_eq!(post("/api/v1/searches/all/poll").status, 202);
    until("a third poll", || (polls(&room) == 3).then_some(()));
    assert!(search(&room).unwrap()["paused_at"].is_string(), "it stays paused");
    assert!(room.stoop(&["resume", "all"]).ok().stdout.contains("all is polled next at"));
    running.interrupt();
    assert_eq!(running.wait(), Some(0));
    assert_eq!(polls(&room), 3, "each question is one poll");
}

#[test]
fn a_paused_search_is_not_polled_also_after_a_restart() {
    let market = Market::new();
    let (room, running) = hourly(&market);
    room.stoop(&["pause", "all"]).ok();
    running.interrupt();
    assert_eq!(running.wait(), Some(0));
    room.write("stoop.toml", room.read("stoop.toml").replace("every = \"1h\"", "every = \"1s\""));
    let mut running = run(&room);
    // Long enough for some polls, were it not paused.
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(!running.has_ended());
    assert_eq!(polls(&room), 1);
    room.stoop(&["resume", "all"]).ok();
    until("a second poll", || (polls(&room) >= 2).then_some(()));
    running.interrupt();
    assert_eq!(running.wait(), Some(0));
}

#[test]
fn an_unknown_search_is_a_mistake_that_names_the_nearest() {
    let market = Market::new();
    let (room, running) = hourly(&market);
    room.stoop(&["pause", "alll"]).refused(&["there is no search \"alll\"", "accepted: all"]);
    running.interrupt();
    assert_eq!(running.wait(), Some(0));
    assert_eq!(text(&room.json(&["searches"])["searches"][0]["search"]), "all");
}

#[test]
fn a_search_is_paused_before_its_first_poll() {
    let market = Market::new();
    let room = market.room("");
    let refused = room.stoop(&["pause", "nothing"]);
    assert_ne!(refused.code, Some(0));
    assert!(room.stoop(&["pause", "all"]).ok().stdout.contains("all is paused since"));
    let mut running = run(&room);
    std::thread::sleep(std::time::Duration::from_secs(3));
    assert!(!running.has_ended());
    assert_eq!(polls(&room), 0);
    room.stoop(&["resume", "all"]).ok();
    until("a first poll", || (polls(&room) >= 1).then_some(()));
    running.interrupt();
    assert_eq!(running.wait(), Some(0));
}
