use serde_json::{Value, json};

use super::{Message, Service};
use crate::host::{FunctionError, Host, RecursiveLoop, TraceHeader};

/// The function in a lineage. Any value will do: Lambda derives it from the function's ARN, in an undocumented way.
const FUNCTION: &str = "c512fbe3";

/// A message as the event of a mapping with a batch size of one.
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

/// Delivers a message to a function, and then the message that the function sends to its own queue, as long as there is
/// one and at most `most` times. Returns the number of invocations.
///
/// # Errors
///
/// [`FunctionError::Recursive`] where Lambda would stop the loop; otherwise as for [`Host::invoke`].
///
/// # Panics
///
/// The function sends more than one message at a time, or returns one as failed.
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
