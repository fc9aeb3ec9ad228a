//! Codes that other columns explain: `deal_type_id` is 1 where the titles speak of a sale, and a status is `S` where there is the
//! day of a sale.

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

/// Reads a status in codes if the day or the price of a sale is in all rows of some codes and in none of the others. Of those, `A` is
/// on offer, and the rest is for a person to say.
pub(super) fn status(sample: &Sample, chosen: &mut Chosen) {
    let Some(of_status) = field("status") else { return };
    if chosen.sure.iter().any(|guess| guess.field == "status") {
        return;
    }
    let sold = chosen.sure.iter().filter(|guess| matches!(guess.field, "close_date" | "close_price"));
    let sold: Vec<&Column> =
        sold.filter_map(|guess| sample.columns.iter().find(|column| guess.columns.contains(&column.name))).collect();
    let is_status = |column: &&Column| {
        of_status.likeness(column) >= 80
            && column.scalars() == sample.looked_at()
            && column.all(|text| text.len() <= 3 && text.bytes().all(|byte| byte.is_ascii_alphanumeric()))
    };
    let codes = sample.columns.iter().filter(is_status);
    let found = codes.into_iter().find_map(|codes| sold.iter().find_map(|sold| of_sales(codes, sold)));
    if let Some(guess) = found {
        chosen.unsure.retain(|guess| guess.field != "status");
        chosen.sure.push(guess);
    }
}

fn of_sales(codes: &Column, sold: &Column) -> Option<Guess> {
    let mut meanings: BTreeMap<&str, (bool, usize)> = BTreeMap::new();
    for (code, day) in codes.cells.iter().zip(&sold.cells) {
        let is_sold = day.text().is_some();
        let known = meanings.entry(code.text()?).or_insert((is_sold, 0));
        if known.0 != is_sold {
            return None;
        }
        known.1 += 1;
    }
    let both = meanings.values().any(|(sold, _)| *sold) && meanings.values().any(|(sold, _)| !sold);
    let meant = |code: &str, is_sold: bool| match (is_sold, code) {
        (true, _) => Some("Closed"),
        (false, "A" | "ACT") => Some("Active"),
        _ => None,
    };
    let why = format!("{} is filled in all rows of some codes and in none of the others.", shown(&sold.name));
    let entries = meanings.into_iter().map(|(code, (sold, rows))| (code.to_owned(), meant(code, sold), rows)).collect();
    let lookup = Lookup {
        entries,
        known_words: true,
        otherwise: None,
        accepted: "Active, Pending, Closed, Withdrawn, Expired, Canceled",
    };
    both.then(|| Guess { lookup: Some(lookup), ..Guess::of("status", &codes.name, why) })
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
