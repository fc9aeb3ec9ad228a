use std::sync::Arc;

use serde_json::json;
use stoop_aws::Secrets;
use stoop_domain::Time;
use stoop_pipeline::with_causes;

use crate::service::{Answer, Service, Still};

const MINUTE_MS: i64 = 60 * Time::SECOND_MS;

fn message(text: &str) -> Answer {
    Answer::new(200, json!({"ARN": "arn", "Name": "token", "VersionId": "v", "SecretString": text}))
}

fn secrets(service: &Service) -> (Secrets, Arc<Still>) {
    let clock = Arc::new(Still::default());
    (Secrets::new(service.clients.secrets(), clock.clone()), clock)
}

#[tokio::test]
async fn a_secret_is_cached_and_read_again_on_request() {
    let service = Service::start(|index, _| message(&format!("t{index}"))).await;
    let (secrets, clock) = secrets(&service);
    let read = async || secrets.get("token").await.unwrap().reveal().to_owned();
    assert_eq!((read().await, read().await), ("t0".into(), "t0".into()));
    clock.pass(5 * MINUTE_MS - 1);
    assert_eq!(read().await, "t0");
    clock.pass(1);
    assert_eq!(read().await, "t1", "after five minutes");

    let refreshed = async || secrets.refresh("token").await.unwrap().reveal().to_owned();
    assert_eq!(refreshed().await, "t1", "just read");
    clock.pass(30 * Time::SECOND_MS);
    assert_eq!((refreshed().await, refreshed().await), ("t2".into(), "t2".into()));
    assert_eq!(read().await, "t2");
    assert_eq!(service.asked().len(), 3);
}

#[tokio::test]
async fn an_old_secret_is_used_during_an_outage_but_not_for_ever() {
    let gone = || Answer::json_error(400, "AccessDeniedException", "no");
    let service = Service::start(move |index, _| if index == 0 { message("old") } else { gone() }).await;
    let (secrets, clock) = secrets(&service);
    secrets.get("token").await.unwrap();
    clock.pass(59 * MINUTE_MS);
    assert_eq!(secrets.get("token").await.unwrap().reveal(), "old");
    clock.pass(MINUTE_MS);
    let error = secrets.get("token").await.unwrap_err();
    assert_eq!(with_causes(&error), "GetSecretValue token: AccessDeniedException: no");
}

#[tokio::test]
async fn a_member_of_a_json_secret_is_read_by_key_and_never_shown() {
    let service = Service::start(|_, asked| match asked.json()["SecretId"].as_str().unwrap() {
        "object" => message(r#"{"key": "hush", "port": 5432}"#),
        "plain" => message("hush"),
        _ => Answer::new(200, json!({"ARN": "arn", "Name": "binary", "SecretBinary": "aHVzaA=="})),
    })
    .await;
    let (secrets, _) = secrets(&service);
    let secret = secrets.get("object#key").await.unwrap();
    assert_eq!(secret.reveal(), "hush");
    assert!(!format!("{secret:?} {secrets:?}").contains("hush"));
    let cases = [
        (
            "object#other",
            "GetSecretValue object: it has no \"other\"; accepted: a JSON object with a text as \"other\"",
        ),
        (
            "object#port",
            "GetSecretValue object: \"port\" is not a text in it; accepted: a JSON object with a text as \"port\"",
        ),
        ("plain#key", "GetSecretValue plain: it is not a JSON object; accepted: a JSON object with a text as \"key\""),
        ("binary", "GetSecretValue binary: it is binary; accepted: a text"),
    ];
    for (name, expected) in cases {
        let error = secrets.get(name).await.unwrap_err();
        assert_eq!(with_causes(&error), expected);
        assert!(!format!("{error:?}").contains("hush"));
    }
    assert_eq!(service.asked().len(), 3, "an object is read once for all of its members");
}
