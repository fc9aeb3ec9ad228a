//! Finds the place in an address line: `Infirmary Hill, Truro`, `Caledonian Road, London N1`; also in a path of places,
//! `Egypt > Cairo > Maadi`.

use crate::Gazetteer;
use crate::level::Level;
use crate::locate::AddressParts;
use crate::outcodes::post_town;
use crate::postal::digits_of;

/// The place that an address line names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LinePlace {
    /// The region, in its usual spelling.
    pub region: Option<String>,
    /// The city, in its usual spelling.
    pub city: Option<String>,
    /// The postal code as it stands in the line; in Britain the outcode is enough.
    pub postal_code: Option<String>,
}

/// The longest line that is read, in bytes, and the most parts of it.
const LINE_BYTES_MAX: usize = 300;
const PARTS_MAX: usize = 8;

/// Signs between the parts of a path of places.
const PATH_SIGNS: [char; 6] = ['>', '›', '»', '→', '|', '\\'];

/// How many people a city has that may be the first part of a line: a quarter can have the name of a village.
const LARGE: u32 = 15_000;

/// How many words at the end of a part may be a city if a postal code follows them.
const CITY_WORDS_MAX: usize = 4;

impl Gazetteer {
    /// The place that an address line of this country names. The parts between its commas are looked up from the last on:
    /// a postal code that the country has, the name of a region, and the name of a city, which must be clear. The first of
    /// several parts is a street and names a city only if it is one of the region behind it: `Lincoln, Nebraska`. A line
    /// that begins with the country or has signs of a path (`Cairo > Maadi`) goes from wide to narrow, if its last part is
    /// no region; it has no street. `None` if the line names none, or several could be meant.
    #[must_use]
    pub fn place_in_line(&self, country: &str, line: &str) -> Option<LinePlace> {
        if line.len() > LINE_BYTES_MAX {
            return None;
        }
        let located = self.locate(&AddressParts { country: Some(country), ..AddressParts::default() });
        let code = located.path()?.split('/').next()?.to_owned();
        let is_path = line.contains(PATH_SIGNS) || line.contains(" / ");
        let of_path = if is_path { line.replace(" / ", ">") } else { line.to_owned() };
        let signs = |c: char| matches!(c, ',' | ';' | '\n') || PATH_SIGNS.contains(&c);
        let mut parts: Vec<&str> = of_path.split(signs).map(str::trim).filter(|part| !part.is_empty()).collect();
        let has_street = !is_path && !parts.first().is_some_and(|part| self.is_country(&code, part));
        if !has_street && !parts.last().is_some_and(|part| self.is_wide(&code, part)) {
            parts.reverse();
        }
        let mut place = LinePlace::default();
        // "Buffalo, New York": a name of a region too, unless no narrower part is a city of it.
        let mut wide = None;
        let first = parts.len().saturating_sub(PARTS_MAX);
        for (index, part) in parts.iter().enumerate().skip(first).rev() {
            let (words, postal) = split_postal(&code, part);
            let has_digit = words.contains(|c: char| c.is_ascii_digit());
            let is_street = has_street && index == 0 && (parts.len() > 1 || has_digit);
            // The number of a house is no postal code.
            let (words, postal) =
                if is_street && parts.len() > 1 && code != "gb" { (*part, None) } else { (words, postal) };
            if place.postal_code.is_none() {
                place.postal_code.clone_from(&postal);
            }
            if place.city.is_some() || words.is_empty() || self.is_country(&code, words) {
                continue;
            }
            let city = |name: &str| self.city_in(&code, place.region.as_deref(), name);
            let is_large = |city: &String| self.people_of(&code, place.region.as_deref(), city) >= LARGE;
            let found = match is_street {
                false => city(words).or_else(|| postal.as_ref().and_then(|_| ends(words).find_map(city))),
                true if place.region.is_some() && !has_digit => city(words).filter(is_large),
                true => postal.as_ref().and_then(|_| ends(words).find_map(city)),
            };
            let region = || self.region_in(&code, words).filter(|_| !is_street && place.region.is_none());
            match found {
                Some(city)
                    if index > 0
                        && postal.is_none()
                        && wide.is_none()
                        && let Some(region) = region() =>
                {
                    place.region = Some(region);
                    wide = Some(city);
                }
                Some(city) => place.city = Some(city),
                None => place.region = region().or(place.region),
            }
        }
        if place.city.is_none() && wide.is_some() {
            (place.city, place.region) = (wide, None);
        }
        if place.city.is_none()
            && code == "gb"
            && let Some(town) = place.postal_code.as_deref().and_then(post_town)
        {
            place.city = Some(self.city_in(&code, None, town).unwrap_or_else(|| town.to_owned()));
        }
        let is_known = |postal: &str| {
            let words = AddressParts { country: Some(&code), postal_code: Some(postal), ..AddressParts::default() };
            self.locate(&words).levels[Level::City as usize].is_some()
        };
        // A number alone is a postal code only if the gazetteer knows it.
        if place.city.is_none() && !place.postal_code.as_deref().is_some_and(is_known) {
            return None;
        }
        Some(place)
    }

