//! Compares the number of places and their time zones with known values.

use std::collections::BTreeMap;

use stoop_gazetteer::{AddressParts, Gazetteer};

/// Counties and equivalents by state, as counted by the Census Bureau until 2022, and the first three digits of the
/// state's ZIPs, as assigned by the Postal Service.
const STATES: &str = "al 67 350-369|ak 30 995-999|az 15 850-865|ar 75 716-729|ca 58 900-961|co 64 800-816|ct 8 060-069|de 3 197-199|\
    dc 1 200-205,569|fl 67 320-349|ga 159 300-319,398-399|hi 5 967-968|id 44 832-838|il 102 600-629|in 92 460-479|ia 99 500-528|\
    ks 105 660-679|ky 120 400-427|la 64 700-714|me 16 039-049|md 24 206-219|ma 14 010-027,055|mi 83 480-499|mn 87 550-567|\
    ms 82 386-397|mo 115 630-658|mt 56 590-599|ne 93 680-693|nv 17 889-898|nh 10 030-038|nj 21 070-089|nm 33 870-884|\
    ny 62 005,063,100-149|nc 100 270-289|nd 53 580-588|oh 88 430-459|ok 77 730-731,734-749|or 36 970-979|pa 67 150-196|ri 5 028-029|\
    sc 46 290-299|sd 66 570-577|tn 95 370-385|tx 254 733,750-799,885|ut 29 840-847|vt 14 050-054,056-059|va 133 201,220-246|\
    wa 39 980-994|wv 55 247-268|wi 72 530-549|wy 23 820-831,834";

fn paths() -> Vec<[String; 5]> {
    let split = |path: String| {
        let mut slugs = path.split('/').map(str::to_owned);
        std::array::from_fn(|_| slugs.next().unwrap_or_default())
    };
    Gazetteer::get().paths().map(split).collect()
}

/// The number of places of a level (0: country) in `country`.
fn count(paths: &[[String; 5]], country: &str, level: usize) -> usize {
    let at_level = |path: &&[String; 5]| path[level] != "-" && path[level + 1..].iter().all(|slug| slug == "-");
    paths.iter().filter(at_level).filter(|path| path[0] == country).count()
}

