//! `/metrics` and the page of quality, against the command line.

use super::{FIELDS, HOSTILE, RunningServer, between, room};
use crate::support::{number, until};

/// The value of the only sample of a metric.
#[track_caller]
fn metric(text: &str, name: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

#[test]
fn metrics_equal_the_command_line_and_are_refused_to_other_hosts() {
    let room = room();
    let served = RunningServer::start(&room);
    let answer = served.get("/metrics");
    assert_eq!((answer.status, answer.header("content-type")), (200, "text/plain; version=0.0.4; charset=utf-8"));
    let verified = room.is_equal();
    assert_eq!(metric(&answer.body, "stoop_homes"), number(&verified["homes"]));
    assert_eq!(metric(&answer.body, "stoop_observations"), number(&verified["observations"]));
    assert_eq!(metric(&answer.body, "stoop_alerts_sent_total"), room.alert_ids().len() as f64);
    let active: f64 =
        ["reno", "elko"].map(|city| number(&room.json(&["market", city])["markets"][0]["active"])).iter().sum();
    let labels = r#"{country="us",purpose="sale",currency="USD"}"#;
    assert_eq!(metric(&answer.body, &format!("stoop_homes_active{labels}")), active);
    assert!(metric(&answer.body, "stoop_observation_lag_seconds") > 0.0);
    assert_eq!(metric(&answer.body, r#"stoop_runs_total{kind="replay",outcome="complete"}"#), 1.0);
    // Another process has verified since; the server sees it.
    assert_eq!(metric(&served.get("/metrics").body, r#"stoop_runs_total{kind="verify",outcome="complete"}"#), 1.0);
    let elsewhere = served.send("GET /metrics HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n");
    assert_eq!(elsewhere.status, 421);
    assert!(!elsewhere.body.contains("stoop_homes"));
    let written = served.send(&format!("POST /metrics HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n\r\n", served.host));
    assert_eq!(written.status, 405);
}

#[test]
fn quality_shows_the_verdict_the_balance_and_what_was_refused() {
    let room = room();
    let served = RunningServer::start(&room);
    let page = served.page("/quality");
    for sentence in ["Not verified yet", "Nothing was refused.", "100.0 % confirmed", "Yes, in 2 areas"] {
        assert!(page.contains(sentence), "{sentence} is not in {page}");
    }
    let refused = format!("{FIELDS}1,2026-03-15T08:00:00Z,-5,Reno,\"{}\",x\n", HOSTILE.replace('"', "\"\""));
    room.stoop(&["replay", "--map", "made.toml", room.write("refused.csv", refused)]);
    let observations = number(&room.is_equal()["observations"]);
    let page = until("the page shows both", || {
        let page = served.page("/quality");
        (page.contains("price not positive") && !page.contains("Not verified yet")).then_some(page)
    });
    let verdict = between(&page, "data-answer=\"verify\"", "</section>");
    assert!(verdict.contains("<p class=\"big\">Yes</p>"), "{verdict}");
    assert!(verdict.contains(&format!("{observations} observations")), "{verdict}");
    assert!(page.contains("The price is zero or less.") && page.contains("refused.csv"), "{page}");
    assert!(!page.contains("<script>alert"), "what was refused is text");
    assert!(served.page("/runs").contains("<td class=\"l\">verify</td>"), "a verification is a run");
    // A change that no observation explains.
    let connection = rusqlite::Connection::open(room.path("stoop.db")).unwrap();
    connection.execute("UPDATE homes SET list_price = list_price + 1 WHERE id = 'made/1'", []).unwrap();
    let message = room.stoop(&["verify", "--json"]);
    assert_eq!(message.code, Some(1));
    assert_eq!(message.json()["recorded"], true);
    until("the page says that it is wrong", || served.page("/quality").contains("No: 1 difference").then_some(()));
}
