//! Answers on their way: a bounded number of bytes, so that clients that read slowly do not fill the memory.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use stoop_serve::api::ApiResponse;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The bytes of all answers on their way, in units of [`UNIT`]: 192 MiB. Answers that are remembered are shared, and counted for
/// each client.
const UNITS_MAX: usize = 192 << 10;
const UNIT: usize = 1 << 10;

/// A bound for answers on their way.
pub(super) struct Sending(Arc<Semaphore>);

/// The bound is reached.
#[derive(Debug)]
pub(super) struct TooMuch;

impl Default for Sending {
    fn default() -> Self {
        Self::up_to(UNITS_MAX)
    }
}

/// The body of an answer, which keeps it and its place until it is sent.
struct SentBody {
    answer: Arc<ApiResponse>,
    _place: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for SentBody {
    fn as_ref(&self) -> &[u8] {
        &self.answer.body
    }
}

impl Sending {
    fn up_to(units: usize) -> Self {
        Self(Arc::new(Semaphore::new(units)))
    }

    /// The body of an answer, which shares its bytes.
    pub(super) fn body(&self, answer: &Arc<ApiResponse>) -> Result<Body, TooMuch> {
        let units = u32::try_from(answer.body.len().div_ceil(UNIT)).map_err(|_| TooMuch)?;
        let place = Arc::clone(&self.0).try_acquire_many_owned(units).map_err(|_| TooMuch)?;
        Ok(Body::from(Bytes::from_owner(SentBody { answer: Arc::clone(answer), _place: place })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_beyond_the_bound_wait_for_those_that_are_sent() {
        let sending = Sending::up_to(10);
        let answer = Arc::new(ApiResponse { status: 200, headers: Vec::new(), body: vec![b'x'; 4_000] });
        let bodies = [sending.body(&answer).unwrap(), sending.body(&answer).unwrap()];
        assert_eq!(Arc::strong_count(&answer), 3, "they share the bytes");
        assert!(matches!(sending.body(&answer), Err(TooMuch)));
        drop(bodies);
        assert!(sending.body(&answer).is_ok());
        assert_eq!(Arc::strong_count(&answer), 1);
    }
}
