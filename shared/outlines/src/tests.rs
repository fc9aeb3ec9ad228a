use stoop_gazetteer::Gazetteer;

use super::*;

/// The start of the BLAKE3 hash of the data.
const HASH: &str = "0f8b12dac12da1cd";

#[test]
fn the_data_is_that_of_the_script() {
    let mut hash = blake3::Hasher::new();
    hash.update(PACKED);
    assert_eq!(&hash.finalize().to_hex()[..16], HASH);
    assert!(PACKED.len() < 500_000, "{} bytes", PACKED.len());
}

#[test]
fn every_outline_is_decoded_closed_and_inside_of_its_bounds() {
    let outlines = Outlines::get();
    assert_eq!(outlines.entries.len(), 3_515);
    for outline in &outlines.entries {
        let rings = outline.rings();
        assert!(!rings.is_empty(), "{}", outline.path);
        for ring in &rings {
            assert!(ring.len() >= 4 && ring.first() == ring.last(), "{}: {ring:?}", outline.path);
        }
        let found = Bounds::around(rings.into_iter().flatten()).unwrap();
        assert_eq!(found, outline.bounds, "{}", outline.path);
        assert!((-180.0..=180.0).contains(&found.west) && (-90.0..=90.0).contains(&found.south), "{}", outline.path);
    }
}

/// Whether a point lies in an odd number of rings.
fn holds(outline: Outline<'_>, latitude: f64, longitude: f64) -> bool {
    let crossed = |pair: &[(f64, f64)]| {
        let [(ax, ay), (bx, by)] = [pair[0], pair[1]];
        (ay > latitude) != (by > latitude) && longitude < (bx - ax) * (latitude - ay) / (by - ay) + ax
    };
    let rings = outline.rings();
    rings.iter().flat_map(|ring| ring.windows(2)).filter(|pair| crossed(pair)).count() % 2 == 1
}

#[test]
fn well_known_points_lie_in_their_places_only() {
    // City halls and the like: latitude, longitude, and the narrowest outline around them.
    for (latitude, longitude, path) in [
        (41.8838, -87.6319, "us/il/cook"),
        (30.2649, -97.7473, "us/tx/travis"),
        (47.6038, -122.3301, "us/wa/king"),
        (38.6270, -90.1994, "us/mo/st-louis-city"),
        (38.6640, -90.4200, "us/mo/st-louis"),
        (39.2904, -76.6122, "us/md/baltimore-city"),
        (41.7637, -72.6851, "us/ct/hartford"),
        (48.2108, 16.3575, "at"),
        (33.5731, -7.5898, "ma"),
        (45.4642, 9.1900, "it"),
        (-33.8688, 151.2093, "au"),
    ] {
        let around =
            Outlines::get().within(Bounds { west: longitude, south: latitude, east: longitude, north: latitude });
        let mut holding: Vec<&str> =
            around.filter(|outline| holds(*outline, latitude, longitude)).map(|outline| outline.path).collect();
        holding.sort_by_key(|path| path.len());
        let expected: Vec<&str> = path.match_indices('/').map(|(at, _)| &path[..at]).chain([path]).collect();
        assert_eq!(holding, expected);
    }
}

#[test]
fn paths_are_those_of_the_gazetteer() {
    let gazetteer = Gazetteer::get();
    let outlines = Outlines::get();
    let strange: Vec<&str> = outlines
        .entries
        .iter()
        .map(|outline| outline.path)
        .filter(|path| !path.contains("/-") && *path != NO_COUNTRY && gazetteer.name(path).is_none())
        .collect();
    assert!(strange.is_empty(), "{strange:?}");
    let is_county = |path: &String| path.starts_with("us/") && path.split('/').count() == 3;
    let paths = gazetteer.paths().map(|path| path.trim_end_matches("/-").to_owned());
    let missing: Vec<String> = paths.filter(is_county).filter(|path| outlines.of(path).is_none()).collect();
    assert_eq!(missing, ["us/ak/chugach", "us/ak/copper-river", "us/va/falls-church"]);
    assert!(outlines.of("us/il/nowhere").is_none() && outlines.of("").is_none());
}

#[test]
fn damaged_data_has_no_outlines() {
    for length in [0, 3, 4, 100, PACKED.len() - 1] {
        assert!(Outlines::read(&PACKED[..length]).is_none(), "{length}");
    }
}
