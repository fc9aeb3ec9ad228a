use deltalake::DeltaTable;
use serde_json::Value;
use stoop_domain::Time;

use crate::error::{Doing, LakeError};
use crate::place::Lake;
use crate::table::LakeTable;

/// A version of a table.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct TableVersion {
    /// Counts from 0.
    pub version: u64,
    /// When it was committed.
    pub at: Time,
    /// What was done, in Delta's words: `WRITE`, `OPTIMIZE`, `ADD COLUMN`.
    pub operation: String,
    /// Rows that it added.
    pub rows_added: u64,
    /// Rows that it took away, or wrote anew into other files.
    pub rows_removed: u64,
    /// Files that it added.
    pub files_added: u64,
    /// Files that it took away.
    pub files_removed: u64,
}

impl LakeTable {
    /// The versions of which the log is kept, the newest first, up to the one that was read.
    ///
    /// # Errors
    /// If the log cannot be read.
    pub async fn versions(&self) -> Result<Vec<TableVersion>, LakeError> {
        let mut versions = Vec::new();
        for version in (0..=self.version()).rev() {
            let Some(found) = self.commit_of(version).await? else { break };
            versions.push(found);
        }
        Ok(versions)
    }

    /// `None` if the log of this version is not kept.
    pub(crate) async fn commit_of(&self, version: u64) -> Result<Option<TableVersion>, LakeError> {
        let failed = Doing::new(format!("read version {version} of the table {}", self.name()));
        let commit = self.log().read_commit_entry(version).await.map_err(|error| failed.by(error))?;
        Ok(commit.map(|commit| of_commit(version, &commit)))
    }

    /// Opens an earlier version for reading.
    ///
    /// # Errors
    /// If there is no such version, or its log was removed.
    pub async fn read_version(lake: &Lake, name: &str, version: u64) -> Result<Self, LakeError> {
        let newest = Self::read(lake, name).await?;
        if version > newest.version() {
            let detail = format!("no version {version} of the table {name}: the newest is {}", newest.version());
            return Err(LakeError::Missing(detail));
        }
        let mut delta = DeltaTable::new(newest.log().clone());
        let failed = Doing::new(format!("read version {version} of the table {name}"));
        delta.load_version(version).await.map_err(|error| failed.by(error))?;
        Ok(newest.with(delta))
    }

    /// Opens the version that was the newest at a moment.
    ///
    /// # Errors
    /// If the table is younger, or its log does not reach so far back.
    pub async fn read_as_of(lake: &Lake, name: &str, at: Time) -> Result<Self, LakeError> {
        let newest = Self::read(lake, name).await?;
        let mut oldest = String::new();
        for version in (0..=newest.version()).rev() {
            match newest.commit_of(version).await? {
                Some(found) if found.at <= at => return Self::read_version(lake, name, version).await,
                Some(found) => oldest = format!("; the oldest is of {}", found.at),
                None => break,
            }
        }
        Err(LakeError::Missing(format!("no version of the table {name} at {at}{oldest}")))
    }
}

fn of_commit(version: u64, commit: &[u8]) -> TableVersion {
    let mut found = TableVersion {
        version,
        at: Time::default(),
        operation: String::new(),
        rows_added: 0,
        rows_removed: 0,
        files_added: 0,
        files_removed: 0,
    };
    let rows_of = |action: &Value| -> u64 {
        let stats = action["stats"].as_str().and_then(|stats| serde_json::from_str::<Value>(stats).ok());
        stats.and_then(|stats| stats["numRecords"].as_u64()).unwrap_or_default()
    };
    for line in stoop_wire::lines(commit) {
        let Ok(action) = serde_json::from_slice::<Value>(line) else { continue };
        if let Some(info) = action.get("commitInfo") {
            found.at = Time::from_ms(info["timestamp"].as_i64().unwrap_or_default());
            found.operation = info["operation"].as_str().unwrap_or_default().to_owned();
            found.rows_removed = info["operationMetrics"]["numRemovedRows"].as_u64().unwrap_or_default();
        } else if let Some(add) = action.get("add") {
            found.rows_added += rows_of(add);
            found.files_added += 1;
        } else if action.get("remove").is_some() {
            found.files_removed += 1;
        }
    }
    found
}
