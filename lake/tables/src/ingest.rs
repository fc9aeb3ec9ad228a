use std::collections::HashSet;
use std::sync::Arc;

use serde::Serialize;
use stoop_domain::{Reason, Time};

use crate::bronze::{Chunk, Part};
use crate::cells::{Cell, Rows};
use crate::error::LakeError;
use crate::ids::number_of;
use crate::insert::{Inserted, Inserter};
use crate::observation::{ObservationRows, Origin};
use crate::place::Lake;
use crate::quarantine::{QuarantineRows, line_version, wrong_field};
use crate::read::texts_of;
use crate::specs::{self, TABLE_SCHEMA};

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
    counts: Counts,
    damaged: Vec<Damaged>,
}

/// A file of bronze that cannot be read to its end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Damaged {
    /// Its path.
    pub object: Arc<str>,
    /// Why.
    pub why: Arc<str>,
}

/// What was read, and its outcome.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Counts {
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
    /// Commits that were repeated because another writer was quicker.
    pub conflicts: u64,
}

impl Ingest {
    /// Opens the tables, or creates them.
    ///
    /// # Errors
    /// See [`Table::open`](crate::Table::open).
    pub async fn open(lake: &Lake, now: Time) -> Result<Self, LakeError> {
        Ok(Self {
            observations: Inserter::open(lake, specs::observations(), now).await?,
            quarantine: Inserter::open(lake, specs::quarantine(), now).await?,
            bronze: Inserter::open(lake, specs::bronze(), now).await?,
            rows: ObservationRows::default(),
            refused: QuarantineRows::default(),
            counts: Counts::default(),
            damaged: Vec::new(),
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
    /// If the table `bronze` cannot be read.
    pub async fn taken(&self) -> Result<HashSet<String>, LakeError> {
        texts_of(self.bronze.table(), "object").await
    }

    /// Puts the lines of a chunk into the tables.
    ///
    /// # Errors
    /// If a table cannot be read or written. The chunk may be taken again.
    pub async fn take(&mut self, chunk: &Chunk, now: Time) -> Result<(), LakeError> {
        for (part, line) in chunk.lines() {
            let origin = Origin { object: &chunk.parts[part].object, at: now, line_version: line_version(line) };
            self.sort_out(line, origin)?;
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
        let damaged = chunk.parts.iter().filter_map(|part| Some((&part.object, part.damage.as_ref()?)));
        self.damaged.extend(damaged.map(|(object, why)| Damaged { object: Arc::clone(object), why: Arc::clone(why) }));
        Ok(())
    }

    /// The files that could not be read to their ends. The lines before the damage were taken.
    #[must_use]
    pub fn damaged(&self) -> &[Damaged] {
        &self.damaged
    }

    /// What was done so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.counts
    }

    fn sort_out(&mut self, line: &[u8], origin: Origin<'_>) -> Result<(), LakeError> {
        if Chunk::is_too_long(line) {
            let detail = format!("more than {} bytes; the beginning is kept", line.len() - 1);
            return self.refused.push(&line[..1 << 16], (Reason::TooLong, None, &detail), origin);
        }
        match stoop_wire::decode(line) {
            Err(error) => {
                let field = wrong_field(line, &error);
                self.refused.push(line, (error.reason(), field.as_deref(), &error.to_string()), origin)
            }
            Ok(observation) => match self.rows.push(&observation, origin)? {
                Ok(()) => Ok(()),
                Err((reason, field, detail)) => self.refused.push(line, (reason, Some(field), &detail), origin),
            },
        }
    }

    async fn mark_taken(&mut self, parts: &[Part], now: Time) -> Result<(), LakeError> {
        let ended: Vec<(Arc<str>, u64)> =
            parts.iter().filter_map(|part| Some((Arc::clone(&part.object), part.ended?))).collect();
        if ended.is_empty() {
            return Ok(());
        }
        let mut rows = Rows::new(&specs::bronze().columns);
        for (object, lines) in &ended {
            let cells = [
                Cell::Text(object),
                Cell::Long(lines.cast_signed()),
                Cell::Time(now),
                Cell::Int(TABLE_SCHEMA.cast_signed()),
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
