//! Several columns of property types: which of them is read.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use super::column::Column;
use super::guess::{Chosen, Guess, SHARE, SURE, quoted, shown};
use super::sample::Sample;

/// Takes the column whose types are known in more rows, or are more different ones (`apartment` before `property`). One that
/// parts what another calls alike is read first. Where two say another type of one home, neither is certain.
pub(super) fn finest(guesses: &[(usize, Guess)], sample: &Sample, chosen: &mut Chosen) {
    let Some(at) = chosen.sure.iter().position(|guess| guess.field == "property_type") else { return };
    let is_free = |guess: &Guess| {
        let others = chosen.sure.iter().filter(|other| !SHARE.contains(&other.field));
        guess.score >= SURE && guess.doubt.is_none() && !others.into_iter().any(|other| other.columns == guess.columns)
    };
    let types: Vec<&Guess> = guesses
        .iter()
        .map(|(_, guess)| guess)
        .filter(|guess| guess.field == "property_type" && is_free(guess))
        .collect();
    // The first of the finest: guesses are sorted by their score.
    let finest = types.iter().copied().reduce(|best, next| if fineness(next) > fineness(best) { next } else { best });
    if let Some(finest) = finest.filter(|finest| fineness(finest) > fineness(&chosen.sure[at])) {
        chosen.sure[at] = finest.clone();
    }
    let best = chosen.sure[at].clone();
    for other in types.into_iter().filter(|other| other.columns != best.columns) {
        let pairs = pairs(&best, other, sample);
        let rows = pairs.iter().filter(|((_, kind), (_, of_other))| kind != of_other).count();
        if rows == 0 {
            continue;
        }
        let (here, there) = (shown(&best.columns[0]), shown(&other.columns[0]));
        let flipped: Vec<Pair<'_>> = pairs.iter().map(|(a, b)| (*b, *a)).collect();
        let parted = if parts(&pairs) {
            joined(other, &best, sample)
        } else if parts(&flipped) {
            joined(&best, other, sample)
        } else {
            None
        };
        chosen.sure[at] = parted.unwrap_or_else(|| {
            best.clone().doubted(format!("In {rows} rows {there} says another type than {here}: which is right?"))
        });
        break;
    }
    if chosen.sure[at].doubt.is_some() {
        let doubtful = chosen.sure.remove(at);
        chosen.unsure.push(doubtful);
    }
}

/// Rows whose type is known, and the number of different types.
fn fineness(guess: &Guess) -> (usize, usize) {
    let known = guess.lookup.iter().flat_map(|lookup| &lookup.entries).filter(|(_, meaning, _)| meaning.is_some());
    let kinds: HashSet<Option<&str>> = known.clone().map(|(_, meaning, _)| *meaning).collect();
    (known.map(|(.., count)| count).sum(), kinds.len())
}

/// A text and the type that it means, of each of two columns.
type Pair<'s> = ((&'s str, &'static str), (&'s str, &'static str));

/// The rows in which the types of both columns are known.
fn pairs<'s>(one: &Guess, other: &Guess, sample: &'s Sample) -> Vec<Pair<'s>> {
    let (Some(a), Some(b)) = (column(one, sample), column(other, sample)) else { return Vec::new() };
    let meant = |guess: &Guess, column: &'s Column, row: usize| {
        let text = column.cells.get(row)?.text()?;
        let entries = &guess.lookup.as_ref()?.entries;
        let (.., meaning, _) = entries.iter().find(|(known, ..)| known == text)?;
        Some((text, (*meaning)?))
    };
    (0..sample.looked_at()).filter_map(|row| Some((meant(one, a, row)?, meant(other, b, row)?))).collect()
}

fn column<'s>(guess: &Guess, sample: &'s Sample) -> Option<&'s Column> {
    sample.columns.iter().find(|column| guess.columns.contains(&column.name))
}

/// Whether the second column says several types where the first has one text, and never the other way round.
fn parts(pairs: &[Pair<'_>]) -> bool {
    let mut of_first: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    let mut of_second: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for ((a, kind), (b, of_b)) in pairs {
        of_first.entry(a).or_default().insert(of_b);
        of_second.entry(b).or_default().insert(kind);
    }
    of_first.values().any(|kinds| kinds.len() > 1) && of_second.values().all(|kinds| kinds.len() == 1)
}

/// Reads the finer column, and the coarser one where it is empty; `None` if a text means another type in each.
fn joined(finer: &Guess, coarser: &Guess, sample: &Sample) -> Option<Guess> {
    let cells = |guess: &Guess| Some(&column(guess, sample)?.cells);
    let mut rows = cells(finer)?.iter().zip(cells(coarser)?);
    if !rows.any(|(first, second)| first.text().is_none() && second.text().is_some()) {
        return Some(finer.clone());
    }
    let (first, second) = (finer.lookup.as_ref()?, coarser.lookup.as_ref()?);
    let mut lookup = first.clone();
    for (text, meaning, count) in &second.entries {
        match first.entries.iter().find(|(known, ..)| known == text) {
            Some((_, known, _)) if known != meaning => return None,
            Some(_) => {}
            None => lookup.entries.push((text.clone(), *meaning, *count)),
        }
    }
    let (name, other) = (finer.columns.first()?, coarser.columns.first()?);
    let mut guess = finer.clone();
    guess.keys = vec![("from", format!("[{}, {}]", quoted(name), quoted(other)))];
    if finer.is_lenient() {
        guess.be_lenient();
    }
    guess.columns = vec![name.clone(), other.clone()];
    guess.why += &format!(" It parts what {} calls alike, which is read where it is empty.", shown(other));
    guess.lookup = Some(lookup);
    Some(guess)
}
