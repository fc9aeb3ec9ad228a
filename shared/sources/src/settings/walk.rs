use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::mistakes::{MapErrors, Mistake, accepted};

/// Collects mistakes while walking a document.
pub struct Mistakes<'t> {
    file: &'t str,
    text: &'t str,
    found: Vec<Mistake>,
}

/// A table of the document and its path.
#[derive(Clone)]
pub struct Section<'d> {
    table: &'d DeTable<'d>,
    path: String,
    line: usize,
}

/// A value of the document and its line.
#[derive(Clone, Copy)]
pub struct Value<'d> {
    pub value: &'d DeValue<'d>,
    /// Line, from 1.
    pub line: usize,
}

impl<'t> Mistakes<'t> {
    /// Creates an empty collection for the file of this name and text.
    #[must_use]
    pub fn new(file: &'t str, text: &'t str) -> Self {
        Self { file, text, found: Vec::new() }
    }

    /// Adds a mistake.
    pub fn add(&mut self, line: usize, key: impl Into<String>, problem: impl Into<String>) {
        self.found.push(Mistake { file: self.file.to_owned(), line, key: key.into(), problem: problem.into() });
    }

    /// Returns the line on which a span begins, from 1.
    #[must_use]
    pub fn line(&self, span: Range<usize>) -> usize {
        1 + self.text.as_bytes()[..span.start.min(self.text.len())].iter().filter(|b| **b == b'\n').count()
    }

    /// Whether there are no mistakes so far.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Number of mistakes so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.found.len()
    }

    /// Removes all but the first `len` mistakes.
    pub fn truncate(&mut self, len: usize) {
        self.found.truncate(len);
    }

    /// Returns all mistakes sorted by line, without duplicates.
    #[must_use]
    pub fn into_errors(mut self) -> MapErrors {
        self.found.sort();
        self.found.dedup();
        MapErrors(self.found)
    }
}

impl<'d> Section<'d> {
    /// The root table of the document.
    #[must_use]
    pub fn root(table: &'d DeTable<'d>) -> Self {
        Self { table, path: String::new(), line: 1 }
    }

