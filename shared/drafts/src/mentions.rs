//! Columns that are called like a field and that the draft does not read: each is named, with the reason.

use super::column::{Cell, Column};
use super::guess::{Chosen, Guess, shown};
use super::known::Known;
use super::sample::Sample;
use super::vocabulary::{FIELDS, Field};
use stoop_sources::text::{MoneyTextError, NumberStyle, parse_money};

/// Minimum likeness of a name to mention its column.
const LIKE_MIN: i32 = 66;

/// Maximum number of columns to mention: a row of an MLS has hundreds.
const MENTIONS_MAX: usize = 40;

/// The columns that are called like a field, and that no line of the draft names.
pub(super) fn of(sample: &Sample, known: &Known, chosen: &Chosen) -> Vec<(&'static str, String, String)> {
    let reads = |guess: &Guess, name: &String| {
        // A list is read if its first element is.
        guess.columns.iter().any(|read| {
            read == name || read.trim_start_matches('/').starts_with(&format!("{}/", name.trim_start_matches('/')))
        })
    };
    let is_named = |name: &String| {
        chosen.sure.iter().chain(&chosen.unsure).any(|guess| reads(guess, name))
            || chosen.others.iter().any(|(_, names)| names.contains(name))
    };
    // What every row says alike is a line of the whole map.
    let is_settled = |field: &Field, column: &Column| {
        let fact = match field.name {
            "country" => known.country.is_some(),
            "currency" => known.currency.is_some(),
            "purpose" => known.purpose.is_some(),
            _ => false,
        };
        fact && column.distinct() == 1
    };
    let mut found: Vec<(usize, i32, &Column)> = Vec::new();
    for column in sample.columns.iter().filter(|column| !is_named(&column.name)) {
        let likes = FIELDS.iter().enumerate().map(|(place, field)| (field.named(column), place));
        if let Some((like, place)) = likes.max_by_key(|(like, place)| (*like, std::cmp::Reverse(*place)))
            && like >= LIKE_MIN
            && !is_settled(&FIELDS[place], column)
        {
            found.push((place, like, column));
        }
    }
    found.sort_by_key(|(place, like, column)| (column.owner.is_some(), *place, -like, column.name.clone()));
    let mentions = found.into_iter().take(MENTIONS_MAX);
    mentions
        .map(|(place, _, column)| (FIELDS[place].name, column.name.clone(), why(&FIELDS[place], column, chosen)))
        .collect()
}

/// Texts of chosen columns that are not known and left out.
pub(super) fn unknown_texts(chosen: &Chosen) -> Vec<(&'static str, String, String)> {
    let of_guess = |guess: &Guess| {
        let lookup = guess.lookup.as_ref()?;
        if guess.field != "property_type" {
            return None;
        }
        let unknown: Vec<String> = lookup
            .entries
            .iter()
            .filter(|(_, meaning, _)| meaning.is_none())
            .take(4)
            .map(|(text, _, count)| format!("{:?} {count}×", shown(text)))
            .collect();
        let why = format!("not known, and left out: {}.", unknown.join(", "));
        (!unknown.is_empty()).then(|| (guess.field, guess.columns[0].clone(), why))
    };
    chosen.sure.iter().filter_map(of_guess).collect()
}

fn why(field: &Field, column: &Column, chosen: &Chosen) -> String {
    if column.filled() == 0 {
        return "empty in every row.".to_owned();
    }
    if let Some(owner) = &column.owner {
        return format!("{owner:?} says that it is not the listing's own.");
    }
    if let Some(word) = field.excluded(column) {
        return format!("{word:?} in its name says something else.");
    }
    if column.measure.area.is_some() && field.name.ends_with("price") {
        return "a price per area.".to_owned();
    }
    if let Some(better) = chosen.sure.iter().find(|guess| guess.field == field.name && !guess.columns.is_empty()) {
        return format!("{} is likelier.", shown(&better.columns[0]));
    }
    if let Some(why) = column.mixed.clone().or_else(|| unread_word(field, column)) {
        return why;
    }
    match column.cells.iter().find(|cell| **cell != Cell::Absent) {
        Some(Cell::List(_) | Cell::Nested) => "lists or objects, which this field cannot read.".to_owned(),
        _ => format!(
            "not all of its values fit this field, like {:?}, or its name is not sure enough.",
            shown(column.first().unwrap_or_default())
        ),
    }
}

/// The word that makes amounts unreadable: `Million` in a language that is not known.
fn unread_word(field: &Field, column: &Column) -> Option<String> {
    if !field.name.ends_with("price") {
        return None;
    }
    column.texts().find_map(|text| match parse_money(text, NumberStyle::Auto, None) {
        Err(MoneyTextError::Word { word, .. }) => {
            Some(format!("{:?} in its amounts is not understood, as in {:?}.", shown(&word), shown(text)))
        }
        _ => None,
    })
}
