//! Reference series, read from long and wide files.

use std::path::Path;
use std::sync::Arc;

use stoop_domain::{AreaValues, Day};
use stoop_files::{LocalBytes, ReadReference, ReferenceMap, Unmatched};

use crate::common::{data, files, root};
use crate::guide::blocks;

const INCOME: &str = r#"
name = "income"
unit = "USD"
country = "US"
[area]
region = "state"
county = "county"
[values]
date = "year"
value = "median"
null = ["(X)"]
"#;

const WIDE: &str = "name = 'zhvi'\nunit = 'USD'\ncountry = 'US'\n[area]\npostal_code = 'zip'\nregion = 'state'\n";

fn read(map: &str, csv: &str) -> Result<ReadReference, String> {
    let map = ReferenceMap::parse(map, "map.toml").map_err(|errors| errors.to_string())?;
    map.read(Path::new("data.csv"), Arc::new(csv.as_bytes().to_vec())).map_err(|error| error.to_string())
}

/// `path: day value, ...` of each area.
fn shown(read: &ReadReference) -> Vec<String> {
    let line = |AreaValues { path, values }: &AreaValues| {
        let values: Vec<String> = values.iter().map(|(day, value)| format!("{day} {value}")).collect();
        format!("{path}: {}", values.join(", "))
    };
    read.series.areas.iter().map(line).collect()
}

fn why(read: &ReadReference) -> Vec<String> {
    read.first.iter().map(|Unmatched { line, words, why }| format!("{line}, {words}: {why}")).collect()
}

#[test]
fn a_long_file_has_a_row_for_each_date() {
    let csv = "state,county,year,median\nWA,King,2023,120000\nWA,King County,2022,110500.5\nWA,Pierce,2023,\n\
               WA,Pierce,2024,(X)\nTexas,Travis,2024-06,91000\n";
    let found = read(INCOME, csv).unwrap();
    let expected = ["us/tx/travis: 2024-06-30 91000", "us/wa/king: 2022-12-31 110500.5, 2023-12-31 120000"];
    assert_eq!(shown(&found), expected, "an empty value is absent");
    assert_eq!((found.rows, found.unmatched, found.series.name.as_str()), (5, 0, "income"));
}

#[test]
fn a_wide_file_has_a_column_for_each_date() {
    let csv = "rank,zip,state,2000-02-29,2000-01-31,note\n1,98178,WA,250000,240000,x\n2,8701,NJ,,150000.25,\n";
    let expected = [
        "us/nj/ocean/lakewood/08701: 2000-01-31 150000.25",
        "us/wa/king/seattle/98178: 2000-01-31 240000, 2000-02-29 250000",
    ];
    assert_eq!(shown(&read(WIDE, csv).unwrap()), expected);
}

#[test]
fn a_country_a_path_and_percentages_are_read() {
    let rate = "name = 'rate'\nunit = 'percent'\ncountry = 'US'\n[values]\ndate = 'DATE'\nvalue = 'RATE'\nnull = '.'";
    let found = read(rate, "DATE,RATE\n2025-01-02,6.5\n2025-01-09,.\n2025-01-16,7\n").unwrap();
    assert_eq!(shown(&found), ["us: 2025-01-02 0.065, 2025-01-16 0.07"]);
    assert_eq!(found.series.unit.to_string(), "share");
    let people = "name = 'people'\nunit = 'persons'\n[area]\npath = 'area'";
    let found = read(people, "area,2020,2021\nma/casablanca-settat,1,2\nus/,3,4\nus/xx,5,6\n").unwrap();
    let expected = ["ma/casablanca-settat: 2020-12-31 1, 2021-12-31 2", "us: 2020-12-31 3, 2021-12-31 4"];
    assert_eq!(shown(&found), expected);
    assert_eq!(why(&found), ["4, us/xx: no place has the path \"us/xx\""]);
}

#[test]
fn rows_without_a_known_place_are_counted_and_the_first_places_listed() {
    let csv = "zip,state,2020\n98178,WA,1\n98178,TX,2\n00000,WA,3\n,WA,4\n98178,WA,5\n10001,XX,6\n";
    let found = read(WIDE, csv).unwrap();
    assert_eq!(shown(&found), ["us/wa/king/seattle/98178: 2020-12-31 1"]);
    assert_eq!((found.rows, found.unmatched), (6, 5));
    assert_eq!(
        why(&found),
        [
            "3, TX, 98178: \"98178\" is in the region Washington, not in TX",
            "4, WA, 00000: no postal code of United States is called \"00000\", or several are",
            "5, WA, : the postal code is empty",
            "6, WA, 98178: line 2 is for the same place",
            "7, XX, 10001: \"10001\" is in the region New York, not in XX",
        ]
    );
    let many: String = (0..30).map(|n| format!("WA,Nowhere {},{},1\n", n % 15, 2000 + n)).collect();
    let found = read(INCOME, &format!("state,county,year,median\nWA,King,2020,1\n{many}")).unwrap();
    assert_eq!((found.unmatched, found.first.len()), (30, 10));
}

#[test]
fn of_different_values_for_a_place_and_day_the_first_counts() {
    let csv = "state,county,year,median\nWA,King,2023,1\nWA,King County,2023,2\nWA,king,2023,1\n";
    let found = read(INCOME, csv).unwrap();
    assert_eq!(shown(&found), ["us/wa/king: 2023-12-31 1"]);
    assert_eq!(why(&found), ["3, us/wa/king, 2023-12-31: line 2 has another value for the same place and day"]);
}

