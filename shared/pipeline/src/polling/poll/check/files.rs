//! The rows of a file.

use stoop_domain::{Observation, Reason, Reject, Time};

use super::{CheckedPage, fits};
use crate::polling::poll::change::{ShownListing, raw_of};
use crate::polling::poll::index::Index;
use crate::polling::poll::polled::Polled;
use crate::polling::poll::scan::Scan;
use crate::polling::poll::source_file::SourceFile;
use crate::ports::FileRow;
use crate::{OneRowPerListing, Refusals};

/// Checks rows of a file, in the order in which they are compared with the index.
pub(in crate::polling::poll) fn rows(
    rows: Vec<FileRow>,
    now: Time,
    scan: &Scan<'_>,
    source_file: &mut SourceFile<'_>,
    index: &Index<'_>,
    refusals: &mut Refusals,
    polled: &mut Polled,
) -> CheckedPage {
    let (before, values, watch) = (refusals.refused(), refusals.values(), scan.search.source.watch());
    let mut checked = CheckedPage::default();
    for row in rows {
        match row {
            FileRow::Refused { position, reason, detail, raw, native_id } => {
                let reject = Reject::new(scan.source(), now, position, reason, detail, &raw);
                checked.refuse(native_id, reject, refusals);
            }
            FileRow::Found(observation, refused) => {
                let mut observation = Observation { watch, ..observation };
                scan.search.display.mark(&mut observation.listing);
                let shown = ShownListing::new(observation);
                match fits(&shown, scan.ports.stream).and_then(|()| is_once(&shown, source_file, index)) {
                    Ok(()) => {
                        let location = format!("{}, listing {}", source_file.name, shown.observation.native_id);
                        checked.accept(shown, refused, location, now, refusals);
                    }
                    Err((reason, detail)) => {
                        let Observation { source, native_id, listing, .. } = shown.observation;
                        let position = format!("{}, listing {native_id}", source_file.name);
                        let reject = Reject::new(&source, now, position, reason, detail, &raw_of(listing));
                        checked.refuse(Some(native_id), reject, refusals);
                    }
                }
            }
        }
    }
    polled.listings += checked.listings.len() as u64;
    polled.rejects += refusals.refused() - before;
    polled.values_refused += refusals.values() - values;
    checked
}

/// Refuses a second, different row of a listing in a snapshot.
fn is_once(row: &ShownListing, source_file: &mut SourceFile<'_>, index: &Index<'_>) -> Result<(), (Reason, String)> {
    let Some(as_of) = source_file.as_of else { return Ok(()) };
    // The index has the rows that an earlier run read.
    let taken = index.get(&row.observation.native_id).filter(|_| source_file.resumed);
    if taken.is_some_and(|entry| entry.newest().seen == as_of && !entry.on_stream.is(row.content)) {
        return Err(OneRowPerListing::repeated());
    }
    source_file.once.refuse(&row.observation).map_or(Ok(()), Err)
}
