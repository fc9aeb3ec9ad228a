//! Connections and their bounds: how many there are, how long one may take up a place, and how much of a request is kept. HTTP/1.1
//! alone: each connection has one answer at a time.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::extract::{ConnectInfo, Request};
use axum::http::{StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, Sleep, sleep};

/// The bounds of a server.
#[derive(Clone, Copy, Debug)]
pub(super) struct ConnectionBounds {
    /// Connections at a time. Systems often allow a process 1,024 open files, which polls and the database need too.
    pub(super) connections: usize,
    /// Further ones, for one request to [`WATCHED`] each: whoever watches the server learns that it is alive.
    pub(super) spare: usize,
    /// How long a connection may be open before it gets the first byte: its request must have come by then, and the answer
    /// begun.
    pub(super) first: Duration,
    /// How long it may stay open afterwards: idle, or while it reads less than [`STEP`]. Events say something every 15 seconds.
    pub(super) next: Duration,
}

impl ConnectionBounds {
    pub(super) const OF_SERVER: Self =
        Self { connections: 256, spare: 16, first: Duration::from_secs(30), next: Duration::from_secs(60) };
}

/// The answer to a connection beyond the bound.
const BUSY: &[u8] =
    b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
/// What is answered on spare connections.
const WATCHED: [&str; 2] = ["/health", "/metrics"];
/// How long a spare connection may be open.
const SPARE: Duration = Duration::from_secs(2);
/// The most of a request's line and headers.
const HEAD_BYTES_MAX: usize = 32 << 10;
/// The least that a client must read of a waiting answer in the time that it has.
const STEP: usize = 16 << 10;
/// The wait after the system could not accept a connection.
const PAUSE: Duration = Duration::from_millis(200);

/// Accepts connections within [`ConnectionBounds`].
pub(super) struct BoundedListener {
    listener: TcpListener,
    places: Arc<Semaphore>,
    spare: Arc<Semaphore>,
    bounds: ConnectionBounds,
}

/// A connection that ends when it takes up its place for too long.
struct BoundedStream {
    stream: TcpStream,
    next: Duration,
    ends: Pin<Box<Sleep>>,
    /// Whether what is to be written waits for the client to read.
    waits: bool,
    /// Bytes that were written since then.
    written: usize,
    is_spare: bool,
    _place: OwnedSemaphorePermit,
}

impl BoundedListener {
    pub(super) fn new(listener: TcpListener, bounds: ConnectionBounds) -> Self {
        let semaphore = |places| Arc::new(Semaphore::new(places));
        Self { listener, places: semaphore(bounds.connections), spare: semaphore(bounds.spare), bounds }
    }

    async fn accept(&self) -> (BoundedStream, SocketAddr) {
        loop {
            let (stream, address) = match self.listener.accept().await {
                Ok(accepted) => accepted,
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted");
                    sleep(PAUSE).await;
                    continue;
                }
            };
            let Some((place, is_spare)) = self.place() else {
                // Best effort: whoever does not read it finds the connection closed.
                drop(stream.try_write(BUSY));
                continue;
            };
            let ConnectionBounds { first, next, .. } = self.bounds;
            let ends = Box::pin(sleep(if is_spare { first.min(SPARE) } else { first }));
            return (BoundedStream { stream, next, ends, waits: false, written: 0, is_spare, _place: place }, address);
        }
    }

    /// A place for a connection, and whether it is a spare one.
    fn place(&self) -> Option<(OwnedSemaphorePermit, bool)> {
        let place = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().ok();
        place(&self.places).map(|place| (place, false)).or_else(|| Some((place(&self.spare)?, true)))
    }
}

