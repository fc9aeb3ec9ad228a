//! Measures the budgets of docs/PERFORMANCE.md.

use anyhow::{Result, bail};

use crate::project::Project;
use crate::tally::TestTally;

/// Runs `replay`, `functions`, `lake`, `areas`, or a crate's benches; without a name, the benches of all crates, but not the
/// size of the functions.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<bool> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let tally = match arguments[..] {
        [] => project
            .plain(&mut project.cargo(&[
                "bench",
                "--locked",
                "-p",
                "stoop-wire",
                "-p",
                "stoop-market",
                "-p",
                "stoop-embedded",
            ]))
            .and_then(|_| replay(project)),
        ["replay"] => replay(project),
        ["functions"] => functions(project),
        ["lake"] => lake(project),
        ["areas", ref size @ ..] => areas(project, size),
        [name] if !name.starts_with('-') => project.plain(&mut project.cargo(&["bench", "--locked", "-p", name])),
        _ => bail!(
            "accepted: no name, `replay`, `functions`, `lake`, `areas [HOMES CODES]`, or the name of a crate with benches"
        ),
    };
    tally.map(|_| true)
}

fn replay(project: &Project) -> Result<TestTally> {
    project.plain(&mut project.cargo(&["bench", "--locked", "-p", "stoop", "--bench", "replay"]))
}

/// Builds the functions as they are deployed, with link-time optimization, and checks the size of their zip files
/// against the budget.
pub(crate) fn functions(project: &Project) -> Result<TestTally> {
    project.plain(&mut project.cargo(&["bench", "--workspace", "--locked", "--bench", "functions", "--profile", "dev"]))
}

/// The same for the function of the lake, which also runs on local AWS.
pub(crate) fn lake(project: &Project) -> Result<TestTally> {
    project.plain(&mut project.cargo(&[
        "bench",
        "--locked",
        "-p",
        "stoop-tests",
        "--bench",
        "lake",
        "--profile",
        "dev",
    ]))
}

/// Measures the roll-up and api functions over many markets on local AWS. Also builds the CLI for release, which
/// generates the homes.
fn areas(project: &Project, size: &[&str]) -> Result<TestTally> {
    let bench = ["bench", "--locked", "-p", "stoop-tests", "--bench", "areas", "--"];
    project.plain(&mut project.cargo(&[&bench[..], size].concat()))
}
