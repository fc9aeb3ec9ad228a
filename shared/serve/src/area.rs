//! Finds the area that a person's text means. `docs/PLACES.md` has the rules.

mod by_name;
mod by_path;
mod here;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

use serde::Serialize;
use stoop_domain::{AreaPath, Country, Currency, Market, Purpose, country};
use stoop_gazetteer::{FROM_SOURCE, Gazetteer, slug};

use super::nearest::Nearest;
use here::Here;
pub(super) use here::wider;

/// The area that a query means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundArea {
    /// Its path down to the requested level, `us/wa/king`. Finds the same area again; a country's may need a `/`.
    pub path: String,
    /// Its narrowest name, from the path alone, so that an area has the same name for every query.
    pub name: String,
    /// Its markets, in order.
    pub markets: Vec<Market>,
}

/// An area to choose from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NamedArea {
    /// The query that finds it: `us/wa/king`, a country as `us/`.
    pub path: String,
    /// Its names, narrow to wide: `King County, Washington, United States`.
    pub name: String,
    /// How many markets it has.
    pub markets: usize,
}

/// Why a query finds no area.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    /// Nothing has this name.
    #[error("there is no area {query:?} here{}", did_you_mean(.nearest))]
    NoSuchArea {
        /// The query.
        query: String,
        /// Similar names, likeliest first. Each finds something.
        nearest: Vec<String>,
    },
    /// The place exists, but has no observed home.
    #[error("no home{terms} is watched in {name}{}{}", others_of_name(*.others), nearest_with_homes(.nearest.as_ref()))]
    NotWatched {
        /// Its names, narrow to wide; if several places share the name, those of the likeliest.
        name: String,
        /// How many other places with at least a tenth of its people may be meant; none of them has homes here either.
        others: usize,
        /// Further conditions on the homes: ` for rent`; empty if there are none.
        terms: String,
        /// The narrowest area around it with homes.
        nearest: Option<NamedArea>,
    },
    /// Several places share this name.
    #[error("{query:?} is the name of several areas; say which: {}", first_paths(.candidates))]
    Ambiguous {
        /// The query.
        query: String,
        /// All of them, likeliest first.
        candidates: Vec<NamedArea>,
    },
    /// The text after a colon is not a valid condition.
    #[error("{term:?} after the area is not sale, rent or a currency like USD")]
    NoSuchTerm {
        /// That text.
        term: String,
    },
}

/// The meaning of a text.
enum Meaning {
    /// These areas, likeliest first; none is inside another.
    Here(Vec<String>),
    /// A place of the gazetteer without homes here, the likeliest of several; and how many others may be meant.
    Elsewhere(String, usize),
    Nothing,
}

const UNKNOWN: &str = "-";
const LEVELS: usize = 5;
/// Similar names to suggest.
const NEAREST_MAX: usize = 5;
/// Paths in a message; the error has all.
const PATHS_SHOWN_MAX: usize = 20;

/// Finds the area that a query means: a path from the country on (`us/wa/king`; a country alone as `us/`) or names in
/// any order (`98178`, `king county`, `austin tx`, `Haut Founty`), spelled in any way. A suffix `:sale`, `:rent` or a
/// currency leaves out other markets, so that a market's ID finds it.
///
/// A path that markets have is found as written. Otherwise, and by name, the gazetteer says which places may be meant,
/// and those with markets count; areas that only a source knows are found by their own names. Of nested areas the
/// likeliest is taken: `new york` means the city.
///
/// # Errors
///
/// Nothing has this name, no home is observed there, or several places share the name.
pub fn find_area(query: &str, markets: &[Market]) -> Result<FoundArea, AreaError> {
    let query = query.trim();
    let mut parts = query.split(':').map(str::trim);
    let area = parts.next().unwrap_or("");
    let terms = parts.map(Term::parse).collect::<Result<Vec<Term>, AreaError>>()?;
    let here = Here::of(markets.iter().filter(|market| terms.iter().all(|term| term.is_of(market))));
    match meaning(area, &here) {
        Meaning::Here(paths) if paths.len() == 1 => Ok(FoundArea::of(&paths[0], &here)),
        Meaning::Here(paths) => {
            let candidates = paths.iter().map(|path| NamedArea::of(path, &here)).collect();
            Err(AreaError::Ambiguous { query: query.to_owned(), candidates })
        }
        Meaning::Elsewhere(path, others) => Err(not_watched(&path, others, &terms, &here)),
        Meaning::Nothing => Err(AreaError::NoSuchArea { query: query.to_owned(), nearest: nearest(area, &here) }),
    }
}

/// All areas that a text may mean, likeliest first, none inside another; empty if [`find_area`] finds nothing.
#[must_use]
pub fn areas_called(text: &str, markets: &[Market]) -> Vec<FoundArea> {
    let here = Here::of(markets.iter());
    match meaning(text, &here) {
        Meaning::Here(paths) => paths.iter().map(|path| FoundArea::of(path, &here)).collect(),
        Meaning::Elsewhere(..) | Meaning::Nothing => Vec::new(),
    }
}

fn meaning(area: &str, here: &Here<'_>) -> Meaning {
    let area = area.trim();
    let by_path = if area.contains('/') { by_path::by_path(area, here) } else { None };
    by_path.unwrap_or_else(|| by_name::by_name(area, here))
}

/// The conditions after a colon.
#[derive(Clone, Copy)]
enum Term {
    For(Purpose),
    In(Currency),
}

