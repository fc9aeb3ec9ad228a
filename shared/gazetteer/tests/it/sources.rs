//! The rules by which the words of a source become a path.

use stoop_gazetteer::{AddressParts, Gazetteer, Level, Located, NameOrigin};

fn us<'a>(region: &'a str, county: &'a str, city: &'a str, postal: &'a str) -> Located<'static> {
    let given = |text: &'a str| Some(text).filter(|text| !text.is_empty());
    let words = AddressParts {
        country: Some("US"),
        region: given(region),
        county: given(county),
        city: given(city),
        neighbourhood: None,
        postal_code: given(postal),
    };
    Gazetteer::get().locate(&words)
}

fn morocco(city: &str, quarter: &str) -> Located<'static> {
    let words =
        AddressParts { country: Some("MA"), city: Some(city), neighbourhood: Some(quarter), ..AddressParts::default() };
    Gazetteer::get().locate(&words)
}

fn path(located: &Located<'_>) -> String {
    located.path().unwrap_or_default()
}

fn contradictions(located: &Located<'_>) -> Vec<(Level, String, String)> {
    located.contradictions.iter().map(|c| (c.level, c.reported.clone(), c.taken.clone())).collect()
}

#[test]
fn a_postal_code_wins_and_contradictions_are_listed() {
    let located = us("Maine", "Cumberland", "Nowhere Hamlet", "78704");
    assert_eq!(path(&located), "us/tx/travis/austin/78704");
    let all = [
        (Level::Region, "Maine".to_owned(), "Texas".to_owned()),
        (Level::County, "Cumberland".to_owned(), "Travis".to_owned()),
        (Level::City, "Nowhere Hamlet".to_owned(), "Austin".to_owned()),
    ];
    assert_eq!(contradictions(&located), all);
    assert_eq!(contradictions(&us("Tex.", "Travis County", "AUSTIN", "78704-1234")), []);
}

#[test]
fn a_postal_code_that_contradicts_region_and_city_loses() {
    for (region, city, code, right) in [
        ("CT", "Hartford", "61030", "us/ct/hartford/hartford/-"),
        ("Maine", "Portland", "78704", "us/me/cumberland/portland/-"),
    ] {
        let located = us(region, "", city, code);
        assert_eq!(path(&located), right);
        assert_eq!(contradictions(&located), [(Level::Area, code.to_owned(), city.to_owned())]);
    }
    // Of one contradiction nobody knows who is right.
    assert_eq!(path(&us("Maine", "", "Austin", "78704")), "us/tx/travis/austin/78704");
    assert_eq!(path(&us("", "", "Hartford", "61030")), "us/il/ogle/forreston/61030");
}

#[test]
fn a_neighbouring_city_is_not_a_contradiction() {
    // The mail of Miramar is addressed to Hollywood, that of Skyway to Seattle.
    for (region, city, code, known) in [("FL", "Miramar", "33027", "hollywood"), ("WA", "Renton", "98178", "seattle")] {
        let located = us(region, "", city, code);
        assert!(path(&located).ends_with(&format!("/{known}/{code}")), "{}", path(&located));
        assert_eq!(contradictions(&located), []);
    }
    assert_eq!(contradictions(&us("WA", "", "Spokane", "98178")).len(), 1);
}

#[test]
fn a_zip_without_leading_zero_is_found_unless_the_state_contradicts() {
    assert_eq!(path(&us("NJ", "", "Lakewood", "8701")), "us/nj/ocean/lakewood/08701");
    assert_eq!(path(&us("", "", "", "8701")), "us/nj/ocean/lakewood/08701");
    assert_eq!(path(&us("TX", "", "Austin", "8701")), "us/tx/travis/austin/~8701");
}

#[test]
fn an_unknown_postal_code_is_kept() {
    let located = us("WA", "", "Seattle", "00000");
    assert_eq!(path(&located), "us/wa/king/seattle/~00000");
    assert_eq!(located.levels[4].as_ref().unwrap().origin, NameOrigin::Source);
    assert_eq!(located.levels[3].as_ref().unwrap().origin, NameOrigin::Gazetteer);
    let words = AddressParts {
        country: Some("DE"),
        city: Some("Berlin"),
        postal_code: Some("10115"),
        ..AddressParts::default()
    };
    assert_eq!(path(&Gazetteer::get().locate(&words)), "de/berlin/-/berlin/~10115");
    // The code of a state or country is not a postal code.
    assert_eq!(path(&us("", "", "Seattle", "WA")), "us/wa/king/seattle/-");
    assert_eq!(path(&us("", "", "Seattle", "US")), "us/wa/king/seattle/-");
    // A code belongs to one country: 1070 is in Vienna.
    let words = AddressParts { country: Some("CH"), postal_code: Some("1070"), ..AddressParts::default() };
    assert_eq!(path(&Gazetteer::get().locate(&words)), "ch/-/-/-/~1070");
}

