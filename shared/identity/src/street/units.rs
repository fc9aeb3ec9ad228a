//! Units, buildings, floors and numbers in the words of an address line.

use super::{has_letter, is_number, plain_number};
use crate::words;

/// What was found in a line besides the words of the street.
#[derive(Default)]
pub(super) struct UnitParts {
    pub(super) building: Option<String>,
    pub(super) unit: Option<String>,
    pub(super) floor: Option<String>,
    pub(super) number: Option<String>,
}

impl UnitParts {
    /// Takes units, buildings and floors out of the words of a part.
    pub(super) fn take_from(&mut self, mut words: Vec<String>, country: &str, is_first: bool) -> Vec<String> {
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

/// Whether a word can be the number or letter of a unit: it has a digit, or at most two letters.
fn is_unit_value(word: &str) -> bool {
    word.len() <= 9 && word.bytes().any(|byte| byte.is_ascii_digit())
        || word.len() <= 2 && has_letter(word)
        || words::number_word(word).is_some()
        || words::direction(word).is_some()
        || words::unit_name(word).is_some()
}

/// A unit without punctuation and leading zeros.
pub(super) fn plain(word: &str) -> String {
    if let Some(number) = words::number_word(word) {
        return number.to_string();
    }
    let word = words::direction(word).or_else(|| words::unit_name(word)).unwrap_or(word);
    let plain: String = word.chars().filter(char::is_ascii_alphanumeric).collect();
    let stripped = plain.trim_start_matches('0');
    if stripped.is_empty() { plain } else { stripped.to_owned() }
}
