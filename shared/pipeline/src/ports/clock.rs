use async_trait::async_trait;
use stoop_domain::Time;

/// The time, and waiting for it.
#[async_trait]
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Time;
    /// Waits.
    async fn sleep(&self, ms: u64);
    /// Milliseconds since some moment, by a clock that is never set and advances while the computer sleeps.
    fn steady_ms(&self) -> i64 {
        self.now().ms()
    }
    /// By how many milliseconds the clock was set ahead or back since this asker's last call, compared with a clock that is
    /// never set. 0 if unknown, as at a first call.
    fn jumped_ms(&self, asker: &str) -> i64 {
        let _ = asker;
        0
    }
}
