//! When a running search is polled: at its interval, or when somebody asks; not while it is paused.

use stoop_domain::Time;
use stoop_pipeline::{Due, SearchControl};

use crate::engine::Engine;
use crate::out::complain;

/// How often to look what people ask, in milliseconds.
const LOOK_MS: u64 = 1_000;

/// The schedule of one search in this process.
pub(crate) struct Schedule<'e> {
    engine: &'e Engine,
    search: &'e str,
    /// The poll that was asked for last, if it was begun.
    answered: Option<Time>,
    has_complained: bool,
}

impl<'e> Schedule<'e> {
    pub(crate) fn of(engine: &'e Engine, search: &'e str) -> Self {
        let known = engine.database.next_poll(search).unwrap_or_else(|error| {
            complain!("stoop: {search}: {error:#}");
            None
        });
        Self { engine, search, answered: known.and_then(|known| known.answered), has_complained: false }
    }

    /// Waits until the search is to be polled, or the program stops. `due` is when it is due; `None` for now.
    pub(crate) async fn wait(&mut self, due: Option<&Due>) {
        while !self.engine.stop.is_set() {
            let control = self.control();
            let wait_ms = due.map_or(0, |due| due.wait_ms(self.engine.clock.now()));
            let is_paused = control.paused_at.is_some();
            if control.is_asked(self.answered) || (wait_ms == 0 && !is_paused) {
                self.answered = control.poll_asked_at;
                return;
            }
            let step_ms = if is_paused { LOOK_MS } else { wait_ms.min(LOOK_MS) };
            self.engine.clock.sleep(step_ms).await;
        }
    }

    /// Records when it is due after a poll that began at this time.
    pub(crate) fn keep(&mut self, due: &Due, began_at: Time) {
        let next = due.next_poll(self.search, began_at, self.answered);
        if let Err(error) = self.engine.database.keep_next_poll(&next) {
            self.complain(&error);
        }
    }

    /// What people ask of it. If that cannot be read, it is polled at its interval.
    fn control(&mut self) -> SearchControl {
        match self.engine.database.control(self.search) {
            Ok(control) => {
                self.has_complained = false;
                control
            }
            Err(error) => {
                self.complain(&error);
                SearchControl::of(self.search)
            }
        }
    }

    /// Once, not every second.
    fn complain(&mut self, error: &dyn std::error::Error) {
        if !std::mem::replace(&mut self.has_complained, true) {
            complain!(
                "stoop: {}: it cannot be paused or polled by hand: {}",
                self.search,
                stoop_pipeline::with_causes(error)
            );
        }
    }
}
