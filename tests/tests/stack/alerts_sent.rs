//! Subscribers of the topic: SQS queues, and an HTTP server on loopback.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use aws_sdk_sqs::types::QueueAttributeName;
use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde_json::{Value, json};
use stoop_aws::Clients;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

/// A queue with a filter policy.
pub(crate) struct Subscriber {
    client: aws_sdk_sqs::Client,
    url: String,
}

/// A received message: the body, and the attributes if SNS delivers them separately.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) body: Value,
    pub(crate) attributes: Value,
}

impl Subscriber {
    /// Makes a queue and subscribes it; `raw` omits SNS's envelope.
    pub(crate) async fn subscribe(clients: &Clients, topic: &str, name: &str, filter: &Value, raw: bool) -> Self {
        let (sqs, sns) = (clients.sqs(), clients.sns());
        let url = sqs.create_queue().queue_name(name).send().await.unwrap().queue_url.unwrap();
        let message = sqs.get_queue_attributes().queue_url(&url).attribute_names(QueueAttributeName::QueueArn);
        let arn = message.send().await.unwrap().attributes.unwrap().remove(&QueueAttributeName::QueueArn).unwrap();
        let policy = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }]});
        let set = sqs.set_queue_attributes().queue_url(&url).attributes(QueueAttributeName::Policy, policy.to_string());
        set.send().await.unwrap();
        let request = sns.subscribe().topic_arn(topic).protocol("sqs").endpoint(&arn);
        let request = request.attributes("RawMessageDelivery", raw.to_string());
        request.attributes("FilterPolicy", filter.to_string()).send().await.unwrap();
        Self { client: sqs, url }
    }

    /// Receives and deletes all messages.
    pub(crate) async fn take(&self) -> Vec<Heard> {
        let mut heard = Vec::new();
        loop {
            let request = self.client.receive_message().queue_url(&self.url).max_number_of_messages(10);
            let received = request.message_attribute_names("All").send().await.unwrap();
            if received.messages().is_empty() {
                return heard;
            }
            for message in received.messages() {
                let attributes = message.message_attributes().into_iter().flatten();
                let attributes = attributes.map(|(name, value)| (name.clone(), json!(value.string_value())));
                let body = serde_json::from_str(message.body().unwrap()).unwrap();
                heard.push(Heard { body, attributes: attributes.collect::<serde_json::Map<_, _>>().into() });
                let done = self.client.delete_message().queue_url(&self.url);
                done.receipt_handle(message.receipt_handle().unwrap()).send().await.unwrap();
            }
        }
    }
}

/// A subscribed HTTP endpoint that records its requests.
pub(crate) struct Webhook {
    pub(crate) url: String,
    posts: Arc<Mutex<Vec<Value>>>,
    server: JoinHandle<()>,
}

impl Webhook {
    pub(crate) async fn start() -> Self {
        let posts = Arc::<Mutex<Vec<Value>>>::default();
        let subscriber = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/alerts", subscriber.local_addr().unwrap());
        let routes = Router::new().route("/alerts", post(take)).with_state(Arc::clone(&posts));
        let server = tokio::spawn(async move { drop(axum::serve(subscriber, routes).await) });
        Self { url, posts, server }
    }

    /// The posts so far with one of SNS's types: `SubscriptionConfirmation` or `Notification`.
    pub(crate) fn posted(&self, kind: &str) -> Vec<Value> {
        self.posts.lock().unwrap().iter().filter(|post| post["Type"] == kind).cloned().collect()
    }
}

impl Drop for Webhook {
    fn drop(&mut self) {
        self.server.abort();
    }
}

/// SNS posts JSON as `text/plain`.
async fn take(State(posts): State<Arc<Mutex<Vec<Value>>>>, body: String) {
    posts.lock().unwrap().push(serde_json::from_str(&body).unwrap_or(Value::String(body)));
}
