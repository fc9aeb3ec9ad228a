//! Decides whether a column's values can be those of a field, how well, and how to read them.

use stoop_domain::{HOME_FIELDS, HomeField, HomeKind};

use super::column::{Cell, Column, ratio};
use super::guess::{Fit, Guess, shown};
use super::known::Known;
use super::sample::Sample;
use super::shapes::{Dates, dates};
use super::{countries, enums, fit_area, fit_count, fit_price, in_texts, kinds, paths, pictures};

/// Scores a column for a field.
pub(super) fn fit(field: &'static str, column: &Column, sample: &Sample, known: &Known) -> Option<Fit> {
    let rows = sample.looked_at();
    if let Some(of_home) = HOME_FIELDS.iter().find(|known| known.name == field) {
        return home_field(of_home, column, sample, known);
    }
    match field {
        "native_id" => native_id(column, rows),
        "list_price" | "original_list_price" | "previous_list_price" | "close_price" => {
            fit_price::price(field, column, sample, known)
        }
        "observed_at" | "listed_at" | "price_changed_at" | "close_date" => moment(field, column, sample, known),
        "purpose" | "status" => enums::fit(field, column),
        "latitude" => degrees(field, column, 90.0),
        "longitude" => degrees(field, column, 180.0),
        "postal_code" => postal_code(column),
        "country" => country(column),
        "currency" => currency(column, known),
        "images" => images(column),
        "amenities" => amenities(column),
        "url" => url(column),
        "line" => text(field, column, 4.0, 160.0, 1.0).filter(|_| column.share(has_words) > 0.5),
        "city" if paths::is_path(column) || in_texts::is_korean_path(column) => None,
        "city" | "neighbourhood" | "county" => text(field, column, 2.0, 60.0, 0.2),
        "region" => region(column, known),
        "title" => text(field, column, 3.0, 250.0, 1.0),
        "description" => text(field, column, 25.0, f64::INFINITY, 1.0),
        "seller" | "agency" => text(field, column, 2.0, 100.0, 0.5).map(|fit| of_owner(fit, column)),
        _ => None,
    }
}

/// The owner of an advert offers the home; that of a parcel in a tax roll need not.
fn of_owner(fit: Fit, column: &Column) -> Fit {
    const OWNERS: [&str; 6] = ["owner", "owners", "eigentumer", "proprietaire", "propietario", "proprietario"];
    if !column.words.have(&OWNERS) {
        return fit;
    }
    let guess = fit.guess.doubted("Is it who offers the home, or only who owns it?");
    Fit { guess, ..fit }
}

fn home_field(field: &HomeField, column: &Column, sample: &Sample, known: &Known) -> Option<Fit> {
    match field.kind {
        HomeKind::PropertyType => enums::fit(field.name, column),
        HomeKind::Count => fit_count::count(field.name, column, 0),
        HomeKind::Hundredths => fit_count::count(field.name, column, 2),
        HomeKind::Area => fit_area::fit(field.name, column, sample, known),
        HomeKind::Year => fit_count::year(field.name, column),
        HomeKind::Fee => fit_price::fee(field.name, column, sample, known),
        HomeKind::Flag => flag(field.name, column),
    }
}

/// An ID is in every row and unique.
fn native_id(column: &Column, rows: usize) -> Option<Fit> {
    let usable = |text: &str| text.len() <= 256 && !text.contains(char::is_whitespace) && !text.contains("://");
    let is_bool = column.cells.iter().any(|cell| matches!(cell, Cell::Bool(_)));
    let fraction = column.cells.iter().any(|cell| matches!(cell, Cell::Number(text) if text.contains(['.', 'e'])));
    if is_bool || fraction || !column.all(usable) {
        return None;
    }
    let (filled, distinct) = (column.scalars(), column.distinct());
    let missing = if filled < rows { -15 } else { 0 };
    let guess = |why: String| without_point_zero(Guess::of("native_id", &column.name, why), column);
    if distinct == filled {
        let why = if rows > 1 { "A different one in each row." } else { "One row cannot show whether it is unique." };
        return Fit::of(guess(why.into()), 12 + missing);
    }
    let why = format!("Only {distinct} different ones in {filled} rows: right where a listing has several rows.");
    Fit::of(guess(why), if ratio(distinct, filled) >= 0.9 { -5 } else { -30 } + missing)
}

