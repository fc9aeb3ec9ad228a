//! Searches places by the text that a person writes.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crate::Gazetteer;
use crate::fold::{fold_words, words};
use crate::kinds::{direction, without_kind};
use crate::level::Level;
use crate::locate::CLEARLY;

/// The maximum number of places that a search returns.
pub const FOUND_MAX: usize = 20;
/// The maximum number of words of a text, and of a name.
const WORDS_MAX: usize = 10;
const NAME_WORDS_MAX: usize = 6;
/// The maximum number of letters of a text. Further ones are ignored.
const LETTERS_MAX: usize = 200;
/// The maximum number of places with the same name that are ranked.
const BEARERS_MAX: usize = 400;

/// The range of the number of letters of a name that may be misspelt.
const NEAR_LETTERS: (usize, usize) = (4, 40);
/// The maximum number of word ranges that are searched for misspelt names.
const NEAR_RUNS_MAX: usize = 12;

/// A place that a text may mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The path: `us/tx/travis/austin/-`.
    pub path: String,
    pub level: Level,
    /// The name, narrow to wide: `Austin, Travis County, Texas, United States`.
    pub name: String,
    /// Population; of a wide place that of its known cities. 0 if unknown.
    pub people: u32,
    /// The number of letters that differ from the text: 0 for an exact match, more for "did you mean".
    pub edits: u8,
}

/// The places that each range of words may name, with the number of edits. The key is the first word and the one after
/// the last.
type Spans = BTreeMap<(usize, usize), Vec<(u32, usize)>>;

impl Gazetteer {
    /// The places that a text may mean, best first, at most [`FOUND_MAX`]. The text is a name or postal code, with
    /// names of containing places in any order (`austin tx`, `wien 1070`, `casablanca maarif`). If several match
    /// (`springfield`), the most populous comes first. If none matches, returns places with similar names; empty if
    /// there are none.
    #[must_use]
    pub fn find(&self, text: &str) -> Vec<Match> {
        let mut all = words_of(text);
        all.truncate(WORDS_MAX);
        let mut spans = self.spans(&all);
        let mut found = self.fitting(&all, &spans);
        // First only words that are no name may be misspelt, then names, too: `pittsburg pensylvania`.
        for names_too in [false, true] {
            if found.is_empty() {
                self.add_near(&all, names_too, &mut spans);
                found = self.fitting(&all, &spans);
            }
        }
        found.truncate(FOUND_MAX);
        found.into_iter().map(|(id, edits)| self.as_match(id, edits)).collect()
    }

    /// The place that a text clearly means: the only one that matches, or one with at least ten times the population of
    /// every other.
    ///
    /// # Errors
    /// The places that it may mean, or similar ones, best first. Empty if there are none.
    pub fn find_one(&self, text: &str) -> Result<Match, Vec<Match>> {
        let mut found = self.find(text);
        let people = |found: &Match| found.people / CLEARLY;
        let is_clear = match found.as_slice() {
            [] => false,
            [best, others @ ..] => best.edits == 0 && others.iter().all(|other| people(best) >= other.people.max(1)),
        };
        if is_clear { Ok(found.swap_remove(0)) } else { Err(found) }
    }

    /// All places that a text names exactly, best first, while [`Gazetteer::find`] returns only the first few. Of a
    /// name with more than 400 bearers some are left out. A text of more than ten words names none.
    #[must_use]
    pub fn find_exactly(&self, text: &str) -> Vec<Match> {
        let all = words_of(text);
        if all.len() > WORDS_MAX || text.chars().nth(LETTERS_MAX).is_some() {
            return Vec::new();
        }
        let found = self.fitting(&all, &self.spans(&all));
        found.into_iter().map(|(id, edits)| self.as_match(id, edits)).collect()
    }

    /// The names of a place and those that contain it, narrow to wide: `Austin, Travis County, Texas, United States`
    /// for `us/tx/travis/austin`. `None` if the path is unknown.
    #[must_use]
    pub fn full_name(&self, path: &str) -> Option<String> {
        Some(self.in_words(self.at(path)?))
    }

    fn spans(&self, all: &[String]) -> Spans {
        let mut spans = Spans::new();
        for (from, to) in runs(all.len()) {
            let found = self.named(&all[from..to]);
            if !found.is_empty() {
                spans.insert((from, to), found);
            }
        }
        spans
    }

    /// The places that these words name, ordered by ID.
    fn named(&self, all: &[String]) -> Vec<(u32, usize)> {
        let mut found = Vec::new();
        for (key, kind) in keys(all) {
            let called = self.places.called(&key).into_iter();
            found.extend(called.filter(|id| kind.is_none_or(|kind| self.places.nodes[*id as usize].level == kind)));
        }
        found.sort_unstable();
        found.dedup();
        if found.len() > BEARERS_MAX {
            found.sort_by_key(|id| (Reverse(self.places.nodes[*id as usize].people), *id));
            found.truncate(BEARERS_MAX);
            found.sort_unstable();
        }
        found.into_iter().map(|id| (id, 0)).collect()
    }

    /// Adds places with similar names to the ranges of words that name none, or to all ranges.
    fn add_near(&self, all: &[String], names_too: bool, spans: &mut Spans) {
        let wanted: Vec<_> =
            runs(all.len()).filter(|run| spans.contains_key(run) == names_too).take(NEAR_RUNS_MAX).collect();
        for (from, to) in wanted {
            let key = fold_words(&all[from..to]);
            let letters = key.chars().count();
            if (NEAR_LETTERS.0..=NEAR_LETTERS.1).contains(&letters) && !key.contains(|c: char| c.is_ascii_digit()) {
                let most = if letters < 6 {
                    1
                } else if letters < 11 {
                    2
                } else {
                    3
                };
                let places = spans.entry((from, to)).or_default();
                places.extend(self.places.nearly(&key, most));
                places.sort_unstable();
                places.dedup_by_key(|(id, _)| *id);
            }
        }
    }

