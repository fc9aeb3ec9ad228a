use std::collections::{BTreeMap, BTreeSet};

use stoop_domain::{AreaPath, Country, Currency, Market, Purpose, country};

use super::nearest::Nearest;

/// The area that a query means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoundArea {
    /// Its path down to the level that was asked for, `us/wa/king`; `*` stands for a level that its
    /// markets do not share, as in the postal code of two cities. Finds the same area again.
    pub path: String,
    /// Its narrowest name, in words.
    pub name: String,
    /// Its markets, in order.
    pub markets: Vec<Market>,
}

/// Why a query means no area.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AreaError {
    /// Nothing is called so.
    #[error("there is no area {query:?} here{}", did_you_mean(.nearest))]
    NoSuchArea {
        /// What was asked for.
        query: String,
        /// What is called nearly so, nearest first.
        nearest: Vec<String>,
    },
    /// Several places are called so.
    #[error("{query:?} is the name of several areas; say which: {}", .candidates.join(", "))]
    Ambiguous {
        /// What was asked for.
        query: String,
        /// The paths of each, to be asked for instead.
        candidates: Vec<String>,
    },
}

/// The level of a path that stands for any slug.
const ANY: &str = "*";
const UNKNOWN: &str = "-";
const LEVELS: usize = 5;

/// The markets of the area that a query means: see [`find_area`].
///
/// # Errors
/// When nothing is called so, or several places are.
pub fn match_area(query: &str, markets: &[Market]) -> Result<Vec<Market>, AreaError> {
    find_area(query, markets).map(|found| found.markets)
}

/// Finds the area that a query means: a path from the country on (`us`, written `us/` where a region is
/// called so too; `us/wa/king`) or the name of one level (`98178`, `Haut Founty`), spelled in any way.
/// `:sale`, `:rent` or a currency behind it leaves out other markets, so that a market's id finds it.
///
/// Areas of one name are one area when only the county or city differs, as with a postal code that
/// straddles two cities; in two regions they are two.
///
/// # Errors
/// When nothing is called so, or several places are.
pub fn find_area(query: &str, markets: &[Market]) -> Result<FoundArea, AreaError> {
    let query = query.trim();
    let mut terms = query.split(':');
    let area = terms.next().unwrap_or("");
    let terms: Vec<&str> = terms.map(str::trim).collect();
    let kept: Vec<&Market> = markets.iter().filter(|market| terms.iter().all(|term| has(market, term))).collect();
    let found = if area.contains('/') { by_path(area, &kept) } else { by_name(area, &kept) };
    match found.as_slice() {
        [(path, markets)] => Ok(found_area(path, markets)),
        [] => Err(AreaError::NoSuchArea { query: query.to_owned(), nearest: nearest(area, markets) }),
        several => {
            let candidates = several.iter().map(|(path, _)| shown(path)).collect();
            Err(AreaError::Ambiguous { query: query.to_owned(), candidates })
        }
    }
}

impl FoundArea {
    /// What the country (and region) of this area settles: zone, currency, unit.
    #[must_use]
    pub fn country(&self) -> Country {
        country(&self.path)
    }
}

type Group<'a> = (Vec<String>, Vec<&'a Market>);

fn has(market: &Market, term: &str) -> bool {
    match term.to_ascii_lowercase().as_str() {
        "sale" => market.purpose == Purpose::Sale,
        "rent" => market.purpose == Purpose::Rent,
        _ => Currency::parse(term).is_ok_and(|currency| currency == market.currency),
    }
}

fn by_path<'a>(path: &str, markets: &[&'a Market]) -> Vec<Group<'a>> {
    let mut wanted: Vec<String> = path.split('/').map(level_slug).collect();
    while wanted.last().is_some_and(|slug| slug == UNKNOWN) && wanted.len() > 1 && path.ends_with('/') {
        wanted.pop();
    }
    let fits = |market: &&&Market| {
        let levels = market.area.levels();
        wanted.len() <= LEVELS && wanted.iter().zip(levels).all(|(want, slug)| want == ANY || want == slug)
    };
    let found: Vec<&Market> = markets.iter().filter(fits).copied().collect();
    if found.is_empty() { Vec::new() } else { vec![(wanted, found)] }
}

