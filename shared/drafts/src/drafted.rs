//! What a draft decided for each field, for people.

use super::guess::{Chosen, Guess, shown};
use super::vocabulary::FIELDS;

/// The rule that a draft chose for a field, or that it is not sure of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftedField {
    /// The field's name in maps.
    pub name: &'static str,
    /// The field's table in TOML, without its lookup: `{ from = "price", money = "en" }`.
    pub rule: String,
    /// Whether the rule is enabled; otherwise it is a comment of the map.
    pub certain: bool,
    /// The evidence for it.
    pub why: String,
    /// Why it is not enabled.
    pub doubt: Option<String>,
    /// Other columns that were nearly chosen, the best first.
    pub others: Vec<String>,
}

/// The fields in the order of maps: each that is enabled, then those that are not sure.
pub(super) fn fields(chosen: &Chosen) -> Vec<DraftedField> {
    let of = |guess: &Guess, certain: bool| DraftedField {
        name: guess.field,
        rule: guess.table(),
        certain,
        why: guess.why.clone(),
        doubt: guess.doubt.clone(),
        others: chosen
            .others
            .iter()
            .filter(|(field, _)| certain && *field == guess.field)
            .flat_map(|(_, names)| names.iter().map(|name| shown(name)))
            .collect(),
    };
    let sure = chosen.sure.iter().map(|guess| of(guess, true));
    let mut fields: Vec<DraftedField> = sure.chain(chosen.unsure.iter().map(|guess| of(guess, false))).collect();
    fields.sort_by_key(|field| FIELDS.iter().position(|known| known.name == field.name));
    fields
}
