//! What is said. What comes from outside is made plain first.

use std::process::ExitCode;

use stoop_pipeline::with_causes;
use stoop_runtime::plain_lines;

/// A line on standard output.
pub(crate) fn say(line: &str) {
    println!("{}", plain_lines(line));
}

/// A line on standard error.
pub(crate) fn complain(line: &str) {
    eprintln!("{}", plain_lines(line));
}

/// What the user gave is wrong.
pub(crate) fn refuse(why: &str) -> ExitCode {
    complain(&format!("stoop-aws: {why}"));
    ExitCode::from(2)
}

/// Says an error with its causes, each once.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    complain(&format!("stoop-aws: {}", with_causes(&**error)));
    ExitCode::FAILURE
}
