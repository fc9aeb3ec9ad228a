//! Parses an answer into the rows of a page.

use stoop_domain::Time;
use stoop_sources::{Cursor, Page, ReadError, Row, Source, SourceAnswer};

use super::error::PollError;
use crate::ports::HttpAnswer;

/// Parses the answer for the page at `cursor`, received at `now`. Values that no home can have are left out, so that a
/// source that begins to send zeros drifts.
pub(super) fn read(source: &dyn Source, cursor: &Cursor, answer: &HttpAnswer, now: Time) -> Result<Page, PollError> {
    let answer = SourceAnswer { status: answer.status, headers: &answer.headers, body: &answer.body };
    let mut page = source.read(cursor, &answer, now).map_err(|error| match error {
        ReadError::Denied(why) => PollError::Denied(why),
        other => PollError::Source(other.to_string()),
    })?;
    for row in &mut page.rows {
        if let Row::Found(found) = row {
            let impossible = found.listing.take_out_impossible();
            found.refused.extend(impossible);
        }
    }
    Ok(page)
}
