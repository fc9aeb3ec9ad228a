use std::hash::{BuildHasher, BuildHasherDefault};

use rustc_hash::FxHasher;
use stoop_sources::{Metered, Request, Source};

use super::{Clock, PollError, PollPorts, USER_AGENT};
use crate::ports::{HttpAnswer, HttpError};

/// Attempts at one page, the first among them.
const ATTEMPTS_MAX: u32 = 5;

/// A server that asks for a longer pause than this is left alone until the next poll.
const RETRY_AFTER_MAX_MS: u64 = 120_000;

/// Fetches pages one after the other, with pauses between and retries on what may pass.
pub(super) struct Fetcher<'a> {
    ports: PollPorts<'a>,
    source: &'a dyn Source,
    pause_ms: u64,
    /// Seeds the jitter, so that two runs do not retry in step and one run is the same every time.
    run: &'a str,
    pub(super) requests: u64,
}

/// What an answer that is not 200 asks for.
enum Verdict {
    /// Try again after so many milliseconds, if named.
    Again(Option<u64>, String),
    /// The key or token does not open the door.
    Denied(String),
    /// It will not get better.
    Final(String),
}

impl<'a> Fetcher<'a> {
    pub(super) fn new(ports: PollPorts<'a>, source: &'a dyn Source, run: &'a str) -> Self {
        let pauses = source.manners().limits.into_iter().filter(|limit| limit.of == Metered::Requests);
        let pause_ms = pauses.map(|limit| limit.per_ms.div_ceil(limit.most.max(1))).max().unwrap_or(0);
        Self { ports, source, pause_ms, run, requests: 0 }
    }

    /// The answer to a request, with a status that the source reads; `None` when the run is to stop first.
    pub(super) async fn fetch(&mut self, request: &Request) -> Result<Option<HttpAnswer>, PollError> {
        let mut request = request.clone();
        request.headers.push(("user-agent".into(), USER_AGENT.into()));
        let mut attempt = 0;
        loop {
            attempt += 1;
            if self.requests > 0 {
                self.ports.clock.sleep(self.pause_ms).await;
            }
            if (self.ports.stop)() {
                return Ok(None);
            }
            self.requests += 1;
            let verdict = match self.ports.http.send(&request).await {
                Ok(answer) if self.source.reads(answer.status) => return Ok(Some(answer)),
                Ok(answer) => judge(&answer, self.ports.clock),
                Err(HttpError::Transient(why)) => Verdict::Again(None, why),
                Err(error) => Verdict::Final(error.to_string()),
            };
            let host = host_of(&request.url);
            match verdict {
                Verdict::Denied(why) => return Err(PollError::Denied(format!("{host}: {why}"))),
                Verdict::Final(why) => return Err(PollError::Source(format!("{host}: {why}"))),
                Verdict::Again(_, why) if attempt == ATTEMPTS_MAX => {
                    return Err(PollError::Source(format!("{host}: {why}, {attempt} times")));
                }
                Verdict::Again(Some(ms), why) if ms > RETRY_AFTER_MAX_MS => {
                    return Err(PollError::Source(format!("{host}: {why}, asks to wait {} s", ms / 1_000)));
                }
                Verdict::Again(wait, why) => {
                    let wait = wait.unwrap_or_else(|| self.backoff_ms(attempt));
                    tracing::info!(host, why, wait_ms = wait, attempt, "trying again");
                    self.ports.clock.sleep(wait).await;
                }
            }
        }
    }

    /// Doubling from half a second, with the upper half of each step spread by run and attempt.
    fn backoff_ms(&self, attempt: u32) -> u64 {
        let step = 500_u64 << attempt.min(6);
        let spread = BuildHasherDefault::<FxHasher>::default().hash_one((self.run, attempt, self.requests));
        step / 2 + spread % (step / 2)
    }
}

fn judge(answer: &HttpAnswer, clock: &dyn Clock) -> Verdict {
    let what = format!("status {}", answer.status);
    match answer.status {
        429 | 503 => Verdict::Again(retry_after_ms(answer, clock), what),
        408 | 425 | 500 | 502 | 504 => Verdict::Again(None, what),
        401 | 403 => Verdict::Denied(format!("{what}: the key or token is missing, wrong or expired")),
        _ => Verdict::Final(what),
    }
}

/// `Retry-After` in seconds or as a date (RFC 9110, 10.2.3), or Trestle's `Hour-Quota-ResetTime` in
/// milliseconds since the epoch.
fn retry_after_ms(answer: &HttpAnswer, clock: &dyn Clock) -> Option<u64> {
    let until = |ms: i64| u64::try_from(ms - clock.now().ms()).unwrap_or(0);
    if let Some(text) = answer.header("retry-after") {
        if let Ok(seconds) = text.trim().parse::<u64>() {
            return Some(seconds.saturating_mul(1_000));
        }
        let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(text.trim()).ok()?;
        return Some(until(date.as_millisecond()));
    }
    answer.header("hour-quota-resettime")?.trim().parse().ok().map(until)
}

/// The host of an address, for messages: never the path or query, which may hold a key.
pub(super) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?', '#']).next().unwrap_or(rest);
    authority.rsplit_once('@').map_or(authority, |(_, host)| host)
}
