use serde_json::{Value, json};
use stoop_aws::{PollQueue, TopicPublisher};
use stoop_domain::{Alert, AlertId, HomeId, Minor, Time, Verdict};
use stoop_pipeline::ports::{PollTask, Publisher, TaskQueue};
use stoop_pipeline::with_causes;

use crate::service::{Answer, ReceivedRequest, Service};

pub(crate) fn alerts(n: usize) -> Vec<Alert> {
    let alert = |i| Alert {
        id: AlertId(format!("a{i}")),
        rule: "price-drop".into(),
        home: HomeId("reso/1".into()),
        market: "us/wa/king/seattle/98178:sale:USD".parse().unwrap(),
        at: Time::from_ms(0),
        from: Minor(50_000_000),
        to: Minor(41_000_000),
        drop_bp: 1_800,
        title: None,
        line: None,
        url: None,
        verdict: Verdict::Alert,
        withdrawn: None,
        other_listings: Vec::new(),
    };
    (0..n).map(alert).collect()
}

pub(crate) const TOPIC: &str = "arn:aws:sns:us-east-1:000000000000:alerts";

fn published(taken: &[&str], refused: &[(&str, &str)]) -> Answer {
    let taken: String =
        taken.iter().map(|id| format!("<member><Id>{id}</Id><MessageId>m</MessageId></member>")).collect();
    let refused = refused.iter().map(|(id, code)| {
        format!(
            "<member><Id>{id}</Id><Code>{code}</Code><Message>as documented</Message><SenderFault>true</SenderFault></member>"
        )
    });
    let refused: String = refused.collect();
    let body = format!(
        "<PublishBatchResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishBatchResult>\
         <Successful>{taken}</Successful><Failed>{refused}</Failed></PublishBatchResult></PublishBatchResponse>"
    );
    Answer::new(200, body).with("content-type", "text/xml")
}

/// The outcomes, one line each.
async fn message(service: &Service, alerts: &[Alert]) -> Vec<String> {
    let publisher = TopicPublisher::new(service.clients.sns(), TOPIC);
    let outcomes = publisher.publish(alerts).await;
    outcomes.into_iter().map(|outcome| outcome.map_or_else(|error| with_causes(&error), |()| "sent".into())).collect()
}

fn form(asked: &ReceivedRequest) -> String {
    String::from_utf8(asked.body.to_vec()).unwrap()
}

#[tokio::test]
async fn each_alert_of_a_batch_has_its_own_outcome() {
    let service = Service::start(|_, _| published(&["2", "0"], &[("1", "InvalidParameter")])).await;
    let refused = format!("PublishBatch of the alert a1 to {TOPIC}: InvalidParameter: as documented");
    let silent = format!("PublishBatch of the alert a3 to {TOPIC}: the response does not mention it");
    assert_eq!(message(&service, &alerts(4)).await, ["sent".to_owned(), refused, "sent".into(), silent]);
}

#[tokio::test]
async fn a_batch_has_ten_alerts_and_one_that_fails_does_not_stop_the_next() {
    let service = Service::start(|index, asked| {
        let entries = form(asked).matches(".Id=").count();
        let ids: Vec<String> = (0..entries).map(|i| i.to_string()).collect();
        match index {
            0 => {
                let body = "<ErrorResponse><Error><Type>Sender</Type><Code>AuthorizationError</Code>\
                            <Message>no</Message></Error></ErrorResponse>";
                Answer::new(403, body).with("content-type", "text/xml")
            }
            _ => published(&ids.iter().map(String::as_str).collect::<Vec<_>>(), &[]),
        }
    })
    .await;
    let outcomes = message(&service, &alerts(13)).await;
    assert_eq!(service.asked().len(), 2);
    assert_eq!(outcomes.len(), 13);
    assert_eq!(outcomes[9], format!("PublishBatch of the alert a9 to {TOPIC}: AuthorizationError: no"));
    assert!(outcomes[10..].iter().all(|outcome| outcome == "sent"), "{outcomes:?}");
}

