use std::collections::HashSet;

use deltalake::arrow::array::{AsArray as _, RecordBatch};
use stoop_domain::Time;

use crate::cells::{RowBuilder, TableCell};
use crate::error::LakeError;
use crate::ids::number_of;
use crate::insert::Inserter;
use crate::place::Lake;
use crate::specs::{self, Spec};
use crate::table::LakeTable;

/// Adds the versions of all other tables to the table `versions`, as far as it lacks them and their logs are kept. Returns how
/// many.
///
/// # Errors
/// If a table cannot be read, or `versions` cannot be written. Then nothing was added; next time it is.
pub async fn record_versions(lake: &Lake, now: Time) -> Result<u64, LakeError> {
    let names = lake.tables().await?;
    let is_there = |spec: &Spec| names.iter().any(|name| *name == spec.name);
    let tables: Vec<_> =
        specs::all().into_iter().filter(|spec| is_there(spec) && spec.name != specs::versions().name).collect();
    if tables.is_empty() {
        return Ok(0);
    }
    let mut recorded = Inserter::open(lake, specs::versions(), now).await?;
    let mut known = HashSet::new();
    let visit = |batch: &RecordBatch| {
        let ids = batch.column_by_name("version_id").and_then(|array| array.as_string_opt::<i32>());
        known.extend(ids.into_iter().flatten().flatten().map(number_of));
    };
    recorded.table().each_batch(&["version_id"], visit).await?;
    let (mut rows, mut ids) = (RowBuilder::new(&specs::versions().columns), Vec::new());
    for spec in tables {
        let Some(table) = LakeTable::find(lake, &spec.name).await? else { continue };
        for number in (0..=table.version()).rev() {
            let Some(version) = table.commit_of(number).await? else { break };
            // With its time: a table that was removed and made again counts from 0 again.
            let id = format!("{}@{number}@{}", spec.name, version.at);
            if known.contains(&number_of(&id)) {
                break;
            }
            rows.push(&[
                TableCell::Text(&id),
                TableCell::Text(&spec.name),
                TableCell::Long(number.cast_signed()),
                TableCell::Time(version.at),
                TableCell::Text(&version.operation),
                TableCell::Long(version.rows_added.cast_signed()),
                TableCell::Long(version.rows_removed.cast_signed()),
                TableCell::Long(version.files_added.cast_signed()),
                TableCell::Long(version.files_removed.cast_signed()),
            ])?;
            ids.push(number_of(&id));
        }
    }
    if rows.is_empty() {
        return Ok(0);
    }
    Ok(recorded.insert(&rows.take()?, &ids, now).await?.added)
}
