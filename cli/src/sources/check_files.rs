//! `stoop sources check` for a search that reads files: the first rows of the newest one.

use std::process::ExitCode;

use serde::Serialize;
use stoop_domain::Time;
use stoop_embedded::{Findings, FolderFiles};
use stoop_pipeline::ports::{FileError, FileVersion, Files};
use stoop_pipeline::{Clock, FileSet, ParseReport};
use stoop_runtime::{SearchConfig, SystemClock};
use stoop_sources::Coverage;

use super::report::Report;
use crate::args::CheckArgs;
use crate::failure::usage;
use crate::out;
use crate::show::{self, Look, Page, SafeText};

/// Rows that are read.
const ROWS_MAX: usize = 1_000;

/// Files that are counted.
const FILES_MAX: usize = 50_000;

/// The first rows of a file.
#[derive(Serialize)]
struct CheckedFile {
    search: String,
    /// The map.
    source: String,
    /// The first half of the IDs of its homes.
    source_name: String,
    enabled: bool,
    /// Files that match the search.
    files: usize,
    /// The newest file.
    file: String,
    #[serde(serialize_with = "crate::views::as_text")]
    written_at: Time,
    bytes: u64,
    /// Whether there are more rows than were read.
    goes_on: bool,
    /// Whether files prove what is gone.
    shows_gone: bool,
    #[serde(flatten)]
    report: Report,
}

/// Reads the newest file of a search, and stores nothing.
pub(super) async fn check(
    config: &SearchConfig,
    set: &FileSet,
    polled: &Findings,
    args: &CheckArgs,
) -> anyhow::Result<ExitCode> {
    let look = Look::of_stdout();
    let name = &config.search.name;
    if !args.json.json {
        let mut page = Page::new(look);
        page.line([SafeText::from(show::plain(name)).bold(), ": the newest file, nothing is stored".into()]);
        if config.switched_off {
            page.line([SafeText::from("The search is switched off, and stays so.").dim()]);
        }
        out::page(&page);
    }
    let folder = FolderFiles::beside(&args.config);
    let listed = folder.list(&set.pattern, FILES_MAX).await.map_err(usage)?;
    let files = listed.len();
    let newest = listed.into_iter().max_by(|a, b| (a.modified, &a.name).cmp(&(b.modified, &b.name)));
    let Some(file) = newest else {
        return Err(usage(format!("{name:?} finds no file: none matches files = {:?}", set.pattern.as_str())));
    };
    let reported = |error: FileError| anyhow::Error::new(error).context(file.name.clone());
    let mut open = folder.open(&file, &set.map, 0).await.map_err(reported)?;
    let page = open.page(ROWS_MAX, file.modified, SystemClock.now()).await.map_err(reported)?;
    let mut understood = ParseReport::default();
    for row in page.rows {
        understood.take_file_row(row, file.modified);
    }
    let FileVersion { name: file, size: bytes, modified: written_at, .. } = file;
    let checked = CheckedFile {
        search: name.clone(),
        source: config.kind.clone(),
        source_name: config.search.source.name().to_owned(),
        enabled: !config.switched_off,
        files,
        file,
        written_at,
        bytes,
        goes_on: !page.ended,
        shows_gone: set.coverage == Coverage::Snapshot,
        report: Report::of(understood).beside(polled),
    };
    if args.json.json {
        out::json(&checked)?;
    } else {
        out::page(&checked.draw(look));
    }
    Ok(if checked.report.has_listings() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

impl CheckedFile {
    fn draw(&self, look: Look) -> Page {
        let files = match self.files {
            1 => "the only one".to_owned(),
            FILES_MAX.. => {
                format!("the newest of {} and more, which is more than a search reads", show::count(FILES_MAX as u64))
            }
            files => format!("the newest of {}", show::count(files as u64)),
        };
        let rows = if self.goes_on { format!("its first {}", show::count(ROWS_MAX as u64)) } else { "all".to_owned() };
        let gone = if self.shows_gone { "a file that lacks a listing" } else { "never by absence" };
        let facts = [
            ("file", format!("{}, {files}", show::plain(&self.file))),
            ("written", format!("{}, {} bytes", show::time(self.written_at), show::count(self.bytes))),
            ("rows", rows),
            ("gone", gone.to_owned()),
        ];
        let mut page = Page::new(look);
        page.gap().line([self.report.sum().into()]).gap();
        page.facts(facts.into_iter().map(|(name, words)| (name, words.into())));
        self.report.draw(&mut page);
        page
    }
}
