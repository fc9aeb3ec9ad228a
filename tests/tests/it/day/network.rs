use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use stoop_dice::Dice;
use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{Http, HttpAnswer, HttpError};
use stoop_simulation::{Fault, PortalRequest, ShownListing, Site};
use stoop_sources::{Method, Request};
use tokio::time::{Instant, sleep};

/// A client that has waited so long for an answer gives up.
const TIMEOUT_MS: u64 = 30_000;

/// The clock of tokio's paused time: it advances when everybody waits.
pub(crate) struct PausedClock {
    start: Time,
    began: Instant,
}

impl PausedClock {
    pub(crate) fn at(start: Time) -> Self {
        Self { start, began: Instant::now() }
    }
}

#[async_trait]
impl Clock for PausedClock {
    fn now(&self) -> Time {
        self.start.plus_ms(i64::try_from(self.began.elapsed().as_millis()).unwrap_or(i64::MAX))
    }

    async fn sleep(&self, ms: u64) {
        sleep(Duration::from_millis(ms)).await;
    }
}

/// What a site showed in an answer that arrived complete.
pub(crate) struct Witness {
    /// Every listing that could be understood.
    pub(crate) shown: Vec<ShownListing>,
    /// The page's fault, if any.
    pub(crate) fault: Option<Fault>,
}

impl Witness {
    /// Whether the content of the page was wrong: another page's rows, a row without a price.
    pub(crate) fn is_twisted(&self) -> bool {
        matches!(
            self.fault,
            Some(Fault::GarbageRow | Fault::RepeatedPage | Fault::WrongTotal | Fault::Empty | Fault::HalfForgotten)
        )
    }
}

/// The connection to a site: its latency, and the answers on it.
pub(crate) struct Line {
    pub(crate) site: Arc<Site>,
    /// The least and greatest one-way latency.
    latency_ms: (usize, usize),
    dice: Mutex<Dice>,
    witnesses: Mutex<Vec<Witness>>,
}

impl Line {
    pub(crate) fn new(site: Arc<Site>, latency_ms: (usize, usize), seed: u64) -> Self {
        Self { site, latency_ms, dice: Mutex::new(Dice::new(seed)), witnesses: Mutex::default() }
    }

    /// The answers from the index `from` on.
    pub(crate) fn witnessed<T>(&self, from: usize, look: impl FnOnce(&[Witness]) -> T) -> T {
        look(&self.witnesses.lock().unwrap()[from..])
    }

    pub(crate) fn witnesses(&self) -> usize {
        self.witnesses.lock().unwrap().len()
    }

    /// Marks the last answer as unreadable: nothing of it was seen.
    pub(crate) fn unread(&self) {
        if let Some(last) = self.witnesses.lock().unwrap().last_mut() {
            last.shown.clear();
        }
    }

    async fn travel(&self) {
        let (least, most) = self.latency_ms;
        let ms = least + self.dice.lock().unwrap().below(most - least + 1);
        sleep(Duration::from_millis(ms as u64)).await;
    }
}

/// All sites by host name. The network takes time and loses answers, and nothing else.
pub(crate) struct Network {
    pub(crate) lines: BTreeMap<String, Arc<Line>>,
    pub(crate) clock: Arc<PausedClock>,
    /// After this time the markets do not change.
    pub(crate) markets_end: Time,
}

#[async_trait]
impl Http for Network {
    async fn send(&self, request: &Request) -> Result<HttpAnswer, HttpError> {
        let host = request.url.split('/').nth(2).unwrap_or_default();
        let Some(line) = self.lines.get(host) else {
            return Err(HttpError::Refused(format!("{host} is not a host of this network")));
        };
        line.travel().await;
        let now = self.clock.now();
        line.site.simulation().lock().unwrap().advance(now.min(self.markets_end));
        let headers: Vec<(String, String)> =
            request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), value.clone())).collect();
        let asked = match request.method {
            Method::Get => PortalRequest::get(&request.url, &headers),
            Method::Post => PortalRequest::post(&request.url, &headers, request.body.as_deref().unwrap_or_default()),
        };
        let asked = asked.ok_or_else(|| HttpError::Refused("not a URL".into()))?;
        let reaction = line.site.answer(&asked, now);
        if reaction.after_ms >= TIMEOUT_MS {
            sleep(Duration::from_millis(TIMEOUT_MS)).await;
            return Err(HttpError::Transient(format!("no answer within {TIMEOUT_MS} ms")));
        }
        sleep(Duration::from_millis(reaction.after_ms)).await;
        line.travel().await;
        let Some(answer) = reaction.answer else {
            return Err(HttpError::Transient("the connection was closed".into()));
        };
        line.witnesses.lock().unwrap().push(Witness { shown: reaction.shown, fault: reaction.fault });
        Ok(HttpAnswer { status: answer.status, headers: answer.headers, body: answer.body })
    }
}
