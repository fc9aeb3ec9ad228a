use async_trait::async_trait;
use stoop_domain::Time;
use stoop_pipeline::Clock;

/// How long before the function's deadline a poll stops: a request may take 30 seconds, and index, stream and
/// the message that goes on take some more.
const MARGIN_MS: i64 = 60_000;

/// The clock of one invocation: who sleeps is woken when the invocation's time is over.
pub(crate) struct DeadlineClock<'a> {
    clock: &'a dyn Clock,
    end: Time,
}

impl<'a> DeadlineClock<'a> {
    /// For a function with little time in all, half of what it has.
    pub(crate) fn new(clock: &'a dyn Clock, deadline: Time) -> Self {
        let left_ms = deadline.ms() - clock.now().ms();
        Self { clock, end: deadline.plus_ms(-MARGIN_MS.min(left_ms / 2)) }
    }

    /// When no more pages are to be asked for.
    pub(crate) fn end(&self) -> Time {
        self.end
    }

    /// Whether no more pages are to be asked for.
    pub(crate) fn is_over(&self) -> bool {
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

    fn jumped_ms(&self) -> i64 {
        self.clock.jumped_ms()
    }
}
