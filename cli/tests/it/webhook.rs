//! A webhook: the alerts it receives, and what happens to those it refuses.

#![cfg(unix)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, UNIX_EPOCH};

use crate::support::{MAP, Outcome, Room, Running, list, says, text, until};
use serde_json::{Value, json};

/// A key in the URL, which must never be shown.
const KEY: &str = "a-key-of-the-test";

/// The environment variable of the URL.
const HOOK: &str = "STOOP_TEST_HOOK";

/// A room that watches a folder, with these alert settings.
fn room(alerts: &str) -> Room {
    let room = Room::new();
    room.write("made.toml", MAP);
    std::fs::create_dir(room.path("in")).unwrap();
    configure(&room, alerts);
    room
}

fn configure(room: &Room, alerts: &str) {
    let search = "[[search]]\nname = 'made'\nsource = 'made.toml'\nfiles = 'in/'\nevery = '1s'\n";
    room.write("stoop.toml", format!("[alerts]\n{alerts}\n{search}"));
}

/// Lowers the prices of these homes by a fifth.
fn fall(room: &Room, homes: &[&str]) {
    let rows = homes.iter().map(|id| format!("{id},2025-03-01,500000,Chicago\n{id},2025-03-05,400000,Chicago\n"));
    let text = format!("id,seen,price,city\n{}", rows.collect::<String>());
    // A rename makes the file appear whole.
    room.write("whole.csv", text);
    // A file that was just written waits for the next poll.
    let written = File::options().append(true).open(room.path("whole.csv")).unwrap();
    written.set_modified(UNIX_EPOCH + Duration::from_secs(1_742_000_000)).unwrap();
    std::fs::rename(room.path("whole.csv"), room.path(&format!("in/{}.csv", homes[0]))).unwrap();
}

/// Starts `stoop run` with the URL in the environment; its output goes to `run.log`.
fn run(room: &Room, url: &str) -> Running {
    let log = File::options().create(true).append(true).open(room.path("run.log")).unwrap();
    let mut command = room.command(&["run"]);
    Running(command.env(HOOK, url).stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap())
}

fn stop(running: Running) {
    running.interrupt();
    assert_eq!(running.wait(), Some(0));
}

/// The homes of the alerts that a webhook accepted, sorted.
fn homes(webhook: &Webhook) -> Vec<String> {
    let taken = webhook.heard().into_iter().filter(|post| post.status == 200);
    let mut homes: Vec<String> = taken.map(|post| text(&post.alert["home"]).to_owned()).collect();
    homes.sort();
    homes
}

fn wait_for(webhook: &Webhook, count: usize) {
    until("alerts at the webhook", || (homes(webhook).len() >= count).then_some(()));
}

#[test]
fn a_webhook_added_later_gets_the_alerts_from_then_on() {
    let webhook = Webhook::start(|_| 200);
    let room = room("");
    fall(&room, &["a", "b"]);
    room.stoop(&["poll", "made"]).ok();
    assert_eq!(room.alert_ids().len(), 2);
    configure(&room, "webhook = { env = \"STOOP_TEST_HOOK\" }");
    for (news, heard) in [(["c", "d"], 2), (["e", "f"], 4)] {
        let running = run(&room, &webhook.url);
        until("the first poll", || room.read("run.log").contains("made:").then_some(()));
        fall(&room, &news);
        wait_for(&webhook, heard);
        stop(running);
    }
    assert_eq!(homes(&webhook), ["made/c", "made/d", "made/e", "made/f"]);
    // Alerts recorded while it does not run wait for it.
    fall(&room, &["g"]);
    Outcome::of(room.command(&["poll", "made"]).env(HOOK, &webhook.url)).ok();
    assert_eq!(room.json(&["webhook"])["waiting"], 1);
    let running = run(&room, &webhook.url);
    wait_for(&webhook, 5);
    stop(running);

    // A webhook that was removed is new when it is added again, and may be configured to send the past.
    configure(&room, "");
    fall(&room, &["h"]);
    let running = run(&room, &webhook.url);
    until("an alert", || (room.alert_lines().len() == 8).then_some(()));
    stop(running);
    let other = Webhook::start(|_| 200);
    configure(&room, "webhook = { env = \"STOOP_TEST_HOOK\" }\nwebhook_past = true");
    let running = run(&room, &other.url);
    wait_for(&other, 8);
    stop(running);
    assert_eq!((homes(&webhook).len(), homes(&other).len()), (5, 8));
}

