//! Street addresses in one form, so that spellings of one address are equal.

use stoop_gazetteer::slug;

use crate::words;
use units::{UnitParts, plain};

mod agreement;
mod units;

pub use agreement::StreetMatch;

/// A street address: what is left of an address line without city, region and postal code.
///
/// Spellings of one address give equal parts: case, diacritics, punctuation, abbreviations and ordinals do not count.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreetAddress {
    /// The house number with its letter or fraction: `12`, `12a`, `5 1/2`, `12-14`.
    pub number: Option<String>,
    /// The street's name without its type and directions, as one word: `martinlutherking`.
    pub name: String,
    /// The street's type in one form: `ave` for *Avenue*, *Av.* and *Ave*.
    pub street_type: Option<&'static str>,
    /// Directions before and after the name, in this order: `n`, `nw`.
    pub directions: Vec<&'static str>,
    /// The unit in its building: `4b`; with the building, if one is said: `2 4b`.
    pub unit: Option<String>,
    /// The floor, if the line says one: `0` is the ground floor.
    pub floor: Option<String>,
}

/// What follows in a line is no address.
const LINE_CHARS_MAX: usize = 160;

impl StreetAddress {
    /// Reads an address line; of a long one, the first 160 characters. `country` is an ISO 3166-1 alpha-2 code, perhaps with a
    /// region, as in `US-NY`: they decide what `12-34` and `12/34` mean.
    ///
    /// Returns `None` if the line has no street, or only says that the address is on request.
    #[must_use]
    pub fn parse(line: &str, country: &str) -> Option<Self> {
        let (country, region) = country.split_once('-').unwrap_or((country, ""));
        let line: String = line.chars().take(LINE_CHARS_MAX).collect();
        let line = line.to_lowercase().replace('\u{bd}', " 1/2").replace('\u{bc}', " 1/4").replace('\u{be}', " 3/4");
        if words::is_withheld(&line) {
            return None;
        }
        let mut found = UnitParts::default();
        let parts = line.split([',', ';', '\n', '(', ')']).map(tokens);
        let mut parts: Vec<Vec<String>> = parts
            .enumerate()
            .map(|(at, part)| found.take_from(part, country, at == 0))
            .filter(|part| !part.is_empty())
            .collect();
        // "12, avenue Hassan II"
        if parts.len() > 1 && parts[0].len() == 1 && is_number(&parts[0][0]) {
            let number = parts.remove(0);
            parts[0].splice(0..0, number);
        }
        // The part with a number, or else the first with a word: a building's name may come before.
        let has_word = |part: &Vec<String>| part.iter().any(|word| word.chars().count() > 1 && has_letter(word));
        let first = parts.iter().position(has_word)?;
        let is_numbered = |part: &Vec<String>| has_word(part) && part.iter().any(|word| is_number(word));
        let is_street = |part: &[String]| part.iter().any(|word| words::street_type(word).is_some());
        let at = match parts.get(first + 1) {
            Some(next)
                if !is_numbered(&parts[first]) && !is_street(&parts[first]) && is_numbered(next) && is_street(next) =>
            {
                first + 1
            }
            _ => first,
        };
        let after = parts.split_off(at + 1);
        let mut street = parts.pop()?;
        let mut address = Self::default();
        drop_city(&mut street);
        address.take_number(&mut street, &mut found, (country, region));
        address.take_parts_after(&after, &mut found);
        address.take_name(street, &mut found, country);
        let UnitParts { building, unit, floor, number } = found;
        address.number = address.number.or(number);
        address.floor = floor;
        address.unit = match (building, unit) {
            (Some(building), Some(unit)) => Some(format!("{building} {unit}")),
            (building, unit) => unit.or(building),
        };
        // A name alone is that of a place.
        let is_street = address.number.is_some() || address.street_type.is_some() || is_german_street(&address.name);
        let is_zero = address.number.as_deref() == Some("0");
        (!address.name.is_empty() && is_street && !is_zero).then_some(address)
    }

