//! A listing site of a simulation: requests in, answers out, on any clock and without a socket.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stoop_domain::Time;

use crate::dialect::{Dialect, Memory, Turn};
use crate::exchange::{self, Answered, PortalRequest, Reaction};
use crate::faults::{Chaos, Fault, Faults};
use crate::random::Random;
use crate::simulation::Simulation;

mod access;
mod meter;

pub use access::{Access, Client};
pub use meter::{Counted, Limits, Quota, QuotaHeaders, QuotaWindow, Suspension};

/// A site that shows the listings of a simulation in a dialect, with access control and limits.
///
/// [`Site::answer`] is deterministic: equal requests at equal times give equal answers. A [`Portal`](crate::Portal)
/// serves it on loopback; a test on a virtual clock calls it directly.
///
/// ```
/// use std::sync::{Arc, Mutex};
/// use stoop_domain::Time;
/// use stoop_simulation::{Dialect, PortalRequest, Simulation, SimulationConfig, Site, SiteConfig};
/// let start = Time::parse("2026-01-05T00:00:00Z").unwrap();
/// let market = Simulation::new(SimulationConfig::new(7, start, 200, 4));
/// let site = Site::new(Arc::new(Mutex::new(market)), SiteConfig::new(Dialect::zillow()));
/// let url = "https://zillow.test/propertyExtendedSearch?location=Chicago%2C%20IL&status_type=ForSale&page=1";
/// let reaction = site.answer(&PortalRequest::get(url, &[]).unwrap(), start);
/// assert_eq!(reaction.answer.unwrap().status, 200);
/// assert_eq!(reaction.shown.len(), 41);
/// ```
#[derive(Debug)]
pub struct Site {
    simulation: Arc<Mutex<Simulation>>,
    config: SiteConfig,
    faults: Faults,
    state: Mutex<SiteState>,
}

/// The configuration of a site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SiteConfig {
    pub dialect: Dialect,
    pub access: Access,
    pub limits: Limits,
    /// Random faults and outages.
    pub chaos: Chaos,
    /// Its `robots.txt`; 404 if `None`.
    pub robots: Option<String>,
    /// Whether each request first advances the simulation to the time of the clock.
    pub follows_clock: bool,
}

/// The answers of a site so far, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ServedAnswers {
    /// All requests.
    pub requests: u64,
    /// Complete, correct pages.
    pub pages: u64,
    /// Listings on those pages.
    pub rows: u64,
    /// Granted tokens.
    pub tokens: u64,
    /// 401.
    pub unauthorized: u64,
    /// 400.
    pub bad_requests: u64,
    /// 404: unknown endpoint.
    pub not_found: u64,
    /// 429 because of a quota.
    pub over_quota: u64,
    /// 429 because of a suspension.
    pub suspended: u64,
    /// Faults: planned, random and of outages.
    pub faults: u64,
}

/// State between requests.
#[derive(Debug)]
struct SiteState {
    served: ServedAnswers,
    meter: meter::Meter,
    granted: access::Granted,
    memory: Memory,
    chance: Random,
}

impl SiteConfig {
    /// Open to all, without limits or faults.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            access: Access::Open,
            limits: Limits::default(),
            chaos: Chaos::default(),
            robots: None,
            follows_clock: false,
        }
    }
}

impl Site {
    /// A site that shows the listings of this simulation.
    #[must_use]
    pub fn new(simulation: Arc<Mutex<Simulation>>, config: SiteConfig) -> Self {
        let state = SiteState {
            served: ServedAnswers::default(),
            meter: meter::Meter::default(),
            granted: access::Granted::default(),
            memory: Memory::default(),
            chance: Random::new(config.chaos.seed, 1 << 45),
        };
        Self { simulation, config, faults: Faults::default(), state: Mutex::new(state) }
    }

    /// Answers a request that arrives at `now`.
    pub fn answer(&self, asked: &PortalRequest<'_>, now: Time) -> Reaction {
        let mut state = lock(&self.state);
        state.served.requests += 1;
        let mut reaction = match self.config.chaos.outage(now) {
            Some(fault) => self.faulty(fault, asked, now, &mut state),
            None => self.react(asked, now, &mut state),
        };
        if let Some(answer) = &mut reaction.answer {
            answer.headers.push(("date".to_owned(), exchange::http_date(now)));
        }
        reaction
    }

    /// The planned faults. A refused request uses none.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The answers so far.
    #[must_use]
    pub fn served(&self) -> ServedAnswers {
        lock(&self.state).served
    }

    /// The simulation that it shows.
    #[must_use]
    pub fn simulation(&self) -> &Arc<Mutex<Simulation>> {
        &self.simulation
    }

    /// The configuration.
    #[must_use]
    pub fn config(&self) -> &SiteConfig {
        &self.config
    }

