use std::collections::BTreeSet;

use stoop_domain::Time;

use super::position::{FilePosition, mark};
use crate::polling::poll::context::PollPorts;
use crate::polling::poll::error::PollError;
use crate::polling::poll::origin::FileSet;
use crate::ports::{FileVersion, SearchState};

/// A folder with more files than this is not read. The index has a mark of each file, so this bounds the index.
const FILES_MAX: usize = 50_000;

/// In a folder, a file that was modified more recently than this may not be complete.
const QUIET_MS: i64 = 5_000;

/// A file that is to be read.
pub(super) struct Due {
    pub(super) file: FileVersion,
    /// The time in its name, or its modification time.
    pub(super) time: Time,
    /// The position of an earlier run.
    pub(super) resumed: Option<FilePosition>,
}

/// The files that are to be read: first the one that an earlier run began, then the oldest. Removes the marks of files
/// that no longer exist.
pub(super) async fn due(
    set: &FileSet,
    now: Time,
    ports: PollPorts<'_>,
    state: &mut SearchState,
) -> Result<Vec<Due>, PollError> {
    let listed = ports.files.list(&set.pattern, FILES_MAX + 1).await?;
    if listed.len() > FILES_MAX {
        let pattern = set.pattern.as_str();
        return Err(PollError::Source(format!(
            "{pattern}: there are more than {FILES_MAX} files; take away those that were read"
        )));
    }
    let marked: Vec<(u64, FileVersion)> = listed.into_iter().map(|file| (mark(&file), file)).collect();
    let there: BTreeSet<u64> = marked.iter().map(|(mark, _)| *mark).collect();
    state.files.marks.retain(|mark| there.contains(mark));
    let position = FilePosition::of(state.checkpoint.as_ref());
    let position = position.filter(|position| there.contains(&position.mark));
    if position.is_none() {
        // The file of the checkpoint was removed or replaced. What was read of it still counts.
        state.checkpoint = None;
    }
    let is_quiet = |file: &FileVersion| {
        ports.files.appear_whole() || (now.ms() - file.modified.ms()).unsigned_abs() >= QUIET_MS.unsigned_abs()
    };
    let due = marked.into_iter().filter_map(|(mark, file)| {
        let resumed = position.filter(|position| position.mark == mark);
        let is_due = resumed.is_some() || is_quiet(&file) && !state.files.marks.contains(&mark);
        let time = set.map.time_of_file(&file.name, now).unwrap_or(file.modified).min(now);
        is_due.then_some(Due { file, time, resumed })
    });
    let mut due: Vec<Due> = due.collect();
    due.sort_by_cached_key(|due| (due.resumed.is_none(), due.time, due.file.name.clone()));
    Ok(due)
}