    /// Takes the house number out of the words of the street.
    fn take_number(&mut self, street: &mut Vec<String>, found: &mut UnitParts, (country, region): (&str, &str)) {
        let first = street.first().filter(|word| is_number(word) && words::ordinal(word, country).is_none());
        let leads = first.is_some() && street.len() > 1;
        let at = if leads {
            Some(0)
        } else {
            // "Hauptstr. 12 a": the last number that is no part of a name.
            let is_road = |at: usize| (0..at).any(|from| words::numbered_road(&street[from..=at]).is_some());
            (1..street.len())
                .rev()
                .find(|at| is_number(&street[*at]) && words::ordinal(&street[*at], country).is_none() && !is_road(*at))
        };
        let Some(at) = at else { return };
        let mut number = street.remove(at);
        let is_letter = |word: &String| word.len() == 1 && has_letter(word) && words::direction(word).is_none();
        let is_name = street.get(1).is_some_and(|word| words::street_type(word).is_some());
        let is_part = street.len() > 2 && street.first().is_some_and(is_letter) && !is_name;
        if leads && is_part && words::numbered_road(street).is_none() {
            // "1511 A Maple St"; "12 A St" has two words.
            number.push_str(&street.remove(0));
        } else if street.get(at).is_some_and(|word| matches!(word.as_str(), "1/2" | "1/4" | "3/4")) {
            number = format!("{number} {}", street.remove(at));
        } else if street.get(at).is_some_and(|word| {
            let is_letter = !leads && at + 1 == street.len() && word.len() == 1 && has_letter(word);
            is_letter || matches!(word.as_str(), "bis" | "ter")
        }) {
            number.push_str(&street.remove(at));
        }
        let has_digits = |text: &str| text.bytes().any(|b| b.is_ascii_digit());
        match (country, number.split_once('/'), number.split_once('-')) {
            // A unit in an Australian building, a door in an Austrian one.
            ("AU" | "NZ" | "IE", Some((unit, house)), _) if has_digits(house) && !number.contains(' ') => {
                found.unit.get_or_insert(plain(unit));
                self.number = Some(plain_number(house));
            }
            (_, Some((house, unit)), _) if !number.contains(' ') => {
                found.unit.get_or_insert(plain(unit));
                self.number = Some(plain_number(house));
            }
            ("CA", None, Some((unit, house))) => {
                found.unit.get_or_insert(plain(unit));
                self.number = Some(plain_number(house));
            }
            // In Queens, 37-12 is one number, and some write 3712.
            ("US", None, Some((block, house))) if region == "NY" && has_digits(block) && has_digits(house) => {
                self.number = Some(format!("{block}{house}"));
            }
            // "12-4b" where the second is no number of a range
            ("NL", None, Some((house, unit))) => {
                found.unit.get_or_insert(plain(unit));
                self.number = Some(plain_number(house));
            }
            _ => self.number = Some(plain_number(&number)),
        }
    }

    /// Takes number and unit from the parts after the street: *Calle Mayor, 12, 3\u{ba} B*, *123 Main St, 4B*.
    fn take_parts_after(&mut self, after: &[Vec<String>], found: &mut UnitParts) {
        for part in after {
            let [first, rest @ ..] = part.as_slice() else { continue };
            // ", A" and ", P1204"
            let is_unit = rest.is_empty()
                && (first.len() == 1 || first.len() <= 6 && first.contains(|c: char| c.is_ascii_digit()));
            if is_unit && has_letter(first) && !is_number(first) {
                found.unit.get_or_insert(plain(first));
                continue;
            }
            if !first.starts_with(|c: char| c.is_ascii_digit()) || first.len() > 4 || rest.len() > 1 {
                continue;
            }
            let is_short = rest.iter().all(|word| word.len() <= 4 && words::street_type(word).is_none());
            if self.number.is_none() && found.number.is_none() && rest.is_empty() {
                self.number = Some(plain_number(first));
            } else if is_short && found.unit.is_none() {
                found.unit = Some(plain(&part.concat()));
            }
        }
    }

    /// Takes the directions before and after the name. *E St* and *Avenue E* are names.
    fn take_directions(&mut self, street: &mut Vec<String>) {
        let mut lasts = Vec::new();
        while street.len() > 1
            && let Some(direction) = street.last().and_then(|word| words::direction(word))
            // "Avenue E" is a name.
            && !(street.len() == 2 && words::street_type(&street[0]).is_some())
        {
            lasts.push(direction);
            street.pop();
        }
        while street.len() > 1
            && let Some(direction) = words::direction(&street[0])
            // "E St" is a name.
            && !(street.len() == 2 && words::street_type(&street[1]).is_some())
        {
            self.directions.push(direction);
            street.remove(0);
        }
        self.directions.extend(lasts);
        self.directions.sort_unstable();
    }

