//! `files` and `coverage`: which files a search reads, and what one of them holds.

use stoop_pipeline::ports::FilePattern;
use stoop_sources::Coverage;
use stoop_sources::settings::{Mistakes, Section};

use super::environment::Platform;

/// The files of a search, as they are written.
pub(super) struct WrittenFiles {
    pub(super) pattern: FilePattern,
    pub(super) coverage: Coverage,
}

/// What a search says of files: `None` where it reads none, `Some(None)` where what it says cannot be.
pub(super) fn files(
    section: &Section<'_>,
    platform: Platform,
    mistakes: &mut Mistakes<'_>,
) -> Option<Option<WrittenFiles>> {
    if !section.has("files") {
        if let Some((_, line)) = section.text("coverage", mistakes) {
            let problem = "says what each of a search's files holds; accepted beside `files` only";
            mistakes.add(line, section.key("coverage"), problem);
        }
        return None;
    }
    for (key, why) in [
        ("params", "files are asked for no parameters"),
        ("full_scan_every", "a file is read once; whether it holds everything is said by `coverage`"),
        ("limits", "nobody is asked for files"),
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
                "{other:?} is no coverage; accepted: \"changes\" (a file holds some listings), \"snapshot\" (each file \
                 holds every listing there is)"
            );
            mistakes.add(line, section.key("coverage"), problem);
            None
        }
    };
    let pattern = section.text("files", mistakes).and_then(|(text, line)| {
        let pattern = FilePattern::parse(text).and_then(|pattern| check_place(pattern, platform));
        pattern.map_err(|problem| mistakes.add(line, section.key("files"), problem)).ok()
    });
    Some(pattern.zip(coverage).map(|(pattern, coverage)| WrittenFiles { pattern, coverage }))
}

/// On AWS files lie below `files/` of the data bucket, and nowhere else.
fn check_place(pattern: FilePattern, platform: Platform) -> Result<FilePattern, String> {
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
