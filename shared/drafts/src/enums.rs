//! Enumerations: the meaning of a column's texts.

use stoop_domain::{Purpose, Status};
use stoop_sources::text::{purpose_named, status_named};

use super::column::{Column, ratio};
use super::guess::{Chosen, Fit, Guess, Lookup, shown};
use super::kinds;
use super::known::Known;

/// The least share of rows that have a purpose or a status.
const FILLED_MIN: f64 = 0.85;

/// Maximum number of distinct texts of an enumeration.
const VALUES_MAX: usize = 40;

/// Scores a column as status, property type or purpose.
pub(super) fn fit(field: &'static str, column: &Column) -> Option<Fit> {
    if field == "purpose" && column.mixed.is_some() {
        return None;
    }
    let values = column.values().filter(|values| values.len() <= VALUES_MAX && column.is_scalar())?;
    match field {
        "status" => status(column, &values),
        "property_type" => property_type(column, &values),
        _ => purpose(column, &values),
    }
}

type Values<'c> = [(&'c str, usize)];

/// Share of rows whose text has a known meaning.
fn understood(values: &Values<'_>, meaning: impl Fn(&str) -> Option<&'static str>) -> f64 {
    let all: usize = values.iter().map(|(_, count)| count).sum();
    ratio(values.iter().filter(|(text, _)| meaning(text).is_some()).map(|(_, count)| count).sum(), all)
}

/// The status that a text names, as maps spell it.
pub(super) fn status_of(text: &str) -> Option<&'static str> {
    status_named(text).map(Status::as_str)
}

/// The purpose that a text says, as maps spell it.
fn purpose_of(text: &str) -> Option<&'static str> {
    purpose_named(text).map(Purpose::as_str)
}

fn lookup(
    values: &Values<'_>,
    meaning: impl Fn(&str) -> Option<&'static str>,
    otherwise: Option<&'static str>,
    accepted: &'static str,
) -> Lookup {
    let entries = values.iter().map(|(text, count)| ((*text).to_owned(), meaning(text), *count)).collect();
    Lookup { entries, known_words: false, otherwise, accepted }
}

fn seen(values: &Values<'_>) -> String {
    let shown: Vec<String> = values.iter().take(4).map(|(text, count)| format!("{:?} {count}×", shown(text))).collect();
    let more = if values.len() > 4 { format!(" and {} more", values.len() - 4) } else { String::new() };
    format!("Seen: {}{more}.", shown.join(", "))
}

const STATUSES: &str =
    "Active, ActiveUnderContract, Pending, Closed, ComingSoon, Withdrawn, Expired, Canceled, Hold, Delete";

fn status(column: &Column, values: &Values<'_>) -> Option<Fit> {
    let share = understood(values, status_of);
    // Without a lookup every row would count as on offer. It is better to refuse rows with an unknown status, which is
    // noticed.
    if share < 0.02 {
        return None;
    }
    let guess = Guess::of("status", &column.name, seen(values));
    // A row with an unknown status is refused, so a column that is only partly filled is not a status. A sum below the rows
    // has none.
    let gaps = match ratio(column.scalars(), column.cells.len()) {
        filled if filled >= 1.0 => 0,
        filled if filled >= FILLED_MIN => -8,
        _ => -40,
    };
    // RESO's own field has RESO's names, which need no lookup.
    let reso = column.words.have(&["standard"]) || values.iter().any(|(text, _)| *text == "ActiveUnderContract");
    if reso && values.iter().all(|(text, _)| stoop_domain::Status::parse(text).is_some()) {
        return Fit::of(guess, 8 + gaps);
    }
    let lookup = Lookup { known_words: true, ..lookup(values, status_of, None, STATUSES) };
    Fit::of(
        Guess { lookup: Some(lookup), ..guess },
        if share > 0.9 {
            6
        } else if share > 0.5 {
            0
        } else {
            -20
        } + gaps,
    )
}

const TYPES: &str = "Apartment, Condominium, Townhouse, SingleFamilyResidence, MultiFamily, ManufacturedHome, Room, Land, Farm, \
                     Commercial, Other";