    /// Answers a request while there is no outage.
    fn react(&self, asked: &PortalRequest<'_>, now: Time, state: &mut SiteState) -> Reaction {
        if asked.path == "/robots.txt" {
            return Reaction::of(match &self.config.robots {
                Some(rules) => Answered::of(200, "text/plain; charset=utf-8", rules.as_str()),
                None => Answered::of(404, "text/plain; charset=utf-8", "there is none"),
            });
        }
        if let Some(answer) = self.config.access.grant(asked, &mut state.granted, now) {
            state.served.tokens += u64::from(answer.status == 200);
            return Reaction::of(answer);
        }
        if let Err(words) = self.config.dialect.knows(asked) {
            state.served.not_found += 1;
            return Reaction::of(refusal(404, &words));
        }
        let mut reaction = match self.turn_away(asked, now, state) {
            Some(answer) => Reaction::of(answer),
            None => {
                let chance = || self.config.chaos.draw(&mut state.chance, now);
                let fault = self.faults.take().or_else(|| self.config.chaos.lapse(now)).or_else(chance);
                match fault {
                    Some(fault) => self.faulty(fault, asked, now, state),
                    None => self.page(asked, now, None, state),
                }
            }
        };
        if let Some(answer) = &mut reaction.answer {
            state.meter.answered(&self.config.limits, answer.body.len(), now);
            state.meter.add_headers(&self.config.limits, now, answer);
        }
        reaction
    }

    /// The answer to a request without access or over a limit.
    fn turn_away(&self, asked: &PortalRequest<'_>, now: Time, state: &mut SiteState) -> Option<Answered> {
        if let Some(why) = self.config.access.refuse(asked, &state.granted, now) {
            state.served.unauthorized += 1;
            return Some(refusal(401, why).with("www-authenticate", "Bearer"));
        }
        let refused = state.meter.take(&self.config.limits, now).err()?;
        let (count, why) = match refused.suspended {
            true => (&mut state.served.suspended, "the token is suspended"),
            false => (&mut state.served.over_quota, "the quota is used up"),
        };
        *count += 1;
        let answer = refusal(429, why);
        Some(match self.config.limits.retry_after {
            true => answer.with("retry-after", refused.wait_s.to_string()),
            false => answer,
        })
    }

    fn faulty(&self, fault: Fault, asked: &PortalRequest<'_>, now: Time, state: &mut SiteState) -> Reaction {
        state.served.faults += 1;
        let waiting = |status, why, seconds: u32| refusal(status, why).with("retry-after", seconds.to_string());
        let reaction = match fault {
            Fault::ServerError => Reaction::of(refusal(500, "something broke")),
            Fault::Unavailable { retry_after_s } => Reaction::of(waiting(503, "down for maintenance", retry_after_s)),
            Fault::TooManyRequests { retry_after_s } => Reaction::of(waiting(429, "slow down", retry_after_s)),
            Fault::Html => {
                let page = "<!DOCTYPE html><html><body><h1>We will be right back</h1></body></html>";
                Reaction::of(Answered::html(page.to_owned()))
            }
            Fault::Drop => Reaction { answer: None, ..Reaction::default() },
            Fault::Hang { ms } => Reaction { after_ms: ms, ..self.page(asked, now, None, state) },
            Fault::TruncatedJson => {
                let mut reaction = self.page(asked, now, Some(fault), state);
                if let Some(answer) = &mut reaction.answer {
                    answer.body.truncate(answer.body.len() * 2 / 3);
                }
                Reaction { shown: Vec::new(), ..reaction }
            }
            _ => self.page(asked, now, Some(fault), state),
        };
        Reaction { fault: Some(fault), ..reaction }
    }

    /// The answer of the dialect.
    fn page(&self, asked: &PortalRequest<'_>, now: Time, twist: Option<Fault>, state: &mut SiteState) -> Reaction {
        let mut simulation = lock(&self.simulation);
        if self.config.follows_clock {
            simulation.advance(now);
        }
        let turn = Turn { market: &simulation, asked, now, twist };
        let page = match self.config.dialect.answer(&turn, &mut state.memory) {
            Ok(page) => page,
            Err(words) => {
                state.served.bad_requests += 1;
                return Reaction::of(refusal(400, &words));
            }
        };
        if twist.is_none() {
            state.served.pages += 1;
            state.served.rows += page.shown.len() as u64;
        }
        Reaction { answer: Some(page.answer), shown: page.shown, ..Reaction::default() }
    }
}

impl Reaction {
    fn of(answer: Answered) -> Self {
        Self { answer: Some(answer), ..Self::default() }
    }
}

fn refusal(status: u16, message: &str) -> Answered {
    Answered::json(status, &serde_json::json!({ "error": { "code": status.to_string(), "message": message } }))
}

/// Ignores poisoning: the guarded values are valid after every step.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
