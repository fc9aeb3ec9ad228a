//! Finds the place of an address.

use std::borrow::Cow;

use crate::Gazetteer;
use crate::fold::{fold, fold_words, slug, words};
use crate::kinds::{direction, without_kind};
use crate::level::Level;
use crate::postal::mended;

/// The parts of an address as a source writes them. Words without a letter or digit count as missing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressParts<'a> {
    /// The name of a country or its ISO 3166-1 code. Without it no place is looked up.
    pub country: Option<&'a str>,
    /// The name, code or abbreviation of a state, province or region.
    pub region: Option<&'a str>,
    /// A county, province, Bezirk or département.
    pub county: Option<&'a str>,
    /// A city, town or commune.
    pub city: Option<&'a str>,
    /// A quarter or district.
    pub neighbourhood: Option<&'a str>,
    /// A postal code, as text. A ZIP may have four more digits, or may lack leading zeros. A code without a digit
    /// counts as missing.
    pub postal_code: Option<&'a str>,
}

/// The place of an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<'g> {
    /// The known name of each level, wide to narrow.
    pub levels: [Option<Name<'g>>; 5],
    /// The time zone of the narrowest known place, as an IANA name. `None` if not even the country is known.
    pub zone: Option<&'g str>,
    /// Latitude and longitude of the center of the postal code in millionths of a degree, if known.
    pub centroid_e6: Option<(i32, i32)>,
    /// Words of the source that contradict the path, wide to narrow.
    pub contradictions: Vec<Contradiction>,
}

/// The name of a level and its origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name<'g> {
    /// The spelling in a path.
    pub slug: String,
    /// The usual spelling: that of the gazetteer, or else that of the source.
    pub name: Cow<'g, str>,
    pub origin: NameOrigin,
}

/// Where the name of a level comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NameOrigin {
    /// The gazetteer knows the place.
    Gazetteer,
    /// Only the source gives the name; the gazetteer does not know such a place there.
    Source,
}

/// A level for which the source gives a word that contradicts a narrower or more reliable one: a postal code against
/// region, county or city, or a city against the county.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contradiction {
    pub level: Level,
    /// The word of the source.
    pub reported: String,
    /// The name that is used instead.
    pub taken: String,
}

impl Located<'_> {
    /// The five slugs joined by `/`, with `-` for unknown levels and [`FROM_SOURCE`] before names that only the source gives.
    /// `None` if nothing is known.
    #[must_use]
    pub fn path(&self) -> Option<String> {
        self.levels.iter().any(Option::is_some).then(|| {
            let slugs = self.levels.each_ref().map(|name| match name {
                None => "-".to_owned(),
                Some(Name { slug, origin: NameOrigin::Gazetteer, .. }) => slug.clone(),
                Some(Name { slug, origin: NameOrigin::Source, .. }) => format!("{FROM_SOURCE}{slug}"),
            });
            slugs.join("/")
        })
    }
}

/// Marks a name in a path that only the source gives: `ma/casablanca-settat/casablanca/casablanca/~20000`.
pub const FROM_SOURCE: char = '~';

/// Without a region, a name means its most populous bearer if that has this many times the population of any other.
pub(crate) const CLEARLY: u32 = 10;
/// Words for a quarter that portals use if there is none. The name of the city counts as none, too.
const NO_QUARTER: [&str; 8] =
    ["autresecteur", "toutelaville", "autre", "other", "autres", "none", "unknown", "villeentire"];

