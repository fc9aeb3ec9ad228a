use stoop_domain::Time;
use stoop_sources::{Limit, Page, Source};

use super::fetch::Fetcher;
use super::read::read;
use super::robots::Robots;
use super::{PollError, PollPorts, Polled};
use crate::search::budget::BreakerOutcome;
use crate::with_causes;

/// The result of a look at one page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peeked {
    /// The page as it was read.
    pub page: Page,
    /// The status of the answer.
    pub status: u16,
    /// HTTP requests made for it, retries, tokens and `robots.txt` among them.
    pub requests: u64,
    /// Bytes of the page.
    pub bytes: u64,
    /// When it was received.
    pub at: Time,
    /// How much each limit of the account has left.
    pub left: Vec<(Limit, u64)>,
}

/// An answer as it came, and when.
struct FetchedAnswer {
    page: Page,
    status: u16,
    bytes: u64,
    at: Time,
}

/// Fetches and reads the first page of a source as a poll does, `robots.txt` first if the crawl policy says so. Stores
/// no page, no listing and no run. The requests count against the account's limits, as those of a poll do. `limits`
/// replace those of the source.
///
/// # Errors
/// When the source does not answer as expected, or its account has to wait.
pub async fn peek(
    source: &dyn Source,
    limits: Option<&[Limit]>,
    run: &str,
    ports: PollPorts<'_>,
) -> Result<Peeked, PollError> {
    let mut fetcher = Fetcher::new(ports, source, run).limited(limits);
    let fetched = first_page(source, &mut fetcher, ports).await;
    let how = match &fetched {
        Ok(Some(_)) => BreakerOutcome::Well,
        Err(PollError::Source(_) | PollError::Denied(_)) => BreakerOutcome::Badly,
        Ok(None) | Err(_) => BreakerOutcome::Otherwise,
    };
    let mut polled = Polled::default();
    if let Err(error) = fetcher.close(how, &mut polled).await {
        tracing::warn!(error = with_causes(&error), "the outcome of this check is not in the account's record");
    }
    let Some(FetchedAnswer { page, status, bytes, at }) = fetched? else {
        let why = polled.held_until.map_or("stopped before there was an answer".to_owned(), |until| {
            format!("the account of this source is not to be asked before {until}")
        });
        return Err(PollError::Source(why));
    };
    Ok(Peeked { page, status, requests: polled.requests, bytes, at, left: polled.left })
}

async fn first_page(
    source: &dyn Source,
    fetcher: &mut Fetcher<'_>,
    ports: PollPorts<'_>,
) -> Result<Option<FetchedAnswer>, PollError> {
    let cursor = source.begin(None);
    let request = source.request(&cursor);
    if source.crawl_policy().robots && Robots::default().ask(&request, fetcher).await?.is_none() {
        return Ok(None);
    }
    let Some(answer) = fetcher.fetch(&request, 1).await? else { return Ok(None) };
    let at = ports.clock.now();
    let page = read(source, &cursor, &answer, at)?;
    Ok(Some(FetchedAnswer { page, status: answer.status, bytes: answer.body.len() as u64, at }))
}
