//! Fields that no single column contains: a count in the name of a key, the time in a file's name.

use std::sync::LazyLock;

use jiff::tz::TimeZone;
use regex::Regex;

use super::coded;
use super::column::Column;
use super::guess::{Chosen, Guess, quoted, shown};
use super::ids;
use super::in_texts;
use super::known::Known;
use super::paths;
use super::sample::Sample;
use super::shapes::same_moment;
use super::vocabulary::{FIELDS, field};
use super::{DraftError, DraftHints};
use stoop_sources::text::{DateFormat, Period, folded};

/// Fills fields that are still open.
pub(super) fn complete(
    sample: &Sample,
    known: &Known,
    hints: &DraftHints,
    chosen: &mut Chosen,
) -> Result<(), DraftError> {
    let has = |chosen: &Chosen, field: &str| chosen.sure.iter().any(|guess| guess.field == field);
    ids::choose(sample, hints, chosen)?;
    monthly_first(sample, chosen);
    if !has(chosen, "latitude") && !has(chosen, "longitude") {
        in_texts::point(sample, chosen);
    }
    let has_place = |chosen: &Chosen| ["postal_code", "city", "neighbourhood"].iter().any(|field| has(chosen, field));
    if !has_place(chosen) {
        in_texts::place(sample, chosen);
    }
    if !has_place(chosen) {
        paths::place(sample, known, chosen);
    }
    if !has(chosen, "list_price") {
        chosen.unsure.extend(in_texts::price(sample));
    }
    coded::purpose(sample, chosen);
    coded::status(sample, chosen);
    numbered(sample, chosen);
    street_and_number(sample, known, chosen);
    sold_without_status(sample, chosen);
    not_listed_when_seen(sample, chosen);
    if hints.url.is_some() {
        polled(chosen);
    } else if !has(chosen, "observed_at") {
        chosen.sure.extend(time_in_name(&hints.sample));
    }
    chosen.sure.sort_by_key(|guess| FIELDS.iter().position(|field| field.name == guess.field));
    Ok(())
}

/// Countries that write the number of a house before the street.
const NUMBER_FIRST: [&str; 16] =
    ["US", "CA", "GB", "IE", "AU", "NZ", "ZA", "SG", "HK", "MY", "PH", "IN", "KE", "NG", "FR", "MA"];

/// Words for the number of a house.
const NUMBERS: [&str; 12] = [
    "number",
    "no",
    "nr",
    "hausnummer",
    "huisnummer",
    "housenumber",
    "numero",
    "civico",
    "husnummer",
    "streetnumber",
    "housenr",
    "nummer",
];

/// A street whose number is in a column of its own.
fn street_and_number(sample: &Sample, known: &Known, chosen: &mut Chosen) {
    let Some(line) = field("line") else { return };
    let place = |column: &Column| column.name.rsplit_once('/').map_or(String::new(), |(above, _)| above.to_owned());
    let plain = |column: &Column| !column.name.contains(['{', '}', '$']);
    let no_digits = |column: &Column| column.share(|text| text.contains(|c: char| c.is_ascii_digit())) < 0.3;
    let is_street = |column: &&Column| {
        column.owner.is_none()
            && column.is_scalar()
            && line.likeness(column) >= 70
            && no_digits(column)
            && plain(column)
    };
    if chosen.sure.iter().any(|guess| {
        guess.field == "line" && !sample.columns.iter().any(|c| guess.columns.contains(&c.name) && no_digits(c))
    }) {
        return;
    }
    // `Address` before `displayAddress`, which may say how much of it is shown.
    let streets = sample.columns.iter().filter(is_street);
    let Some(street) = streets.reduce(|best, next| if line.likeness(next) > line.likeness(best) { next } else { best })
    else {
        return;
    };
    let is_number = |column: &&Column| {
        let says = column.words.last.iter().any(|word| NUMBERS.contains(&word.as_str()));
        let of_house = column.words.last.len() == 1
            || column.words.have(&["house", "street", "building", "haus", "straat", "exterior", "ext"]);
        let short = |text: &str| text.len() <= 8 && text.starts_with(|c: char| c.is_ascii_digit());
        place(column) == place(street)
            && says
            && of_house
            && column.is_scalar()
            && column.share(short) >= 0.8
            && plain(column)
    };
    let Some(number) = sample.columns.iter().find(is_number) else { return };
    if chosen.sure.iter().any(|guess| guess.columns.contains(&number.name)) {
        return;
    }
    // An address that is whole already, with unit and number.
    let has_number = |column: &&Column| column.share(|text| text.contains(|c: char| c.is_ascii_digit())) >= 0.8;
    let whole = sample.columns.iter().filter(has_number).find(|column| {
        column.owner.is_none()
            && column.is_scalar()
            && column.words.have(&["address", "adresse"])
            && line.likeness(column) >= 60
    });
    let guess = if let Some(whole) = whole {
        let why = format!("Texts like {:?}, with the number.", shown(whole.first().unwrap_or_default()));
        Guess::of("line", &whole.name, why)
    } else {
        let country = known.country.as_ref().map_or("", |(code, _)| code.as_str());
        let parts = if NUMBER_FIRST.contains(&country) { [number, street] } else { [street, number] };
        let mut guess = Guess::of("line", &street.name, format!("{} is the number of the house.", shown(&number.name)));
        guess.keys = vec![("template", quoted(&format!("{{{}}} {{{}}}", parts[0].name, parts[1].name)))];
        guess.columns.push(number.name.clone());
        guess
    };
    chosen.sure.retain(|other| other.field != "line");
    chosen.unsure.retain(|other| other.field != "line");
    chosen.others.retain(|(name, _)| *name != "line");
    chosen.sure.push(guess);
}

