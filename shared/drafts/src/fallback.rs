//! Fields that no single column contains: an ID inside a URL, a count in the name of a key, the time in a file's name.

use std::collections::HashSet;
use std::sync::LazyLock;

use jiff::tz::TimeZone;
use regex::Regex;

use super::DraftHints;
use super::column::ratio;
use super::guess::{Chosen, Guess, quoted, shown};
use super::in_texts;
use super::sample::Sample;
use super::shapes::same_moment;
use super::vocabulary::FIELDS;
use super::words::folded;
use stoop_sources::text::DateFormat;

/// Fills fields that are still open.
pub(super) fn complete(sample: &Sample, hints: &DraftHints, chosen: &mut Chosen) {
    let has = |chosen: &Chosen, field: &str| chosen.sure.iter().any(|guess| guess.field == field);
    if !has(chosen, "native_id") {
        chosen.sure.extend(id_in_address(sample, chosen));
    }
    if !has(chosen, "latitude") && !has(chosen, "longitude") {
        in_texts::point(sample, chosen);
    }
    if !["postal_code", "city", "neighbourhood"].iter().any(|field| has(chosen, field)) {
        in_texts::place(sample, chosen);
    }
    if !has(chosen, "list_price") {
        chosen.unsure.extend(in_texts::price(sample));
    }
    numbered(sample, chosen);
    not_listed_when_seen(sample, chosen);
    if hints.url.is_some() {
        polled(chosen);
    } else if !has(chosen, "observed_at") {
        chosen.sure.extend(time_in_name(&hints.sample));
    }
    chosen.sure.sort_by_key(|guess| FIELDS.iter().position(|field| field.name == guess.field));
}

/// Patterns of an ID in a URL.
const ID_PATTERNS: [&str; 3] = [r"(\d{4,})\D*$", r"([A-Za-z]{1,3}\d{4,})/?$", r"([^/?#]+)/?$"];

static IDS: LazyLock<Vec<Regex>> =
    LazyLock::new(|| ID_PATTERNS.iter().filter_map(|pattern| Regex::new(pattern).ok()).collect());

fn id_in_address(sample: &Sample, chosen: &Chosen) -> Option<Guess> {
    let addresses: Vec<&Guess> =
        chosen.sure.iter().chain(&chosen.unsure).filter(|guess| guess.field == "url").collect();
    let columns = addresses.iter().filter_map(|guess| sample.columns.iter().find(|c| guess.columns.contains(&c.name)));
    columns.filter(|column| column.scalars() == sample.looked_at()).find_map(|column| {
        IDS.iter().zip(ID_PATTERNS).find_map(|(regex, pattern)| {
            let ids: Option<Vec<&str>> =
                column.texts().map(|text| regex.captures(text)?.get(1).map(|group| group.as_str())).collect();
            let ids = ids.filter(|ids| ids.iter().all(|id| id.len() <= 256))?;
            let distinct = ids.iter().collect::<HashSet<_>>().len();
            // The same ad may be on a page twice; another ad has another URL.
            let same = distinct == column.distinct() && ratio(distinct, ids.len()) > 0.5;
            let first = shown(ids.first()?);
            let why = format!("In each row's address, {distinct} different ones, like {first}.");
            same.then(|| Guess::of("native_id", &column.name, why).with("regex", pattern))
        })
    })
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
        assert_eq!((IDS.len(), TIMES.len()), (ID_PATTERNS.len(), IN_NAMES.len()));
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
