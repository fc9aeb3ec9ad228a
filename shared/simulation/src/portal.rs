use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use stoop_domain::Time;
use tokio::sync::oneshot;

use crate::dialect::{Dialect, Paging, ResoSite, Vendor};
use crate::simulation::Simulation;
use crate::site::{Access, Faults, Limits, Quota, QuotaHeaders, Served, Site, SiteConfig};

mod serve;

/// A [`Site`] on loopback: by default one that serves a simulation as a RESO Web API.
///
/// It runs on a thread of its own and can be used from blocking and from async code alike. Dropping
/// it, or [`Portal::stop`], ends everything it started and frees its port, also in the middle of a request.
///
/// As a RESO Web API, `GET {url}/odata/Property` understands `$filter` (comparisons joined by `and`:
/// `ModificationTimestamp gt` or `ge`, and `eq` on `City`, `PostalCode` and a few more), `$orderby=ModificationTimestamp`,
/// `$top`, `$skip`, `$skiptoken` and `$count=true`. Pages are ordered by modification; a page continued
/// by its `$skiptoken` neither repeats nor misses a listing that does not change meanwhile, and shows
/// one that does change again, in its new state.
pub struct Portal {
    address: SocketAddr,
    base: String,
    site: Arc<Site>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// A clock that may be shared by threads.
pub(crate) type SharedClock = Arc<dyn Fn() -> Time + Send + Sync>;

/// How a portal that serves a RESO Web API behaves.
#[derive(Clone)]
pub struct PortalConfig {
    /// The bearer token that every request must carry, where there is one.
    pub token: Option<String>,
    /// How many rows a page has when `$top` is not given.
    pub page_size: usize,
    /// How many rows a page has at most.
    pub page_size_max: usize,
    /// How one page leads to the next.
    pub paging: Paging,
    /// Requests a clock minute.
    pub per_minute: Option<u32>,
    /// Requests a clock hour.
    pub per_hour: Option<u32>,
    /// The clock that quotas are counted by.
    pub clock: Arc<dyn Fn() -> Time + Send + Sync>,
    /// Whether each request first advances the simulation to where the clock stands.
    pub follows_clock: bool,
}

/// A portal that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the portal on 127.0.0.1")]
pub struct PortalError(#[from] std::io::Error);

impl Portal {
    /// Starts a portal that serves a RESO Web API on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no free port or no thread to be had.
    pub fn start(simulation: Arc<Mutex<Simulation>>, config: PortalConfig) -> Result<Self, PortalError> {
        let clock = Arc::clone(&config.clock);
        Self::serve(Arc::new(Site::new(simulation, config.site())), move || clock())
    }

    /// Puts any site on a free port of 127.0.0.1, on this clock. Its hangs are of real time.
    ///
    /// # Errors
    /// When there is no free port or no thread to be had.
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
            // Dropping the runtime here ends the tasks of open connections.
        })?;
        Ok(Self { address, base, site, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.base
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What it serves.
    #[must_use]
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// The faults to come. A request that is refused for its token or the quota takes none.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        self.site.faults()
    }

    /// What it has answered until now.
    #[must_use]
    pub fn served(&self) -> Served {
        self.site.served()
    }

    /// Stops it. When this returns, nothing of it is left.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Portal {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic there has been reported by the thread itself.
            drop(thread.join());
        }
    }
}

impl PortalConfig {
    /// Open to all, without quotas, 100 rows a page, at most 1,000.
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

    /// The site that it puts on loopback: quotas of the clock's minutes and hours, told in Trestle's headers.
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
    /// Without the token: it may be a real one.
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
