//! Prices and fees: what the name, the texts and the columns beside them say about the amounts.

use stoop_domain::Purpose;
use stoop_sources::text::{Period, parse_period};

use super::amounts::{Amounts, amounts};
use super::beside::{factors_beside, period_beside, share_beside};
use super::column::Column;
use super::guess::{Fit, Guess, shown};
use super::known::Known;
use super::sample::Sample;
use super::vocabulary::field as named;

/// What a conversion costs: a column that needs none is better.
const CONVERTED: i32 = -12;

/// A price is positive, and not the same in every row.
pub(super) fn price(field: &'static str, column: &Column, sample: &Sample, known: &Known) -> Option<Fit> {
    // A price per area is none of a home.
    if column.measure.area.is_some() {
        return None;
    }
    let found = amounts(column, known.money())?;
    let median = found.median() * column.measure.factor();
    if found.values.iter().any(|value| *value < 0.0) || median < 10.0 {
        return None;
    }
    let guess = written(Guess::of(field, &column.name, format!("Positive, {}.", found.range())), &found);
    let (mut guess, cost) = measured(guess, column, sample, known);
    let doubts = [in_unit_of_account(&found, column, sample, known), column.mixed.clone()];
    for doubt in doubts.into_iter().flatten().chain(of_other_purpose(column, sample, known)) {
        guess = guess.doubted(doubt);
    }
    let named = !found.currencies.is_empty();
    let constant = if found.is_constant() { -25 } else { 6 };
    // A number of rooms or a year is not a price.
    let small = if median < 100.0 && known.currency.is_none() { -20 } else { 0 };
    let is_rare = field == "list_price" && column.scalars() * 2 < column.cells.len();
    let rare = if is_rare { -15 } else { 0 };
    let shape = if named && field == "list_price" && !found.is_constant() { 62 } else { 0 };
    Some(Fit { guess: Guess { score: constant + small + rare + cost, ..guess }, shape })
}

/// Adds how the amounts are written.
fn written(mut guess: Guess, found: &Amounts) -> Guess {
    if found.style != "plain" {
        guess = guess.with("money", found.style);
    }
    guess = guess.with_list("null", &found.nulls);
    if let Some((text, count)) = &found.unread {
        guess.why += &format!(" {count} rows have what is no amount, like {:?}: left out.", shown(text));
    }
    if found.floors > 0 {
        guess.why += &format!(
            " {} rows have a range or a minimum: left out, unless range = \"minimum\" is added.",
            found.floors
        );
    }
    if let [(currency, _)] = found.currencies.iter().collect::<Vec<_>>()[..] {
        guess.why += &format!(" In {currency}.");
    }
    guess
}

/// Adds the conversions that the name and the columns beside it say, and the doubts that they leave.
fn measured(mut guess: Guess, column: &Column, sample: &Sample, known: &Known) -> (Guess, i32) {
    let measure = &column.measure;
    let mut cost = 0;
    let name = shown(&column.name);
    let unknown = named(guess.field).map_or_else(Vec::new, |field| field.unknown_words(column));
    if let Some(word) = unknown.first() {
        guess = guess.doubted(format!("{word:?} in its name is not understood."));
    }
    if column.is_repeated {
        guess = guess.doubted("The header has this name more than once: which of them is it?");
    }
    for (key, factor) in [("divide", measure.divisor), ("times", measure.times)] {
        if factor > 1 {
            guess.keys.push((key, factor.to_string()));
            guess.why += &format!(" The name of {name} says the factor.");
            cost = CONVERTED;
        }
    }
    if measure.factor() == 1.0
        && let Some((beside, factors)) = factors_beside(column, &sample.columns)
    {
        match factors[..] {
            [factor] => {
                guess.keys.push(("times", factor.to_string()));
                guess.why += &format!(" {} says the factor, the same in every row.", shown(&beside.name));
            }
            _ => guess = guess.doubted(format!("{} says another factor in some rows.", shown(&beside.name))),
        }
    }
    let code = known.currency.as_ref().map(|(code, _)| code.as_str());
    if !measure.currencies.is_empty() && !code.is_some_and(|code| measure.currencies.contains(&code)) {
        let says = measure.currencies[0];
        let doubt = format!("Its name says {says}, and prices are in {}.", code.unwrap_or("an unknown currency"));
        guess = guess.doubted(doubt);
        cost = CONVERTED;
    }
    if let Some((beside, text)) = share_beside(column, &sample.columns) {
        guess = guess.doubted(format!("{:?} in {} makes it the price of a part.", shown(text), shown(&beside.name)));
    }
    let is_sale = known.purpose.as_ref().is_some_and(|(purpose, _)| purpose == Purpose::Sale.as_str());
    match measure.period {
        Some(period) if is_sale => {
            guess = guess.doubted(format!("Its name says that it is by the {}: no sale.", period.as_str()));
        }
        Some(Period::Day) => guess = guess.doubted("Its name says that it is for a day: no rent by the month."),
        Some(Period::Month) => {}
        Some(period) => {
            guess = guess.with("per", period.as_str());
            guess.why += &format!(" The name of {name} says that it is by the {}.", period.as_str());
            cost = CONVERTED;
        }
        None if is_sale => {}
        None => {
            if let Some((beside, unread)) = period_beside(column, &sample.columns) {
                guess.keys.push(("per", format!("{{ from = {} }}", super::guess::quoted(&beside.name))));
                guess.columns.push(beside.name.clone());
                guess.why += &format!(" {} says for how long it is.", shown(&beside.name));
                if let Some(text) = unread {
                    guess = guess.doubted(format!(
                        "{:?} in {} is no period known here.",
                        shown(&text),
                        shown(&beside.name)
                    ));
                }
            }
        }
    }
    (guess, cost)
}

