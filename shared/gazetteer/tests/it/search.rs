//! Searches with one match, several matches and none.

use stoop_gazetteer::{FOUND_MAX, Gazetteer, Level};

fn paths(text: &str) -> Vec<String> {
    Gazetteer::get().find(text).into_iter().map(|found| found.path).collect()
}

#[test]
fn several_matches_are_ordered_by_population() {
    let found = Gazetteer::get().find("springfield");
    let cities: Vec<&str> =
        found.iter().filter(|found| found.level == Level::City).map(|found| found.path.as_str()).collect();
    assert_eq!(cities[..2], ["us/mo/greene/springfield/-", "us/ma/hampden/springfield/-"]);
    assert!(cities.contains(&"us/il/sangamon/springfield/-"));
    assert!(found.len() <= FOUND_MAX && found.iter().all(|found| found.edits == 0));
}

#[test]
fn find_exactly_returns_all_exact_matches() {
    let gazetteer = Gazetteer::get();
    let washingtons: Vec<String> = gazetteer.find_exactly("washington county").into_iter().map(|m| m.path).collect();
    assert!(washingtons.len() > FOUND_MAX, "{}", washingtons.len());
    // The least populous county of that name.
    assert!(washingtons.contains(&"us/al/washington/-/-".to_owned()), "{washingtons:?}");
    for text in ["springfield", "austin tx", "wien 1070", "new york"] {
        let (all, first) = (gazetteer.find_exactly(text), gazetteer.find(text));
        assert_eq!(all[..first.len()], first, "{text}");
    }
    assert_eq!(gazetteer.find_exactly("austn tx"), []);
    assert_eq!(gazetteer.find_exactly(&"seattle ".repeat(11)), []);
    assert_eq!(gazetteer.find_exactly(&format!("seattle{}", " ".repeat(200))), []);
}

#[test]
fn a_place_has_a_full_name_by_its_path() {
    let name = |path: &str| Gazetteer::get().full_name(path);
    assert_eq!(name("us/tx/travis/austin").unwrap(), "Austin, Travis County, Texas, United States");
    assert_eq!(name("us/tx/travis/austin/-"), name("us/tx/travis/austin"));
    assert_eq!(name("us/tx").unwrap(), "Texas, United States");
    assert_eq!([name("us/tx/travis/~austin"), name("us/zz"), name("-"), name("")], [None, None, None, None]);
}

#[test]
fn a_match_has_a_level_and_a_full_name() {
    let of = |text: &str| {
        let first = Gazetteer::get().find(text).swap_remove(0);
        (first.level, first.name)
    };
    assert_eq!(of("austin tx"), (Level::City, "Austin, Travis County, Texas, United States".into()));
    assert_eq!(of("78704"), (Level::Area, "78704, Austin, Travis County, Texas, United States".into()));
    assert_eq!(of("new orleans"), (Level::City, "New Orleans, Orleans Parish, Louisiana, United States".into()));
    assert_eq!(of("wien 1070"), (Level::Area, "1070 Neubau, Wien, Austria".into()));
    assert_eq!(of("maarif"), (Level::Area, "Maârif, Casablanca, Casablanca-Settat, Morocco".into()));
    assert_eq!(of("king county"), (Level::County, "King County, Washington, United States".into()));
    assert_eq!(of("Baltimore City, MD").1, "Baltimore City, Maryland, United States");
}

#[test]
fn an_extra_word_is_not_ignored() {
    // Better no result than the wrong Austin.
    let found = Gazetteer::get().find("austin maine");
    assert!(found.iter().all(|found| found.edits > 0 || found.path.starts_with("us/me/")), "{found:?}");
    assert_eq!(paths("98178 texas"), [""; 0]);
}

#[test]
fn misspelt_names_are_found() {
    for (text, path) in [
        ("austn tx", "us/tx/travis/austin/-"),
        ("casblanca", "ma/casablanca-settat/casablanca/casablanca/-"),
        ("casablanca maarfi", "ma/casablanca-settat/casablanca/casablanca/maarif"),
        ("seatle", "us/wa/king/seattle/-"),
        ("pittsburg pensylvania", "us/pa/allegheny/pittsburgh/-"),
        ("marakech", "ma/marrakech-safi/marrakech/marrakech/-"),
        ("ottakrng", "at/wien/wien/wien/1160"),
    ] {
        let found = Gazetteer::get().find(text);
        assert!(found.iter().take(3).any(|found| found.path == path && found.edits > 0), "{text}: {found:?}");
    }
}

#[test]
fn a_text_without_a_name_finds_nothing() {
    for text in ["", "   ", "-", "!?", "zzzzqqqqxxxx", "99999999999"] {
        assert_eq!(paths(text), [""; 0], "{text:?}");
    }
    let huge = "springfield ".repeat(100_000);
    assert!(paths(&huge).len() <= FOUND_MAX);
}

#[test]
fn people_are_counted_up_to_the_country() {
    let people = |path: &str| Gazetteer::get().people(path).unwrap();
    // King County had 2.27 million people in 2020; its known places have slightly fewer.
    assert!((1_500_000..2_600_000).contains(&people("us/wa/king/-/-")));
    assert!(people("us/wa/-/-/-") > people("us/wa/king/-/-"));
    // The census of 2024: 36.8 million.
    assert!((36_000_000..37_500_000).contains(&people("ma/-/-/-/-")), "{}", people("ma/-/-/-/-"));
    assert_eq!(Gazetteer::get().people("us/wa/king/nowhere/-"), None);
}
