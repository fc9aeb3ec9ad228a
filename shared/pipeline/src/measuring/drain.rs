//! Processes everything on a stream that has one reader.

use stoop_domain::{Observation, Time};

use crate::Clock;
use crate::measuring::inbox::Inbox;
use crate::measuring::measure::Measured;
use crate::ports::{PortError, Quarantine, StreamReader};

/// Records processed at a time.
const RECORDS_MAX: usize = 64;

/// What draining a stream needs of the world.
#[derive(Clone, Copy)]
pub struct DrainPorts<'a> {
    /// The stream.
    pub stream: &'a dyn StreamReader,
    /// Takes unreadable lines.
    pub quarantine: &'a dyn Quarantine,
    /// The time.
    pub clock: &'a dyn Clock,
    /// Whether to leave the rest to the next call.
    pub stop: &'a (dyn Fn() -> bool + Sync),
}

/// Processes the records of a stream until it is empty. Unreadable lines go to quarantine, the observations of the other
/// lines to `take`, which stores their effect. After that the records are removed: after a crash before it, the same
/// observations are taken again.
///
/// If a clock was days ahead and is corrected, or was set back by days, new polls have earlier times than those before.
/// They are still newer, so that no sighting before the newest one is of the future.
///
/// # Errors
///
/// A port or `take` fails. What was processed before is removed.
pub async fn drain<E: From<PortError>>(
    ports: DrainPorts<'_>,
    mut take: impl AsyncFnMut(&[Observation]) -> Result<Measured, E>,
) -> Result<Measured, E> {
    let DrainPorts { stream, quarantine, clock, stop } = ports;
    let mut total = Measured::default();
    while !stop() {
        let records = stream.records(RECORDS_MAX).await?;
        let Some((last, _)) = records.last() else { break };
        let newest = stream.newest_sighting().await?.unwrap_or_default();
        let inbox = read(&records, clock.now().max(newest));
        let failed = |error: PortError| PortError::new(error.kind(), "put stream lines in quarantine", error);
        quarantine.put(&inbox.rejects).await.map_err(failed)?;
        total.add(&take(&inbox.observations).await?);
        let seen = inbox.observations.iter().map(|observation| observation.seen).max();
        if let Some(seen) = seen.filter(|seen| *seen > newest) {
            stream.keep_newest_sighting(seen).await?;
        }
        stream.remove(*last).await?;
    }
    Ok(total)
}

fn read(records: &[(i64, Vec<u8>)], now: Time) -> Inbox {
    let mut inbox = Inbox::default();
    for (position, body) in records {
        inbox.read(&format!("stream record {position}"), body, now);
    }
    inbox
}
