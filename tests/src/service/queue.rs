use serde_json::{Value, json};

use super::{Message, Service};
use crate::host::{FunctionError, Host, RecursiveLoop, TraceHeader};

/// The function in a lineage. Any will do: Lambda makes it of the function's ARN, and does not say how.
const FUNCTION: &str = "c512fbe3";

/// A message as the event of a mapping that takes one at a time.
#[must_use]
pub fn event_of(message: &Message) -> Value {
    let mut attributes = json!({ "ApproximateReceiveCount": "1", "MessageGroupId": message.group });
    if let Some(trace) = &message.trace {
        attributes["AWSTraceHeader"] = trace.as_str().into();
    }
    json!({ "Records": [{
        "messageId": message.id,
        "receiptHandle": "a-receipt",
        "body": message.body,
        "attributes": attributes,
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:us-east-1:000000000000:queue.fifo",
        "awsRegion": "us-east-1",
    }]})
}

/// Delivers a message to a function, and what the function sends to its queue to itself, as long as it sends one and
/// at most `most` times. Gives how often the function was invoked.
///
/// # Errors
/// [`FunctionError::Recursive`] where Lambda would have stopped; else as for [`Host::invoke`].
///
/// # Panics
/// When the function sends more than one message at a time, or gives one back.
pub async fn follow(
    host: &Host,
    service: &Service,
    first: Message,
    recursive_loop: RecursiveLoop,
    most: u32,
) -> Result<u32, FunctionError> {
    let mut next = Some(first);
    let mut invocations = 0;
    while let Some(message) = next.filter(|_| invocations < most) {
        let sent_with = message.trace.as_deref().unwrap_or("Root=1-00000000-000000000000000000000000;Sampled=0");
        let trace = TraceHeader::parse(sent_with).invoke(FUNCTION, recursive_loop)?;
        let response = host.invoke_traced(&event_of(&message), Some(&trace.to_string())).await?;
        let failures = response["batchItemFailures"].as_array().map_or(0, Vec::len);
        assert_eq!(failures, 0, "{message:?}: {response}");
        invocations += 1;
        let mut sent = service.take_messages();
        assert!(sent.len() <= 1, "{sent:?}");
        next = sent.pop();
    }
    Ok(invocations)
}
