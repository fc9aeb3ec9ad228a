//! A guess and its TOML.

use stoop_domain::Purpose;

/// Minimum score to enable a guess.
pub(super) const SURE: i32 = 60;

/// Fields that may read the same column: one word often contains purpose, status and type.
pub(super) const SHARE: [&str; 3] = ["purpose", "status", "property_type"];

/// A guess of how to fill a field.
#[derive(Clone, Debug)]
pub(super) struct Guess {
    pub(super) field: &'static str,
    /// Columns that it reads.
    pub(super) columns: Vec<String>,
    /// Keys and TOML values of the field's table, except the lookup.
    pub(super) keys: Vec<(&'static str, String)>,
    pub(super) lookup: Option<Lookup>,
    /// Confidence: see [`SURE`].
    pub(super) score: i32,
    /// The evidence in the values.
    pub(super) why: String,
    /// A reason not to enable the guess, whatever its score.
    pub(super) doubt: Option<String>,
}

/// Meaning of an enumeration's texts.
#[derive(Clone, Debug)]
pub(super) struct Lookup {
    /// Text, its meaning if known, and its number of rows.
    pub(super) entries: Vec<(String, Option<&'static str>, usize)>,
    /// Whether other texts mean what Stoop knows of them.
    pub(super) known_words: bool,
    pub(super) otherwise: Option<&'static str>,
    /// Accepted meanings of an entry.
    pub(super) accepted: &'static str,
}

impl Guess {
    /// A field that reads one column as is.
    pub(super) fn of(field: &'static str, column: &str, why: impl Into<String>) -> Self {
        Self {
            field,
            columns: vec![column.to_owned()],
            keys: vec![("from", quoted(column))],
            lookup: None,
            score: 0,
            why: why.into(),
            doubt: None,
        }
    }

    pub(super) fn with(mut self, key: &'static str, text: &str) -> Self {
        self.keys.push((key, quoted(text)));
        self
    }

    pub(super) fn with_list(mut self, key: &'static str, texts: &[String]) -> Self {
        if !texts.is_empty() {
            let quoted: Vec<String> = texts.iter().map(|text| self::quoted(text)).collect();
            self.keys.push((key, format!("[{}]", quoted.join(", "))));
        }
        self
    }

    pub(super) fn doubted(mut self, why: impl Into<String>) -> Self {
        self.doubt.get_or_insert(why.into());
        self
    }

    /// Makes an unreadable value unknown instead of refusing the row.
    pub(super) fn be_lenient(&mut self) {
        if !self.is_lenient() {
            self.keys.push(("lenient", "true".to_owned()));
        }
    }

    pub(super) fn is_lenient(&self) -> bool {
        self.keys.iter().any(|(key, _)| *key == "lenient")
    }

    /// Whether its lookup has rows that mean another purpose.
    pub(super) fn says_other_than(&self, purpose: Option<Purpose>) -> bool {
        let Some(purpose) = purpose else { return false };
        let entries = self.lookup.iter().flat_map(|lookup| &lookup.entries);
        entries.filter(|(.., count)| *count > 0).any(|(_, meaning, _)| meaning.is_some_and(|it| it != purpose.as_str()))
    }

    /// Formats as `{ from = "x", money = "en" }`.
    pub(super) fn table(&self) -> String {
        let keys: Vec<String> = self.keys.iter().map(|(key, value)| format!("{key} = {value}")).collect();
        format!("{{ {} }}", keys.join(", "))
    }
}

/// Quotes a text as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    let plain = |c: char| !c.is_control() && c != '\u{7f}';
    if text.contains(['\\', '"']) && !text.contains('\'') && text.chars().all(plain) {
        return format!("'{text}'");
    }
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// Shortens a text from the sample to one line for a comment.
pub(super) fn shown(text: &str) -> String {
    let plain: String = text.chars().map(|c| if c.is_control() || is_turning(c) { ' ' } else { c }).collect();
    let words = plain.split_whitespace().collect::<Vec<_>>().join(" ");
    if words.chars().count() <= SHOWN_MAX {
        return words;
    }
    words.chars().take(SHOWN_MAX - 1).chain(['…']).collect()
}

const SHOWN_MAX: usize = 60;

/// Characters that change the text direction, or that some readers treat as line ends.
fn is_turning(c: char) -> bool {
    matches!(c, '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// The assignment of columns to fields.
#[derive(Clone, Debug, Default)]
pub(super) struct Chosen {
    /// Enabled, in the order of a map's fields.
    pub(super) sure: Vec<Guess>,
    /// Suggested in comments.
    pub(super) unsure: Vec<Guess>,
    /// For enabled fields: alternative columns.
    pub(super) others: Vec<(&'static str, Vec<String>)>,
    /// Columns that are called like a field and not read: the field, the column and why.
    pub(super) mentions: Vec<(&'static str, String, String)>,
}

impl Chosen {
    /// The column that an enabled field is read from.
    pub(super) fn column_of(&self, field: &str) -> Option<&str> {
        self.sure.iter().find(|guess| guess.field == field)?.columns.first().map(String::as_str)
    }
}

/// The score of a column by its values; `None` if they cannot be the field's. `score` is added to that of the name;
/// `shape` is the score without a matching name.
pub(super) struct Fit {
    pub(super) guess: Guess,
    pub(super) shape: i32,
}

impl Fit {
    pub(super) fn of(guess: Guess, score: i32) -> Option<Self> {
        Some(Self { guess: Guess { score, ..guess }, shape: 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_a_string_of_toml() {
        for text in ["plain", "a \"b\"", "c:\\d", "it's \"x\"\\", "tab\there\nand\u{7}\u{7f}", "é\u{202f}", ""] {
            let read: toml::Table = toml::from_str(&format!("x = {}", quoted(text))).unwrap();
            assert_eq!(read["x"].as_str(), Some(text));
        }
    }

    #[test]
    fn comments_stay_on_their_line() {
        assert_eq!(shown("a\n\u{2028}b\tc"), "a b c");
        assert_eq!(shown(&"x".repeat(80)).chars().count(), SHOWN_MAX);
    }
}
