//! Restores a stored history, and refuses one that no observations produce.

use std::cmp::Ordering;

use super::{FACTS_MAX, FACTS_PER_DAY_MAX, History, in_order};
use crate::day_sightings::DaySightings;
use crate::facts::Facts;
use crate::listing::LISTED_SINCE;
use crate::watch::Watch;

impl History {
    /// Restores a stored history. Returns `None` if no set of observations produces it.
    #[must_use]
    pub fn from_parts(facts: Vec<Facts>, spans: Vec<DaySightings>, watch: Watch) -> Option<Self> {
        let fits = |span: &DaySightings| {
            let bounds = (span.first, span.last);
            usize::from(span.facts) < facts.len()
                && span.first <= span.last
                && span.first.day() == span.last.day()
                && span.listed.is_none_or(|(sighting, time)| {
                    bounds.0 <= sighting && sighting <= bounds.1 && (LISTED_SINCE..=sighting.seen).contains(&time)
                })
        };
        if facts.len() > FACTS_MAX || facts.is_empty() != spans.is_empty() || !spans.iter().all(fits) {
            return None;
        }
        if spans.is_empty() && watch != Watch::Once {
            return None;
        }
        let history = Self { facts, spans, watch, overfull: false };
        let alone = |spans: &[DaySightings]| {
            if spans.len() == 1 {
                return true;
            }
            let mut known: Vec<u16> = spans.iter().map(|span| span.facts).collect();
            known.sort_unstable();
            spans.len() <= FACTS_PER_DAY_MAX && known.is_sorted_by(|a, b| a < b)
        };
        let mut distinct: Vec<&Facts> = history.facts.iter().collect();
        distinct.sort_unstable();
        // A new facts index must be the next unused one.
        let mut used = 0;
        let in_order_of_use = history.spans.iter().all(|span| {
            let index = usize::from(span.facts);
            used += usize::from(index == used);
            index < used
        });
        let sound = history.spans.is_sorted_by(|a, b| in_order(&history.facts, a, b) == Ordering::Less)
            && in_order_of_use
            && used == history.facts.len()
            && distinct.is_sorted_by(|a, b| a < b)
            && history.spans.chunk_by(|a, b| a.first.day() == b.first.day()).all(alone);
        sound.then_some(history)
    }
}
