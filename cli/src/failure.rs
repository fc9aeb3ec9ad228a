use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use stoop_embedded::{CopyError, OpenError, failure_kind};
use stoop_pipeline::ports::FailureKind;
use stoop_pipeline::with_causes;

use crate::out::{self, complain};
use crate::show::Look;

/// A mistake of the user: exit code 2. Every other failure is 1.
#[derive(Debug)]
pub(crate) struct Usage(Box<dyn Error + Send + Sync>);

impl fmt::Display for Usage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Usage {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.source()
    }
}

/// Wraps a mistake of the user as an error.
pub(crate) fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> anyhow::Error {
    anyhow::Error::new(Usage(error.into()))
}

/// A database that does not open. A wrong path is the user's mistake; a failing disk is not.
pub(crate) fn not_opened(error: OpenError) -> anyhow::Error {
    match error {
        OpenError::Failed { .. } => anyhow::Error::new(error),
        error => usage(error),
    }
}

/// A backup, restore or rebuild from the lake that did not happen. One that would overwrite something is the user's mistake.
pub(crate) fn not_copied(error: CopyError) -> anyhow::Error {
    match error {
        CopyError::Refused(_) => usage(error),
        CopyError::Failed(error) => anyhow::Error::new(error),
    }
}

/// Prints a command-line error or the help that was asked for, and returns the exit code.
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

/// Prints an error with its causes, each once, and for a failure what helps. Returns the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    complain!("stoop: {}", with_causes(&**error));
    if error.downcast_ref::<Usage>().is_some() {
        return ExitCode::from(2);
    }
    if let Some(hint) = failure_kind(&**error).and_then(FailureKind::hint) {
        complain!("stoop: {hint}");
    }
    ExitCode::FAILURE
}
