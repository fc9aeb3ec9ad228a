//! `stoop duplicates`: which listings are of one home.

use crate::support::{Room, text};

const ROWS: &str = "id,seen,price,line,city,region,zip,beds,baths,sqft\n\
    1,2026-03-01,450000,12 N Main St Apt 4,Chicago,IL,60614,2,2,1050\n\
    2,2026-03-01,450000,12 N Main St Apt 5,Chicago,IL,60614,2,2,1050\n\
    3,2026-03-01,731000,99 Elm Ave,Chicago,IL,60614,4,3,2210\n";

/// The same homes in the words of another portal, and one of its own.
const OTHER_ROWS: &str = "id,seen,price,line,city,region,zip,beds,baths,sqft\n\
    70,2026-03-03,449000,\"12 North Main Street, #4\",Chicago,IL,60614,2,2,1050\n\
    71,2026-03-03,450000,\"12 North Main Street, #5\",Chicago,IL,60614,2,2,\n\
    72,2026-03-03,,,Chicago,IL,60614,4,3,2210\n\
    73,2026-03-03,520000,5 Oak Ct,Chicago,IL,60614,3,2,1400\n";

fn map(name: &str) -> String {
    format!(
        r#"
name = "{name}"
country = "US"
currency = "USD"
purpose = "sale"
[fields]
native_id = {{ from = "id" }}
observed_at = {{ from = "seen", date = "iso" }}
list_price = {{ from = "price" }}
line = {{ from = "line" }}
city = {{ from = "city" }}
region = {{ from = "region" }}
postal_code = {{ from = "zip" }}
bedrooms = {{ from = "beds" }}
bathrooms = {{ from = "baths" }}
living_area = {{ from = "sqft", unit = "sqft" }}
"#
    )
}

fn filled() -> Room {
    let room = Room::new();
    for (name, rows) in [("one", ROWS), ("other", OTHER_ROWS)] {
        let (map_file, file) = (format!("{name}.toml"), format!("{name}.csv"));
        room.write(&map_file, map(name));
        room.write(&file, rows);
        room.replay(&map_file, &[&file]);
    }
    room
}

