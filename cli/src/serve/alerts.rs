//! Alerts as server-sent events: each as it is recorded, from where the client was.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures_util::{StreamExt, stream};
use stoop_domain::Verdict;
use stoop_embedded::Database;
use stoop_pipeline::ports::{LedgerRow, PortError};
use stoop_pipeline::with_causes;
use stoop_serve::AlertView;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::readers::read_beside;
use super::remembered::Look;

/// The most alerts that are read at a time.
const AT_ONCE: usize = 100;
/// The pause after a failed read.
const RETRY: Duration = Duration::from_secs(2);

/// The ledger, for listeners.
#[derive(Clone)]
pub(super) struct Ledger {
    pub(super) database: Arc<Database>,
    /// Permits for reads.
    pub(super) reads: Arc<Semaphore>,
}

impl Ledger {
    async fn read<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Database) -> Result<T, PortError> + Send + 'static,
    ) -> anyhow::Result<T> {
        let _permit = self.reads.acquire().await?;
        read_beside(&self.database, read).await
    }
}

/// The alerts that are sent from now on; with `last_event_id`, those after that one. An event's ID is the alert's position
/// in the ledger; one that the ledger does not have yet is of another database, and stands for the newest. Ends when the client
/// is no longer admitted. Keeps its `place` until then.
pub(super) async fn stream(
    ledger: Ledger,
    versions: watch::Receiver<Look>,
    last_event_id: Option<i64>,
    place: OwnedSemaphorePermit,
    is_admitted: impl Fn() -> bool + Send + 'static,
) -> anyhow::Result<impl IntoResponse> {
    let newest = ledger.read(Database::newest_alert).await?;
    let after = last_event_id.map_or(newest, |last| last.min(newest));
    let from = (ledger, versions, after, newest, place, is_admitted);
    let batches = stream::unfold(from, |(ledger, mut versions, after, newest, place, is_admitted)| async move {
        let mut known = newest;
        loop {
            known = versions.borrow_and_update().newest_alert.max(known);
            if after >= known {
                versions.changed().await.ok()?;
                continue;
            }
            match ledger.read(move |database| database.news_after(after, AT_ONCE)).await {
                Ok(alerts) if !alerts.is_empty() => {
                    if !is_admitted() {
                        return None;
                    }
                    let last = alerts.last().map_or(after, |(position, _)| *position);
                    return Some((alerts, (ledger, versions, last, known, place, is_admitted)));
                }
                Ok(_) => versions.changed().await.ok()?,
                Err(error) => {
                    tracing::warn!(error = format!("{error:#}"), "alerts cannot be read for a client that listens");
                    tokio::time::sleep(RETRY).await;
                }
            }
        }
    });
    let events = batches.flat_map(|alerts| stream::iter(alerts.into_iter().filter_map(event).map(Ok::<_, Infallible>)));
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

/// The event of an alert that is sent; `None` for one that is held back or damaged.
fn event((position, alert): LedgerRow) -> Option<Event> {
    let alert = alert.inspect_err(|error| tracing::error!(error = with_causes(error), "an alert is left out")).ok()?;
    if alert.verdict != Verdict::Alert {
        return None;
    }
    let event = Event::default().event("alert").id(position.to_string()).json_data(AlertView::of(&alert));
    event.inspect_err(|error| tracing::error!(%error, "an alert cannot be written as JSON")).ok()
}
