//! The outermost bound of a test that nextest does not run.

use std::io::Write;
use std::process;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// The exit code of a Rust program that panicked.
const PANICKED: i32 = 101;

/// Ends this process if it is not dropped in time. For tests in one process, where a thread that waits for ever cannot be
/// ended alone.
#[derive(Debug)]
pub struct Limit {
    _dropped: Sender<()>,
}

impl Limit {
    /// `name` is of what is limited, such as a test.
    #[must_use]
    pub fn of(name: &str, bound: Duration) -> Self {
        let (sender, receiver) = channel();
        let text = format!("{name} has not ended within {bound:?}: this process ends");
        std::thread::spawn(move || {
            if receiver.recv_timeout(bound) == Err(RecvTimeoutError::Timeout) {
                // Not by eprintln, which a test's thread captures and this process would not print.
                drop(writeln!(std::io::stderr(), "{text}"));
                process::exit(PANICKED);
            }
        });
        Self { _dropped: sender }
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::{PATIENCE, output};

    /// Not a test by itself: the next one runs it in its own process.
    #[test]
    #[ignore = "waits until it is ended; run by a_test_beyond_its_limit_is_ended_and_named"]
    fn waits_beyond_its_limit() {
        drop(Limit::of("what ended in time", Duration::from_secs(2)));
        std::thread::sleep(Duration::from_secs(3));
        let _limit = Limit::of("this one", Duration::from_millis(100));
        std::thread::sleep(PATIENCE);
    }

    #[test]
    fn a_test_beyond_its_limit_is_ended_and_named() {
        let mut test = Command::new(std::env::current_exe().unwrap());
        test.args(["--ignored", "--exact", "limit::tests::waits_beyond_its_limit"]);
        let ended = output(&mut test, PATIENCE).unwrap();
        let stderr = String::from_utf8(ended.stderr).unwrap();
        assert_eq!(ended.status.code(), Some(PANICKED), "{stderr}");
        assert_eq!(stderr, "this one has not ended within 100ms: this process ends\n");
    }
}