    /// Whether a part of a path is wider than a city: a country or a region.
    fn is_wide(&self, code: &str, words: &str) -> bool {
        self.is_country(code, words) || self.region_in(code, words).is_some()
    }

    fn is_country(&self, code: &str, words: &str) -> bool {
        let located = self.locate(&AddressParts { country: Some(words), ..AddressParts::default() });
        located.levels[0].as_ref().is_some_and(|name| name.slug == code && name.origin == crate::NameOrigin::Gazetteer)
    }

    /// The usual name of the city that these words clearly mean.
    fn city_in(&self, country: &str, region: Option<&str>, words: &str) -> Option<String> {
        if words.contains(|c: char| c.is_ascii_digit()) {
            return None;
        }
        let parts = AddressParts { country: Some(country), region, city: Some(words), ..AddressParts::default() };
        let located = self.locate(&parts);
        let city = located.levels[Level::City as usize].as_ref()?;
        (city.origin == crate::NameOrigin::Gazetteer).then(|| city.name.to_string())
    }

    /// The number of people in a city that the gazetteer knows.
    fn people_of(&self, country: &str, region: Option<&str>, city: &str) -> u32 {
        let parts = AddressParts { country: Some(country), region, city: Some(city), ..AddressParts::default() };
        self.locate(&parts).path().and_then(|path| self.people(&path)).unwrap_or(0)
    }

    fn region_in(&self, country: &str, words: &str) -> Option<String> {
        let parts = AddressParts { country: Some(country), region: Some(words), ..AddressParts::default() };
        let located = self.locate(&parts);
        let region = located.levels[Level::Region as usize].as_ref()?;
        (region.origin == crate::NameOrigin::Gazetteer).then(|| region.name.to_string())
    }
}

/// The last words of a part, most first.
fn ends(words: &str) -> impl Iterator<Item = &str> {
    let starts: Vec<usize> = words
        .char_indices()
        .filter(|(at, c)| !c.is_whitespace() && words[..*at].ends_with(char::is_whitespace))
        .map(|(at, _)| at)
        .collect();
    let from = starts.len().saturating_sub(CITY_WORDS_MAX);
    starts.into_iter().skip(from).map(|at| &words[at..])
}

/// Parts a postal code from the words before or behind it: `London N1` at its end, `04109 Leipzig` at its beginning.
fn split_postal<'p>(country: &str, part: &'p str) -> (&'p str, Option<String>) {
    let words: Vec<&str> = part.split_whitespace().collect();
    let Some((first, last)) = words.first().zip(words.last()) else { return (part, None) };
    let without_last = |words: usize| {
        let mut rest = part.trim_end();
        for _ in 0..words {
            rest = rest.trim_end_matches(|c: char| !c.is_whitespace()).trim_end();
        }
        rest
    };
    if country == "gb" {
        if let [.., out, inner] = words[..]
            && is_outcode(out)
            && is_incode(inner)
        {
            return (without_last(2), Some(format!("{out} {inner}")));
        }
        return if is_outcode(last) { (without_last(1), Some((*last).to_owned())) } else { (part, None) };
    }
    let is_code = |word: &str| {
        let word = word.split_once('-').map_or(word, |(head, tail)| match head.len() {
            // The sign of the country: A-1070, D-04109.
            1 | 2 if head.bytes().all(|byte| byte.is_ascii_alphabetic()) => tail,
            // ZIP+4.
            5 if country == "us" => head,
            _ => word,
        });
        let digits = digits_of(country).or(match country {
            "at" | "ch" | "be" | "hu" | "si" | "lu" | "bg" => Some(4),
            "ma" | "hr" | "gr" | "cz" | "sk" | "se" | "rs" | "th" | "pl" => Some(5),
            "in" | "ru" => Some(6),
            _ => None,
        });
        word.bytes().all(|byte| byte.is_ascii_digit()) && digits == Some(word.len())
    };
    if words.len() > 1 && country != "us" && country != "au" && is_code(first) {
        return (part[part.find(first).unwrap_or(0) + first.len()..].trim(), Some((*first).to_owned()));
    }
    if is_code(last) && (words.len() > 1 || country == "us" || country == "at") {
        return (without_last(1), Some((*last).to_owned()));
    }
    (part, None)
}

