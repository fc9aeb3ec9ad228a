//! Applies a recipe to a row to get the text to parse, and describes what failed.

use std::borrow::Cow;

use stoop_domain::Reason;

use super::cells::{Cells, RowCell, is_missing, trim};
use super::plan::{Condition, FieldOrigin, KnownValue, Piece, Recipe, Rule, Word};
use super::row::{Pass, RowError};
use super::target::{Target, TargetKind};
use crate::fields::shown;
use crate::text::{purpose_named, status_named};

/// The text that a recipe found.
pub(super) struct RecipeText<'s> {
    pub(super) text: Cow<'s, str>,
    pub(super) known: KnownValue,
    /// The value was a JSON number, not a string.
    pub(super) plain: bool,
}

impl<'s, C: Cells<'s>> Pass<'s, '_, C> {
    /// Applies a field's recipe, up to the text to parse.
    pub(super) fn find(&mut self, target: Target) -> Result<Option<RecipeText<'s>>, RowError> {
        let Some(recipe) = self.recipe(target)? else { return Ok(None) };
        let mut found = None;
        match &recipe.origin {
            FieldOrigin::Constant(word) => return Ok(Some(RecipeText::word(word))),
            FieldOrigin::FileName(_) => {
                // Copied, because the text is part of the scratch memory that the regexes share.
                let text = self.scratch.from_file_name[target.index()].clone();
                found = text.map(|text| RecipeText { text: Cow::Owned(text), known: KnownValue::No, plain: false });
            }
            FieldOrigin::Columns(slots) => {
                for slot in slots {
                    let (text, plain) = match self.cells.cell(*slot).map_err(|error| self.named(target, error))? {
                        RowCell::Absent => continue,
                        RowCell::Text(text) if is_missing(&text) && !recipe.translates(&text) => continue,
                        RowCell::Text(text) => (text, false),
                        RowCell::Plain(text) => (Cow::Borrowed(text), true),
                        RowCell::Nested(_) => {
                            return Err(self.bad(target, "an object or a list, not a text or a number"));
                        }
                    };
                    found = self.through(target, recipe, text, plain);
                    if found.is_some() {
                        break;
                    }
                }
            }
            FieldOrigin::Template(pieces) => {
                if let Some(text) = self.join(pieces).map_err(|error| self.named(target, error))? {
                    found = self.through(target, recipe, Cow::Owned(text), false);
                }
            }
        }
        let Some(found) = found else { return Ok(recipe.default.as_ref().map(RecipeText::word)) };
        let Some(lookup) = &recipe.lookup else { return Ok(Some(found)) };
        let entry = lookup.entries.iter().find(|(text, _)| **text == *found.text).map(|(_, word)| word);
        let named = || RecipeText::named(target, &found.text).filter(|_| lookup.known_words);
        match entry.map(RecipeText::word).or_else(named).or_else(|| lookup.otherwise.as_ref().map(RecipeText::word)) {
            Some(word) => Ok(Some(word)),
            None => {
                let known: Vec<&str> = lookup.entries.iter().map(|(text, _)| &**text).collect();
                let words = if lookup.known_words { " and not known" } else { "" };
                let known = known.join(", ");
                Err(self.bad(target, &format!("{:?} is not in the lookup{words} ({known})", shown(&found.text))))
            }
        }
    }

    /// Applies null texts, replacements and the regex; `None` if nothing remains.
    pub(super) fn through(
        &mut self,
        target: Target,
        recipe: &Recipe,
        text: Cow<'s, str>,
        plain: bool,
    ) -> Option<RecipeText<'s>> {
        if recipe.null.iter().any(|null| **null == *text) {
            return None;
        }
        let mut text = text;
        for (pattern, replacement) in &recipe.replace {
            if let Cow::Owned(replaced) = pattern.replace_all(&text, &**replacement) {
                text = Cow::Owned(replaced);
            }
        }
        if let Some(regex) = &recipe.regex {
            let locations = self.scratch.locations[target.index()].as_mut()?;
            regex.captures_read(locations, &text)?;
            let group = (1..locations.len()).find_map(|group| locations.get(group)).or_else(|| locations.get(0))?;
            text = match text {
                Cow::Borrowed(text) => Cow::Borrowed(&text[group.0..group.1]),
                Cow::Owned(text) => Cow::Owned(text[group.0..group.1].to_owned()),
            };
        }
        let text = trim(text);
        (!text.is_empty()).then_some(RecipeText { text, known: KnownValue::No, plain: plain && recipe.regex.is_none() })
    }

    /// Joins the pieces of a template; `None` if one of its columns is absent.
    fn join(&self, pieces: &[Piece]) -> Result<Option<String>, RowError> {
        let mut joined = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => joined.push_str(text),
                Piece::Slot(slot) => match self.cells.cell(*slot)? {
                    RowCell::Absent => return Ok(None),
                    RowCell::Text(text) if is_missing(&text) => return Ok(None),
                    RowCell::Text(text) => joined.push_str(&text),
                    RowCell::Plain(text) | RowCell::Nested(text) => joined.push_str(text),
                },
            }
        }
        Ok(Some(joined))
    }

    #[cold]
    pub(super) fn bad(&self, target: Target, problem: &str) -> RowError {
        RowError::new(Reason::BadValue, format!("{}: {problem} ({})", target.name(), self.shown(target)))
    }

    #[cold]
    fn named(&self, target: Target, error: RowError) -> RowError {
        RowError::new(error.reason, format!("{}: {}", target.name(), error.detail))
    }

    #[cold]
    pub(super) fn missing(&self, target: Target) -> RowError {
        let detail = match &self.plan.fields[target.index()] {
            Some(_) => format!("{}: nothing usable in {}", target.name(), self.shown(target)),
            None => format!("{}: neither a field nor a default of the map, nor in the price", target.name()),
        };
        RowError::new(Reason::MissingField, detail)
    }

    /// The columns that a field reads, with their content, for messages.
    #[cold]
    fn shown(&self, target: Target) -> String {
        let show = |slot: u16| {
            let name = &self.plan.columns[usize::from(slot)].name;
            match self.cells.cell(slot) {
                Ok(RowCell::Absent) => format!("column {name:?}, empty"),
                Ok(RowCell::Text(text)) => format!("column {name:?}: {:?}", shown(&text)),
                Ok(RowCell::Plain(text) | RowCell::Nested(text)) => format!("column {name:?}: {text:.120}"),
                Err(error) => format!("column {name:?}: {}", error.detail),
            }
        };
        match self.plan.fields[target.index()].as_ref().map(|recipe| &recipe.origin) {
            None => "the map".to_owned(),
            Some(FieldOrigin::Constant(word)) => format!("constant {:?}", word.text),
            Some(FieldOrigin::FileName(_)) => format!("file name {:?}", self.scratch.file_name),
            Some(FieldOrigin::Columns(slots)) => slots.iter().map(|slot| show(*slot)).collect::<Vec<_>>().join(", "),
            Some(FieldOrigin::Template(pieces)) => {
                let slots = pieces.iter().filter_map(|piece| match piece {
                    Piece::Slot(slot) => Some(show(*slot)),
                    Piece::Text(_) => None,
                });
                slots.collect::<Vec<_>>().join(", ")
            }
        }
    }

    pub(super) fn holds(&self, condition: &Condition) -> Result<bool, RowError> {
        let cell = self.cells.cell(condition.slot)?;
        let text = match &cell {
            RowCell::Absent => None,
            RowCell::Text(text) => Some(&**text),
            RowCell::Plain(text) | RowCell::Nested(text) => Some(*text),
        };
        let one_of = |texts: &[Box<str>]| texts.iter().any(|t| **t == *text.unwrap_or(""));
        Ok(match &condition.rule {
            Rule::Is(texts) => one_of(texts),
            Rule::Not(texts) => !one_of(texts),
            Rule::Absent => text.is_none_or(is_missing),
        })
    }

    /// Returns the field's recipe if the map has one that applies to this row.
    pub(super) fn recipe(&self, target: Target) -> Result<Option<&'s Recipe>, RowError> {
        let Some(recipe) = &self.plan.fields[target.index()] else { return Ok(None) };
        Ok(match &recipe.only {
            Some(condition) if !self.holds(condition)? => None,
            _ => Some(recipe),
        })
    }
}

impl<'s> RecipeText<'s> {
    fn word(word: &'s Word) -> Self {
        Self { text: Cow::Borrowed(&word.text), known: word.known, plain: false }
    }

    /// What a text is known to name; `None` if nothing, or if the field is neither status nor purpose.
    fn named(target: Target, text: &str) -> Option<Self> {
        let (word, known) = match target.kind() {
            TargetKind::Status => status_named(text).map(|status| (status.as_str(), KnownValue::Status(status)))?,
            TargetKind::Purpose => {
                purpose_named(text).map(|purpose| (purpose.as_str(), KnownValue::Purpose(purpose)))?
            }
            _ => return None,
        };
        Some(Self { text: Cow::Borrowed(word), known, plain: false })
    }
}
