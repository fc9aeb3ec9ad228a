use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use stoop_domain::Time;
use tokio::sync::oneshot;

use crate::dialect::{Dialect, Paging, ResoSite, Vendor};
use crate::faults::Faults;
use crate::simulation::Simulation;
use crate::site::{Access, Limits, Quota, QuotaHeaders, ServedAnswers, Site, SiteConfig};

mod serve;

/// A [`Site`] on loopback; by default one that serves a simulation as a RESO Web API.
///
/// It runs on its own thread and can be used from blocking and async code. Dropping it, or [`Portal::stop`], ends
/// everything that it started and frees its port, even during a request.
///
/// As a RESO Web API, `GET {url}/odata/Property` supports `$filter` (comparisons joined by `and`:
/// `ModificationTimestamp gt` or `ge`, and `eq` on `City`, `PostalCode` and a few more),
/// `$orderby=ModificationTimestamp`, `$top`, `$skip`, `$skiptoken` and `$count=true`. Pages are ordered by
/// modification. A page that continues by `$skiptoken` neither repeats nor misses a listing that does not change
/// meanwhile, and shows one that changes again, in its new state.
pub struct Portal {
    address: SocketAddr,
    base: String,
    site: Arc<Site>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A clock that threads can share.
pub(crate) type SharedClock = Arc<dyn Fn() -> Time + Send + Sync>;

/// The configuration of a portal that serves a RESO Web API.
#[derive(Clone)]
pub struct PortalConfig {
    /// The bearer token that every request must have. `None`: open to all.
    pub token: Option<String>,
    /// Rows per page without `$top`.
    pub page_size: usize,
    /// The maximum number of rows per page.
    pub page_size_max: usize,
    /// How one page leads to the next.
    pub paging: Paging,
    /// Quota per clock minute.
    pub per_minute: Option<u32>,
    /// Quota per clock hour.
    pub per_hour: Option<u32>,
    /// The clock of the quotas.
    pub clock: Arc<dyn Fn() -> Time + Send + Sync>,
    /// Whether each request first advances the simulation to the time of the clock.
    pub follows_clock: bool,
}

/// A portal could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the portal on 127.0.0.1")]
pub struct PortalError(#[from] std::io::Error);

impl Portal {
    /// Starts a portal that serves a RESO Web API on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// If there is no free port or no thread.
    pub fn start(simulation: Arc<Mutex<Simulation>>, config: PortalConfig) -> Result<Self, PortalError> {
        let clock = Arc::clone(&config.clock);
        Self::serve(Arc::new(Site::new(simulation, config.site())), move || clock())
    }

    /// Serves a site on a free port of 127.0.0.1, with this clock. Hangs take real time.
    ///
    /// # Errors
    /// If there is no free port or no thread.
    pub fn serve(site: Arc<Site>, clock: impl Fn() -> Time + Send + Sync + 'static) -> Result<Self, PortalError> {
        let subscriber = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        subscriber.set_nonblocking(true)?;
        let address = subscriber.local_addr()?;
        let base = format!("http://{address}");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let router = serve::router(Arc::clone(&site), base.clone(), Arc::new(clock));
        let thread = std::thread::Builder::new().name("portal".into()).spawn(move || {
            runtime.block_on(async {
                let Ok(subscriber) = tokio::net::TcpListener::from_std(subscriber) else { return };
                tokio::select! {
                    _ = stopped => {}
                    _ = axum::serve(subscriber, router) => {}
                }
            });
            // Dropping the runtime ends the tasks of open connections.
        })?;
        Ok(Self { address, base, site, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    /// The address on which it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The site that it serves.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The planned faults. A request that is refused because of its token or a quota uses none.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.site.faults()
    }

    /// The answers so far.
    #[must_use]
    pub fn served(&self) -> ServedAnswers {
        self.site.served()
    }

    /// Stops the portal. On return, everything it started has ended.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Portal {
    #[expect(clippy::disallowed_methods, reason = "the thread ends when it is asked to: it waits for nobody")]
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // The thread has reported its own panic.
            drop(thread.join());
        }
    }
}

impl PortalConfig {
    /// Open to all, without quotas; 100 rows per page, at most 1,000.
    pub fn new(clock: impl Fn() -> Time + Send + Sync + 'static) -> Self {
        Self {
            token: None,
            page_size: 100,
            page_size_max: 1_000,
            paging: Paging::SkipToken,
            per_minute: None,
            per_hour: None,
            clock: Arc::new(clock),
            follows_clock: false,
        }
    }

    /// The site to serve, with quotas per clock minute and hour in Trestle's headers.
    fn site(&self) -> SiteConfig {
        let minute = self.per_minute.map(|most| Quota::requests(most.into(), 60_000));
        let hour = self.per_hour.map(|most| Quota::requests(most.into(), Time::HOUR_MS));
        let reso = ResoSite {
            page_size: self.page_size,
            page_size_max: self.page_size_max,
            paging: self.paging,
            ..ResoSite::new(Vendor::Plain)
        };
        SiteConfig {
            access: self.token.clone().map_or(Access::Open, Access::Token),
            limits: Limits {
                quotas: minute.into_iter().chain(hour).collect(),
                headers: QuotaHeaders::Trestle,
                ..Limits::default()
            },
            follows_clock: self.follows_clock,
            ..SiteConfig::new(Dialect::Reso(reso))
        }
    }
}

impl fmt::Debug for Portal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Portal").field("address", &self.address).finish_non_exhaustive()
    }
}

impl fmt::Debug for PortalConfig {
    /// Hides the token, which may be a real one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PortalConfig")
            .field("page_size", &self.page_size)
            .field("page_size_max", &self.page_size_max)
            .field("paging", &self.paging)
            .field("per_minute", &self.per_minute)
            .field("per_hour", &self.per_hour)
            .field("follows_clock", &self.follows_clock)
            .finish_non_exhaustive()
    }
}
