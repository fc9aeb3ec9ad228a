//! The alerts function: reads a batch of the homes table's change feed and publishes alerts on the topic.
//!
//! The mapping's filter passes only notable changes. A change is done when its alerts are sent and recorded, or held
//! back and recorded, and those that it disproves are marked; the response names the first change that is not. A home in a newer format is not judged, nor any
//! change after it: during a deployment the metrics function may be updated a little earlier than this one.

mod rules;

use aws_lambda_events::dynamodb::EventRecord;
use aws_lambda_events::streams::{DynamoDbBatchItemFailure, DynamoDbEventResponse};
use lambda_runtime::Diagnostic;
use serde::Deserialize;
use serde_dynamo::{AttributeValue, Item};
use serde_json::value::RawValue;
use stoop_domain::{Home, HomeId, Reason, Reject};
use stoop_emf::Meter;
use stoop_pipeline::ports::{Change, FailureKind, Ledger, OtherListings, PortError, Publisher, Quarantine};
use stoop_pipeline::{Alerted, Clock, ErrorCode, alert, with_causes};
use stoop_rules::Rules;
use stoop_wire::{HomeError, home_from_bytes};

pub use rules::{NoPercentage, RulesInForce};

/// The function's ports.
pub struct AlertsHandler<'a> {
    /// The alert rules.
    pub rules: RulesInForce<'a>,
    /// Alerts already recorded.
    pub ledger: &'a dyn Ledger,
    /// The other listings of homes.
    pub listings: &'a dyn OtherListings,
    /// Sends alerts.
    pub publisher: &'a dyn Publisher,
    /// Takes changes that cannot be read.
    pub quarantine: &'a dyn Quarantine,
    /// The clock.
    pub clock: &'a dyn Clock,
    /// Counts metrics.
    pub meter: &'a Meter,
}

/// The event is not a DynamoDB Streams batch.
#[derive(Debug, thiserror::Error)]
#[error("the event is not a DynamoDB Streams batch: {0}; accepted: {{\"Records\": [...]}}")]
pub struct NoBatch(#[from] serde_json::Error);

impl From<NoBatch> for Diagnostic {
    fn from(error: NoBatch) -> Self {
        Self { error_type: "NoBatch".into(), error_message: error.to_string() }
    }
}

#[derive(Deserialize)]
struct ChangeBatch<'e> {
    #[serde(rename = "Records", borrow)]
    records: Vec<&'e RawValue>,
}

impl AlertsHandler<'_> {
    /// Judges a batch of changes.
    ///
    /// # Errors
    ///
    /// The event is not a batch of records.
    pub async fn handle(&self, event: &RawValue) -> Result<DynamoDbEventResponse, NoBatch> {
        let batch: ChangeBatch<'_> = serde_json::from_str(event.get())?;
        let mut response = DynamoDbEventResponse::default();
        let mut sequences = Vec::new();
        let mut changes = Vec::new();
        let mut rejects = Vec::new();
        let mut first = None;
        let mut newer = None;
        for raw in batch.records {
            match read(raw) {
                Err(NotRead::Newer { sequence, why }) => {
                    self.meter.count("RecordsNewer", 1);
                    let code = ErrorCode::NewerFormat;
                    tracing::error!(why, %code, first = sequence, "changes are to be judged again, by a newer Stoop");
                    newer = Some(sequence);
                    break;
                }
                Ok((sequence, change)) => {
                    first.get_or_insert_with(|| sequence.clone());
                    if let Some(change) = change {
                        sequences.push(sequence);
                        changes.push(change);
                    }
                }
                Err(NotRead::Unreadable(why)) => {
                    let position = format!("change {}", sequence_of(raw).unwrap_or("unknown"));
                    first.get_or_insert_with(|| sequence_of(raw).unwrap_or_default().to_owned());
                    let raw = raw.get().as_bytes();
                    rejects.push(Reject::whole("changes", self.clock.now(), position, Reason::Unreadable, why, raw));
                }
            }
        }
        let rules = match self.settle(&rejects).await {
            Ok(rules) => rules,
            Err(error) => {
                let kind = FailureKind::word(&error);
                tracing::error!(error = with_causes(&error), kind, "the batch is to be judged again");
                self.meter.count("CallsRefused", u64::from(FailureKind::is_lasting(&error)));
                self.meter.count("RecordsFailed", (changes.len() + rejects.len()) as u64);
                response.batch_item_failures.push(failure(first.unwrap_or_default()));
                return Ok(response);
            }
        };
        let alerted = alert(&changes, &rules, self.ledger, self.listings, self.publisher, self.clock.now()).await;
        match alerted {
            Ok(alerted) => self.count(&alerted),
            Err(failed) => {
                self.count(&failed.done);
                self.meter.count("AlertsFailed", 1);
                self.meter.count("CallsRefused", u64::from(FailureKind::is_lasting(&failed)));
                self.meter.count("RecordsFailed", (changes.len() - failed.change) as u64);
                let sequence = sequences.swap_remove(failed.change);
                let kind = FailureKind::word(&failed);
                tracing::error!(error = with_causes(&failed), kind, sequence, "changes are to be judged again");
                response.batch_item_failures.push(failure(sequence));
            }
        }
        if response.batch_item_failures.is_empty() {
            response.batch_item_failures.extend(newer.map(failure));
        }
        Ok(response)
    }

    /// Quarantines unreadable records and reads the rules.
    async fn settle(&self, rejects: &[Reject]) -> Result<Rules, PortError> {
        if !rejects.is_empty() {
            self.quarantine.put(rejects).await?;
            self.meter.count("Quarantined", rejects.len() as u64);
        }
        self.rules.at(self.clock.now()).await
    }

    fn count(&self, alerted: &Alerted) {
        self.meter.count("AlertsSent", alerted.sent.len() as u64);
        self.meter.count("AlertsSuspect", alerted.suspects.len() as u64);
        self.meter.count("AlertsWithdrawn", alerted.withdrawn);
        self.meter.count("AlertsRepeated", alerted.repeated.len() as u64);
        for alert in &alerted.sent {
            tracing::info!(alert = %alert.id, home = %alert.home, drop_bp = alert.drop_bp, "sent");
        }
        for alert in &alerted.repeated {
            tracing::info!(alert = %alert.id, home = %alert.home, "another listing of the home says as much: not sent");
        }
    }
}

