use crate::ports::PortError;

/// Why a poll failed. Observations already published stay on the stream; the next poll sends the rest.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The source did not answer, or not properly.
    #[error("{0}")]
    Source(String),
    /// The source refuses the key or token; a newer one may help.
    #[error("{0}")]
    Denied(String),
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// The stream refused records after all retries.
    #[error("the stream refused {0} records, again and again")]
    Refused(usize),
    /// The source drifted, and the search is configured to freeze.
    #[error("frozen, because the source drifts: {0}; accept it with drift = \"evolve\"")]
    Drifted(String),
    /// Another poller polled the same search.
    #[error("another poller has polled {0:?} in the meantime")]
    Raced(String),
}
