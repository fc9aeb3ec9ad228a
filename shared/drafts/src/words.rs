//! Splits the names of columns into words, so that `listPriceUSD`, `list_price` and `Listing-Price` compare equal.

use stoop_sources::text::{fold, is_mark};

/// Path segments without meaning of their own: the segment above counts.
const EMPTY: [&str; 22] = [
    "value",
    "amount",
    "text",
    "raw",
    "formatted",
    "display",
    "label",
    "name",
    "href",
    "src",
    "url",
    "uri",
    "node",
    "data",
    "attributes",
    "content",
    "number",
    "code",
    "type",
    "key",
    "unix",
    "epoch",
];

/// What a page of schema.org is about: it says nothing of its parts.
const MAIN: &str = "mainEntity";

/// The words of a column's name.
#[derive(Clone, Debug, Default)]
pub(super) struct Words {
    /// Words of the last path segment.
    pub(super) last: Vec<String>,
    /// Words of the segments above, outermost first.
    pub(super) above: Vec<Vec<String>>,
    /// The last segment, and the last two together, without separators.
    joined: (String, String),
}

/// A possible name of a column.
pub(super) struct Phrase {
    pub(super) words: Vec<&'static str>,
    joined: String,
}

impl Phrase {
    pub(super) fn of(text: &'static str) -> Self {
        let words: Vec<&str> = text.split(' ').collect();
        Self { joined: words.concat(), words }
    }

    /// Its words without anything between.
    pub(super) fn joined(&self) -> &str {
        &self.joined
    }
}

impl Words {
    pub(super) fn of(path: &[String]) -> Self {
        let mut segments: Vec<Vec<String>> = path
            .iter()
            .filter(|key| !is_position(key) && *key != MAIN)
            .map(|key| split(key))
            .filter(|words| !words.is_empty())
            .collect();
        let last = segments.pop().unwrap_or_default();
        let joined = last.concat();
        let with_parent = segments.last().map_or(String::new(), |parent| parent.concat() + &joined);
        Self { last, above: segments, joined: (joined, with_parent) }
    }

    /// This name with another last segment; without one, the segment above is the last.
    pub(super) fn with_last(&self, last: Vec<String>) -> Self {
        let mut above = self.above.clone();
        let last = if last.is_empty() { above.pop().unwrap_or_default() } else { last };
        let joined = last.concat();
        let with_parent = above.last().map_or(String::new(), |parent| parent.concat() + &joined);
        Self { last, above, joined: (joined, with_parent) }
    }

    /// How well `phrase` fits this name, from 0 to 100.
    pub(super) fn likeness(&self, phrase: &Phrase) -> i32 {
        // Names are often written as one word, like zipcode, so joined words count too.
        let own = if self.joined.0 == phrase.joined { 100 } else { like(&self.last, &phrase.words) };
        let Some(parent) = self.above.last() else { return own };
        let whole = if self.joined.1 == phrase.joined { 95 } else { 0 };
        let empty = self.says_nothing();
        let of_parent = if parent.concat() == phrase.joined { 100 } else { like(parent, &phrase.words) };
        let above = if empty { of_parent - 10 } else { 0 };
        own.max(whole).max(above)
    }

    /// Whether the last segment has no meaning of its own: `/price/value`.
    pub(super) fn says_nothing(&self) -> bool {
        let is_empty = |word: &String| EMPTY.contains(&word.as_str()) || matches!(word.as_str(), "main" | "current");
        !self.last.is_empty() && self.last.iter().all(is_empty)
    }

    /// Whether any of `words` is in the last segment or the one above.
    pub(super) fn have(&self, words: &[&str]) -> bool {
        self.last.iter().chain(self.above.last().into_iter().flatten()).any(|word| words.contains(&word.as_str()))
    }
}

/// How well a phrase fits a name.
fn like(name: &[String], phrase: &[&str]) -> i32 {
    // Quick exit: most names do not contain the first word of most phrases.
    if !phrase.first().is_some_and(|first| name.iter().any(|word| word == first)) {
        return 0;
    }
    let at = |place: usize| name.get(place..place + phrase.len()).is_some_and(|part| part == phrase);
    if name == phrase {
        100
    } else if name.len() > phrase.len() && at(name.len() - phrase.len()) {
        82
    } else if at(0) {
        72
    } else if (0..name.len()).any(at) {
        60
    } else if phrase.len() > 1 && phrase.iter().all(|word| name.iter().any(|own| own == word)) {
        58
    } else {
        0
    }
}

/// Splits a name into words: at punctuation, before capitals, and before the last of several capitals (`MLSNumber`).
/// Lower case, without accents.
pub(super) fn split(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().take(200).collect();
    let mut words = Vec::new();
    let mut word = String::new();
    for (at, c) in letters.iter().enumerate() {
        if is_mark(*c) {
            continue;
        }
        // ㎡ is one sign, and a word of its own.
        if !c.is_alphanumeric() && *c != '㎡' {
            words.push(std::mem::take(&mut word));
            // "MLS #" is the number of the MLS.
            if matches!(c, '#' | '№') {
                words.push("number".to_owned());
            }
            continue;
        }
        let before = at.checked_sub(1).map(|before| letters[before]);
        let starts = c.is_uppercase()
            && (before.is_some_and(|b| b.is_lowercase() || b.is_ascii_digit())
                || (before.is_some_and(char::is_uppercase)
                    && letters.get(at + 1).is_some_and(|next| next.is_lowercase())));
        if starts {
            words.push(std::mem::take(&mut word));
        }
        fold(*c, &mut word);
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

fn is_position(key: &str) -> bool {
    !key.is_empty() && key.len() < 4 && key.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(path: &[&str]) -> Words {
        Words::of(&path.iter().map(|key| (*key).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn names_are_cut_where_their_words_end() {
        assert_eq!(split("listPriceUSD"), ["list", "price", "usd"]);
        assert_eq!(split("MLSNumber"), ["mls", "number"]);
        assert_eq!(split("Nb. de salles_de-bains"), ["nb", "de", "salles", "de", "bains"]);
        assert_eq!(split("Wohnfläche m²"), ["wohnflache", "m2"]);
        assert_eq!(split("@odata.nextLink"), ["odata", "next", "link"]);
        assert_eq!(split("MLS #"), ["mls", "number"]);
        assert_eq!(split("MLS#"), ["mls", "number"]);
        assert!(split("—").is_empty());
    }

    #[test]
    fn a_name_is_as_like_a_phrase_as_it_has_of_it() {
        let like = |path: &[&str], phrase: &'static str| words(path).likeness(&Phrase::of(phrase));
        assert_eq!(like(&["zipcode"], "zip code"), 100);
        assert_eq!(like(&["price", "amount"], "price"), 90);
        assert_eq!(like(&["address", "city"], "city"), 100);
        assert_eq!(like(&["salesPrice"], "price"), 82);
        assert_eq!(like(&["priceText"], "price"), 72);
        assert_eq!(like(&["photos", "0", "href"], "photos"), 90);
        assert_eq!(like(&["colour"], "price"), 0);
        assert_eq!(like(&[], "price"), 0);
    }
}
