//! What a backup consists of.

use std::collections::HashSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path};

use serde::{Deserialize, Serialize};
use stoop_domain::Time;
use stoop_pipeline::ports::PortError;

use super::BackedUp;
use super::copies::Copied;
use crate::error::{CopyError, Result, at, doing};
use crate::files::write_whole;
use crate::lake::LakeObject;

const NAME: &str = "backup.json";

/// The format of backups that this program reads and writes.
const FORMAT: u32 = 1;

/// A backup is whole if it has a manifest: it is written last, and replaced at once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Manifest {
    format: u32,
    /// When it was made.
    pub(super) made_at: String,
    pub(super) observations: u64,
    pub(super) homes: u64,
    pub(super) alerts_known: u64,
    /// The hash of the first observation of the lake, which never changes.
    begins: Option<String>,
    pub(super) database: Copied,
    /// The part of `alerts.jsonl` that the database knows as written.
    pub(super) alerts: Option<Copied>,
    /// The files of the lake, in their order.
    pub(super) lake: Vec<Copied>,
}

impl Manifest {
    pub(super) fn new(
        made_at: i64,
        made: &BackedUp,
        begins: Option<String>,
        database: Copied,
        alerts: Option<Copied>,
        lake: Vec<Copied>,
    ) -> Self {
        let BackedUp { observations, homes, alerts: alerts_known, .. } = *made;
        let made_at = Time::from_ms(made_at).to_string();
        Self { format: FORMAT, made_at, observations, homes, alerts_known, begins, database, alerts, lake }
    }

    /// The manifest in a folder; `None` if it has no whole backup.
    pub(super) fn read(folder: &Path) -> Result<Option<Self>, CopyError> {
        let path = folder.join(NAME);
        let text = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            text => text.map_err(at("read", &path)).map_err(doing("read the backup's manifest"))?,
        };
        let failed = |why: String| PortError::damaged(format!("read the backup's manifest {}", path.display()), why);
        let manifest: Self = serde_json::from_slice(&text).map_err(|error| failed(error.to_string()))?;
        if manifest.format != FORMAT {
            let why = format!("it has format {}; this program reads format {FORMAT}: update Stoop", manifest.format);
            return Err(PortError::refused(format!("read the backup's manifest {}", path.display()), why).into());
        }
        if let Some(file) = manifest.files().find(|file| !is_below(&file.path)) {
            return Err(failed(format!("it names a file outside of the backup: {:?}", file.path)).into());
        }
        Ok(Some(manifest))
    }

    pub(super) fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        Ok(write_whole(&folder.join(NAME), &[&text, b"\n"])?)
    }

    fn files(&self) -> impl Iterator<Item = &Copied> {
        self.lake.iter().chain(&self.alerts).chain([&self.database])
    }

    pub(super) fn names(&self, path: &str) -> bool {
        self.database.path == path || self.alerts.as_ref().is_some_and(|alerts| alerts.path == path)
    }

    /// A lake only grows. If this backup has what the lake lacks, it is of another database, or of a newer state of this one,
    /// and is not replaced.
    pub(super) fn refuse_another(
        &self,
        folder: &Path,
        observations: u64,
        begins: Option<&str>,
        lake: &[LakeObject],
    ) -> Result<(), CopyError> {
        let now: HashSet<&str> = lake.iter().map(|object| object.path.as_str()).collect();
        let lacks = self.lake.iter().find(|file| !now.contains(file.path.as_str()));
        let why = match lacks {
            Some(file) => format!("has {}, which this database does not know", file.path),
            None if self.observations > observations => {
                format!("has {} observations, and this database {observations}", self.observations)
            }
            None if self.begins.is_some() && self.begins.as_deref() != begins => {
                "begins with another observation".to_owned()
            }
            None => return Ok(()),
        };
        Err(CopyError::Refused(format!(
            "{} is a backup of another database, or of a newer state of this one: it {why}; name another folder, or restore it",
            folder.display()
        )))
    }
}

/// Whether a path leads into the folder that it is joined to.
fn is_below(path: &str) -> bool {
    !path.is_empty() && Path::new(path).components().all(|part| matches!(part, Component::Normal(_)))
}
