use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use stoop_runtime::SystemClock;

use super::exposition::Exposition;
use crate::schedule::DueTimes;

const CLASSES: [&str; 4] = ["2xx", "3xx", "4xx", "5xx"];

/// What a server counts about itself and the polling beside it, from its start.
#[derive(Debug, Default)]
pub(in crate::serve) struct ServerMeter {
    due: DueTimes,
    /// By class of status.
    requests: [AtomicU64; CLASSES.len()],
    answering_us: AtomicU64,
    bytes: AtomicU64,
    viewers: AtomicU64,
    refused: AtomicU64,
}

/// An open page that receives events, until it is dropped.
#[derive(Debug)]
pub(in crate::serve) struct Viewer(Arc<ServerMeter>);

impl ServerMeter {
    pub(in crate::serve) fn beside(due: DueTimes) -> Arc<Self> {
        Arc::new(Self { due, ..Self::default() })
    }

    /// How many searches of this process should have been polled a while ago.
    pub(in crate::serve) fn searches_overdue(&self) -> u64 {
        self.due.overdue(&SystemClock)
    }

    /// Counts an answer.
    pub(in crate::serve) fn answered(&self, status: u16, took: Duration, bytes: usize) {
        let class = usize::from((status / 100).clamp(2, 5)) - 2;
        self.requests[class].fetch_add(1, Relaxed);
        self.answering_us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Relaxed);
        self.bytes.fetch_add(bytes as u64, Relaxed);
    }

    /// Counts a request that is refused because too many wait.
    pub(in crate::serve) fn refused(&self) {
        self.refused.fetch_add(1, Relaxed);
    }

    /// Counts a page for as long as it is open.
    pub(in crate::serve) fn view(self: &Arc<Self>) -> Viewer {
        self.viewers.fetch_add(1, Relaxed);
        Viewer(Arc::clone(self))
    }

    pub(super) fn show(&self, text: &mut Exposition) {
        text.one("SearchesOverdue", self.searches_overdue());
        for (class, requests) in CLASSES.iter().zip(&self.requests) {
            text.add("HttpRequests", &[("status", class)], requests.load(Relaxed));
        }
        let ms = i64::try_from(self.answering_us.load(Relaxed) / 1_000).unwrap_or(i64::MAX);
        text.seconds("HttpAnswering", &[], ms);
        text.one("HttpBodyBytes", self.bytes.load(Relaxed));
        text.one("HttpRefused", self.refused.load(Relaxed));
        text.one("LiveViewers", self.viewers.load(Relaxed));
    }
}

impl Drop for Viewer {
    fn drop(&mut self) {
        self.0.viewers.fetch_sub(1, Relaxed);
    }
}
