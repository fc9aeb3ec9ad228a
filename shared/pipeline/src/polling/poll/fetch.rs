mod decision;

use std::hash::{BuildHasher, BuildHasherDefault};

use rustc_hash::FxHasher;
use stoop_sources::{Grant, Limit, Request, Source};

use decision::RetryDecision;

use super::account::SharedAccount;
use super::address::{first_words, host_of, shown_url};
use super::quota::{QuotaStatus, reported};
use super::tokens::Token;
use super::{PollError, PollPorts, Polled, USER_AGENT};
use crate::ports::{HttpAnswer, HttpError, PortError, RunOutcome};
use crate::search::budget::{Account, Booking, BreakerOutcome, OverBudget, Permit};

/// Maximum attempts per page, including the first.
const ATTEMPTS_MAX: u32 = 5;

/// How long the whole account pauses after a 429 without `Retry-After`; doubles each time.
const UNASKED_MS: i64 = 30_000;

/// Fetches pages one by one. Books each in the account's budget first, and retries temporary failures.
pub(super) struct Fetcher<'a> {
    ports: PollPorts<'a>,
    source: &'a dyn Source,
    /// The number of the page that is fetched, from 1.
    page: Option<u32>,
    limits: Vec<Limit>,
    account: SharedAccount<'a>,
    /// Seed of the jitter: two runs do not retry in step, and one run is deterministic.
    run: &'a str,
    /// The circuit breaker's permit, once something was requested.
    passed: Option<Permit>,
    /// Bookings whose outcome is not yet in the record.
    open: Vec<(Booking, Use)>,
    /// Why fetching stopped, unless the run was asked to stop.
    held: Option<(RunOutcome, OverBudget)>,
    pub(super) requests: u64,
    retries: u64,
    waited_ms: u64,
    /// Pages received, and whether the server ever asked to wait.
    answered: u64,
    turned_away: bool,
    /// The quota that the server last reported.
    reported_left: Option<u64>,
}

/// The outcome of a booking.
#[derive(Clone, Copy)]
enum Use {
    Brought(u64),
    Unused,
}

/// Why there is no answer.
enum FetchFailure {
    Unauthorized(String),
    Poll(PollError),
}

impl<'a> Fetcher<'a> {
    pub(super) fn new(ports: PollPorts<'a>, source: &'a dyn Source, run: &'a str) -> Self {
        Self {
            ports,
            source,
            page: None,
            limits: source.crawl_policy().limits,
            account: SharedAccount::new(ports, source.account(), run),
            run,
            passed: None,
            open: Vec::new(),
            held: None,
            requests: 0,
            retries: 0,
            waited_ms: 0,
            answered: 0,
            turned_away: false,
            reported_left: None,
        }
    }

    /// Sets limits that replace the source's own.
    pub(super) fn limited(self, limits: Option<&[Limit]>) -> Self {
        let limits = limits.map_or(self.limits, <[Limit]>::to_vec);
        Self { limits, ..self }
    }

    /// Returns the answer to a request, with a status that the source reads; `None` if the run must end first, because
    /// it was stopped or the account may not be polled now: see [`Fetcher::why_ended`].
    /// `page` is the number of its page, for messages.
    pub(super) async fn fetch(&mut self, request: &Request, page: u32) -> Result<Option<HttpAnswer>, PollError> {
        let source = self.source;
        self.page = Some(page);
        let reads = |status| source.reads(status);
        let fetched = if request.granted {
            let grant = source.grant().ok_or_else(|| PollError::Source("it wants a token but says not how".into()))?;
            self.fetch_granted(request, &grant, &reads).await
        } else {
            self.exchange(request, ATTEMPTS_MAX, &reads).await
        };
        let answer = fetched.map_err(|failure| failure.into_poll_error())?;
        self.answered += u64::from(answer.is_some());
        Ok(answer)
    }

