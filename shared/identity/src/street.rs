//! Street addresses in one form, so that spellings of one address are equal.

use stoop_gazetteer::slug;

use crate::words;

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

/// How two street addresses agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StreetMatch {
    /// Street and number are equal.
    Number,
    /// The numbers are equal, and the names differ by a letter or two, or one lacks its direction or type.
    Misspelt,
    /// The streets are equal, and one address has no number.
    Street,
    /// The streets are equal and the numbers differ.
    OtherNumber,
    /// The streets differ.
    OtherStreet,
}

/// What was found in a line besides the words of the street.
#[derive(Default)]
struct Found {
    building: Option<String>,
    unit: Option<String>,
    floor: Option<String>,
    number: Option<String>,
}

impl StreetAddress {
    /// Reads an address line. `country` is an ISO 3166-1 alpha-2 code: it decides what `12-34` and `12/34` mean.
    ///
    /// Returns `None` if the line has no street, or only says that the address is on request.
    #[must_use]
    pub fn parse(line: &str, country: &str) -> Option<Self> {
        let line = line.to_lowercase().replace('\u{bd}', " 1/2").replace('\u{bc}', " 1/4").replace('\u{be}', " 3/4");
        if words::is_withheld(&line) {
            return None;
        }
        let mut found = Found::default();
        let parts = line.split([',', ';', '\n', '(', ')']).map(tokens);
        let mut parts: Vec<Vec<String>> =
            parts.map(|part| found.take_from(part, country)).filter(|part| !part.is_empty()).collect();
        // "12, avenue Hassan II"
        if parts.len() > 1 && parts[0].len() == 1 && is_number(&parts[0][0]) {
            let number = parts.remove(0);
            parts[0].splice(0..0, number);
        }
        let at = parts.iter().position(|part| part.iter().any(|word| word.len() > 1 && has_letter(word)))?;
        let after = parts.split_off(at + 1);
        let mut street = parts.pop()?;
        let mut address = Self::default();
        address.take_number(&mut street, &mut found, country);
        address.take_parts_after(&after, &mut found);
        address.take_name(street, &mut found, country);
        let Found { building, unit, floor, number } = found;
        address.number = address.number.or(number);
        address.floor = floor;
        address.unit = match (building, unit) {
            (Some(building), Some(unit)) => Some(format!("{building} {unit}")),
            (building, unit) => unit.or(building),
        };
        (!address.name.is_empty()).then_some(address)
    }

    /// How this address agrees with another one in the same city or postal code. Units are compared by themselves.
    #[must_use]
    pub fn compare(&self, other: &Self) -> StreetMatch {
        let numbers = match (&self.number, &other.number) {
            (Some(a), Some(b)) => Some(is_same_number(a, b)),
            _ => None,
        };
        let differs = |a: Option<&str>, b: Option<&str>| a.zip(b).is_some_and(|(a, b)| a != b);
        let contradicts = differs(self.street_type, other.street_type)
            || (!self.directions.is_empty() && !other.directions.is_empty() && self.directions != other.directions);
        if contradicts {
            return StreetMatch::OtherStreet;
        }
        let is_exact = self.name == other.name;
        let is_whole = self.street_type == other.street_type && self.directions == other.directions;
        if !is_exact && !is_near(&self.name, &other.name) {
            return StreetMatch::OtherStreet;
        }
        match numbers {
            Some(true) if is_exact && is_whole => StreetMatch::Number,
            Some(true) => StreetMatch::Misspelt,
            // Nearly equal names with other numbers are two streets.
            _ if !is_exact => StreetMatch::OtherStreet,
            Some(false) => StreetMatch::OtherNumber,
            None => StreetMatch::Street,
        }
    }

