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
    are_one("US", &["37-12 75th Street", "3712 75th St"]);
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
    let address = read("37-12 75th Street, Apt 2C", "US");
    assert_eq!(address.number.as_deref(), Some("3712"));
    assert_eq!((address.name.as_str(), address.street_type), ("75", Some("st")));
    assert_eq!(address.unit.as_deref(), Some("2c"));
    assert_eq!(read("12 Avenue B", "US").name, "b");
    assert_eq!(read("12 E St SW", "US").name, "e");
    assert_eq!(read("Main Street", "US").number, None);
    assert_eq!(read("123 Main St, 3rd Floor", "US").floor.as_deref(), Some("3"));
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
    for line in ["Address on request", "Undisclosed Address", "(address withheld)", "", "12", "Adresse auf Anfrage"] {
        assert_eq!(StreetAddress::parse(line, "US"), None, "{line}");
    }
}

#[test]
fn agreement_is_by_number_and_street() {
    use StreetMatch::{Misspelt, Number, OtherNumber, OtherStreet, Street};
    let cases = [
        ("12 Main St", "12 Main Street", Number),
        ("12 Main St", "12 Main", Misspelt),
        ("12 Main St", "12 Main Ave", OtherStreet),
        ("12 N Main St", "12 S Main St", OtherStreet),
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
