use super::*;

fn markets(ids: &[&str]) -> Vec<Market> {
    ids.iter().map(|id| id.parse().unwrap()).collect()
}

fn here() -> Vec<Market> {
    markets(&[
        "at/wien/wien/wien/1070:rent:EUR",
        "de/bayern/oberbayern/munchen/~80331:rent:EUR",
        "ma/casablanca-settat/casablanca/casablanca/maarif:sale:MAD",
        "ma/casablanca-settat/casablanca/casablanca/~residence-yasmine:sale:MAD",
        "ma/souss-massa/agadir-ida-ou-tanane/agadir/-:sale:MAD",
        "ma/souss-massa/agadir-ida-ou-tanane/agadir/haut-founty:rent:MAD",
        "ma/souss-massa/agadir-ida-ou-tanane/agadir/haut-founty:sale:MAD",
        "ma/souss-massa/agadir-ida-ou-tanane/agadir/~residence-yasmine:sale:MAD",
        "us/il/cook/chicago/~62100:sale:USD",
        "us/il/sangamon/springfield/62701:sale:USD",
        "us/il/sangamon/springfield/62702:sale:USD",
        "us/ma/suffolk/boston/02108:sale:USD",
        "us/mo/greene/springfield/65802:sale:USD",
        "us/mo/st-louis-city/st-louis/63101:sale:USD",
        "us/ny/kings/brooklyn/11201:sale:USD",
        "us/ny/new-york/new-york/10001:sale:USD",
        "us/wa/king/-/-:sale:USD",
        "us/wa/king/seattle/98103:sale:USD",
        "us/wa/king/seattle/98178:sale:USD",
    ])
}

fn found(query: &str) -> (String, usize) {
    let found = find_area(query, &here()).unwrap_or_else(|error| panic!("{query}: {error}"));
    (found.path, found.markets.len())
}

fn path(query: &str) -> String {
    found(query).0
}

fn refused(query: &str) -> String {
    find_area(query, &here()).unwrap_err().to_string()
}

const AGADIR: &str = "ma/souss-massa/agadir-ida-ou-tanane/agadir";

#[test]
fn an_area_is_found_by_path_and_by_the_beginning_of_one() {
    assert_eq!(found("us/"), ("us".into(), 11));
    assert_eq!(found("us/wa"), ("us/wa".into(), 3));
    assert_eq!(found(" US/WA/King/ "), ("us/wa/king".into(), 3));
    assert_eq!(found("us/wa/king/-"), ("us/wa/king/-".into(), 1));
    assert_eq!(found("us/wa/king/seattle/98103"), ("us/wa/king/seattle/98103".into(), 1));
    assert_eq!(found(AGADIR), (AGADIR.into(), 4));
    assert_eq!(found("ma/souss-massa/agadir-ida-ou-tanane/agadir/-").1, 1);
}

#[test]
fn the_mark_of_a_sources_own_name_is_optional() {
    let yasmine = format!("{AGADIR}/~residence-yasmine");
    assert_eq!(path(&yasmine), yasmine);
    assert_eq!(path(&format!("{AGADIR}/Résidence Yasmine")), yasmine);
    assert_eq!(path("us/il/cook/chicago/62100"), "us/il/cook/chicago/~62100");
    assert_eq!(path("~us/~il/~cook/~chicago/62100"), "us/il/cook/chicago/~62100");
    assert_eq!(path("us/wa/~king"), "us/wa/king");
}

#[test]
fn with_and_without_the_mark_are_two_areas_if_both_exist() {
    let both = markets(&["xx/-/-/here/-:sale:USD", "xx/-/-/~here/-:sale:USD"]);
    for path in ["xx/-/-/here", "xx/-/-/~here"] {
        assert_eq!(find_area(path, &both).unwrap().path, path);
    }
    assert!(
        matches!(find_area("XX/-/-/Here", &both), Err(AreaError::Ambiguous { candidates, .. }) if candidates.len() == 2)
    );
}

#[test]
fn the_levels_of_a_path_may_be_written_as_people_write_them() {
    assert_eq!(path("us/washington/king"), "us/wa/king");
    assert_eq!(path("USA/Washington/King County/Seattle"), "us/wa/king/seattle");
    assert_eq!(path("MA/Casablanca-Settat"), "ma/casablanca-settat");
    assert_eq!(path("us/Illinois/Cook County/Chicago/62100"), "us/il/cook/chicago/~62100");
    assert_eq!(path("at/vienna"), "at/wien");
    assert_eq!(path("at/wien/wien/wien/neubau"), "at/wien/wien/wien/1070");
    // Paths as before 2026, without the levels that a postal code or city implies.
    assert_eq!(path("us/wa/king/-/98178"), "us/wa/king/seattle/98178");
    assert_eq!(path("us/wa/king/renton/98178"), "us/wa/king/seattle/98178");
    assert_eq!(path("ma/-/-/agadir"), AGADIR);
    // Omitted levels.
    assert_eq!(path("us/wa/seattle"), "us/wa/king/seattle");
    assert_eq!(path("washington/king"), "us/wa/king");
}

