//! Lines that a program prints while it runs.

use std::io::{BufRead, BufReader, Read};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use crate::{PATIENCE, in_vain};

/// The lines of a pipe, read on a thread of their own, so that the program never waits for a reader.
#[derive(Debug)]
pub struct Lines(Receiver<String>);

impl Lines {
    /// Begins to read.
    pub fn of(pipe: impl Read + Send + 'static) -> Self {
        let (sender, receiver) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                // Read on if nobody listens any more.
                drop(sender.send(line));
            }
        });
        Self(receiver)
    }

    /// The next line; `None` after the last.
    ///
    /// # Panics
    ///
    /// There is neither within [`PATIENCE`].
    #[track_caller]
    pub fn next(&self, what: &str) -> Option<String> {
        self.next_within(what, PATIENCE).unwrap_or_else(|text| panic!("{text}"))
    }

    fn next_within(&self, what: &str, bound: Duration) -> Result<Option<String>, String> {
        match self.0.recv_timeout(bound) {
            Ok(line) => Ok(Some(line)),
            Err(RecvTimeoutError::Disconnected) => Ok(None),
            Err(RecvTimeoutError::Timeout) => Err(in_vain(what, bound)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_one_by_one_and_then_the_end() {
        let lines = Lines::of(&b"one\ntwo"[..]);
        assert_eq!(lines.next("one").as_deref(), Some("one"));
        assert_eq!(lines.next("two").as_deref(), Some("two"));
        assert_eq!(lines.next("the end"), None);
    }

    #[test]
    fn a_line_that_never_comes_is_given_up() {
        let (silent, _writer) = std::io::pipe().unwrap();
        let given_up = Lines::of(silent).next_within("an address", Duration::from_millis(30));
        assert_eq!(given_up, Err("waited 30ms in vain for an address".to_owned()));
    }
}
