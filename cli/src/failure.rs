use std::error::Error;
use std::fmt;
use std::process::ExitCode;

use stoop_embedded::{CopyError, OpenError, failure_kind};
use stoop_pipeline::ports::FailureKind;
use stoop_pipeline::{ErrorCode, PollError, with_causes};
use stoop_sources::settings::MapErrors;

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

/// The code of an error, which `stoop explain` explains; `None` if its message says all there is to say.
fn code_of(error: &(dyn Error + 'static)) -> Option<ErrorCode> {
    let of_open = |error: &OpenError| match error {
        OpenError::Missing(_)
        | OpenError::NoFolder(_)
        | OpenError::IsFolder(_)
        | OpenError::DataIsFile(_)
        | OpenError::NotOurs { .. } => Some(ErrorCode::NoDatabase),
        OpenError::LakeElsewhere { .. } => Some(ErrorCode::OtherDataFolder),
        OpenError::Older { .. } | OpenError::ToRebuild { .. } => Some(ErrorCode::OlderFormat),
        OpenError::Newer { .. } => Some(ErrorCode::NewerFormat),
        OpenError::NoTable { .. } => Some(ErrorCode::Damaged),
        OpenError::Failed { .. } => None,
    };
    let of_copy = |error: &CopyError| matches!(error, CopyError::Refused(_)).then_some(ErrorCode::CopyRefused);
    let own = error
        .downcast_ref::<Usage>()
        .and_then(|usage| code_of(&*usage.0))
        .or_else(|| error.downcast_ref().and_then(of_open))
        .or_else(|| error.downcast_ref().and_then(of_copy))
        .or_else(|| error.downcast_ref().and_then(PollError::code))
        .or_else(|| error.is::<MapErrors>().then_some(ErrorCode::ConfigInvalid));
    own.or_else(|| code_of(error.source()?))
}

/// Prints an error with its causes, each once, what helps and where there is more to read. Returns the exit code.
pub(crate) fn report(error: &anyhow::Error) -> ExitCode {
    complain!("stoop: {}", with_causes(&**error));
    let is_usage = error.downcast_ref::<Usage>().is_some();
    let kind = failure_kind(&**error).filter(|_| !is_usage);
    let hint = kind.and_then(FailureKind::hint).map(str::to_owned);
    let code = code_of(&**error).or_else(|| ErrorCode::of_kind(kind?));
    let more = code.map(|code| format!("more: stoop explain {code}"));
    let parts: Vec<String> = hint.into_iter().chain(more).collect();
    if !parts.is_empty() {
        complain!("stoop: {}", parts.join("; "));
    }
    if is_usage { ExitCode::from(2) } else { ExitCode::FAILURE }
}
