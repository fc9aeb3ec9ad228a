use crate::error_code::ErrorCode;
use crate::ports::{FailureKind, PortError};

/// Why a poll failed. What is already on the stream stays there; the next poll sends the rest.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The source does not answer, or not as expected.
    #[error("{0}")]
    Source(String),
    /// The source does not accept the key or token; a newer one may help.
    #[error("{0}")]
    Denied(String),
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The stream refused these records at every attempt.
    #[error("the stream refused {0} records, again and again")]
    Refused(usize),
    /// The source drifts, and the search is to stop then.
    #[error("frozen, because the source drifts: {0}; accept it with drift = \"evolve\"")]
    Drifted(String),
    /// Another poller polls the same search.
    #[error("another poller has polled {0:?} in the meantime")]
    Raced(String),
}

impl PollError {
    /// The code under which operators find what to do; `None` if there is nothing to do.
    #[must_use]
    pub fn code(&self) -> Option<ErrorCode> {
        match self {
            Self::Source(_) => Some(ErrorCode::SourceFailed),
            Self::Denied(_) => Some(ErrorCode::KeyRefused),
            Self::Port(error) => ErrorCode::of_kind(FailureKind::of(error).unwrap_or(error.kind())),
            Self::Refused(_) => Some(ErrorCode::Unavailable),
            Self::Drifted(_) => Some(ErrorCode::FieldsDrifted),
            Self::Raced(_) => None,
        }
    }

    /// Whether the source failed, not a port: the schedule asks it again.
    pub(crate) fn is_of_source(&self) -> bool {
        matches!(self, Self::Source(_) | Self::Denied(_) | Self::Drifted(_))
    }
}