#[test]
fn a_corrupt_file_is_refused_with_its_line_and_what_is_accepted() {
    let long = |rows: &str| read(INCOME, &format!("state,county,year,median\nWA,King,2020,1\n{rows}\n")).unwrap_err();
    for (error, says) in [
        (
            long("WA,King,2023,\"1,000\""),
            "data.csv: line 3: \"1,000\" is no number; accepted: a plain number like 1234.5",
        ),
        (long("Atlantis,,2023,NaN"), "data.csv: line 3: \"NaN\" is no number"),
        (long("WA,King,2023,1e999"), "data.csv: line 3: \"1e999\" is no number"),
        (
            long("WA,King,May 2023,1"),
            "data.csv: line 3: \"May 2023\" is no date; accepted: 2025-01-31, 2025-01 or 2025",
        ),
        (long("WA,King,2023"), "data.csv: line 3: "),
        (
            read(INCOME, "state,county,year\nWA,King,2020\n").unwrap_err(),
            "no column is called \"median\"; accepted: state, county, year",
        ),
        (read(INCOME, "state,county,county,year,median\n").unwrap_err(), "several columns are called \"county\""),
        (
            read(INCOME, "state,county,year,median\nWA,Nowhere,2020,1\n").unwrap_err(),
            "no row has a known place; line 2, WA, Nowhere: ",
        ),
        (read(INCOME, "state,county,year,median\nWA,King,2020,\n").unwrap_err(), "data.csv: no row has a value"),
        (read(WIDE, "zip,state,price\n98178,WA,1\n").unwrap_err(), "no column is a date like 2025-01-31"),
        (read(WIDE, "zip,state,2020,2020-12\n").unwrap_err(), "several columns are for 2020-12-31"),
        (read(WIDE, "zip,state,2020\n98178,WA,n/a\n").unwrap_err(), "line 2: column 2020-12-31: \"n/a\" is no number"),
    ] {
        assert!(error.contains(says), "{error} / {says}");
    }
}

#[test]
fn a_map_lists_every_mistake_with_its_line() {
    let error = read("name = 'Income'\nunit = 'dollars'\nplaces = 1\n[values]\ndate = 'd'\n", "").unwrap_err();
    for says in [
        "map.toml:1: name: \"Income\" is no name; accepted: a-z",
        "map.toml:2: unit: \"dollars\" is no unit; accepted: a currency like \"USD\"",
        "map.toml:3: places: there is no such key",
        "values.value: is missing: a long file has a date and a value column",
        "area: is missing: [area] names the columns of the area",
    ] {
        assert!(error.contains(says), "{error} / {says}");
    }
    let of = |area: &str| read(&format!("name = 'a'\nunit = 'index'\n{area}"), "").unwrap_err();
    assert!(of("[area]\ncity = 'c'").contains("country: is missing"));
    assert!(of("country = 'US'\n[area]").contains("names no column"));
    assert!(of("country = 'US'\n[area]\ncountry = 'c'").contains("leave out one of both"));
    assert!(of("[area]\npath = 'p'\ncity = 'c'").contains("leave out the other columns"));
}

#[test]
fn the_example_of_the_guide_is_true() {
    let page = std::fs::read_to_string(root().join("docs/GUIDE.md")).unwrap();
    let blocks = blocks(&page);
    let block = |info: &str| blocks.iter().find(|block| block.info == info).unwrap().text.as_str();
    let found = read(block("reference-map"), block("reference-csv")).unwrap();
    let left_out = why(&found).into_iter().map(|line| format!("line {line}"));
    let lines: Vec<String> = shown(&found).into_iter().chain(left_out).collect();
    assert_eq!(lines.join("\n"), block("reference-result").trim_end());
}

fn project_map(name: &str) -> ReferenceMap {
    let text = std::fs::read_to_string(root().join("maps/reference").join(name)).unwrap();
    ReferenceMap::parse(&text, name).unwrap_or_else(|errors| panic!("{errors}"))
}

#[test]
fn every_reference_map_of_the_project_is_one() {
    for file in files(&root().join("maps/reference"), "") {
        project_map(&file.file_name().unwrap().to_string_lossy());
    }
}

/// Ten ZIPs by month, January 2000 to July 2025. The values are taken from the file by hand.
#[test]
fn the_zillow_home_value_index_is_read() {
    let Some(folder) = data("us-zhvi-zip-sample") else { return };
    let path = &files(&folder, ".csv")[0];
    let bytes = LocalBytes::new(std::fs::File::open(path).unwrap()).unwrap();
    let found = project_map("zhvi.toml").read(path, Arc::new(bytes)).unwrap();
    assert_eq!((found.rows, found.unmatched, found.series.areas.len()), (10, 0, 10));
    assert!(found.series.areas.iter().all(|area| area.values.len() == 307));
    let value = |path: &str, day: &str| {
        let area = found.series.areas.iter().find(|area| area.path == path).unwrap();
        let (of, value) = area.at(Day::last_of(day).unwrap()).unwrap();
        format!("{of} {value}")
    };
    assert_eq!(value("us/nj/ocean/lakewood/08701", "2000-02-28"), "2000-01-31 116810.6359727793");
    assert_eq!(value("us/tx/travis/pflugerville/78660", "2010-07-30"), "2010-06-30 175913.99242992865");
    assert_eq!(value("us/ca/los-angeles/los-angeles/90011", "2026-01-01"), "2025-07-31 604577.0609801331");
}