fn flag(field: &'static str, column: &Column) -> Option<Fit> {
    let is_flag = |cell: &Cell| match cell {
        Cell::Absent | Cell::Bool(_) => true,
        Cell::Text(text) => stoop_domain::parse_flag(text).is_some(),
        _ => false,
    };
    if column.scalars() == 0 || !column.cells.iter().all(is_flag) {
        return None;
    }
    Fit::of(Guess::of(field, &column.name, "Yes or no."), 5)
}

fn moment(field: &'static str, column: &Column, sample: &Sample, known: &Known) -> Option<Fit> {
    let mut found = dates(column)?;
    if field == "observed_at" && found.key.0 == "relative" {
        return None;
    }
    let why = column.first().map(|text| format!("Dates like {:?}.", shown(text))).unwrap_or_default();
    let mut guess = Guess::of(field, &column.name, why);
    if let Some((swapped, sorted)) = found.swapped
        && let Some(why) = month_first(sample, known)
    {
        guess.why += &format!(" The month is first: {why}.");
        found = Dates { key: ("date", swapped), sorted, swapped: None, ..found };
    }
    if found.key != ("date", "iso") {
        guess = guess.with(found.key.0, found.key.1);
    }
    if let Some((text, count)) = found.unread {
        guess.why += &format!(" {count} rows have what is none, like {:?}.", shown(&text));
    }
    if found.swapped.is_some() {
        guess = guess.doubted("Days might be months: no day of the sample is after the 12th.");
    }
    // Date and time are better than a date alone; portals write "5 hours ago" for when an ad was published.
    Fit::of(
        guess,
        match found.key {
            ("relative", _) => 14,
            (_, "rfc3339") => 4,
            _ => 0,
        },
    )
}

/// Returns the reason to put the month first in dates whose day is never above 12.
fn month_first(sample: &Sample, known: &Known) -> Option<String> {
    let is = |fact: &Option<super::known::Fact>, wanted: &str| fact.as_ref().is_some_and(|(value, _)| value == wanted);
    if is(&known.country, "US") {
        return Some("the homes are in the United States".to_owned());
    }
    let hints = sample.columns.iter().find(|column| {
        let found = dates(column);
        found.is_some_and(|found| found.key.1.starts_with("%m/%d") && found.swapped.is_none())
    });
    if let Some(column) = hints {
        return Some(format!("in {} there is a day after the 12th", shown(&column.name)));
    }
    (known.country.is_none() && is(&known.currency, "USD")).then(|| "prices are in USD".to_owned())
}

/// Whether a text may be several words: Chinese and Japanese write none between.
fn has_words(text: &str) -> bool {
    text.contains(' ') || text.contains(|c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}'))
}

fn degrees(field: &'static str, column: &Column, limit: f64) -> Option<Fit> {
    let numbers = column.degrees()?;
    let zero = numbers.iter().filter(|n| **n == 0.0).count();
    let fractions = numbers.iter().filter(|n| n.fract() != 0.0).count();
    let fits = numbers.iter().all(|n| n.abs() <= limit) && ratio(fractions, numbers.len() - zero) >= 0.8;
    if !fits || fractions == 0 {
        return None;
    }
    let zeros: Vec<String> =
        column.texts().filter(|text| text.parse() == Ok(0.0_f64)).take(1).map(str::to_owned).collect();
    let why = format!("Numbers with a fraction, within ±{limit}.");
    let guess = Guess::of(field, &column.name, why).with_list("null", &zeros);
    Fit::of(guess, 5)
}

fn postal_code(column: &Column) -> Option<Fit> {
    let fits = |text: &str| {
        let text = text.strip_suffix(".0").unwrap_or(text);
        (3..=10).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, ' ' | '-'))
    };
    let digits = column.share(|text| text.chars().filter(char::is_ascii_digit).count() >= 2);
    if !column.is_scalar() || column.share(fits) < 0.95 || digits < 0.9 {
        return None;
    }
    let mut guess = without_point_zero(Guess::of("postal_code", &column.name, "Short, with digits."), column);
    if column.cells.iter().any(|cell| matches!(cell, Cell::Number(_))) {
        guess.why += " It is a number: zeros at its beginning are lost in the sample already.";
    }
    Fit::of(guess, 4)
}

