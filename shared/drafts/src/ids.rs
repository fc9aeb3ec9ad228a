//! Which column, or which part of a URL, is the permanent ID of a home.

use std::collections::HashSet;
use std::sync::LazyLock;

use regex::Regex;

use super::column::{Cell, Column, ratio};
use super::guess::{Chosen, Guess, quoted, shown};
use super::sample::Sample;
use super::vocabulary::FIELDS;
use super::{DraftError, DraftHints};

/// Patterns of an ID in a URL. Its query and fragment are no part of the path: `?page=2` is on the same home.
const PATTERNS: [&str; 5] = [
    r"^[^?#]*?(\d{4,})[^\d?#]*(?:[?#].*)?$",
    r"^[^?#]*?([A-Za-z]{1,3}-?\d{4,})/?(?:[?#].*)?$",
    r"(?i)[?&](?:id|(?:listing|property|ad|objec?k?t|home|annonce|expose|detail|item|mls)_?id|ref|reference|pid|oid)=([^&#]+)",
    r"^[^?#]*?(\d{6,})",
    r"^[^?#]*/([^/?#]+?)(?:\.html?)?/?(?:[?#].*)?$",
];

/// A URL's part that names a home, not an advert of it.
const PERMANENT: &str =
    r"/(?:home|homes|property|properties|house|houses|homedetails|dwelling)/(\d{3,})(?:[/?#_-].*)?$";

static COMPILED: LazyLock<Vec<Regex>> =
    LazyLock::new(|| PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect());

static HOME: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(PERMANENT).ok());

/// Words of a number that an advert has, and a home only while it is on offer.
const OF_ADVERTS: [&str; 12] =
    ["mls", "ml", "listing", "list", "ad", "advert", "annonce", "anzeigen", "offer", "reference", "ref", "external"];

/// Decides the ID: the given column, else the permanent ID in a URL before the number of an advert, else what is there.
pub(super) fn choose(sample: &Sample, hints: &DraftHints, chosen: &mut Chosen) -> Result<(), DraftError> {
    if let Some(name) = &hints.id {
        let Some(column) = sample.columns.iter().find(|column| column.name == *name) else {
            let known = candidates(sample).join(", ");
            return Err(DraftError::one(format!(
                "--id {name:?}: the sample has no such column; like an id are: {known}"
            )));
        };
        chosen.sure.retain(|guess| guess.field != "native_id" && !guess.columns.contains(&column.name));
        chosen.sure.push(Guess::of("native_id", &column.name, "As given."));
        return Ok(());
    }
    let known = chosen.sure.iter().position(|guess| guess.field == "native_id");
    let Some(at) = known else {
        chosen.sure.extend(in_address(sample, chosen).map(|guess| in_column(sample, &guess).unwrap_or(guess)));
        return Ok(());
    };
    let guess = &chosen.sure[at];
    let Some(column) = sample.columns.iter().find(|column| guess.columns.contains(&column.name)) else { return Ok(()) };
    // Where each row has another ID, one that is repeated is that of something else: of a building with several homes.
    if column.distinct() < column.scalars()
        && let Some(unique) = candidates(sample).first()
    {
        let doubt = format!("{} is another one in each row, and it is not: which is the ID?", unique);
        let doubtful = chosen.sure.remove(at).doubted(doubt);
        chosen.unsure.push(doubtful);
        return Ok(());
    }
    let is_of_advert = column.words.have(&OF_ADVERTS);
    let has_gaps = column.scalars() < sample.looked_at();
    let better = is_of_advert.then(|| permanent(sample, chosen, column)).flatten();
    if let Some(better) = better.or_else(|| has_gaps.then(|| in_address(sample, chosen)).flatten()) {
        let name = column.name.clone();
        chosen.sure[at] = better;
        chosen.others.retain(|(field, _)| *field != "native_id");
        chosen.others.push(("native_id", vec![name]));
    }
    Ok(())
}

/// Columns that could be an ID: full, and another value in each row.
pub(super) fn candidates(sample: &Sample) -> Vec<String> {
    const MAX: usize = 6;
    let is_id = |column: &&Column| {
        let short = |text: &str| text.len() <= 64 && !text.contains(char::is_whitespace) && !text.contains("://");
        let fraction = |cell: &Cell| matches!(cell, Cell::Number(text) if text.contains('.'));
        column.owner.is_none()
            && column.scalars() == sample.looked_at()
            && column.distinct() == column.scalars()
            && column.all(short)
            && !column.cells.iter().any(fraction)
    };
    // A column that is called like another field comes last.
    let other = |column: &Column| {
        let likes = FIELDS.iter().filter(|field| field.name != "native_id").map(|field| field.named(column));
        likes.max().unwrap_or(0)
    };
    let mut found: Vec<&Column> = sample.columns.iter().filter(is_id).collect();
    found.sort_by_cached_key(|column| (other(column) >= 60, column.depth));
    found.into_iter().take(MAX).map(|column| shown(&column.name)).collect()
}

