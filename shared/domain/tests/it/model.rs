//! A history by its definition: keep all observations and recompute the intervals each time.

use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::{Facts, History, Sighting, Time};

use crate::support::MadeObservation;

/// The compared parts of an interval: facts, beginning, whether initial, listing date.
pub(crate) type Read = (Facts, Time, bool, Option<Time>);

pub(crate) fn read(history: &History) -> Vec<Read> {
    history
        .intervals()
        .iter()
        .map(|interval| (interval.facts.clone(), interval.first, interval.sighting.initial, interval.listed))
        .collect()
}

/// The key of a sighting's order.
type Order = (Time, Time, u32, bool, bool);

fn order(sighting: &Sighting) -> Order {
    let Sighting { at, seen, seq, versioned, initial } = *sighting;
    if versioned { (at, seen, seq, versioned, initial) } else { (seen, at, seq, versioned, initial) }
}

fn utc_day(sighting: &Sighting) -> i64 {
    order(sighting).0.ms().div_euclid(86_400_000)
}

/// The observations by UTC day and facts, in the order of sightings.
fn by_day_and_facts(said: &[MadeObservation]) -> BTreeMap<(i64, Facts), Vec<&MadeObservation>> {
    let mut days: BTreeMap<(i64, Facts), Vec<&MadeObservation>> = BTreeMap::new();
    for one in said {
        days.entry((utc_day(&one.sighting), one.facts.clone())).or_default().push(one);
    }
    for same in days.values_mut() {
        same.sort_by_key(|one| order(&one.sighting));
    }
    days
}

/// The intervals; `None` if the listing is overfull.
pub(crate) fn intervals(said: &[MadeObservation]) -> Option<Vec<Read>> {
    let days = by_day_and_facts(said);
    let distinct: BTreeSet<&Facts> = days.keys().map(|(_, facts)| facts).collect();
    let mut of_day: BTreeMap<i64, usize> = BTreeMap::new();
    for (day, _) in days.keys() {
        *of_day.entry(*day).or_default() += 1;
    }
    if distinct.len() > 4_096 || of_day.values().any(|count| *count > 64) {
        return None;
    }
    // For each day and facts, the first and the last sighting. The last listing date belongs to the sighting that gave
    // it if that is the last one, otherwise to the first.
    let mut points: Vec<(Sighting, &Facts, Option<Time>)> = Vec::new();
    for ((_, facts), same) in &days {
        let (first, last) = (same[0].sighting, same[same.len() - 1].sighting);
        let earliest = Time::parse("1990-01-01T00:00:00Z").unwrap();
        let dates = same.iter().filter_map(|one| Some((order(&one.sighting), one.listed?, one.sighting)));
        let date = dates
            .filter(|(_, date, sighting)| *date >= earliest && *date <= sighting.seen)
            .max_by_key(|it| (it.0, it.1));
        let with_last = date.filter(|(_, _, sighting)| *sighting == last).map(|(_, date, _)| date);
        let with_first = date.filter(|(_, _, sighting)| *sighting != last).map(|(_, date, _)| date);
        if first != last {
            points.push((first, facts, with_first));
        }
        points.push((last, facts, with_last));
    }
    points.sort_by(|a, b| (order(&a.0), a.1).cmp(&(order(&b.0), b.1)));
    let mut intervals: Vec<Read> = Vec::new();
    for (index, (sighting, facts, date)) in points.iter().enumerate() {
        match intervals.last_mut().filter(|interval| interval.0 == **facts) {
            Some(interval) => interval.3 = date.or(interval.3),
            None => {
                let before = intervals.last().map(|interval| interval.1);
                let began = match before {
                    None if sighting.initial => sighting.seen,
                    None => sighting.at,
                    Some(before) => {
                        let last_seen = points[index - 1].0.seen;
                        let is_known = sighting.versioned || sighting.at > last_seen || sighting.seen <= last_seen;
                        before.max(if is_known { sighting.at } else { sighting.seen })
                    }
                };
                intervals.push(((*facts).clone(), began, sighting.initial, *date));
            }
        }
    }
    Some(intervals)
}

/// The stored parts as text, to compare two histories.
pub(crate) fn kept(history: &History) -> String {
    format!("{:?} {:?} {:?} {}", history.facts(), history.spans(), history.watch(), history.is_overfull())
}

/// Whether an observation changes the stored parts: it is the first or last of its day and facts, or gives the last
/// listing date.
pub(crate) fn would_be_kept(before: &[MadeObservation], one: &MadeObservation) -> bool {
    let ends = |said: &[MadeObservation]| {
        let days = by_day_and_facts(said);
        days.into_iter()
            .map(|(key, same)| {
                let sane = |one: &&&MadeObservation| {
                    one.listed.is_some_and(|date| date.ms() >= 631_152_000_000 && date <= one.sighting.seen)
                };
                let date = same.iter().filter(sane).map(|one| (order(&one.sighting), one.listed)).max();
                (key, order(&same[0].sighting), order(&same[same.len() - 1].sighting), date)
            })
            .collect::<Vec<_>>()
    };
    ends(before) != ends(&[before, std::slice::from_ref(one)].concat())
}
