//! From the words of a source to a place.

use std::borrow::Cow;

use crate::Gazetteer;
use crate::fold::{fold, fold_words, slug, words};
use crate::kinds::{direction, without_kind};
use crate::level::Level;

/// What a source tells of a place, in its own words. Words without a letter or digit count as not told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressParts<'a> {
    /// A country by its name or its code of ISO 3166-1. Without it the words are taken as they are.
    pub country: Option<&'a str>,
    /// A state, province or region by name, code or abbreviation.
    pub region: Option<&'a str>,
    /// A county, province, Bezirk or département.
    pub county: Option<&'a str>,
    /// A city, town or commune.
    pub city: Option<&'a str>,
    /// A quarter or district.
    pub neighbourhood: Option<&'a str>,
    /// A postal code, as text; a ZIP may have four digits more, or have lost its zeros. Without a digit it counts as not told.
    pub postal_code: Option<&'a str>,
}

/// Where the words lead.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<'g> {
    /// What is known of each level, wide to narrow.
    pub levels: [Option<Name<'g>>; 5],
    /// The time zone of the narrowest place that is known, as the IANA database names it; `None` where not even the country is.
    pub zone: Option<&'g str>,
    /// Latitude and longitude of the postal code's middle in millionths of a degree, where it is known.
    pub centroid_e6: Option<(i32, i32)>,
    /// What the source told and the path does not say, wide to narrow.
    pub contradictions: Vec<Contradiction>,
}

/// A level's name, and who says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'g> {
    /// As the path writes it.
    pub slug: String,
    /// As people write it: the gazetteer's spelling, or the source's.
    pub name: Cow<'g, str>,
    /// Who says so.
    pub origin: Origin,
}

/// Who says what a level is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A place that the gazetteer knows.
    Gazetteer,
    /// The source alone: the gazetteer does not know such a place there.
    Source,
}

/// A level that a source tells otherwise than a narrower or surer word of its own says: a postal code against region, county
/// or city, a city against the county.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    /// The level that is told twice.
    pub level: Level,
    /// The word that was not taken.
    pub reported: String,
    /// The name that was.
    pub taken: String,
}

impl Located<'_> {
    /// The five slugs with `/` between them, `-` where unknown and with [`TOLD`] before what the source alone says; `None` where
    /// nothing is known.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        self.levels.iter().any(Option::is_some).then(|| {
            let slugs = self.levels.each_ref().map(|name| match name {
                None => "-".to_owned(),
                Some(Name { slug, origin: Origin::Gazetteer, .. }) => slug.clone(),
                Some(Name { slug, origin: Origin::Source, .. }) => format!("{TOLD}{slug}"),
            });
            slugs.join("/")
        })
    }
}

/// Stands in a path before a name that the source alone says: `ma/casablanca-settat/casablanca/casablanca/~20000`.
pub const TOLD: char = '~';

/// Without a region, a name means its most populous bearer if that has this many times the people of any other.
pub(crate) const CLEARLY: u32 = 10;
/// What portals write where a quarter belongs and that names none; so does the city's own name.
const NO_QUARTER: [&str; 8] =
    ["autresecteur", "toutelaville", "autre", "other", "autres", "none", "unknown", "villeentire"];

