use std::sync::atomic::{AtomicI64, Ordering};

use async_trait::async_trait;
use stoop_domain::Time;
use stoop_pipeline::Clock;

/// A clock that stays where it was set; sleepers advance it.
pub struct StandingClock {
    now: AtomicI64,
    slept: AtomicI64,
}

impl StandingClock {
    /// It says this time.
    #[must_use]
    pub fn at(now: Time) -> Self {
        Self { now: AtomicI64::new(now.ms()), slept: AtomicI64::new(0) }
    }

    /// Sets it.
    pub fn set(&self, now: Time) {
        self.now.store(now.ms(), Ordering::SeqCst);
    }

    /// Sets it ahead by this many milliseconds, or back.
    pub fn pass(&self, ms: i64) {
        self.now.fetch_add(ms, Ordering::SeqCst);
    }

    /// How long sleepers have slept, in milliseconds.
    pub fn slept_ms(&self) -> i64 {
        self.slept.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Clock for StandingClock {
    fn now(&self) -> Time {
        Time::from_ms(self.now.load(Ordering::SeqCst))
    }

    async fn sleep(&self, ms: u64) {
        self.slept.fetch_add(ms.cast_signed(), Ordering::SeqCst);
        self.pass(ms.cast_signed());
    }
}