#[test]
fn each_state_has_the_counties_of_the_census() {
    let paths = paths();
    let mut wrong = Vec::new();
    for state in STATES.split('|') {
        let [code, counties, _] = state.split(' ').collect::<Vec<_>>().try_into().unwrap();
        let found =
            paths.iter().filter(|path| path[0] == "us" && path[1] == code && path[2] != "-" && path[3] == "-").count();
        let found = found
            - paths.iter().filter(|path| path[1] == code && path[2] != "-" && path[3] == "-" && path[4] != "-").count();
        if found.to_string() != counties {
            wrong.push(format!("{code}: {found} and not {counties}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!(count(&paths, "us", 1), 50 + 1 + 5, "states, the District of Columbia, territories");
}

#[test]
fn every_zip_lies_in_the_state_of_its_first_digits() {
    let mut prefixes: BTreeMap<u32, Vec<&str>> = BTreeMap::new();
    for state in STATES.split('|') {
        let [code, _, ranges] = state.split(' ').collect::<Vec<_>>().try_into().unwrap();
        for range in ranges.split(',') {
            let (first, last) = range.split_once('-').unwrap_or((range, range));
            for prefix in first.parse().unwrap()..=last.parse().unwrap() {
                prefixes.entry(prefix).or_default().push(code);
            }
        }
    }
    let zips: Vec<_> = paths().into_iter().filter(|path| path[0] == "us" && path[4] != "-").collect();
    let strange: Vec<String> = zips
        .iter()
        .filter(|path| path[1] != "pr")
        .filter(|path| {
            !prefixes.get(&path[4][..3].parse().unwrap()).is_some_and(|states| states.contains(&path[1].as_str()))
        })
        .map(|path| path.join("/"))
        .collect();
    assert!((40_500..42_500).contains(&zips.len()), "the Postal Service has about 41,600 ZIPs; found {}", zips.len());
    // The mail of some places comes from across a border.
    assert!(strange.len() <= 20, "{}: {strange:#?}", strange.len());
}

#[test]
fn countries_have_their_regions() {
    let paths = paths();
    for (country, regions) in [
        ("ca", 13),
        ("mx", 32),
        ("ma", 12),
        ("at", 9),
        ("de", 16),
        ("fr", 13),
        ("es", 19),
        ("pt", 20),
        ("it", 20),
        ("gb", 4),
        ("au", 8),
    ] {
        assert_eq!(count(&paths, country, 1), regions, "{country}");
    }
    assert_eq!(count(&paths, "ma", 2), 75, "provinces and prefectures");
    assert!((1_490..=1_503).contains(&count(&paths, "ma", 3)), "communes, of which a few share province and name");
    let districts: Vec<_> =
        paths.iter().filter(|path| path[3] == "wien" && path[4] != "-").map(|path| path[4].as_str()).collect();
    let codes: Vec<String> = (1..=23).map(|district| format!("1{district:02}0")).collect();
    assert_eq!(districts, codes);
    let countries = paths.iter().filter(|path| path[1..].iter().all(|slug| slug == "-")).count();
    assert!(
        (240..=250).contains(&countries),
        "ISO 3166-1 has 249, five of them are territories of the United States: {countries}"
    );
}

#[test]
fn zones_are_those_in_use() {
    for (place, zone) in [
        ("us/tx/el-paso/-/-", "America/Denver"),
        ("us/tx/travis/austin/78704", "America/Chicago"),
        ("us/fl/escambia/pensacola/-", "America/Chicago"),
        ("us/fl/miami-dade/miami/-", "America/New_York"),
        ("us/tn/knox/knoxville/-", "America/New_York"),
        ("us/tn/shelby/memphis/-", "America/Chicago"),
        ("us/or/malheur/-/-", "America/Boise"),
        ("us/or/multnomah/portland/-", "America/Los_Angeles"),
        ("us/id/kootenai/coeur-dalene/-", "America/Los_Angeles"),
        ("us/id/ada/boise/-", "America/Boise"),
        ("us/az/maricopa/phoenix/-", "America/Phoenix"),
        ("us/mi/wayne/detroit/-", "America/Detroit"),
        ("us/mi/gogebic/-/-", "America/Menominee"),
        ("us/in/lake/gary/-", "America/Chicago"),
        ("us/in/marion/indianapolis/-", "America/Indiana/Indianapolis"),
        ("us/sd/pennington/rapid-city/-", "America/Denver"),
        ("us/hi/honolulu/honolulu/-", "Pacific/Honolulu"),
        ("us/pr/-/-/-", "America/Puerto_Rico"),
        ("ca/bc/-/-/-", "America/Vancouver"),
        ("ca/nl/-/-/-", "America/St_Johns"),
        ("ca/sk/-/-/-", "America/Regina"),
        ("au/qld/-/-/-", "Australia/Brisbane"),
        ("au/wa/-/-/-", "Australia/Perth"),
        ("mx/quintana-roo/-/-/-", "America/Cancun"),
        ("mx/sonora/-/-/-", "America/Hermosillo"),
        ("pt/acores/-/-/-", "Atlantic/Azores"),
        ("es/canarias/-/-/-", "Atlantic/Canary"),
        ("ma/casablanca-settat/casablanca/casablanca/maarif", "Africa/Casablanca"),
        ("at/wien/wien/wien/1070", "Europe/Vienna"),
        ("de/-/-/-/-", "Europe/Berlin"),
    ] {
        assert_eq!(Gazetteer::get().zone(place), Some(zone), "{place}");
    }
}

#[test]
fn a_centroid_is_in_millionths_of_a_degree() {
    let words = AddressParts { country: Some("us"), postal_code: Some("98101"), ..AddressParts::default() };
    let (north, east) = Gazetteer::get().locate(&words).centroid_e6.unwrap();
    // The middle of Seattle: 47.61 north, 122.33 west.
    assert!(
        (47_600_000..47_620_000).contains(&north) && (-122_345_000..-122_320_000).contains(&east),
        "{north} {east}"
    );
}
