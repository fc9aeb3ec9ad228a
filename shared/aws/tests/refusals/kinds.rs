use std::sync::Arc;

use stoop_aws::{DynamoLedger, KinesisStream, PollQueue, Secrets, TopicPublisher};
use stoop_domain::Time;
use stoop_pipeline::ports::FailureKind::{self, NotFound, Refused, Throttled, Unavailable};
use stoop_pipeline::ports::{Ledger, PollTask, PortError, Publisher, Stream, TaskQueue};

use crate::messages::{TOPIC, alerts};
use crate::service::{Answer, Service, Still};

/// Each answer with the kind of failure that it is.
fn answers() -> Vec<(Answer, FailureKind)> {
    let json = |status, code| Answer::json_error(status, code, "as documented");
    vec![
        (json(400, "AccessDeniedException"), Refused),
        (json(400, "UnrecognizedClientException"), Refused),
        (json(400, "ValidationException"), Refused),
        (json(400, "ResourceNotFoundException"), NotFound),
        (json(400, "ThrottlingException"), Throttled),
        (json(500, "InternalServerError"), Unavailable),
        (Answer::new(503, "<html>busy</html>"), Unavailable),
        (Answer::new(403, "<html>no</html>"), Refused),
    ]
}

/// The kind of the failure of a call, to a service with one answer.
async fn kind_of(answer: Answer, call: impl AsyncFn(&Service) -> Result<(), PortError>) -> FailureKind {
    let service = Service::start(move |_, _| answer.clone()).await;
    call(&service).await.unwrap_err().kind()
}

#[tokio::test]
async fn a_table_says_how_it_fails() {
    for (answer, kind) in answers() {
        let ledger = async |service: &Service| {
            let ledger = DynamoLedger::new(service.clients.dynamodb(), "alerts");
            ledger.known(&[stoop_domain::AlertId("a".into())]).await.map(drop)
        };
        assert_eq!(kind_of(answer.clone(), ledger).await, kind, "{answer:?}");
    }
}

#[tokio::test]
async fn a_secret_a_queue_and_a_topic_say_how_they_fail() {
    for (answer, kind) in answers() {
        let secret = async |service: &Service| {
            let secrets = Secrets::new(service.clients.secrets(), Arc::new(Still::default()));
            secrets.get("token").await.map(drop)
        };
        assert_eq!(kind_of(answer.clone(), secret).await, kind, "{answer:?}");
        let queue = async |service: &Service| {
            let queue = PollQueue::new(service.clients.sqs(), "http://127.0.0.1/queue");
            let task = PollTask { search: "a".into(), due_at: Time::from_ms(0), continuation: None };
            queue.continue_later(&task, "m1").await
        };
        assert_eq!(kind_of(answer.clone(), queue).await, kind, "{answer:?}");
    }
    let no_topic = "<ErrorResponse><Error><Type>Sender</Type><Code>NotFound</Code><Message>no topic</Message></Error>\
                    </ErrorResponse>";
    let denied = no_topic.replace("NotFound", "AuthorizationError");
    for (answer, kind) in [(Answer::new(404, no_topic), NotFound), (Answer::new(403, denied), Refused)] {
        let topic = async |service: &Service| {
            let topic = TopicPublisher::new(service.clients.sns(), TOPIC);
            topic.publish(&alerts(1)).await.remove(0)
        };
        assert_eq!(kind_of(answer.clone(), topic).await, kind, "{answer:?}");
    }
}

#[tokio::test]
async fn a_record_that_is_refused_for_good_says_how() {
    let answer = serde_json::json!({"FailedRecordCount": 1, "Records": [{"ErrorCode": "KMSNotFoundException", "ErrorMessage": "no key"}]});
    let stream = async |service: &Service| {
        let stream = KinesisStream::new(service.clients.kinesis(), "observations");
        stream.put(&[("a".into(), b"{}\n".to_vec())]).await.map(drop)
    };
    assert_eq!(kind_of(Answer::new(200, answer), stream).await, NotFound);
}
