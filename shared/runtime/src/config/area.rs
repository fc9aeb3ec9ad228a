//! Areas in a configuration: a path, or the name of a place.

use stoop_domain::AreaPath;
use stoop_gazetteer::{FROM_SOURCE, Gazetteer, Match};

/// The most places to list for an ambiguous name.
const SHOWN_MAX: usize = 5;

/// Reads the beginning of a path: `us/tx`, `us/tx/travis/austin`. Looks nothing up.
pub(super) fn path(text: &str) -> Result<String, String> {
    let refused =
        || format!("{text:?} is not a path of an area; accepted: one like us/tx/travis/austin, or us/ for a country");
    let text = text.trim();
    let levels: Vec<&str> = text.strip_suffix('/').unwrap_or(text).split('/').collect();
    if !text.contains('/') || text.contains(':') || levels.len() > 5 {
        return Err(refused());
    }
    let names = std::array::from_fn(|level| levels.get(level).copied());
    let path = AreaPath::of(names).ok_or_else(refused)?;
    let levels = &path.levels()[..levels.len()];
    // Trailing unknown levels mean the same as without them.
    Ok(levels.join("/").trim_end_matches("/-").to_owned())
}

/// Reads the name of a place, or a path; an unknown place is refused.
pub(super) fn find(text: &str) -> Result<String, String> {
    let gazetteer = Gazetteer::get();
    if text.contains('/') {
        let path = path(text)?;
        let known = path
            .split_once(FROM_SOURCE)
            .map_or(&*path, |(known, _)| known.trim_end_matches('/').trim_end_matches("/-"));
        if known.is_empty() || gazetteer.name(known).is_some() {
            return Ok(path);
        }
        return Err(format!("there is no place {known} in the gazetteer; `stoop markets` shows paths"));
    }
    let one = gazetteer.find_one(text).map(|found| found.path.trim_end_matches("/-").to_owned());
    one.map_err(|found| match found.as_slice() {
        [] => {
            format!("there is no place {text:?}; accepted: a name, a postal code or a path like us/tx/travis/austin")
        }
        [near, ..] if near.edits > 0 => format!("there is no place {text:?}; did you mean {}?", shown(&found)),
        several => format!("{text:?} is the name of several places; say which: {}", shown(several)),
    })
}

fn shown(found: &[Match]) -> String {
    let shown = found.iter().take(SHOWN_MAX);
    let paths: Vec<&str> = shown.map(|found| found.path.trim_end_matches("/-")).collect();
    paths.join(", ") + if found.len() > SHOWN_MAX { ", ..." } else { "" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_read_and_anything_else_refused() {
        for (text, expected) in [
            ("us/", "us"),
            (" US/TX ", "us/tx"),
            ("us/tx/travis/austin/-", "us/tx/travis/austin"),
            ("us/il/cook/chicago/~62100", "us/il/cook/chicago/~62100"),
            ("us/-/-/~nowhere", "us/-/-/~nowhere"),
        ] {
            assert_eq!(path(text).as_deref(), Ok(expected));
        }
        for text in ["", "/", "austin", "a/b/c/d/e/f", "-/-", "us/wa:sale"] {
            assert!(path(text).unwrap_err().contains("is not a path of an area"), "{text:?}");
        }
    }

    #[test]
    fn an_unambiguous_place_is_found() {
        for (text, expected) in [
            ("austin tx", "us/tx/travis/austin"),
            ("78704", "us/tx/travis/austin/78704"),
            ("king county", "us/wa/king"),
            ("us/tx", "us/tx"),
            (
                "ma/casablanca-settat/casablanca/casablanca/~mon-quartier",
                "ma/casablanca-settat/casablanca/casablanca/~mon-quartier",
            ),
        ] {
            assert_eq!(find(text).as_deref(), Ok(expected));
        }
        assert!(
            find("springfield")
                .unwrap_err()
                .starts_with("\"springfield\" is the name of several places; say which: us/")
        );
        let near = find("seatle wa").unwrap_err();
        assert!(near.contains("did you mean us/wa/king/seattle"), "{near}");
        assert!(find("xyzzyxyzzyxyzzy").unwrap_err().contains("a postal code or a path"));
        assert_eq!(find("us/tz").unwrap_err(), "there is no place us/tz in the gazetteer; `stoop markets` shows paths");
    }
}
