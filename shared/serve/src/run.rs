use std::collections::BTreeMap;

use serde::Serialize;
use stoop_domain::Time;

use super::{as_text, as_text_or_null};
use stoop_pipeline::ports::{RunOutcome, RunRecord};

/// A [`RunRecord`] for people and programs: times are RFC 3339.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RunView {
    /// The run's ID.
    pub id: String,
    /// `poll`, `replay`, ...
    pub kind: String,
    /// The search's name, or the files.
    pub subject: String,
    /// When it began.
    #[serde(serialize_with = "as_text")]
    pub began_at: Time,
    /// When it ended; `None` while it runs, and if it was killed.
    #[serde(serialize_with = "as_text_or_null")]
    pub ended_at: Option<Time>,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Why it did not end well, if so.
    pub message: Option<String>,
    /// Counts by name.
    pub counts: BTreeMap<String, u64>,
}

impl From<RunRecord> for RunView {
    fn from(run: RunRecord) -> Self {
        let RunRecord { id, kind, subject, began_at, ended_at, outcome, message, counts, raw_pages: _ } = run;
        Self { id, kind, subject, began_at, ended_at, outcome, message, counts }
    }
}
