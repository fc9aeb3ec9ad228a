use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use deltalake::arrow::array::{AsArray as _, RecordBatch};
use serde::Serialize;
use stoop_domain::{Reason, Time};

use crate::bronze::{BronzePart, Chunk};
use crate::cells::{RowBuilder, TableCell};
use crate::error::LakeError;
use crate::ids::number_of;
use crate::insert::{Inserted, Inserter};
use crate::observation::{LineOrigin, ObservationRows, Pushed};
use crate::place::Lake;
use crate::quarantine::{QuarantineRows, line_version, wrong_field};
use crate::specs::{self, TABLE_SCHEMA};
use crate::table::LakeTable;

/// Copies bronze into the tables `observations` and `quarantine`, each line once.
///
/// A chunk is in the tables before the files that end in it are marked as taken. A process that dies in between, or
/// another one that does the same work, leads to lines that are read again and found to be there.
pub struct Ingest {
    observations: Inserter,
    quarantine: Inserter,
    bronze: Inserter,
    rows: ObservationRows,
    refused: QuarantineRows,
    counts: IngestCounts,
    held: Vec<Held>,
    /// Files with lines of a newer program: why.
    newer: HashMap<Arc<str>, Arc<str>>,
}

/// A file of bronze that is not taken as a whole: it cannot be read to its end, or a newer program wrote it. It is read again
/// each time, until it can be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// Its path.
    pub object: Arc<str>,
    /// Why.
    pub why: Arc<str>,
}

/// What was read, and its outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct IngestCounts {
    /// Files of bronze that were read to their end.
    pub objects: u64,
    /// Lines that were read.
    pub lines: u64,
    /// Observations that were added.
    pub added: u64,
    /// Observations that the table had already.
    pub repeated: u64,
    /// Lines that were put into quarantine, or had been before.
    pub quarantined: u64,
    /// Lines of a newer program. They stay in bronze until this one is updated.
    pub newer: u64,
    /// Commits that were repeated because another writer was quicker.
    pub conflicts: u64,
}

impl Ingest {
    /// Opens the tables, or creates them.
    ///
    /// # Errors
    /// See [`LakeTable::open`](crate::LakeTable::open). If the table `bronze` says that files were taken, and there is no table
    /// `observations`: somebody removed it.
    pub async fn open(lake: &Lake, now: Time) -> Result<Self, LakeError> {
        let is_there = lake.tables().await?.iter().any(|name| name == "observations");
        if !is_there
            && let Some(bronze) = LakeTable::find(lake, "bronze").await?
            && bronze.rows()? > 0
            // Another process may have made both just now.
            && LakeTable::find(lake, "observations").await?.is_none()
        {
            return Err(of_another());
        }
        Ok(Self {
            observations: Inserter::open(lake, specs::observations(), now).await?,
            quarantine: Inserter::open(lake, specs::quarantine(), now).await?,
            bronze: Inserter::open(lake, specs::bronze(), now).await?,
            rows: ObservationRows::default(),
            refused: QuarantineRows::default(),
            counts: IngestCounts::default(),
            held: Vec::new(),
            newer: HashMap::new(),
        })
    }

    /// Keeps at most so many names of observations in memory, which are 20 bytes each. A month with more is looked
    /// through again for each chunk.
    #[must_use]
    pub fn keeping(self, names: usize) -> Self {
        Self { observations: self.observations.keeping(names), ..self }
    }

    /// The files of bronze that were taken.
    ///
    /// # Errors
    /// If the table `bronze` cannot be read, or if it is of another table `observations`, which somebody removed.
    pub async fn taken(&self) -> Result<HashSet<String>, LakeError> {
        let observations_id = self.observations.table().id()?;
        let (mut taken, mut is_of_another) = (HashSet::new(), false);
        let visit = |batch: &RecordBatch| {
            let texts = |name| batch.column_by_name(name).and_then(|array| array.as_string_opt::<i32>());
            taken.extend(texts("object").into_iter().flatten().flatten().map(str::to_owned));
            // Files of an older program have no such column.
            is_of_another |= texts("observations_id").into_iter().flatten().flatten().any(|id| id != observations_id);
        };
        self.bronze.table().each_batch(&["object", "observations_id"], visit).await?;
        if is_of_another {
            return Err(of_another());
        }
        Ok(taken)
    }

