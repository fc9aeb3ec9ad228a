//! The files of a replay: opened before anything is written, and in the order of their times where each is a snapshot.

use std::path::Path;

use stoop_domain::Time;
use stoop_files::{Mapped, MappedFile};
use stoop_sources::declared::Map;

use super::Source;
use crate::args::ReplayArgs;
use crate::failure::usage;
use crate::stop::Stop;

/// Rows between two looks at whether to stop.
const ROWS_PER_LOOK: u64 = 4_096;

/// Opens every file and binds the map to it. All that is wrong is told at once. `None` where the user stops it.
pub(super) fn open_all(map: &Map, args: &ReplayArgs, now: Time, stop: &Stop) -> anyhow::Result<Option<Vec<Source>>> {
    let mut sources = Vec::new();
    let mut mistakes = Vec::new();
    for file in &args.files {
        mistakes.extend(MappedFile::misfits(file, map).iter().map(ToString::to_string));
        match MappedFile::open(file, map) {
            Err(error) => mistakes.push(error.to_string()),
            Ok(rows) => {
                let (name, source) = (file.display().to_string(), map.name().to_owned());
                sources.push(Source { name, source, rows, as_of: now });
            }
        }
    }
    if !mistakes.is_empty() {
        return Err(usage(mistakes.join("\n       ")));
    }
    if args.snapshot {
        for (source, file) in sources.iter_mut().zip(&args.files) {
            let Some(as_of) = time_of(map, file, now, stop)? else { return Ok(None) };
            source.as_of = as_of;
        }
        // Those of one moment stay in the order given.
        sources.sort_by_key(|source| source.as_of);
    }
    Ok(Some(sources))
}

/// The time of a snapshot: the latest that its rows tell, or when it was written. `None` where the user stops it.
fn time_of(map: &Map, file: &Path, now: Time, stop: &Stop) -> anyhow::Result<Option<Time>> {
    let modified = std::fs::metadata(file).and_then(|metadata| metadata.modified()).map_err(usage)?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let written = Time::from_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX)).min(now);
    if !map.tells_time() {
        return Ok(Some(written));
    }
    // What is latest is known at the end of the file: it is read twice.
    let mut rows = MappedFile::open(file, map).map_err(usage)?;
    let (mut latest, mut read) = (None, 0_u64);
    while let Some(row) = rows.next_row(now, now) {
        if let Mapped::Observation(observation) = row {
            latest = latest.max(Some(observation.at));
        }
        read += 1;
        if read.is_multiple_of(ROWS_PER_LOOK) && stop.is_set() {
            return Ok(None);
        }
    }
    Ok(Some(latest.unwrap_or(written)))
}
