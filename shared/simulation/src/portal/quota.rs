use stoop_domain::Time;

/// Counts requests per clock minute and clock hour, on the clock it is given.
#[derive(Debug, Default)]
pub(crate) struct Quota {
    minute: Tally,
    hour: Tally,
}

#[derive(Debug, Default)]
struct Tally {
    window: i64,
    used: u32,
}

pub(crate) const MINUTE_MS: i64 = 60_000;

impl Quota {
    /// Counts a request at `now`. When a limit is reached already, the request is not counted: gives
    /// after how many seconds the window ends.
    pub(crate) fn take(&mut self, now: Time, per_minute: Option<u32>, per_hour: Option<u32>) -> Result<(), i64> {
        self.minute.turn(now, MINUTE_MS);
        self.hour.turn(now, Time::HOUR_MS);
        if per_hour.is_some_and(|limit| self.hour.used >= limit) {
            return Err(seconds_left(now, Time::HOUR_MS));
        }
        if per_minute.is_some_and(|limit| self.minute.used >= limit) {
            return Err(seconds_left(now, MINUTE_MS));
        }
        self.minute.used += 1;
        self.hour.used += 1;
        Ok(())
    }
}

impl Tally {
    fn turn(&mut self, now: Time, width_ms: i64) {
        let window = now.ms().div_euclid(width_ms);
        if window != self.window {
            *self = Self { window, used: 0 };
        }
    }
}

/// Rounded up: who waits so long is let in.
fn seconds_left(now: Time, width_ms: i64) -> i64 {
    let left_ms = width_ms - now.ms().rem_euclid(width_ms);
    (left_ms + Time::SECOND_MS - 1) / Time::SECOND_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_minute_lets_in_again_until_the_hour_is_used_up() {
        let mut quota = Quota::default();
        let mut at = |ms: i64| quota.take(Time::from_ms(ms), Some(2), Some(3));
        assert_eq!([at(0), at(1), at(30_500)], [Ok(()), Ok(()), Err(30)]);
        assert_eq!([at(60_000), at(60_001)], [Ok(()), Err(3_540)]);
        assert_eq!(at(3_600_000), Ok(()));
    }
}
