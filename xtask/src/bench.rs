//! The budgets of docs/PERFORMANCE.md, measured.

use anyhow::{Result, bail};

use crate::project::Project;
use crate::step::plain;
use crate::tally::Tally;

/// `replay`, `functions`, a crate's benches, or without a name those of all crates but the functions' weight.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<bool> {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let tally = match arguments[..] {
        [] => plain(&mut project.cargo(&[
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
        [name] if !name.starts_with('-') => plain(&mut project.cargo(&["bench", "--locked", "-p", name])),
        _ => bail!("accepted: no name, `replay`, `functions`, or the name of a crate with benches"),
    };
    tally.map(|_| true)
}

fn replay(project: &Project) -> Result<Tally> {
    plain(&mut project.cargo(&["bench", "--locked", "-p", "stoop", "--bench", "replay"]))
}

/// Builds the functions as they are deployed, with link-time optimisation, and weighs them. A zip above its budget fails.
pub(crate) fn functions(project: &Project) -> Result<Tally> {
    plain(&mut project.cargo(&["bench", "--workspace", "--locked", "--bench", "functions", "--profile", "dev"]))
}
