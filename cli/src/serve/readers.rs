//! Readers of the database: a few at a time, each on a thread with a handle of its own, and a bounded number of requests
//! that wait for one. SQLite gives each a snapshot, so that they neither wait for each other nor for a writer.

use std::num::NonZero;
use std::ops::Deref;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::anyhow;
use stoop_embedded::{Database, OpenError};
use stoop_pipeline::ports::PortError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::args::StoreArgs;

/// How many read at a time, and who may wait.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReadBounds {
    /// Reads at a time.
    pub(super) readers: usize,
    /// Requests that wait for a reader.
    pub(super) waiting: usize,
    /// How long each may wait.
    pub(super) patience: Duration,
}

impl ReadBounds {
    pub(super) const OF_METRICS: Self = Self { readers: 1, waiting: 4, patience: Duration::from_secs(1) };

    /// Of pages and the API: two to four readers, one for each processor.
    pub(super) fn of_answers() -> Self {
        let processors = std::thread::available_parallelism().map_or(2, NonZero::get);
        Self { readers: processors.clamp(2, 4), waiting: 64, patience: Duration::from_secs(1) }
    }
}

/// Readers within [`ReadBounds`].
pub(super) struct Readers {
    /// As many as there are free places.
    idle: Mutex<Vec<Arc<Database>>>,
    places: Arc<Semaphore>,
    waiting: Semaphore,
    patience: Duration,
}

/// Why nothing was read.
#[derive(Debug)]
pub(super) enum NotRead {
    /// Too many wait, or this one has waited long enough.
    Busy,
    Failed(anyhow::Error),
}

impl Readers {
    /// # Errors
    /// If the database cannot be read.
    pub(super) fn open(store: &StoreArgs, bounds: ReadBounds) -> Result<Arc<Self>, OpenError> {
        let handles = (0..bounds.readers).map(|_| Database::open_read(store.db(), &store.data()));
        Ok(Self::of(handles.collect::<Result<_, _>>()?, bounds))
    }

    /// Of these handles.
    pub(super) fn of(handles: Vec<Arc<Database>>, ReadBounds { waiting, patience, .. }: ReadBounds) -> Arc<Self> {
        let (places, waiting) = (Arc::new(Semaphore::new(handles.len())), Semaphore::new(waiting));
        Arc::new(Self { idle: Mutex::new(handles), places, waiting, patience })
    }

    /// Reads on another thread, when a reader is free. What has begun is read to its end even if nobody wants it any more.
    ///
    /// # Errors
    /// If too many wait already, if none gets free in time, or if `read` panics.
    pub(super) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Database) -> T + Send + 'static,
    ) -> Result<T, NotRead> {
        let place = self.place().await.ok_or(NotRead::Busy)?;
        let readers = Arc::clone(self);
        let reading = tokio::task::spawn_blocking(move || Lent::from(readers, place).map(|lent| read(&lent)));
        reading.await.map_err(|error| NotRead::Failed(error.into()))?.map_err(NotRead::Failed)
    }

    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Some(place);
        }
        let _waits = self.waiting.try_acquire().ok()?;
        tokio::time::timeout(self.patience, Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()
    }

    /// A panic elsewhere leaves a whole list.
    fn lock(&self) -> MutexGuard<'_, Vec<Arc<Database>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads on another thread, through a handle that others use at the same time.
///
/// # Errors
/// If it cannot be read.
pub(super) async fn read_beside<T: Send + 'static>(
    database: &Arc<Database>,
    read: impl FnOnce(&Database) -> Result<T, PortError> + Send + 'static,
) -> anyhow::Result<T> {
    let database = Arc::clone(database);
    Ok(tokio::task::spawn_blocking(move || read(&database)).await??)
}

/// A handle that goes back to its readers, before the next one may take its place.
struct Lent {
    handle: Arc<Database>,
    readers: Arc<Readers>,
    _place: OwnedSemaphorePermit,
}

impl Lent {
    fn from(readers: Arc<Readers>, place: OwnedSemaphorePermit) -> anyhow::Result<Self> {
        // The last one that was used has the most pages in its memory.
        let handle = readers.lock().pop().ok_or_else(|| anyhow!("there are fewer readers than places"))?;
        Ok(Self { handle, readers, _place: place })
    }
}

impl Deref for Lent {
    type Target = Database;

    fn deref(&self) -> &Database {
        &self.handle
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        self.readers.lock().push(Arc::clone(&self.handle));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use stoop_waits::PATIENCE;

    use super::*;

    fn readers(bounds: ReadBounds) -> (tempfile::TempDir, Arc<Readers>) {
        let folder = tempfile::tempdir().unwrap();
        let (file, data) = (folder.path().join("stoop.db"), folder.path().join("stoop-data"));
        drop(Database::open(&file, &data).unwrap());
        let handles = (0..bounds.readers).map(|_| Database::open_read(&file, &data).unwrap());
        let readers = Readers::of(handles.collect(), bounds);
        (folder, readers)
    }

    /// A read that goes on until something is sent, or nobody can.
    async fn blocked(readers: &Arc<Readers>) -> mpsc::Sender<()> {
        let (begun, begins) = tokio::sync::oneshot::channel();
        let (end, ends) = mpsc::channel::<()>();
        let readers = Arc::clone(readers);
        tokio::spawn(async move {
            let read = readers.read(move |_| {
                begun.send(()).unwrap();
                assert!(ends.recv_timeout(PATIENCE).is_err(), "the sender is dropped");
            });
            drop(read.await);
        });
        tokio::time::timeout(PATIENCE, begins).await.unwrap().unwrap();
        end
    }

    #[tokio::test]
    async fn one_beyond_those_that_may_wait_is_refused_at_once_and_a_free_reader_reads() {
        let (_folder, readers) = readers(ReadBounds { readers: 2, waiting: 1, patience: PATIENCE });
        let ends = [blocked(&readers).await, blocked(&readers).await];
        let waits = tokio::spawn({
            let readers = Arc::clone(&readers);
            async move { readers.read(|database| database.counts().unwrap().homes).await }
        });
        while readers.waiting.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(readers.read(|_| ()).await, Err(NotRead::Busy)));
        drop(ends);
        assert_eq!(tokio::time::timeout(PATIENCE, waits).await.unwrap().unwrap().unwrap(), 0);
        assert!(readers.read(|_| ()).await.is_ok(), "its place is free again");
    }

    #[tokio::test]
    async fn one_that_has_waited_long_enough_is_refused() {
        let (_folder, readers) = readers(ReadBounds { readers: 1, waiting: 1, patience: Duration::from_millis(1) });
        let end = blocked(&readers).await;
        assert!(matches!(readers.read(|_| ()).await, Err(NotRead::Busy)));
        drop(end);
    }

    #[tokio::test]
    async fn a_panic_gives_the_handle_back() {
        let (_folder, readers) = readers(ReadBounds { readers: 1, waiting: 1, patience: PATIENCE });
        for _ in 0..3 {
            assert!(matches!(readers.read(|_| panic!("made")).await, Err::<(), _>(NotRead::Failed(_))));
        }
        assert!(readers.read(|_| ()).await.is_ok());
    }
}
