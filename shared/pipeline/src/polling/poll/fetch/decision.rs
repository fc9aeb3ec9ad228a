//! Whether an answer that the source does not read is requested again.

use stoop_sources::Request;

use super::super::address::not_followed;
use crate::ports::HttpAnswer;

/// How to handle an answer that the source does not read.
pub(super) enum RetryDecision {
    /// Retry, after a pause unless the whole account pauses.
    Again(String),
    /// The token has expired, or the key is not accepted.
    Unauthorized(String),
    /// The key or token is not accepted.
    Denied(String),
    /// Retrying will not help.
    Final(String),
}

impl RetryDecision {
    /// By the status of the answer.
    pub(super) fn of(request: &Request, answer: &HttpAnswer) -> Self {
        let what = format!("status {}", answer.status);
        match answer.status {
            408 | 425 | 429 | 500 | 502..=504 => Self::Again(what),
            401 => Self::Unauthorized(format!("{what}: the key or token is missing, wrong or expired")),
            403 => Self::Denied(format!("{what}: the key or token is missing, wrong or expired")),
            300..=399 => Self::Final(match answer.header("location") {
                Some(location) => format!("{what}: {}", not_followed(request, location)),
                None => what,
            }),
            _ => Self::Final(what),
        }
    }
}