/// Rows that all have the day or the price of a sale, and no status: they may be sold, or sold once and on offer again.
fn sold_without_status(sample: &Sample, chosen: &mut Chosen) {
    if chosen.sure.iter().chain(&chosen.unsure).any(|guess| guess.field == "status") {
        return;
    }
    let is_dated = |guess: &Guess| {
        matches!(guess.field, "close_date" | "close_price")
            && sample.columns.iter().any(|c| guess.columns.contains(&c.name) && c.scalars() * 10 >= c.cells.len() * 9)
    };
    let Some(dated) = chosen.sure.iter().find(|guess| is_dated(guess)) else { return };
    let mut guess = Guess::of(
        "status",
        &dated.columns[0],
        format!("{} is filled, and no column is a status.", shown(&dated.columns[0])),
    );
    guess.keys = vec![("constant", quoted("Closed"))];
    chosen.unsure.push(guess.doubted("Are all rows sold? Without it they count as on offer."));
}

/// A column of rents by the month beside a price of any period: where it is filled, it is the rent.
fn monthly_first(sample: &Sample, chosen: &mut Chosen) {
    let Some(guess) = chosen.sure.iter_mut().find(|guess| guess.field == "list_price") else { return };
    let [name] = &guess.columns[..] else { return };
    let (Some(price), Some(field)) = (sample.columns.iter().find(|column| column.name == *name), field("list_price"))
    else {
        return;
    };
    let numbers = |column: &Column| column.numbers().is_some();
    if !price.measure.is_plain()
        || !numbers(price)
        || guess.keys.iter().any(|(key, _)| !matches!(*key, "from" | "null"))
    {
        return;
    }
    let is_monthly = |column: &&Column| {
        column.owner.is_none()
            && column.measure.period == Some(Period::Month)
            && column.measure.currencies.is_empty()
            && column.measure.factor() == 1.0
            && field.named(column) >= 80
            && field.unknown_words(column).is_empty()
            && numbers(column)
    };
    let Some(monthly) = sample.columns.iter().find(is_monthly) else { return };
    let pairs = monthly.cells.iter().zip(&price.cells).filter_map(|(a, b)| Some((a.text()?, b.text()?)));
    if monthly.scalars() < price.scalars() && pairs.into_iter().any(|(a, b)| a.parse::<f64>() != b.parse::<f64>()) {
        guess.keys[0] = ("from", format!("[{}, {}]", quoted(&monthly.name), quoted(name)));
        guess.why += &format!(" {} is by the month where it is filled.", shown(&monthly.name));
        guess.columns = vec![monthly.name.clone(), name.clone()];
    }
}

