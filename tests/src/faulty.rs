use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use stoop_domain::{Home, HomeId, Market, Observation};
use stoop_market::Cells;
use stoop_pipeline::ports::{Commit, CommitError, FailureKind, Gathers, PortError, Store, Versioned};

/// A real store that fails on request.
///
/// Each fault has its own counter; a commit checks, in this order: failure, conflict, lost response.
pub struct Faulty<S: ?Sized> {
    inner: Arc<S>,
    reads_to_fail: AtomicUsize,
    commits_to_fail: AtomicUsize,
    commits_to_conflict: AtomicUsize,
    answers_to_lose: AtomicUsize,
    items_max: AtomicUsize,
    kind: Mutex<FailureKind>,
}

impl<S: Store + ?Sized> Faulty<S> {
    /// A store that behaves like `inner` until a fault is requested.
    pub fn new(inner: Arc<S>) -> Self {
        let none = || AtomicUsize::new(0);
        let items_max = AtomicUsize::new(inner.commit_items_max());
        Self {
            inner,
            reads_to_fail: none(),
            commits_to_fail: none(),
            commits_to_conflict: none(),
            answers_to_lose: none(),
            items_max,
            kind: Mutex::new(FailureKind::Unavailable),
        }
    }

    /// Later faults are failures of this kind, instead of [`FailureKind::Unavailable`].
    pub fn fail_as(&self, kind: FailureKind) {
        *self.kind.lock().unwrap_or_else(PoisonError::into_inner) = kind;
    }

    /// The next `n` reads fail.
    pub fn fail_reads(&self, n: usize) {
        self.reads_to_fail.store(n, Ordering::SeqCst);
    }

    /// The next `n` commits store nothing and fail.
    pub fn fail_commits(&self, n: usize) {
        self.commits_to_fail.store(n, Ordering::SeqCst);
    }

    /// The next `n` commits store nothing and report a conflict.
    pub fn conflict_commits(&self, n: usize) {
        self.commits_to_conflict.store(n, Ordering::SeqCst);
    }

    /// The next `n` commits store everything and then fail, like a connection that breaks before the response.
    pub fn lose_answers(&self, n: usize) {
        self.answers_to_lose.store(n, Ordering::SeqCst);
    }

    /// Limits commits to `n` items, like a cloud store.
    pub fn limit_items(&self, n: usize) {
        self.items_max.store(n, Ordering::SeqCst);
    }

    /// The faults before a commit.
    fn meet(&self, commit: &Commit<'_>) -> Result<(), CommitError> {
        let items = commit.homes.len() + commit.markets.len();
        let items_max = self.items_max.load(Ordering::SeqCst);
        assert!(items <= items_max, "a commit of {items} items, where at most {items_max} are accepted");
        if due(&self.commits_to_fail) {
            return Err(self.made_up("commit").into());
        }
        if due(&self.commits_to_conflict) { Err(CommitError::Conflict) } else { Ok(()) }
    }

    fn made_up(&self, what: &str) -> PortError {
        let kind = *self.kind.lock().unwrap_or_else(PoisonError::into_inner);
        PortError::new(kind, what, "a made-up fault")
    }

    fn answer(&self) -> Result<(), CommitError> {
        if due(&self.answers_to_lose) { Err(self.made_up("hear of a commit").into()) } else { Ok(()) }
    }

    fn read(&self) -> Result<(), PortError> {
        if due(&self.reads_to_fail) { Err(self.made_up("read")) } else { Ok(()) }
    }
}

#[async_trait]
impl<S: Store + ?Sized> Store for Faulty<S> {
    async fn homes(&self, ids: &[HomeId]) -> Result<Vec<Option<Versioned<Home>>>, PortError> {
        self.read()?;
        self.inner.homes(ids).await
    }

    async fn markets(&self, ids: &[Market]) -> Result<Vec<Option<Versioned<Cells>>>, PortError> {
        self.read()?;
        self.inner.markets(ids).await
    }

    async fn commit(&self, commit: &Commit<'_>) -> Result<(), CommitError> {
        self.meet(commit)?;
        self.inner.commit(commit).await?;
        self.answer()
    }

    fn commit_items_max(&self) -> usize {
        self.items_max.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl<S: Gathers + ?Sized> Gathers for Faulty<S> {
    type Held = S::Held;

    fn hold(&self, held: &mut Self::Held, observations: &[&Observation]) -> Result<(), PortError> {
        self.inner.hold(held, observations)
    }

    fn held_bytes(held: &Self::Held) -> usize {
        S::held_bytes(held)
    }

    fn release(&self, held: &mut Self::Held) -> Result<Vec<Observation>, PortError> {
        self.inner.release(held)
    }

    async fn commit_held(&self, commit: &Commit<'_>, held: &mut Self::Held) -> Result<(), CommitError> {
        self.meet(commit)?;
        self.inner.commit_held(commit, held).await?;
        self.answer()
    }
}

/// Whether another fault is due.
fn due(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
}
