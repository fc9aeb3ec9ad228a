//! Properties for every text, and the results of a thousand texts.

use std::collections::BTreeSet;

use proptest::prelude::*;

use stoop_domain::lies_in;

use super::*;

/// What people write, and the path of the place they mean: the gazetteer's own table.
fn searches() -> Vec<(&'static str, &'static str)> {
    let table = include_str!("../../../gazetteer/tests/searches.tsv");
    table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once('\t').unwrap()).collect()
}

/// A market in each of the areas.
fn markets_of<'p>(paths: impl IntoIterator<Item = &'p str>) -> Vec<Market> {
    let paths: BTreeSet<&str> = paths.into_iter().collect();
    paths.into_iter().map(|path| format!("{path}:sale:USD").parse().unwrap()).collect()
}

/// If every place of the table has a market, each of its texts, in three spellings, finds its own place or suggests it
/// first.
#[test]
fn more_than_a_thousand_texts_find_what_they_mean() {
    let searches = searches();
    let markets = markets_of(searches.iter().map(|(_, path)| *path));
    let (mut wrong, mut tried) = (Vec::new(), 0);
    for (text, path) in &searches {
        for text in [(*text).to_owned(), text.to_uppercase(), format!("  {} ", text.replace(',', "").to_lowercase())] {
            tried += 1;
            let found = match find_area(&text, &markets) {
                Ok(found) => found.path,
                Err(AreaError::Ambiguous { candidates, .. }) => candidates[0].path.trim_end_matches('/').to_owned(),
                Err(error) => error.to_string(),
            };
            if found != trimmed(path) {
                wrong.push(format!("{text}: {found} instead of {path}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {tried}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(tried > 2_500, "{tried}");
}

/// If only that place has a market, there is nothing to choose from.
#[test]
fn if_one_place_has_a_market_its_names_find_it() {
    for (text, path) in searches() {
        let found = find_area(text, &markets_of([path])).map(|found| found.path);
        assert_eq!(found.as_deref(), Ok(trimmed(path)), "{text}");
    }
}

/// Paths of places: known to some level of the gazetteer, then with a source's own names or unknown.
fn area() -> impl Strategy<Value = String> {
    let known = prop_oneof![
        Just("us/wa/king/seattle/98178"),
        Just("us/wa/king/seattle/98103"),
        Just("us/ma/suffolk/boston/02108"),
        Just("us/ny/new-york/new-york/10001"),
        Just("ma/casablanca-settat/casablanca/casablanca/maarif"),
    ];
    let reported = prop_oneof![2 => Just("-".to_owned()), 2 => "~[a-c](-[a-c]){0,2}", 1 => "~(king|seattle|ma|wa|casablanca|98178)"];
    (known, 0..=LEVELS, proptest::array::uniform5(reported)).prop_filter_map(
        "a path without a name",
        |(known, to, reported)| {
            let known = known.split('/').take(to);
            let path: Vec<&str> = known.chain(reported[to..].iter().map(String::as_str)).collect();
            path.iter().any(|slug| *slug != "-").then(|| path.join("/"))
        },
    )
}

fn some_markets() -> impl Strategy<Value = Vec<Market>> {
    let market =
        (area(), "sale|rent", "USD|MAD").prop_map(|(area, purpose, currency)| format!("{area}:{purpose}:{currency}"));
    proptest::collection::vec(market.prop_map(|id| id.parse().unwrap()), 0..12)
}

fn some_text() -> impl Strategy<Value = String> {
    prop_oneof![
        "\\PC{0,40}",
        "((us|USA|ma|Maroc|wa|Washington|~?king|King County|seattle|98178|a|b|a-b|c|-|~)[ ,/]{0,2}){0,7}(:(sale|RENT|usd|x)){0,2}",
    ]
}

proptest! {
    #[test]
    fn found_markets_are_within_the_returned_path(text in some_text(), markets in some_markets()) {
        match find_area(&text, &markets) {
            Ok(FoundArea { path, markets: found, .. }) => {
                prop_assert!(!found.is_empty() && found.is_sorted());
                prop_assert!(found.iter().all(|market| lies_in(market.area.as_str(), &path) && markets.contains(market)));
                if !text.contains(':') {
                    let all: BTreeSet<&Market> = markets.iter().filter(|market| lies_in(market.area.as_str(), &path)).collect();
                    let found: BTreeSet<&Market> = found.iter().collect();
                    prop_assert_eq!(found, all);
                    let called = areas_called(&text, &markets);
                    prop_assert_eq!(called.iter().map(|area| &area.path).collect::<Vec<_>>(), [&path]);
                }
            }
            Err(AreaError::Ambiguous { candidates, .. }) => {
                prop_assert!(candidates.len() > 1);
                for area in candidates {
                    let found = find_area(&area.path, &markets).unwrap();
                    prop_assert_eq!(found.path, area.path.trim_end_matches('/'));
                }
            }
            Err(AreaError::NotWatched { nearest: Some(area), .. }) => prop_assert!(find_area(&area.path, &markets).is_ok()),
            Err(_) => {}
        }
    }

    #[test]
    fn every_market_and_every_beginning_of_its_path_finds_itself(markets in some_markets()) {
        for market in &markets {
            let found = find_area(&market.to_string(), &markets).unwrap();
            prop_assert!(found.markets.iter().all(|found| found == market) && !found.markets.is_empty());
            for levels in 1..=LEVELS {
                let path = here::beginning(market.area.as_str(), levels);
                let found = find_area(&format!("{path}/"), &markets).unwrap();
                prop_assert_eq!(&found.path, path);
                let count = markets.iter().filter(|market| lies_in(market.area.as_str(), path)).count();
                prop_assert_eq!(found.markets.len(), count);
            }
        }
    }

    /// Every suggestion finds something, if not always a single area.
    #[test]
    fn suggestions_exist(text in some_text(), markets in some_markets()) {
        if let Err(AreaError::NoSuchArea { nearest, .. }) = find_area(text.split(':').next().unwrap(), &markets) {
            for name in nearest {
                prop_assert!(matches!(find_area(&name, &markets), Ok(_) | Err(AreaError::Ambiguous { .. })), "{name}");
            }
        }
    }
}
