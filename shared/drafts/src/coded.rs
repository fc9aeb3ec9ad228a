//! Codes of purposes, which the titles or the addresses of the rows explain: `deal_type_id` is 1 where they speak of a sale.

use std::collections::BTreeMap;

use super::column::Column;
use super::guess::{Chosen, Guess, Lookup, shown};
use super::kinds;
use super::sample::Sample;
use super::vocabulary::field;

/// Words of a column whose codes may be purposes.
const NAMES: [&str; 12] = [
    "deal",
    "transaction",
    "offer",
    "purpose",
    "operation",
    "operacion",
    "negocio",
    "contract",
    "trade",
    "advert",
    "adv",
    "sale",
];

/// Fewer rows prove nothing.
const ROWS_MIN: usize = 3;

/// Reads the purpose from codes if each code stands in rows that speak of one purpose alone, and both purposes are said.
pub(super) fn purpose(sample: &Sample, chosen: &mut Chosen) {
    let is_known = |guess: &Guess| guess.field == "purpose";
    if chosen.sure.iter().any(is_known) || sample.looked_at() < ROWS_MIN {
        return;
    }
    let spoken = ["title", "url"].into_iter().filter_map(field).flat_map(|field| {
        sample
            .columns
            .iter()
            .filter(move |column| column.owner.is_none() && column.is_scalar() && field.likeness(column) >= 60)
    });
    let columns = || sample.columns.iter().filter(|column| is_coded(column, sample.looked_at()));
    let found = spoken.into_iter().find_map(|words| columns().find_map(|codes| explained(codes, words)));
    chosen.sure.extend(found);
}

fn is_coded(column: &Column, rows: usize) -> bool {
    column.owner.is_none()
        && column.scalars() == rows
        && column.words.have(&NAMES)
        && column.all(|text| text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

/// The lookup of codes by what another column says of their rows; `None` if a code has rows of both purposes or a row says none.
fn explained(codes: &Column, words: &Column) -> Option<Guess> {
    let mut meanings: BTreeMap<&str, (&'static str, usize)> = BTreeMap::new();
    for (code, text) in codes.cells.iter().zip(&words.cells) {
        let said = kinds::purpose_in(text.text()?)?;
        let known = meanings.entry(code.text()?).or_insert((said, 0));
        if known.0 != said {
            return None;
        }
        known.1 += 1;
    }
    let says = |purpose: &str| meanings.values().any(|(said, _)| *said == purpose);
    if !says("sale") || !says("rent") {
        return None;
    }
    let why = format!("In each row {} says what its code means.", shown(&words.name));
    let entries = meanings.into_iter().map(|(code, (said, rows))| (code.to_owned(), Some(said), rows)).collect();
    let lookup = Lookup { entries, known_words: false, otherwise: None, accepted: "sale, rent" };
    Some(Guess { lookup: Some(lookup), ..Guess::of("purpose", &codes.name, why) })
}
