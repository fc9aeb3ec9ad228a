//! What changes while somebody looks: pages, alerts, and why an alert was raised.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use stoop_waits::connected;

use super::served::RunningServer;
use super::{FIELDS, room};
use crate::support::{text, until};

/// Who listens to server-sent events.
struct Ear {
    stream: TcpStream,
    heard: String,
}

impl Ear {
    fn on(served: &RunningServer, path: &str, headers: &str) -> Self {
        Self::asking(served, "GET", path, headers, "")
    }

    fn asking(served: &RunningServer, method: &str, path: &str, headers: &str, body: &str) -> Self {
        let mut stream = connected(&served.host).unwrap();
        stream.set_read_timeout(Some(Duration::from_millis(200))).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nHost: {}\r\n{headers}\r\n{body}", served.host).unwrap();
        Self { stream, heard: String::new() }
    }

    /// Waits for these words, and forgets what was before them. Returns both.
    fn hears(&mut self, part: &str) -> String {
        until(part, || {
            let mut bytes = [0; 1_024];
            if let Ok(n) = self.stream.read(&mut bytes) {
                self.heard += &String::from_utf8_lossy(&bytes[..n]);
            }
            let at = self.heard.find(part)?;
            Some(self.heard.drain(..at + part.len()).collect())
        })
    }
}

#[test]
fn an_open_page_is_told_of_news_and_a_stop_ends_it() {
    let room = room();
    let mut served = RunningServer::start(&room);
    let mut page = Ear::on(&served, "/events", "");
    page.hears("text/event-stream");
    let before = served.get("/");
    room.replay(
        "made.toml",
        &[room.write("later.csv", format!("{FIELDS}0,2026-03-15T08:00:00Z,320000,Reno,Fallen,\n"))],
    );
    page.hears("event: changed");
    let after = until("the new price", || {
        let after = served.get("/");
        (after.header("etag") != before.header("etag")).then_some(after)
    });
    assert!(after.body.contains("$400,000 → $320,000"), "{}", after.body);
    served.running.terminate();
    until("an end", || served.running.has_ended().then_some(()));
}

#[test]
fn alerts_are_heard_as_they_are_recorded_and_from_where_a_client_was() {
    let room = room();
    let served = RunningServer::start(&room);
    let mut live = Ear::on(&served, "/api/v1/events", "");
    live.hears("text/event-stream");
    let fallen = |day: u32, price: u32| {
        let rows = format!("{FIELDS}0,2026-03-{day}T08:00:00Z,{price},Reno,Fallen,\n");
        room.replay("made.toml", &[room.write(&format!("{day}.csv"), rows)]);
    };
    fallen(15, 320_000);
    live.hears("event: alert");
    live.hears("\"to\":320000.0");
    // The first alert was there before: who begins at the beginning gets it, too.
    let mut from_the_beginning = Ear::on(&served, "/api/v1/events", "Last-Event-ID: 0\r\n");
    from_the_beginning.hears("\"to\":300000.0");
    from_the_beginning.hears("id: 2");
    fallen(16, 250_000);
    from_the_beginning.hears("\"to\":250000.0");
    live.hears("id: 3");
    Ear::on(&served, "/api/v1/events", "Last-Event-ID: x\r\n").hears("bad_event_id");
    // A position of another database.
    let mut from_elsewhere = Ear::on(&served, "/api/v1/events", "Last-Event-ID: 9999\r\n");
    from_elsewhere.hears("text/event-stream");
    fallen(17, 200_000);
    from_elsewhere.hears("\"to\":200000.0");
}

#[test]
fn a_stream_of_alerts_ends_with_its_token() {
    let room = room();
    let token = |name: &str| room.stoop(&["token", "new", name]).ok().stdout.trim().to_owned();
    let headers = |token: &str| format!("Authorization: Bearer {token}\r\n");
    let (ann, bob) = (headers(&token("ann")), headers(&token("bob")));
    let served = RunningServer::start_with(&room, &["--require-token"]);
    Ear::on(&served, "/api/v1/events", "").hears("401");
    let [mut revoked, mut live] = [ann, bob].map(|headers| Ear::on(&served, "/api/v1/events", &headers));
    revoked.hears("text/event-stream");
    live.hears("text/event-stream");
    room.stoop(&["token", "revoke", "ann"]).ok();
    let rows = format!("{FIELDS}0,2026-03-15T08:00:00Z,320000,Reno,Fallen,\n");
    room.replay("made.toml", &[room.write("15.csv", rows)]);
    live.hears("\"to\":320000.0");
    // The chunk that ends a body.
    let said = revoked.hears("\r\n0\r\n");
    assert!(!said.contains("320000"), "{said}");
}

