//! What is known of programs while they run.

use std::collections::VecDeque;
use std::time::Instant;

/// The environment variable with the mark of a step in all programs that it starts: also those whose parent has ended are
/// found by it, on Linux.
pub(crate) const MARK: &str = "STOOP_STEP";

/// How many of a program's last lines are shown when it is ended.
const LINES_MAX: usize = 30;

/// A program that runs.
#[derive(Debug)]
pub(crate) struct Running {
    pub(crate) id: u32,
    pub(crate) mark: String,
    pub(crate) shown: String,
    pub(crate) began: Instant,
    pub(crate) last: VecDeque<String>,
}

impl Running {
    /// It has printed a line.
    pub(crate) fn print(&mut self, line: &str) {
        self.last.push_back(line.trim_end().to_owned());
        if self.last.len() > LINES_MAX {
            self.last.pop_front();
        }
    }
}
