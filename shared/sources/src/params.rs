use std::ops::RangeInclusive;

use crate::html::CardRules;
use crate::port::{Params, SearchError};
use crate::settings::MapErrors;

/// A parameter that a kind of source accepts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param {
    /// Its key in a search.
    pub name: &'static str,
    /// Whether a search can do without it.
    pub required: bool,
    /// Whether its value is handed in by the edge from a secret store, and is never shown.
    pub secret: bool,
    /// What it means, and what it is when left out.
    pub meaning: &'static str,
}

/// Reads a search's parameters and gathers every mistake in them. Messages show values, save those of
/// secrets, which are never checked for more than being there.
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
    /// Starts by naming the keys that are not in `accepted`, and the required ones that are absent.
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

    /// The value, trimmed; one that is blank counts as absent.
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

    /// An absolute http(s) address without a query, its closing `/` dropped.
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

    /// The rules for reading cards that are built in, with those of the parameter put over them.
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
