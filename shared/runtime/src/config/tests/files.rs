//! Searches of files.

use super::*;

/// A map that only reads files.
const FILES_MAP: &str = "name = 'mls'\ncountry = 'US'\ncurrency = 'USD'\npurpose = 'sale'\n[fields]\n\
                         native_id = { from = 'id' }\nlist_price = { from = 'price' }\ncity = { from = 'city' }\n";

fn files_stack() -> Fetched {
    Fetched::files([("maps/x.toml".to_owned(), MAP.to_owned()), ("maps/mls.toml".to_owned(), FILES_MAP.to_owned())])
}

#[test]
fn a_search_of_files_has_a_map_and_a_pattern() {
    let text = "[[search]]\nname = 'mls'\nsource = 'maps/mls.toml'\nfiles = 'exports/*.zip'\nevery = '15m'\n\
                [[search]]\nname = 'all'\nsource = 'maps/x.toml'\nfiles = 'all/'\ncoverage = 'snapshot'\n\
                [[search]]\nname = 'off'\nsource = 'maps/mls.toml'\nfiles = 'off/'\nenabled = false\n";
    let config = on_aws(text, &files_stack()).unwrap();
    let sets: Vec<_> = config
        .searches
        .iter()
        .map(|SearchConfig { search, every_ms, .. }| match &search.source {
            Origin::Files(set) => (search.source.name(), set.pattern.as_str(), set.coverage, *every_ms),
            Origin::Http(_) => panic!("{} reads files", search.name),
        })
        .collect();
    use stoop_sources::Coverage::{Changes, Snapshot};
    assert_eq!(sets[0], ("mls", "exports/*.zip", Changes, 900_000));
    assert_eq!((sets[1].1, sets[1].2), ("all/", Snapshot), "a map with [http] can read files as well");
    assert_eq!((sets.len(), config.switched_off), (2, vec!["off".to_owned()]));
    assert_eq!(wanted(text, Wanting::Search("mls")).files, ["maps/mls.toml"]);
    assert_eq!(parse_plan(text, "config/stoop.toml", &files_stack()).unwrap().searches.len(), 2);
    assert!(parse_search(text, "config/stoop.toml", "mls", &files_stack()).unwrap().is_some());
}

#[test]
fn keys_that_do_not_go_with_files_are_reported() {
    let message = on_aws(
        "[[search]]\nname = 'a'\nsource = 'zillow'\nfiles = 'in/'\n\
         [[search]]\nname = 'b'\nsource = 'maps/mls.toml'\n\
         [[search]]\nname = 'c'\nsource = 'maps/mls.toml'\nfiles = 'in//x'\ncoverage = 'all'\n\
         [[search]]\nname = 'd'\nsource = 'maps/mls.toml'\nfiles = 's3://other/in/'\n\
         [[search]]\nname = 'e'\nsource = 'maps/mls.toml'\nfiles = 'in/'\nparams = { a = 1 }\nfull_scan_every = '1d'\nlimits = '1/s'\n\
         [[search]]\nname = 'f'\nsource = 'avito'\nenabled = true\ncoverage = 'snapshot'\n\
         [[search]]\nname = 'g'\nsource = 'maps/nowhere.toml'\nfiles = '../in/'\n",
        &files_stack(),
    );
    contains(
        &message.err().expect("refused"),
        &[
            ":3: search[0].source: \"zillow\" reads no files; accepted with `files`: the path of a map",
            "the map maps/mls.toml has no [http]: it reads files; accepted: `files`, such as files = \"exports/\"",
            "\"in//x\" is not a path of files; accepted: a folder (exports/), a file (exports/all.csv)",
            "\"all\" is not a coverage; accepted: \"changes\"",
            "\"s3://other/in/\" is not a path of files; accepted: a folder",
            "params: does not go with `files`: files take no parameters",
            "full_scan_every: does not go with `files`",
            "limits: does not go with `files`: reading files has no limits",
            "says what each of a search's files holds; accepted with `files` only",
            "\"../in/\" leads out of files/ in the data bucket",
        ],
    );
    let text = "[[search]]\nname = 'a'\nsource = 'm.toml'\nfiles = '../in/'\n";
    let message = refused(text);
    assert!(
        message.contains("cannot be read") && !message.contains("leads out"),
        "the laptop may read any path: {message}"
    );
}
