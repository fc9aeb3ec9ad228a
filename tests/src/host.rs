//! A host for the real binaries of Lambda functions.
//!
//! It serves the Lambda runtime API on loopback, starts a binary with Lambda's environment, and invokes it: one
//! execution environment, without the sandbox. Not implemented: the memory limit, the extensions API, response
//! streaming, and concurrent invocations.
//!
//! Unlike emulators, and like Lambda, it stops the process between invocations ([`Host::freeze`]), keeps its temporary
//! folder ([`Host::temporary`]), limits concurrency ([`Account`]), and counts how often a chain of events has returned
//! to a function ([`Lineage`]).

mod account;
mod api;
mod lineage;
mod process;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub use account::Account;
use api::RuntimeApi;
pub use lineage::{INVOCATIONS_MAX, Lineage, RecursiveLoop, TraceHeader};
use process::{FunctionProcess, Signal};

/// The largest event and response: 6 MB and slightly more.
pub const PAYLOAD_BYTES_MAX: usize = 6 * 1_024 * 1_024 + 100;

/// Longer than any function takes to start on any machine.
const INIT_MAX: Duration = stoop_waits::PATIENCE;
/// How often the log or the exit is polled.
const TICK: Duration = Duration::from_millis(2);

/// A running function.
///
/// When the host is dropped, the process is killed and waited for.
pub struct Host {
    spec: Spec,
    running: Mutex<Arc<Running>>,
    /// Held by the current invocation.
    turn: tokio::sync::Mutex<()>,
    log: Log,
    temporary: TempDir,
}

/// What is started, and restarted.
struct Spec {
    binary: PathBuf,
    environment: Vec<(String, String)>,
    timeout: Duration,
}

/// A process and its runtime API. Each process has its own API on its own port, so that remains of a killed one cannot
/// reach the next.
struct Running {
    process: FunctionProcess,
    api: RuntimeApi,
    init_time: Duration,
}

/// The function's standard output and standard error, line by line.
pub(crate) type Log = Arc<Mutex<Vec<String>>>;

/// Why there is no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FunctionError {
    /// The function returned an error.
    #[error("{error_type}: {message}")]
    Returned {
        /// `errorType`.
        error_type: String,
        /// `errorMessage`.
        message: String,
    },
    /// The function reported an init error.
    #[error("init: {error_type}: {message}")]
    Init {
        /// `errorType`.
        error_type: String,
        /// `errorMessage`.
        message: String,
    },
    /// The binary could not be started, or ended before it asked for an event.
    #[error("{0}")]
    NotStarted(String),
    /// The process ended, by itself or killed.
    #[error("the process ended: {0}")]
    Exited(String),
    /// The timeout passed; the process was killed.
    #[error("timed out after {0:?}")]
    TimedOut(Duration),
    /// The response is not JSON.
    #[error("the response is not JSON: {0}")]
    NoJson(String),
    /// The event or the response is larger than [`PAYLOAD_BYTES_MAX`].
    #[error("{what} of {bytes} bytes; {PAYLOAD_BYTES_MAX} are accepted")]
    TooLarge {
        /// The event or the response.
        what: &'static str,
        /// Its size.
        bytes: usize,
    },
    /// The process ended earlier: [`Host::restart`] starts another.
    #[error("the process is not running")]
    NotRunning,
    /// The account has no concurrency left: the function was not invoked.
    #[error("throttled: {0} executions are running, as many as there may be")]
    Throttled(usize),
    /// The event has returned to the function too often: the function was not invoked.
    #[error("a recursive loop was stopped after {0} invocations")]
    Recursive(u32),
}

impl Host {
    /// Starts a binary with only Lambda's environment and the given one, which may override Lambda's; waits until it
    /// asks for its first event. An invocation may take as long as `timeout`.
    ///
    /// # Errors
    ///
    /// The binary does not start, reports an init error, ends, or takes longer than five minutes.
    pub async fn start(
        binary: impl AsRef<Path>,
        environment: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
        timeout: Duration,
    ) -> Result<Self, FunctionError> {
        let temporary = TempDir::new().map_err(|error| FunctionError::NotStarted(error.to_string()))?;
        // Lambda has `/tmp` and no variable; here each environment gets its own folder, in the usual variable.
        let folder = temporary.path().to_string_lossy().into_owned();
        let given = environment.into_iter().map(|(name, value)| (name.into(), value.into()));
        let environment = [("TMPDIR".to_owned(), folder)].into_iter().chain(given).collect();
        let spec = Spec { binary: binary.as_ref().to_owned(), environment, timeout };
        let log = Log::default();
        let running = Mutex::new(Arc::new(spec.run(&log).await?));
        Ok(Self { spec, running, turn: tokio::sync::Mutex::default(), log, temporary })
    }

    /// Invokes the function. Invocations wait for one another, as there is one environment.
    ///
    /// # Errors
    ///
    /// See [`FunctionError`]. After [`FunctionError::Exited`] and [`FunctionError::TimedOut`] there is no process.
    pub async fn invoke(&self, event: &Value) -> Result<Value, FunctionError> {
        self.invoke_traced(event, None).await
    }