/// Where Lambda starts again; an empty identifier makes it deliver the whole batch again.
fn failure(sequence: String) -> DynamoDbBatchItemFailure {
    let mut failure = DynamoDbBatchItemFailure::default();
    failure.item_identifier = Some(sequence);
    failure
}

/// Why a record cannot be judged.
enum NotRead {
    Unreadable(String),
    /// It is in a newer format than this program knows.
    Newer {
        sequence: String,
        why: String,
    },
}

/// The sequence number and the change of a record; no change if an operator removed the home.
fn read(raw: &RawValue) -> Result<(String, Option<Change>), NotRead> {
    let unreadable = |why: &str| NotRead::Unreadable(why.to_owned());
    let record: EventRecord = serde_json::from_str(raw.get())
        .map_err(|error| NotRead::Unreadable(format!("not a change record: {error}")))?;
    let sequence = record.change.sequence_number.ok_or_else(|| unreadable("the record has no SequenceNumber"))?;
    if record.event_name == "REMOVE" {
        return Ok((sequence, None));
    }
    let id = match record.change.keys.get("id") {
        Some(AttributeValue::S(id)) => HomeId(id.as_str().into()),
        _ => return Err(unreadable("the record has no key id")),
    };
    let home = |image| {
        home(image).map_err(|error| match error {
            NoHome::Body(error) if error.is_newer() => {
                NotRead::Newer { sequence: sequence.clone(), why: error.to_string() }
            }
            error => NotRead::Unreadable(error.to_string()),
        })
    };
    let new = home(&record.change.new_image)?.ok_or_else(|| unreadable("the record has no new image"))?;
    let old = home(&record.change.old_image)?;
    Ok((sequence, Some(Change { home: id, old, new })))
}

/// Why an image is not a home.
#[derive(Debug, thiserror::Error)]
enum NoHome {
    #[error("the image has no binary body")]
    NoBody,
    #[error(transparent)]
    Body(#[from] HomeError),
}

fn home(image: &Item) -> Result<Option<Home>, NoHome> {
    match image.get("body") {
        None if image.is_empty() => Ok(None),
        Some(AttributeValue::B(body)) => Ok(Some(home_from_bytes(body)?)),
        _ => Err(NoHome::NoBody),
    }
}

fn sequence_of(raw: &RawValue) -> Option<&str> {
    #[derive(Deserialize)]
    struct Outline<'e> {
        #[serde(borrow)]
        dynamodb: OutlineOfChange<'e>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct OutlineOfChange<'e> {
        sequence_number: &'e str,
    }
    serde_json::from_str::<Outline<'_>>(raw.get()).ok().map(|outline| outline.dynamodb.sequence_number)
}
