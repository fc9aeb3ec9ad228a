use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use super::{FunctionError, Host};

/// The executions that an account, or a function with reserved concurrency, may have at the same time: an invocation
/// beyond is throttled, and its function does not hear of it. A new account has ten for all of its functions together
/// ("Lambda quotas", AWS Lambda Developer Guide: new accounts have reduced concurrency).
///
/// Clones share the executions.
#[derive(Clone, Debug)]
pub struct Account {
    executions_max: usize,
    under_way: Arc<AtomicUsize>,
}

/// An execution that ends when this is dropped.
struct Execution(Arc<AtomicUsize>);

impl Account {
    /// So many executions at the same time.
    #[must_use]
    pub fn new(executions_max: usize) -> Self {
        Self { executions_max, under_way: Arc::default() }
    }

    /// Invokes a function, if there is an execution left.
    ///
    /// # Errors
    /// [`FunctionError::Throttled`] where there is none; else as for [`Host::invoke`].
    pub async fn invoke(&self, host: &Host, event: &Value) -> Result<Value, FunctionError> {
        let _execution = self.begin().ok_or(FunctionError::Throttled(self.executions_max))?;
        host.invoke(event).await
    }

    /// How many are under way.
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
