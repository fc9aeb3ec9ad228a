//! `files` and `coverage`: the files of a search, and what each of them holds.

use stoop_pipeline::ports::FilePattern;
use stoop_sources::Coverage;
use stoop_sources::settings::{Mistakes, Section};

use super::environment::Platform;

/// The files of a search, as written.
pub(super) struct WrittenFiles {
    pub(super) pattern: FilePattern,
    pub(super) coverage: Coverage,
}

/// The files of a search: `None` if it reads none, `Some(None)` if they have a mistake.
pub(super) fn files(
    section: &Section<'_>,
    platform: Platform,
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<WrittenFiles>> {
    if !section.has("files") {
        if let Some((_, line)) = section.text("coverage", mistakes) {
            let problem = "says what each of a search's files holds; accepted with `files` only";
            mistakes.add(line, section.key("coverage"), problem);
        }
        return None;
    }
    for (key, why) in [
        ("params", "files take no parameters"),
        ("full_scan_every", "a file is read once; `coverage` says whether it holds everything"),
        ("limits", "reading files has no limits"),
    ] {
        if section.has(key) {
            let line = section.value(key, mistakes).map_or(section.line(), |value| value.line);
            mistakes.add(line, section.key(key), format!("does not go with `files`: {why}"));
        }
    }
    let coverage = match section.text("coverage", mistakes) {
        None | Some(("changes", _)) => Some(Coverage::Changes),
        Some(("snapshot", _)) => Some(Coverage::Snapshot),
        Some((other, line)) => {
            let problem = format!(
                "{other:?} is not a coverage; accepted: \"changes\" (a file holds some listings), \"snapshot\" (each file \
                 holds all listings)"
            );
            mistakes.add(line, section.key("coverage"), problem);
            None
        }
    };
    let pattern = section.text("files", mistakes).and_then(|(text, line)| {
        let pattern = FilePattern::parse(text).and_then(|pattern| check_path(pattern, platform));
        pattern.map_err(|problem| mistakes.add(line, section.key("files"), problem)).ok()
    });
    Some(pattern.zip(coverage).map(|(pattern, coverage)| WrittenFiles { pattern, coverage }))
}

/// On AWS all files are under `files/` of the data bucket.
fn check_path(pattern: FilePattern, platform: Platform) -> Result<FilePattern, String> {
    let text = pattern.as_str();
    let below = !text.starts_with('/') && !text.contains('\\') && !text.contains("://");
    if platform == Platform::Laptop || below && text.split('/').all(|part| part != "..") {
        return Ok(pattern);
    }
    Err(format!(
        "{text:?} leads out of files/ in the data bucket; accepted on AWS: a path below it, such as exports/ for \
         files/exports/"
    ))
}
