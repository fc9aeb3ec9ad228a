//! Finds areas by names in any order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use stoop_domain::lies_in;
use stoop_gazetteer::{FROM_SOURCE, Gazetteer, Match, fold, slug};

use super::here::Here;
use super::{Meaning, trimmed};

/// A longer text is only taken as a single name.
const WORDS_MAX: usize = 10;

/// A run of words: the first index, and the one after the last.
type Run = (usize, usize);

/// The meaning of a text: places of the gazetteer, then areas that only a source knows.
pub(super) fn by_name(text: &str, here: &Here<'_>) -> Meaning {
    let known: Vec<String> = places(text);
    let known_here = known.iter().filter(|path| !here.within(path).is_empty()).cloned();
    let mut found: Vec<String> = Vec::new();
    for path in known_here.chain(reported(text, here)) {
        // The county of New York around the city is not another place, only more of it.
        if !found.iter().any(|likelier| lies_in(likelier, &path) || lies_in(&path, likelier)) {
            found.push(path);
        }
    }
    if !found.is_empty() {
        return Meaning::Here(found);
    }
    let Some(likeliest) = known.into_iter().next() else { return Meaning::Nothing };
    let others = others(text, &likeliest);
    Meaning::Elsewhere(likeliest, others)
}

/// The places that a text names, likeliest first.
fn places(text: &str) -> Vec<String> {
    Gazetteer::get().find_exactly(text).into_iter().map(|found| trimmed(&found.path).to_owned()).collect()
}

/// How many other places a text may mean: outside this one, and with at least a tenth of its people.
fn others(text: &str, likeliest: &str) -> usize {
    let found = Gazetteer::get().find_exactly(text);
    let people = found.iter().find(|found| trimmed(&found.path) == likeliest).map_or(0, |found| found.people);
    let is_other = |found: &&Match| {
        let path = trimmed(&found.path);
        !lies_in(path, likeliest) && !lies_in(likeliest, path) && found.people >= people / 10
    };
    found.iter().filter(is_other).count()
}

/// The areas with a source's own name that some of the words name, with all others naming areas around it; those with
/// the most markets first.
fn reported(text: &str, here: &Here<'_>) -> Vec<String> {
    let slug = slug(text);
    let words: Vec<&str> = slug.split('-').filter(|word| !word.is_empty()).collect();
    let mut runs: HashMap<String, Vec<Run>> = HashMap::new();
    for (from, to) in all_runs(words.len()) {
        runs.entry(fold(&words[from..to].join(" "))).or_default().push((from, to));
    }
    let named: Vec<(&str, &Vec<Run>)> = reported_areas(here)
        .into_iter()
        .filter_map(|path| {
            let own = path.rsplit(FROM_SOURCE).next()?;
            Some((path, runs.get(&fold(own))?))
        })
        .collect();
    if named.is_empty() {
        return Vec::new();
    }
    // What each run of words names, to be found around the areas. The whole text is the query itself.
    let around = all_runs(words.len()).filter(|run| *run != (0, words.len()));
    let mut names: BTreeMap<Run, Vec<String>> =
        around.map(|(from, to)| ((from, to), places(&words[from..to].join(" ")))).collect();
    for (path, runs) in &named {
        for run in *runs {
            names.entry(*run).or_default().push((*path).to_owned());
        }
    }
    let fits = |(path, runs): &(&str, &Vec<Run>)| {
        runs.iter().any(|(from, to)| covers(&names, 0, *from, path) && covers(&names, *to, words.len(), path))
    };
    let mut found: Vec<&str> = named.into_iter().filter(fits).map(|(path, _)| path).collect();
    found.sort_by_key(|path| Reverse(here.within(path).len()));
    found.into_iter().map(str::to_owned).collect()
}

fn all_runs(words: usize) -> impl Iterator<Item = Run> {
    let parts = if words <= WORDS_MAX { words } else { 0 };
    let whole = Some((0, words)).filter(|_| parts == 0 && words > 0);
    (0..parts).flat_map(move |from| (from + 1..=words).map(move |to| (from, to))).chain(whole)
}

/// Whether the words from `from` to `to` all name areas around that of a path.
fn covers(names: &BTreeMap<Run, Vec<String>>, from: usize, to: usize, path: &str) -> bool {
    let is_around = |area: &String| area != path && lies_in(path, area);
    from == to
        || (from + 1..=to).any(|end| {
            names.get(&(from, end)).is_some_and(|areas| areas.iter().any(is_around)) && covers(names, end, to, path)
        })
}

/// The path of each area whose own name only a source knows.
fn reported_areas<'a>(here: &Here<'a>) -> BTreeSet<&'a str> {
    let mut found = BTreeSet::new();
    for area in here.areas().filter(|area| area.contains(FROM_SOURCE)) {
        let ends = area.match_indices('/').map(|(end, _)| end).chain([area.len()]);
        let mut start = 0;
        for end in ends {
            if area[start..end].starts_with(FROM_SOURCE) {
                found.insert(&area[..end]);
            }
            start = end + 1;
        }
    }
    found
}
