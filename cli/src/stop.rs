use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_pipeline::ports::{Http, HttpAnswer, HttpError};
use stoop_runtime::{HttpClient, SystemClock};
use stoop_sources::Request;
use tokio::sync::watch;

use crate::out::complain;

/// How long after a signal a pending answer is still waited for.
const GRACE: Duration = Duration::from_secs(2);

/// How long after a signal the program ends in any case.
const LONGEST: Duration = Duration::from_secs(4);

/// The phases of the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Phase {
    GoingOn,
    /// Begin nothing new.
    Stopping,
    /// Leave unfinished work to the next run.
    Leaving,
}

/// The end of the program, in steps. The first Ctrl-C or SIGTERM lets running work finish and starts nothing new. Two
/// seconds later nothing is waited for any more: unfinished work stays as it is stored. Two seconds after that, or at a
/// second signal, the program exits at once, like a kill, and loses nothing.
#[derive(Clone)]
pub(crate) struct Stop(Arc<StopState>);

struct StopState {
    phase: watch::Sender<Phase>,
    /// The number of the signal; 0 before one came.
    signal: AtomicU8,
}

impl Default for Stop {
    fn default() -> Self {
        Self(Arc::new(StopState { phase: watch::Sender::new(Phase::GoingOn), signal: AtomicU8::new(0) }))
    }
}

impl Stop {
    /// Listens for signals on a thread of its own, so that busy work cannot delay it.
    pub(crate) fn on_signals() -> Self {
        let stop = Self::default();
        let reported = stop.clone();
        let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() else { return stop };
        // Now, not on the thread: a signal that comes before it starts would end the program without a word.
        let signals = {
            let _entered = runtime.enter();
            Signals::listen()
        };
        match signals {
            Some(signals) => drop(std::thread::spawn(move || runtime.block_on(reported.end_on_signals(signals)))),
            None => runtime.shutdown_background(),
        }
        stop
    }

    async fn end_on_signals(&self, mut signals: Signals) {
        self.0.signal.store(signals.next().await, Ordering::SeqCst);
        self.set();
        let in_time = async {
            tokio::time::sleep(GRACE).await;
            self.leave();
            tokio::time::sleep(LONGEST.saturating_sub(GRACE)).await;
        };
        tokio::select! {
            () = in_time => last_words(),
            _ = signals.next() => {}
        }
        std::process::exit(self.code().into());
    }

    /// Asks for an end.
    pub(crate) fn set(&self) {
        self.at_least(Phase::Stopping);
    }

    /// Asks for an end that waits for nothing.
    pub(crate) fn leave(&self) {
        self.at_least(Phase::Leaving);
    }

    /// Whether nothing new should begin.
    pub(crate) fn is_set(&self) -> bool {
        *self.0.phase.borrow() >= Phase::Stopping
    }

    /// Whether running work should be left.
    pub(crate) fn is_leaving(&self) -> bool {
        *self.0.phase.borrow() >= Phase::Leaving
    }

    /// The exit code of a program that a signal ended: 130 after Ctrl-C, 143 after SIGTERM.
    pub(crate) fn code(&self) -> u8 {
        128 + match self.0.signal.load(Ordering::SeqCst) {
            0 => INTERRUPT,
            signal => signal,
        }
    }

    /// The result of `work`, unless a stop is asked for first.
    pub(crate) async fn unless_set<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.before(Phase::Stopping, work).await
    }

    /// The result of `work`, unless it must be left first.
    pub(crate) async fn unless_leaving<T>(&self, work: impl Future<Output = T>) -> Option<T> {
        self.before(Phase::Leaving, work).await
    }

    async fn before<T>(&self, phase: Phase, work: impl Future<Output = T>) -> Option<T> {
        let mut phases = self.0.phase.subscribe();
        tokio::select! {
            // Work that is done wins over the signal.
            biased;
            done = work => Some(done),
            _ = phases.wait_for(|now| *now >= phase) => None,
        }
    }

    fn at_least(&self, phase: Phase) {
        self.0.phase.send_if_modified(|now| {
            let later = *now < phase;
            *now = phase.max(*now);
            later
        });
    }
}

