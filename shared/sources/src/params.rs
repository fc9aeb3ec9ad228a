use std::ops::RangeInclusive;

use crate::html::CardRules;
use crate::port::{Params, SearchError};
use crate::settings::MapErrors;

/// A parameter of a source kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Key in a search.
    pub name: &'static str,
    /// Whether a search must set it.
    pub required: bool,
    /// Whether the value is a secret: it comes from a secret store and is never shown.
    pub secret: bool,
    /// Meaning and default, for help.
    pub meaning: &'static str,
}

/// Reads a search's parameters and collects every mistake. Messages contain values, except for secrets, of which only
/// the presence is checked.
pub(crate) struct ParamReader<'p> {
    params: &'p Params,
    mistakes: Vec<String>,
}

impl Param {
    pub(crate) const fn required(name: &'static str, meaning: &'static str) -> Self {
        Self { name, required: true, secret: false, meaning }
    }

    pub(crate) const fn optional(name: &'static str, meaning: &'static str) -> Self {
        Self { name, required: false, secret: false, meaning }
    }

    pub(crate) const fn secret(self) -> Self {
        Self { secret: true, ..self }
    }
}

impl<'p> ParamReader<'p> {
    /// Starts with mistakes for keys that are not in `accepted` and for missing required keys.
    pub(crate) fn new(kind: &str, accepted: &[Param], params: &'p Params) -> Self {
        let names = || accepted.iter().map(|param| param.name).collect::<Vec<_>>().join(", ");
        let mut mistakes = Vec::new();
        for key in params.keys() {
            if !accepted.iter().any(|param| param.name == key) {
                mistakes.push(format!("{key}: no parameter of {kind}; accepted are {}", names()));
            }
        }
        let reader = Self { params, mistakes: Vec::new() };
        for param in accepted.iter().filter(|param| param.required && reader.get(param.name).is_none()) {
            mistakes.push(format!("{}: missing; it is {}", param.name, param.meaning));
        }
        Self { params, mistakes }
    }

    /// Returns the trimmed value; a blank value counts as absent.
    pub(crate) fn get(&self, name: &str) -> Option<&'p str> {
        self.params.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    pub(crate) fn text(&self, name: &str, default: &str) -> String {
        self.get(name).unwrap_or(default).to_owned()
    }

    pub(crate) fn one_of(&mut self, name: &str, accepted: &[&'static str]) -> &'static str {
        let Some(value) = self.get(name) else { return accepted[0] };
        accepted.iter().copied().find(|name| name.eq_ignore_ascii_case(value)).unwrap_or_else(|| {
            self.mistake(name, value, &accepted.join(" or "));
            accepted[0]
        })
    }

    pub(crate) fn number(&mut self, name: &str, range: RangeInclusive<u32>, default: u32) -> u32 {
        let Some(value) = self.get(name) else { return default };
        value.parse().ok().filter(|number| range.contains(number)).unwrap_or_else(|| {
            self.mistake(name, value, &format!("a whole number from {} to {}", range.start(), range.end()));
            default
        })
    }

    /// Reads an absolute http(s) URL without a query; removes a trailing `/`.
    pub(crate) fn address(&mut self, name: &str, default: &str) -> String {
        let value = self.get(name).unwrap_or(default);
        if !value.is_empty() && (crate::link::origin(value).is_none() || value.contains(['?', '#', ' '])) {
            self.mistake(name, value, "an address like https://api.example.com/odata, without a query");
        }
        value.trim_end_matches('/').to_owned()
    }

    pub(crate) fn mistake(&mut self, name: &str, value: &str, accepted: &str) {
        self.mistakes.push(format!("{name} = {value:?}: accepted is {accepted}"));
    }

    /// Returns the built-in card rules, overridden by those of the parameter.
    pub(crate) fn card_rules(&mut self, name: &str, built_in: &Result<CardRules, MapErrors>) -> Option<CardRules> {
        let rules = built_in.clone().and_then(|rules| match self.get(name) {
            Some(text) => rules.with(text),
            None => Ok(rules),
        });
        rules.map_err(|errors| self.mistakes.extend(errors.0.iter().map(ToString::to_string))).ok()
    }

    pub(crate) fn finish(self) -> Result<(), SearchError> {
        if self.mistakes.is_empty() { Ok(()) } else { Err(SearchError(self.mistakes)) }
    }
}
