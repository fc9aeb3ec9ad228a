use std::error::Error;
use std::fmt;
use std::io;

/// How a port failed. Implementations decide it where they read what a service, SQLite or the system says; callers
/// decide by it what to do, and what to tell people.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FailureKind {
    /// Something that must be there is not: a table, a bucket, a secret, a file.
    NotFound,
    /// It is not allowed, or never accepted. Without a change to rights, configuration or program it is refused again.
    Refused,
    /// Too many requests.
    Throttled,
    /// Not now: the network, a time-out, a fault of the service, a lock, a faster writer.
    Unavailable,
    /// What is stored cannot be read.
    Damaged,
    /// A disk, or what one may have of it, is full.
    Full,
    /// Stopped on request.
    Stopped,
}

impl FailureKind {
    /// All kinds.
    pub const ALL: [Self; 7] =
        [Self::NotFound, Self::Refused, Self::Throttled, Self::Unavailable, Self::Damaged, Self::Full, Self::Stopped];

    /// The kind of an error: its own or that of the first [`PortError`] among its causes. `None` if no port failed.
    #[must_use]
    pub fn of(error: &(dyn Error + 'static)) -> Option<Self> {
        Self::of_one(error).or_else(|| Self::of(error.source()?))
    }

    /// The kind of an error, without its causes.
    #[must_use]
    pub fn of_one(error: &(dyn Error + 'static)) -> Option<Self> {
        let outer = error.downcast_ref::<PortError>().map(PortError::kind);
        // An error that only passes a port's failure on has the causes of that failure, but not the failure itself.
        outer.or_else(|| error.downcast_ref::<Cause>().map(|cause| cause.kind))
    }

    /// The kind of an error of a file, a folder or a connection. One that no call of the system returned comes from a
    /// decoder: the bytes are damaged.
    #[must_use]
    pub fn of_io(error: &io::Error) -> Self {
        use io::ErrorKind as Kind;
        match error.kind() {
            Kind::NotFound => Self::NotFound,
            Kind::StorageFull | Kind::QuotaExceeded => Self::Full,
            Kind::InvalidData | Kind::UnexpectedEof => Self::Damaged,
            Kind::PermissionDenied
            | Kind::ReadOnlyFilesystem
            | Kind::NotADirectory
            | Kind::IsADirectory
            | Kind::AlreadyExists
            | Kind::DirectoryNotEmpty
            | Kind::InvalidInput
            | Kind::InvalidFilename
            | Kind::FileTooLarge
            | Kind::CrossesDevices
            | Kind::Unsupported => Self::Refused,
            Kind::Other if error.raw_os_error().is_none() => Self::Damaged,
            _ => Self::Unavailable,
        }
    }

    /// Whether an error is a failure of a port that no retry ends.
    #[must_use]
    pub fn is_lasting(error: &(dyn Error + 'static)) -> bool {
        Self::of(error).is_some_and(|kind| !kind.may_pass() && kind != Self::Stopped)
    }

    /// The word of an error's kind, for a log; `None` if no port failed.
    #[must_use]
    pub fn word(error: &(dyn Error + 'static)) -> Option<&'static str> {
        Self::of(error).map(Self::as_str)
    }

    /// Whether the same call may succeed later although nobody does anything.
    #[must_use]
    pub fn may_pass(self) -> bool {
        matches!(self, Self::Throttled | Self::Unavailable)
    }

    /// A word for logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NotFound => "not_found",
            Self::Refused => "refused",
            Self::Throttled => "throttled",
            Self::Unavailable => "unavailable",
            Self::Damaged => "damaged",
            Self::Full => "full",
            Self::Stopped => "stopped",
        }
    }

    /// What helps, for people; `None` if they know.
    #[must_use]
    pub fn hint(self) -> Option<&'static str> {
        match self {
            Self::NotFound => Some("what it needs is not there: check its name and that it was not removed"),
            Self::Refused => Some("trying again does not help: check rights, paths and configuration"),
            Self::Throttled => Some("there were too many requests: try again later"),
            Self::Unavailable => Some("trying again may help"),
            Self::Damaged => Some(
                "what is stored cannot be read, and trying again does not help: verify, then rebuild or restore a backup",
            ),
            Self::Full => Some("there is no space: free some, then try again"),
            Self::Stopped => None,
        }
    }
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A port failed. [`PortError::kind`] says how, and so whether retrying may help.
#[derive(Debug, thiserror::Error)]
#[error("{what}")]
pub struct PortError {
    what: String,
    #[source]
    cause: Cause,
}

/// The cause of a failure. It prints and has the causes of the error inside it.
#[derive(Debug)]
struct Cause {
    kind: FailureKind,
    error: Box<dyn Error + Send + Sync>,
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl Error for Cause {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.error.source()
    }
}

impl PortError {
    /// A failure of `what`, an action and its object, because of `error`.
    pub fn new(kind: FailureKind, what: impl Into<String>, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { what: what.into(), cause: Cause { kind, error: error.into() } }
    }

    /// [`FailureKind::Refused`].
    pub fn refused(what: impl Into<String>, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(FailureKind::Refused, what, error)
    }

    /// [`FailureKind::Unavailable`].
    pub fn unavailable(what: impl Into<String>, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(FailureKind::Unavailable, what, error)
    }

    /// [`FailureKind::Damaged`].
    pub fn damaged(what: impl Into<String>, error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(FailureKind::Damaged, what, error)
    }

    /// How it failed.
    #[must_use]
    pub fn kind(&self) -> FailureKind {
        self.cause.kind
    }

    /// The action and its object.
    #[must_use]
    pub fn what(&self) -> &str {
        &self.what
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ports::{CommitError, FileError};
    use crate::with_causes;

    fn full() -> PortError {
        PortError::new(FailureKind::Full, "write the lake", io::Error::other("no space"))
    }

    #[test]
    fn a_kind_is_found_through_what_is_around_it() {
        let around: [Box<dyn Error + Send + Sync>; 4] = [
            Box::new(full()),
            Box::new(CommitError::Port(full())),
            Box::new(FileError::Port(full())),
            Box::new(io::Error::other(CommitError::Port(full()))),
        ];
        for error in around {
            assert_eq!(FailureKind::of(&*error), Some(FailureKind::Full), "{error:?}");
        }
        assert_eq!(FailureKind::of(&io::Error::other("no port")), None);
        assert_eq!((FailureKind::word(&full()), FailureKind::is_lasting(&full())), (Some("full"), true));
        let busy = CommitError::Port(PortError::unavailable("commit", "locked"));
        assert_eq!((FailureKind::word(&busy), FailureKind::is_lasting(&busy)), (Some("unavailable"), false));
        let outer = PortError::refused("begin", CommitError::Port(full()));
        assert_eq!(FailureKind::of(&outer), Some(FailureKind::Refused), "what the outermost says");
    }

    #[test]
    fn each_cause_is_printed_once() {
        let error = PortError::damaged("read the lake", CommitError::Port(full()));
        assert_eq!(with_causes(&error), "read the lake: write the lake: no space");
        assert_eq!(with_causes(&CommitError::Port(full())), "write the lake: no space");
    }

    #[test]
    fn what_the_system_says_has_a_kind() {
        use FailureKind::{Damaged, Full, NotFound, Refused, Unavailable};
        // Linux's numbers: ENOENT, EIO, EACCES, EBUSY, ENOTDIR, EISDIR, EMFILE, EFBIG, ENOSPC, EROFS, EDQUOT.
        let by_number = [
            (2, NotFound),
            (5, Unavailable),
            (13, Refused),
            (16, Unavailable),
            (20, Refused),
            (21, Refused),
            (24, Unavailable),
            (27, Refused),
            (28, Full),
            (30, Refused),
            (122, Full),
        ];
        for (number, kind) in by_number {
            let error = io::Error::from_raw_os_error(number);
            assert_eq!(FailureKind::of_io(&error), kind, "{error}");
        }
        assert_eq!(FailureKind::of_io(&io::Error::other("bad magic number")), Damaged);
        assert_eq!(FailureKind::of_io(&io::ErrorKind::UnexpectedEof.into()), Damaged);
        assert_eq!(FailureKind::of_io(&io::ErrorKind::TimedOut.into()), Unavailable);
    }

    #[test]
    fn people_are_asked_to_try_again_only_where_it_may_help() {
        for kind in FailureKind::ALL {
            let hint = kind.hint().unwrap_or_default();
            assert_eq!(
                hint.contains("try again") || hint.contains("trying again may"),
                kind.may_pass() || kind == FailureKind::Full,
                "{kind}: {hint}"
            );
        }
        let words: std::collections::BTreeSet<&str> = FailureKind::ALL.into_iter().map(FailureKind::as_str).collect();
        assert_eq!(words.len(), FailureKind::ALL.len());
    }
}
