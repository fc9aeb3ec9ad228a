//! Finds the area of a row with the gazetteer.

use stoop_gazetteer::{AddressParts, Contradiction, Gazetteer, Level, Located, NameOrigin};

use super::map::AreaKey;

/// The words of a row for its area, wide to narrow, without the country that the map gives.
pub(super) type Words<'r> = [(AreaKey, &'r str)];

/// The path of the area that the words name, without unknown levels at its end, or why there is none. Without words,
/// the country is the area.
pub(super) fn place(country: Option<&str>, words: &Words<'_>) -> Result<String, String> {
    let mut parts = AddressParts { country, ..AddressParts::default() };
    let (narrowest, word) = words.last().copied().unwrap_or((AreaKey::Country, country.unwrap_or_default()));
    if word.trim().is_empty() {
        return Err(format!("the {} is empty", narrowest.words()));
    }
    for (key, word) in words {
        match key {
            AreaKey::Path => return by_path(word.trim()),
            AreaKey::Country => parts.country = Some(word),
            AreaKey::Region => parts.region = Some(word),
            AreaKey::County => parts.county = Some(word),
            AreaKey::City => parts.city = Some(word),
            AreaKey::Neighbourhood => parts.neighbourhood = Some(word),
            AreaKey::PostalCode => parts.postal_code = Some(word),
        }
    }
    let located = Gazetteer::get().locate(&parts);
    if let Some(Contradiction { level, reported, taken }) = located.contradictions.first() {
        return Err(format!("{word:?} is in the {level} {taken}, not in {reported}"));
    }
    known(&located, narrowest).ok_or_else(|| match &located.levels[0] {
        Some(country) if country.origin == NameOrigin::Gazetteer => {
            format!("no {} of {} is called {word:?}, or several are", narrowest.words(), country.name)
        }
        _ => format!("no country is called {:?}", parts.country.unwrap_or_default()),
    })
}

fn by_path(path: &str) -> Result<String, String> {
    let path = path.trim_end_matches('/').trim_end_matches("/-");
    let known = Gazetteer::get().name(path).map(|_| path.to_owned());
    known.ok_or_else(|| format!("no place has the path {path:?}"))
}

/// The path, if the gazetteer knows the named level and all above it.
fn known(located: &Located<'_>, narrowest: AreaKey) -> Option<String> {
    let level = match narrowest {
        AreaKey::Path | AreaKey::Country => Level::Country,
        AreaKey::Region => Level::Region,
        AreaKey::County => Level::County,
        AreaKey::City => Level::City,
        AreaKey::Neighbourhood | AreaKey::PostalCode => Level::Area,
    };
    let (above, below) = located.levels.split_at(level as usize + 1);
    let is_known = above.last().is_some_and(Option::is_some)
        && above.iter().flatten().all(|name| name.origin == NameOrigin::Gazetteer)
        && below.iter().all(Option::is_none);
    Some(located.path()?.trim_end_matches("/-").to_owned()).filter(|_| is_known)
}
