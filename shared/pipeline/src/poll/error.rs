use crate::ports::PortError;

/// Why a poll failed. What was put on the stream before stays there; the next poll sends again what
/// was not put.
#[derive(Debug, thiserror::Error)]
pub enum PollError {
    /// The source would not answer, or not as it should.
    #[error("{0}")]
    Source(String),
    /// The source does not accept the key or token; a newer one may help.
    #[error("{0}")]
    Denied(String),
    /// A port failed.
    #[error(transparent)]
    Port(#[from] PortError),
    /// Records were refused by the stream to the end.
    #[error("the stream refused {0} records, again and again")]
    Refused(usize),
    /// The source does not say any more what it used to say, and the search is to stop at that.
    #[error("frozen, because the source drifts: {0}; accept it with drift = \"evolve\"")]
    Drifted(String),
    /// Another poller has the same search in hand.
    #[error("another poller has polled {0:?} in the meantime")]
    Raced(String),
}