    /// The line on which the section begins.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The full name of `key`, such as `fields.list_price.money`.
    #[must_use]
    pub fn key(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    /// The path of the section.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Adds a mistake for every key that is not in `known`.
    pub fn only(&self, known: &[&str], mistakes: &mut Mistakes<'_>) {
        for (key, _) in self.table {
            let name: &str = key.get_ref();
            if !known.contains(&name) {
                let line = mistakes.line(key.span());
                mistakes.add(
                    line,
                    self.key(name),
                    format!("there is no such key; {}", accepted(name, known.iter().copied())),
                );
            }
        }
    }

    /// The keys sorted by name, with their lines.
    #[must_use]
    pub fn keys(&self, mistakes: &Mistakes<'_>) -> Vec<(&'d str, usize)> {
        self.table.iter().map(|(key, _)| (&**key.get_ref(), mistakes.line(key.span()))).collect()
    }

    /// Returns the value of `key`, of any type.
    #[must_use]
    pub fn value(&self, key: &str, mistakes: &Mistakes<'_>) -> Option<Value<'d>> {
        let value = self.table.get(key)?;
        Some(Value { value: value.get_ref(), line: mistakes.line(value.span()) })
    }

    /// Whether `key` exists.
    #[must_use]
    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Reads a text and its line.
    pub fn text(&self, key: &str, mistakes: &mut Mistakes<'_>) -> Option<(&'d str, usize)> {
        let value = self.value(key, mistakes)?;
        let text = value.value.as_str();
        if text.is_none() {
            self.wrong_kind(key, value, "a text in quotes", mistakes);
        }
        text.map(|text| (text, value.line))
    }

    /// Reads one text or a list of texts.
    pub fn texts(&self, key: &str, mistakes: &mut Mistakes<'_>) -> Option<Vec<(&'d str, usize)>> {
        let value = self.value(key, mistakes)?;
        if let Some(text) = value.value.as_str() {
            return Some(vec![(text, value.line)]);
        }
        let Some(array) = value.value.as_array() else {
            self.wrong_kind(key, value, "a text or a list of texts", mistakes);
            return None;
        };
        let mut texts = Vec::with_capacity(array.len());
        for element in array.iter() {
            let line = mistakes.line(element.span());
            match element.get_ref().as_str() {
                Some(text) => texts.push((text, line)),
                None => {
                    let element = Value { value: element.get_ref(), line };
                    self.wrong_kind(key, element, "texts only in this list", mistakes);
                }
            }
        }
        Some(texts)
    }

    /// Reads a boolean.
    pub fn boolean(&self, key: &str, mistakes: &mut Mistakes<'_>) -> Option<bool> {
        let value = self.value(key, mistakes)?;
        let boolean = value.value.as_bool();
        if boolean.is_none() {
            self.wrong_kind(key, value, "true or false", mistakes);
        }
        boolean
    }

    /// Reads a whole number from 0.
    pub fn count(&self, key: &str, mistakes: &mut Mistakes<'_>) -> Option<u64> {
        let value = self.value(key, mistakes)?;
        let count =
            value.value.as_integer().and_then(|n| u64::from_str_radix(&n.as_str().replace('_', ""), n.radix()).ok());
        if count.is_none() {
            self.wrong_kind(key, value, "a whole number from 0", mistakes);
        }
        count
    }

    /// Reads a nested table.
    pub fn table(&self, key: &str, mistakes: &mut Mistakes<'_>) -> Option<Section<'d>> {
        let value = self.value(key, mistakes)?;
        let Some(table) = value.value.as_table() else {
            self.wrong_kind(key, value, &format!("a table: [{}]", self.key(key)), mistakes);
            return None;
        };
        Some(Section { table, path: self.key(key), line: value.line })
    }

    /// Reads a list of tables, such as `[[skip]]`.
    pub fn tables(&self, key: &str, mistakes: &mut Mistakes<'_>) -> Vec<Section<'d>> {
        let Some(value) = self.value(key, mistakes) else { return Vec::new() };
        let Some(array) = value.value.as_array() else {
            self.wrong_kind(key, value, &format!("a list of tables: [[{}]]", self.key(key)), mistakes);
            return Vec::new();
        };
        let mut sections = Vec::new();
        for (i, element) in array.iter().enumerate() {
            let line = mistakes.line(element.span());
            match element.get_ref().as_table() {
                Some(table) => sections.push(Section { table, path: format!("{}[{i}]", self.key(key)), line }),
                None => {
                    let wanted = format!("a table: [[{}]]", self.key(key));
                    self.wrong_kind(key, Value { value: element.get_ref(), line }, &wanted, mistakes);
                }
            }
        }
        sections
    }

    fn wrong_kind(&self, key: &str, value: Value<'_>, wanted: &str, mistakes: &mut Mistakes<'_>) {
        let problem = format!("{} is {}; accepted: {wanted}", show(value.value), value.value.type_str());
        mistakes.add(value.line, self.key(key), problem);
    }
}

/// Parses `text`; reports TOML syntax errors with their lines.
pub fn parse<'t>(text: &'t str, mistakes: &mut Mistakes<'_>) -> Option<Spanned<DeTable<'t>>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in &errors {
        let line = error.span().map_or(1, |span| mistakes.line(span));
        mistakes.add(line, "", format!("this is no TOML: {}", error.message()));
    }
    // A document recovered from broken TOML would only cause false mistakes.
    errors.is_empty().then_some(table)
}

fn show(value: &DeValue<'_>) -> String {
    match value {
        DeValue::String(text) => format!("{text:?}"),
        DeValue::Integer(number) => number.as_str().to_owned(),
        DeValue::Float(number) => number.as_str().to_owned(),
        DeValue::Boolean(yes) => yes.to_string(),
        DeValue::Datetime(date) => date.to_string(),
        DeValue::Array(_) => "[...]".to_owned(),
        DeValue::Table(_) => "{...}".to_owned(),
    }
}