#[test]
fn listings_of_two_portals_are_joined_with_their_evidence() {
    let room = filled();
    let found = room.json(&["duplicates", "60614"]);
    assert_eq!((&found["listings_open"], &found["homes_open"]), (&7.into(), &4.into()));
    let homes: Vec<Vec<&str>> = found["homes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|home| home["listings"].as_array().unwrap().iter().map(|listing| text(&listing["id"])).collect())
        .collect();
    // Two units of one building stay two homes; the house without an address has its size, its rooms and its week.
    assert_eq!(homes, [["one/1", "other/70"], ["one/2", "other/71"], ["one/3", "other/72"]]);
    assert_eq!(found["homes"][0]["id"], "one/1");
    let evidence = &found["homes"][0]["evidence"][0];
    assert!(evidence["findings"].as_array().unwrap().contains(&"same street, number and unit".into()), "{evidence}");

    let page = room.stoop(&["duplicates", "60614"]).ok().stdout;
    assert!(page.contains("60614 · 7 listings on offer or under contract, of 4 homes"), "{page}");
    assert!(page.contains("same street, number and unit") && page.contains("docs/HOMES.md"), "{page}");
    let csv = room.stoop(&["duplicates", "60614", "--csv"]).ok().stdout;
    assert_eq!(csv.lines().count(), 1 + 6, "{csv}");
    let limited = room.json(&["duplicates", "60614", "--limit", "1"]);
    assert_eq!((limited["homes"].as_array().unwrap().len(), &limited["homes_found"]), (1, &3.into()));
    assert!(csv.starts_with("home,id,market,") && csv.lines().nth(2).unwrap().starts_with("one/1,other/70,"), "{csv}");
}

#[test]
fn a_home_shows_its_other_listings() {
    let room = filled();
    let home = room.json(&["home", "other/70"]);
    let listings = home["duplicates"]["listings"].as_array().unwrap();
    assert_eq!(listings.iter().map(|listing| text(&listing["id"])).collect::<Vec<_>>(), ["one/1", "other/70"]);
    let page = room.stoop(&["home", "other/70"]).ok().stdout;
    assert!(page.contains("Listings of this home") && page.contains("one/1     Active  $450,000"), "{page}");
    let page = room.stoop(&["home", "other/73"]).ok().stdout;
    assert!(!page.contains("Listings of this home"), "{page}");
}

#[test]
fn a_home_shows_what_may_be_it_apart() {
    let room = Room::new();
    let head = "id,seen,price,line,city,region,zip,beds,baths,sqft\n";
    let rows = [
        ("one", "1,2026-02-10,750000,,Chicago,IL,60614,2,2,1037\n"),
        ("other", "8,2026-03-01,760000,,Chicago,IL,60614,2,2,1037\n"),
    ];
    for (name, row) in rows {
        let (map_file, file) = (format!("{name}.toml"), format!("{name}.csv"));
        room.write(&map_file, map(name));
        room.write(&file, format!("{head}{row}"));
        room.replay(&map_file, &[&file]);
    }
    let home = room.json(&["home", "one/1"]);
    assert!(home["duplicates"].is_null(), "{home}");
    let doubtful = &home["doubtful"][0];
    assert_eq!((&doubtful["listing"]["id"], &doubtful["evidence"]["a"]), (&"other/8".into(), &"one/1".into()));
    let page = room.stoop(&["home", "one/1"]).ok().stdout;
    assert!(page.contains("May be the same home") && !page.contains("Listings of this home"), "{page}");
    assert!(
        page.contains("6.0 bits: same bedrooms · same bathrooms · ") && page.contains("but: other sources"),
        "{page}"
    );
}

#[test]
fn the_limit_and_an_unknown_area_are_said() {
    let room = filled();
    let page = room.stoop(&["duplicates", "60614", "--limit", "1"]).ok().stdout;
    assert!(page.contains("and 2 more; --limit shows more"), "{page}");
    let page = room.stoop(&["duplicates", "60614", "--doubtful"]).ok().stdout;
    assert!(page.contains("No pair of listings is doubtful."), "{page}");
    room.stoop(&["duplicates", "atlantis"]).refused(&["no home is watched in Atlantis"]);
}

#[test]
fn a_file_under_two_names_has_the_homes_of_one() {
    let room = Room::new();
    let rows = room.stoop(&["simulate", "--rows", "4000", "--homes", "900"]).ok().stdout;
    room.write("rows.jsonl", rows);
    let map = include_str!("../../../maps/simulated.toml");
    for name in ["alder", "birch"] {
        let file = format!("{name}.toml");
        room.write(&file, map.replace("name = \"simulated\"", &format!("name = \"{name}\"")));
        room.replay(&file, &["rows.jsonl"]);
    }
    let found = room.json(&["duplicates", "us", "--all", "--limit", "5000"]);
    let listings = found["listings"].as_u64().unwrap();
    let homes = found["homes"].as_array().unwrap();
    let pairs = homes.iter().filter(|home| {
        let ids: Vec<&str> = home["listings"].as_array().unwrap().iter().map(|listing| text(&listing["id"])).collect();
        matches!(ids.as_slice(), [one, other] if one.replace("alder/", "") == other.replace("birch/", ""))
    });
    let paired = pairs.count() as u64;
    // Homes of one house that are under several IDs are joined too, and are no mistake.
    assert!(listings > 500 && paired * 2 * 100 >= listings * 95, "{paired} pairs of {listings} listings");
}

#[test]
fn merged_duplicates_have_the_figures_of_one_file() {
    let room = Room::new();
    let rows = room.stoop(&["simulate", "--rows", "6000", "--homes", "700"]).ok().stdout;
    room.write("rows.jsonl", &rows);
    let map = include_str!("../../../maps/simulated.toml");
    for (database, names) in [("one.db", &["alder"][..]), ("two.db", &["alder", "birch"][..])] {
        for name in names {
            let file = format!("{name}.toml");
            room.write(&file, map.replace("name = \"simulated\"", &format!("name = \"{name}\"")));
            room.stoop(&[
                "replay",
                "--db",
                database,
                "--data",
                &format!("{database}.data"),
                "--map",
                &file,
                "rows.jsonl",
            ])
            .ok();
        }
    }
    let market = |database: &str, more: &[&str]| {
        let args = ["market", "us", "--db", database, "--data", &format!("{database}.data")];
        room.json(&[&args[..], more].concat())
    };
    let (one, two) = (market("one.db", &["--merge-duplicates"]), market("two.db", &["--merge-duplicates"]));
    let active = |market: &serde_json::Value| market["markets"][0]["active"].as_u64().unwrap();
    assert_eq!(active(&market("two.db", &[])), 2 * active(&market("one.db", &[])), "each listing counts");
    assert_eq!(active(&one), active(&market("one.db", &[])), "one source shows each home once");
    assert_eq!(two["markets"], one["markets"], "every figure, every day");
    assert_eq!(one["markets"][0]["observed_at"], market("one.db", &[])["markets"][0]["observed_at"]);
    assert!(one["markets"][0]["observed_at"].is_string(), "{one}");
    assert!(two["merged_listings"].as_u64().unwrap() > 300, "{}", two["merged_listings"]);
    room.stoop(&["market", "us", "--db", "two.db", "--merge-duplicates", "--index"]).refused(&["cannot be used with"]);
}

#[test]
fn what_is_of_too_many_listings_is_said() {
    let room = Room::new();
    // Seventy flats of one plan at one price, and nobody says where they are.
    let rows: String =
        (0..70).map(|id| format!("{id},2026-03-{:02},450000,,Chicago,IL,60614,2,2,1050\n", id % 28 + 1)).collect();
    room.write("one.csv", format!("id,seen,price,line,city,region,zip,beds,baths,sqft\n{rows}"));
    room.write("one.toml", map("one"));
    room.replay("one.toml", &["one.csv"]);
    let found = room.json(&["duplicates", "60614"]);
    assert_eq!((&found["homes_open"], &found["blocks_too_large"]), (&70.into(), &3.into()));
    let page = room.stoop(&["duplicates", "60614"]).ok().stdout;
    assert!(page.contains("Homes may be missing: 3 addresses, places or sizes are of too many listings"), "{page}");
}