impl Term {
    fn parse(term: &str) -> Result<Self, AreaError> {
        match term.to_ascii_lowercase().as_str() {
            "sale" => Ok(Self::For(Purpose::Sale)),
            "rent" => Ok(Self::For(Purpose::Rent)),
            _ => Currency::parse(term).map(Self::In).map_err(|_| AreaError::NoSuchTerm { term: term.to_owned() }),
        }
    }

    fn is_of(self, market: &Market) -> bool {
        match self {
            Self::For(purpose) => market.purpose == purpose,
            Self::In(currency) => market.currency == currency,
        }
    }

    fn words(self) -> String {
        match self {
            Self::For(purpose) => format!(" for {}", purpose.as_str()),
            Self::In(currency) => format!(" in {currency}"),
        }
    }
}

impl FoundArea {
    fn of(path: &str, here: &Here<'_>) -> Self {
        let mut markets: Vec<Market> = here.within(path).iter().map(|market| (*market).clone()).collect();
        markets.sort_unstable();
        Self { path: path.to_owned(), name: area_name(path), markets }
    }

    /// The zone, currency and unit of the area's country (and region).
    #[must_use]
    pub fn country(&self) -> Country {
        country(&self.path)
    }
}

impl NamedArea {
    fn of(path: &str, here: &Here<'_>) -> Self {
        // A country alone is a path only with its `/`.
        let asked = if path.contains('/') { path.to_owned() } else { format!("{path}/") };
        Self { path: asked, name: full_name(path), markets: here.within(path).len() }
    }
}

/// The narrowest known name of an area's path, in words; codes of countries and regions in capitals: `TX`, `Travis`.
/// Uses only the path.
#[must_use]
pub fn area_name(path: &str) -> String {
    let narrowest = path.rsplit('/').find(|slug| *slug != UNKNOWN).unwrap_or(UNKNOWN);
    let name = own_name(narrowest);
    let is_code = path.split('/').count() <= 2 && name.len() <= 3;
    if is_code { name.to_uppercase() } else { name }
}

/// A slug in words; empty for none.
fn own_name(slug: &str) -> String {
    AreaPath::of([None, None, None, None, Some(slug)]).map(|area| area.name()).unwrap_or_default()
}

/// The names of an area, narrow to wide, the gazetteer's if it knows them: `King County, Washington, United States`.
#[must_use]
pub fn full_name(path: &str) -> String {
    let mut names = Vec::new();
    for path in std::iter::once(path).chain(wider(path)) {
        if let Some(known) = Gazetteer::get().full_name(path) {
            names.push(known);
            break;
        }
        let own = path.rsplit('/').next().map(own_name).unwrap_or_default();
        names.extend(Some(own).filter(|own| !own.is_empty()));
    }
    names.join(", ")
}

fn not_watched(place: &str, others: usize, terms: &[Term], here: &Here<'_>) -> AreaError {
    let around = wider(place).find(|path| !here.within(path).is_empty());
    AreaError::NotWatched {
        name: full_name(place),
        others,
        terms: terms.iter().map(|term| term.words()).collect(),
        nearest: around.map(|path| NamedArea::of(path, here)),
    }
}

/// What is most similar to the query: places of the gazetteer with a similar name, then names here (for a path: paths
/// with the same number of levels).
fn nearest(area: &str, here: &Here<'_>) -> Vec<String> {
    let places = Gazetteer::get().find(area).into_iter().map(|found| trimmed(&found.path).to_owned());
    let mut names: Vec<String> = places.filter(|path| !here.within(path).is_empty()).collect();
    let wanted: Vec<String> = area.split('/').map(level_slug).collect();
    let depth = wanted.len().min(LEVELS);
    let mut nearest = Nearest::to(&wanted.join("/"));
    if depth > 1 {
        let paths: BTreeSet<&str> = here.areas().map(|area| here::beginning(area, depth)).collect();
        paths.into_iter().for_each(|path| nearest.offer_as(&path.replace(FROM_SOURCE, ""), path));
    } else {
        let slugs: BTreeSet<&str> = here.areas().flat_map(|area| area.split('/')).collect();
        let slugs = slugs.into_iter().filter(|slug| *slug != UNKNOWN).map(|slug| slug.trim_start_matches(FROM_SOURCE));
        slugs.for_each(|slug| nearest.offer(slug));
    }
    for name in nearest.names() {
        if !names.iter().any(|known| *known == name || known.ends_with(&format!("/{name}"))) {
            names.push(name);
        }
    }
    names.truncate(NEAREST_MAX);
    names
}

/// One level of a path as stored, without the mark of a name that only the source knows.
fn level_slug(level: &str) -> String {
    Some(slug(level)).filter(|slug| !slug.is_empty()).unwrap_or_else(|| UNKNOWN.to_owned())
}

/// A path without the unknown levels at its end.
pub(super) fn trimmed(path: &str) -> &str {
    path.trim_end_matches("/-")
}

fn did_you_mean(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(", ")) }
}

fn others_of_name(others: usize) -> String {
    match others {
        0 => String::new(),
        1 => ", nor in another place of that name".to_owned(),
        others => format!(", nor in {others} other places of that name"),
    }
}

fn nearest_with_homes(nearest: Option<&NamedArea>) -> String {
    let narrowest = |name: &str| name.split(", ").next().unwrap_or_default().to_owned();
    nearest
        .map(|NamedArea { path, name, .. }| format!("; the nearest with homes is {}: {path}", narrowest(name)))
        .unwrap_or_default()
}

fn first_paths(candidates: &[NamedArea]) -> String {
    let mut paths: Vec<&str> = candidates.iter().map(|area| area.path.as_str()).take(PATHS_SHOWN_MAX).collect();
    paths.extend((candidates.len() > PATHS_SHOWN_MAX).then_some("..."));
    paths.join(", ")
}
