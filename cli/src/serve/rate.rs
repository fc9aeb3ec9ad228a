use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Requests a second that a token may make on average.
const PER_SECOND: u32 = 200;
/// Requests that it may make at once.
const BURST: u32 = 400;

/// The requests of each token, by the generic cell rate algorithm: one time per token, at which its allowance is whole
/// again ("Traffic control and congestion control in B-ISDN", ITU-T I.371, annex A).
#[derive(Default)]
pub(super) struct Rates(Mutex<HashMap<String, Instant>>);

impl Rates {
    /// Counts a request of the token; an error with the wait if that is too many.
    pub(super) fn admit(&self, token: &str, now: Instant) -> Result<(), Duration> {
        let interval = Duration::from_secs(1) / PER_SECOND;
        // A panic elsewhere leaves whole times.
        let mut whole_at = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let known = whole_at.get(token).copied().unwrap_or(now).max(now);
        let next = known + interval;
        let over = next.duration_since(now).saturating_sub(interval * BURST);
        if !over.is_zero() {
            return Err(over);
        }
        whole_at.insert(token.to_owned(), next);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_burst_then_its_rate_and_others_have_theirs() {
        let (rates, now) = (Rates::default(), Instant::now());
        assert!((0..BURST).all(|_| rates.admit("ann", now).is_ok()));
        let wait = rates.admit("ann", now).unwrap_err();
        assert!(wait <= Duration::from_secs(1) / PER_SECOND && !wait.is_zero(), "{wait:?}");
        assert!(rates.admit("bob", now).is_ok(), "another token");
        assert!(rates.admit("ann", now + wait).is_ok(), "after the wait");
        assert!(rates.admit("ann", now + wait).is_err(), "a refused request counts for nothing");
        let later = now + Duration::from_secs(1);
        let admitted = (0..2 * PER_SECOND).filter(|_| rates.admit("ann", later).is_ok()).count();
        assert_eq!(admitted, PER_SECOND as usize - 1, "a second's rate, less the one above");
        let whole = now + Duration::from_secs(60);
        assert_eq!((0..2 * BURST).filter(|_| rates.admit("ann", whole).is_ok()).count(), BURST as usize);
    }
}