#[test]
fn a_path_that_contradicts_itself_finds_nothing() {
    for query in ["us/il/king/seattle/98178", "us/il/-/-/98178", "us/wa/king/chicago", "us/wa/king/seattle/98103/98103"]
    {
        assert!(matches!(find_area(query, &here()), Err(AreaError::NoSuchArea { .. })), "{query}");
    }
}

#[test]
fn an_area_is_found_by_its_names_in_any_order_and_spelling() {
    for (query, expected) in [
        ("98103", "us/wa/king/seattle/98103"),
        ("Seattle", "us/wa/king/seattle"),
        ("king county", "us/wa/king"),
        ("wash.", "us/wa"),
        ("boston ma", "us/ma/suffolk/boston"),
        ("saint louis", "us/mo/st-louis-city/st-louis"),
        ("wien 1070", "at/wien/wien/wien/1070"),
        ("Neubau, Vienna", "at/wien/wien/wien/1070"),
        ("München", "de/bayern/oberbayern/munchen"),
        ("munich germany", "de/bayern/oberbayern/munchen"),
        ("maarif", "ma/casablanca-settat/casablanca/casablanca/maarif"),
        ("المعاريف", "ma/casablanca-settat/casablanca/casablanca/maarif"),
        (" Haut-FOUNTY ", "ma/souss-massa/agadir-ida-ou-tanane/agadir/haut-founty"),
        ("agadir", AGADIR),
        ("Maroc", "ma"),
    ] {
        assert_eq!(path(query), expected, "{query}");
    }
}

#[test]
fn an_area_of_a_sources_own_naming_is_found_by_its_words_with_names_around_it() {
    let of = |city: &str| format!("{city}/~residence-yasmine");
    for query in [
        "residence yasmine agadir",
        "agadir Résidence Yasmine",
        "residence yasmine, agadir, maroc",
        "MA residence-yasmine AGADIR",
    ] {
        assert_eq!(path(query), of(AGADIR), "{query}");
    }
    let casablanca = "ma/casablanca-settat/casablanca/casablanca";
    assert_eq!(path("residence yasmine casa"), of(casablanca));
    let AreaError::Ambiguous { candidates, .. } = find_area("residence yasmine", &here()).unwrap_err() else {
        panic!()
    };
    assert_eq!(candidates[0].name, "Residence Yasmine, Casablanca, Casablanca-Settat, Morocco");
    assert_eq!(candidates.iter().map(|area| area.path.clone()).collect::<Vec<_>>(), [of(casablanca), of(AGADIR)]);
    assert_eq!(path("62100 chicago"), "us/il/cook/chicago/~62100");
    assert_eq!(path("62100"), "us/il/cook/chicago/~62100");
    for query in ["residence yasmine chicago", "residence yasmine nowhere", "yasmine", "agadir agadir 62100"] {
        assert!(find_area(query, &here()).is_err(), "{query}");
    }
}

#[test]
fn an_area_around_one_of_the_same_name_is_not_a_second_place() {
    assert_eq!(path("new york"), "us/ny/new-york/new-york");
    assert_eq!(path("new york county"), "us/ny/new-york");
    assert_eq!(path("new york state"), "us/ny");
}

#[test]
fn a_name_of_two_places_is_not_guessed() {
    let error = find_area("Springfield", &here()).unwrap_err();
    assert!(error.to_string().ends_with("say which: us/mo/greene/springfield, us/il/sangamon/springfield"), "{error}");
    let AreaError::Ambiguous { candidates, .. } = error else { panic!() };
    let named = |path: &str, name: &str, markets| NamedArea { path: path.into(), name: name.into(), markets };
    assert_eq!(
        candidates,
        [
            named("us/mo/greene/springfield", "Springfield, Greene County, Missouri, United States", 1),
            named("us/il/sangamon/springfield", "Springfield, Sangamon County, Illinois, United States", 2),
        ]
    );
    assert_eq!(found(&candidates[1].path).1, 2);
    assert_eq!(path("springfield, il"), candidates[1].path);
}

#[test]
fn an_unlikely_place_is_found_if_only_it_has_homes() {
    // One of thirty counties of that name, and not among the first twenty.
    let rare = markets(&["us/al/washington/chatom/36518:sale:USD"]);
    assert_eq!(find_area("washington county", &rare).unwrap().path, "us/al/washington");
}