#[tokio::test]
async fn a_throttling_topic_is_retried() {
    let service = Service::start(|index, _| match index {
        0 => {
            let body = "<ErrorResponse><Error><Type>Sender</Type><Code>Throttled</Code>\
                        <Message>Rate exceeded</Message></Error></ErrorResponse>";
            Answer::new(429, body).with("content-type", "text/xml")
        }
        1 => Answer::new(503, ""),
        _ => published(&["0"], &[]),
    })
    .await;
    assert_eq!(message(&service, &alerts(1)).await, ["sent"]);
    assert_eq!(service.asked().len(), 3);
}

fn tasks(n: usize) -> Vec<PollTask> {
    (0..n).map(|i| PollTask { search: format!("zip {i}"), due_at: Time::from_ms(7), continuation: None }).collect()
}

fn queue(service: &Service) -> PollQueue {
    PollQueue::new(service.clients.sqs(), "http://127.0.0.1/000000000000/polls.fifo")
}

fn sent(taken: &[usize], refused: &[(usize, &str, bool)]) -> Answer {
    let taken = taken.iter().map(|id| json!({"Id": id.to_string(), "MessageId": "m", "MD5OfMessageBody": ""}));
    let refused = refused.iter().map(|(id, code, sender_fault)| {
        json!({"Id": id.to_string(), "Code": code, "SenderFault": sender_fault, "Message": "as documented"})
    });
    Answer::new(200, json!({"Successful": taken.collect::<Vec<_>>(), "Failed": refused.collect::<Vec<_>>()}))
}

#[tokio::test]
async fn refused_tasks_are_returned_by_index() {
    let service = Service::start(|index, _| match index {
        0 => sent(&[0, 1, 2, 4, 5, 6, 7, 8, 9], &[(3, "InternalError", false)]),
        // The response does not mention the second task.
        _ => sent(&[0, 2], &[]),
    })
    .await;
    assert_eq!(queue(&service).send(&tasks(13)).await.unwrap(), [3, 11]);
    let asked = service.asked();
    let entries = |asked: &ReceivedRequest| asked.json()["Entries"].as_array().unwrap().clone();
    assert_eq!(asked.iter().map(|asked| entries(asked).len()).collect::<Vec<_>>(), [10, 3]);
    let last = &entries(&asked[1])[2];
    let body: Value = serde_json::from_str(last["MessageBody"].as_str().unwrap()).unwrap();
    assert_eq!(body, json!({"search": "zip 12", "due_at": 7}));
}

#[tokio::test]
async fn our_own_fault_is_an_error_and_a_busy_queue_is_not() {
    let ours = Service::start(|_, _| sent(&[0], &[(1, "InvalidMessageContents", true)])).await;
    let error = queue(&ours).send(&tasks(2)).await.unwrap_err();
    assert_eq!(
        with_causes(&error),
        "SendMessageBatch to http://127.0.0.1/000000000000/polls.fifo: the task of zip 1 was refused for good: \
         InvalidMessageContents: as documented"
    );
    let busy =
        Service::start(|_, _| Answer::json_error(400, "com.amazonaws.sqs#RequestThrottled", "Rate exceeded")).await;
    assert_eq!(queue(&busy).send(&tasks(2)).await.unwrap(), [0, 1]);
    let code = "com.amazonaws.sqs#QueueDoesNotExist";
    let missing =
        Service::start(move |_, _| Answer::json_error(400, code, "The specified queue does not exist.")).await;
    let error = queue(&missing).send(&tasks(2)).await.unwrap_err();
    assert!(
        with_causes(&error).ends_with("QueueDoesNotExist: The specified queue does not exist."),
        "{}",
        with_causes(&error)
    );
}

#[tokio::test]
async fn a_continuation_has_the_same_group_and_each_message_has_one() {
    let service = Service::start(|_, _| Answer::new(200, json!({"MessageId": "m", "SequenceNumber": "1"}))).await;
    let [task] = &tasks(1)[..] else { panic!("one task") };
    for message in ["m1", "m1", "m2"] {
        queue(&service).continue_later(task, message).await.unwrap();
    }
    let asked: Vec<Value> = service.asked().iter().map(ReceivedRequest::json).collect();
    let ids: Vec<&str> = asked.iter().map(|sent| sent["MessageDeduplicationId"].as_str().unwrap()).collect();
    assert!(ids[0] == ids[1] && ids[1] != ids[2], "{ids:?}");
    assert!(asked.iter().all(|sent| sent["MessageGroupId"] == asked[0]["MessageGroupId"]));
}
