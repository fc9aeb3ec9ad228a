use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::{FunctionError, Host};

/// The concurrency of an account, or of a function with reserved concurrency: an invocation beyond it is throttled and
/// does not reach its function. A new account has ten for all of its functions together ("Lambda quotas", AWS Lambda
/// Developer Guide: new accounts have reduced concurrency).
///
/// Clones share the limit.
#[derive(Clone, Debug)]
pub struct Account {
    executions_max: usize,
    under_way: Arc<AtomicUsize>,
}

/// A running execution; it ends when this is dropped.
struct Execution(Arc<AtomicUsize>);

impl Account {
    /// Allows this many concurrent executions.
    #[must_use]
    pub fn new(executions_max: usize) -> Self {
        Self { executions_max, under_way: Arc::default() }
    }

    /// Invokes a function, if the limit allows it.
    ///
    /// # Errors
    ///
    /// [`FunctionError::Throttled`] if it does not; otherwise as for [`Host::invoke`].
    pub async fn invoke(&self, host: &Host, event: &Value) -> Result<Value, FunctionError> {
        let _execution = self.begin().ok_or(FunctionError::Throttled(self.executions_max))?;
        host.invoke(event).await
    }

    /// The number of running executions.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    fn begin(&self) -> Option<Execution> {
        let more = |under_way| (under_way < self.executions_max).then_some(under_way + 1);
        let begun = self.under_way.fetch_update(Ordering::SeqCst, Ordering::SeqCst, more);
        begun.ok().map(|_| Execution(Arc::clone(&self.under_way)))
    }
}

impl Drop for Execution {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}
