use std::collections::BTreeSet;

use stoop_domain::Time;

use super::position::{FilePosition, mark};
use crate::poll::context::PollPorts;
use crate::poll::error::PollError;
use crate::poll::origin::FileSet;
use crate::ports::{FileVersion, SearchState};

/// A folder with more files than this is not read. What was read is remembered by the file, so this bounds that.
const FILES_MAX: usize = 50_000;

/// In a folder, a file that was written to a shorter time ago than this may still be written.
const QUIET_MS: i64 = 5_000;

/// A file that is to be read.
pub(super) struct Due {
    pub(super) file: FileVersion,
    /// Its time, as its name says or else as it was written.
    pub(super) time: Time,
    /// Where an earlier run left it.
    pub(super) resumed: Option<FilePosition>,
}

/// Files that are to be read: the one that an earlier run left half read first, then the oldest. Marks of files that are not
/// there any more are forgotten.
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
        // It left half read, or another version came in its position: what was read of it was so all the same.
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
