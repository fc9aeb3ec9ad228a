//! Areas: the unit comes from the values, the name, a unit column or the country.

use stoop_domain::AreaUnit;
use stoop_sources::text::{parse_area_measure, parse_area_unit};

use super::column::Column;
use super::guess::{Fit, Guess, quoted, shown};
use super::known::Known;
use super::measures;
use super::sample::Sample;
use super::shapes::{Areas, areas, unit_beside, unit_name};
use super::vocabulary;

/// Scores a column as living area or lot area.
pub(super) fn fit(field: &'static str, column: &Column, sample: &Sample, known: &Known) -> Option<Fit> {
    // "$/sqft" is no area.
    if !column.measure.currencies.is_empty() {
        return None;
    }
    let found = areas(column)?;
    // One or two units are a count, not an area.
    let named = column.measure.area.as_deref().and_then(measures::unit);
    let factor = named.and_then(|(_, measure)| measure.of(10_000)).map_or(1.0, |area| area.square_metres().max(1.0));
    if found.median <= 0.0 || (field == "living_area" && found.median * factor < 8.0) {
        return None;
    }
    let mut guess = Guess::of(field, &column.name, "").with_list("null", &found.nulls);
    if column.is_repeated {
        guess = guess.doubted("The header has this name more than once: which of them is it?");
    }
    let guess = match found.style {
        Some(style) => guess.with("number", style),
        None => guess,
    };
    let shape = if field == "living_area" && found.unit.is_some() && !found.mixed { 61 } else { 0 };
    let fit = with_unit(guess, &found, column, sample, known)?;
    Some(Fit { shape, ..fit })
}

fn with_unit(guess: Guess, found: &Areas, column: &Column, sample: &Sample, known: &Known) -> Option<Fit> {
    let hints = |guess: Guess, unit: AreaUnit, why: String| {
        let guess = guess.with("unit", unit_name(unit));
        Fit::of(Guess { why, ..guess }, 6)
    };
    if let Some(unit) = found.unit {
        let why = if found.mixed { "Areas, each with its unit." } else { "Areas with their unit." };
        return hints(guess, unit, why.to_owned());
    }
    if let Some((other, units)) = unit_beside(column, &sample.columns) {
        if let Some(unknown) = units.iter().find(|unit| parse_area_measure(unit).is_none()) {
            let doubt = format!("{:?} in {} is no unit of area known here.", shown(unknown), shown(&other.name));
            return Fit::of(guess.with("unit", "m2").doubted(doubt), 0);
        }
        if let [unit] = units[..] {
            let name = parse_area_unit(unit).map_or_else(|| (*unit).to_owned(), |unit| unit_name(unit).to_owned());
            let why = format!("{} says the unit, the same in every row.", other.name);
            return Fit::of(Guess { why, ..guess.with("unit", &name) }, 6);
        }
        let plain = |name: &str| !name.contains(['{', '}']);
        if plain(&column.name) && plain(&other.name) {
            let mut guess = guess;
            guess.keys[0] = ("template", quoted(&format!("{{{}}} {{{}}}", column.name, other.name)));
            guess.columns.push(other.name.clone());
            guess.why = format!("{} says the unit, row by row.", other.name);
            return Fit::of(guess, 8);
        }
    }
    if let Some(name) = &column.measure.area
        && let Some((unit, _)) = measures::unit(name)
    {
        let guess = guess.with("unit", &unit);
        return Fit::of(Guess { why: format!("The name says {unit}."), ..guess }, 6);
    }
    if let Some(word) =
        vocabulary::field(guess.field).map_or_else(Vec::new, |field| field.unknown_words(column)).first()
    {
        return Fit::of(
            guess.with("unit", "m2").doubted(format!("{word:?} in its name is not understood: a unit?")),
            0,
        );
    }
    if is_metric(column) {
        let guess = if guess.field == "living_area" && !is_likely(guess.field, AreaUnit::SquareMeters, found.median) {
            guess.doubted("So many square metres would be unusual: which unit is it?")
        } else {
            guess
        };
        return hints(guess, AreaUnit::SquareMeters, "The name is of metric countries.".to_owned());
    }
    match &known.country {
        Some((code, _)) => {
            let unit = stoop_domain::country(&code.to_ascii_lowercase()).area_unit;
            let guess = if is_likely(guess.field, unit, found.median) {
                guess
            } else {
                let size =
                    format!("A home of {} {} would be unusual: which unit is it?", found.median, unit_name(unit));
                guess.doubted(format!("No unit is given. {size}"))
            };
            let guess = match unlikely_beside(unit, guess.field, sample) {
                Some(other) => {
                    guess.doubted(format!("No unit is given, and {other} would be unusual in {}.", unit_name(unit)))
                }
                None => guess,
            };
            hints(guess, unit, format!("No unit is given: that of {code} is assumed."))
        }
        None => Fit::of(guess.with("unit", "m2").doubted("Nothing says the unit: m2, sqft or acres?"), 0),
    }
}

/// A column of living areas without a unit whose size is unusual in the unit that is assumed for the lot.
fn unlikely_beside(unit: AreaUnit, field: &str, sample: &Sample) -> Option<String> {
    let living = vocabulary::field("living_area").filter(|_| field == "lot_area")?;
    let lot = vocabulary::field(field)?;
    let is_unlikely = |column: &&Column| {
        let plain = column.measure.is_plain() && living.likeness(column) >= 60 && lot.likeness(column) < 60;
        plain
            && areas(column).is_some_and(|found| found.unit.is_none() && !is_likely("living_area", unit, found.median))
    };
    sample.columns.iter().find(is_unlikely).map(|column| shown(&column.name))
}

/// Whether a median is usual in a unit and not in another one.
fn is_likely(field: &str, unit: AreaUnit, median: f64) -> bool {
    match (field, unit) {
        ("living_area", AreaUnit::SquareFeet) => median >= 400.0,
        ("living_area", _) => median <= 350.0,
        (_, AreaUnit::SquareFeet) => median >= 1_000.0,
        (_, _) => median >= 40.0,
    }
}

/// Whether the words of a name come from metric countries.
fn is_metric(column: &Column) -> bool {
    column.words.have(&["surface", "superficie", "wohnflache", "flache", "grundstucksflache", "grundflache", "parcela"])
}