fn property_type(column: &Column, values: &Values<'_>) -> Option<Fit> {
    // A ranch is a style of houses.
    let is_style = column.words.have(&["style", "styles"]);
    let meaning = |text: &str| match kinds::property_type(text) {
        Some("Farm") if is_style => Some("SingleFamilyResidence"),
        known => known,
    };
    let share = understood(values, meaning);
    if share < 0.4 {
        return None;
    }
    let guess = Guess::of("property_type", &column.name, seen(values));
    // A type that is not known is left out: "Other" would say that it is none of the others.
    let lookup = lookup(values, meaning, None, TYPES);
    let texts: Vec<&str> = values.iter().map(|(text, _)| *text).collect();
    let guess = match texts.iter().find(|text| kinds::is_vague_type(text, &texts)) {
        Some(text) => guess.doubted(format!("{:?} may be a home of any type.", shown(text))),
        None => guess,
    };
    let mut guess = Guess { lookup: Some(lookup), ..guess };
    guess.be_lenient();
    Fit::of(guess, if share > 0.8 { 8 } else { 0 })
}

/// Reads the purpose from a status that says it in some rows only: sold, pending or withdrawn homes may have a status
/// without the purpose. The others have the purpose that was given, or that of all rows that say one.
pub(super) fn default_purpose(known: &mut Known, chosen: &mut Chosen) {
    let Some(at) = chosen.sure.iter().position(|guess| guess.field == "purpose") else { return };
    let guess = &chosen.sure[at];
    let is_status = chosen.sure.iter().any(|other| other.field == "status" && other.columns == guess.columns);
    if !is_status && known.purpose.is_none() {
        return;
    }
    let Some(lookup) = &guess.lookup else { return };
    let mut said: Vec<&str> = lookup.entries.iter().filter_map(|(_, meaning, _)| *meaning).collect();
    said.sort_unstable();
    said.dedup();
    if known.purpose.is_none() {
        let [purpose] = said[..] else { return };
        let why = format!(
            "All rows of the sample are for {purpose}: so are those whose {} does not say it.",
            guess.columns[0]
        );
        known.purpose = Some((purpose.to_owned(), why));
    }
    let otherwise = if known.purpose.as_ref().is_some_and(|(purpose, _)| purpose == "rent") { "rent" } else { "sale" };
    let mut guess = guess.clone();
    if let Some(lookup) = &mut guess.lookup {
        lookup.entries.retain(|(_, meaning, _)| meaning.is_some());
        lookup.otherwise = Some(otherwise);
    }
    guess.why += &format!(" All that say no other purpose are for {otherwise}.");
    chosen.sure[at] = guess;
}

/// Scores a column as purpose: words for sale and rent, or a boolean whose name says which.
fn purpose(column: &Column, values: &Values<'_>) -> Option<Fit> {
    let asks = column.words.have(&["rent", "rental", "lease", "letting", "miete"]);
    let truth = |text: &str| match text {
        "true" => Some("rent"),
        "false" => Some("sale"),
        _ => None,
    };
    let has_lease = values.iter().any(|(text, _)| purpose_of(text) == Some("rent"));
    // One letter each: "S" and "R" in a column of preferences.
    let letters = |wanted: &[&str]| values.iter().any(|(text, _)| wanted.contains(text));
    let is_coded = column.words.have(&["preference", "purpose", "transaction", "deal", "offer"])
        && values.len() == 2
        && letters(&["S"])
        && letters(&["R", "L"]);
    let coded = |text: &str| if text == "S" { "sale" } else { "rent" };
    let meaning = |text: &str| {
        if is_coded {
            return Some(coded(text));
        }
        let reso = has_lease && text == "Residential";
        purpose_of(text).or(reso.then_some("sale")).or(if asks { truth(text) } else { None })
    };
    let share = understood(values, meaning);
    // A status may say the purpose of homes on offer only.
    let of_status = understood(values, status_of) > 0.9 && share > 0.0;
    if (share < 0.9 && !of_status) || ratio(column.scalars(), column.cells.len()) < FILLED_MIN {
        return None;
    }
    let known_words = values.iter().any(|(text, _)| purpose_of(text).is_some());
    // Whatever its name is: a column that says sale in some rows and rent in all others is the purpose.
    let says_both =
        share > 0.999 && ["sale", "rent"].iter().all(|it| values.iter().any(|(text, _)| meaning(text) == Some(*it)));
    let shape = if says_both && column.owner.is_none() { 62 } else { 0 };
    let lookup = Lookup { known_words, ..lookup(values, meaning, None, "sale, rent") };
    let guess = Guess { lookup: Some(lookup), ..Guess::of("purpose", &column.name, seen(values)) };
    let score = if share > 0.999 {
        12
    } else if of_status {
        0
    } else {
        -10
    };
    Some(Fit { guess: Guess { score, ..guess }, shape })
}
