use super::*;

fn read(line: &str, country: &str) -> StreetAddress {
    StreetAddress::parse(line, country).unwrap_or_else(|| panic!("{line} has a street"))
}

/// All spellings are one address.
fn are_one(country: &str, spellings: &[&str]) {
    for spelling in &spellings[1..] {
        assert_eq!(read(spelling, country), read(spellings[0], country), "{spelling} is {}", spellings[0]);
    }
}

#[test]
fn spellings_of_the_united_states() {
    are_one(
        "US",
        &[
            "123 North Main Street Apt 4B",
            "123 N. Main St. #4B",
            "123 N Main St, Unit 4-B",
            "123 n main st apt. # 4b",
            "123 N Main St 4B",
        ],
    );
    are_one("US", &["500 Martin Luther King Junior Blvd", "500 MARTIN LUTHER KING JUNIOR BOULEVARD, Austin, TX 78701"]);
    are_one("US", &["9 Fifth Avenue", "9 5th Ave"]);
    are_one("US", &["12 Saint Johns Place", "12 St. Johns Pl"]);
    are_one("US-NY", &["37-12 75th Street", "3712 75th St"]);
    are_one("US", &["5 1/2 Elm St", "5\u{bd} Elm Street"]);
    are_one("US", &["1400 US Highway 12", "1400 U.S. Hwy 12", "1400 US-12", "1400 US Route 12"]);
    are_one("US", &["77 County Road 5", "77 Co Rd 5", "77 CR 5"]);
    are_one("US", &["77 State Road 7", "77 SR-7", "77 State Hwy 7", "77 Highway 7"]);
    are_one("US", &["1 K St NW", "1 K Street Northwest"]);
    are_one("US", &["8 Lake Shore Dr", "8 Lakeshore Drive"]);
    are_one("US", &["42 Oak Ct, Bldg 2, Apt 7", "42 Oak Court Building 2 Unit 07"]);
}

#[test]
fn parts_have_their_places() {
    let address = read("37-12 75th Street, Apt 2C", "US-NY");
    assert_eq!(address.number.as_deref(), Some("3712"));
    assert_eq!((address.name.as_str(), address.street_type), ("75", Some("st")));
    assert_eq!(address.unit.as_deref(), Some("2c"));
    assert_eq!(read("12 Avenue B", "US").name, "b");
    assert_eq!(read("12 E St SW", "US").name, "e");
    assert_eq!(read("Main Street", "US").number, None);
    assert_eq!(read("123 Main St, 3rd Floor", "US").floor.as_deref(), Some("3"));
}

#[test]
fn units_of_any_spelling_stay_apart() {
    for [one, other] in [
        ["12 Main St #PH-3", "12 Main St #PH-4"],
        ["12 Main St, Unit B-12", "12 Main St, Unit B-14"],
        ["12 Main St Apt A 1", "12 Main St Apt A 2"],
        ["12 Main St, Tower East, Apt 4", "12 Main St, Tower West, Apt 4"],
        ["12 Main St Unit 1 Rear", "12 Main St Unit 1 Front"],
        ["12 Main St, A", "12 Main St, B"],
        ["12 Main St, Upper", "12 Main St, Lower"],
        ["12 Main St, Rear", "12 Main St, Front"],
        ["12 Main St, Basement", "12 Main St, Penthouse"],
        ["12 Main St, PH 3", "12 Main St, PH 4"],
        ["12 Main St, Apt One", "12 Main St, Apt Two"],
        ["12 Main St, Unit North", "12 Main St, Unit South"],
        ["12 Main St, Unit 100-1001", "12 Main St, Unit 100-1002"],
        ["12 Main St, P1204", "12 Main St, P1205"],
        ["12 Main St, E-5", "12 Main St, E-6"],
        ["12 Main St, Garden", "12 Main St, Top"],
        ["12 Main St Left", "12 Main St Right"],
        ["12 Main St, Spc 4", "12 Main St, Spc 5"],
        ["12 Main St, Site 4", "12 Main St, Homesite 5"],
        ["12 Main St, Unit II", "12 Main St, Unit III"],
        ["1000 Main St A", "1000 Main St B"],
        ["1000 Main St - A", "1000 Main St - B"],
        ["1000 Main St II", "1000 Main St III"],
    ] {
        let (one, other) = (read(one, "US-IL"), read(other, "US-IL"));
        assert!(one.unit.is_some() && one.unit != other.unit, "{one:?} {other:?}");
        assert_eq!((&one.number, &one.name), (&other.number, &other.name));
    }
    let floors = ["12 Main St, First Floor", "12 Main St, 2nd Fl"].map(|line| read(line, "US-IL").floor);
    assert_eq!(floors, [Some("1".to_owned()), Some("2".to_owned())]);
    assert_ne!(read("1511 A Maple St", "US-IL").number, read("1511 B Maple St", "US-IL").number);
}

