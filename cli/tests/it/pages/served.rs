//! A server of pages and its answers.

use std::io::{Read, Write};
use std::process::Stdio;

use serde_json::Value;
use stoop_waits::{Lines, connected};

use crate::support::{Room, Running};

/// A running `stoop serve`.
pub(crate) struct RunningServer {
    pub(crate) running: Running,
    /// `127.0.0.1:40123`
    pub(crate) host: String,
}

/// A response, its body uncompressed.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl RunningServer {
    pub(crate) fn start(room: &Room) -> Self {
        Self::start_with(room, &[])
    }

    pub(crate) fn start_with(room: &Room, more: &[&str]) -> Self {
        let mut command = room.command(&[&["serve", "--port", "0"], more].concat());
        let mut running = Running(command.stdout(Stdio::piped()).spawn().unwrap());
        let line = Lines::of(running.0.stdout.take().unwrap()).next("the address of the pages").unwrap_or_default();
        let host = line.strip_prefix("Pages: http://").and_then(|rest| rest.split('/').next());
        Self { host: host.unwrap_or_else(|| panic!("no address: {line}")).to_owned(), running }
    }

    pub(crate) fn send(&self, request: &str) -> Answer {
        let mut stream = connected(&self.host).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut bytes = Vec::new();
        stream.read_to_end(&mut bytes).unwrap();
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("headers end");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().and_then(|line| line.split(' ').nth(1)).and_then(|code| code.parse().ok()).unwrap();
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
            .collect();
        let is = |name: &str, wanted: &str| headers.iter().any(|(known, value)| known == name && value == wanted);
        let mut body = bytes[end + 4..].to_vec();
        if is("transfer-encoding", "chunked") {
            body = unchunked(&body);
        }
        if is("content-encoding", "gzip") {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(&*body).read_to_end(&mut plain).unwrap();
            body = plain;
        }
        Answer { status, headers, body: String::from_utf8(body).unwrap_or_default() }
    }

    pub(crate) fn get_with(&self, path: &str, headers: &str) -> Answer {
        self.send(&format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n{headers}\r\n", self.host))
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.get_with(path, "")
    }

    #[track_caller]
    pub(crate) fn page(&self, path: &str) -> String {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        assert!(answer.body.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{path}: {}", answer.body);
        assert_eq!(answer.body.matches("<h1>").count(), 1, "{path}");
        answer.body
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap()
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }
}

fn unchunked(mut bytes: &[u8]) -> Vec<u8> {
    let mut whole = Vec::new();
    while let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") {
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        whole.extend(&bytes[end + 2..end + 2 + size]);
        bytes = &bytes[end + 4 + size..];
    }
    whole
}
