use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use stoop_domain::Time;
use stoop_pipeline::Clock;

/// The system clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

/// The readings of both clocks when each asker last asked for a jump.
static ASKED: Mutex<BTreeMap<String, ClockReadings>> = Mutex::new(BTreeMap::new());

#[derive(Clone, Copy, Debug)]
struct ClockReadings {
    wall: Time,
    steady_ms: i64,
}

impl ClockReadings {
    /// By how much the clock was set since the earlier readings.
    fn jumped_ms(self, before: Self) -> i64 {
        (self.wall.ms() - before.wall.ms()) - (self.steady_ms - before.steady_ms)
    }
}

#[async_trait]
impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "only this module reads the clock")]
    fn now(&self) -> Time {
        let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
        Time::from_ms(since.ok().and_then(|d| i64::try_from(d.as_millis()).ok()).unwrap_or(0))
    }

    async fn sleep(&self, ms: u64) {
        tokio::time::sleep(std::time::Duration::from_millis(ms)).await;
    }

    fn steady_ms(&self) -> i64 {
        steady_ms()
    }

    fn jumped_ms(&self, asker: &str) -> i64 {
        let readings = ClockReadings { wall: self.now(), steady_ms: steady_ms() };
        let before = ASKED.lock().unwrap_or_else(PoisonError::into_inner).insert(asker.to_owned(), readings);
        before.map_or(0, |before| readings.jumped_ms(before))
    }
}

/// Milliseconds of a clock that advances while the computer sleeps.
#[cfg(target_os = "linux")]
fn steady_ms() -> i64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
    time.tv_sec * 1_000 + time.tv_nsec / 1_000_000
}

/// Milliseconds of a clock that may stop while the computer sleeps.
#[cfg(not(target_os = "linux"))]
fn steady_ms() -> i64 {
    static BEGAN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let elapsed = BEGAN.get_or_init(std::time::Instant::now).elapsed();
    i64::try_from(elapsed.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_set_forward_or_back_has_jumped_by_that_much() {
        let at = |wall, steady_ms| ClockReadings { wall: Time::from_ms(wall), steady_ms };
        let before = at(1_000_000, 500);
        assert_eq!(at(1_060_000, 60_500).jumped_ms(before), 0, "a minute has passed");
        assert_eq!(at(1_060_000 - Time::HOUR_MS, 60_500).jumped_ms(before), -Time::HOUR_MS);
        assert_eq!(at(1_060_000 + Time::HOUR_MS, 60_500).jumped_ms(before), Time::HOUR_MS);
    }

    #[test]
    fn a_clock_that_is_not_set_has_not_jumped() {
        SystemClock.jumped_ms("austin");
        assert!(SystemClock.jumped_ms("austin").abs() < 60_000);
    }
}
