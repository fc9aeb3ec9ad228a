//! A temporary folder in which the real `stoop` runs, as a user runs it.

#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]

pub mod real;

use std::cmp::Reverse;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
pub use stoop_waits::{PATIENCE, until};
use tempfile::TempDir;

/// A map of rows with the ID, time, price and city of a home for sale.
pub const MAP: &str = r#"
name = "made"
country = "US"
currency = "USD"
purpose = "sale"
[fields]
native_id = { from = "id" }
observed_at = { from = "seen", date = "iso" }
list_price = { from = "price" }
city = { from = "city" }
"#;

/// A folder for one test. Programs run in it, so that relative paths refer to it.
pub struct Room(TempDir);

/// The result of a run of the program.
pub struct Outcome {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Room {
    pub fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Writes a file and returns its name.
    pub fn write<'n>(&self, name: &'n str, content: impl AsRef<[u8]>) -> &'n str {
        std::fs::write(self.path(name), content).unwrap();
        name
    }

    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap()
    }

    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stoop"));
        command.args(args).current_dir(self.0.path()).env_remove("STOOP_LOG").stdin(Stdio::null());
        command
    }

    pub fn stoop(&self, args: &[&str]) -> Outcome {
        Outcome::of(&mut self.command(args))
    }

    /// Starts the program without waiting. Its output is dropped.
    pub fn start(&self, args: &[&str]) -> Running {
        let mut command = self.command(args);
        Running(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    /// The JSON output of a run that must succeed.
    pub fn json(&self, args: &[&str]) -> Value {
        let args: Vec<&str> = args.iter().copied().chain(["--json"]).collect();
        self.stoop(&args).ok().json()
    }

    pub fn replay(&self, map: &str, files: &[&str]) -> Value {
        let args: Vec<&str> = ["replay", "--map", map].into_iter().chain(files.iter().copied()).collect();
        self.json(&args)
    }

    /// Whether `stoop verify` finds the stored state equal to the recomputed one.
    #[track_caller]
    pub fn is_equal(&self) -> Value {
        let message = self.json(&["verify"]);
        assert_eq!(message["equal"], true, "{message}");
        message
    }

    /// The IDs of the alerts that were sent, sorted, with duplicates.
    pub fn alert_ids(&self) -> Vec<String> {
        let message = self.json(&["alerts", "--limit", "100000"]);
        let mut ids: Vec<String> = list(&message["alerts"]).iter().map(|alert| text(&alert["id"]).to_owned()).collect();
        assert_eq!(message["total"], ids.len());
        assert!(
            list(&message["alerts"]).is_sorted_by_key(|alert| Reverse(text(&alert["at"]))),
            "the newest first: {message}"
        );
        ids.sort();
        ids
    }

    /// The lines of `alerts.jsonl`.
    pub fn alert_lines(&self) -> Vec<Value> {
        match std::fs::read_to_string(self.path("stoop-data/alerts.jsonl")) {
            Ok(lines) => lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// The rejects: position, reason, detail; sorted by position.
    pub fn rejects(&self) -> Vec<(String, String, String)> {
        let message = self.json(&["quarantine", "--limit", "100000"]);
        let part = |reject: &Value, name: &str| text(&reject[name]).to_owned();
        let mut rejects: Vec<_> = list(&message["rejects"])
            .iter()
            .map(|reject| (part(reject, "location"), part(reject, "reason"), part(reject, "detail")))
            .collect();
        assert_eq!(message["kept"], rejects.len());
        rejects.sort();
        rejects
    }
}

impl Outcome {
    pub fn of(command: &mut Command) -> Self {
        Self::from(stoop_waits::output(command, PATIENCE).unwrap())
    }

    /// Waits for the end of a program and of its piped output.
    #[track_caller]
    pub fn at_the_end_of(running: &mut Running) -> Self {
        Self::from(stoop_waits::finished(&mut running.0, "the end of stoop", PATIENCE).unwrap())
    }
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Asserts that the program refuses its input with exit code 2 and prints all of this.
    #[track_caller]
    pub fn refused(&self, says: &[&str]) {
        assert_eq!(self.code, Some(2), "{}\n{}", self.stdout, self.stderr);
        for part in says {
            assert!(self.stderr.contains(part), "{part:?} is not in:\n{}", self.stderr);
        }
        assert!(!self.stderr.contains("panicked"), "{}", self.stderr);
    }

    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {}", self.stdout))
    }
}

impl From<Output> for Outcome {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }
}

/// A running program; killed when dropped.
pub struct Running(pub Child);

impl Running {
    pub fn kill(mut self) {
        // On Unix this is SIGKILL: the program cannot handle it.
        self.0.kill().unwrap();
        stoop_waits::ended(&mut self.0, "the end of a killed stoop", PATIENCE).unwrap();
    }

    /// Sends SIGINT, like Ctrl-C.
    #[cfg(unix)]
    pub fn interrupt(&self) {
        self.signal("-INT");
    }

    /// Sends SIGTERM, like `kill`, systemd and Docker.
    #[cfg(unix)]
    pub fn terminate(&self) {
        self.signal("-TERM");
    }

    #[cfg(unix)]
    fn signal(&self, signal: &str) {
        let sent = stoop_waits::status(Command::new("kill").args([signal, &self.0.id().to_string()]), PATIENCE);
        assert!(sent.unwrap().success());
    }

    pub fn has_ended(&mut self) -> bool {
        self.0.try_wait().unwrap().is_some()
    }

    #[track_caller]
    pub fn wait(mut self) -> Option<i32> {
        stoop_waits::ended(&mut self.0, "the end of stoop", PATIENCE).unwrap().code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(stoop_waits::ended(&mut self.0, "the end of a killed stoop", PATIENCE));
    }
}

/// Asserts that `message` has each of the `expected` values.
#[track_caller]
pub fn says(message: &Value, expected: &Value) {
    for (name, value) in expected.as_object().unwrap() {
        assert_eq!(&message[name], value, "{name} in {message}");
    }
}

#[track_caller]
pub fn list(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no list: {value}"))
}

#[track_caller]
pub fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}"))
}

#[track_caller]
pub fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The path of one of the project's own maps.
pub fn map(name: &str) -> String {
    root().join("maps").join(name).display().to_string()
}

/// The peak memory of a process in kilobytes, if the system reports it.
pub fn peak_of(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
