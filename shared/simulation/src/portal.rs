use std::fmt;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use stoop_domain::Time;
use tokio::sync::oneshot;

use crate::simulation::Simulation;

mod faults;
mod page;
mod query;
mod quota;
mod serve;

pub use faults::{Fault, Faults};

/// A listing portal on loopback that serves a simulation as a RESO Web API.
///
/// It runs on a thread of its own and can be used from blocking and from async code alike. Dropping
/// it, or [`Portal::stop`], ends everything it started and frees its port, also in the middle of a request.
///
/// `GET {url}/odata/Property` understands `$filter` (comparisons joined by `and`:
/// `ModificationTimestamp gt` or `ge`, and `eq` on `City`, `PostalCode` and a few more), `$orderby=ModificationTimestamp`,
/// `$top`, `$skip`, `$skiptoken` and `$count=true`. Pages are ordered by modification; a page continued
/// by its `$skiptoken` neither repeats nor misses a listing that does not change meanwhile, and shows
/// one that does change again, in its new state.
#[derive(Debug)]
pub struct Portal {
    address: SocketAddr,
    shared: Arc<Shared>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// How a portal behaves.
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

/// How one page leads to the next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paging {
    /// A `$skiptoken` names the last listing shown: stable while the market moves.
    SkipToken,
    /// A `$skip` counts listings: what is modified between two pages moves all that follow by one.
    Skip,
}

/// What a portal has answered until now, by kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Served {
    /// All requests.
    pub requests: u64,
    /// Whole pages as they should be.
    pub pages: u64,
    /// Listings on those pages.
    pub rows: u64,
    /// 401.
    pub unauthorized: u64,
    /// 400.
    pub bad_requests: u64,
    /// 404: anything but `GET /odata/Property`.
    pub not_found: u64,
    /// 429 because of the quota.
    pub over_quota: u64,
    /// Faults that were asked for.
    pub faults: u64,
}

/// A portal that could not be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the portal on 127.0.0.1")]
pub struct PortalError(#[from] std::io::Error);

/// What the handler and the handle share.
#[derive(Debug)]
pub(crate) struct Shared {
    simulation: Arc<Mutex<Simulation>>,
    config: PortalConfig,
    base: String,
    faults: Faults,
    served: Mutex<Served>,
    quota: Mutex<quota::Quota>,
}

impl Portal {
    /// Starts a portal on a free port of 127.0.0.1.
    ///
    /// # Errors
    /// When there is no free port or no thread to be had.
    pub fn start(simulation: Arc<Mutex<Simulation>>, config: PortalConfig) -> Result<Self, PortalError> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            simulation,
            config,
            base: format!("http://{address}"),
            faults: Faults::default(),
            served: Mutex::default(),
            quota: Mutex::default(),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let router = serve::router(Arc::clone(&shared));
        let thread = std::thread::Builder::new().name("portal".into()).spawn(move || {
            runtime.block_on(async {
                let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
                tokio::select! {
                    _ = stopped => {}
                    _ = axum::serve(listener, router) => {}
                }
            });
            // Dropping the runtime here ends the tasks of open connections.
        })?;
        Ok(Self { address, shared, stop: Some(stop), thread: Some(thread) })
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.shared.base
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The faults to come. A request that is refused for its token or the quota takes none.
    #[must_use]
    pub fn faults(&self) -> &Faults {
        &self.shared.faults
    }

    /// What it has answered until now.
    #[must_use]
    pub fn served(&self) -> Served {
        *lock(&self.shared.served)
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

/// A poisoned lock is taken all the same: what it guards is whole after every step.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
