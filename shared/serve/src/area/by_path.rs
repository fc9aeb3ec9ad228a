//! Finds an area by its path.

use std::collections::BTreeSet;

use stoop_gazetteer::{AddressParts, FROM_SOURCE, Gazetteer, NameOrigin};

use super::here::{Here, beginning};
use super::{LEVELS, Meaning, UNKNOWN, level_slug, trimmed};

/// The meaning of a path; `None` if its levels are not a place as written. Only a path that no market has needs the
/// gazetteer.
pub(super) fn by_path(path: &str, here: &Here<'_>) -> Option<Meaning> {
    let path = path.trim_end_matches('/');
    if !here.within(path).is_empty() {
        return Some(Meaning::Here(vec![path.to_owned()]));
    }
    let levels: Vec<&str> = path.split('/').collect();
    if levels.len() > LEVELS {
        return None;
    }
    let spelled = spelled(&levels, here);
    if !spelled.is_empty() { Some(Meaning::Here(spelled)) } else { by_words(&levels, here) }
}

/// The areas with these levels in another spelling, with or without the mark of a name that only the source knows.
fn spelled(levels: &[&str], here: &Here<'_>) -> Vec<String> {
    let wanted: Vec<String> = levels.iter().map(|level| level_slug(level)).collect();
    let fits =
        |path: &&str| path.split('/').zip(&wanted).all(|(slug, wanted)| slug.trim_start_matches(FROM_SOURCE) == wanted);
    let found: BTreeSet<&str> = here.areas().map(|area| beginning(area, wanted.len())).filter(fits).collect();
    found.into_iter().map(str::to_owned).collect()
}

/// The area that the levels lead to as a source's words would: `us/washington/king county`.
fn by_words(levels: &[&str], here: &Here<'_>) -> Option<Meaning> {
    let word = |n: usize| {
        levels.get(n).map(|level| level.trim().trim_start_matches(FROM_SOURCE)).filter(|word| *word != UNKNOWN)
    };
    let [country, region, county, city, area] = std::array::from_fn(word);
    let words = AddressParts { country, region, county, city, ..AddressParts::default() };
    let as_code = AddressParts { postal_code: area, ..words };
    let as_quarter = AddressParts { neighbourhood: area, ..words };
    let mut known = None;
    for words in [as_code, as_quarter] {
        let located = Gazetteer::get().locate(&words);
        // Contradictions between the path and the place are not ignored.
        let is_whole = located.levels[levels.len() - 1].is_some() && located.contradictions.is_empty();
        let Some(path) = located.path().filter(|_| is_whole) else { continue };
        let path = trimmed(&path).to_owned();
        if !here.within(&path).is_empty() {
            return Some(Meaning::Here(vec![path]));
        }
        if located.levels.iter().flatten().all(|name| name.origin == NameOrigin::Gazetteer) {
            known = Some(Meaning::Elsewhere(path, 0));
        }
    }
    known
}
