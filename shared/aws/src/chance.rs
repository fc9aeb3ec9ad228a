use std::hash::{BuildHasher, RandomState};

/// An unpredictable number, for names that no other process uses and to spread attempts in time. No stored value or
/// decision depends on it otherwise.
pub(crate) fn random() -> u64 {
    RandomState::new().hash_one(())
}

/// The pause before an attempt (0 is the first) in milliseconds: random, up to a bound that doubles each time, so that
/// callers refused together do not return together.
pub(crate) fn backoff_ms(attempt: u32, first_ms: u64, max_ms: u64) -> u64 {
    let bound = first_ms.saturating_mul(1 << attempt.min(20)).min(max_ms);
    random() % (bound + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_are_spread_and_bounded() {
        let pauses: Vec<u64> = (0..1_000).map(|_| backoff_ms(3, 50, 10_000)).collect();
        assert!(pauses.iter().all(|pause| *pause <= 400));
        assert!(pauses.iter().any(|pause| *pause > 300) && pauses.iter().any(|pause| *pause < 100));
        assert!((0..100).all(|_| backoff_ms(90, 50, 10_000) <= 10_000));
    }
}
