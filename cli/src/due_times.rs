//! When the searches of this process are due, for others to see whether they are overdue.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use stoop_domain::Time;
use stoop_pipeline::Clock;

/// A poll that has not begun so long after it was due is overdue.
const OVERDUE_MS: i64 = 5 * 60 * Time::SECOND_MS;

/// When the searches that wait in this process are due, by the steady clock.
#[derive(Clone, Debug, Default)]
pub(crate) struct DueTimes(Arc<Mutex<BTreeMap<String, i64>>>);

impl DueTimes {
    /// `None` for a search that is paused, or polled now.
    pub(crate) fn set(&self, search: &str, due_ms: Option<i64>) {
        match due_ms {
            Some(due_ms) => drop(self.lock().insert(search.to_owned(), due_ms)),
            None => drop(self.lock().remove(search)),
        }
    }

    /// How many searches should have been polled a while ago.
    pub(crate) fn overdue(&self, clock: &dyn Clock) -> u64 {
        let latest_ms = clock.steady_ms().saturating_sub(OVERDUE_MS);
        self.lock().values().filter(|due_ms| **due_ms < latest_ms).count() as u64
    }

    /// A panic elsewhere leaves whole entries.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, Ordering};

    use async_trait::async_trait;

    use super::*;

    const MINUTE_MS: i64 = 60_000;

    #[derive(Default)]
    struct Steady(AtomicI64);

    #[async_trait]
    impl Clock for Steady {
        fn now(&self) -> Time {
            Time::from_ms(self.0.load(Ordering::SeqCst))
        }

        async fn sleep(&self, _: u64) {}
    }

    #[test]
    fn a_search_is_overdue_five_minutes_after_it_was_due_unless_it_is_polled_or_paused() {
        let (clock, due) = (Steady::default(), DueTimes::default());
        due.set("austin", Some(MINUTE_MS));
        due.set("graz", Some(5 * MINUTE_MS));
        for (minutes, overdue) in [(0, 0), (6, 0), (7, 1), (11, 2)] {
            clock.0.store(minutes * MINUTE_MS, Ordering::SeqCst);
            assert_eq!(due.overdue(&clock), overdue, "after {minutes} minutes");
        }
        due.set("graz", None);
        assert_eq!(due.overdue(&clock), 1);
    }
}