/// A spreadsheet made numbers of codes: `83702.0`.
fn without_point_zero(guess: Guess, column: &Column) -> Guess {
    let is_number =
        |text: &str| text.strip_suffix(".0").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    if column.texts().any(is_number) {
        let why = format!("{} It passed through a spreadsheet: zeros at its beginning are lost.", guess.why);
        return Guess { why, ..guess }.with("regex", r"^(.*?)(?:\.0)?$");
    }
    guess
}

fn country(column: &Column) -> Option<Fit> {
    if !column.all(|text| countries::country(text).is_some()) {
        return None;
    }
    let is_code = |text: &str| countries::country(text).is_some_and(|code| code.eq_ignore_ascii_case(text));
    let guess = Guess::of("country", &column.name, "Countries.");
    let values = column.values()?;
    if values.iter().all(|(text, _)| is_code(text)) {
        return Fit::of(guess, 5);
    }
    let entries = values.iter().map(|(text, count)| ((*text).to_owned(), countries::country(text), *count)).collect();
    let lookup =
        super::guess::Lookup { entries, known_words: false, otherwise: None, accepted: "two letters of ISO 3166-1" };
    Fit::of(Guess { lookup: Some(lookup), ..guess }, 5)
}

fn currency(column: &Column, known: &Known) -> Option<Fit> {
    let guess = Guess { score: 5, ..Guess::of("currency", &column.name, "Codes of currencies.") };
    if column.all(kinds::is_currency) {
        return Some(Fit { guess, shape: 66 });
    }
    let named = |text: &str| kinds::currency_named(text, known.own_currency());
    if !column.all(|text| named(text).is_some()) {
        return None;
    }
    let values = column.values()?;
    let entries = values.iter().map(|(text, count)| ((*text).to_owned(), named(text), *count)).collect();
    let lookup =
        super::guess::Lookup { entries, known_words: false, otherwise: None, accepted: "three letters of ISO 4217" };
    let why = "Signs of currencies, as they are used in the country.".to_owned();
    Fit::of(Guess { lookup: Some(lookup), why, ..guess }, 5)
}

fn is_address(text: &str) -> bool {
    text.starts_with("https://") || text.starts_with("http://")
}

fn images(column: &Column) -> Option<Fit> {
    let mut fit = addresses_of_images(column)?;
    // Of two pictures the larger one.
    let (score, shape) = match pictures::of_column(column) {
        Some(0..300) => (-8, -3),
        Some(300..1_000) => (2, 4),
        Some(_) => (4, 5),
        None => (0, 0),
    };
    fit.guess.score += score;
    fit.shape += if fit.shape > 0 { shape } else { 0 };
    Some(fit)
}

fn addresses_of_images(column: &Column) -> Option<Fit> {
    let lists = column.cells.iter().filter(|cell| matches!(cell, Cell::List(_))).count();
    let list_texts =
        || column.cells.iter().flat_map(|cell| if let Cell::List(texts) = cell { &texts[..] } else { &[] });
    if lists > 0 {
        let addresses = list_texts().all(|text| is_address(text)) && column.scalars() == 0;
        let pictures = list_texts().filter(|text| ends_like_a_picture(text)).count();
        let shape = if ratio(pictures, list_texts().count()) > 0.8 { 70 } else { 0 };
        let guess = Guess { score: 10, ..Guess::of("images", &column.name, "Lists of addresses.") };
        return addresses.then_some(Fit { guess, shape });
    }
    if !column.all(|text| is_address(text) || text.starts_with("//")) {
        return None;
    }
    let many = column.texts().any(|text| text.matches("://").count() > 1);
    let sign = [", ", ",", ";", "|", " "].into_iter().find(|sign| column.texts().any(|text| text.contains(sign)));
    let guess = Guess::of("images", &column.name, if many { "Addresses in one text." } else { "One address a row." });
    let guess = match sign.filter(|_| many) {
        Some(sign) => guess.with("split", sign),
        None => guess,
    };
    let shape = if column.all(ends_like_a_picture) { 64 } else { 0 };
    Some(Fit { guess: Guess { score: if many { 5 } else { 0 }, ..guess }, shape })
}

fn ends_like_a_picture(text: &str) -> bool {
    let path = text.split(['?', '#']).next().unwrap_or_default().to_ascii_lowercase();
    [".jpg", ".jpeg", ".png", ".webp", ".avif", ".gif"].iter().any(|end| path.ends_with(end))
}