/// Serves each connection on a task of its own, with the address of its client.
pub(super) async fn serve(listener: BoundedListener, router: Router) -> ! {
    let mut http = http1::Builder::new();
    http.max_buf_size(HEAD_BYTES_MAX).timer(TokioTimer::new()).header_read_timeout(listener.bounds.first);
    let watched = router.clone().layer(middleware::from_fn(if_watched));
    loop {
        let (stream, address) = listener.accept().await;
        let (router, is_spare) = (if stream.is_spare { &watched } else { &router }, stream.is_spare);
        let service = TowerToHyperService::new(router.clone().layer(Extension(ConnectInfo(address))));
        let connection = http.keep_alive(!is_spare).serve_connection(TokioIo::new(stream), service);
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended");
            }
        });
    }
}

/// Refuses what is not [`WATCHED`].
async fn if_watched(request: Request, next: Next) -> Response {
    if WATCHED.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    (StatusCode::SERVICE_UNAVAILABLE, [(header::RETRY_AFTER, "5")]).into_response()
}

impl BoundedStream {
    /// An error after the end of its time; wakes the task then.
    fn check(&mut self, context: &mut Context<'_>) -> io::Result<()> {
        match self.ends.as_mut().poll(context) {
            Poll::Pending => Ok(()),
            Poll::Ready(()) => {
                Err(io::Error::new(io::ErrorKind::TimedOut, "the connection took up its place too long"))
            }
        }
    }

    /// What is written gives it more time; of a client that was waited for, only [`STEP`] and more.
    fn written(&mut self, wrote: Poll<io::Result<usize>>, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        match wrote {
            Poll::Ready(Ok(bytes)) if bytes > 0 => {
                self.written += bytes;
                if !self.waits || self.written >= STEP {
                    (self.waits, self.written) = (false, 0);
                    let ends = Instant::now() + self.next;
                    self.ends.as_mut().reset(ends);
                }
            }
            Poll::Ready(_) => return wrote,
            Poll::Pending if !self.waits => (self.waits, self.written) = (true, 0),
            Poll::Pending => {}
        }
        // Nothing else may be waited for until then.
        self.check(context).map_or_else(|error| Poll::Ready(Err(error)), |()| wrote)
    }
}

