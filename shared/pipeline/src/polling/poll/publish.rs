//! Publishes changes.

use std::collections::HashSet;

use stoop_domain::{Observation, Reject};
use stoop_wire::EncodedListing;

use super::believe::Believer;
use super::change::{Cause, OutgoingObservation};
use super::error::PollError;
use super::index::Index;
use super::polled::Polled;
use super::scan::Scan;

/// How often records are put on the stream while it refuses some.
const PUT_ATTEMPTS_MAX: u32 = 6;

/// Puts changes on the stream and rejects in quarantine. The index marks the changes as in doubt before they are sent,
/// and as published after the stream acknowledged all of them.
pub(super) async fn publish(
    mut changes: Vec<OutgoingObservation>,
    rejects: &[Reject],
    scan: &Scan<'_>,
    believer: &mut Believer,
    index: &mut Index<'_>,
    polled: &mut Polled,
) -> Result<(), PollError> {
    believer.believe(&mut changes, &index.state.distrust);
    let count = |cause: Cause| changes.iter().filter(|change| change.cause == cause).count() as u64;
    let (new, of_rows, confirmed) = (index.unknown(&changes), count(Cause::Row), count(Cause::Confirmation));
    index.doubt(&changes, scan.began_at).await?;
    put(changes.iter().map(|change| (&change.observation, &change.encoded)), scan).await?;
    polled.new += new;
    polled.changed += of_rows.saturating_sub(new);
    polled.confirmed += confirmed;
    polled.sent += changes.len() as u64;
    scan.ports.quarantine.put(rejects).await?;
    index.published(changes, scan.began_at);
    Ok(())
}

/// Puts observations on the stream, many lines in a record, and puts refused records again.
pub(super) async fn put<'o>(
    observations: impl Iterator<Item = (&'o Observation, &'o EncodedListing)>,
    scan: &Scan<'_>,
) -> Result<(), PollError> {
    let stream = scan.ports.stream;
    let mut records = pack(observations, stream.record_bytes_max(), &scan.search.name);
    for attempt in 0..PUT_ATTEMPTS_MAX {
        if records.is_empty() {
            return Ok(());
        }
        if attempt > 0 {
            scan.ports.clock.sleep(100 << attempt).await;
        }
        let refused: HashSet<usize> = stream.put(&records).await?.into_iter().collect();
        let all = std::mem::take(&mut records).into_iter().enumerate();
        records = all.filter(|(position, _)| refused.contains(position)).map(|(_, record)| record).collect();
    }
    if records.is_empty() { Ok(()) } else { Err(PollError::Refused(records.len())) }
}

/// Packs observations into records of whole lines. The key is the search: its listings belong to few markets, so that
/// one consumer gets them and does not conflict with others.
fn pack<'o>(
    observations: impl Iterator<Item = (&'o Observation, &'o EncodedListing)>,
    bytes_max: usize,
    key: &str,
) -> Vec<(String, Vec<u8>)> {
    let mut records: Vec<(String, Vec<u8>)> = Vec::new();
    let mut line = Vec::new();
    for (observation, listing) in observations {
        line.clear();
        stoop_wire::encode_with(observation, listing, &mut line);
        line.push(b'\n');
        match records.last_mut() {
            Some((_, record)) if record.len() + line.len() <= bytes_max => record.extend_from_slice(&line),
            _ => records.push((key.to_owned(), line.clone())),
        }
    }
    records
}
