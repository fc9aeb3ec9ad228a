//! What no single column says: an id inside an address, a point in a list, the time in a file's name.

use std::collections::HashSet;

use jiff::tz::TimeZone;
use regex::Regex;

use super::Told;
use super::choose::Chosen;
use super::column::{Column, ratio};
use super::guess::{Guess, quoted, shown};
use super::sample::Sample;
use super::vocabulary::FIELDS;
use crate::text::DateFormat;

/// Fills what was left open.
pub(super) fn complete(sample: &Sample, told: &Told, chosen: &mut Chosen) {
    let has = |chosen: &Chosen, field: &str| chosen.sure.iter().any(|guess| guess.field == field);
    if !has(chosen, "native_id") {
        chosen.sure.extend(id_in_address(sample, chosen));
    }
    if !has(chosen, "latitude") && !has(chosen, "longitude") {
        point(sample, chosen);
    }
    if told.url.is_some() {
        polled(chosen);
    } else if !has(chosen, "observed_at") {
        chosen.sure.extend(time_in_name(&told.sample));
    }
    chosen.sure.sort_by_key(|guess| FIELDS.iter().position(|field| field.name == guess.field));
}

/// Where to look in an address for an id.
const ID_PATTERNS: [&str; 3] = [r"(\d{4,})\D*$", r"([A-Za-z]{1,3}\d{4,})/?$", r"([^/?#]+)/?$"];

fn id_in_address(sample: &Sample, chosen: &Chosen) -> Option<Guess> {
    let addresses: Vec<&Guess> =
        chosen.sure.iter().chain(&chosen.unsure).filter(|guess| guess.field == "url").collect();
    let columns = addresses.iter().filter_map(|guess| sample.columns.iter().find(|c| guess.columns.contains(&c.name)));
    columns.filter(|column| column.scalars() == sample.looked_at()).find_map(|column| {
        ID_PATTERNS.iter().find_map(|pattern| {
            let regex = Regex::new(pattern).ok()?;
            let ids: Option<Vec<&str>> =
                column.texts().map(|text| regex.captures(text)?.get(1).map(|group| group.as_str())).collect();
            let ids = ids.filter(|ids| ids.iter().all(|id| id.len() <= 256))?;
            let distinct = ids.iter().collect::<HashSet<_>>().len();
            // The same ad may stand on a page twice; another one has another address.
            let same = distinct == column.distinct() && ratio(distinct, ids.len()) > 0.5;
            let first = shown(ids.first()?);
            let why = format!("In each row's address, {distinct} different ones, like {first}.");
            same.then(|| Guess::of("native_id", &column.name, why).with("regex", pattern))
        })
    })
}

/// Latitude and longitude as the two numbers of a list.
fn point(sample: &Sample, chosen: &mut Chosen) {
    const NAMES: [&str; 11] = [
        "coordinates",
        "coordinate",
        "coords",
        "geo",
        "location",
        "point",
        "position",
        "latlng",
        "latlon",
        "gps",
        "koordinaten",
    ];
    for first in sample.columns.iter().filter(|column| column.name.ends_with("/0") && column.words.have(&NAMES)) {
        let base = first.name.trim_end_matches('0');
        let Some(second) = sample.columns.iter().find(|column| column.name == format!("{base}1")) else { continue };
        let (Some(a), Some(b)) = (first.numbers(), second.numbers()) else { continue };
        let within = |numbers: &[f64], limit: f64| numbers.iter().all(|n| n.abs() <= limit);
        let fractions =
            |numbers: &[f64]| ratio(numbers.iter().filter(|n| n.fract() != 0.0).count(), numbers.len()) > 0.8;
        if !within(&a, 180.0) || !within(&b, 180.0) || !fractions(&a) || !fractions(&b) {
            continue;
        }
        // GeoJSON (RFC 7946) puts longitude first, and says that it is a point.
        let above = base.trim_end_matches('/').rsplit_once('/').map_or("", |(above, _)| above);
        let kind = |column: &Column| column.name == format!("{above}/type") && column.all(|text| text == "Point");
        let sign = |numbers: &[f64]| numbers.iter().all(|n| *n < 0.0);
        let longitude_first = match (within(&a, 90.0), within(&b, 90.0)) {
            (false, _) => Some(true),
            (_, false) => Some(false),
            _ if sample.columns.iter().any(kind) => Some(true),
            _ => None,
        };
        let (latitude, longitude) = if longitude_first == Some(true) { (second, first) } else { (first, second) };
        for (field, column) in [("latitude", latitude), ("longitude", longitude)] {
            let why =
                format!("Two numbers at {}{}.", shown(base), if sign(&a) != sign(&b) { ", of two signs" } else { "" });
            let guess = Guess::of(field, &column.name, why);
            if longitude_first.is_some() {
                chosen.sure.push(guess);
            } else {
                chosen.unsure.push(guess.doubted("Which of the two comes first is not told."));
            }
        }
        return;
    }
}

/// What is polled is seen when it is polled. A source's own time is better only where it moves with every change.
fn polled(chosen: &mut Chosen) {
    if let Some(at) = chosen.sure.iter().position(|guess| guess.field == "observed_at") {
        let guess = chosen.sure.remove(at);
        let doubt =
            "Right where the source moves it with every change of a listing; without it the time of the poll counts.";
        chosen.unsure.insert(0, guess.doubted(doubt));
    }
}

/// How times stand in the names of files.
const IN_NAMES: [(&str, &str); 6] = [
    (r"(\d{4}-\d{2}-\d{2}T\d{2}-\d{2}-\d{2})", "%Y-%m-%dT%H-%M-%S"),
    (r"(\d{4}-\d{2}-\d{2}T\d{2}-\d{2})", "%Y-%m-%dT%H-%M"),
    (r"(\d{4}-\d{2}-\d{2}T\d{4})", "%Y-%m-%dT%H%M"),
    (r"(\d{8}T\d{6})", "%Y%m%dT%H%M%S"),
    (r"(\d{4}-\d{2}-\d{2})", "%Y-%m-%d"),
    (r"(?:^|\D)(\d{8})(?:\D|$)", "%Y%m%d"),
];

fn time_in_name(name: &str) -> Option<Guess> {
    IN_NAMES.iter().find_map(|(pattern, format)| {
        let found = Regex::new(pattern).ok()?.captures(name)?.get(1)?.as_str().to_owned();
        DateFormat::parse(format).ok()?.read(&found, &TimeZone::UTC).ok()?;
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
    fn the_time_in_a_files_name_is_found() {
        let keys = |name: &str| time_in_name(name).map(|guess| guess.keys[1].1.clone());
        assert_eq!(keys("avito_2024-11-30T14-44.json").as_deref(), Some("\"%Y-%m-%dT%H-%M\""));
        assert_eq!(keys("avito_2024-10-02.json").as_deref(), Some("\"%Y-%m-%d\""));
        assert_eq!(keys("raw_2026-01-13T1051Z_06.csv").as_deref(), Some("\"%Y-%m-%dT%H%M\""));
        assert_eq!(keys("page-20240230.json"), None, "no such day");
        assert_eq!(keys("homes.json"), None);
    }
}