    /// Invokes the function with this trace header, instead of one that begins a trace. A frozen process continues.
    ///
    /// # Errors
    ///
    /// As for [`Host::invoke`].
    pub async fn invoke_traced(&self, event: &Value, trace: Option<&str>) -> Result<Value, FunctionError> {
        let _turn = self.turn.lock().await;
        let running = self.running();
        let (event, timeout) = (event.to_string().into_bytes(), self.spec.timeout);
        if event.len() > PAYLOAD_BYTES_MAX {
            return Err(FunctionError::TooLarge { what: "an event", bytes: event.len() });
        }
        if running.process.exit().is_some() {
            return Err(FunctionError::NotRunning);
        }
        running.process.signal(Signal::Continue);
        let response = running.api.offer(event, trace, timeout);
        tokio::select! {
            biased;
            response = response => response,
            exit = running.process.wait() => Err(FunctionError::Exited(exit)),
            () = tokio::time::sleep(timeout) => {
                running.process.kill();
                Err(FunctionError::TimedOut(timeout))
            }
        }
    }

    /// Stops the process until the next invocation, as Lambda does after a response: it does not run while time passes
    /// and peers close its connections.
    pub async fn freeze(&self) {
        let _turn = self.turn.lock().await;
        self.running().process.signal(Signal::Stop);
    }

    /// The folder for temporary files. It keeps its content between invocations, and after a restart that followed a
    /// crash.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Kills the process at any point, as Lambda may.
    pub fn kill(&self) {
        self.running().process.kill();
    }

    /// Kills the process and starts another.
    ///
    /// # Errors
    ///
    /// As for [`Host::start`].
    pub async fn restart(&self) -> Result<(), FunctionError> {
        self.kill();
        let _turn = self.turn.lock().await;
        let running = Arc::new(self.spec.run(&self.log).await?);
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = running;
        Ok(())
    }

    /// The time from the start of the process to its first request for an event.
    #[must_use]
    pub fn init_time(&self) -> Duration {
        self.running().init_time
    }

    /// The peak resident memory of the process (`VmHWM`); `None` if it is not running, or there is no `/proc`.
    #[must_use]
    pub fn peak_memory_kb(&self) -> Option<u64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process_id()?)).ok()?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        peak.trim().strip_suffix("kB")?.trim().parse().ok()
    }

    /// The process's id, while it is running.
    #[must_use]
    pub fn process_id(&self) -> Option<u32> {
        let running = self.running();
        running.process.exit().is_none().then(|| running.process.id())
    }

    /// The output of this host's processes so far, standard output and standard error, line by line.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a line of the log contains `text`, and returns the line. Checks only lines from the number `from` on
    /// (counted from 0).
    ///
    /// # Errors
    ///
    /// There is none within five minutes; in words, with the log.
    pub async fn wait_for_log(&self, from: usize, text: &str) -> Result<String, String> {
        let began = Instant::now();
        while began.elapsed() < INIT_MAX {
            if let Some(line) = self.log().iter().skip(from).find(|line| line.contains(text)) {
                return Ok(line.clone());
            }
            tokio::time::sleep(TICK).await;
        }
        Err(format!("no line contains {text:?}:\n{}", self.log().join("\n")))
    }

    fn running(&self) -> Arc<Running> {
        Arc::clone(&self.running.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Spec {
    async fn run(&self, log: &Log) -> Result<Running, FunctionError> {
        let cannot = |error: std::io::Error| {
            FunctionError::NotStarted(format!("{} can't be started: {error}", self.binary.display()))
        };
        let (api, mut init) = RuntimeApi::start().await.map_err(cannot)?;
        let written_before = log.lock().unwrap_or_else(PoisonError::into_inner).len();
        let began = Instant::now();
        let process = FunctionProcess::start(&self.binary, &api, &self.environment, log).map_err(cannot)?;
        tokio::select! {
            biased;
            said = &mut init => match said {
                Ok(Ok(asked_at)) => Ok(Running { process, api, init_time: asked_at.duration_since(began) }),
                Ok(Err(error)) => Err(error),
                Err(_) => Err(FunctionError::NotStarted("the runtime API ended".into())),
            },
            exit = process.wait() => match init.try_recv() {
                // It reported the error, and ended before this read it.
                Ok(Err(error)) => Err(error),
                _ => {
                    process.written().await;
                    let log = log.lock().unwrap_or_else(PoisonError::into_inner);
                    let written = log.get(written_before..).unwrap_or_default().join("\n");
                    let binary = self.binary.display();
                    Err(FunctionError::NotStarted(format!("{binary} ended with {exit}, and wrote:\n{written}")))
                }
            },
            () = tokio::time::sleep(INIT_MAX) => Err(FunctionError::TimedOut(INIT_MAX)),
        }
    }
}