#[test]
fn a_city_lies_in_its_main_county_unless_another_one_is_given() {
    assert_eq!(path(&us("TX", "", "Austin", "")), "us/tx/travis/austin/-");
    assert_eq!(path(&us("TX", "Williamson County", "Austin", "")), "us/tx/williamson/austin/-");
    let located = us("TX", "Travis", "Dallas", "");
    assert_eq!(path(&located), "us/tx/dallas/dallas/-");
    assert_eq!(contradictions(&located), [(Level::County, "Travis".to_owned(), "Dallas".to_owned())]);
}

#[test]
fn a_city_without_county_has_one_path_whatever_county_is_given() {
    for county in [None, Some("Berlin"), Some("Mitte")] {
        let words = AddressParts { country: Some("DE"), county, city: Some("Berlin"), ..AddressParts::default() };
        let words = AddressParts { region: Some("Berlin"), ..words };
        assert_eq!(path(&Gazetteer::get().locate(&words)), "de/berlin/-/berlin/-", "{county:?}");
    }
}

#[test]
fn without_a_region_only_a_clear_city_is_taken() {
    assert_eq!(path(&us("", "", "Chicago", "")), "us/il/cook/chicago/-");
    assert_eq!(path(&us("", "", "Springfield", "")), "us/-/-/~springfield/-");
    assert_eq!(path(&us("", "Sangamon", "Springfield", "")), "us/il/sangamon/springfield/-");
    assert_eq!(path(&us("Nowhere", "Cook", "Chicago", "")), "us/~nowhere/~cook/~chicago/-");
}

#[test]
fn unknown_names_are_kept() {
    let located = us("WA", "King", "Little Nowhere", "");
    assert_eq!(path(&located), "us/wa/king/~little-nowhere/-");
    let origins: Vec<_> = located.levels.iter().flatten().map(|name| name.origin).collect();
    assert_eq!(origins, [NameOrigin::Gazetteer, NameOrigin::Gazetteer, NameOrigin::Gazetteer, NameOrigin::Source]);
    let nowhere = AddressParts { city: Some("Weßling"), region: Some("BY"), ..AddressParts::default() };
    let located = Gazetteer::get().locate(&nowhere);
    assert_eq!((path(&located).as_str(), located.zone), ("-/~by/-/~wessling/-", None));
    for nothing in [" - ", "", "\u{64b}"] {
        let words = AddressParts { city: Some(nothing), ..AddressParts::default() };
        assert_eq!(Gazetteer::get().locate(&words).path(), None, "{nothing:?}");
    }
}

#[test]
fn a_quarter_is_looked_up_in_its_city_only() {
    assert_eq!(path(&morocco("الدار البيضاء", "Maarif")), "ma/casablanca-settat/casablanca/casablanca/maarif");
    assert_eq!(path(&morocco("Agadir", "Hay Mohammadi")), "ma/souss-massa/agadir-ida-ou-tanane/agadir/hay-mohammadi");
    assert_eq!(
        path(&morocco("Casablanca", "Hay Mohammadi")),
        "ma/casablanca-settat/casablanca/casablanca/hay-mohammadi"
    );
    assert_eq!(path(&morocco("Casablanca", "Toute la ville")), "ma/casablanca-settat/casablanca/casablanca/-");
    assert_eq!(path(&morocco("Mohammédia", "Mohammedia")), "ma/casablanca-settat/mohammadia/mohammadia/-");
    let unknown = morocco("Casablanca", "Résidence Yasmine");
    assert_eq!(path(&unknown), "ma/casablanca-settat/casablanca/casablanca/~residence-yasmine");
    assert_eq!(unknown.levels[4].as_ref().unwrap().origin, NameOrigin::Source);
}
