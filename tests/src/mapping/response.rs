use serde_json::Value;

use super::Batch;
use super::stream::Record;

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The function returned this JSON.
    Returned(Vec<u8>),
    /// The function returned an error.
    Failed,
    /// The function was killed, by its timeout or otherwise.
    TimedOut,
    /// The function was not reached.
    Throttled,
}

/// The meaning of an outcome for the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseVerdict {
    /// All records are processed.
    Success,
    /// The records before this index are processed; the others come again.
    Partial(usize),
    /// All records come again.
    Failure,
    /// All records come again, without counting a retry.
    NotReached,
}

impl Outcome {
    /// A complete success: `{"batchItemFailures":[]}`.
    #[must_use]
    pub fn success() -> Self {
        Self::Returned(br#"{"batchItemFailures":[]}"#.to_vec())
    }

    /// Everything before `record` is processed.
    #[must_use]
    pub fn fails_from(record: &Record) -> Self {
        Self::fails([record.sequence_number.to_string()])
    }

    /// These identifiers are reported as failed.
    pub fn fails(identifiers: impl IntoIterator<Item = String>) -> Self {
        let failures: Vec<Value> =
            identifiers.into_iter().map(|identifier| serde_json::json!({ "itemIdentifier": identifier })).collect();
        Self::Returned(serde_json::json!({ "batchItemFailures": failures }).to_string().into_bytes())
    }

    pub(crate) fn verdict(&self, batch: &Batch, reports_items: bool) -> ResponseVerdict {
        match self {
            Self::Returned(_) if !reports_items => ResponseVerdict::Success,
            Self::Returned(response) => read(response, batch),
            Self::Failed | Self::TimedOut => ResponseVerdict::Failure,
            Self::Throttled => ResponseVerdict::NotReached,
        }
    }
}

/// Parses a response: `{"batchItemFailures":[{"itemIdentifier":"..."}]}`.
fn read(response: &[u8], batch: &Batch) -> ResponseVerdict {
    if response.trim_ascii().is_empty() {
        return ResponseVerdict::Success;
    }
    let failures = match serde_json::from_slice(response) {
        Ok(Value::Null) => return ResponseVerdict::Success,
        Ok(Value::Object(mut object)) => object.remove("batchItemFailures"),
        Ok(_) | Err(_) => return ResponseVerdict::Failure,
    };
    let failures = match failures {
        None | Some(Value::Null) => return ResponseVerdict::Success,
        Some(Value::Array(failures)) => failures,
        Some(_) => return ResponseVerdict::Failure,
    };
    let mut lowest = None;
    for failure in failures {
        let identifier = failure.get("itemIdentifier").and_then(Value::as_str);
        let index = identifier.and_then(|identifier| index_of(identifier, batch));
        match index {
            Some(index) => lowest = Some(lowest.map_or(index, |lowest: usize| lowest.min(index))),
            None => return ResponseVerdict::Failure,
        }
    }
    lowest.map_or(ResponseVerdict::Success, ResponseVerdict::Partial)
}

fn index_of(identifier: &str, batch: &Batch) -> Option<usize> {
    batch.records.iter().position(|record| record.sequence_number.to_string() == identifier)
}
