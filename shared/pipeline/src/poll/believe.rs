//! Which fields of a source's listings are sent on: not those that contradict the others as a rule.

use std::collections::BTreeSet;

use stoop_sources::{Contradiction, ContradictionCount};

use super::Polled;
use super::scan::Scan;
use super::take::Outgoing;

impl Scan<'_> {
    /// Counts contradictions in what is to be sent, and takes off what is distrusted by now.
    ///
    /// The hash of a listing, by which it is told whether it has changed, is of what the source said: so nothing is sent once
    /// more because of a verdict, neither by this search nor by another of its source.
    pub(super) fn believe(&mut self, outgoing: &mut [Outgoing]) {
        for Outgoing { observation, beside, confirms, .. } in outgoing {
            if !*beside && !*confirms {
                self.contradictions.take(&observation.listing, observation.seen);
            }
            self.state.distrust.drop_from(&mut observation.listing);
        }
    }

    /// Learns from what was counted since it was learnt last. What is distrusted by now is taken off from the next run or
    /// file on.
    pub(super) fn learn_contradictions(&mut self, polled: &mut Polled) {
        let counted = std::mem::take(&mut self.contradictions);
        polled.contradictions.add(&counted);
        for (kind, distrusted) in self.state.distrust.learn(&counted) {
            let count = self.state.distrust.counts().map(|(count, _)| count).find(|count| count.kind == kind);
            let verdict = verdict(kind, distrusted, count);
            tracing::warn!(search = self.search.name, verdict, "the source contradicts itself, or does not any more");
            polled.verdicts.push(verdict);
        }
        let fields: BTreeSet<&str> = self.state.distrust.kinds().map(Contradiction::field).collect();
        polled.fields_distrusted = fields.len() as u64;
    }
}

fn verdict(kind: Contradiction, distrusted: bool, count: Option<ContradictionCount>) -> String {
    let (rows, contradict) = count.map_or((0, 0), |count| (count.rows, count.contradict));
    let (field, name) = (kind.field(), kind.as_str());
    let what = if distrusted { "is distrusted and not sent any more" } else { "is trusted again" };
    format!("{field} {what}: {name} in {contradict} of {rows} listings")
}
