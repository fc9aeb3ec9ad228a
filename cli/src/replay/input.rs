//! The files of a replay: opened before anything is written, and ordered by time if each is a snapshot.

use stoop_domain::Time;
use stoop_files::{Mapped, MappedFile};
use stoop_pipeline::with_causes;
use stoop_sources::declared::Map;

use super::Source;
use crate::args::ReplayArgs;
use crate::failure::usage;
use crate::input::Input;
use crate::stop::Stop;

/// Rows between two checks for a stop.
const ROWS_PER_CHECK: u64 = 4_096;

/// Opens every file and binds the map to it. Reports all errors at once. `None` if the user stops it.
pub(super) fn open_all(map: &Map, args: &ReplayArgs, now: Time, stop: &Stop) -> anyhow::Result<Option<Vec<Source>>> {
    let mut sources = Vec::new();
    let mut mistakes = Vec::new();
    if args.files.iter().filter(|file| Input::is_stdin(file)).count() > 1 {
        return Err(usage("- is standard input, which can be read once"));
    }
    for file in &args.files {
        let input = match Input::open(file) {
            Ok(input) => input.until(stop),
            Err(error) => {
                mistakes.push(format!("{error:#}"));
                continue;
            }
        };
        mistakes.extend(MappedFile::misfits(&input.name, input.bytes(), map).iter().map(ToString::to_string));
        match MappedFile::of(&input.name, input.bytes(), map) {
            Err(error) => mistakes.push(with_causes(&error)),
            Ok(rows) => sources.push((
                Source { name: input.name.display().to_string(), source: map.name().to_owned(), rows, as_of: now },
                input,
            )),
        }
    }
    // A read that a stop interrupts is not an error.
    if stop.is_set() {
        return Ok(None);
    }
    if !mistakes.is_empty() {
        return Err(usage(mistakes.join("\n       ")));
    }
    if args.snapshot {
        for (source, input) in &mut sources {
            let Some(as_of) = time_of(map, input, now, stop)? else { return Ok(None) };
            source.as_of = as_of;
        }
        // Files of the same time stay in the order given.
        sources.sort_by_key(|(source, _)| source.as_of);
    }
    Ok(Some(sources.into_iter().map(|(source, _)| source).collect()))
}

/// The time of a snapshot: the latest of its rows, otherwise when it was written. `None` if the user stops it.
fn time_of(map: &Map, input: &Input, now: Time, stop: &Stop) -> anyhow::Result<Option<Time>> {
    let written = input.written.map_or(now, |written| written.min(now));
    if !map.tells_time() {
        return Ok(Some(written));
    }
    // The latest time is known only at the end of the file, so it is read twice.
    let mut rows = MappedFile::of(&input.name, input.bytes(), map).map_err(usage)?;
    let (mut latest, mut read) = (None, 0_u64);
    while let Some(row) = rows.next_row(now, now) {
        if let Mapped::Observation(observation, _) = row {
            latest = latest.max(Some(observation.at));
        }
        read += 1;
        if read.is_multiple_of(ROWS_PER_CHECK) && stop.is_set() {
            return Ok(None);
        }
    }
    Ok((!stop.is_set()).then(|| latest.unwrap_or(written)))
}