fn amenities(column: &Column) -> Option<Fit> {
    let short = |text: &str| text.chars().count() <= 60 && !is_address(text);
    let lists = column.cells.iter().any(|cell| matches!(cell, Cell::List(_)));
    if lists {
        let fits = column.cells.iter().all(|cell| match cell {
            Cell::List(texts) => texts.iter().all(|text| short(text)),
            Cell::Absent => true,
            _ => false,
        });
        let some: Vec<&Cell> = column.cells.iter().filter(|cell| **cell != Cell::Absent).collect();
        let is_label = |cell: &Cell| matches!(cell, Cell::List(texts) if texts.len() == 1);
        let is_same = some.len() > 2 && some.iter().all(|cell| *cell == some[0] && is_label(cell));
        let score = if is_same { -40 } else { 5 };
        return fits
            .then(|| Guess::of("amenities", &column.name, "Lists of short texts."))
            .and_then(|g| Fit::of(g, score));
    }
    let sign = [";", ",", "|"].into_iter().find(|sign| column.texts().any(|text| text.contains(sign)))?;
    let fits = column.all(|text| text.parse::<f64>().is_err() && text.split(sign).all(|part| short(part.trim())));
    let guess = Guess::of("amenities", &column.name, format!("Short texts with {sign:?} between.")).with("split", sign);
    fits.then_some(guess).and_then(|guess| Fit::of(guess, 0))
}

fn url(column: &Column) -> Option<Fit> {
    let distinct = ratio(column.distinct(), column.scalars());
    if column.all(is_address) {
        let pictures = column.share(ends_like_a_picture) > 0.3;
        // The URL of an OData resource is not a page for people.
        let unique = distinct > 0.9 && column.scalars() == column.cells.len() && !column.words.have(&["odata"]);
        let shape = if unique && !pictures && column.depth == 0 { 61 } else { 0 };
        let score = if pictures {
            -60
        } else if distinct > 0.9 {
            8
        } else {
            -10
        };
        return Some(Fit { guess: Guess { score, ..Guess::of("url", &column.name, "Addresses.") }, shape });
    }
    if column.all(|text| text.starts_with('/') && !text.contains(' ')) && !column.name.contains(['{', '}']) {
        let why = format!(
            "Addresses without their host: template = \"https://HOST{{{}}}\" in place of from makes links of them.",
            shown(&column.name)
        );
        return Fit::of(Guess::of("url", &column.name, why), -10);
    }
    None
}

fn region(column: &Column, known: &Known) -> Option<Fit> {
    // A column named `state` may contain the status.
    if column.is_scalar() && column.share(|text| enums::status_of(text).is_some()) > 0.5 {
        return None;
    }
    let mut fit = text("region", column, 2.0, 40.0, 0.2)?;
    let elsewhere = known.country.as_ref().is_some_and(|(code, _)| code != "US");
    if !elsewhere && column.all(kinds::is_us_state) {
        "States of the United States.".clone_into(&mut fit.guess.why);
        fit.guess.score += 6;
    }
    Some(fit)
}

/// Prose: texts with letters and an average length of `low` to `high`; `digits` is the maximum share that contains a
/// digit.
fn text(field: &'static str, column: &Column, low: f64, high: f64, digits: f64) -> Option<Fit> {
    let is_text = column.cells.iter().all(|cell| matches!(cell, Cell::Text(_) | Cell::Absent));
    let letters = column.share(|text| text.chars().any(char::is_alphabetic) && !is_address(text));
    if !is_text || column.scalars() == 0 || letters < 0.95 {
        return None;
    }
    let average = ratio(column.texts().map(|text| text.chars().count()).sum(), column.scalars());
    let with_digit = column.share(|text| text.contains(|c: char| c.is_ascii_digit()));
    if average < low || average > high || with_digit > digits {
        return None;
    }
    let why = column.first().map(|text| format!("Texts like {:?}.", shown(text))).unwrap_or_default();
    // Long texts are descriptions, whatever the column's name, and nothing else.
    let long = field == "description" && average > 200.0;
    Some(Fit { guess: Guess { score: 3, ..Guess::of(field, &column.name, why) }, shape: if long { 61 } else { 0 } })
}
