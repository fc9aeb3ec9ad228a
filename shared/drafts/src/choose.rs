//! Assigns columns to fields: scores every pair and takes the best first.

use super::column::{Column, ratio};
use super::contested;
use super::fit::fit;
use super::guess::{Chosen, Guess, SHARE, SURE, shown};
use super::known::{Known, is_beside};
use super::local;
use super::per_area;
use super::pictures;
use super::sample::Sample;
use super::types;
use super::vocabulary::{FIELDS, Field};

/// Minimum score to suggest a guess in a comment.
const THINKABLE: i32 = 40;

/// Maximum number of alternatives listed per field.
const OTHERS_MAX: usize = 3;

/// Fields that are recognized by their values alone, whatever the column's name.
const SHAPED: [&str; 7] = ["purpose", "list_price", "currency", "living_area", "images", "url", "description"];

/// Assigns a column to each field that one fits.
pub(super) fn choose(sample: &Sample, known: &Known) -> Chosen {
    let mut guesses: Vec<(usize, Guess)> = Vec::new();
    for (place, field) in FIELDS.iter().enumerate() {
        for column in &sample.columns {
            guesses.extend(scored(field, column, sample, known).map(|guess| (place, guess)));
        }
    }
    // Ties go to the first field, then to the column that is nested least and has the shortest name.
    guesses.sort_by_key(|(place, guess)| {
        let name = &guess.columns[0];
        (-guess.score, *place, name.matches('/').count(), name.len(), name.clone())
    });
    let mut chosen = Chosen::default();
    for (_, guess) in &guesses {
        let taken = |other: &Guess| {
            let shares = SHARE.contains(&other.field) && SHARE.contains(&guess.field);
            other.field == guess.field || (!shares && guess.columns.iter().any(|name| other.columns.contains(name)))
        };
        if guess.score >= SURE && guess.doubt.is_none() && !chosen.sure.iter().any(taken) {
            chosen.sure.push(guess.clone());
        }
    }
    types::finest(&guesses, sample, &mut chosen);
    per_area::settle(&guesses, sample, &mut chosen);
    currency_of_price(&guesses, &mut chosen);
    contested::settle(&guesses, sample, known, &mut chosen);
    let reads = |name: &String| chosen.sure.iter().any(|guess| guess.columns.contains(name));
    for field in &*FIELDS {
        let of_field = || guesses.iter().map(|(_, guess)| guess).filter(|guess| guess.field == field.name);
        if chosen.sure.iter().any(|guess| guess.field == field.name) {
            let near = of_field().filter(|guess| guess.score >= SURE && !reads(&guess.columns[0]));
            let names: Vec<String> = near.take(OTHERS_MAX).map(|guess| guess.columns[0].clone()).collect();
            if !names.is_empty() {
                chosen.others.push((field.name, names));
            }
        } else {
            let thinkable = of_field().filter(|guess| guess.score >= THINKABLE && !reads(&guess.columns[0]));
            let known = |guess: &&Guess| {
                chosen.unsure.iter().any(|other| other.field == guess.field && other.columns == guess.columns)
            };
            let more: Vec<Guess> = thinkable.filter(|guess| !known(guess)).take(OTHERS_MAX).cloned().collect();
            chosen.unsure.extend(more);
        }
    }
    let place = |guess: &Guess| FIELDS.iter().position(|field| field.name == guess.field);
    chosen.sure.sort_by_key(place);
    chosen
}

/// Takes the currency that is beside the price; that of another amount is none of it.
fn currency_of_price(guesses: &[(usize, Guess)], chosen: &mut Chosen) {
    let is_price = |guess: &&Guess| matches!(guess.field, "list_price" | "close_price");
    let Some(price) = chosen.sure.iter().find(is_price).and_then(|guess| guess.columns.first().cloned()) else {
        return;
    };
    let Some(at) = chosen.sure.iter().position(|guess| guess.field == "currency") else { return };
    let is_of_price = |guess: &Guess| is_beside(&guess.columns[0], &price);
    if is_of_price(&chosen.sure[at]) {
        return;
    }
    let of_field = guesses.iter().map(|(_, guess)| guess).filter(|guess| guess.field == "currency");
    match of_field.into_iter().find(|guess| guess.score >= SURE && guess.doubt.is_none() && is_of_price(guess)) {
        Some(beside) => chosen.sure[at] = beside.clone(),
        None => {
            let doubt = format!("It is beside another amount than {}: is it the currency of both?", shown(&price));
            let other = chosen.sure.remove(at).doubted(doubt);
            chosen.unsure.push(other);
        }
    }
}

/// Whether a column has the only links of the sample, another one in each row: whatever its name is, they are the listings'.
fn is_only_link(field: &Field, column: &Column, sample: &Sample) -> bool {
    let is_link = |column: &Column| {
        let pictures = column.share(|text| [".jpg", ".jpeg", ".png", ".webp"].iter().any(|end| text.contains(end)));
        column.all(|text| text.starts_with("http")) && pictures < 0.3
    };
    let links = sample.columns.iter().filter(|column| is_link(column)).count();
    field.name == "url" && links == 1 && column.distinct() == sample.looked_at()
}

fn scored(field: &Field, column: &Column, sample: &Sample, known: &Known) -> Option<Guess> {
    let country = known.country.as_ref().map(|(code, _)| code.as_str());
    let of_country = local::likeness(field.name, column, country);
    let like = of_country.unwrap_or_else(|| field.likeness(column));
    let like = like.max(pictures::likeness(field, column));
    let is_shaped = SHAPED.contains(&field.name) && column.owner.is_none();
    if like == 0 && !is_shaped {
        return None;
    }
    let mut found = fit(field.name, column, sample, known)?;
    if like == 0 && found.shape == 0 {
        return None;
    }
    if let Some(word) = field.unread(column).filter(|_| of_country.is_none() && !is_only_link(field, column, sample)) {
        found.guess = found.guess.doubted(format!("{word:?} in its name is not understood."));
    }
    #[expect(clippy::cast_possible_truncation, reason = "a share of 10")]
    let gaps = (10.0 * (1.0 - ratio(column.filled(), sample.looked_at()))) as i32;
    let named = if like > 0 { like + found.guess.score } else { 0 };
    let score = named.max(found.shape) - gaps;
    Some(Guess { score, ..found.guess })
}
