//! Parses an answer into the rows of a page.

use stoop_domain::Time;
use stoop_sources::{Answer, Cursor, Page, ReadError, Source};

use super::error::PollError;
use crate::ports::HttpAnswer;

/// Parses the answer for the page at `cursor`, received at `now`.
pub(super) fn read(source: &dyn Source, cursor: &Cursor, answer: &HttpAnswer, now: Time) -> Result<Page, PollError> {
    let answer = Answer { status: answer.status, headers: &answer.headers, body: &answer.body };
    source.read(cursor, &answer, now).map_err(|error| match error {
        ReadError::Denied(why) => PollError::Denied(why),
        other => PollError::Source(other.to_string()),
    })
}