    /// Tries once to fetch a file that may not exist; accepts any status. A failure to get an answer is an error.
    pub(super) async fn try_once(&mut self, request: &Request) -> Result<Option<HttpAnswer>, PollError> {
        let fetched = self.exchange(request, 1, &|status| !matches!(status, 429 | 503)).await;
        fetched.map_err(|failure| failure.into_poll_error())
    }

    /// Outcome and reason of a run that got no answer and no error.
    pub(super) fn why_ended(&self) -> (RunOutcome, String) {
        match &self.held {
            None => (RunOutcome::Partial, "stopped; the next run goes on from here".to_owned()),
            Some((outcome, OverBudget { until, why })) => {
                let host = self.account.name.split('#').next().unwrap_or_default();
                // The server refused every request.
                let refused = self.turned_away && self.answered == 0;
                let outcome = if refused { RunOutcome::Failed } else { *outcome };
                (outcome, format!("{host}: {why}, until {until}; a later run goes on from here"))
            }
        }
    }

    /// Ends the poll: writes its remaining results to the account's record.
    ///
    /// # Errors
    /// Fails if the record cannot be stored.
    pub(super) async fn close(&mut self, how: BreakerOutcome, polled: &mut Polled) -> Result<(), PortError> {
        let outcome = self.close_account(how).await;
        polled.requests = self.requests;
        polled.retries = self.retries;
        polled.waited_ms = self.waited_ms;
        let seen = self.account.seen();
        polled.left = seen.map(|account| account.left(self.ports.clock.now())).unwrap_or_default();
        polled.left_by_server = self.reported_left;
        polled.held_until = self.held.as_ref().map(|(_, held)| held.until);
        outcome
    }

    async fn close_account(&mut self, how: BreakerOutcome) -> Result<(), PortError> {
        let Some(passed) = self.passed else { return Ok(()) };
        let counts_bytes = self.account.seen().is_some_and(|account| account.counts_bytes());
        self.open.retain(|(_, used)| counts_bytes || matches!(used, Use::Unused));
        let failed_before = self.account.seen().is_some_and(|account| account.has_failed());
        let of_note =
            how == BreakerOutcome::Badly || passed == Permit::OnTrial || (how == BreakerOutcome::Well && failed_before);
        if !of_note && self.open.is_empty() {
            return Ok(());
        }
        let open = std::mem::take(&mut self.open);
        let change = self.account.change(|account, now| {
            close_bookings(account, &open);
            account.ended(passed, how, now);
        });
        change.await
    }

    async fn fetch_granted(
        &mut self,
        request: &Request,
        grant: &Request,
        reads: &(dyn Fn(u16) -> bool + Sync),
    ) -> Result<Option<HttpAnswer>, FetchFailure> {
        let mut refused = None;
        loop {
            let Some(bearer) = self.token(grant, refused.as_deref()).await? else { return Ok(None) };
            let mut signed = request.clone();
            signed.headers.push(("authorization".into(), format!("Bearer {bearer}")));
            match self.exchange(&signed, ATTEMPTS_MAX, reads).await {
                Err(FetchFailure::Unauthorized(why)) if refused.is_none() => {
                    tracing::info!(why, "the token is no longer accepted");
                    refused = Some(bearer);
                }
                other => return other,
            }
        }
    }

