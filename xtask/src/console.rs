//! Blocks of commands and their output in the pages: each command prints what the page says.
//!
//! A block begins with three backticks and `console`; a command with `$ `; a line `...` stands for any lines. The blocks of a
//! page run one after the other in a folder of their own, in which `maps` and `lake` are the project's, with `stoop` of this
//! build. A word after `console` says what else a block needs ([`Need`]).

mod block;
mod fit;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::project::Project;
use crate::tally::TestTally;
use crate::watch::within;
use block::{Block, ConsolePage, ConsoleStep, Need};

/// The limit of one command. The longest takes seconds.
const COMMAND_WITHIN: Duration = Duration::from_mins(30);
/// The beginning of a command in a table, or in a block without output.
const STOOP: &str = "stoop ";

/// What is there to run blocks with.
#[derive(Clone, Debug)]
pub(crate) struct Provided<'p> {
    /// The folders of programs, before those of `PATH`.
    pub(crate) programs: Vec<PathBuf>,
    /// The environment of the Python programs of the lake, if they can run.
    pub(crate) lake: Option<&'p Path>,
}

/// Runs the blocks of each page; of pages of the lake alone, if that is provided. Prints a line for each command that prints
/// something else, and counts commands.
///
/// # Errors
/// If a page cannot be read or written.
pub(crate) fn check(project: &Project, provided: &Provided<'_>, is_update: bool) -> Result<TestTally> {
    let mut tally = TestTally::default();
    for path in pages(project)? {
        let text = std::fs::read_to_string(project.root().join(&path)).with_context(|| format!("can't read {path}"))?;
        let page = ConsolePage::parse(&path, &text)?;
        let is_of_the_lake = page.blocks.iter().any(|block| block.need == Some(Need::Lake));
        if provided.lake.is_some() && !is_of_the_lake {
            continue;
        }
        let room = Room::new(project, provided)?;
        let (of_blocks, updated) = check_page(&room, &page, &text, is_update)?;
        tally += of_blocks;
        tally += if provided.lake.is_some() { TestTally::default() } else { check_mentioned(&room, &path, &text)? };
        if is_update && updated != text {
            std::fs::write(project.root().join(&path), updated).with_context(|| format!("can't write {path}"))?;
            println!("{path} is written");
        }
    }
    Ok(tally)
}

/// All pages, as paths in the project.
fn pages(project: &Project) -> Result<Vec<String>> {
    let mut git = project.command("git");
    let listed = project.output(git.args(["ls-files", "--cached", "--others", "--exclude-standard", "*.md"]))?;
    let is_there = |path: &&str| project.root().join(path).exists();
    Ok(listed.lines().filter(is_there).map(str::to_owned).collect())
}

/// Runs the blocks of a page. Returns their counts, and the text with what the commands print now.
fn check_page(room: &Room<'_>, page: &ConsolePage, text: &str, is_update: bool) -> Result<(TestTally, String)> {
    let mut tally = TestTally::default();
    let mut lines: Vec<String> = Vec::new();
    let mut written = 0;
    let old: Vec<&str> = text.lines().collect();
    for block in &page.blocks {
        if let Some(missing) = room.lacks(block) {
            println!("skip  {}:{}: {missing}", page.path, block.line);
            tally.skipped += block.steps.len() as u64;
            continue;
        }
        for step in &block.steps {
            let printed = match room.run(&step.command) {
                Ok(printed) => printed,
                Err(error) => {
                    println!("FAIL  {}:{}: {error:#}", page.path, step.line);
                    tally.failed += 1;
                    continue;
                }
            };
            let printed: Vec<&str> = printed.lines().collect();
            if fit::fits(&printed, &step.prints) {
                tally.passed += 1;
                continue;
            }
            if is_update {
                let new = fit::updated(&step.prints, &printed)
                    .with_context(|| format!("{}:{}: $ {}", page.path, step.line, step.command))?;
                lines.extend(old[written..step.line].iter().map(|line| (*line).to_owned()));
                lines.extend(new);
                written = step.line + step.prints.len();
                tally.passed += 1;
                continue;
            }
            tally.failed += 1;
            report(page, step, &printed);
        }
    }
    lines.extend(old[written..].iter().map(|line| (*line).to_owned()));
    Ok((tally, lines.join("\n") + "\n"))
}

