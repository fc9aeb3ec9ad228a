//! Clients that listen to events: each takes up a connection for as long as it likes.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Listeners at a time: half of the connections, so that the others stay for requests.
const LISTENERS_MAX: usize = 128;
/// Reads for listeners at a time.
const READS_MAX: usize = 2;

/// The places of listeners.
pub(super) struct Listeners {
    places: Arc<Semaphore>,
    /// Permits for reads of the database.
    pub(super) reads: Arc<Semaphore>,
}

impl Default for Listeners {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(LISTENERS_MAX)), reads: Arc::new(Semaphore::new(READS_MAX)) }
    }
}

impl Listeners {
    /// A place until it is dropped; `None` if all are taken.
    pub(super) fn place(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.places).try_acquire_owned().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_leave_room_for_requests() {
        let listeners = Listeners::default();
        let places: Vec<_> = std::iter::from_fn(|| listeners.place()).take(1_000).collect();
        assert!(places.len() < super::super::connections::ConnectionBounds::OF_SERVER.connections);
        drop(places);
        assert!(listeners.place().is_some());
    }
}
