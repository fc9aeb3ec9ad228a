//! A server of pages, started for a test.

use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use crate::project::shown;

/// A server prints its address within this time. The demo polls through months first.
const STARTS_WITHIN: Duration = Duration::from_mins(10);
/// A server prints its address in one of the first lines.
const LINES_MAX: usize = 200;

/// A server, which is killed when this is dropped.
#[derive(Debug)]
pub(crate) struct Server {
    process: Child,
    base: String,
}

impl Server {
    /// Starts a server. Returns when it has printed its [address](base_url).
    ///
    /// # Errors
    /// If it cannot be run, ends, or prints no address within ten minutes, with what it printed instead.
    pub(crate) fn start(command: &mut Command) -> Result<Self> {
        Self::start_within(command, STARTS_WITHIN)
    }

    fn start_within(command: &mut Command, time: Duration) -> Result<Self> {
        let name = shown(command);
        let process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut process = process.with_context(|| format!("can't run {name}"))?;
        let out = process.stdout.take();
        // Killed from here on, whatever happens.
        let mut server = Self { process, base: String::new() };
        let lines = BufReader::new(out.context("no pipe")?).lines();
        server.base = wait_for_address(&forwarded(lines), time).with_context(|| format!("`{name}` did not start"))?;
        Ok(server)
    }

    /// `http://127.0.0.1:PORT/`.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// The process's ID.
    pub(crate) fn id(&self) -> u32 {
        self.process.id()
    }

    /// # Errors
    /// If the address has none, which [`base_url`] excludes.
    pub(crate) fn port(&self) -> Result<&str> {
        let port = self.base.strip_prefix(LOOPBACK).and_then(|rest| rest.strip_suffix('/'));
        port.with_context(|| format!("{} has no port", self.base))
    }
}

impl Drop for Server {
    #[expect(clippy::disallowed_methods, reason = "it was killed")]
    fn drop(&mut self) {
        if let Err(error) = self.process.kill().and_then(|()| self.process.wait()) {
            eprintln!("the server was not ended: {error}");
        }
    }
}

const LOOPBACK: &str = "http://127.0.0.1:";

/// The address in a line of a server's output: `http://127.0.0.1:PORT/`, with a slash and no path. The simulated portal's,
/// which the demo prints too, has no slash.
fn base_url(line: &str) -> Option<&str> {
    let begin = line.find(LOOPBACK)?;
    let url = line[begin..].split(|c: char| c.is_whitespace() || c.is_control()).next()?;
    let port = url.strip_prefix(LOOPBACK)?.strip_suffix('/')?;
    port.parse::<u16>().is_ok().then_some(url)
}

/// Reads to the end, so that the server never waits for a reader.
fn forwarded(lines: Lines<BufReader<ChildStdout>>) -> Receiver<String> {
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for line in lines.map_while(Result::ok) {
            // Nobody listens once the address is known.
            drop(sender.send(line));
        }
    });
    receiver
}

fn wait_for_address(lines: &Receiver<String>, time: Duration) -> Result<String> {
    let end = Instant::now() + time;
    let mut printed = Vec::new();
    while printed.len() < LINES_MAX {
        match lines.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(line) => match base_url(&line) {
                Some(base) => return Ok(base.to_owned()),
                None => printed.push(line),
            },
            Err(_) => break,
        }
    }
    bail!("it printed no address like {LOOPBACK}8317/ within {} s, but:\n{}", time.as_secs(), printed.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::project::Project;

    fn started(script: &str, time: Duration) -> Result<Server> {
        Server::start_within(Command::new("sh").args(["-c", script]), time)
    }

    #[test]
    fn an_address_is_loopback_a_port_and_a_slash() {
        assert_eq!(base_url("Look at http://127.0.0.1:8317/ (Ctrl-C stops)"), Some("http://127.0.0.1:8317/"));
        assert_eq!(base_url("http://127.0.0.1:8317/"), Some("http://127.0.0.1:8317/"));
        for other in [
            "A simulated listing portal answers on http://127.0.0.1:4000 (RESO Web API).",
            "http://127.0.0.1:4000/odata",
            "http://127.0.0.1:99999/",
            "http://192.0.2.1:80/",
        ] {
            assert_eq!(base_url(other), None, "{other}");
        }
    }

    #[test]
    fn a_server_that_prints_its_address_is_started_and_ended() {
        let script = "echo http://127.0.0.1:4000; echo 'pages: http://127.0.0.1:8317/'; exec sleep 600";
        let server = started(script, STARTS_WITHIN).unwrap();
        assert_eq!((server.base(), server.port().unwrap()), ("http://127.0.0.1:8317/", "8317"));
        let id = server.id().to_string();
        let project = Project::here().unwrap();
        let is_running = || project.output(Command::new("kill").args(["-0", &id])).is_ok();
        assert!(is_running());
        drop(server);
        assert!(!is_running());
    }

    #[test]
    fn a_server_that_ends_or_says_nothing_is_an_error_with_its_output() {
        let ended = format!("{:#}", started("echo no database; exit 1", STARTS_WITHIN).unwrap_err());
        assert!(ended.ends_with("but:\nno database"), "{ended}");
        started("exec sleep 600", Duration::from_millis(200)).unwrap_err();
    }
}
