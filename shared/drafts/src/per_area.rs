//! A price per area whose name does not say so: times the area it is another price.

use super::column::{Column, ratio};
use super::guess::{Chosen, Guess, shown};
use super::sample::Sample;

/// The share of rows in which the product is the other price, and how far it may be off.
const MOST: f64 = 0.8;
const OFF_MAX: f64 = 0.02;

/// Takes the whole price for one per area.
pub(super) fn settle(guesses: &[(usize, Guess)], sample: &Sample, chosen: &mut Chosen) {
    let Some(at) = chosen.sure.iter().position(|guess| guess.field == "list_price") else { return };
    let column = |guess: &Guess| sample.columns.iter().find(|column| guess.columns.first() == Some(&column.name));
    let of = |field: &'static str| guesses.iter().map(|(_, guess)| guess).filter(move |guess| guess.field == field);
    let areas: Vec<&Column> = of("living_area").chain(of("lot_area")).filter_map(column).collect();
    let Some(price) = column(&chosen.sure[at]) else { return };
    let is_whole = |other: &&Guess| {
        other.doubt.is_none()
            && column(other).is_some_and(|whole| {
                whole.name != price.name && areas.iter().any(|area| is_product(price, area, whole))
            })
    };
    let Some(whole) = of("list_price").find(is_whole) else { return };
    let why = format!(" {} is it per area.", shown(&price.name));
    let mut whole = whole.clone();
    whole.why += &why;
    chosen.sure[at] = whole;
}

/// Whether one price is another one per area of some column.
pub(super) fn is_per_area(price: &Column, whole: &Column, guesses: &[(usize, Guess)], sample: &Sample) -> bool {
    let is_area = |guess: &Guess| matches!(guess.field, "living_area" | "lot_area");
    let named = |guess: &Guess| sample.columns.iter().find(|column| guess.columns.first() == Some(&column.name));
    guesses
        .iter()
        .filter(|(_, guess)| is_area(guess))
        .filter_map(|(_, guess)| named(guess))
        .any(|area| is_product(price, area, whole))
}

/// Whether a price times an area is another price in most rows.
fn is_product(price: &Column, area: &Column, whole: &Column) -> bool {
    let number = |column: &Column, row: usize| column.cells[row].text()?.parse::<f64>().ok().filter(|n| *n > 0.0);
    let rows: Vec<bool> = (0..price.cells.len())
        .filter_map(|row| Some((number(price, row)?, number(area, row)?, number(whole, row)?)))
        .filter(|(_, area, _)| *area > 2.0)
        .map(|(price, area, whole)| (price * area - whole).abs() <= OFF_MAX * whole)
        .collect();
    rows.len() > 2 && ratio(rows.iter().filter(|fits| **fits).count(), rows.len()) >= MOST
}
