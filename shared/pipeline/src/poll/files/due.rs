use std::collections::BTreeSet;

use stoop_domain::Time;

use super::position::{FilePosition, mark};
use crate::poll::context::PollPorts;
use crate::poll::error::PollError;
use crate::poll::origin::FileSet;
use crate::ports::{FileVersion, SearchState};

/// Maximum number of files in a folder. Read files are remembered one by one, so this bounds the state.
const FILES_MAX: usize = 50_000;

/// A file in a folder that was modified more recently may still be written.
const QUIET_MS: i64 = 5_000;

/// A file to read.
pub(super) struct Due {
    pub(super) file: FileVersion,
    /// Its time: from its name, otherwise its modification time.
    pub(super) time: Time,
    /// Where an earlier run stopped.
    pub(super) resumed: Option<FilePosition>,
}

/// Returns the files to read: first the one that an earlier run did not finish, then the oldest. Removes the marks of
/// deleted files.
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
        // The file was deleted or replaced. Rows already read stay valid.
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