fn by_name<'a>(name: &str, markets: &[&'a Market]) -> Vec<Group<'a>> {
    let wanted = level_slug(name);
    if wanted == UNKNOWN {
        return Vec::new();
    }
    let mut groups: BTreeMap<(usize, &str, &str), Vec<&'a Market>> = BTreeMap::new();
    for market in markets {
        let levels = market.area.levels();
        for (level, _) in levels.iter().enumerate().filter(|(_, slug)| **slug == wanted) {
            let region = if level == 0 { "" } else { levels[1] };
            groups.entry((level, levels[0], region)).or_default().push(market);
        }
    }
    // The city of New York inside a county of that name is no other place, only less of it.
    let sets: Vec<BTreeSet<&Market>> = groups.values().map(|group| group.iter().copied().collect()).collect();
    let inside = |at: usize| {
        sets.iter()
            .enumerate()
            .any(|(i, set)| i != at && sets[at].is_subset(set) && (set.len() > sets[at].len() || i < at))
    };
    let wide = groups.into_iter().enumerate().filter(|(at, _)| !inside(*at));
    wide.map(|(_, ((level, ..), group))| (shared_path(&group, level), group)).collect()
}

/// The levels down to `level`, with `*` where the markets differ.
fn shared_path(markets: &[&Market], level: usize) -> Vec<String> {
    let slug = |at: usize| {
        let mut slugs = markets.iter().map(|market| market.area.levels()[at]);
        let first = slugs.next().unwrap_or(UNKNOWN);
        if slugs.all(|slug| slug == first) { first.to_owned() } else { ANY.to_owned() }
    };
    (0..=level).map(slug).collect()
}

fn found_area(path: &[String], markets: &[&Market]) -> FoundArea {
    let narrowest = path.iter().rfind(|slug| *slug != ANY && *slug != UNKNOWN);
    let name = narrowest.and_then(|slug| AreaPath::of([None, None, None, None, Some(slug)]));
    let level_is_code = path.len() <= 2;
    let name =
        name.map(|area| if level_is_code && area.name().len() <= 3 { area.name().to_uppercase() } else { area.name() });
    let mut markets: Vec<Market> = markets.iter().map(|market| (*market).clone()).collect();
    markets.sort();
    FoundArea { path: path.join("/"), name: name.unwrap_or_default(), markets }
}

/// A path as something that is read as a path again: a country alone gets its `/`.
fn shown(path: &[String]) -> String {
    let path = path.join("/");
    if path.contains('/') { path } else { path + "/" }
}

fn level_slug(name: &str) -> String {
    if name.trim() == ANY {
        return ANY.to_owned();
    }
    let path = AreaPath::of([None, None, None, None, Some(name)]);
    path.map_or_else(|| UNKNOWN.to_owned(), |path| path.levels()[LEVELS - 1].to_owned())
}

/// The names (for a path: the paths of as many levels) that are most like what was asked for.
fn nearest(area: &str, markets: &[Market]) -> Vec<String> {
    let wanted: Vec<String> = area.split('/').map(level_slug).collect();
    let depth = wanted.len().min(LEVELS);
    let names: BTreeSet<String> = if depth > 1 {
        markets.iter().map(|market| market.area.levels()[..depth].join("/")).collect()
    } else {
        let slugs = |market: &'_ Market| market.area.levels().map(str::to_owned);
        markets.iter().flat_map(slugs).filter(|slug| slug != UNKNOWN).collect()
    };
    let mut nearest = Nearest::to(&wanted.join("/"));
    names.iter().for_each(|name| nearest.offer(name));
    nearest.names()
}