/// URLs that are in every row.
fn addresses<'s>(sample: &'s Sample, chosen: &Chosen) -> Vec<&'s Column> {
    let guesses = chosen.sure.iter().chain(&chosen.unsure).filter(|guess| guess.field == "url");
    let columns = guesses.filter_map(|guess| sample.columns.iter().find(|column| guess.columns.contains(&column.name)));
    columns.filter(|column| column.scalars() == sample.looked_at()).collect()
}

/// The part of each text that a pattern finds; `None` if it is not in every one.
fn found<'c>(column: &'c Column, regex: &Regex) -> Option<Vec<&'c str>> {
    let ids: Option<Vec<&str>> =
        column.texts().map(|text| regex.captures(text)?.get(1).map(|id| id.as_str())).collect();
    ids.filter(|ids| ids.iter().all(|id| !id.is_empty() && id.len() <= 256))
}

fn distinct(ids: &[&str]) -> usize {
    ids.iter().collect::<HashSet<_>>().len()
}

fn in_address(sample: &Sample, chosen: &Chosen) -> Option<Guess> {
    addresses(sample, chosen).into_iter().find_map(|column| {
        let path = |text: &str| text.split(['?', '#']).next().unwrap_or_default().to_owned();
        let paths = column.texts().map(path).collect::<HashSet<_>>().len();
        COMPILED.iter().zip(PATTERNS).find_map(|(regex, pattern)| {
            let ids = found(column, regex)?;
            let distinct = distinct(&ids);
            // The same ad may be on a page twice; another ad has another path, or another ID in the query.
            let of_path = distinct == paths || pattern.contains("[?&]");
            let same = of_path && ratio(distinct, ids.len()) > 0.5;
            let first = shown(ids.first()?);
            let why = format!("In each row's address, {distinct} different ones, like {first}.");
            same.then(|| Guess::of("native_id", &column.name, why).with("regex", pattern))
        })
    })
}

/// The column that has what a pattern finds in the address of each row, and letters beside it: `ZG-20114` for `.../20114`.
fn in_column(sample: &Sample, of_address: &Guess) -> Option<Guess> {
    let address = sample.columns.iter().find(|column| of_address.columns.contains(&column.name))?;
    let ids = COMPILED
        .iter()
        .zip(PATTERNS)
        .find(|(_, pattern)| of_address.keys.iter().any(|(_, value)| *value == quoted(pattern)));
    let ids = found(address, ids?.0)?;
    let has_ids = |column: &&Column| {
        column.owner.is_none()
            && column.scalars() == ids.len()
            && column.all(|text| text.len() <= 64 && !text.contains(char::is_whitespace) && !text.contains('/'))
            && column.texts().zip(&ids).all(|(text, id)| text.contains(id))
    };
    let column = sample.columns.iter().find(has_ids)?;
    let why = format!("{} has its number in each row.", shown(&address.name));
    Some(Guess::of("native_id", &column.name, why))
}

/// The permanent ID of the home in a URL, if it is another one than that of the advert.
fn permanent(sample: &Sample, chosen: &Chosen, advert: &Column) -> Option<Guess> {
    let regex = HOME.as_ref()?;
    addresses(sample, chosen).into_iter().find_map(|column| {
        let ids = found(column, regex)?;
        let is_same = ids.iter().zip(&advert.cells).any(|(id, cell)| cell.text() == Some(*id));
        let plain = distinct(&ids) == ids.len() && !is_same;
        let first = shown(ids.first()?);
        let why = format!("The home's own number in its address, like {first}, which the next advert of it has too.");
        plain.then(|| Guess::of("native_id", &column.name, why).with("regex", PERMANENT))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert!(COMPILED.len() == PATTERNS.len() && HOME.is_some());
    }

    #[test]
    fn query_and_fragment_are_no_part_of_an_id() {
        for url in [
            "https://p.example/detail?id=253811071&page=1",
            "https://p.example/253811071.htm?page=2",
            "https://p.example/253811071?x=1",
            "https://p.example/253811071#ln=1",
            "https://p.example/expose/253811071?searchId=0a1b-1111",
            "https://p.example/a-nice-home-12/253811071/",
            "https://p.example/253811071/photos/2",
        ] {
            let id = COMPILED.iter().find_map(|regex| Some(regex.captures(url)?[1].to_owned()));
            assert_eq!(id.as_deref(), Some("253811071"), "{url}");
        }
    }
}
