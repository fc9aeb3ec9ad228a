use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use stoop_domain::Time;
use stoop_sources::{Grant, Request};
use tokio::sync::Mutex as Turn;

/// More tokens than one process needs. Tokens of changed secrets stay until this limit.
const TOKENS_MAX: usize = 256;

/// A token is renewed when a fifth of its lifetime, or at most this, is left.
const EARLY_MAX_MS: i64 = 300_000;

/// The bearer tokens of this process: one per client, shared by all polls. Never logged, never stored.
#[derive(Default)]
pub struct Tokens {
    held: Mutex<HashMap<[u8; 32], TokenSlot>>,
}

/// Holds a client's token.
type TokenSlot = Arc<Turn<Option<Token>>>;

/// A granted token.
pub(super) struct Token {
    pub(super) bearer: String,
    /// When to renew it; `None` if the server does not give its lifetime.
    renew_at: Option<Time>,
}

impl Tokens {
    /// The slot of the token for this request. Whoever holds the lock renews it; others wait instead of requesting a
    /// token as well.
    pub(super) fn of(&self, grant: &Request) -> TokenSlot {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        let fingerprint = fingerprint(grant);
        if held.len() >= TOKENS_MAX && !held.contains_key(&fingerprint) {
            held.clear();
        }
        Arc::clone(held.entry(fingerprint).or_default())
    }
}

impl Token {
    pub(super) fn new(grant: Grant, asked_at: Time) -> Self {
        let life_ms =
            grant.expires_in_s.map(|seconds| i64::try_from(seconds.saturating_mul(1_000)).unwrap_or(i64::MAX));
        // Counted from the request, which is not later than the start of the server's count.
        let renew_at = life_ms.map(|life_ms| asked_at.plus_ms(life_ms - (life_ms / 5).min(EARLY_MAX_MS)));
        Self { bearer: grant.token, renew_at }
    }

    /// Whether it may be used for a request now.
    pub(super) fn is_good(&self, now: Time) -> bool {
        self.renew_at.is_none_or(|renew_at| now < renew_at)
    }
}

fn fingerprint(grant: &Request) -> [u8; 32] {
    let mut hasher = blake3::Hasher::new();
    let headers = grant.headers.iter().flat_map(|(name, value)| [name.as_bytes(), value.as_bytes()]);
    for part in [grant.url.as_bytes()].into_iter().chain(headers).chain(grant.body.as_deref()) {
        hasher.update(&(part.len() as u64).to_le_bytes()).update(part);
    }
    *hasher.finalize().as_bytes()
}

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_renewed_in_good_time() {
        let token = |expires_in_s| Token::new(Grant { token: "t".into(), expires_in_s }, Time::from_ms(0));
        let good_until = |expires_in_s| {
            let token = token(Some(expires_in_s));
            token.renew_at.unwrap().ms() / 1_000
        };
        assert_eq!([28_800, 3_600, 100, 0].map(good_until), [28_500, 3_300, 80, 0]);
        assert!(token(None).is_good(Time::from_ms(i64::MAX)), "until the server refuses it");
        assert!(!token(Some(0)).is_good(Time::from_ms(0)));
    }

    #[test]
    fn clients_have_a_token_each() {
        let tokens = Tokens::default();
        let request = |secret: &str| {
            let credentials = stoop_sources::ClientCredentials {
                token_url: "https://api.test/token".into(),
                client_id: "stoop".into(),
                client_secret: secret.into(),
                scope: None,
            };
            credentials.request()
        };
        assert!(Arc::ptr_eq(&tokens.of(&request("a")), &tokens.of(&request("a"))));
        assert!(!Arc::ptr_eq(&tokens.of(&request("a")), &tokens.of(&request("b"))));
    }
}
