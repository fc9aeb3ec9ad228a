//! Fuzzes every decoder of stored or streamed bytes. Needs nightly Rust.

use anyhow::{Context, Result};

use crate::project::Project;
use crate::tally::TestTally;
use crate::tools;

/// Default number of seconds per target.
const SECONDS: u32 = 30;

/// Maximum input size in bytes.
const INPUT_MAX: u32 = 4_096;

/// Fuzzes each named target, or all, for so many seconds.
///
/// # Errors
/// If a target panics, with the input in `fuzz/artifacts`; if nightly Rust is missing.
pub(crate) fn run(project: &Project, arguments: &[String]) -> Result<TestTally> {
    let (seconds, targets): (Vec<&String>, Vec<&String>) =
        arguments.iter().partition(|argument| argument.parse::<u32>().is_ok());
    let seconds = seconds.last().and_then(|seconds| seconds.parse().ok()).unwrap_or(SECONDS);
    let all = targets_of(project)?;
    if let Some(unknown) = targets.iter().find(|target| !all.contains(target)) {
        anyhow::bail!("no target is called {unknown}; accepted: {}", all.join(", "));
    }
    let fuzz = tools::fuzz(project)?;
    for target in all.iter().filter(|target| targets.is_empty() || targets.contains(target)) {
        println!("{target}, for {seconds} seconds");
        let mut command = project.command("rustup");
        command.args(["run", "nightly"]).arg(&fuzz).args(["fuzz", "run", "--fuzz-dir", "fuzz", "--target-dir"]);
        command.arg(project.root().join("target/fuzz")).arg(target).arg("--");
        command.args([format!("-max_total_time={seconds}"), format!("-max_len={INPUT_MAX}")]);
        project.plain(command.args(["-verbosity=0", "-print_final_stats=1", "-print_funcs=0"]))?;
    }
    Ok(TestTally::default())
}

fn targets_of(project: &Project) -> Result<Vec<String>> {
    let manifest = project.root().join("fuzz/Cargo.toml");
    let text = std::fs::read_to_string(&manifest).with_context(|| format!("can't read {}", manifest.display()))?;
    let mut lines = text.lines();
    let mut names = Vec::new();
    while lines.any(|line| line == "[[bin]]") {
        let name = lines.next().and_then(|line| line.strip_prefix("name = \"")?.strip_suffix('"'));
        names.push(name.context("a target in fuzz/Cargo.toml has no name")?.to_owned());
    }
    Ok(names)
}
