//! Compares places of real sources with another column of the same rows. The data is not part of the project.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::BufReader;
use std::path::PathBuf;

use flate2::read::GzDecoder;
use stoop_gazetteer::{AddressParts, Gazetteer, Level, NameOrigin};

fn data(folder: &str) -> Option<PathBuf> {
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let data = std::env::var_os("STOOP_DATA").map_or_else(|| PathBuf::from(here), PathBuf::from);
    let folder = data.join(folder);
    if !folder.is_dir() {
        eprintln!("skipped: ../shared/data is not here");
        return None;
    }
    Some(folder)
}

/// The rows of a CSV file by column name.
fn table(reader: impl std::io::Read) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(reader).deserialize().map(Result::unwrap).collect()
}

#[test]
fn zips_of_american_listings_match_their_rows() {
    let Some(folder) = data("us-zillow-1000-price-history") else { return };
    let rows = table(GzDecoder::new(File::open(folder.join("listings.csv.gz")).unwrap()));
    let (mut contradictions, mut unknown, mut far) = (BTreeMap::new(), 0, Vec::new());
    for row in &rows {
        let word = |name: &str| Some(row[name].as_str());
        let words = AddressParts {
            country: Some("US"),
            region: word("state"),
            county: word("county"),
            city: word("city"),
            neighbourhood: None,
            postal_code: word("zipcode"),
        };
        let located = Gazetteer::get().locate(&words);
        if located.levels[4].as_ref().is_none_or(|area| area.origin != NameOrigin::Gazetteer) {
            unknown += 1;
            continue;
        }
        for contradiction in &located.contradictions {
            eprintln!("{}: {contradiction:?}", row["zipcode"]);
            *contradictions.entry(contradiction.level).or_insert(0) += 1;
        }
        let (north, east) = located.centroid_e6.unwrap();
        let degrees = |name: &str| row[name].parse::<f64>().ok();
        if let (Some(latitude), Some(longitude)) = (degrees("latitude"), degrees("longitude")) {
            let away = (f64::from(north) / 1e6 - latitude).abs().max((f64::from(east) / 1e6 - longitude).abs());
            if away > 0.3 {
                far.push((row["zipcode"].clone(), away));
            }
        }
    }
    eprintln!("{} rows, {unknown} ZIPs unknown, contradictions {contradictions:?}, far {far:?}", rows.len());
    assert_eq!(rows.len(), 807);
    assert!(unknown == 0 && far.is_empty());
    // ZIPs that cross a county line, and a few cities with a name of their own within the mail area of another.
    assert_eq!(contradictions, BTreeMap::from([(Level::County, 23), (Level::City, 5)]));
}

#[test]
fn code_number_and_name_of_a_vienna_district_agree() {
    let Some(folder) = data("at-vienna-rent-2026") else { return };
    let mut seen = 0;
    for file in folder
        .read_dir()
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "csv"))
    {
        for row in table(BufReader::new(File::open(file).unwrap())) {
            // "title | 1160 Wien, 16. Bezirk, Ottakring, street | 58 m² | ..."
            let Some(place) = row["raw_text"].split(" | ").find(|part| part.contains(" Wien, ")) else { continue };
            let place = place.trim_start_matches("| ");
            let words: Vec<&str> = place.split(", ").collect();
            let [first, number, name, ..] = words.as_slice() else { continue };
            let Some((code, city)) = first.split_once(' ').filter(|_| number.ends_with("Bezirk")) else { continue };
            let path = |postal_code, neighbourhood| {
                let words = AddressParts {
                    country: Some("AT"),
                    city: Some(city),
                    postal_code,
                    neighbourhood,
                    ..AddressParts::default()
                };
                Gazetteer::get().locate(&words).path()
            };
            let by_code = path(Some(code), None);
            assert_eq!(by_code.as_deref(), Some(format!("at/wien/wien/wien/{code}").as_str()), "{place}");
            assert_eq!(path(None, Some(number)), by_code, "{place}");
            assert_eq!(path(None, Some(name)), by_code, "{place}");
            seen += 1;
        }
    }
    assert!(seen > 4_000, "{seen}");
}

#[test]
fn most_moroccan_cities_and_quarters_are_known() {
    let mut rows: Vec<(String, String)> = Vec::new();
    for (folder, quarter) in [("ma-avito-2024", "Secteur"), ("ma-yakeey-2024", "neighborhood")] {
        let Some(folder) = data(folder) else { return };
        let files = folder.read_dir().unwrap().map(|entry| entry.unwrap().path());
        for file in files.filter(|path| path.extension().is_some_and(|e| e == "json")) {
            let listings: Vec<serde_json::Value> =
                serde_json::from_reader(BufReader::new(File::open(file).unwrap())).unwrap();
            for listing in listings {
                let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
                let quarter = if quarter == "Secteur" { &listing["attributes"][quarter] } else { &listing[quarter] };
                rows.push((text(&listing["city"]), text(quarter)));
            }
        }
    }
    rows.retain(|(city, _)| !city.trim().is_empty());
    let (mut cities, mut quarters, mut with_quarter) = (0, 0, 0);
    let mut unknown: BTreeMap<String, usize> = BTreeMap::new();
    for (city, quarter) in &rows {
        let words = AddressParts {
            country: Some("MA"),
            city: Some(city),
            neighbourhood: Some(quarter),
            ..AddressParts::default()
        };
        let located = Gazetteer::get().locate(&words);
        let known =
            |level: usize| located.levels[level].as_ref().is_some_and(|name| name.origin == NameOrigin::Gazetteer);
        cities += usize::from(known(3));
        with_quarter += usize::from(known(3) && located.levels[4].is_some());
        quarters += usize::from(known(4));
        if !known(3) {
            *unknown.entry(city.clone()).or_default() += 1;
        } else if located.levels[4].is_some() && !known(4) {
            *unknown.entry(format!("{city}: {quarter}")).or_default() += 1;
        }
    }
    eprintln!("{} rows, {cities} in a known city, {with_quarter} with a quarter, {quarters} of them known", rows.len());
    let mut often: Vec<_> = unknown.into_iter().collect();
    often.sort_by_key(|(_, times)| std::cmp::Reverse(*times));
    eprintln!("not known, most often: {:?}", &often[..often.len().min(60)]);
    assert!(cities * 100 >= rows.len() * 95, "{cities} of {}", rows.len());
    assert!(quarters * 100 >= with_quarter * 85, "{quarters} of {with_quarter}");
}
