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

    /// Waits until the search is to be polled, or the program stops. `due` is when it is due; `None` for now. A clock that
    /// is set meanwhile neither delays nor hastens the poll.
    pub(crate) async fn wait(&mut self, due: Option<&Due>) {
        let clock = &*self.engine.clock;
        let wait_ms = due.map_or(0, |due| due.wait_ms(clock.now()));
        let due_ms = clock.steady_ms().saturating_add(i64::try_from(wait_ms).unwrap_or(i64::MAX));
        while !self.engine.stop.is_set() {
            let control = self.control();
            let is_paused = control.paused_at.is_some();
            self.engine.due.set(self.search, (!is_paused).then_some(due_ms));
            let left_ms = u64::try_from(due_ms - clock.steady_ms()).unwrap_or(0);
            if control.is_asked(self.answered) || (left_ms == 0 && !is_paused) {
                self.answered = control.poll_asked_at;
                self.engine.due.set(self.search, None);
                return;
            }
            let step_ms = if is_paused { LOOK_MS } else { left_ms.min(LOOK_MS) };
            clock.sleep(step_ms).await;
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicI64, Ordering};

    use async_trait::async_trait;
    use stoop_embedded::{Database, FolderFiles};
    use stoop_pipeline::{Cadence, Clock};

    use super::*;
    use crate::due_times::DueTimes;
    use crate::stop::{Stop, StoppableHttp};

    const MINUTE_MS: i64 = 60_000;

    /// A clock that advances for sleepers only, and is set once, while somebody sleeps.
    #[derive(Default)]
    struct SetOnce {
        wall: AtomicI64,
        steady: AtomicI64,
        set_by_ms: AtomicI64,
    }

    #[async_trait]
    impl Clock for SetOnce {
        fn now(&self) -> Time {
            Time::from_ms(self.wall.load(Ordering::SeqCst))
        }

        async fn sleep(&self, ms: u64) {
            let ms = ms.cast_signed();
            self.wall.fetch_add(ms + self.set_by_ms.swap(0, Ordering::SeqCst), Ordering::SeqCst);
            self.steady.fetch_add(ms, Ordering::SeqCst);
        }

        fn steady_ms(&self) -> i64 {
            self.steady.load(Ordering::SeqCst)
        }
    }

    fn engine(folder: &tempfile::TempDir, clock: &Arc<SetOnce>) -> Engine {
        let stop = Stop::default();
        Engine {
            database: Database::open(&folder.path().join("stoop.db"), &folder.path().join("data")).unwrap(),
            http: Arc::new(StoppableHttp::new(&stop)),
            files: FolderFiles::new(folder.path()),
            tokens: Arc::default(),
            clock: clock.clone(),
            due: DueTimes::default(),
            stop,
        }
    }

    #[tokio::test]
    async fn a_clock_that_is_set_neither_delays_nor_hastens_a_poll() {
        for set_by_ms in [0, -Time::HOUR_MS, Time::HOUR_MS] {
            let folder = tempfile::tempdir().unwrap();
            let clock = Arc::new(SetOnce { wall: AtomicI64::new(1_768_392_000_000), ..SetOnce::default() });
            let engine = engine(&folder, &clock);
            let due = Due::after(&Cadence::steady(15 * 60_000), None, clock.now());
            clock.set_by_ms.store(set_by_ms, Ordering::SeqCst);
            Schedule::of(&engine, "austin").wait(Some(&due)).await;
            assert_eq!(clock.steady_ms(), 15 * MINUTE_MS, "set by {set_by_ms} ms");
        }
    }
}