    /// Places that one range of words names while all other words name places around them, best first, with the number
    /// of edits.
    fn fitting(&self, all: &[String], spans: &Spans) -> Vec<(u32, usize)> {
        let mut best: BTreeMap<u32, (usize, Reverse<u64>)> = BTreeMap::new();
        for ((from, to), places) in spans {
            let keys = keys(&all[*from..*to]);
            for (id, edits) in places {
                let around = self.places.chain(*id).map(|around| around.filter(|around| around != id));
                let before = covers(spans, 0, *from, &around);
                let Some(edits) =
                    before.and_then(|before| Some(edits + before + covers(spans, *to, all.len(), &around)?))
                else {
                    continue;
                };
                let weight = match &keys[0] {
                    _ if edits > 0 => self.weight(*id),
                    (key, _) if self.places.is_own(*id, key) => self.weight(*id),
                    (key, _) if self.places.is_called(*id, key) => self.weight(*id) / 10,
                    // `King County` is the county, but `Kansas City` is rather that city than a city named Kansas.
                    _ => u64::from(self.places.nodes[*id as usize].people),
                };
                let rank = (edits, Reverse(weight));
                best.entry(*id).and_modify(|best| *best = rank.min(*best)).or_insert(rank);
            }
        }
        let mut found: Vec<_> = best.into_iter().map(|(id, rank)| (rank, id)).collect();
        found.sort_unstable();
        found.into_iter().map(|((edits, _), id)| (id, edits)).collect()
    }

    /// How likely a place is meant by its name alone: its population, reduced for wide places, because `new york` or
    /// `orange` usually means the city.
    fn weight(&self, id: u32) -> u64 {
        let node = &self.places.nodes[id as usize];
        let people = u64::from(node.people) * 100 + 1;
        match node.level {
            Level::Country | Level::Region => people / 4,
            Level::County => people / 30,
            Level::City => people,
            Level::Area if self.places.code(id).is_empty() => {
                let city = self.places.chain(id)[Level::City as usize];
                city.map_or(0, |city| u64::from(self.places.nodes[city as usize].people) * 2)
            }
            Level::Area => 2_000_000,
        }
    }

    fn as_match(&self, id: u32, edits: usize) -> Match {
        let node = &self.places.nodes[id as usize];
        Match {
            path: self.path(id),
            level: node.level,
            name: self.in_words(id),
            people: node.people,
            edits: u8::try_from(edits).unwrap_or(u8::MAX),
        }
    }

    /// The names of the chain, narrow to wide, without consecutive duplicates.
    fn in_words(&self, id: u32) -> String {
        let chain = self.places.chain(id);
        let in_us = chain[0].is_some_and(|country| self.places.code(country) == "us");
        let region = chain[1].map_or("", |region| self.places.code(region));
        let mut names: Vec<String> = Vec::new();
        for id in chain.into_iter().rev().flatten() {
            let (name, code) = (self.places.name(id), self.places.code(id));
            let name = match self.places.nodes[id as usize].level {
                Level::County if in_us && region == "la" => format!("{name} Parish"),
                Level::County if in_us && !name.ends_with(" City") && !matches!(region, "ak" | "dc" | "pr") => {
                    format!("{name} County")
                }
                Level::Area if !code.is_empty() && code != name => format!("{code} {name}"),
                _ => name.to_owned(),
            };
            if names.last() != Some(&name) {
                names.push(name);
            }
        }
        names.join(", ")
    }
}

/// The words of a text, up to the limits.
fn words_of(text: &str) -> Vec<String> {
    let mut all = Vec::new();
    let text: String = text.chars().take(LETTERS_MAX).collect();
    words(&text, |word| all.push(word.to_owned()));
    all
}

/// All ranges of words, as the first and the one after the last.
fn runs(words: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..words).flat_map(move |from| (from + 1..=words.min(from + NAME_WORDS_MAX)).map(move |to| (from, to)))
}

/// The keys for a range of words, and the level that a kind word gives: `king county` is King, a county.
fn keys(all: &[String]) -> Vec<(String, Option<Level>)> {
    let mut keys = vec![(fold_words(all), None)];
    if let [first, rest @ ..] = all
        && !rest.is_empty()
        && let Some(long) = direction(first)
    {
        let long: Vec<String> = std::iter::once(long.to_owned()).chain(rest.iter().cloned()).collect();
        keys.push((fold_words(&long), None));
    }
    if let Some((rest, kind)) = without_kind(all) {
        keys.push((fold_words(rest), kind));
    }
    keys
}

/// The number of edits with which all words from `from` to `to` name places of the chain. `None` if they do not.
fn covers(spans: &Spans, from: usize, to: usize, chain: &[Option<u32>; 5]) -> Option<usize> {
    if from == to {
        return Some(0);
    }
    let fitting = (from + 1..=to).filter_map(|end| {
        let named = spans.get(&(from, end))?;
        let at = |around: &u32| named.binary_search_by_key(around, |(id, _)| *id).ok();
        let edits = chain.iter().flatten().filter_map(at).map(|at| named[at].1).min()?;
        Some(edits + covers(spans, end, to, chain)?)
    });
    fitting.min()
}