    /// Returns the bearer token for a request: the stored one, unless it was refused or expires soon.
    async fn token(&mut self, grant: &Request, refused: Option<&str>) -> Result<Option<String>, FetchFailure> {
        let place = self.ports.tokens.of(grant);
        // Held while the token is requested, so that others wait for this request.
        let mut held = place.lock().await;
        let now = self.ports.clock.now();
        if let Some(token) = held.as_ref().filter(|token| token.is_good(now) && refused != Some(&*token.bearer)) {
            return Ok(Some(token.bearer.clone()));
        }
        let host = host_of(&grant.url);
        let answer = match self.exchange(grant, ATTEMPTS_MAX, &|status| matches!(status, 200 | 400)).await {
            Ok(Some(answer)) => answer,
            Ok(None) => return Ok(None),
            Err(FetchFailure::Unauthorized(why)) => {
                return Err(PollError::Denied(format!("asking for a token: {why}")).into());
            }
            Err(other) => return Err(other),
        };
        if answer.status == 400 {
            let why = "status 400 to the request for a token: the client's id, secret or scope is wrong";
            return Err(PollError::Denied(format!("{host}: {why}")).into());
        }
        let read = Grant::read(&answer.body).map_err(|error| PollError::Source(format!("{host}: {error}")))?;
        let token = held.insert(Token::new(read, now));
        Ok(Some(token.bearer.clone()))
    }

    /// Sends a request in its turn until there is an answer with an accepted status.
    async fn exchange(
        &mut self,
        request: &Request,
        attempts_max: u32,
        reads: &(dyn Fn(u16) -> bool + Sync),
    ) -> Result<Option<HttpAnswer>, FetchFailure> {
        let mut request = request.clone();
        request.headers.push(("user-agent".into(), USER_AGENT.into()));
        let host = host_of(&request.url);
        let mut attempt = 0;
        loop {
            attempt += 1;
            let Some(booking) = self.turn().await? else { return Ok(None) };
            self.requests += 1;
            self.retries += u64::from(attempt > 1);
            let sent = self.ports.http.send(&request).await;
            let bytes = sent.as_ref().map_or(0, |answer| answer.body.len() as u64);
            self.open.push((booking, Use::Brought(bytes)));
            let blocked = match &sent {
                Ok(answer) => self.heed(answer, attempt).await?,
                Err(_) => false,
            };
            let details = self.details(&request, sent.as_ref().ok());
            let verdict = match sent {
                Ok(answer) if reads(answer.status) => return Ok(Some(answer)),
                Ok(answer) => RetryDecision::of(&request, &answer),
                Err(HttpError::Transient(why)) => RetryDecision::Again(why),
                Err(error) => RetryDecision::Final(error.to_string()),
            };
            match verdict {
                // The failure may be due to the stop; the retry is for the next run.
                RetryDecision::Again(_) if (self.ports.stop)() => return Ok(None),
                RetryDecision::Unauthorized(why) => {
                    return Err(FetchFailure::Unauthorized(format!("{host}: {why}{details}")));
                }
                RetryDecision::Denied(why) => return Err(PollError::Denied(format!("{host}: {why}{details}")).into()),
                RetryDecision::Final(why) => return Err(PollError::Source(format!("{host}: {why}{details}")).into()),
                RetryDecision::Again(why) if attempt >= attempts_max => {
                    let times = if attempt == 1 { String::new() } else { format!(", {attempt} times") };
                    return Err(PollError::Source(format!("{host}: {why}{times}{details}")).into());
                }
                RetryDecision::Again(why) if blocked => {
                    tracing::info!(host, why, attempt, "trying again when the server allows it");
                }
                RetryDecision::Again(why) => {
                    let wait = self.backoff_ms(attempt);
                    tracing::info!(host, why, wait_ms = wait, attempt, "trying again");
                    self.ports.clock.sleep(wait).await;
                }
            }
        }
    }

    /// What a message says of a request and its answer: the page, the URL without keys, and the server's first words.
    fn details(&self, request: &Request, answer: Option<&HttpAnswer>) -> String {
        let page = self.page.map(|page| format!("page {page}, ")).unwrap_or_default();
        let words = answer.and_then(|answer| first_words(request, &answer.body));
        let words = words.map(|words| format!("; the server says {words:?}")).unwrap_or_default();
        self.source.hide(&format!(" ({page}{}{words})", shown_url(&request.url)))
    }

