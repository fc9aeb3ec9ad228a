//! The one place that prints. Names and comments of tables may come from anywhere, so control characters are replaced.

use std::io::{self, ErrorKind, Write};
use std::process::ExitCode;

/// Prints a line.
pub(crate) fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{}", clean(text))
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
            drop(writeln!(io::stderr(), "error: {}", clean(&format!("{error:#}"))));
            ExitCode::FAILURE
        }
    }
}

fn clean(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() && letter != '\n' { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::clean;

    #[test]
    fn no_text_controls_the_terminal() {
        assert_eq!(clean("a\u{1b}[2Jb\nc\u{7}"), "a\u{fffd}[2Jb\nc\u{fffd}");
    }
}
