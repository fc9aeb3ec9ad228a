use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use stoop_waits::{PATIENCE, ended, status};

use super::api::RuntimeApi;
use super::{Log, TICK};

/// A signal between invocations.
#[derive(Clone, Copy, Debug)]
pub(super) enum Signal {
    Stop,
    Continue,
}

/// A process that is killed and waited for on drop.
pub(super) struct FunctionProcess {
    child: Mutex<Child>,
    id: u32,
    readers: Vec<JoinHandle<()>>,
}

impl FunctionProcess {
    /// Starts a binary like Lambda.
    pub(super) fn start(
        binary: &Path,
        api: &RuntimeApi,
        environment: &[(String, String)],
        log: &Log,
    ) -> io::Result<Self> {
        let mut command = Command::new(binary);
        command.env_clear();
        let name = binary.file_name().unwrap_or_default().to_string_lossy();
        let api_address = api.address().to_string();
        for (key, value) in [
            ("AWS_LAMBDA_RUNTIME_API", &*api_address),
            ("AWS_LAMBDA_FUNCTION_NAME", &*name),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", &*format!("/aws/lambda/{name}")),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "2026/01/01/[$LATEST]00000000000000000000000000000000"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("TZ", ":UTC"),
            ("_HANDLER", "bootstrap"),
        ] {
            command.env(key, value);
        }
        command.envs(environment.iter().map(|(key, value)| (key, value)));
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn()?;
        let stdout = child.stdout.take().map(|stdout| copy(stdout, log));
        let stderr = child.stderr.take().map(|stderr| copy(stderr, log));
        let readers = stdout.into_iter().chain(stderr).collect();
        Ok(Self { id: child.id(), child: Mutex::new(child), readers })
    }

    pub(super) fn id(&self) -> u32 {
        self.id
    }

    /// Sends a signal, and waits until it was sent. An ended process gets none.
    pub(super) fn signal(&self, signal: Signal) {
        // The child is not reaped, so its ID is not reused.
        let mut child = self.child();
        if !matches!(child.try_wait(), Ok(None)) {
            return;
        }
        let name = match signal {
            Signal::Stop => "STOP",
            Signal::Continue => "CONT",
        };
        let sent = status(Command::new("sh").args(["-c", &format!("kill -{name} {}", self.id)]), PATIENCE);
        assert!(sent.is_ok_and(|status| status.success()), "SIG{name} can't be sent to {}", self.id);
    }

    /// Its exit status in words, if it has ended.
    pub(super) fn exit(&self) -> Option<String> {
        match self.child().try_wait() {
            Ok(status) => status.map(|status| status.to_string()),
            Err(error) => Some(format!("unknown: {error}")),
        }
    }

    /// Waits for its end, and returns the status in words.
    pub(super) async fn wait(&self) -> String {
        loop {
            if let Some(exit) = self.exit() {
                return exit;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Waits until all its output is in the log, but not for child processes left behind.
    pub(super) async fn written(&self) {
        for _ in 0..500 {
            if self.readers.iter().all(JoinHandle::is_finished) {
                return;
            }
            tokio::time::sleep(TICK).await;
        }
    }

    /// Kills it, and waits for its end. Does nothing if it has ended.
    pub(super) fn kill(&self) {
        let mut child = self.child();
        // Both fail only if the process no longer exists.
        drop(child.kill());
        drop(ended(&mut child, "the end of a killed process", PATIENCE));
    }

    fn child(&self) -> MutexGuard<'_, Child> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for FunctionProcess {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Copies lines to the log until the last writer is gone, on its own thread.
fn copy(from: impl Read + Send + 'static, log: &Log) -> JoinHandle<()> {
    let log = Arc::clone(log);
    thread::spawn(move || {
        let mut from = BufReader::new(from);
        let mut line = Vec::new();
        while from.read_until(b'\n', &mut line).is_ok_and(|read| read > 0) {
            let text = String::from_utf8_lossy(&line).trim_end_matches(['\r', '\n']).to_owned();
            log.lock().unwrap_or_else(PoisonError::into_inner).push(text);
            line.clear();
        }
    })
}