    /// Waits until a request may be sent and books it in the account's record. `None` if none may be sent.
    async fn turn(&mut self) -> Result<Option<Booking>, PortError> {
        loop {
            if (self.ports.stop)() {
                return Ok(None);
            }
            let began = self.ports.clock.now();
            let booking = match self.book().await? {
                Ok(booking) => booking,
                Err(held) => {
                    self.held = Some(held);
                    return Ok(None);
                }
            };
            let wait_ms = u64::try_from(booking.at.ms() - self.ports.clock.now().ms()).unwrap_or(0);
            if wait_ms == 0 {
                return Ok(Some(booking));
            }
            self.ports.clock.sleep(wait_ms).await;
            self.waited_ms += u64::try_from(self.ports.clock.now().ms() - began.ms()).unwrap_or(0);
            if (self.ports.stop)() {
                self.open.push((booking, Use::Unused));
                return Ok(None);
            }
            // The server may have blocked the account meanwhile.
            if !self.account.reload().await?.blocks(booking.at) {
                return Ok(Some(booking));
            }
            self.open.push((booking, Use::Unused));
        }
    }

    async fn book(&mut self) -> Result<Result<Booking, (RunOutcome, OverBudget)>, PortError> {
        let (open, limits, deadline) = (std::mem::take(&mut self.open), &self.limits, self.ports.deadline);
        let passed_before = self.passed;
        let change = self.account.change(|account, now| {
            close_bookings(account, &open);
            let passed = match passed_before {
                Some(passed) => passed,
                None => account.pass(now).map_err(|alone| {
                    (RunOutcome::Skipped, OverBudget { until: alone.until, why: alone.to_string() })
                })?,
            };
            if passed == Permit::OnTrial {
                account.still_trying(now);
            }
            let booked = account.book(limits, now, deadline).map_err(|held| (RunOutcome::Partial, held));
            booked.map(|booking| (booking, passed))
        });
        let booked = change.await?;
        Ok(booked.map(|(booking, passed)| {
            self.passed = Some(passed);
            booking
        }))
    }

    /// Applies an answer's limits to the whole account. Returns whether the answer blocks it.
    async fn heed(&mut self, answer: &HttpAnswer, attempt: u32) -> Result<bool, PortError> {
        let now = self.ports.clock.now();
        let QuotaStatus { blocked_until, left } = reported(answer, now);
        self.reported_left = left.or(self.reported_left);
        self.turned_away |= matches!(answer.status, 429 | 503);
        let unasked = || (answer.status == 429).then(|| now.plus_ms(UNASKED_MS << (attempt - 1).min(8)));
        let Some(until) = blocked_until.or_else(unasked).filter(|until| *until > now) else { return Ok(false) };
        let why = match answer.status {
            429 | 503 => format!("status {}: the server asks to wait", answer.status),
            _ => "the server says that no requests are left".to_owned(),
        };
        self.account.change(|account, _| account.block(until, &why)).await?;
        Ok(true)
    }

    /// Exponential from half a second; the upper half of each step is jittered by run and attempt.
    fn backoff_ms(&self, attempt: u32) -> u64 {
        let step = 500_u64 << attempt.min(6);
        let spread = BuildHasherDefault::<FxHasher>::default().hash_one((self.run, attempt, self.requests));
        step / 2 + spread % (step / 2)
    }
}

impl FetchFailure {
    fn into_poll_error(self) -> PollError {
        match self {
            Self::Unauthorized(why) => PollError::Denied(why),
            Self::Poll(error) => error,
        }
    }
}

impl From<PollError> for FetchFailure {
    fn from(error: PollError) -> Self {
        Self::Poll(error)
    }
}

impl From<PortError> for FetchFailure {
    fn from(error: PortError) -> Self {
        Self::Poll(error.into())
    }
}

fn close_bookings(account: &mut Account, open: &[(Booking, Use)]) {
    for (booking, used) in open {
        match used {
            Use::Brought(bytes) => account.settle(*booking, *bytes),
            Use::Unused => account.take_back(*booking),
        }
    }
}