    /// Takes the house number out of the words of the street.
    fn take_number(&mut self, street: &mut Vec<String>, found: &mut Found, country: &str) {
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
        if street.get(at).is_some_and(|word| matches!(word.as_str(), "1/2" | "1/4" | "3/4")) {
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
            ("US", None, Some((block, house))) if has_digits(block) && has_digits(house) => {
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
    fn take_parts_after(&mut self, after: &[Vec<String>], found: &mut Found) {
        for part in after {
            let [first, rest @ ..] = part.as_slice() else { continue };
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

    /// Takes type, directions and name from the words of the street.
    fn take_name(&mut self, mut street: Vec<String>, found: &mut Found, country: &str) {
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
            && last.starts_with(|c: char| c.is_ascii_digit())
            && words::ordinal(last, country).is_none()
            && words::street_type(before).is_some()
        {
            found.unit = street.pop().as_deref().map(plain);
        }
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
            let is_left_out = count > 1 && words::is_small(word);
            if !is_left_out {
                let word = if at + 1 < count && matches!(word.as_str(), "saint" | "sankt") { "st" } else { word };
                name.push_str(&words::ordinal(word, country).unwrap_or_else(|| word.to_owned()));
            }
        }
        if name.is_empty() {
            name = street.concat();
        }
        // German streets have their type in the name: "Hauptstr." is "Hauptstra\u{df}e".
        if self.street_type.is_none() && name.len() > 5 {
            if let Some(stem) = name.strip_suffix("str") {
                name = format!("{stem}strasse");
            }
        } else if self.street_type == Some("st") && count == 1 && name.len() > 3 {
            // "Haupt Str."
            self.street_type = Some("st");
        }
        self.name = name;
    }
}

impl Found {
    /// Takes units, buildings and floors out of the words of a part.
    fn take_from(&mut self, mut words: Vec<String>, country: &str) -> Vec<String> {
        let mut left: Vec<String> = Vec::with_capacity(words.len());
        words.reverse();
        while let Some(word) = words.pop() {
            let next = words.last().cloned();
            let value = next.as_deref().filter(|next| is_unit_value(next));
            if words::introduces_unit(&word)
                && next.as_deref().is_some_and(|next| is_number(next) && next.contains('/'))
            {
                // "Unit 4/12 High St" says both.
            } else if words::is_ground_floor(&word) {
                self.floor.get_or_insert("0".to_owned());
            } else if words::is_floor(&word) && (value.is_some() || left.last().is_some_and(|left| is_number(left))) {
                // "3rd floor", "floor 3"; "12 3rd floor" keeps its 12.
                let before = left.last().filter(|left| is_number(left)).cloned();
                let floor = before.inspect(|_| drop(left.pop())).or_else(|| words.pop());
                self.floor = self
                    .floor
                    .take()
                    .or(floor.map(|floor| words::ordinal(&floor, country).unwrap_or_else(|| plain(&floor))));
            } else if words::introduces_unit(&word)
                && (word != "u" || value.is_some_and(is_number))
                && (value.is_some()
                    || next.as_deref().is_some_and(|next| next == "#" || words::introduces_number(next)))
            {
                while words
                    .last()
                    .is_some_and(|next| next == "#" || words::introduces_number(next) || words::introduces_unit(next))
                {
                    words.pop();
                }
                if let Some(unit) = words.pop() {
                    self.unit.get_or_insert(plain(&unit));
                }
            } else if words::introduces_building(&word) && value.is_some_and(|value| value.len() <= 4) {
                let building = words.pop().unwrap_or_default();
                self.building.get_or_insert(plain(&building));
            } else if words::introduces_number(&word) && next.as_deref().is_some_and(is_number) {
                let number = words.pop().unwrap_or_default();
                self.number.get_or_insert(plain_number(&number));
            } else if let Some(name) = words::unit_name(&word).filter(|_| !left.is_empty()) {
                let value = value.filter(|value| is_number(value)).map(plain).inspect(|_| drop(words.pop()));
                self.unit.get_or_insert(format!("{name}{}", value.unwrap_or_default()));
            } else {
                left.push(word);
            }
        }
        left
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
        } else {
            tokens.extend(slug(word).split('-').filter(|word| !word.is_empty()).map(str::to_owned));
        }
    }
    tokens
}

fn has_letter(word: &str) -> bool {
    word.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn is_number(word: &str) -> bool {
    word.starts_with(|c: char| c.is_ascii_digit())
}

/// Whether a word can be the number or letter of a unit: it has a digit, or at most two letters.
fn is_unit_value(word: &str) -> bool {
    word.len() <= 6 && word.bytes().any(|byte| byte.is_ascii_digit()) || word.len() <= 2 && has_letter(word)
}

/// A unit without punctuation and leading zeros.
fn plain(word: &str) -> String {
    let plain: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    let stripped = plain.trim_start_matches('0');
    if stripped.is_empty() { plain } else { stripped.to_owned() }
}

/// A house number without leading zeros.
fn plain_number(word: &str) -> String {
    let stripped = word.trim_start_matches('0');
    if stripped.is_empty() { word.to_owned() } else { stripped.to_owned() }
}

/// Whether numbers are equal, or one is in the range of the other: 12 and 12-14.
fn is_same_number(a: &str, b: &str) -> bool {
    let range = |number: &str| {
        let (from, to) = number.split_once('-')?;
        Some((from.parse::<u32>().ok()?, to.parse::<u32>().ok()?))
    };
    let lies_in = |range: Option<(u32, u32)>, number: &str| {
        range.zip(number.parse().ok()).is_some_and(|((from, to), number)| (from..=to).contains(&number))
    };
    a == b || lies_in(range(a), b) || lies_in(range(b), a)
}

/// Whether one name is a misspelling of the other. Short names, and those that differ in a digit, are not.
fn is_near(a: &str, b: &str) -> bool {
    let digits = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
    let typos = match a.len().min(b.len()) {
        0..=4 => return false,
        5..=8 => 1,
        _ => 2,
    };
    a.len().abs_diff(b.len()) <= typos && digits(a) == digits(b) && strsim::osa_distance(a, b) <= typos
}

#[cfg(test)]
mod tests;
