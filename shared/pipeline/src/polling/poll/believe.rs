//! Removes the fields of a source that often contradict its other fields.

use std::collections::BTreeSet;

use stoop_sources::{Contradiction, ContradictionCount, Contradictions, Distrust};
use stoop_wire::EncodedListing;

use super::change::{Cause, OutgoingObservation};
use super::polled::Polled;
use crate::error_code::ErrorCode;

/// Counts contradictions until they are learnt.
#[derive(Default)]
pub(super) struct Believer {
    counted: Contradictions,
}

impl Believer {
    /// Counts the contradictions in changes that are to be sent, and removes distrusted fields from them.
    ///
    /// The content hash of a listing includes distrusted fields. So no listing is sent again because of a verdict,
    /// neither by this search nor by another of its source.
    pub(super) fn believe(&mut self, changes: &mut [OutgoingObservation], distrust: &Distrust) {
        let distrusts = distrust.kinds().next().is_some();
        for OutgoingObservation { observation, encoded, cause, .. } in changes {
            if *cause == Cause::Row {
                self.counted.take(&observation.listing, observation.seen);
            }
            if distrusts {
                distrust.drop_from(&mut observation.listing);
                *encoded = EncodedListing::of(&observation.listing);
            }
        }
    }

    /// Learns from the counts. A field that is now distrusted is removed from the next run or file on.
    pub(super) fn learn(&mut self, search: &str, distrust: &mut Distrust, polled: &mut Polled) {
        let counted = std::mem::take(&mut self.counted);
        polled.contradictions.add(&counted);
        for (kind, distrusted) in distrust.learn(&counted) {
            let count = distrust.counts().map(|(count, _)| count).find(|count| count.kind == kind);
            let verdict = verdict(kind, distrusted, count);
            let code = ErrorCode::FieldsDistrusted;
            tracing::warn!(search, verdict, %code, "the source contradicts itself, or does not any more");
            polled.verdicts.push(verdict);
        }
        let fields: BTreeSet<&str> = distrust.kinds().map(Contradiction::field).collect();
        polled.fields_distrusted = fields.len() as u64;
    }
}

fn verdict(kind: Contradiction, distrusted: bool, count: Option<ContradictionCount>) -> String {
    let (rows, contradict) = count.map_or((0, 0), |count| (count.rows, count.contradict));
    let (field, name) = (kind.field(), kind.as_str());
    let what = if distrusted { "is distrusted and not sent any more" } else { "is trusted again" };
    format!("{field} {what}: {name} in {contradict} of {rows} listings")
}