fn did_you_mean(nearest: &[String]) -> String {
    if nearest.is_empty() { String::new() } else { format!("; did you mean {}?", nearest.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn markets(ids: &[&str]) -> Vec<Market> {
        ids.iter().map(|id| id.parse().unwrap()).collect()
    }

    fn here() -> Vec<Market> {
        markets(&[
            "ma/-/-/agadir/-:sale:MAD",
            "ma/-/-/agadir/haut-founty:rent:MAD",
            "ma/-/-/agadir/haut-founty:sale:MAD",
            "us/il/sangamon/springfield/62701:sale:USD",
            "us/il/sangamon/springfield/62702:sale:USD",
            "us/mo/greene/springfield/65801:sale:USD",
            "us/ny/new-york/new-york/10001:sale:USD",
            "us/wa/king/-/98103:sale:USD",
            "us/wa/king/renton/98178:sale:USD",
            "us/wa/king/seattle/98178:sale:USD",
            "us/ma/-/boston/02108:sale:USD",
        ])
    }

    fn found(query: &str) -> (String, usize) {
        let found = find_area(query, &here()).unwrap();
        (found.path, found.markets.len())
    }

    #[test]
    fn an_area_is_found_by_path_and_by_the_beginning_of_one() {
        assert_eq!(found("us"), ("us".into(), 8));
        assert_eq!(found("us/wa"), ("us/wa".into(), 3));
        assert_eq!(found("US/WA/King"), ("us/wa/king".into(), 3));
        assert_eq!(found("us/wa/king/-/98103"), ("us/wa/king/-/98103".into(), 1));
        assert_eq!(found("ma/-/-/agadir"), ("ma/-/-/agadir".into(), 3));
    }

    #[test]
    fn an_area_is_found_by_its_name_in_any_spelling() {
        assert_eq!(found("98103"), ("us/wa/king/-/98103".into(), 1));
        assert_eq!(found("Seattle"), ("us/wa/king/seattle".into(), 1));
        assert_eq!(found("haut founty"), ("ma/-/-/agadir/haut-founty".into(), 2));
        assert_eq!(found(" Haut-FOUNTY "), ("ma/-/-/agadir/haut-founty".into(), 2));
        assert_eq!(found("agadir"), ("ma/-/-/agadir".into(), 3));
        assert_eq!(find_area("haut founty", &here()).unwrap().name, "Haut Founty");
    }

    #[test]
    fn a_postal_code_of_two_cities_is_one_area() {
        assert_eq!(found("98178"), ("us/wa/king/*/98178".into(), 2));
        assert_eq!(found("us/wa/king/*/98178"), ("us/wa/king/*/98178".into(), 2));
    }

    #[test]
    fn a_city_in_a_county_of_its_name_is_no_second_place() {
        assert_eq!(found("new york"), ("us/ny/new-york".into(), 1));
    }

    #[test]
    fn a_name_of_two_places_is_not_guessed() {
        let error = find_area("Springfield", &here()).unwrap_err();
        let candidates = vec!["us/il/sangamon/springfield".to_owned(), "us/mo/greene/springfield".to_owned()];
        assert_eq!(error, AreaError::Ambiguous { query: "Springfield".into(), candidates: candidates.clone() });
        assert!(error.to_string().ends_with("say which: us/il/sangamon/springfield, us/mo/greene/springfield"));
        assert_eq!(found(&candidates[0]).1, 2);
    }

    #[test]
    fn morocco_and_massachusetts_are_told_apart() {
        let AreaError::Ambiguous { candidates, .. } = find_area("ma", &here()).unwrap_err() else { panic!() };
        assert_eq!(candidates, ["ma/", "us/ma"]);
        assert_eq!(found("ma/"), ("ma".into(), 3));
        assert_eq!(found("us/ma").1, 1);
    }

    #[test]
    fn a_purpose_or_a_whole_id_leaves_out_the_rest() {
        assert_eq!(found("haut founty:rent").1, 1);
        assert_eq!(found("ma/-/-/agadir/haut-founty:sale:MAD").1, 1);
        assert_eq!(found("agadir:sale").1, 2);
        assert!(matches!(find_area("98178:rent", &here()), Err(AreaError::NoSuchArea { .. })));
        assert!(matches!(find_area("98178:nonsense", &here()), Err(AreaError::NoSuchArea { .. })));
    }

    #[test]
    fn what_is_unknown_is_told_with_its_nearest() {
        let error = find_area("98179", &here()).unwrap_err();
        assert_eq!(error.to_string(), r#"there is no area "98179" here; did you mean 98178, 98103?"#);
        assert_eq!(
            find_area("us/wa/kong", &here()).unwrap_err().to_string(),
            r#"there is no area "us/wa/kong" here; did you mean us/wa/king?"#
        );
        assert_eq!(
            find_area("founty", &here()).unwrap_err().to_string(),
            r#"there is no area "founty" here; did you mean haut-founty?"#
        );
        assert_eq!(find_area("xyzzyxyzzy", &here()).unwrap_err().to_string(), r#"there is no area "xyzzyxyzzy" here"#);
        assert!(find_area("", &here()).is_err());
        assert!(find_area("-", &here()).is_err());
        assert!(find_area("98178", &[]).is_err());
    }
}
