//! How two street addresses agree.

use super::StreetAddress;

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

impl StreetAddress {
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

    /// Whether the names are so different that mistakes in both do not explain it.
    pub(crate) fn has_another_name(&self, other: &Self) -> bool {
        let (a, b) = (&self.name, &other.name);
        a.chars().next() != b.chars().next()
            || digits(a) != digits(b)
            || a.len().abs_diff(b.len()) > 3
            || strsim::osa_distance(a, b) > 3
    }
}

fn digits(name: &str) -> String {
    name.chars().filter(char::is_ascii_digit).collect()
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
    let is_long = a.len().min(b.len()) >= 5 && a.len().max(b.len()) <= 40;
    // A mistake is seldom in the first letter: *Northwood* is not *Southwood*.
    let begins_alike = a.chars().next() == b.chars().next();
    is_long
        && begins_alike
        && a.len().abs_diff(b.len()) <= 1
        && digits(a) == digits(b)
        && strsim::osa_distance(a, b) <= 1
}
