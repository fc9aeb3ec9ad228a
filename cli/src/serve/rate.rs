//! How often somebody may do something, by the generic cell rate algorithm: one time for each, at which its allowance is
//! whole again ("Traffic control and congestion control in B-ISDN", ITU-T I.371, annex A).

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// At most so many are remembered. Beyond, those who used their allowance up may begin anew.
const KNOWN_MAX: usize = 10_000;

/// The allowance of each key.
pub(super) struct Rates {
    /// The average time between two uses.
    interval: Duration,
    /// Uses at once.
    burst: u32,
    whole_at: Mutex<HashMap<String, Instant>>,
}

impl Rates {
    /// Requests with a token: 200 a second on average, and 400 at once.
    pub(super) fn of_requests() -> Self {
        Self::new(Duration::from_millis(5), 400)
    }

    /// Wrong tokens from an address: ten a minute, and 20 at once.
    pub(super) fn of_wrong_tokens() -> Self {
        Self::new(Duration::from_secs(6), 20)
    }

    fn new(interval: Duration, burst: u32) -> Self {
        Self { interval, burst, whole_at: Mutex::default() }
    }

    /// Counts a use; an error with the wait if that is too many.
    pub(super) fn admit(&self, key: &str, now: Instant) -> Result<(), Duration> {
        let mut whole_at = self.lock();
        let next = self.after_one_more(&whole_at, key, now)?;
        if whole_at.len() >= KNOWN_MAX && !whole_at.contains_key(key) {
            whole_at.retain(|_, whole_at| *whole_at > now);
            if whole_at.len() >= KNOWN_MAX {
                whole_at.clear();
            }
        }
        whole_at.insert(key.to_owned(), next);
        Ok(())
    }

    /// Whether one more use would be admitted; an error with the wait if not.
    pub(super) fn check(&self, key: &str, now: Instant) -> Result<(), Duration> {
        self.after_one_more(&self.lock(), key, now).map(drop)
    }

    fn after_one_more(
        &self,
        whole_at: &HashMap<String, Instant>,
        key: &str,
        now: Instant,
    ) -> Result<Instant, Duration> {
        let known = whole_at.get(key).copied().unwrap_or(now).max(now);
        let next = known + self.interval;
        let over = next.duration_since(now).saturating_sub(self.interval * self.burst);
        if over.is_zero() { Ok(next) } else { Err(over) }
    }

    /// A panic elsewhere leaves whole times.
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Instant>> {
        self.whole_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key of a client's address: an IPv4 address, or the network of an IPv6 address, of which one client has many. A proxy on
/// this computer tells the client's own, which it wrote last into `X-Forwarded-For`.
pub(super) fn client(peer: IpAddr, forwarded_for: Option<&str>) -> String {
    let reported = forwarded_for.and_then(|reported| reported.rsplit(',').next()?.trim().parse().ok());
    match reported.filter(|_| peer.is_loopback()).unwrap_or(peer).to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{}/64", Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_its_burst_then_its_rate_and_others_have_theirs() {
        let (rates, now) = (Rates::new(Duration::from_millis(5), 400), Instant::now());
        assert!((0..400).all(|_| rates.admit("ann", now).is_ok()));
        let wait = rates.admit("ann", now).unwrap_err();
        assert!(wait <= Duration::from_millis(5) && !wait.is_zero(), "{wait:?}");
        assert_eq!(rates.check("ann", now), Err(wait));
        assert!(rates.admit("bob", now).is_ok(), "another token");
        assert!(rates.admit("ann", now + wait).is_ok(), "after the wait");
        assert!(rates.admit("ann", now + wait).is_err(), "a refused request counts for nothing");
        let later = now + Duration::from_secs(1);
        let admitted = (0..400).filter(|_| rates.admit("ann", later).is_ok()).count();
        assert_eq!(admitted, 199, "a second's rate, less the one above");
        let whole = now + Duration::from_secs(60);
        assert_eq!((0..800).filter(|_| rates.admit("ann", whole).is_ok()).count(), 400);
    }

    #[test]
    fn a_check_counts_for_nothing() {
        let (rates, now) = (Rates::new(Duration::from_secs(6), 2), Instant::now());
        assert!((0..100).all(|_| rates.check("192.0.2.1", now).is_ok()));
        assert!(rates.admit("192.0.2.1", now).is_ok() && rates.admit("192.0.2.1", now).is_ok());
        assert_eq!(rates.check("192.0.2.1", now), Err(Duration::from_secs(6)));
    }

    #[test]
    fn many_addresses_take_up_little() {
        let (rates, now) = (Rates::of_wrong_tokens(), Instant::now());
        for number in 0..3 * KNOWN_MAX {
            rates.admit(&number.to_string(), now).unwrap();
            assert!(rates.lock().len() <= KNOWN_MAX);
        }
    }

    #[test]
    fn a_client_is_an_address_or_a_network_that_a_proxy_here_may_tell() {
        let of = |peer: &str, reported| client(peer.parse().unwrap(), reported);
        assert_eq!(of("192.0.2.1", None), "192.0.2.1");
        assert_eq!(of("::ffff:192.0.2.1", None), "192.0.2.1");
        assert_eq!(of("2001:db8:1:2:3:4:5:6", None), "2001:db8:1:2::/64");
        assert_eq!(of("127.0.0.1", Some("203.0.113.9, 198.51.100.7")), "198.51.100.7", "what the proxy wrote itself");
        assert_eq!(of("127.0.0.1", Some("unknown")), "127.0.0.1");
        assert_eq!(of("192.0.2.1", Some("198.51.100.7")), "192.0.2.1", "anybody may write that");
    }
}
