//! Output. Text from outside is made plain first.

use std::process::ExitCode;

use stoop_pipeline::ports::FailureKind;
use stoop_pipeline::{ErrorCode, with_causes};
use stoop_show::plain_lines;

/// Prints a line to standard output.
pub(crate) fn say(line: &str) {
    println!("{}", plain_lines(line));
}

/// Prints a line to standard error.
pub(crate) fn complain(line: &str) {
    eprintln!("{}", plain_lines(line));
}

/// Reports a mistake of the user.
pub(crate) fn refuse(why: &str) -> ExitCode {
    complain(&format!("stoop-aws: {why}"));
    ExitCode::from(2)
}

/// Prints an error with its causes, each once, and for a failure what helps.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    complain(&format!("stoop-aws: {}", with_causes(&**error)));
    let kind = stoop_embedded::failure_kind(&**error);
    if let (Some(hint), Some(code)) = (kind.and_then(FailureKind::hint), kind.and_then(ErrorCode::of_kind)) {
        complain(&format!("stoop-aws: {hint}; more: stoop explain {code}"));
    }
    ExitCode::FAILURE
}