impl Gazetteer {
    /// The place of an address. A known postal code determines all levels above it. Otherwise names are looked up from
    /// wide to narrow, each within the one before. Unknown names are kept as the source writes them.
    #[must_use]
    pub fn locate(&self, words: &AddressParts<'_>) -> Located<'_> {
        let mut words = words.normalized();
        let mut contradictions = Vec::new();
        let (country, region_of_islands) = words.country.map_or((None, None), |given| self.country(given));
        let mended = country.zip(words.postal_code).and_then(|(it, code)| mended(self.places.code(it), code));
        words.postal_code = mended.as_deref().or(words.postal_code);
        let mut chain = [None; 5];
        chain[0] = country;
        let code = country.and_then(|country| self.postal(country, &words));
        if let Some(code) = code {
            chain = self.places.chain(code);
            self.find_contradictions(code, &chain, &words, &mut contradictions);
            if let Some((named, lost)) = self.outvoted(chain[0], &words, &contradictions) {
                chain = named;
                contradictions = vec![lost];
                words.postal_code = None;
            }
        } else if let Some(country) = country {
            chain[1] = region_of_islands.or_else(|| self.inside(country, Level::Region, words.region?));
            self.by_names(&mut chain, &words, &mut contradictions);
        }
        self.located(chain, &words, contradictions)
    }

    /// The city that region and city name, if a postal code contradicts both: then it is the postal code that is wrong.
    fn outvoted(
        &self,
        country: Option<u32>,
        given: &AddressParts<'_>,
        against: &[Contradiction],
    ) -> Option<([Option<u32>; 5], Contradiction)> {
        let says = |level: Level| against.iter().any(|contradiction| contradiction.level == level);
        if !says(Level::Region) || !says(Level::City) {
            return None;
        }
        let mut chain = [country, None, None, None, None];
        chain[1] = Some(self.inside(country?, Level::Region, given.region?)?);
        self.by_names(&mut chain, &AddressParts { postal_code: None, ..*given }, &mut Vec::new());
        let city = chain[Level::City as usize]?;
        let (reported, taken) = (given.postal_code?.to_owned(), self.places.name(city).to_owned());
        Some((chain, Contradiction { level: Level::Area, reported, taken }))
    }

    /// The country, and the region for sources that give a territory of the United States as a country.
    fn country(&self, given: &str) -> (Option<u32>, Option<u32>) {
        let key = fold(given);
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

    /// The area of the postal code.
    fn postal(&self, country: u32, given: &AddressParts<'_>) -> Option<u32> {
        let mut code: String = given.postal_code?.chars().filter(char::is_ascii_alphanumeric).collect();
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
            // A table that stored it as a number lost its zeros. Accepted only if the region does not contradict.
            3 | 4 => find(&format!("{code:0>5}")).filter(|id| {
                let region = self.places.chain(*id)[1];
                given
                    .region
                    .is_none_or(|given| region.is_some_and(|region| self.places.is_called(region, &fold(given))))
            }),
            _ => find(&code),
        }
    }

    /// Adds the words that contradict a postal code.
    fn find_contradictions(
        &self,
        code: u32,
        chain: &[Option<u32>; 5],
        given: &AddressParts<'_>,
        found: &mut Vec<Contradiction>,
    ) {
        for (level, given) in [(Level::Region, given.region), (Level::County, given.county), (Level::City, given.city)]
        {
            let (Some(given), Some(place)) = (given, chain[level as usize]) else { continue };
            let fits = keys(given, level).iter().any(|key| {
                self.places.is_called(place, key) || (level == Level::City && self.is_near(key, code, chain))
            });
            if !fits {
                let taken = self.places.name(place).to_owned();
                found.push(Contradiction { level, reported: given.to_owned(), taken });
            }
        }
    }

    /// Whether a city may be named instead of that of the postal code: it is in the same county, or in the same region
    /// with a postal code that begins with the same three digits.
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

    /// Looks up county, city and quarter within the known places.
    fn by_names(&self, chain: &mut [Option<u32>; 5], given: &AddressParts<'_>, found: &mut Vec<Contradiction>) {
        let Some(country) = chain[0] else { return };
        let around = chain[1];
        if let (Some(region), Some(county)) = (around, given.county) {
            chain[2] = self.inside(region, Level::County, county);
        }
        // With a region that is given but unknown, the city may be anywhere.
        if around.is_none() && given.region.is_some() {
            return;
        }
        let Some(city) = given.city else { return };
        let mut cities = self.all_inside(around.unwrap_or(country), Level::City, city);
        if around.is_none()
            && let Some(county) = given.county
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
        if let (Some(_), Some(given), None) = (chain[2], given.county, in_county) {
            let taken = lies[2].map_or_else(|| "-".to_owned(), |county| self.places.name(county).to_owned());
            found.push(Contradiction { level: Level::County, reported: given.to_owned(), taken });
        }
        *chain = lies;
        if given.postal_code.is_none() {
            chain[4] = given.neighbourhood.and_then(|quarter| self.inside(best, Level::Area, quarter));
        }
    }

    /// Whether `best`, the most populous of these, is clearly meant.
    fn is_clear(&self, best: u32, all: &[u32]) -> bool {
        let people = |id: u32| self.places.nodes[id as usize].people;
        let region = self.places.chain(best)[1];
        let others = all.iter().copied().filter(|id| self.places.chain(*id)[1] != region);
        others.map(people).max().is_none_or(|next| people(best) / CLEARLY >= next.max(1))
    }

    /// The place of a level in `around` with this name. If there are several, prefers the exact name, then the
    /// population.
    fn inside(&self, around: u32, level: Level, given: &str) -> Option<u32> {
        self.all_inside(around, level, given).first().copied()
    }

    /// All such places, best first.
    fn all_inside(&self, around: u32, level: Level, given: &str) -> Vec<u32> {
        for key in keys(given, level) {
            let mut found = self.places.called(&key);
            found.retain(|id| self.places.nodes[*id as usize].level == level && self.places.lies_in(*id, around));
            if !found.is_empty() {
                let exact = slug(given);
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
        given: &AddressParts<'_>,
        contradictions: Vec<Contradiction>,
    ) -> Located<'_> {
        let says = |quarter: &&str| {
            let key = fold(quarter);
            !NO_QUARTER.contains(&key.as_str()) && !chain[3].is_some_and(|city| self.places.is_called(city, &key))
        };
        let quarter = given.neighbourhood.filter(says);
        let given = [given.country, given.region, given.county, given.city, given.postal_code.or(quarter)];
        let narrowest = chain.iter().rev().flatten().next().copied();
        let mut levels = [const { None }; 5];
        for (n, given) in given.into_iter().enumerate() {
            levels[n] = match (chain[n], given) {
                (Some(id), _) => Some(Name {
                    slug: self.places.slug(id),
                    name: Cow::Borrowed(self.places.name(id)),
                    origin: NameOrigin::Gazetteer,
                }),
                // A city without a county has no county in its path, whatever the source gives: otherwise it would have
                // two paths.
                (None, _) if chain[n..].iter().any(Option::is_some) => None,
                (None, Some(given)) => {
                    let name =
                        Name { slug: slug(given), name: Cow::Owned(given.to_owned()), origin: NameOrigin::Source };
                    // A combining mark alone counts as alphanumeric but gives an empty slug.
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
    /// Trims the words and removes those without content.
    fn normalized(self) -> Self {
        let has_content = |word: &&str| word.contains(char::is_alphanumeric);
        Self {
            country: self.country.filter(has_content).map(str::trim),
            region: self.region.filter(has_content).map(str::trim),
            county: self.county.filter(has_content).map(str::trim),
            city: self.city.filter(has_content).map(str::trim),
            neighbourhood: self.neighbourhood.filter(has_content).map(str::trim),
            // Every real postal code has a digit. Without one it is the name of a state or city in the wrong field.
            postal_code: self.postal_code.filter(|code| code.contains(char::is_numeric)).map(str::trim),
        }
    }
}

/// The keys to try, in order: as given, without brackets (`Palmier (Maarif)`), with `N.` as north, and without the kind
/// word (`King County`).
fn keys(given: &str, level: Level) -> Vec<String> {
    let mut found = vec![fold(given)];
    found.extend(given.split_once('(').map(|(name, _)| fold(name)).filter(|key| !key.is_empty()));
    let mut all = Vec::new();
    words(given, |word| all.push(word.to_owned()));
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