fn report(page: &ConsolePage, step: &ConsoleStep, printed: &[&str]) {
    println!("FAIL  {}:{}: $ {}", page.path, step.line, step.command);
    for line in fit::difference(&step.prints, printed) {
        println!("      {line}");
    }
    println!("      `cargo xtask console --update` writes what it prints");
}

/// Runs the commands in tables that name nothing to fill in, if the page has blocks, whose data they use: each prints
/// something. Of all other commands of the page the program must know the options.
fn check_mentioned(room: &Room<'_>, path: &str, text: &str) -> Result<TestTally> {
    let mut tally = TestTally::default();
    let has_data = text.contains("\n```console\n$ stoop simulate");
    let tables = block::in_tables(text).into_iter().map(|mentioned| (mentioned, has_data));
    for ((line, command), is_run) in
        tables.chain(block::without_output(text).into_iter().map(|mentioned| (mentioned, false)))
    {
        let command = command.trim();
        if !command.starts_with(STOOP) {
            continue;
        }
        let is_run = is_run && !block::has_blank(command);
        let asked = if is_run { command.to_owned() } else { format!("{command} --help") };
        let answer = room.run(&asked);
        if answer.as_ref().is_ok_and(|printed| !printed.is_empty()) {
            tally.passed += 1;
            continue;
        }
        tally.failed += 1;
        println!(
            "FAIL  {path}:{line}: {}",
            answer.map_or_else(|error| format!("{error:#}"), |_| format!("{asked} prints nothing"))
        );
    }
    Ok(tally)
}

/// The folder in which the blocks of a page run.
struct Room<'p> {
    project: &'p Project,
    provided: &'p Provided<'p>,
    folder: PathBuf,
}

impl<'p> Room<'p> {
    fn new(project: &'p Project, provided: &'p Provided<'p>) -> Result<Self> {
        let folder = project.cache().join(format!("console-{}", std::process::id()));
        std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
        let room = Self { project, provided, folder };
        for name in ["maps", "lake"] {
            std::os::unix::fs::symlink(project.root().join(name), room.folder.join(name))
                .with_context(|| format!("can't link {name}"))?;
        }
        Ok(room)
    }

    /// What is missing for a block.
    fn lacks(&self, block: &Block) -> Option<String> {
        match block.need? {
            Need::Data if data(self.project).is_some() => None,
            Need::Data => Some("there is no real data in STOOP_DATA or ../shared/data".to_owned()),
            Need::Lake if self.provided.lake.is_some() => None,
            Need::Lake => Some("`cargo xtask lake` checks it".to_owned()),
            Need::Elsewhere(what) => Some(format!("it needs {what}")),
        }
    }

    /// Returns what a line for the shell prints to standard output.
    fn run(&self, line: &str) -> Result<String> {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = self.provided.programs.iter().cloned().chain(std::env::split_paths(&path));
        let path = std::env::join_paths(folders).context("PATH")?;
        within(self.project, line, COMMAND_WITHIN, |project| {
            let mut shell = project.command("sh");
            shell.args(["-c", line]).current_dir(&self.folder).env("PATH", path);
            for name in ["COLUMNS", "STOOP_LOG", "CLICOLOR_FORCE", "NO_COLOR", "STOOP_TABLES"] {
                shell.env_remove(name);
            }
            if let Some(data) = data(project) {
                shell.env("STOOP_DATA", data);
            }
            if let Some(venv) = self.provided.lake {
                shell.env("STOOP_LAKE_VENV", venv);
            }
            project.output(&mut shell)
        })
    }
}

impl Drop for Room<'_> {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.folder) {
            eprintln!("can't remove {}: {error}", self.folder.display());
        }
    }
}

/// The folder of real data, if it is there.
fn data(project: &Project) -> Option<PathBuf> {
    let named = std::env::var_os("STOOP_DATA").map(PathBuf::from);
    Some(named.unwrap_or_else(|| project.root().join("../shared/data"))).filter(|folder| folder.is_dir())
}
