//! Tells open pages that the state has changed, by server-sent events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::stream;
use stoop_embedded::Database;
use tokio::sync::{OwnedSemaphorePermit, watch};

use super::metrics::Viewer;
use super::readers::read_beside;
use super::remembered::Look;

/// How often the database is asked for its version: a cheap read of a few bytes.
const LOOK: Duration = Duration::from_millis(200);
/// How often it is looked whether something still polls.
const LOOK_AT_POLLER: Duration = Duration::from_secs(5);
/// The least time between two events of one page.
const PAUSE: Duration = Duration::from_secs(1);

/// What is known of the database. Tells of each change, and when something begins or ends to poll.
pub(super) fn watch(database: Arc<Database>) -> watch::Receiver<Look> {
    let (sender, receiver) = watch::channel(Look { version: 0, at: Instant::now(), newest_alert: 0 });
    tokio::spawn(async move {
        let (mut known, mut failed) = (None, false);
        let (mut polled, mut looked) = (None, None::<Instant>);
        while !sender.is_closed() {
            if looked.is_none_or(|looked| looked.elapsed() >= LOOK_AT_POLLER) {
                looked = Some(Instant::now());
                // If it cannot be known, the next look may tell.
                polled = read_beside(&database, Database::polling).await.ok().or(polled);
            }
            let at = Instant::now();
            let read = |database: &Database| Ok((database.data_version()?, database.newest_alert()?));
            match read_beside(&database, read).await.map(|(version, newest)| ((version, polled), newest)) {
                Ok((version, newest_alert)) if known != Some(version) => {
                    known = Some(version);
                    sender.send_modify(|look| *look = Look { version: look.version + 1, at, newest_alert });
                }
                Ok(_) => {
                    failed = false;
                    sender.send_if_modified(|look| {
                        look.at = at;
                        // Those who listen need not hear of it.
                        false
                    });
                }
                // Once, not five times a second.
                Err(error) if !failed => {
                    failed = true;
                    tracing::warn!(error = format!("{error:#}"), "web pages are not kept current");
                }
                Err(_) => {}
            }
            tokio::time::sleep(LOOK).await;
        }
    });
    receiver
}

/// The events of one page, until it closes or its visitor is no longer admitted. `viewer` is there, and takes up its place, as
/// long.
pub(super) fn stream(
    versions: watch::Receiver<Look>,
    viewer: (Viewer, OwnedSemaphorePermit),
    is_admitted: impl Fn() -> bool + Send + 'static,
) -> impl IntoResponse {
    let of = (versions, viewer, is_admitted);
    let events = stream::unfold(of, |(mut versions, viewer, is_admitted)| async move {
        versions.changed().await.ok()?;
        let version = versions.borrow_and_update().version;
        tokio::time::sleep(PAUSE).await;
        let event = Event::default().event("changed").data(version.to_string());
        is_admitted().then(|| (Ok::<_, Infallible>(event), (versions, viewer, is_admitted)))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}
