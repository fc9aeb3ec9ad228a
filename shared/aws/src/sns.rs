mod message;

use async_trait::async_trait;
use aws_sdk_sns::Client;
use aws_sdk_sns::types::{MessageAttributeValue, PublishBatchRequestEntry};
use stoop_domain::Alert;
use stoop_pipeline::ports::{FailureKind, PortError, Publisher};

use crate::error::{Reason, reason};
use message::Message;

/// `PublishBatch` takes ten messages, 256 KiB together, attributes included. A single message of ours is always below
/// 256 KiB.
const BATCH_MAX: usize = 10;
const BATCH_BYTES_MAX: usize = 256 << 10;

/// Publishes alerts on an SNS topic: readable text to people (e-mail, SMS), [`stoop_serve::AlertView`] as
/// JSON to programs (SQS, HTTP, Lambda), and message attributes for filter policies:
///
/// | attribute | example | |
/// | --- | --- | --- |
/// | `purpose` | `sale` | or `rent` |
/// | `country` | `us` | |
/// | `region` | `wa` | `-` where unknown |
/// | `area` | `us/wa/king/seattle/98178` | the whole path, so that `{"prefix": "us/wa/king/"}` is a county |
/// | `rule` | `price-drop` | |
/// | `source` | `reso` | |
/// | `drop_percent` | `18` | a number, for `{"numeric": [">=", 15]}` |
#[derive(Clone, Debug)]
pub struct TopicPublisher {
    client: Client,
    topic_arn: String,
}

type SendOutcome = Result<(), PortError>;

impl TopicPublisher {
    /// The topic with this ARN.
    #[must_use]
    pub fn new(client: Client, topic_arn: &str) -> Self {
        Self { client, topic_arn: topic_arn.to_owned() }
    }

    fn error(
        &self,
        message: &Message,
        kind: FailureKind,
        why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> PortError {
        PortError::new(kind, format!("PublishBatch of the alert {} to {}", message.alert_id, self.topic_arn), why)
    }

    /// Publishes messages that fit into one call.
    async fn publish_batch(&self, messages: &[Message]) -> Vec<SendOutcome> {
        let entries: Result<Vec<_>, _> =
            messages.iter().enumerate().map(|(position, message)| entry(position, message)).collect();
        let entries = match entries {
            Ok(entries) => entries,
            Err(error) => {
                let refused = |message| Err(self.error(message, FailureKind::Refused, error.to_string()));
                return messages.iter().map(refused).collect();
            }
        };
        let request = self.client.publish_batch().topic_arn(&self.topic_arn);
        let answer = match request.set_publish_batch_request_entries(Some(entries)).send().await {
            Ok(answer) => answer,
            Err(error) => {
                let reason = reason(&error);
                return messages.iter().map(|message| Err(self.error(message, reason.kind, reason.clone()))).collect();
            }
        };
        // A message that the response does not mention was not accepted.
        let unknown = |message| Err(self.error(message, FailureKind::Unavailable, "the response does not mention it"));
        let mut outcomes: Vec<SendOutcome> = messages.iter().map(unknown).collect();
        let position =
            |id: Option<&str>| id.and_then(|id| id.parse::<usize>().ok()).filter(|position| *position < messages.len());
        for position in answer.successful().iter().filter_map(|entry| position(entry.id())) {
            outcomes[position] = Ok(());
        }
        for refused in answer.failed() {
            if let Some(position) = position(Some(refused.id())) {
                let otherwise = if refused.sender_fault() { FailureKind::Refused } else { FailureKind::Unavailable };
                let reason = Reason::of_entry(refused.code(), refused.message(), otherwise);
                outcomes[position] = Err(self.error(&messages[position], reason.kind, reason));
            }
        }
        outcomes
    }
}

/// A message as an entry of a batch; its ID is the index.
fn entry(
    position: usize,
    message: &Message,
) -> Result<PublishBatchRequestEntry, aws_smithy_types::error::operation::BuildError> {
    let mut entry = PublishBatchRequestEntry::builder()
        .id(position.to_string())
        .message_structure("json")
        .message(&message.body)
        .subject(&message.subject);
    for (name, kind, value) in &message.attributes {
        let value = MessageAttributeValue::builder().data_type(*kind).string_value(value).build()?;
        entry = entry.message_attributes(*name, value);
    }
    entry.build()
}

#[async_trait]
impl Publisher for TopicPublisher {
    async fn publish(&self, alerts: &[Alert]) -> Vec<SendOutcome> {
        let messages: Vec<Message> = alerts.iter().map(Message::of).collect();
        let mut outcomes = Vec::with_capacity(alerts.len());
        while outcomes.len() < messages.len() {
            let rest = &messages[outcomes.len()..];
            let mut bytes = 0;
            let fits = rest.iter().take(BATCH_MAX).take_while(|message| {
                bytes += message.bytes();
                bytes <= BATCH_BYTES_MAX
            });
            // A single message is sent in any case: the service's error says more than ours would.
            let fits = fits.count().max(1);
            outcomes.extend(self.publish_batch(&rest[..fits]).await);
        }
        outcomes
    }
}
