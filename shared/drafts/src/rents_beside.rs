//! A column of rents beside one of sale prices, each filled where the other is not.

use stoop_sources::text::{Period, parse_period};

use super::column::Column;
use super::guess::{Chosen, quoted, shown};
use super::sample::Sample;
use super::vocabulary::field;

/// Words of a column of rents.
const RENTS: [&str; 12] = [
    "rent", "rental", "lease", "letting", "miete", "loyer", "alquiler", "renta", "affitto", "aluguel", "chirie", "sewa",
];

/// Reads the rents too, if the rows say that they are for rent.
pub(super) fn settle(sample: &Sample, chosen: &mut Chosen) {
    let meaning = |row: usize| {
        let purpose = chosen.sure.iter().find(|guess| guess.field == "purpose")?;
        let text = column(sample, &purpose.columns)?.cells.get(row)?.text()?;
        let (.., meaning, _) = purpose.lookup.as_ref()?.entries.iter().find(|(known, ..)| known == text)?;
        *meaning
    };
    let Some(at) = chosen.sure.iter().position(|guess| guess.field == "list_price") else { return };
    let guess = &chosen.sure[at];
    let is_plain = guess.keys.iter().all(|(key, _)| matches!(*key, "from" | "null"));
    let (Some(price), Some(named)) = (column(sample, &guess.columns), field("list_price")) else { return };
    let is_rent = |other: &&Column| {
        let fills = (0..sample.looked_at()).filter(|row| other.cells[*row].text().is_some());
        let mut filled = fills.peekable();
        other.owner.is_none()
            && other.words.have(&RENTS)
            && named.likeness(other) >= 80
            && other.numbers().is_some_and(|numbers| numbers.iter().all(|number| *number > 0.0))
            && (other.measure.is_plain() || other.measure.period == Some(Period::Month))
            && filled.peek().is_some()
            && filled.all(|row| price.cells[row].text().is_none() && meaning(row) == Some("rent"))
            && is_monthly(other, sample)
    };
    if !is_plain || guess.columns.len() != 1 || price.numbers().is_none() || price.words.have(&RENTS) {
        return;
    }
    let Some(rent) = sample.columns.iter().find(is_rent).map(|rent| rent.name.clone()) else { return };
    let guess = &mut chosen.sure[at];
    guess.keys[0] = ("from", format!("[{}, {}]", quoted(&guess.columns[0]), quoted(&rent)));
    guess.why += &format!(" In rows for rent {} is filled instead.", shown(&rent));
    guess.columns.push(rent);
}

fn column<'s>(sample: &'s Sample, names: &[String]) -> Option<&'s Column> {
    sample.columns.iter().find(|column| names.first() == Some(&column.name))
}

/// Whether no column of its name says another period: `LeaseAmountFrequency`.
fn is_monthly(rent: &Column, sample: &Sample) -> bool {
    let beside = |other: &&Column| {
        other.name != rent.name
            && other.words.above == rent.words.above
            && other.words.last.starts_with(&rent.words.last)
    };
    sample
        .columns
        .iter()
        .filter(beside)
        .all(|other| other.texts().all(|text| parse_period(text) == Some(Period::Month)))
}
