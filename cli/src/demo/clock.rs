use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use async_trait::async_trait;
use stoop_domain::Time;
use stoop_pipeline::Clock;
use stoop_runtime::SystemClock;

use crate::stop::Stop;

/// The days from a time to a later one, begun ones too.
pub(super) fn days(from: Time, until: Time) -> i64 {
    let ms = until.ms() - from.ms();
    ms.div_euclid(Time::DAY_MS) + i64::from(ms.rem_euclid(Time::DAY_MS) > 0)
}

/// A clock that shows the market's time. It stands still, and waiting takes no time; or it runs fast, and waiting takes real
/// time.
pub(super) struct DemoClock {
    pace: Mutex<DemoPace>,
    stop: Stop,
}

#[derive(Clone, Copy)]
struct DemoPace {
    base: Time,
    began: Instant,
    /// Simulated seconds per second.
    speed: i64,
}

impl DemoClock {
    /// A clock that stands at a time.
    pub(super) fn at(base: Time, stop: &Stop) -> Self {
        Self { pace: Mutex::new(DemoPace { base, began: Instant::now(), speed: 0 }), stop: stop.clone() }
    }

    /// Stands at another time.
    pub(super) fn stand(&self, base: Time) {
        *self.lock() = DemoPace { base, began: Instant::now(), speed: 0 };
    }

    /// Runs on from where it is.
    pub(super) fn run(&self, speed: i64) {
        let base = self.now();
        *self.lock() = DemoPace { base, began: Instant::now(), speed };
    }

    /// Lets this time pass at once, if the clock stands still.
    fn passes(&self, ms: u64) -> bool {
        let mut pace = self.lock();
        let stands = pace.speed == 0;
        if stands {
            pace.base = pace.base.plus_ms(ms.cast_signed());
        }
        stands
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, DemoPace> {
        self.pace.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Clock for DemoClock {
    fn now(&self) -> Time {
        let DemoPace { base, began, speed } = *self.lock();
        let elapsed_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(0);
        base.plus_ms(elapsed_ms.saturating_mul(speed))
    }

    async fn sleep(&self, ms: u64) {
        if self.passes(ms) {
            tokio::task::yield_now().await;
        } else {
            let _ = self.stop.unless_set(SystemClock.sleep(ms)).await;
        }
    }
}