    /// Puts the lines of a chunk into the tables.
    ///
    /// # Errors
    /// If a table cannot be read or written. The chunk may be taken again.
    pub async fn take(&mut self, chunk: &Chunk, now: Time) -> Result<(), LakeError> {
        for (part, line) in chunk.lines() {
            let object = &chunk.parts[part].object;
            let origin = LineOrigin { object, at: now, line_version: line_version(line) };
            self.sort_out(line, object, origin)?;
            self.counts.lines += 1;
        }
        let refused = self.refused.len() as u64;
        self.counts.quarantined += refused;
        if refused > 0 {
            let (batch, ids) = self.refused.take()?;
            let inserted = self.quarantine.insert(&batch, &ids, now).await?;
            self.counts.conflicts += inserted.conflicts;
        }
        if !self.rows.is_empty() {
            let (batch, ids) = self.rows.take()?;
            let Inserted { added, repeated, conflicts } = self.observations.insert(&batch, &ids, now).await?;
            self.counts.added += added;
            self.counts.repeated += repeated;
            self.counts.conflicts += conflicts;
        }
        self.mark_taken(&chunk.parts, now).await?;
        for part in &chunk.parts {
            if let Some(why) = &part.damage {
                self.held.push(Held { object: Arc::clone(&part.object), why: Arc::clone(why) });
            }
        }
        Ok(())
    }

    /// The files that were not taken as a whole. Their lines before the damage, and those that are not newer, were taken.
    #[must_use]
    pub fn held(&self) -> &[Held] {
        &self.held
    }

    /// Whether a file is left to a later version of this program.
    #[must_use]
    pub fn is_held(&self, object: &str) -> bool {
        self.newer.contains_key(object)
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> IngestCounts {
        self.counts
    }

    fn sort_out(&mut self, line: &[u8], object: &Arc<str>, origin: LineOrigin<'_>) -> Result<(), LakeError> {
        if Chunk::is_too_long(line) {
            let detail = format!("more than {} bytes; the beginning is kept", line.len() - 1);
            return self.refused.push(&line[..1 << 16], (Reason::TooLong, None, &detail), origin);
        }
        let refused = match stoop_wire::decode(line) {
            Err(error) if error.reason() == Reason::NewerVersion => {
                self.hold(object, &error.to_string());
                return Ok(());
            }
            Err(error) => (error.reason(), wrong_field(line, &error), error.to_string()),
            Ok(observation) => match self.rows.push(&observation, line, origin)? {
                Pushed::Row => return Ok(()),
                Pushed::Newer(field) => {
                    self.hold(object, &format!("a line with the field {field}, which this program does not know"));
                    return Ok(());
                }
                Pushed::Refused((reason, field, detail)) => (reason, Some(field.to_owned()), detail),
            },
        };
        let (reason, field, detail) = &refused;
        self.refused.push(line, (*reason, field.as_deref(), detail), origin)
    }

    /// Leaves a line of a newer program, and with it its file, to a later version of this one.
    fn hold(&mut self, object: &Arc<str>, why: &str) {
        self.counts.newer += 1;
        if !self.newer.contains_key(object) {
            let why: Arc<str> = format!("{why}: update stoop-lake").into();
            self.newer.insert(Arc::clone(object), Arc::clone(&why));
            self.held.push(Held { object: Arc::clone(object), why });
        }
    }

    async fn mark_taken(&mut self, parts: &[BronzePart], now: Time) -> Result<(), LakeError> {
        let whole = parts.iter().filter(|part| !self.newer.contains_key(&part.object));
        let ended: Vec<(Arc<str>, u64)> =
            whole.filter_map(|part| Some((Arc::clone(&part.object), part.ended?))).collect();
        if ended.is_empty() {
            return Ok(());
        }
        let observations_id = self.observations.table().id()?;
        let mut rows = RowBuilder::new(&specs::bronze().columns);
        for (object, lines) in &ended {
            let cells = [
                TableCell::Text(object),
                TableCell::Long(lines.cast_signed()),
                TableCell::Time(now),
                TableCell::Int(TABLE_SCHEMA.cast_signed()),
                TableCell::Text(&observations_id),
            ];
            rows.push(&cells)?;
        }
        let ids: Vec<u128> = ended.iter().map(|(object, _)| number_of(object)).collect();
        let inserted = self.bronze.insert(&rows.take()?, &ids, now).await?;
        self.counts.conflicts += inserted.conflicts;
        self.counts.objects += ended.len() as u64;
        Ok(())
    }
}

fn of_another() -> LakeError {
    let detail = "the files that it names were taken into another table observations: remove all tables, and ingest";
    LakeError::Unfit { table: "bronze".to_owned(), detail: detail.to_owned() }
}
