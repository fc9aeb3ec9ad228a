//! The clock of an invocation that has a deadline.

use async_trait::async_trait;
use stoop_domain::Time;

use crate::Clock;

/// How long before its deadline a poll stops: a request may take 30 seconds, and storing the index, publishing and
/// sending the continuation take more.
const MARGIN_MS: i64 = 60_000;

/// The clock of one invocation: sleepers wake when its time is over.
pub(super) struct DeadlineClock<'a> {
    clock: &'a dyn Clock,
    end: Time,
}

impl<'a> DeadlineClock<'a> {
    /// If there is little time in all, half of it is the margin.
    pub(super) fn new(clock: &'a dyn Clock, deadline: Time) -> Self {
        let left_ms = deadline.ms() - clock.now().ms();
        Self { clock, end: deadline.plus_ms(-MARGIN_MS.min(left_ms / 2)) }
    }

    /// When to stop asking for pages.
    pub(super) fn end(&self) -> Time {
        self.end
    }

    /// Whether to stop asking for pages.
    pub(super) fn is_over(&self) -> bool {
        self.clock.now() >= self.end
    }
}

#[async_trait]
impl Clock for DeadlineClock<'_> {
    fn now(&self) -> Time {
        self.clock.now()
    }

    async fn sleep(&self, ms: u64) {
        let left_ms = u64::try_from(self.end.ms() - self.clock.now().ms()).unwrap_or(0);
        self.clock.sleep(ms.min(left_ms)).await;
    }

    fn steady_ms(&self) -> i64 {
        self.clock.steady_ms()
    }

    fn jumped_ms(&self, asker: &str) -> i64 {
        self.clock.jumped_ms(asker)
    }
}
