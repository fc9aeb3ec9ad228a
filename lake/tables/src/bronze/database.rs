use std::collections::HashSet;
use std::sync::Arc;

use stoop_embedded::Database;
use stoop_pipeline::ports::PortError;
use tokio::sync::mpsc;

use super::{Bronze, Chunks, OUTBOX};
use crate::error::doing;

impl Bronze {
    /// The lake of a laptop: the files that were not `taken`, and the outbox.
    #[must_use]
    pub fn of_database(database: Arc<Database>, taken: HashSet<String>) -> Self {
        let (sender, receiver) = mpsc::channel(1);
        let to_receiver = sender.clone();
        tokio::task::spawn_blocking(move || {
            let mut chunks = Chunks::new(move |chunk| to_receiver.blocking_send(chunk).is_ok());
            let read = database.observations_of(
                |object| !taken.contains(&object.path),
                |object, line| match chunks.push(object.map_or(OUTBOX, |object| &object.path), line) {
                    true => Ok(()),
                    false => Err(Stopped::Receiver),
                },
            );
            match read {
                Ok(()) => chunks.end(),
                Err(Stopped::Receiver) => {}
                // If nobody listens any more, nobody needs the error.
                Err(Stopped::Failed(error)) => drop(sender.blocking_send(Err(doing("read bronze")(error)))),
            }
        });
        Self(receiver)
    }
}

enum Stopped {
    /// Nobody wants more chunks.
    Receiver,
    Failed(PortError),
}

impl From<PortError> for Stopped {
    fn from(error: PortError) -> Self {
        Self::Failed(error)
    }
}