/// Reports the early end, on a thread of its own so that a blocked terminal cannot delay it.
fn last_words() {
    let said = std::thread::spawn(|| {
        complain!("stoop: ended before all was done; the next run continues from what is stored");
    });
    let began = std::time::Instant::now();
    while !said.is_finished() && began.elapsed() < Duration::from_millis(200) {
        std::thread::sleep(Duration::from_millis(5));
    }
}

const INTERRUPT: u8 = 2;

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> Option<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Some(Self {
            interrupt: signal(SignalKind::interrupt()).ok()?,
            terminate: signal(SignalKind::terminate()).ok()?,
        })
    }

    /// Waits for the next signal and returns its number.
    async fn next(&mut self) -> u8 {
        const TERMINATE: u8 = 15;
        tokio::select! {
            _ = self.interrupt.recv() => INTERRUPT,
            _ = self.terminate.recv() => TERMINATE,
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> Option<Self> {
        Some(Self)
    }

    async fn next(&mut self) -> u8 {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        INTERRUPT
    }
}

/// The system clock, whose sleepers wake when the program stops.
pub(crate) struct StoppableClock(pub(crate) Stop);

#[async_trait]
impl Clock for StoppableClock {
    fn now(&self) -> Time {
        SystemClock.now()
    }

    async fn sleep(&self, ms: u64) {
        // A sleeper that wakes early checks for the stop itself.
        let _ = self.0.unless_set(SystemClock.sleep(ms)).await;
    }

    fn steady_ms(&self) -> i64 {
        SystemClock.steady_ms()
    }

    fn jumped_ms(&self, asker: &str) -> i64 {
        SystemClock.jumped_ms(asker)
    }
}

/// HTTP that stops waiting for answers when the program ends.
pub(crate) struct StoppableHttp {
    client: HttpClient,
    stop: Stop,
}

impl StoppableHttp {
    pub(crate) fn new(stop: &Stop) -> Self {
        Self { client: HttpClient::new(), stop: stop.clone() }
    }
}

#[async_trait]
impl Http for StoppableHttp {
    async fn send(&self, request: &Request) -> Result<HttpAnswer, HttpError> {
        let answer = self.stop.unless_leaving(self.client.send(request)).await;
        answer.unwrap_or_else(|| Err(HttpError::Transient("not waited for any more".into())))
    }
}

#[cfg(test)]
mod tests {
    use stoop_sources::Method;

    use super::*;

    #[tokio::test]
    async fn sleepers_and_waiters_wake_in_their_phase_of_the_end() {
        let stop = Stop::default();
        assert_eq!(stop.unless_set(std::future::ready(1)).await, Some(1));
        stop.set();
        assert!(stop.is_set() && !stop.is_leaving());
        assert_eq!(stop.unless_set(std::future::pending::<()>()).await, None);
        assert_eq!(stop.unless_leaving(tokio::task::yield_now()).await, Some(()), "running work may still finish");
        stop.leave();
        assert_eq!(stop.unless_leaving(std::future::pending::<()>()).await, None);
        stop.set();
        assert!(stop.is_leaving(), "a stop cannot be undone");
        assert_eq!(stop.unless_leaving(std::future::ready(2)).await, Some(2), "what is done is done");
    }

    #[tokio::test]
    async fn a_request_is_given_two_seconds_and_a_clock_none() {
        let stop = Stop::default();
        stop.set();
        StoppableClock(stop.clone()).sleep(u64::MAX / 2).await;
        let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let http = StoppableHttp::new(&stop);
        let request = Request {
            method: Method::Get,
            url: format!("http://{}/", silent.local_addr().unwrap()),
            headers: Vec::new(),
            body: None,
            granted: false,
        };
        let asked = async { http.send(&request).await };
        let (answer, ()) = tokio::join!(asked, async {
            tokio::task::yield_now().await;
            stop.leave();
        });
        assert_eq!(answer, Err(HttpError::Transient("not waited for any more".into())));
    }
}
