//! The addresses of the site.

/// What an address leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route<'p> {
    Overview,
    /// A redirect to the home or the area that a person looks for.
    Search,
    /// An area, by its path: `us/il/cook`.
    Area(&'p str),
    /// An area's daily figures as CSV.
    AreaDays(&'p str),
    /// A home, by its ID: `avito/54401684`.
    Home(&'p str),
    Compare,
    Alerts,
    /// An alert, by its ID.
    Alert(&'p str),
    Quality,
    Runs,
    Definitions,
    Api,
}

impl<'p> Route<'p> {
    /// The route of a path, decoded and without query.
    pub(crate) fn of(path: &'p str) -> Option<Self> {
        let below = |folder: &str| path.strip_prefix(folder);
        Some(match path {
            "/" => Self::Overview,
            "/search" => Self::Search,
            "/compare" => Self::Compare,
            "/alerts" => Self::Alerts,
            "/quality" => Self::Quality,
            "/runs" => Self::Runs,
            "/definitions" => Self::Definitions,
            "/api" => Self::Api,
            _ => match (below("/areas/"), below("/homes/"), below("/alerts/")) {
                (Some(area), ..) => area.strip_suffix("/days.csv").map_or(Self::Area(area), Self::AreaDays),
                (_, Some(home), _) => Self::Home(home),
                (.., Some(alert)) => Self::Alert(alert),
                _ => return None,
            },
        })
    }

    /// One address of each route.
    #[cfg(test)]
    const EXAMPLES: [&'static str; 12] = [
        "/",
        "/search",
        "/areas/us/il",
        "/areas/us/il/days.csv",
        "/homes/avito/1",
        "/compare",
        "/alerts",
        "/alerts/1f",
        "/quality",
        "/runs",
        "/definitions",
        "/api",
    ];
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::mem::discriminant;

    use super::*;

    /// A match without a wildcard: a new route does not compile until it is here, and then needs an example.
    fn position(route: Route<'_>) -> usize {
        match route {
            Route::Overview => 0,
            Route::Search => 1,
            Route::Area(_) => 2,
            Route::AreaDays(_) => 3,
            Route::Home(_) => 4,
            Route::Compare => 5,
            Route::Alerts => 6,
            Route::Alert(_) => 7,
            Route::Quality => 8,
            Route::Runs => 9,
            Route::Definitions => 10,
            Route::Api => 11,
        }
    }

    #[test]
    fn each_route_has_its_address() {
        let found: Vec<usize> = Route::EXAMPLES.iter().map(|path| position(Route::of(path).unwrap())).collect();
        assert_eq!(found, (0..Route::EXAMPLES.len()).collect::<Vec<_>>());
        for path in ["", "/nowhere", "/areas", "/homes", "/alert"] {
            assert_eq!(Route::of(path), None, "{path}");
        }
    }

    #[test]
    fn a_browser_checks_each_page() {
        let checked = include_str!("../../../tests/browser/pages.txt").lines().filter(|line| line.starts_with('/'));
        // What a link leads to, or the page itself.
        let checked: BTreeSet<usize> = checked
            .filter_map(|line| {
                let path = line.split_once("href^=\"").map_or(line, |(_, link)| link);
                let path = path.split(['?', ' ', '"']).next()?;
                Route::of(path).map(position)
            })
            .collect();
        for example in Route::EXAMPLES {
            let route = Route::of(example).unwrap();
            let is_page =
                ![Route::Search, Route::AreaDays("")].iter().any(|it| discriminant(it) == discriminant(&route));
            assert_eq!(checked.contains(&position(route)), is_page, "tests/browser/pages.txt and {example}");
        }
    }
}
