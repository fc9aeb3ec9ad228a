use std::fmt;
use std::process::ExitCode;

use crate::out::{self, complain};
use crate::show::Look;

/// What the user gave is wrong: told with exit code 2, where everything else is 1.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}

/// A mistake of the user's, as an error.
pub(crate) fn usage(error: impl fmt::Display) -> anyhow::Error {
    anyhow::Error::new(Usage(error.to_string()))
}

/// Prints what the command line lacks, or the help that it asks for, and gives the exit code.
pub(crate) fn refuse(error: &clap::Error) -> ExitCode {
    if error.use_stderr() {
        complain!("{}", error.render().to_string().trim_end());
        return ExitCode::from(2);
    }
    out::own_bytes(|to| {
        let text = error.render();
        write!(to, "{}", if Look::of_stdout().colours { text.ansi().to_string() } else { text.to_string() })
    });
    out::finish(ExitCode::SUCCESS)
}

/// Prints an error with its causes and gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    let mut causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    causes.dedup();
    complain!("stoop: {}", causes.join(": "));
    if error.downcast_ref::<Usage>().is_some() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
