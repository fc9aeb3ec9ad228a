//! A host for the real binaries of Lambda functions.
//!
//! It serves the Lambda runtime API on loopback, starts a binary with the environment that Lambda would give
//! it, and invokes it: one execution environment, without the sandbox. What is not here: the memory limit, the
//! extensions API, response streaming, and more than one invocation at a time.
//!
//! What Lambda does and emulators do not: it stops the process between invocations ([`Host::freeze`]), keeps what is
//! in its folder for temporary files ([`Host::temporary`]), runs so many at a time and no more ([`Account`]), and
//! counts how often a chain of events has come back to a function ([`Lineage`]).

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
use api::Api;
pub use lineage::{INVOCATIONS_MAX, Lineage, RecursiveLoop, TraceHeader};
use process::{Process, Signal};

/// The largest event, and the largest response: 6 MB and a little.
pub const PAYLOAD_BYTES_MAX: usize = 6 * 1_024 * 1_024 + 100;

/// Longer than any function or machine takes to get ready.
const INIT_MAX: Duration = Duration::from_secs(60);
/// How often a log line or an exit is looked for.
const TICK: Duration = Duration::from_millis(2);

/// A running function.
///
/// It ends with its host: when the host is dropped, the process is killed and waited for.
pub struct Host {
    spec: Spec,
    running: Mutex<Arc<Running>>,
    /// Held by the invocation under way.
    turn: tokio::sync::Mutex<()>,
    log: Log,
    temporary: TempDir,
}

/// What is started, and started again.
struct Spec {
    binary: PathBuf,
    environment: Vec<(String, String)>,
    timeout: Duration,
}

/// A process and the API that it talks to. Each process has an API of its own, on a port of its own, so that
/// nothing of a killed one can reach the next.
struct Running {
    process: Process,
    api: Api,
    init_time: Duration,
}

/// What a function has written to standard output and standard error, line by line.
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
    /// The function said at its start that it can't work.
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
    /// Time was up; the process was killed.
    #[error("timed out after {0:?}")]
    TimedOut(Duration),
    /// The response is no JSON.
    #[error("the response is no JSON: {0}")]
    NoJson(String),
    /// The event or the response is larger than [`PAYLOAD_BYTES_MAX`].
    #[error("{what} of {bytes} bytes; {PAYLOAD_BYTES_MAX} are accepted")]
    TooLarge {
        /// Which of the two.
        what: &'static str,
        /// How large it is.
        bytes: usize,
    },
    /// The process ended before: [`Host::restart`] starts another.
    #[error("the process is not running")]
    NotRunning,
    /// The account has no execution left: the function was not reached.
    #[error("throttled: {0} executions are under way, as many as there may be")]
    Throttled(usize),
    /// The event has come back to the function too often: the function was not reached.
    #[error("a recursive loop was stopped after {0} invocations")]
    Recursive(u32),
}

impl Host {
    /// Starts a binary with nothing in its environment but what Lambda sets and what is given, which may
    /// replace what Lambda sets; waits until it asks for its first event. An invocation may take as long as
    /// `timeout`.
    ///
    /// # Errors
    /// When the binary does not start, says that it can't work, ends, or takes longer than a minute.
    pub async fn start(
        binary: impl AsRef<Path>,
        environment: impl IntoIterator<Item = (impl Into<String>, impl Into<String>)>,
        timeout: Duration,
    ) -> Result<Self, FunctionError> {
        let temporary = TempDir::new().map_err(|error| FunctionError::NotStarted(error.to_string()))?;
        // Lambda has `/tmp` and no variable; here each environment gets a folder of its own, by the usual name.
        let folder = temporary.path().to_string_lossy().into_owned();
        let given = environment.into_iter().map(|(name, value)| (name.into(), value.into()));
        let environment = [("TMPDIR".to_owned(), folder)].into_iter().chain(given).collect();
        let spec = Spec { binary: binary.as_ref().to_owned(), environment, timeout };
        let log = Log::default();
        let running = Mutex::new(Arc::new(spec.run(&log).await?));
        Ok(Self { spec, running, turn: tokio::sync::Mutex::default(), log, temporary })
    }

    /// Invokes the function. Invocations wait for one another, as they would for the only environment.
    ///
    /// # Errors
    /// See [`FunctionError`]. After [`FunctionError::Exited`] and [`FunctionError::TimedOut`] there is no process.
    pub async fn invoke(&self, event: &Value) -> Result<Value, FunctionError> {
        self.invoke_traced(event, None).await
    }

    /// Invokes the function with this trace header, rather than one that begins a trace. A frozen process goes on.
    ///
    /// # Errors
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

    /// Stops the process until the next invocation, as Lambda does when a response was taken: nothing of it runs, while
    /// time goes by and others close their ends of its connections.
    pub async fn freeze(&self) {
        let _turn = self.turn.lock().await;
        self.running().process.signal(Signal::Stop);
    }

    /// The folder for temporary files. What is in it stays between invocations, and when the process is started anew
    /// after an end that was not planned.
    #[must_use]
    pub fn temporary(&self) -> &Path {
        self.temporary.path()
    }

    /// Kills the process, whatever it is doing, as Lambda may at any time.
    pub fn kill(&self) {
        self.running().process.kill();
    }

    /// Starts another process in place of the one there is, which is killed.
    ///
    /// # Errors
    /// As for [`Host::start`].
    pub async fn restart(&self) -> Result<(), FunctionError> {
        self.kill();
        let _turn = self.turn.lock().await;
        let running = Arc::new(self.spec.run(&self.log).await?);
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = running;
        Ok(())
    }

    /// From the start of the process to its first request for an event.
    #[must_use]
    pub fn init_time(&self) -> Duration {
        self.running().init_time
    }

    /// The most memory that the process ever had resident (`VmHWM`); `None` when it is not running, and where
    /// there is no `/proc`.
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

    /// What the processes of this host have written until now, standard output and standard error, line by line.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until a line of the log contains `text`, and gives the line. Only lines from the one numbered
    /// `from` (counted from 0) on are looked at.
    ///
    /// # Errors
    /// In words, with the log, when there is none within a minute.
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
        let (api, mut init) = Api::start().await.map_err(cannot)?;
        let written_before = log.lock().unwrap_or_else(PoisonError::into_inner).len();
        let began = Instant::now();
        let process = Process::start(&self.binary, &api, &self.environment, log).map_err(cannot)?;
        tokio::select! {
            biased;
            said = &mut init => match said {
                Ok(Ok(asked_at)) => Ok(Running { process, api, init_time: asked_at.duration_since(began) }),
                Ok(Err(error)) => Err(error),
                Err(_) => Err(FunctionError::NotStarted("the runtime API ended".into())),
            },
            exit = process.wait() => match init.try_recv() {
                // It said why, and ended before anybody listened.
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
