//! The one place that prints. Names and comments of tables may come from anywhere, so control characters are replaced.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

use stoop_show::plain_lines;

/// Prints a line.
pub(crate) fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{}", plain_lines(text))
}

/// The end of the program. Whoever reads the output may have enough of it.
pub(crate) fn end(outcome: &anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.downcast_ref::<io::Error>().is_some_and(|error| error.kind() == ErrorKind::BrokenPipe) => {
            ExitCode::SUCCESS
        }
        Err(error) => {
            // If that cannot be printed either, the code says enough.
            drop(writeln!(io::stderr(), "error: {}", plain_lines(&format!("{error:#}"))));
            ExitCode::FAILURE
        }
    }
}
