//! The ledger of alerts, when it is killed or refused between the rules and the alerts judged by them.

use serde_json::json;
use stoop_aws::DynamoLedger;
use stoop_domain::{AlertId, Time};
use stoop_pipeline::ports::Ledger;
use stoop_rules::Rules;

use crate::messages::alerts;
use crate::service::{Answer, Service};

/// The IDs of the items that were put, in order.
fn put(service: &Service) -> Vec<String> {
    let puts = service.asked().into_iter().map(|asked| asked.json());
    puts.map(|put| put["Item"]["id"]["S"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn rules_are_stored_before_an_alert_that_names_them() {
    let service = Service::start(|_, _| Answer::new(200, "{}")).await;
    let ledger = DynamoLedger::new(service.clients.dynamodb(), "alerts");
    let all = alerts(3);
    ledger.record(&all[..1], &Rules::default()).await.unwrap();
    let ids = put(&service);
    assert_eq!(ids.len(), 2, "{ids:?}");
    assert!(ids[0].starts_with("rules/") && ids[1] == "a0", "{ids:?}");
    let asked = service.asked();
    assert_eq!(asked[1].json()["Item"]["rules"]["S"], ids[0].as_str());
    assert_eq!(asked[0].json()["ConditionExpression"], "attribute_not_exists(#id)", "the first write wins");
    let kept = asked[0].json()["Item"]["body"]["S"].as_str().unwrap().to_owned();
    assert_eq!(serde_json::from_str::<Rules>(&kept).unwrap(), Rules::default());

    // A second batch by the same rules puts no rules; one by other rules does; one without alerts makes no request.
    ledger.record(&all[1..2], &Rules::default()).await.unwrap();
    ledger.record(&[], &Rules { noise_bp: 51, ..Rules::default() }).await.unwrap();
    assert_eq!(put(&service)[2..], ["a1"]);
    ledger.record(&all[2..], &Rules { noise_bp: 51, ..Rules::default() }).await.unwrap();
    let ids = put(&service);
    assert!(ids[3].starts_with("rules/") && ids[3] != ids[0], "{ids:?}");
    assert_eq!(ids[4..], ["a2"]);
}

#[tokio::test]
async fn an_alert_whose_rules_cannot_be_stored_is_not_recorded() {
    let refused = || Answer::json_error(400, "com.amazonaws.dynamodb.v20120810#ValidationException", "no");
    let service = Service::start(move |index, _| if index == 0 { refused() } else { Answer::new(200, "{}") }).await;
    let ledger = DynamoLedger::new(service.clients.dynamodb(), "alerts");
    let error = ledger.record(&alerts(1), &Rules::default()).await.unwrap_err();
    assert_eq!(error.what(), "PutItem of the rules into the table alerts");
    assert_eq!(put(&service).len(), 1);
    // On the retry the rules are not cached, so they are put again.
    ledger.record(&alerts(1), &Rules::default()).await.unwrap();
    let ids = put(&service);
    assert!(ids[1] == ids[0] && ids[2] == "a0", "{ids:?}");
}

#[tokio::test]
async fn existing_rules_are_reused() {
    let known =
        json!({ "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "it is" });
    let service = Service::start(move |_, _| Answer::new(400, &known)).await;
    let ledger = DynamoLedger::new(service.clients.dynamodb(), "alerts");
    ledger.record(&alerts(1), &Rules::default()).await.unwrap();
    assert_eq!(put(&service).len(), 2);
}

#[tokio::test]
async fn a_mark_is_an_update_that_makes_no_alert_and_keeps_the_first_time() {
    let unmet =
        json!({ "__type": "com.amazonaws.dynamodb.v20120810#ConditionalCheckFailedException", "message": "it is not" });
    let answer = move |index: usize, _: &_| if index < 2 { Answer::new(200, "{}") } else { Answer::new(400, &unmet) };
    let service = Service::start(answer).await;
    let ledger = DynamoLedger::new(service.clients.dynamodb(), "alerts");
    let (id, at) = (|id: &str| AlertId(id.into()), Some(Time::from_ms(1_767_225_600_000)));
    assert_eq!(ledger.mark(&[(id("a"), at)]).await.unwrap(), 1);
    assert_eq!(ledger.mark(&[(id("a"), None)]).await.unwrap(), 1);
    assert_eq!(
        ledger.mark(&[(id("b"), at), (id("c"), None)]).await.unwrap(),
        0,
        "a condition that is not met is no error"
    );
    assert_eq!(ledger.mark(&[]).await.unwrap(), 0);
    let asked: Vec<_> = service.asked().into_iter().map(|asked| asked.json()).collect();
    assert_eq!(asked.len(), 4);
    assert_eq!(asked[0]["Key"], json!({ "id": { "S": "a" } }));
    assert_eq!(asked[0]["UpdateExpression"], "SET #withdrawn = :at");
    assert_eq!(asked[0]["ConditionExpression"], "attribute_exists(#id) AND attribute_not_exists(#withdrawn)");
    assert_eq!(asked[0]["ExpressionAttributeValues"], json!({ ":at": { "S": "2026-01-01T00:00:00.000Z" } }));
    assert_eq!(asked[1]["UpdateExpression"], "REMOVE #withdrawn");
    assert_eq!(asked[1]["ConditionExpression"], "attribute_exists(#id) AND attribute_exists(#withdrawn)");

    let refused = |_, _: &_| Answer::json_error(400, "com.amazonaws.dynamodb.v20120810#ValidationException", "no");
    let service = Service::start(refused).await;
    let error = DynamoLedger::new(service.clients.dynamodb(), "alerts").mark(&[(id("a"), at)]).await.unwrap_err();
    assert_eq!(error.what(), "UpdateItem of the alert a in the table alerts");
}