#[test]
fn more_spellings_of_one_address() {
    are_one("US-IL", &["12 Main St Unit B-12", "12 Main St, Unit B12", "12 Main St Unit B 12"]);
    are_one("US-IL", &["12 Main St #PH-3", "12 Main St PH3"]);
    are_one("US-IL", &["12 Main St Unit 1203 A", "12 Main St #1203A"]);
    are_one("US-IL", &["12 Main St Unit 12th", "12 Main St #12"]);
    are_one("US-IL", &["Lincoln Tower, 1000 Main St Apt 4", "1000 Main St #4"]);
    are_one("US-IL", &["1000 MAIN ST CHICAGO IL 60614", "1000 Main St", "1000 Main St Chicago"]);
    are_one("US-IL", &["OAK CT CHICAGO IL 60614", "Oak Court"]);
    are_one("US-IL", &["77 State Rte 12", "77 IL-12", "77 Highway 12"]);
    are_one("US-IL", &["5 Northwest Hwy", "5 NW Highway"]);
    are_one("US-IL", &["5 Mount Vernon Ave", "5 Mt Vernon Av"]);
    are_one("US-IL", &["5 Fort Washington Rd", "5 Ft Washington Road"]);
    are_one("US-IL", &["5 La Salle St", "5 LaSalle Street"]);
    are_one("US-IL", &["5 MLK Dr", "5 Martin Luther King Jr Drive"]);
    let range = read("1200-02 W Fullerton Ave", "US-IL");
    assert_eq!(range.compare(&read("1200 W Fullerton Ave", "US-IL")), StreetMatch::Number);
    assert_eq!(read("12-46 Main St", "US-IL").compare(&read("1246 Main St", "US-IL")), StreetMatch::OtherNumber);
}

#[test]
fn other_streets_are_no_misspellings() {
    for [one, other] in [["Northwood", "Southwood"], ["Winchester", "Manchester"], ["Northfield", "Southfield"]] {
        let found = read(&format!("9 {one} Dr"), "US").compare(&read(&format!("9 {other} Dr"), "US"));
        assert_eq!(found, StreetMatch::OtherStreet, "{one} {other}");
    }
    let arabic = [
        "\u{634}\u{627}\u{631}\u{639} \u{627}\u{644}\u{645}\u{633}\u{64a}\u{631}\u{629} 12",
        "\u{634}\u{627}\u{631}\u{639} \u{627}\u{644}\u{62d}\u{631}\u{64a}\u{629} 14",
    ];
    let [one, other] = arabic.map(|line| read(line, "MA"));
    assert_eq!(one.compare(&other), StreetMatch::OtherStreet);
}

#[test]
fn spellings_of_canada_and_australia() {
    are_one("CA", &["1203-555 Bay Street", "555 Bay St Unit 1203", "555 Bay St #1203"]);
    are_one("AU", &["4/12 High Street", "Unit 4, 12 High St", "U 4/12 High St"]);
}

#[test]
fn spellings_of_britain() {
    are_one("GB", &["Flat A, 12 High Street", "Flat A 12 High St", "12 High Street, Flat A"]);
    assert_ne!(read("Flat A, 12 High Street", "GB"), read("Flat B, 12 High Street", "GB"));
}

#[test]
fn spellings_of_german_french_and_spanish() {
    are_one("DE", &["Hauptstra\u{df}e 12a", "Hauptstr. 12 a", "Hauptstr. 12A"]);
    are_one("AT", &["Wiedner Hauptstra\u{df}e 23/14", "Wiedner Hauptstr. 23, Top 14"]);
    are_one("FR", &["12 bis rue de la Paix", "12bis, Rue de la Paix"]);
    are_one("MA", &["45, avenue Hassan II", "Av. Hassan II n\u{b0} 45", "45 Avenue Hassan II"]);
    are_one("ES", &["Calle Mayor, 12, 3\u{ba} B", "C/ Mayor 12, 3 B", "Calle Mayor 12 Piso 3B"]);
}

#[test]
fn an_address_that_is_not_told_is_none() {
    for line in [
        "Address on request",
        "Undisclosed Address",
        "(address withheld)",
        "",
        "12",
        "Adresse auf Anfrage",
        "PO Box 1234",
        "0 Main St",
        "TBD",
        "Chicago",
        "Lot 5",
    ] {
        assert_eq!(StreetAddress::parse(line, "US"), None, "{line}");
    }
}

#[test]
fn a_text_after_the_address_is_not_read() {
    let line = format!("12 Main St{}, Apt 4", " ".repeat(LINE_CHARS_MAX));
    assert_eq!(read(&line, "US"), read("12 Main St", "US"));
    let line = format!("12 {}", "word".repeat(1_000_000));
    assert!(read(&line, "US").name.len() < LINE_CHARS_MAX);
}

#[test]
fn agreement_is_by_number_and_street() {
    use StreetMatch::{Misspelt, Number, OtherNumber, OtherPart, OtherStreet, Street};
    let cases = [
        ("12 Main St", "12 Main Street", Number),
        ("12 Main St", "12 Main", Misspelt),
        ("12 Main St", "12 Main Ave", OtherPart),
        ("12 N Main St", "12 S Main St", OtherPart),
        ("12 N Main St", "12 Main St", Misspelt),
        ("12 Greenwood Ave", "12 Grenwood Ave", Misspelt),
        ("12 Greenwood Ave", "14 Grenwood Ave", OtherStreet),
        ("12 Greenwood Ave", "14 Greenwood Ave", OtherNumber),
        ("Greenwood Ave", "14 Greenwood Ave", Street),
        ("12-14 High St", "14 High St", Number),
        ("12 21st St", "12 22nd St", OtherStreet),
    ];
    for (a, b, expected) in cases {
        let (a, b) = (read(a, "GB"), read(b, "GB"));
        assert_eq!(a.compare(&b), expected, "{a:?} {b:?}");
        assert_eq!(b.compare(&a), expected, "{b:?} {a:?}");
    }
}