#[test]
fn morocco_and_massachusetts_are_distinguished() {
    let AreaError::Ambiguous { candidates, .. } = find_area("ma", &here()).unwrap_err() else { panic!() };
    let mut paths: Vec<&str> = candidates.iter().map(|area| area.path.as_str()).collect();
    paths.sort_unstable();
    assert_eq!(paths, ["ma/", "us/ma"]);
    assert_eq!(found("ma/"), ("ma".into(), 6));
    assert_eq!(found("us/ma").1, 1);
    let only_boston = markets(&["us/ma/suffolk/boston/02108:sale:USD"]);
    assert_eq!(find_area("ma", &only_boston).unwrap().path, "us/ma");
    assert_eq!(find_area("ma/", &only_boston).unwrap_err().to_string(), "no home is watched in Morocco");
}

#[test]
fn a_purpose_or_a_whole_id_leaves_out_the_rest() {
    assert_eq!(found("haut founty:rent").1, 1);
    assert_eq!(found(&format!("{AGADIR}/haut-founty:sale:MAD")).1, 1);
    assert_eq!(found("agadir: SALE ").1, 3);
    assert_eq!(
        refused("98178:rent"),
        "no home for rent is watched in 98178, Seattle, King County, Washington, United States"
    );
    assert_eq!(
        refused("seattle:sale:eur"),
        "no home for sale in EUR is watched in Seattle, King County, Washington, United States"
    );
    assert_eq!(refused("98178:nonsense"), r#""nonsense" after the area is not sale, rent or a currency like USD"#);
}

#[test]
fn a_known_place_without_homes_is_reported_with_the_nearest_area() {
    for (query, message) in [
        (
            "austin tx",
            "no home is watched in Austin, Travis County, Texas, United States; the nearest with homes is United States: us/",
        ),
        (
            "98104",
            "no home is watched in 98104, Seattle, King County, Washington, United States; the nearest with homes is Seattle: us/wa/king/seattle",
        ),
        (
            "us/wa/king/seattle/98104",
            "no home is watched in 98104, Seattle, King County, Washington, United States; the nearest with homes is Seattle: us/wa/king/seattle",
        ),
        ("madrid", "no home is watched in Madrid, Comunidad de Madrid, Spain"),
    ] {
        assert_eq!(refused(query), message, "{query}");
    }
}

#[test]
fn several_places_without_homes_are_mentioned() {
    let markets = ["ma/fes-meknes/fes/fes/-:sale:MAD".parse().unwrap()];
    let message = find_area("springfield", &markets).unwrap_err().to_string();
    assert!(message.starts_with("no home is watched in Springfield, ") && message.contains(", nor in "), "{message}");
    assert!(message.ends_with(" other places of that name"), "{message}");
}

#[test]
fn an_unknown_area_is_reported_with_similar_names() {
    assert_eq!(refused("98179"), r#"there is no area "98179" here; did you mean 98178, 98103?"#);
    assert_eq!(refused("us/wa/kong"), r#"there is no area "us/wa/kong" here; did you mean us/wa/king?"#);
    assert_eq!(refused("seatle"), r#"there is no area "seatle" here; did you mean us/wa/king/seattle?"#);
    assert_eq!(
        refused("haut fonty"),
        format!(r#"there is no area "haut fonty" here; did you mean {AGADIR}/haut-founty?"#)
    );
    assert_eq!(refused("yasmine"), r#"there is no area "yasmine" here; did you mean residence-yasmine?"#);
    assert_eq!(refused("xyzzyxyzzy"), r#"there is no area "xyzzyxyzzy" here"#);
    for query in ["", "-", "/", "//", ":", "~", "~/~"] {
        assert!(find_area(query, &here()).is_err(), "{query:?}");
    }
    assert!(find_area("98178", &[]).is_err());
}

#[test]
fn an_area_has_the_same_name_for_every_query() {
    let name = |query: &str| find_area(query, &here()).unwrap().name;
    assert_eq!([name("us/wa/king"), name("king county")], ["King", "King"]);
    assert_eq!([name("us/"), name("usa"), name("us/wa"), name("Washington")], ["US", "US", "WA", "WA"]);
    assert_eq!([name("saint louis"), name("residence yasmine agadir")], ["St Louis", "Residence Yasmine"]);
}

#[test]
fn all_areas_that_a_text_may_mean_are_returned() {
    let paths = |text: &str| areas_called(text, &here()).into_iter().map(|area| area.path).collect::<Vec<_>>();
    assert_eq!(paths("springfield"), ["us/mo/greene/springfield", "us/il/sangamon/springfield"]);
    assert_eq!(paths("seattle"), ["us/wa/king/seattle"]);
    assert_eq!([paths("austin tx"), paths("st seattle"), paths("")], [[""; 0]; 3]);
}
