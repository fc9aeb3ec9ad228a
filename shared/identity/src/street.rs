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
    /// The streets differ in name.
    OtherStreet,
    /// The streets have one name, and differ in type or direction: *N Clark St* and *S Clark St*.
    OtherPart,
}

/// What follows in a line is no address.
const LINE_CHARS_MAX: usize = 160;

/// What was found in a line besides the words of the street.
#[derive(Default)]
struct Found {
    building: Option<String>,
    unit: Option<String>,
    floor: Option<String>,
    number: Option<String>,
}

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
        let mut found = Found::default();
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
        let Found { building, unit, floor, number } = found;
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
        let is_exact = self.name == other.name;
        if contradicts {
            return if is_exact { StreetMatch::OtherPart } else { StreetMatch::OtherStreet };
        }
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
    fn take_number(&mut self, street: &mut Vec<String>, found: &mut Found, (country, region): (&str, &str)) {
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
    fn take_parts_after(&mut self, after: &[Vec<String>], found: &mut Found) {
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
            && (is_number(last) && words::ordinal(last, country).is_none() || last.len() <= 3 && !is_number(last))
            && words::street_type(last).is_none()
            && words::direction(last).is_none()
            && words::street_type(before).is_some()
            && self.number.is_some()
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
            let is_left_out = count > 1 && words::is_small(word, country);
            if !is_left_out {
                let word = match word.as_str() {
                    "saint" | "sankt" if at + 1 < count => "st",
                    "mount" => "mt",
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
    fn take_from(&mut self, mut words: Vec<String>, country: &str, is_first: bool) -> Vec<String> {
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
                    let unit = words::ordinal(&unit, country).unwrap_or(unit);
                    let unit = rest_of_unit(unit, &mut words);
                    self.unit.get_or_insert(unit);
                }
            } else if words::ordinal(&word, country).is_some()
                && !is_number(&word)
                && next.as_deref().is_some_and(words::is_floor)
            {
                words.pop();
                self.floor = self.floor.take().or_else(|| words::ordinal(&word, country));
            } else if words::introduces_building(&word) && value.is_some_and(|value| value.len() <= 5) {
                let building = words.pop().unwrap_or_default();
                self.building.get_or_insert(plain(&building));
            } else if words::introduces_number(&word) && next.as_deref().is_some_and(is_number) {
                let number = words.pop().unwrap_or_default();
                self.number.get_or_insert(plain_number(&number));
            } else if let Some(name) =
                words::unit_name(&word).filter(|_| !left.is_empty() || words.len() <= 1 && !is_first)
            {
                let value = value.filter(|value| is_number(value)).map(plain).inspect(|_| drop(words.pop()));
                self.unit.get_or_insert(format!("{name}{}", value.unwrap_or_default()));
            } else {
                left.push(word);
            }
        }
        left
    }
}

/// A unit of several words at the end of its part: *B 12*, *1203 A*, *1 Rear*. `words` are those after it, the next one last.
fn rest_of_unit(first: String, words: &mut Vec<String>) -> String {
    let is_more =
        |word: &String| word.len() == 1 || is_number(word) && word.len() <= 4 || words::unit_name(word).is_some();
    let mut unit = plain(&first);
    if words.len() <= 2 && words.iter().all(is_more) {
        while let Some(word) = words.pop() {
            unit.push_str(&plain(&word));
        }
    }
    unit
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

/// Whether a word can be the number or letter of a unit: it has a digit, or at most two letters.
fn is_unit_value(word: &str) -> bool {
    word.len() <= 9 && word.bytes().any(|byte| byte.is_ascii_digit())
        || word.len() <= 2 && has_letter(word)
        || words::number_word(word).is_some()
        || words::direction(word).is_some()
        || words::unit_name(word).is_some()
}

/// A unit without punctuation and leading zeros.
fn plain(word: &str) -> String {
    if let Some(number) = words::number_word(word) {
        return number.to_string();
    }
    let word = words::direction(word).or_else(|| words::unit_name(word)).unwrap_or(word);
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
        // "1200-02" is 1200 to 1202.
        let to = if to.len() < from.len() { format!("{}{to}", &from[..from.len() - to.len()]) } else { to.to_owned() };
        Some((from.parse::<u32>().ok()?, to.parse::<u32>().ok()?))
    };
    let lies_in = |range: Option<(u32, u32)>, number: &str| {
        range.zip(number.parse().ok()).is_some_and(|((from, to), number)| (from..=to).contains(&number))
    };
    a == b || lies_in(range(a), b) || lies_in(range(b), a)
}

/// Whether one name is the other with a letter left out, added, replaced or swapped. Short names, and those that differ in a
/// digit, are not.
fn is_near(a: &str, b: &str) -> bool {
    let digits = |name: &str| name.chars().filter(char::is_ascii_digit).collect::<String>();
    let is_long = a.len().min(b.len()) >= 5 && a.len().max(b.len()) <= 40;
    // A mistake is seldom in the first letter: *Northwood* is not *Southwood*.
    let begins_alike = a.chars().next() == b.chars().next();
    is_long
        && begins_alike
        && a.len().abs_diff(b.len()) <= 1
        && digits(a) == digits(b)
        && strsim::osa_distance(a, b) <= 1
}

#[cfg(test)]
mod tests;
