//! Checks the rows of a file.

use stoop_domain::{Observation, Reason, Reject, Time};

use super::{Checked, fits};
use crate::poll::change::{Shown, raw_of};
use crate::poll::index::Index;
use crate::poll::polled::Polled;
use crate::poll::scan::Scan;
use crate::poll::source_file::SourceFile;
use crate::ports::FileRow;
use crate::{OneRowPerListing, Refusals};

/// Checks the rows of a file, in the order in which they are taken; includes rejects.
pub(in crate::poll) fn rows(
    rows: Vec<FileRow>,
    now: Time,
    scan: &Scan<'_>,
    source_file: &mut SourceFile<'_>,
    index: &Index<'_>,
    refusals: &mut Refusals,
    polled: &mut Polled,
) -> Checked {
    let (before, watch) = (refusals.refused(), scan.search.source.watch());
    let mut checked = Checked::default();
    for row in rows {
        match row {
            FileRow::Refused { position, reason, detail, raw, native_id } => {
                match native_id {
                    Some(native_id) => checked.refused_ids.push(native_id),
                    None => checked.unread_rows += 1,
                }
                let reject = Reject::new(scan.source(), now, position, reason, detail, &raw);
                checked.rejects.extend(refusals.refuse(reject));
            }
            FileRow::Found(observation) => {
                let shown = Shown::new(Observation { watch, ..observation });
                match fits(&shown, scan.ports.stream).and_then(|()| is_once(&shown, source_file, index)) {
                    Ok(()) => {
                        refusals.pass(1);
                        checked.listings.push(shown);
                    }
                    Err((reason, detail)) => {
                        let Observation { source, native_id, listing, .. } = shown.observation;
                        let position = format!("{}, listing {native_id}", source_file.name);
                        let reject = Reject::new(&source, now, position, reason, detail, &raw_of(listing));
                        checked.rejects.extend(refusals.refuse(reject));
                        checked.refused_ids.push(native_id);
                    }
                }
            }
        }
    }
    polled.listings += checked.listings.len() as u64;
    polled.rejects += refusals.refused() - before;
    checked
}

/// Refuses a row of a snapshot whose listing already had a row in it.
fn is_once(row: &Shown, source_file: &mut SourceFile<'_>, index: &Index<'_>) -> Result<(), (Reason, String)> {
    let Some(as_of) = source_file.as_of else { return Ok(()) };
    // Rows that an earlier run took are in the index.
    let taken = index.get(&row.observation.native_id).filter(|_| source_file.resumed);
    if taken.is_some_and(|entry| entry.newest().seen == as_of && !entry.on_stream.is(row.content)) {
        return Err(OneRowPerListing::repeated());
    }
    source_file.once.refuse(&row.observation).map_or(Ok(()), Err)
}
