//! A range of time with equal facts, and when it begins, expires and ends.

use crate::facts::Facts;
use crate::sighting::Sighting;
use crate::time::Time;
use crate::watch::Watch;

/// A range of time in which the facts of a listing stayed equal and it did not expire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interval<'a> {
    pub facts: &'a Facts,
    /// When the interval began. This is the source's time if that is a version, or if it lies between the last sighting
    /// of the interval before and the first sighting of this one; otherwise the first sighting.
    pub first: Time,
    /// The last sighting, but not later than the beginning of the next interval. It may therefore move back.
    pub last: Time,
    /// The first sighting.
    pub sighting: Sighting,
    /// The last sighting.
    pub last_sighting: Sighting,
    /// The listing date that the source gave last in this interval.
    pub listed: Option<Time>,
    /// When the interval expires, if the home is on the market and nothing else is seen before: a UTC midnight, which
    /// may lie in the future. See [`Watch::expires_after`].
    pub expires: Option<Time>,
    /// When the home was active but unconfirmed, oldest first. See [`Watch::unconfirmed_after`].
    pub unconfirmed: Vec<UnconfirmedInterval>,
    /// Whether another listing of the home than before speaks here: what differs is no event.
    pub other_listing: bool,
}

/// A range of time in which a home counted as active without being confirmed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UnconfirmedInterval {
    /// A UTC midnight, which may lie in the future.
    pub from: Time,
    /// `None`: until the interval ends.
    pub until: Option<Time>,
}

impl<'a> Interval<'a> {
    pub(crate) fn begin(watch: Watch, facts: &'a Facts, first: Time, sighting: Sighting, listed: Option<Time>) -> Self {
        let last = sighting.seen.max(first);
        let mut interval = Self {
            facts,
            first,
            last,
            sighting,
            last_sighting: sighting,
            listed,
            expires: None,
            unconfirmed: Vec::new(),
            other_listing: false,
        };
        interval.set_expiry(watch);
        interval
    }

    /// Extends the interval by another sighting with the same facts, which held since `first`.
    pub(crate) fn extend(&mut self, watch: Watch, first: Time, sighting: Sighting, listed: Option<Time>) {
        if let Some(unconfirmed) = self.unconfirmed.pop() {
            let until = first.max(self.last);
            self.unconfirmed.extend(
                (unconfirmed.from < until).then_some(UnconfirmedInterval { until: Some(until), ..unconfirmed }),
            );
        }
        self.last = self.last.max(sighting.seen);
        self.last_sighting = sighting;
        self.listed = listed.or(self.listed);
        self.set_expiry(watch);
    }

    /// Sets when the interval becomes unconfirmed and expires if it is not seen again.
    fn set_expiry(&mut self, watch: Watch) {
        let phase = self.facts.status.phase();
        self.expires = watch.expires_at(phase, self.last);
        let from = watch.unconfirmed_at(phase, self.last);
        self.unconfirmed.extend(from.map(|from| UnconfirmedInterval { from, until: None }));
    }

    /// Ends the interval at `next`: other facts hold since then, or the same facts after it expired.
    pub(crate) fn end(&mut self, next: Time) {
        self.last = self.last.min(next).max(self.first);
        self.expires = self.expires.filter(|expires| *expires <= next);
        // A late observation may show a sighting after the next interval began.
        self.unconfirmed.retain(|unconfirmed| unconfirmed.from < next);
        for unconfirmed in &mut self.unconfirmed {
            unconfirmed.until = unconfirmed.until.map(|until| until.min(next));
        }
    }
}

/// When an interval began that was first seen at `sighting`. `before` is the beginning of the interval before and its
/// last sighting.
///
/// This is the source's time if it is possible, that is, after the last sighting of the interval before. A source whose
/// clock stands still or is wrong gives no usable time; then the sighting counts.
pub(crate) fn begin(before: Option<(Time, (u16, Sighting))>, sighting: &Sighting) -> Time {
    let at = sighting.at.min(sighting.seen);
    let Some((began, (_, last))) = before else {
        return if sighting.initial { sighting.seen } else { at };
    };
    let begin = if sighting.versioned || last.seen >= sighting.seen || at > last.seen { at } else { sighting.seen };
    begin.max(began)
}
