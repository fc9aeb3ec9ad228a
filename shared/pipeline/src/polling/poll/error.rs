use crate::ports::PortError;

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
    /// Whether the source failed, not a port: the schedule asks it again.
    pub(crate) fn is_of_source(&self) -> bool {
        matches!(self, Self::Source(_) | Self::Denied(_) | Self::Drifted(_))
    }
}
