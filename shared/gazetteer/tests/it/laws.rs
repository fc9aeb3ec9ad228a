//! Properties of every place and any text.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use stoop_gazetteer::{AddressParts, FOUND_MAX, Gazetteer, NameOrigin};

/// The words of a path: its slugs, without `-`.
fn words(path: &str) -> AddressParts<'_> {
    let mut slugs = path.split('/').map(|slug| Some(slug).filter(|slug| *slug != "-"));
    let mut next = || slugs.next().unwrap_or_default();
    let [country, region, county, city, area] = std::array::from_fn(|_| next());
    let is_code = area.is_some_and(|area| area.len() == 5 && area.bytes().all(|byte| byte.is_ascii_digit()));
    let (postal_code, neighbourhood) = if is_code { (area, None) } else { (None, area) };
    AddressParts { country, region, county, city, neighbourhood, postal_code }
}

#[test]
fn locating_the_words_of_a_path_gives_the_path() {
    let mut wrong = Vec::new();
    for path in Gazetteer::get().paths() {
        let located = Gazetteer::get().locate(&words(&path));
        if located.path().as_deref() != Some(path.as_str()) || !located.contradictions.is_empty() {
            wrong.push(format!("{path}: {:?} {:?}", located.path(), located.contradictions));
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong[..wrong.len().min(40)].join("\n"));
}

#[test]
fn a_zip_determines_all_levels_and_has_one_parent() {
    let mut parents: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for path in Gazetteer::get().paths().filter(|path| path.starts_with("us/")) {
        let (parent, code) = path.rsplit_once('/').unwrap();
        if code != "-" && code.bytes().all(|byte| byte.is_ascii_digit()) {
            parents.entry(code.to_owned()).or_default().insert(parent.to_owned());
        }
    }
    for (code, parents) in parents {
        assert_eq!(parents.len(), 1, "{code}: {parents:?}");
        let parts = AddressParts { country: Some("US"), postal_code: Some(&code), ..AddressParts::default() };
        let located = Gazetteer::get().locate(&parts);
        assert!(
            located.levels.iter().all(|name| name.as_ref().is_some_and(|name| name.origin == NameOrigin::Gazetteer)),
            "{code}"
        );
        assert_eq!(located.path().unwrap(), format!("{}/{code}", parents.first().unwrap()));
        assert!(located.zone.is_some());
    }
}

#[test]
fn paths_nest_and_are_unique() {
    let mut seen = BTreeSet::new();
    for path in Gazetteer::get().paths() {
        let slugs: Vec<&str> = path.split('/').collect();
        assert_eq!(slugs.len(), 5, "{path}");
        assert!(slugs.iter().all(|slug| !slug.is_empty()), "{path}");
        let narrowest = slugs.iter().rposition(|slug| *slug != "-").unwrap();
        let around = (1..=narrowest).rev().map(|level| {
            let mut wider = slugs.clone();
            wider[level..].fill("-");
            wider.join("/")
        });
        for wider in around {
            assert!(seen.contains(&wider), "{path} is listed before {wider}");
        }
        assert!(seen.insert(path.clone()), "{path} is listed twice");
    }
}

proptest! {
    #[test]
    fn any_text_can_be_searched(text in "\\PC{0,40}") {
        let found = Gazetteer::get().find(&text);
        prop_assert!(found.len() <= FOUND_MAX);
        prop_assert!(found.is_sorted_by_key(|found| found.edits));
    }

    #[test]
    fn any_words_can_be_located(
        parts in proptest::array::uniform6(proptest::option::of("\\PC{0,12}|US|WA|Seattle|King|98178|ma|Casablanca"))
    ) {
        let [country, region, county, city, neighbourhood, postal_code] = parts.each_ref().map(Option::as_deref);
        let parts = AddressParts { country, region, county, city, neighbourhood, postal_code };
        let located = Gazetteer::get().locate(&parts);
        if let Some(path) = located.path() {
            prop_assert_eq!(path.split('/').count(), 5);
            // Its own words find it again, except for a quarter that looks like a postal code.
            let has_code = postal_code.is_some_and(|code| code.contains(char::is_numeric));
            if has_code || words(&path).postal_code.is_none() {
                let again = Gazetteer::get().locate(&words(&path)).path();
                prop_assert_eq!(again, Some(path));
            }
        }
    }

    #[test]
    fn a_name_with_one_wrong_letter_is_still_found(pick in 0_usize..20, at in 1_usize..5) {
        let cities = [
            "Seattle", "Chicago", "Houston", "Philadelphia", "Casablanca", "Marrakech", "Innsbruck", "Salzburg", "Barcelona",
            "Toulouse", "Düsseldorf", "Stuttgart", "Melbourne", "Brisbane", "Vancouver", "Edmonton", "Monterrey", "Birmingham",
            "Minneapolis", "Albuquerque",
        ];
        let mut letters: Vec<char> = cities[pick].chars().collect();
        letters[at] = 'x';
        let text: String = letters.into_iter().collect();
        let found = Gazetteer::get().find(&text);
        prop_assert!(found.iter().any(|found| found.name.starts_with(cities[pick])), "{text}: {found:?}");
        prop_assert!(found[0].edits > 0);
    }
}
