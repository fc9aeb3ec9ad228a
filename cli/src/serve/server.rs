use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::Context;
use stoop_embedded::{Database, OpenError};

use super::access::ServerAccess;
use super::app::{self, App, Handles};
use super::connections::{self, BoundedListener, ConnectionBounds};
use super::events;
use super::metrics::ServerMeter;
use super::readers::{ReadBounds, Readers};
use crate::args::{PagesArgs, StoreArgs};
use crate::due_times::DueTimes;
use crate::out::complain;
use crate::stop::Stop;

/// The port that is tried first, and how many after it.
const PORT: u16 = 8317;
const PORTS: u16 = 100;

/// A server on a thread of its own, so that pages do not wait for the pipeline, nor the pipeline for pages.
pub(crate) struct Server {
    address: SocketAddr,
    thread: JoinHandle<()>,
}

impl Server {
    /// Listens until a stop is asked for. Tells whether the polls of this process are overdue.
    ///
    /// # Errors
    /// If the database cannot be read, the port is taken, or others can reach the address and there is no token.
    pub(crate) fn start(store: &StoreArgs, args: PagesArgs, due: &DueTimes, stop: &Stop) -> anyhow::Result<Self> {
        let handles = Handles::open(store).map_err(crate::failure::not_opened)?;
        let access = ServerAccess::of(store, args)?;
        let listener = listen(args)?;
        let address = listener.local_addr()?;
        listener.set_nonblocking(true)?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (meter, stop) = (ServerMeter::beside(due.clone()), stop.clone());
        let thread = std::thread::Builder::new().name("pages".to_owned()).spawn(move || {
            runtime.block_on(async {
                let served = stop.unless_set(serve(listener, handles, address, access, meter));
                if let Some(Err(error)) = served.await {
                    tracing::error!(error = format!("{error:#}"), "pages are no longer served");
                }
            });
            // Connections end with the program: a page that listens would keep it open.
            runtime.shutdown_background();
        })?;
        if !address.ip().is_loopback() {
            complain!(
                "stoop: other computers reach the pages at port {} of this one, without encryption: whoever can read the network \
                 can read tokens. A proxy with HTTPS before it prevents that.",
                address.port()
            );
        }
        Ok(Self { address, thread })
    }

    /// `http://127.0.0.1:8317/`: an address at which this computer reaches it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}/", reached(self.address))
    }

    /// Waits for its end, which a stop brings.
    #[expect(clippy::disallowed_methods, reason = "a program serves until it is stopped")]
    pub(crate) fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("the server of the pages panicked");
        }
    }
}

impl Handles {
    fn open(store: &StoreArgs) -> Result<Self, OpenError> {
        Ok(Self {
            answers: Readers::open(store, ReadBounds::of_answers())?,
            metrics: Readers::open(store, ReadBounds::OF_METRICS)?,
            events: Database::open_read(store.db(), &store.data())?,
        })
    }
}

async fn serve(
    listener: TcpListener,
    handles: Handles,
    address: SocketAddr,
    access: ServerAccess,
    meter: Arc<ServerMeter>,
) -> anyhow::Result<Infallible> {
    let listener = BoundedListener::new(tokio::net::TcpListener::from_std(listener)?, ConnectionBounds::OF_SERVER);
    let versions = events::watch(Arc::clone(&handles.events));
    connections::serve(listener, app::router(App::new(handles, versions, address, access, meter))).await
}

/// Binds the port that was asked for, or the first free one from [`PORT`] on.
fn listen(args: PagesArgs) -> anyhow::Result<TcpListener> {
    let on: IpAddr = args.bind;
    let bind = |port: u16| TcpListener::bind((on, port));
    match args.port {
        Some(port) => bind(port).with_context(|| format!("port {port} of {on} cannot be served on")),
        None => (PORT..PORT + PORTS)
            .find_map(|port| bind(port).ok())
            .with_context(|| format!("no port from {PORT} to {} of {on} is free", PORT + PORTS - 1)),
    }
}

/// An address at which this computer reaches a server that listens on one of its addresses, or on all of them.
fn reached(listens: SocketAddr) -> SocketAddr {
    let ip = match listens.ip() {
        IpAddr::V4(all) if all.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(all) if all.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        one => one,
    };
    SocketAddr::new(ip, listens.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_that_is_printed_works_here() {
        let of = |listens: &str| reached(listens.parse().unwrap()).to_string();
        assert_eq!(of("127.0.0.1:8317"), "127.0.0.1:8317");
        assert_eq!(of("0.0.0.0:8317"), "127.0.0.1:8317");
        assert_eq!(of("[::]:8317"), "[::1]:8317");
        assert_eq!(of("192.0.2.1:8317"), "192.0.2.1:8317");
    }
}