/// A count in a key's name (`2 Chambres`, `3 Chambres`) has one column per number.
fn numbered(sample: &Sample, chosen: &mut Chosen) {
    let stem = |name: &str| {
        let letters: String = folded(name).chars().filter(|c| !c.is_ascii_digit()).collect();
        letters.split_whitespace().map(|word| word.trim_end_matches('s').to_owned()).collect::<Vec<_>>().join(" ")
    };
    for guess in &mut chosen.sure {
        let [name] = &guess.columns[..] else { continue };
        if guess.field == "bedrooms" && name.contains(|c: char| c.is_ascii_digit()) {
            let alike = sample.columns.iter().filter(|column| column.is_scalar() && stem(&column.name) == stem(name));
            let names: Vec<String> = alike.map(|column| column.name.clone()).collect();
            if names.len() > 1 {
                let quoted: Vec<String> = names.iter().map(|name| quoted(name)).collect();
                guess.keys[0] = ("from", format!("[{}]", quoted.join(", ")));
                guess.why += " The number is in the name of the key.";
                chosen.others.retain(|(field, _)| *field != guess.field);
                guess.columns = names;
            }
        }
    }
}

/// Some sources store the time of reading in the field for the time of publishing.
fn not_listed_when_seen(sample: &Sample, chosen: &mut Chosen) {
    let column = |chosen: &Chosen, field: &str| {
        let guess = chosen.sure.iter().find(|guess| guess.field == field)?;
        sample.columns.iter().find(|column| guess.columns.contains(&column.name))
    };
    let (Some(listed), Some(seen)) = (column(chosen, "listed_at"), column(chosen, "observed_at")) else { return };
    if sample.looked_at() > 1 && same_moment(listed, seen) > 0.9 {
        let same =
            format!("It is the same moment as {}: when the row was read, not when it was listed.", shown(&seen.name));
        if let Some(at) = chosen.sure.iter().position(|guess| guess.field == "listed_at") {
            let guess = chosen.sure.remove(at);
            chosen.unsure.push(guess.doubted(same));
        }
    }
}

/// Polled listings are observed when they are polled. A source's own time is better only if it moves with every change.
fn polled(chosen: &mut Chosen) {
    if let Some(at) = chosen.sure.iter().position(|guess| guess.field == "observed_at") {
        let guess = chosen.sure.remove(at);
        let doubt =
            "Right where the source moves it with every change of a listing; without it the time of the poll counts.";
        chosen.unsure.insert(0, guess.doubted(doubt));
    }
}

/// Formats of times in file names.
const IN_NAMES: [(&str, &str); 6] = [
    (r"(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2})", "%Y-%m-%dT%H-%M-%S"),
    (r"(\d{4}-\d{2}-\d{2}T\d{2}-\d{2})", "%Y-%m-%dT%H-%M"),
    (r"(\d{4}-\d{2}-\d{2}T\d{4})", "%Y-%m-%dT%H%M"),
    (r"(\d{8}T\d{6})", "%Y%m%dT%H%M%S"),
    (r"(\d{4}-\d{2}-\d{2})", "%Y-%m-%d"),
    (r"(?:^|\D)(\d{8})(?:\D|$)", "%Y%m%d"),
];

/// [`IN_NAMES`], compiled once: Unicode digit classes make compiling slower than the rest of a draft.
static TIMES: LazyLock<Vec<(Regex, DateFormat)>> = LazyLock::new(|| {
    let compiled =
        |(pattern, format): &(&str, &str)| Some((Regex::new(pattern).ok()?, DateFormat::parse(format).ok()?));
    IN_NAMES.iter().filter_map(compiled).collect()
});

fn time_in_name(name: &str) -> Option<Guess> {
    IN_NAMES.iter().zip(&*TIMES).find_map(|((pattern, format), (regex, date))| {
        let found = regex.captures(name)?.get(1)?.as_str().to_owned();
        date.read(&found, &TimeZone::UTC).ok()?;
        let mut guess = Guess::of("observed_at", "", format!("The file's name says {found:?}."));
        guess.columns.clear();
        guess.keys = vec![("file_name", quoted(pattern))];
        Some(guess.with("date", format))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_pattern_compiles() {
        assert_eq!(TIMES.len(), IN_NAMES.len());
    }

    #[test]
    fn the_time_in_a_files_name_is_found() {
        let keys = |name: &str| time_in_name(name).map(|guess| guess.keys[1].1.clone());
        assert_eq!(keys("avito_2024-11-30T14-44.json").as_deref(), Some("\"%Y-%m-%dT%H-%M\""));
        assert_eq!(keys("avito_2024-10-02.json").as_deref(), Some("\"%Y-%m-%d\""));
        assert_eq!(keys("raw_2026-01-13T1051Z_06.csv").as_deref(), Some("\"%Y-%m-%dT%H%M\""));
        assert_eq!(keys("page-20240230.json"), None, "no such day");
        assert_eq!(keys("homes.json"), None);
    }
}