/// Why an amount of a list may be for another purpose than that of the rows.
fn of_other_purpose(column: &Column, sample: &Sample, known: &Known) -> Option<String> {
    let own = column.purpose?.as_str();
    let is_other = |other: &Column| other.purpose.is_some_and(|purpose| purpose.as_str() != own);
    match &known.purpose {
        Some((purpose, _)) if purpose == own => None,
        Some((purpose, _)) => Some(format!("It is the price for {own}, and the rows are for {purpose}.")),
        None => sample
            .columns
            .iter()
            .any(is_other)
            .then(|| "Its list has prices for sale and for rent: --purpose says which are read.".to_owned()),
    }
}

/// Why bare numbers of Chile may be in its unit of account, UF, which is worth some 40,000 pesos.
fn in_unit_of_account(found: &Amounts, column: &Column, sample: &Sample, known: &Known) -> Option<String> {
    const SALE_MIN: f64 = 100_000.0;
    const RENT_MIN: f64 = 10_000.0;
    let is = |fact: &Option<super::known::Fact>, wanted: &str| fact.as_ref().is_some_and(|(value, _)| value == wanted);
    if !is(&known.country, "CL") || !is(&known.currency, "CLP") || column.measure.currencies.contains(&"CLP") {
        return None;
    }
    let says = |other: &&Column| {
        named("currency").is_some_and(|field| field.likeness(other) >= 60) && other.scalars() >= column.scalars()
    };
    let least = if is(&known.purpose, Purpose::Rent.as_str()) { RENT_MIN } else { SALE_MIN };
    let low = found.bare_min * column.measure.factor();
    (low < least && !sample.columns.iter().any(|other| says(&other)))
        .then(|| format!("{low} pesos are too few: some or all may be in UF (CLF), and nothing says which."))
}

/// A fee is an amount of any size; the column's name contains its period.
pub(super) fn fee(field: &'static str, column: &Column, sample: &Sample, known: &Known) -> Option<Fit> {
    if column.measure.area.is_some() {
        return None;
    }
    let found = amounts(column, known.money())?;
    let guess = written(Guess::of(field, &column.name, format!("Amounts, {}.", found.range())), &found);
    let guess = match column.measure.period {
        Some(Period::Day | Period::Week) => return None,
        Some(Period::Month) => guess,
        Some(period) => guess.with("per", period.as_str()),
        None if found.periodic => guess,
        None if let Some((beside, period)) = period_of_fee(column, &sample.columns) => {
            let guess = if period == Period::Month { guess } else { guess.with("per", period.as_str()) };
            Guess { why: format!("{} {} says for how long.", guess.why, shown(&beside.name)), ..guess }
        }
        None => guess.doubted("Nothing says for how long it is: per = \"month\", \"quarter\" or \"year\"?"),
    };
    Fit::of(guess, 4)
}

/// The column that is called like a fee and names its period, the same in every row: `MaintenanceFeePaymentUnit`.
fn period_of_fee<'c>(column: &Column, columns: &'c [Column]) -> Option<(&'c Column, Period)> {
    let is_beside = |other: &&Column| {
        other.name != column.name
            && other.words.above == column.words.above
            && other.words.last.starts_with(&column.words.last)
    };
    columns.iter().filter(is_beside).find_map(|other| {
        let period = parse_period(other.first()?)?;
        let is_same = other.all(|text| parse_period(text) == Some(period));
        (is_same && !matches!(period, Period::Day | Period::Week)).then_some((other, period))
    })
}
