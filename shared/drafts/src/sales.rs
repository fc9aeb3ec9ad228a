//! One price column for homes on offer and sold homes: what its value is in a sold row.

use super::column::{Column, ratio};
use super::guess::{Chosen, Guess, quoted, shown};
use super::sample::Sample;

/// Parts the price of sold rows from the asking price, if no other column has it.
pub(super) fn settle(sample: &Sample, chosen: &mut Chosen) {
    doubt_dated_price(sample, chosen);
    let column = |guess: &Guess| -> Option<&Column> {
        let [name] = &guess.columns[..] else { return None };
        sample.columns.iter().find(|column| column.name == *name)
    };
    let sure = |field: &str| chosen.sure.iter().find(|guess| guess.field == field);
    let (Some(status), Some(price), None) = (sure("status"), sure("list_price"), sure("close_price")) else { return };
    let (Some(lookup), Some(states), Some(prices)) = (&status.lookup, column(status), column(price)) else { return };
    let closed: Vec<String> = lookup
        .entries
        .iter()
        .filter(|(_, meaning, _)| *meaning == Some("Closed"))
        .map(|(text, ..)| text.clone())
        .collect();
    let is_closed =
        |row: &usize| states.cells[*row].text().is_some_and(|text| closed.iter().any(|known| known == text));
    let sold: Vec<usize> = (0..sample.looked_at()).filter(is_closed).collect();
    let filled = |of: &Column| ratio(sold.iter().filter(|row| of.cells[**row].text().is_some()).count(), sold.len());
    if sold.is_empty() || filled(prices) == 0.0 {
        return;
    }
    // A day of the sale in the row says that its price is that of the sale.
    let is_dated = sure("close_date").and_then(column).is_some_and(|days| filled(days) >= 0.5);
    let seen: Vec<String> = lookup
        .entries
        .iter()
        .filter(|(_, meaning, count)| *meaning == Some("Closed") && (*count > 0 || is_dated))
        .map(|(text, ..)| quoted(text))
        .collect();
    let only = format!("{{ from = {}, not = [{}] }}", quoted(&states.name), seen.join(", "));
    let rows = sold.len();
    let mut paid = Guess { field: "close_price", ..price.clone() };
    let Some(at) = chosen.sure.iter().position(|guess| guess.field == "list_price") else { return };
    chosen.sure[at].keys.push(("only", only));
    if is_dated {
        paid.why = format!(
            "In {rows} rows that are sold {} is what was paid: they have the day of the sale.",
            shown(&prices.name)
        );
        chosen.unsure.retain(|guess| guess.field != "close_price");
        chosen.sure.push(paid);
    } else {
        paid.why = format!("{} in {rows} rows that are sold.", shown(&prices.name));
        chosen.unsure.push(paid.doubted("Is it what was paid, or what was asked? Nothing says it."));
    }
}

/// A "sale price" beside the day of a sale may be what was asked or what was paid, and no status says which.
fn doubt_dated_price(sample: &Sample, chosen: &mut Chosen) {
    let has = |field: &str| chosen.sure.iter().any(|guess| guess.field == field);
    if has("status") || has("close_price") || !has("close_date") {
        return;
    }
    let is_of_sale = |guess: &Guess| {
        let named = |column: &&Column| guess.columns.contains(&column.name);
        let words = sample.columns.iter().filter(named).flat_map(|column| &column.words.last);
        guess.field == "list_price" && words.into_iter().any(|word| matches!(word.as_str(), "sale" | "sold"))
    };
    if let Some(at) = chosen.sure.iter().position(is_of_sale) {
        let price = chosen.sure.remove(at);
        let doubt = "Is it what was asked, or what was paid on the day of the sale? No status says it.";
        chosen.unsure.push(price.doubted(doubt));
    }
}