#[test]
fn events_of_a_page_end_with_its_session() {
    let room = room();
    let token = room.stoop(&["token", "new", "ann"]).ok().stdout.trim().to_owned();
    let served = RunningServer::start_with(&room, &["--require-token"]);
    Ear::on(&served, "/events", "").hears("401");
    let mut revoked = Ear::on(&served, "/events", &format!("Authorization: Bearer {token}\r\n"));
    revoked.hears("text/event-stream");
    room.stoop(&["token", "revoke", "ann"]).ok();
    let rows = format!("{FIELDS}0,2026-03-15T08:00:00Z,320000,Reno,Fallen,\n");
    room.replay("made.toml", &[room.write("15.csv", rows)]);
    revoked.hears("\r\n0\r\n");
}

#[test]
fn a_client_of_many_wrong_tokens_waits_and_is_no_longer_looked_at() {
    let room = room();
    let token = room.stoop(&["token", "new", "ann"]).ok().stdout.trim().to_owned();
    let served = RunningServer::start_with(&room, &["--require-token"]);
    let of = |token: &str| format!("Authorization: Bearer {token}\r\n");
    for _ in 0..20 {
        Ear::on(&served, "/api/v1/markets", &of("wrong")).hears(" 401 ");
    }
    for path in ["/api/v1/markets", "/api/v1/events", "/events", "/metrics", "/"] {
        for token in ["wrong", &token] {
            let mut ear = Ear::on(&served, path, &of(token));
            ear.hears(" 429 ");
            ear.hears("retry-after: ");
        }
    }
    Ear::on(&served, "/health", "").hears(" 200 ");
    // A proxy on this computer tells of another client.
    Ear::on(&served, "/api/v1/markets", &format!("{}X-Forwarded-For: 192.0.2.1\r\n", of(&token))).hears(" 200 ");
}

#[test]
fn sessions_that_ended_and_forms_of_other_sites_lock_nobody_out() {
    let room = room();
    let token = room.stoop(&["token", "new", "ann"]).ok().stdout.trim().to_owned();
    let served = RunningServer::start_with(&room, &["--require-token"]);
    for _ in 0..30 {
        Ear::on(&served, "/", "Cookie: stoop=1.ended.session\r\n").hears(" 303 ");
        let form = "Origin: http://evil.example\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\n";
        let form = format!("{form}Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 7\r\n");
        Ear::asking(&served, "POST", "/login", &form, "token=x").hears(" 403 ");
    }
    Ear::on(&served, "/api/v1/markets", &format!("Authorization: Bearer {token}\r\n")).hears(" 200 ");
}

#[test]
fn an_alert_is_explained() {
    let room = room();
    let served = RunningServer::start(&room);
    let listed = served.json("/api/v1/alerts");
    let alert = &listed["alerts"][0];
    let id = text(&alert["id"]);
    let explained = served.json(&format!("/api/v1/alerts/{id}"));
    assert_eq!((&explained["home"], &explained["drop"]), (&alert["home"], &alert["drop"]));
    assert_eq!((&explained["stands"], &explained["reference_is"]), (&true.into(), &"highest_price".into()));
    let prices = explained["prices"].as_array().unwrap();
    assert_eq!((&prices[0]["price"], &prices[prices.len() - 1]["price"]), (&alert["from"], &alert["to"]));
    assert_eq!(explained["selected_by"]["share_min"], 0.15);
    let page = served.page(&format!("/alerts/{id}"));
    assert!(page.contains("the highest price within 90 days") && page.contains("15.0 % below its reference"), "{page}");
    assert!(served.page("/alerts").contains(&format!("href=\"/alerts/{id}\"")));
    for path in ["/alerts/nobody", "/api/v1/alerts/nobody", "/alerts/%3Cscript%3E", "/alerts/"] {
        let answer = served.get(path);
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.body.contains("<script>"), "{path}");
    }
}
