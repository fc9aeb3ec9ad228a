use std::error::Error;
use std::fmt;
use std::io::Write;
use std::process::ExitCode;

use stoop_embedded::OpenError;
use stoop_pipeline::with_causes;

/// What the user gave is wrong: told with exit code 2, where everything else is 1.
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

/// A mistake of the user's, as an error.
pub(crate) fn usage(error: impl Into<Box<dyn Error + Send + Sync>>) -> anyhow::Error {
    anyhow::Error::new(Usage(error.into()))
}

/// A database that does not open: what is wrong with its path is the user's to mend, what the disk refuses is not.
pub(crate) fn not_opened(error: OpenError) -> anyhow::Error {
    match error {
        OpenError::Failed { .. } => anyhow::Error::new(error),
        error => usage(error),
    }
}

/// Prints an error with its causes, each once, and gives the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    // Where even this cannot be written, the exit code has to do.
    drop(writeln!(std::io::stderr(), "stoop: {}", with_causes(&**error)));
    if error.downcast_ref::<Usage>().is_some() { ExitCode::from(2) } else { ExitCode::FAILURE }
}
