//! Words that give the kind of a place, and letters that stand for a direction.

use crate::level::Level;

/// The direction that a letter before a name stands for.
pub(crate) fn direction(word: &str) -> Option<&'static str> {
    Some(match word {
        "n" | "no" => "north",
        "s" | "so" => "south",
        "e" => "east",
        "w" => "west",
        _ => return None,
    })
}

/// Words before or after a name that give the kind of the place, and its level; `None`: any level.
const KINDS: [(&str, Option<Level>); 36] = [
    ("county", Some(Level::County)),
    ("co", Some(Level::County)),
    ("parish", Some(Level::County)),
    ("borough", Some(Level::County)),
    ("census area", Some(Level::County)),
    ("municipio", None),
    ("municipality", None),
    ("bezirk", Some(Level::County)),
    ("politischer bezirk", Some(Level::County)),
    ("landkreis", Some(Level::County)),
    ("kreis", Some(Level::County)),
    ("regierungsbezirk", Some(Level::County)),
    ("province de", Some(Level::County)),
    ("province du", Some(Level::County)),
    ("province of", None),
    ("province", None),
    ("prefecture de", Some(Level::County)),
    ("prefecture", Some(Level::County)),
    ("wilaya de", None),
    ("departement de", Some(Level::County)),
    ("departement", Some(Level::County)),
    ("provincia di", Some(Level::County)),
    ("provincia de", Some(Level::County)),
    ("county of", Some(Level::County)),
    ("state of", Some(Level::Region)),
    ("state", Some(Level::Region)),
    ("region de", Some(Level::Region)),
    ("region", Some(Level::Region)),
    ("land", Some(Level::Region)),
    ("bundesland", Some(Level::Region)),
    ("city of", Some(Level::City)),
    ("city", Some(Level::City)),
    ("ville de", Some(Level::City)),
    ("town of", Some(Level::City)),
    ("quartier", Some(Level::Area)),
    ("hay", Some(Level::Area)),
];

/// The words without those that give the kind, and the level of the kind.
pub(crate) fn without_kind(all: &[String]) -> Option<(&[String], Option<Level>)> {
    KINDS.iter().find_map(|(kind, level)| {
        let kind: Vec<&str> = kind.split(' ').collect();
        let is = |part: &[String]| part.iter().map(String::as_str).eq(kind.iter().copied());
        if all.len() <= kind.len() {
            return None;
        }
        let (head, tail) = (all.split_at(kind.len()), all.split_at(all.len() - kind.len()));
        if is(head.0) && kind.as_slice() != ["co"] {
            Some((head.1, *level))
        } else if is(tail.1) {
            Some((tail.0, *level))
        } else {
            None
        }
    })
}