impl AsyncRead for BoundedStream {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, to: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        // Bytes that come do not give it time: half a request may come a byte a second.
        self.check(context)?;
        Pin::new(&mut self.stream).poll_read(context, to)
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.written(wrote, context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let wrote = Pin::new(&mut self.stream).poll_write_vectored(context, bytes);
        self.written(wrote, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};

    use axum::routing::get;
    use stoop_waits::{PATIENCE, connected, joined, until};

    use super::*;

    const SHORT: ConnectionBounds = ConnectionBounds {
        connections: 4,
        spare: 2,
        first: Duration::from_millis(300),
        next: Duration::from_millis(600),
    };

    /// A server with bounds that says `here`, and its address.
    fn server(bounds: ConnectionBounds) -> SocketAddr {
        let (sender, receiver) = std::sync::mpsc::channel();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = BoundedListener::new(TcpListener::bind("127.0.0.1:0").await.unwrap(), bounds);
                sender.send(listener.listener.local_addr().unwrap()).unwrap();
                let large = || async { "x".repeat(64 << 20) };
                let router = Router::new().route("/", get(|| async { "here" })).route("/large", get(large));
                let router = router.route("/health", get(|| async { "well" }));
                serve(listener, router).await
            });
        });
        receiver.recv_timeout(PATIENCE).unwrap()
    }

    fn asked(address: SocketAddr) -> String {
        asked_for(address, "/")
    }

    fn asked_for(address: SocketAddr, path: &str) -> String {
        let mut stream = connected(address).unwrap();
        // It may be closed already.
        drop(write!(stream, "GET {path} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"));
        let mut answer = String::new();
        drop(stream.read_to_string(&mut answer));
        answer
    }

    /// Reads until the server ends the connection. It may do so with a reset.
    fn is_ended(stream: &mut std::net::TcpStream) -> bool {
        let mut bytes = [0; 4096];
        loop {
            match stream.read(&mut bytes) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() == io::ErrorKind::ConnectionReset,
            }
        }
    }

    #[test]
    fn connections_beyond_the_bound_are_refused_and_idle_ones_make_room() {
        let address = server(SHORT);
        let mut idle: Vec<_> = (0..4).map(|_| connected(address).unwrap()).collect();
        until("a refusal", || asked(address).starts_with("HTTP/1.1 503 ").then_some(()));
        assert!(idle.iter_mut().all(is_ended), "those that send nothing are ended");
        until("an answer", || asked(address).ends_with("here").then_some(()));
    }

    #[test]
    fn whoever_watches_a_full_server_is_answered_and_others_are_not() {
        let address = server(ConnectionBounds { first: PATIENCE, next: PATIENCE, ..SHORT });
        let _idle: Vec<_> = (0..4).map(|_| connected(address).unwrap()).collect();
        for _ in 0..3 {
            until("health", || asked_for(address, "/health").ends_with("well").then_some(()));
            until("a refusal", || asked(address).starts_with("HTTP/1.1 503 ").then_some(()));
        }
        // Those who hold the spare ones are cut, although others have longer.
        let mut held: Vec<_> = (0..2).map(|_| connected(address).unwrap()).collect();
        assert!(held.iter_mut().all(is_ended));
        assert!(asked_for(address, "/health").ends_with("well"));
    }

    #[test]
    fn half_a_request_is_ended_however_slowly_it_comes() {
        let address = server(SHORT);
        let mut stream = connected(address).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let drip = std::thread::spawn(move || {
            // A byte each 50 ms, until the connection is ended.
            (b"GET / HTTP/1.1\r\n".iter().chain(&[b'a'; 4_000])).all(|byte| {
                std::thread::sleep(Duration::from_millis(50));
                writer.write_all(&[*byte]).is_ok()
            })
        });
        assert!(is_ended(&mut stream));
        assert!(!joined("the one that drips", drip), "it was cut");
    }

    #[test]
    fn a_request_with_a_large_head_and_another_protocol_are_refused() {
        let address = server(ConnectionBounds { first: PATIENCE, next: PATIENCE, ..SHORT });
        let answer = |request: &[u8]| {
            let mut stream = connected(address).unwrap();
            drop(stream.write_all(request));
            let mut answer = Vec::new();
            drop(stream.read_to_end(&mut answer));
            String::from_utf8_lossy(&answer).into_owned()
        };
        let large = format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "x".repeat(2 * HEAD_BYTES_MAX));
        assert!(answer(large.as_bytes()).starts_with("HTTP/1.1 431 "));
        // The preface of HTTP/2 (RFC 9113, section 3.4) and empty settings.
        let other = answer(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0");
        assert!(other.is_empty() || other.starts_with("HTTP/1.1 400 "), "{other:?}");
    }

    #[test]
    fn a_client_that_reads_a_waiting_answer_too_slowly_is_cut() {
        let address = server(ConnectionBounds { connections: 1, ..SHORT });
        let mut slow = connected(address).unwrap();
        slow.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        until("another's answer", || {
            // About 20 kB a second, a third of what it must read, as far as the system lets it.
            drop(slow.read(&mut [0; 1_024]));
            std::thread::sleep(Duration::from_millis(50));
            asked(address).ends_with("here").then_some(())
        });
    }

    #[test]
    fn an_idle_connection_is_ended_after_its_answer_and_so_is_one_that_does_not_read() {
        let address = server(SHORT);
        let mut kept = connected(address).unwrap();
        kept.write_all(b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").unwrap();
        let mut stalled: Vec<_> = (0..3).map(|_| connected(address).unwrap()).collect();
        stalled.iter_mut().for_each(|it| it.write_all(b"GET /large HTTP/1.1\r\nhost: a\r\n\r\n").unwrap());
        assert!(is_ended(&mut kept));
        until("a place of one that does not read", || asked(address).ends_with("here").then_some(()));
    }
}
