//! `cargo xtask`: the commands for people and CI. CONTRIBUTING.md says when to use which.

mod abuse;
mod arm64;
mod bench;
mod browser;
mod console;
mod contract;
mod debian;
mod fuzz;
mod gate;
mod lake;
mod modules;
mod names;
mod project;
mod run;
mod running;
mod server;
mod shape;
mod step;
mod tally;
mod tools;
mod tree;
mod watch;
mod words;

use std::process::ExitCode;

use anyhow::{Result, bail};

use project::Project;

const USAGE: &str = "\
usage: cargo xtask COMMAND

  check          format, clippy and rustdoc, all without a warning
  test [ARGS]    every test that needs no AWS; ARGS go to `cargo nextest run`: a name, or -p CRATE
  stack [ARGS]   the deployed stack on local AWS; ARGS go to the tests: a scenario's name, or --list
  arm64          the functions built for arm64, weighed, and run on their sample events; by QEMU where it must
  browser [ARGS] the tests of tests/browser in Chromium: of the harness itself; with `demo`, of the pages of `stoop demo`;
                 with a URL, of a server that runs; either with --screenshots DIR; `demo --pictures` takes
                 those of docs/TOURS.md
  console        commands in the pages print what the pages say; `--update` writes what they print
  abuse          attacks on the server of `stoop demo`: it polls on, stays small and answers again; Linux
  contract       the API of `stoop serve` against docs/openapi.json, by Schemathesis
  lake           lake/check, and format and clippy of its crates
  recompute      figures of a replay against a program that shares no code with Stoop; tests/recompute
  words          no banned word in code or pages (xtask/words.txt), no third type of one name
  shape          dependencies point one way; what has grown long
  advisories     known vulnerabilities in the crates of Cargo.lock
  fuzz [ARGS]    decoders, with any bytes: a target's name, seconds for each (30); needs nightly Rust
  bench [NAME]   the budgets of docs/PERFORMANCE.md: replay, functions, or the benches of one crate
  gate           what `.ci/run` runs
  slow           what `.ci/all` runs beyond that
  all            what `.ci/all` runs";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match run(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Runs a command. Returns whether all checks passed.
fn run(arguments: &[String]) -> Result<bool> {
    let Some((command, rest)) = arguments.split_first() else { bail!("no command\n{USAGE}") };
    let project = Project::here()?;
    match (command.as_str(), rest) {
        ("check", []) => gate::check(&project),
        ("test", rest) => gate::test(&project, rest),
        ("stack", rest) => gate::stack(&project, rest),
        ("arm64", []) => arm64::functions(&project).map(|tally| tally.failed == 0),
        ("browser", rest) => browser::run(&project, rest).map(|tally| tally.failed == 0),
        ("console", rest) => {
            let tally = gate::console(&project, rest)?;
            println!("{tally}");
            Ok(tally.failed == 0)
        }
        ("abuse", []) => abuse::run(&project).map(|tally| tally.failed == 0),
        ("contract", []) => contract::run(&project).map(|tally| tally.failed == 0),
        ("lake", []) => {
            let tally = lake::check(&project)?;
            println!("{tally}");
            Ok(tally.failed == 0)
        }
        ("recompute", []) => gate::recompute(&project).map(|_| true),
        ("words", []) => Ok(words::hold(&project)? & names::hold(&project)?),
        ("shape", []) => shape::hold(&project),
        ("advisories", []) => gate::advisories(&project),
        ("fuzz", rest) => fuzz::run(&project, rest).map(|tally| tally.failed == 0),
        ("bench", rest) => bench::run(&project, rest),
        ("gate", []) => gate::gate(&project),
        ("slow", []) => gate::slow(&project),
        ("all", []) => gate::all(&project),
        ("help" | "--help" | "-h", _) => {
            println!("{USAGE}");
            Ok(true)
        }
        (command, []) => bail!("no command is called {command}\n{USAGE}"),
        (command, rest) => bail!("{command} takes no {}\n{USAGE}", rest.join(" ")),
    }
}
