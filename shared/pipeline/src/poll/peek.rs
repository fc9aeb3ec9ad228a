use stoop_domain::Time;
use stoop_sources::{Answer, Page, ReadError, Source};

use super::fetch::Fetcher;
use super::robots::Robots;
use super::{PollError, PollPorts};

/// What a look at one page showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// What was understood of it.
    pub page: Page,
    /// The status of the answer.
    pub status: u16,
    /// HTTP requests made for it, retries among them.
    pub requests: u64,
    /// Bytes of the page.
    pub bytes: u64,
    /// When it was received.
    pub at: Time,
}

/// Looks at the first page of a source as a poll would, `robots.txt` first where manners say so, and stores nothing:
/// no page, no listing, no run. The requests count against the source's limits like those of a poll.
///
/// `None` where it was to stop first.
///
/// # Errors
/// When the source does not answer as it should.
pub async fn peek(source: &dyn Source, run: &str, ports: PollPorts<'_>) -> Result<Option<Peeked>, PollError> {
    let mut fetcher = Fetcher::new(ports, source, run);
    let cursor = source.begin(None);
    let request = source.request(&cursor);
    if source.manners().robots {
        Robots::default().ask(&request, ports).await?;
    }
    let Some(answer) = fetcher.fetch(&request).await? else { return Ok(None) };
    let at = ports.clock.now();
    let read = Answer { status: answer.status, headers: &answer.headers, body: &answer.body };
    let page = source.read(&cursor, &read, at).map_err(|error| match error {
        ReadError::Denied(why) => PollError::Denied(why),
        other => PollError::Source(other.to_string()),
    })?;
    let bytes = answer.body.len() as u64;
    Ok(Some(Peeked { page, status: answer.status, requests: fetcher.requests, bytes, at }))
}
