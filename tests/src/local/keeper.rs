//! A program under `infra/keeper.py`, which ends with this process in any case.

use std::ffi::OsString;
use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use stoop_waits::{PATIENCE, connected, ended, output};

/// Longer than the keeper waits for its program.
const END_WITHIN: Duration = PATIENCE;
const LOG_LINES: usize = 30;

#[derive(Debug)]
pub(super) struct Keeper {
    child: Child,
    log: PathBuf,
    keep_log: std::cell::Cell<bool>,
}

impl Keeper {
    /// Runs `python host` with only `environment`, its output in its own log.
    pub(super) fn start(
        name: &str,
        python: &Path,
        host: &Path,
        environment: Vec<(&'static str, OsString)>,
    ) -> Result<Self> {
        static STARTED: AtomicU32 = AtomicU32::new(0);
        let number = STARTED.fetch_add(1, Ordering::Relaxed);
        let folder = logs_folder();
        std::fs::create_dir_all(&folder).with_context(|| format!("can't make {}", folder.display()))?;
        let log = folder.join(format!("{name}-{}-{number}.log", std::process::id()));
        let output = File::create(&log).with_context(|| format!("can't write {}", log.display()))?;
        let child = Command::new(python)
            .arg(super::infra().join("keeper.py"))
            .arg(python)
            .arg(host)
            .env_clear()
            .envs(environment)
            .stdin(Stdio::piped())
            .stdout(output.try_clone()?)
            .stderr(output)
            // Ctrl-C in the terminal is for the test; the keeper notices it by the pipe.
            .process_group(0)
            .spawn()
            .with_context(|| format!("can't start {}", python.display()))?;
        Ok(Self { child, log, keep_log: false.into() })
    }

    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Keeps the log when this is dropped.
    pub(super) fn keep_log(&self) {
        self.keep_log.set(true);
    }

    /// Waits for a 200 from `/_localstack/health`, which both emulators have.
    pub(super) fn wait_until_healthy(&self, port: u16, patience: Duration) -> Result<()> {
        let deadline = Instant::now() + patience;
        while Instant::now() < deadline {
            // The emulator may have ended because another process, which may answer as well, has the port.
            if self.has_ended()? {
                bail!("it ended by itself: {}", self.end_of_log());
            }
            if healthy(port) {
                return Ok(());
            }
            sleep(Duration::from_millis(100));
        }
        bail!("no answer on port {port} within {} s: {}", patience.as_secs(), self.end_of_log());
    }

    /// Does not reap it: the process ID must stay valid until `drop` has waited for it.
    fn has_ended(&self) -> Result<bool> {
        let mut ps = Command::new("ps");
        let state = output(ps.args(["-o", "stat=", "-p", &self.child.id().to_string()]), PATIENCE)?;
        let state = String::from_utf8_lossy(&state.stdout);
        Ok(state.trim().is_empty() || state.trim_start().starts_with('Z'))
    }

    fn end_of_log(&self) -> String {
        let text = std::fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let tail = lines[lines.len().saturating_sub(LOG_LINES)..].join("\n");
        format!("its log is {}, and ends with\n{tail}", self.log.display())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let what = format!("the end of the keeper of {}", self.log.display());
        if let Err(error) = ended(&mut self.child, &what, END_WITHIN) {
            eprintln!("{error}");
        }
        if std::thread::panicking() || self.keep_log.get() {
            eprintln!("the emulator's log: {}", self.log.display());
        } else if let Err(error) = std::fs::remove_file(&self.log) {
            eprintln!("can't remove {}: {error}", self.log.display());
        }
    }
}

/// `target/PROFILE/local-aws`, next to the running test; the temporary folder for a program from elsewhere.
fn logs_folder() -> PathBuf {
    let program = std::env::current_exe().unwrap_or_default();
    let profile = program.ancestors().find(|folder| folder.file_name().is_some_and(|name| name == "deps"));
    profile.and_then(Path::parent).map_or_else(std::env::temp_dir, Path::to_path_buf).join("local-aws")
}

/// A port of 127.0.0.1 that was free just now.
pub(super) fn free_port() -> Result<u16> {
    let subscriber = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no free port on 127.0.0.1")?;
    Ok(subscriber.local_addr()?.port())
}

/// Whether something listens there.
pub(super) fn answers(port: u16) -> bool {
    connected((Ipv4Addr::LOCALHOST, port)).is_ok()
}

fn healthy(port: u16) -> bool {
    health(port).is_ok_and(|answer| answer.split_ascii_whitespace().nth(1) == Some("200"))
}

fn health(port: u16) -> std::io::Result<String> {
    let mut stream = connected((Ipv4Addr::LOCALHOST, port))?;
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    stream.write_all(b"GET /_localstack/health HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
    let mut head = Vec::new();
    match stream.take(64).read_to_end(&mut head) {
        Ok(_) => {}
        // The data before the reset is enough to read the status.
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        Err(error) => return Err(error),
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}
