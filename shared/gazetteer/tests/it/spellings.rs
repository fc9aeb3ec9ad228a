//! A thousand spellings, written by hand from general knowledge, independent of the code.

use std::collections::BTreeSet;

use stoop_gazetteer::{AddressParts, Gazetteer, NameOrigin};

/// Rows of a tab-separated table, without lines that begin with `#`.
pub(crate) fn rows<const N: usize>(table: &str) -> Vec<[&str; N]> {
    let lines = table.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.split('\t').collect::<Vec<_>>().try_into().unwrap_or_else(|_| panic!("{line:?}"))).collect()
}

#[test]
fn every_spelling_is_located_at_its_path() {
    let rows = rows::<7>(include_str!("../spellings.tsv"));
    let mut wrong = Vec::new();
    for [country, region, county, city, quarter, postal, path] in &rows {
        let given = |text| Some(text).filter(|text: &&str| !text.is_empty());
        let words = AddressParts {
            country: given(*country),
            region: given(*region),
            county: given(*county),
            city: given(*city),
            neighbourhood: given(*quarter),
            postal_code: given(*postal),
        };
        let located = Gazetteer::get().locate(&words);
        let known = located.levels.iter().flatten().all(|name| name.origin == NameOrigin::Gazetteer);
        if located.path().as_deref() != Some(*path) || !known || !located.contradictions.is_empty() {
            wrong.push(format!("{words:?}: {:?} and not {path}; {:?}", located.path(), located.contradictions));
        }
    }
    assert!(wrong.is_empty(), "{} of {} spellings:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn every_search_finds_the_expected_place_first() {
    let rows = rows::<2>(include_str!("../searches.tsv"));
    let mut wrong = Vec::new();
    for [text, path] in &rows {
        let found = Gazetteer::get().find(text);
        let found: Vec<_> = found.iter().take(3).map(|found| (found.path.as_str(), found.edits)).collect();
        if found.first() != Some(&(*path, 0)) {
            wrong.push(format!("{text:?}: {found:?} and not {path}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {} searches:\n{}", wrong.len(), rows.len(), wrong.join("\n"));
}

#[test]
fn there_are_a_thousand_unique_spellings() {
    let spellings = include_str!("../spellings.tsv").lines().chain(include_str!("../searches.tsv").lines());
    let spellings: Vec<&str> = spellings.filter(|line| !line.starts_with('#')).collect();
    assert!(spellings.len() >= 1_000, "{}", spellings.len());
    assert_eq!(spellings.iter().collect::<BTreeSet<_>>().len(), spellings.len());
}