    /// Takes type, directions and name from the words of the street.
    fn take_name(&mut self, mut street: Vec<String>, found: &mut UnitParts, country: &str) {
        for at in 0..street.len() {
            if let Some((form, count)) = words::numbered_road(&street[at..]) {
                street.splice(at..at + count, [form.to_owned()]);
                break;
            }
        }
        // A unit without a word before it: "123 Main St 4B".
        if street.len() > 2
            && found.unit.is_none()
            && let [.., before, last] = street.as_slice()
            && (is_number(last) && words::ordinal(last, country).is_none() || last.len() <= 3 && !is_number(last))
            && words::street_type(last).is_none()
            && words::direction(last).is_none()
            && words::street_type(before).is_some()
            && self.number.is_some()
        {
            found.unit = street.pop().as_deref().map(plain);
        }
        self.take_directions(&mut street);
        if street.len() > 1 {
            let last = street.last().and_then(|word| words::street_type(word));
            let first = words::street_type(&street[0]).filter(|first| words::stands_before_name(first));
            if let Some(last) = last.filter(|last| first.is_none_or(|_| !words::only_before_name(last))) {
                self.street_type = Some(last);
                street.pop();
            } else if let Some(first) = first {
                self.street_type = Some(first);
                street.remove(0);
            }
        }
        let count = street.len();
        let mut name = String::new();
        for (at, word) in street.iter().enumerate() {
            let is_left_out = count > 1 && words::is_small(word, country);
            if !is_left_out {
                let word = match word.as_str() {
                    "saint" | "sankt" if at + 1 < count => "st",
                    "mount" => "mt",
                    "fort" => "ft",
                    "highway" => "hwy",
                    "jr" | "junior" if at > 0 => continue,
                    word if count == 1 => words::direction(word).unwrap_or(word),
                    word => word,
                };
                name.push_str(&words::ordinal(word, country).unwrap_or_else(|| word.to_owned()));
            }
        }
        if name.is_empty() {
            name = street.concat();
        }
        // German streets have their type in the name: "Hauptstr." is "Hauptstra\u{df}e".
        if self.street_type.is_none()
            && name.len() > 5
            && let Some(stem) = name.strip_suffix("str")
        {
            name = format!("{stem}strasse");
        }
        self.name = name;
    }
}

/// The words of a part of a line; `#` is a word of its own.
fn tokens(part: &str) -> Vec<String> {
    let spaced = part
        .replace('#', " # ")
        .replace("n\u{b0}", " no ")
        .replace("n\u{ba}", " no ")
        .replace(['\u{b0}', '\u{ba}', '\u{aa}'], " ");
    let mut tokens = Vec::new();
    for word in spaced.split_whitespace() {
        if word == "#" {
            tokens.push(word.to_owned());
        } else if word.starts_with(|c: char| c.is_ascii_digit()) {
            let number: String = word.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '/')).collect();
            tokens.push(number.trim_matches(['-', '/']).to_owned());
        } else if let Some((letters, number)) = word.split_once('-')
            && letters.len() <= 2
            && letters.bytes().all(|byte| byte.is_ascii_alphabetic())
            && is_number(number)
            && !words::begins_road(letters)
        {
            // "B-12" is a unit.
            tokens.push(format!("{letters}{}", number.trim_matches(|c: char| !c.is_ascii_alphanumeric())));
        } else {
            tokens.extend(slug(word).split('-').filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
    tokens
}

fn has_letter(word: &str) -> bool {
    word.contains(char::is_alphabetic)
}

/// Takes city, state and ZIP code off the end of a part that has them without a comma: *1000 MAIN ST CHICAGO IL 60614*.
fn drop_city(street: &mut Vec<String>) {
    let is_zip = |word: &String| word.len() >= 5 && word.bytes().take(5).all(|byte| byte.is_ascii_digit());
    let has_zip = street.len() > 3 && street.last().is_some_and(is_zip);
    if has_zip {
        street.pop();
        if street.last().is_some_and(|state| state.len() == 2) {
            street.pop();
        }
    }
    // Words after the last type of a street that has a number and a name.
    let Some(at) = street.iter().rposition(|word| words::street_type(word).is_some()) else { return };
    let is_city = |word: &String| word.len() > 3 && !is_number(word) && words::direction(word).is_none();
    let names = if is_number(&street[0]) { 2 } else { 1 };
    if at >= names && (has_zip || names == 2) && street.len() > at + 1 && street[at + 1..].iter().all(is_city) {
        street.truncate(at + 1);
    }
}

fn is_german_street(name: &str) -> bool {
    ["strasse", "gasse", "weg", "platz", "allee", "straat", "gatan", "vej"]
        .iter()
        .any(|end| name.len() > end.len() && name.ends_with(end))
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// A house number without leading zeros.
fn plain_number(word: &str) -> String {
    let stripped = word.trim_start_matches('0');
    if stripped.is_empty() { word.to_owned() } else { stripped.to_owned() }
}

#[cfg(test)]
mod tests;
