use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use serde::Serialize;
use stoop_drafts::draft;
use stoop_pipeline::Clock;
use stoop_runtime::SystemClock;

use super::hints::{NO_PRICE, hints};
use super::report::Report;
use super::sample;
use super::trial::Tried;
use crate::args::NewArgs;
use crate::browser;
use crate::failure::usage;
use crate::input::Input;
use crate::out;
use crate::show::{Look, Page, SafeText};

/// A draft that was written, and what it understands of its sample.
#[derive(Serialize)]
struct Drafted {
    name: String,
    /// The file that was written.
    file: PathBuf,
    /// The page about it, if one was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<PathBuf>,
    /// The path of the rows in the sample; `None` if the sample is only rows.
    rows_at: Option<String>,
    /// The parameters that a search of it must give.
    params: Vec<String>,
    #[serde(flatten)]
    report: Report,
}

/// `stoop sources new`.
pub(super) fn new(args: &NewArgs) -> anyhow::Result<ExitCode> {
    let file = args.to.clone().unwrap_or_else(|| PathBuf::from(format!("{}.toml", args.name)));
    let page = args.open.then(|| file.with_extension("html"));
    for file in std::iter::once(&file).chain(&page) {
        if file.exists() && !args.force {
            return Err(usage(format!("{} exists already; --force overwrites it", file.display())));
        }
    }
    let input = Input::open(&args.from)?;
    let sample = sample::read(&input)?;
    let hints = hints(&args.name, args.url.clone(), &args.hints, &input);
    let shown = input.name.display();
    let made = draft(&sample, &hints).map_err(|error| usage(format!("{shown}: {error}")))?;
    let mut report = Report::of(sample::understood(&input, &made.map, SystemClock.now())?);
    let params = made.params.iter().map(|(name, _)| name.clone()).collect();
    let write =
        |file: &Path, text: &str| write(file, text, args.force).with_context(|| format!("writing {}", file.display()));
    write(&file, &made.toml)?;
    if let Some(page) = &page {
        let tried = Tried::of(&hints.sample, made, report);
        write(page, &tried.to_html(&file.display().to_string()))?;
        browser::open(&page.canonicalize()?.display().to_string());
        report = tried.report;
    }
    let drafted =
        Drafted { name: args.name.clone(), file, page, rows_at: sample.pointer().map(str::to_owned), params, report };
    if args.json.json {
        out::json(&drafted)?;
    } else {
        out::page(&drafted.draw(args, Look::of_stdout()));
    }
    Ok(if drafted.report.has_listings() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Writes the map. Without `over`, an existing file is not overwritten, even if it appeared in the meantime.
fn write(file: &Path, toml: &str, over: bool) -> std::io::Result<()> {
    let mut options = File::options();
    let options =
        if over { options.write(true).create(true).truncate(true) } else { options.write(true).create_new(true) };
    let mut opened = match options.open(file) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(std::io::Error::other("it exists already; --force overwrites it"));
        }
        opened => opened?,
    };
    opened.write_all(toml.as_bytes())
}

impl Drafted {
    fn draw(&self, args: &NewArgs, look: Look) -> Page {
        let file = self.file.display();
        let position = self.rows_at.as_ref().map_or(String::new(), |pointer| format!(" at {pointer}"));
        let mut page = Page::new(look);
        page.line([SafeText::from(format!("Wrote {file}.")).bold()]);
        if let Some(written) = &self.page {
            page.line([format!("{} shows it in a browser.", written.display()).into()]);
        }
        page.line([format!("Read with it, {}{position}: {}", args.from.display(), self.report.sum()).into()]);
        if !self.report.has_prices() {
            page.line([SafeText::from(NO_PRICE).yellow()]);
        }
        self.report.draw(&mut page);
        page.gap().line([SafeText::from("Next").bold()]);
        page.hung(
            4,
            [format!("  check each line of {file}: all of it is a guess, and lines that begin with # are off").into()],
        );
        let name = &args.name;
        let next = match args.url {
            Some(_) => format!("  name it in stoop.toml as its first lines say, then `stoop sources check {name}`"),
            None => format!("  stoop replay --map {file} {}", args.from.display()),
        };
        page.hung(4, [next.into()]);
        page
    }
}