#[test]
fn a_refused_alert_is_a_dead_letter_that_can_be_listed_and_resent() {
    let webhook = Webhook::start(|nth| if nth == 0 || nth == 4 { 422 } else { 200 });
    let room = room("webhook = { file = 'hook.txt' }");
    room.write("hook.txt", format!("{}\n", webhook.url));
    let running = run(&room, "");
    fall(&room, &["a", "b", "c"]);
    wait_for(&webhook, 2);
    stop(running);
    assert_eq!(webhook.heard().len(), 3, "it was posted once, and delayed nothing");
    let log = room.read("run.log");
    assert!(log.contains("stoop webhook") && log.contains("status 422"), "{log}");
    let standing = room.json(&["webhook"]);
    says(&standing, &json!({ "known": true, "waiting": 0, "dead_letters": 1, "sent": 0 }));
    let letter = &list(&standing["letters"])[0];
    assert_eq!(letter["alert"]["id"], webhook.heard()[0].alert["id"]);
    assert!(text(&letter["why"]).contains("status 422"), "{letter}");
    let message = room.stoop(&["webhook"]).ok().stdout;
    assert!(message.contains("1 dead letter;") && message.contains("--send"), "{message}");

    let mut again = room.json(&["webhook", "--send"]);
    says(&again, &json!({ "dead_letters": 0, "sent": 1 }));
    again = room.json(&["webhook", "--send"]);
    says(&again, &json!({ "dead_letters": 0, "sent": 0 }));
    assert_eq!(webhook.accepted(), room.alert_ids());
    let all = [log, message, again.to_string(), room.read("run.log")].concat();
    assert!(!all.contains(KEY), "the URL is secret: {all}");
}

#[test]
fn a_bad_url_is_a_usage_error_that_does_not_show_it() {
    let room = room("webhook = { env = \"STOOP_TEST_HOOK\" }");
    let with = |value: Option<&str>| {
        let mut command = room.command(&["poll", "made"]);
        value.map(|value| command.env(HOOK, value));
        Outcome::of(&mut command)
    };
    with(None).refused(&["alerts.webhook", "the environment has no variable STOOP_TEST_HOOK"]);
    let refused = with(Some("hooks.example/a-key-of-the-test"));
    refused.refused(&["alerts.webhook: the value (not shown) is not a URL"]);
    assert!(!refused.stderr.contains(KEY), "{}", refused.stderr);
    room.stoop(&["webhook", "--send"]).refused(&["there is no database"]);
    with(Some("https://hooks.example/")).ok();
    // Showing the state needs no URL.
    says(&room.json(&["webhook"]), &json!({ "known": false, "dead_letters": 0 }));
    configure(&room, "");
    room.stoop(&["webhook", "--send"]).refused(&["stoop.toml names no webhook"]);
}

/// A server that accepts POSTed alerts and answers as the test says.
pub(crate) struct Webhook {
    pub(crate) url: String,
    heard: Arc<Mutex<Vec<Post>>>,
}

#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) alert: Value,
    /// The status of the answer.
    pub(crate) status: u16,
}

impl Webhook {
    /// `answer` returns the status for the n-th post.
    pub(crate) fn start(answer: impl Fn(usize) -> u16 + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/alerts?key={KEY}", listener.local_addr().unwrap());
        let heard: Arc<Mutex<Vec<Post>>> = Arc::default();
        let posts = Arc::clone(&heard);
        // The thread ends with the test's process.
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let Some(alert) = read_post(&stream) else { continue };
                let mut posts = posts.lock().unwrap();
                let status = answer(posts.len());
                posts.push(Post { alert, status });
                drop(posts);
                let answer = format!("HTTP/1.1 {status} So\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
                // A client that has gone will ask again.
                drop((&stream).write_all(answer.as_bytes()));
            }
        });
        Self { url, heard }
    }

    pub(crate) fn heard(&self) -> Vec<Post> {
        self.heard.lock().unwrap().clone()
    }

    /// The IDs of the alerts that it answered with 200, sorted.
    pub(crate) fn accepted(&self) -> Vec<String> {
        let taken = self.heard().into_iter().filter(|post| post.status == 200);
        let mut ids: Vec<String> = taken.map(|post| text(&post.alert["id"]).to_owned()).collect();
        ids.sort();
        ids
    }
}

/// Reads a POST with a JSON body.
fn read_post(stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    assert!(line.starts_with("POST /alerts?key="), "{line}");
    let mut headers = BTreeMap::new();
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    assert_eq!(headers["content-type"], "application/json");
    assert!(headers["user-agent"].starts_with("stoop/"), "{headers:?}");
    let mut body = vec![0; headers["content-length"].parse().unwrap()];
    reader.read_exact(&mut body).ok()?;
    Some(serde_json::from_slice(&body).unwrap())
}
