//! Names of places whose level is in a key beside them: `{"name": "Palermo", "label": "BARRIO"}`.

use super::column::Column;
use super::vocabulary::field;
use super::words::{Words, split};

/// Fields that are levels of areas.
const LEVELS: [&str; 4] = ["region", "county", "city", "neighbourhood"];

/// Keys of the name, and of the level.
const NAMES: [&str; 4] = ["name", "nombre", "value", "text"];
const KEYS: [&str; 7] = ["label", "level", "type", "kind", "nivel", "tipo", "areaType"];

/// Calls names of places what the key beside them says, if it says the same in every row.
pub(super) fn settle(columns: &mut [Column]) {
    let renamed: Vec<(usize, Words)> =
        columns.iter().enumerate().filter_map(|(at, column)| Some((at, level(column, columns)?))).collect();
    for (at, words) in renamed {
        columns[at].words = words;
    }
}

fn level(column: &Column, columns: &[Column]) -> Option<Words> {
    let (above, key) = column.name.rsplit_once('/')?;
    if above.is_empty() || !NAMES.contains(&key) {
        return None;
    }
    let beside = |key: &&str| columns.iter().find(|other| other.name == format!("{above}/{key}"));
    let says = KEYS.iter().find_map(beside).filter(|other| other.is_scalar() && other.distinct() == 1)?;
    let words = Words::of(&[split(says.first()?).join(" ")]);
    let named = Column { words: words.clone(), ..Column::default() };
    let is_level = LEVELS.iter().any(|level| field(level).is_some_and(|field| field.named(&named) >= 84));
    is_level.then(|| column.words.with_last(words.last))
}
