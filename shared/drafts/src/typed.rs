//! Lists whose entries say what they are for: `"prices": [{"type": "SALE", "value": 1}, {"type": "RENT", "value": 2}]`.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map as Object, Value};
use stoop_domain::Purpose;
use stoop_sources::text::purpose_named;

use super::column::Column;
use super::guess::shown;
use super::words::split;

/// Keys that say what an entry is for.
const KINDS: [&str; 13] = [
    "type",
    "tipo",
    "typ",
    "kind",
    "purpose",
    "operation",
    "operationType",
    "operation_type",
    "businessType",
    "business_type",
    "transactionType",
    "transaction_type",
    "priceType",
];

/// Keys of its amount.
const AMOUNTS: [&str; 9] = ["value", "amount", "price", "valor", "precio", "preco", "prix", "preis", "pret"];

/// Words for prices.
const PRICES: [&str; 14] = [
    "price", "prices", "pricing", "pricings", "preco", "precos", "precio", "precios", "prix", "preis", "preise",
    "pret", "preturi", "rates",
];

/// What the entries of a list are for, in all rows.
#[derive(Clone, Debug, Default)]
pub(super) struct TypedList {
    /// Texts of the first entries.
    firsts: BTreeSet<String>,
    /// Whether some row has entries for sale and for rent.
    has_both: bool,
}

/// The lists of a sample, by the JSON Pointer to them.
pub(super) type TypedLists = BTreeMap<String, TypedList>;

/// The key of an entry that says what it is for, and its text.
fn kind_of(entry: &Object<String, Value>) -> Option<(&'static str, &str)> {
    KINDS.into_iter().find_map(|key| match entry.get(key)? {
        Value::String(text) => Some((key, text.as_str())),
        Value::Object(named) => Some((key, named.get("name")?.as_str()?)),
        _ => None,
    })
}

/// Takes note of a list; `false` if its entries do not say what they are for.
pub(super) fn note(lists: &mut TypedLists, pointer: &str, entries: &[Value]) -> bool {
    let kinds: Option<Vec<&str>> = entries.iter().map(|entry| Some(kind_of(entry.as_object()?)?.1)).collect();
    let Some(kinds) = kinds.filter(|kinds| !kinds.is_empty()) else { return false };
    let list = lists.entry(pointer.to_owned()).or_default();
    let says = |purpose: Purpose| kinds.iter().any(|kind| purpose_named(kind) == Some(purpose));
    list.has_both |= says(Purpose::Sale) && says(Purpose::Rent);
    list.firsts.insert(kinds[0].to_owned());
    true
}

/// An amount of a list that says what it is for.
pub(super) struct TypedAmount<'v> {
    /// What it is for, and the key that says it.
    pub(super) kind: (&'static str, &'v str),
    /// The amount and its key.
    pub(super) amount: (&'static str, &'v Value),
}

/// The amounts of a list, if its name or the keys say that they are prices.
pub(super) fn amounts<'v>(entries: &'v [Value], list: &str) -> Vec<TypedAmount<'v>> {
    let is_of_prices = split(list).iter().any(|word| PRICES.contains(&word.as_str()));
    let read = |entry: &'v Value| {
        let object = entry.as_object()?;
        let kind = kind_of(object).filter(|(key, _)| object[*key].is_string())?;
        let names = AMOUNTS.into_iter().filter(|name| is_of_prices || PRICES.contains(name));
        let amount = names.filter_map(|name| Some((name, object.get(name)?))).find(|(_, value)| !value.is_object())?;
        Some(TypedAmount { kind, amount })
    };
    entries.iter().filter_map(read).collect()
}

/// Marks the columns of lists whose first entry is for one thing in some rows and for another in others. In all other lists
/// the first entry is the one, and the columns by what they are for go.
pub(super) fn settle(columns: &mut Vec<Column>, lists: &TypedLists) {
    for (pointer, list) in lists {
        let purposes: BTreeSet<Option<&str>> =
            list.firsts.iter().map(|text| purpose_named(text).map(Purpose::as_str)).collect();
        let is_mixed = list.has_both || (purposes.len() > 1 && purposes.contains(&None));
        if !is_mixed {
            let by_kind = format!("$.{}[?@.", pointer.trim_start_matches('/').replace('/', "."));
            columns.retain(|column| !column.name.starts_with(&by_kind));
            continue;
        }
        let texts: Vec<String> = list.firsts.iter().take(4).map(|text| format!("{:?}", shown(text))).collect();
        let first = format!("{pointer}/0/");
        for column in columns.iter_mut().filter(|column| column.name.starts_with(&first)) {
            let several = if list.has_both { "sale and rent in one row" } else { "different things" };
            column.mixed =
                Some(format!("{} has entries for {several}; first are {}.", shown(pointer), texts.join(", ")));
        }
    }
}
