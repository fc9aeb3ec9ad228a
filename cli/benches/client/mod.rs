//! A client of the pages, over one connection.

#![allow(dead_code, reason = "each bench uses its part")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use stoop_waits::connected;

/// A connection that is kept.
pub(crate) struct Connection {
    host: String,
    stream: BufReader<TcpStream>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
    /// Of the body as it was sent.
    pub(crate) bytes: usize,
}

impl Connection {
    pub(crate) fn open(host: &str) -> Self {
        let stream = connected(host).expect("a connection");
        stream.set_nodelay(true).expect("it can be set");
        Self { host: host.to_owned(), stream: BufReader::new(stream) }
    }

    pub(crate) fn timed(&mut self, path: &str) -> f64 {
        let began = Instant::now();
        self.get(path);
        began.elapsed().as_secs_f64() * 1_000.0
    }

    /// The answer, which must be a success.
    pub(crate) fn get(&mut self, path: &str) -> Answer {
        let answer = self.ask(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.body);
        answer
    }

    pub(crate) fn ask(&mut self, path: &str) -> Answer {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {}\r\nAccept-Encoding: gzip\r\n\r\n", self.host);
        self.stream.get_mut().write_all(request.as_bytes()).expect("it is sent");
        let (mut length, mut line) = (None, String::new());
        let (mut packed, mut status) = (false, 0);
        loop {
            line.clear();
            self.stream.read_line(&mut line).expect("a header");
            let header = line.trim_end().to_lowercase();
            if let Some(rest) = header.strip_prefix("http/1.1 ") {
                status = rest.split(' ').next().and_then(|code| code.parse().ok()).expect("a status");
            }
            length = length.or_else(|| header.strip_prefix("content-length: ").and_then(|bytes| bytes.parse().ok()));
            packed |= header == "content-encoding: gzip";
            if header.is_empty() {
                break;
            }
        }
        let mut body = Vec::new();
        match length {
            Some(bytes) => {
                body.resize(bytes, 0);
                self.stream.read_exact(&mut body).expect("a body");
            }
            None => self.read_chunks(&mut body),
        }
        let bytes = body.len();
        if packed {
            let mut text = String::new();
            flate2::read::GzDecoder::new(&*body).read_to_string(&mut text).expect("gzip");
            return Answer { status, body: text, bytes };
        }
        Answer { status, body: String::from_utf8_lossy(&body).into_owned(), bytes }
    }

    fn read_chunks(&mut self, body: &mut Vec<u8>) {
        loop {
            let mut line = String::new();
            self.stream.read_line(&mut line).expect("a size");
            let size = usize::from_str_radix(line.trim(), 16).expect("a size");
            let from = body.len();
            body.resize(from + size, 0);
            self.stream.read_exact(&mut body[from..]).expect("a chunk");
            self.stream.read_line(&mut line).expect("its end");
            if size == 0 {
                return;
            }
        }
    }
}