impl Gazetteer {
    /// The place that the words lead to. A postal code that is known fixes everything above it; else names are sought from wide
    /// to narrow, each within the one before. What is not known stays as the source has it.
    #[must_use]
    pub fn locate(&self, words: &AddressParts<'_>) -> Located<'_> {
        let words = words.reported();
        let mut contradictions = Vec::new();
        let (country, region_of_islands) = words.country.map_or((None, None), |reported| self.country(reported));
        let mut chain = [None; 5];
        chain[0] = country;
        let code = country.and_then(|country| self.postal(country, &words));
        if let Some(code) = code {
            chain = self.places.chain(code);
            self.hold_against(code, &chain, &words, &mut contradictions);
        } else if let Some(country) = country {
            chain[1] = region_of_islands.or_else(|| self.inside(country, Level::Region, words.region?));
            self.by_names(&mut chain, &words, &mut contradictions);
        }
        self.located(chain, &words, contradictions)
    }

    /// A country, and a region of it where a source has a territory of the United States as a country.
    fn country(&self, reported: &str) -> (Option<u32>, Option<u32>) {
        let key = fold(reported);
        let called = self.places.called(&key);
        let countries = called.iter().copied().filter(|id| self.places.nodes[*id as usize].level == Level::Country);
        let country = countries.min_by_key(|id| (!self.places.is_own(*id, &key), *id));
        if country.is_some() || called.is_empty() {
            return (country, None);
        }
        let us =
            self.places.called("us").into_iter().find(|id| self.places.nodes[*id as usize].level == Level::Country);
        let island = called.into_iter().find(|id| {
            self.places.nodes[*id as usize].level == Level::Region
                && matches!(self.places.code(*id), "pr" | "vi" | "gu" | "as" | "mp")
        });
        (us.filter(|_| island.is_some()), island)
    }

    /// The area of the postal code that is told.
    fn postal(&self, country: u32, reported: &AddressParts<'_>) -> Option<u32> {
        let mut code: String = reported.postal_code?.chars().filter(char::is_ascii_alphanumeric).collect();
        code.make_ascii_lowercase();
        let own = self.places.code(country);
        if let Some(rest) =
            code.strip_prefix(own.get(..1)?).filter(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        {
            // The sign of the country before the code: A-1070.
            code = rest.to_owned();
        }
        let find = |code: &str| {
            let is_area =
                |id: &u32| self.places.nodes[*id as usize].level == Level::Area && self.places.code(*id) == code;
            self.places.called(code).into_iter().filter(is_area).find(|id| self.places.lies_in(*id, country))
        };
        if own != "us" || !code.bytes().all(|byte| byte.is_ascii_digit()) {
            return find(&code);
        }
        match code.len() {
            9 => find(&code[..5]),
            // A table that took it for a number has lost its zeros. Taken only where nothing that is told speaks against it.
            3 | 4 => find(&format!("{code:0>5}")).filter(|id| {
                let region = self.places.chain(*id)[1];
                reported
                    .region
                    .is_none_or(|reported| region.is_some_and(|region| self.places.is_called(region, &fold(reported))))
            }),
            _ => find(&code),
        }
    }

    /// What is told beside a postal code and is not so.
    fn hold_against(
        &self,
        code: u32,
        chain: &[Option<u32>; 5],
        reported: &AddressParts<'_>,
        found: &mut Vec<Contradiction>,
    ) {
        for (level, reported) in
            [(Level::Region, reported.region), (Level::County, reported.county), (Level::City, reported.city)]
        {
            let (Some(reported), Some(place)) = (reported, chain[level as usize]) else { continue };
            let fits = keys(reported, level).iter().any(|key| {
                self.places.is_called(place, key) || (level == Level::City && self.is_near(key, code, chain))
            });
            if !fits {
                let taken = self.places.name(place).to_owned();
                found.push(Contradiction { level, reported: reported.to_owned(), taken });
            }
        }
    }

    /// Whether a city is one that people may name instead of a postal code's own: in its county, or in the region with a postal
    /// code that begins with the same three digits.
    fn is_near(&self, key: &str, code: u32, chain: &[Option<u32>; 5]) -> bool {
        let first = self.places.code(code).get(..3);
        self.places.called(key).into_iter().any(|id| {
            self.places.nodes[id as usize].level == Level::City
                && (chain[2].is_some_and(|county| self.places.lies_in(id, county))
                    || (chain[1].is_some_and(|region| self.places.lies_in(id, region))
                        && first.is_some()
                        && self.places.inside(id).any(|area| self.places.code(area).get(..3) == first)))
        })
    }

    /// County, city and quarter within what is known already.
    fn by_names(&self, chain: &mut [Option<u32>; 5], reported: &AddressParts<'_>, found: &mut Vec<Contradiction>) {
        let Some(country) = chain[0] else { return };
        let around = chain[1];
        if let (Some(region), Some(county)) = (around, reported.county) {
            chain[2] = self.inside(region, Level::County, county);
        }
        // A region that is told and not known may be anywhere.
        if around.is_none() && reported.region.is_some() {
            return;
        }
        let Some(city) = reported.city else { return };
        let mut cities = self.all_inside(around.unwrap_or(country), Level::City, city);
        if around.is_none()
            && let Some(county) = reported.county
        {
            let keys = keys(county, Level::County);
            cities.retain(|id| {
                let county = self.places.chain(*id)[2];
                county.is_some_and(|county| keys.iter().any(|key| self.places.is_called(county, key)))
            });
        }
        let in_county =
            cities.iter().copied().find(|id| chain[2].is_some_and(|county| self.places.lies_in(*id, county)));
        let best = in_county
            .or_else(|| cities.first().copied().filter(|best| around.is_some() || self.is_clear(*best, &cities)));
        let Some(best) = best else { return };
        let lies = self.places.chain(best);
        if let (Some(_), Some(reported), None) = (chain[2], reported.county, in_county) {
            let taken = lies[2].map_or_else(|| "-".to_owned(), |county| self.places.name(county).to_owned());
            found.push(Contradiction { level: Level::County, reported: reported.to_owned(), taken });
        }
        *chain = lies;
        if reported.postal_code.is_none() {
            chain[4] = reported.neighbourhood.and_then(|quarter| self.inside(best, Level::Area, quarter));
        }
    }

    /// Whether the first of these, which has the most people, is what everybody means.
    fn is_clear(&self, best: u32, all: &[u32]) -> bool {
        let people = |id: u32| self.places.nodes[id as usize].people;
        let region = self.places.chain(best)[1];
        let others = all.iter().copied().filter(|id| self.places.chain(*id)[1] != region);
        others.map(people).max().is_none_or(|next| people(best) / CLEARLY >= next.max(1))
    }

    /// The place of a level in `around` that a word names: of several the one with that very name and the most people.
    fn inside(&self, around: u32, level: Level, reported: &str) -> Option<u32> {
        self.all_inside(around, level, reported).first().copied()
    }

    /// All of them, best first.
    fn all_inside(&self, around: u32, level: Level, reported: &str) -> Vec<u32> {
        for key in keys(reported, level) {
            let mut found = self.places.called(&key);
            found.retain(|id| self.places.nodes[*id as usize].level == level && self.places.lies_in(*id, around));
            if !found.is_empty() {
                let exact = slug(reported);
                found.sort_by_cached_key(|id| {
                    let people = self.places.nodes[*id as usize].people;
                    let codes = self.places.inside(*id).count();
                    (
                        self.places.slug(*id) != exact,
                        !self.places.is_own(*id, &key),
                        std::cmp::Reverse((people, codes)),
                        *id,
                    )
                });
                return found;
            }
        }
        Vec::new()
    }

    fn located(
        &self,
        chain: [Option<u32>; 5],
        reported: &AddressParts<'_>,
        contradictions: Vec<Contradiction>,
    ) -> Located<'_> {
        let says = |quarter: &&str| {
            let key = fold(quarter);
            !NO_QUARTER.contains(&key.as_str()) && !chain[3].is_some_and(|city| self.places.is_called(city, &key))
        };
        let quarter = reported.neighbourhood.filter(says);
        let reported =
            [reported.country, reported.region, reported.county, reported.city, reported.postal_code.or(quarter)];
        let narrowest = chain.iter().rev().flatten().next().copied();
        let mut levels = [const { None }; 5];
        for (n, reported) in reported.into_iter().enumerate() {
            levels[n] = match (chain[n], reported) {
                (Some(id), _) => Some(Name {
                    slug: self.places.slug(id),
                    name: Cow::Borrowed(self.places.name(id)),
                    origin: Origin::Gazetteer,
                }),
                // A city that lies in no county has none, whatever is told: else it would have two paths.
                (None, _) if chain[n..].iter().any(Option::is_some) => None,
                (None, Some(reported)) => {
                    let name =
                        Name { slug: slug(reported), name: Cow::Owned(reported.to_owned()), origin: Origin::Source };
                    // A mark without a letter counts as one, and leaves nothing.
                    Some(name).filter(|name| !name.slug.is_empty())
                }
                (None, None) => None,
            };
        }
        let point = chain[4].and_then(|area| self.places.point(area));
        Located {
            levels,
            zone: narrowest.and_then(|id| self.places.zone(id)),
            centroid_e6: point.map(|(north, east)| (north * 10, east * 10)),
            contradictions,
        }
    }
}

impl AddressParts<'_> {
    /// Without words that say nothing.
    fn reported(self) -> Self {
        let said = |word: &&str| word.contains(char::is_alphanumeric);
        Self {
            country: self.country.filter(said).map(str::trim),
            region: self.region.filter(said).map(str::trim),
            county: self.county.filter(said).map(str::trim),
            city: self.city.filter(said).map(str::trim),
            neighbourhood: self.neighbourhood.filter(said).map(str::trim),
            // There is none in the world without a digit: the name of a state or a city has slipped in.
            postal_code: self.postal_code.filter(|code| code.contains(char::is_numeric)).map(str::trim),
        }
    }
}

/// The keys to try, in order: as told, without what stands in brackets (`Palmier (Maarif)`), with `N.` as north, without the word
/// that says the kind (`King County`).
fn keys(reported: &str, level: Level) -> Vec<String> {
    let mut found = vec![fold(reported)];
    found.extend(reported.split_once('(').map(|(name, _)| fold(name)).filter(|key| !key.is_empty()));
    let mut all = Vec::new();
    words(reported, |word| all.push(word.to_owned()));
    if let [first, _, ..] = all.as_mut_slice()
        && let Some(long) = direction(first)
    {
        long.clone_into(first);
        found.push(fold_words(&all));
    }
    if let Some((rest, kind)) = without_kind(&all)
        && kind.is_none_or(|kind| kind == level)
    {
        found.push(fold_words(rest));
    }
    found
}