/// Whether a word is the first half of a British postcode: `N1`, `SW1A`, `TR1`.
fn is_outcode(word: &str) -> bool {
    let letters = word.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = &word.as_bytes()[letters..];
    let is_rest = match rest {
        [a] => a.is_ascii_digit(),
        [a, b] => a.is_ascii_digit() && (b.is_ascii_digit() || b.is_ascii_uppercase()),
        _ => false,
    };
    (1..=2).contains(&letters) && is_rest && post_town(word).is_some()
}

fn is_incode(word: &str) -> bool {
    matches!(word.as_bytes(), [a, b, c] if a.is_ascii_digit() && b.is_ascii_uppercase() && c.is_ascii_uppercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(country: &str, line: &str) -> String {
        let gazetteer = Gazetteer::get();
        let Some(LinePlace { region, city, postal_code }) = gazetteer.place_in_line(country, line) else {
            return "none".to_owned();
        };
        let words = AddressParts {
            country: Some(country),
            region: region.as_deref(),
            city: city.as_deref(),
            postal_code: postal_code.as_deref(),
            ..AddressParts::default()
        };
        gazetteer.locate(&words).path().unwrap_or_default()
    }

    #[test]
    fn a_line_with_a_known_place_is_placed() {
        for (country, line, ends) in [
            ("GB", "Infirmary Hill, Truro", "/truro/-"),
            ("GB", "Caledonian Road, London N1", "/london/~n1"),
            ("GB", "Caledonian Road, London, N1 9AA", "/london/~n1-9aa"),
            ("GB", "Caledonian Road, N1", "/london/~n1"),
            ("GB", "4 Deansgate M3", "/manchester/~m3"),
            ("GB", "Flat 2, 10 Oak Lane, Leeds, United Kingdom", "/leeds/-"),
            ("US", "500 Main St, Austin, TX 78701", "us/tx/travis/austin/78701"),
            ("US", "12 Elm St, Springfield, IL", "us/il/sangamon/springfield/-"),
            ("US", "12 Elm St, Springfield, Illinois, USA", "us/il/sangamon/springfield/-"),
            ("AT", "Neubaugasse 3, 1070 Wien", "at/wien/wien/wien/1070"),
            ("DE", "Karl-Liebknecht-Str. 5, 04109 Leipzig", "/leipzig/~04109"),
            ("FR", "3 rue de Rivoli, 75004 Paris", "/paris/75004"),
            ("AU", "1 Alder Avenue, Brisbane", "/brisbane/-"),
        ] {
            let path = found(country, line);
            assert!(path.ends_with(ends), "{line}: {path}");
        }
    }

    #[test]
    fn a_path_of_places_is_placed_from_wide_to_narrow_and_from_narrow_to_wide() {
        for (country, line, ends) in [
            ("EG", "Madinaty, New Cairo, Cairo", "/cairo/-"),
            ("EG", "Egypt > Cairo > Maadi > Sarayat", "/cairo/-"),
            ("EG", "Egypt, Giza, Dokki", "/giza/-"),
            ("EG", "Cairo › Nasr City", "/cairo/-"),
            ("EG", "Smouha | Alexandria", "/alexandria/-"),
            ("US", "12 Main St, Buffalo, New York", "/buffalo/-"),
            ("US", "New York > Buffalo", "/buffalo/-"),
            ("US", "Manhattan, New York", "/new-york/-"),
            ("EG", "Zayed Dunes, Sheikh Zayed City, Giza", "giza/-"),
            ("AE", "Marina Gate 1, Dubai Marina, Dubai", "/dubai/-"),
            ("US", "Lincoln, Nebraska", "us/ne/lancaster/lincoln/-"),
            ("US", "United States / Texas / Austin", "us/tx/travis/austin/-"),
            ("TR", "İstanbul / Kadıköy / Moda", "/istanbul/-"),
        ] {
            let path = found(country, line);
            assert!(path.ends_with(ends), "{line}: {path}");
        }
        for (country, line) in
            [("EG", "Hacienda Bay, Sidi Heneish, North Coast"), ("EG", "Cairo Festival City > Compound")]
        {
            assert_eq!(found(country, line), "none", "{line}");
        }
    }

    #[test]
    fn a_street_is_no_city_and_what_is_unclear_is_no_place() {
        for (country, line) in [
            ("GB", "Oxford Street"),
            ("GB", "Oxford, Nowhere Hamlet"),
            ("GB", "10 Truro"),
            ("US", "12 Elm St, Springfield"),
            ("US", "99999"),
            ("US", "10115 Main Street"),
            ("DE", "Berliner Str. 12345"),
            ("XX", "a, b"),
            ("GB", ""),
        ] {
            assert_eq!(found(country, line), "none", "{country} {line}");
        }
    }
}
