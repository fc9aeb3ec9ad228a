//! A history by its definition: keep all that was said, and work out the stretches from that each time.

use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::{Facts, History, Sight, Time};

use crate::support::Said;

/// What is read of a stretch: facts, beginning, whether first seen when a search began, listing date.
pub(crate) type Read = (Facts, Time, bool, Option<Time>);

pub(crate) fn read(history: &History) -> Vec<Read> {
    history.runs().iter().map(|run| (run.facts.clone(), run.first, run.sight.initial, run.listed)).collect()
}

/// The place of a sight in the order.
type Order = (Time, Time, u32, bool, bool);

fn order(sight: &Sight) -> Order {
    let Sight { at, seen, seq, versioned, initial } = *sight;
    if versioned { (at, seen, seq, versioned, initial) } else { (seen, at, seq, versioned, initial) }
}

fn utc_day(sight: &Sight) -> i64 {
    order(sight).0.ms().div_euclid(86_400_000)
}

/// What was said on a UTC day with the same facts, in its order.
fn by_day_and_facts(said: &[Said]) -> BTreeMap<(i64, Facts), Vec<&Said>> {
    let mut days: BTreeMap<(i64, Facts), Vec<&Said>> = BTreeMap::new();
    for one in said {
        days.entry((utc_day(&one.sight), one.facts.clone())).or_default().push(one);
    }
    for same in days.values_mut() {
        same.sort_by_key(|one| order(&one.sight));
    }
    days
}

/// `None` where the listing is overfull.
pub(crate) fn stretches(said: &[Said]) -> Option<Vec<Read>> {
    let days = by_day_and_facts(said);
    let distinct: BTreeSet<&Facts> = days.keys().map(|(_, facts)| facts).collect();
    let mut of_day: BTreeMap<i64, usize> = BTreeMap::new();
    for (day, _) in days.keys() {
        *of_day.entry(*day).or_default() += 1;
    }
    if distinct.len() > 4_096 || of_day.values().any(|count| *count > 64) {
        return None;
    }
    // Of each day and facts, the first and the last sighting; the date that was told last with the one that it came with, or
    // with the first.
    let mut points: Vec<(Sight, &Facts, Option<Time>)> = Vec::new();
    for ((_, facts), same) in &days {
        let (first, last) = (same[0].sight, same[same.len() - 1].sight);
        let earliest = Time::parse("1990-01-01T00:00:00Z").unwrap();
        let dates = same.iter().filter_map(|one| Some((order(&one.sight), one.listed?, one.sight)));
        let date =
            dates.filter(|(_, date, sight)| *date >= earliest && *date <= sight.seen).max_by_key(|it| (it.0, it.1));
        let with_last = date.filter(|(_, _, sight)| *sight == last).map(|(_, date, _)| date);
        let with_first = date.filter(|(_, _, sight)| *sight != last).map(|(_, date, _)| date);
        if first != last {
            points.push((first, facts, with_first));
        }
        points.push((last, facts, with_last));
    }
    points.sort_by(|a, b| (order(&a.0), a.1).cmp(&(order(&b.0), b.1)));
    let mut runs: Vec<Read> = Vec::new();
    for (place, (sight, facts, date)) in points.iter().enumerate() {
        match runs.last_mut().filter(|run| run.0 == **facts) {
            Some(run) => run.3 = date.or(run.3),
            None => {
                let before = runs.last().map(|run| run.1);
                let began = match before {
                    None if sight.initial => sight.seen,
                    None => sight.at,
                    Some(before) => {
                        let last_seen = points[place - 1].0.seen;
                        let is_known = sight.versioned || sight.at > last_seen || sight.seen <= last_seen;
                        before.max(if is_known { sight.at } else { sight.seen })
                    }
                };
                runs.push(((*facts).clone(), began, sight.initial, *date));
            }
        }
    }
    Some(runs)
}

/// What is kept, as text: two histories that keep the same have the same.
pub(crate) fn kept(history: &History) -> String {
    format!("{:?} {:?} {:?} {}", history.facts(), history.spans(), history.watch(), history.is_overfull())
}

/// Whether an observation moves anything of what is kept: it is the first or the last of its day and facts, or tells the
/// date last.
pub(crate) fn would_be_kept(before: &[Said], one: &Said) -> bool {
    let ends = |said: &[Said]| {
        let days = by_day_and_facts(said);
        days.into_iter()
            .map(|(key, same)| {
                let sane = |one: &&&Said| {
                    one.listed.is_some_and(|date| date.ms() >= 631_152_000_000 && date <= one.sight.seen)
                };
                let date = same.iter().filter(sane).map(|one| (order(&one.sight), one.listed)).max();
                (key, order(&same[0].sight), order(&same[same.len() - 1].sight), date)
            })
            .collect::<Vec<_>>()
    };
    ends(before) != ends(&[before, std::slice::from_ref(one)].concat())
}
