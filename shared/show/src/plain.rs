//! Makes text from outside safe to show: nothing in it moves a cursor, names a window, or changes the text direction.

use std::borrow::Cow;

/// Whether a character controls a terminal or changes the text direction: C0 and C1 controls, Unicode line separators,
/// bidirectional controls.
#[must_use]
pub fn steers(c: char) -> bool {
    c.is_control() || turns(c)
}

fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{206f}')
}

/// The text on one line: controls become blanks, bidirectional controls are removed.
#[must_use]
pub fn plain(text: &str) -> Cow<'_, str> {
    blanked(text, |_| false)
}

/// Like [`plain`], keeping line ends.
#[must_use]
pub fn plain_lines(text: &str) -> Cow<'_, str> {
    blanked(text, |c| c == '\n')
}

fn blanked(text: &str, keep: fn(char) -> bool) -> Cow<'_, str> {
    let goes = |c: char| steers(c) && !keep(c);
    if !text.contains(goes) {
        return Cow::Borrowed(text);
    }
    let mut kept = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            c if !goes(c) => kept.push(c),
            '\u{2028}' | '\u{2029}' => kept.push(' '),
            c if turns(c) => {}
            _ if kept.ends_with(' ') => {}
            _ => kept.push(' '),
        }
    }
    Cow::Owned(kept)
}

/// JSON with safe strings: control characters are escaped as `\u202e`, so that programs read the original. The JSON may
/// be formatted over several lines.
#[must_use]
pub fn plain_json(json: &str) -> Cow<'_, str> {
    // Outside of strings JSON has only line ends, tabs and blanks; inside, C0 controls are escaped already.
    let escaped = |c: char| steers(c) && !matches!(c, '\n' | '\r' | '\t');
    if !json.contains(escaped) {
        return Cow::Borrowed(json);
    }
    let mut kept = String::with_capacity(json.len() + 16);
    for c in json.chars() {
        if escaped(c) { kept.push_str(&format!("\\u{:04x}", u32::from(c))) } else { kept.push(c) }
    }
    Cow::Owned(kept)
}

/// Text line by line, keeping colour sequences (`ESC [ 1 ; 31 m`).
#[must_use]
pub fn plain_coloured(text: &str) -> String {
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\u{1b}') {
        kept.push_str(&plain_lines(&rest[..at]));
        let behind = &rest[at + 1..];
        let end = behind.strip_prefix('[').and_then(|codes| codes.find(|c: char| !c.is_ascii_digit() && c != ';'));
        match end.filter(|end| behind[1 + end..].starts_with('m')) {
            Some(end) => {
                kept.push_str(&rest[at..at + end + 3]);
                rest = &rest[at + end + 3..];
            }
            None => {
                kept.push(' ');
                rest = behind;
            }
        }
    }
    kept.push_str(&plain_lines(rest));
    kept
}

/// Whether to colour an output that is a `terminal` or not: `NO_COLOR` and `CLICOLOR=0` turn colours off,
/// `CLICOLOR_FORCE` turns them on for files and pipes too.
#[must_use]
pub fn colours(terminal: bool) -> bool {
    colours_by(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()), terminal)
}

fn colours_by(variable: impl Fn(&str) -> Option<String>, terminal: bool) -> bool {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty());
    if set("NO_COLOR").is_some() {
        return false;
    }
    if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
        return true;
    }
    let refused = set("CLICOLOR").is_some_and(|value| value == "0") || set("TERM").is_some_and(|value| value == "dumb");
    terminal && !refused
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOSTILE: [&str; 6] =
        ["\u{1b}]0;title\u{7}", "\u{1b}[2J", "\u{9b}31m", "\u{202e}evil", "\u{2066}in\u{2069}", "a\rb\u{61c}"];

    #[test]
    fn no_control_character_is_left() {
        for text in HOSTILE {
            assert!(!plain(text).contains(steers), "{text:?}");
            assert!(!plain_lines(text).contains(steers), "{text:?}");
            assert!(!plain_coloured(text).contains(steers), "{text:?}");
        }
        assert_eq!(plain("a\u{1b}[2J\n\nb\u{202e}c"), "a [2J bc");
        assert_eq!(plain_lines("a\n\u{1b}b"), "a\n b");
        assert_eq!(plain("شقة للبيع 95 m²\u{a0}!"), "شقة للبيع 95 m²\u{a0}!");
    }

    #[test]
    fn json_is_read_as_it_was_written() {
        for text in HOSTILE {
            let json = serde_json::to_string_pretty(&[text]).unwrap();
            let plain = plain_json(&json);
            assert!(!plain.contains(|c| steers(c) && c != '\n'), "{plain:?}");
            assert_eq!(serde_json::from_str::<[String; 1]>(&plain).unwrap(), [text]);
        }
        assert_eq!(plain_json("\"\u{202e}\u{9b}\""), r#""\u202e\u009b""#);
    }

    #[test]
    fn a_coloured_line_keeps_only_colours() {
        assert_eq!(plain_coloured("\u{1b}[1;33mWARN\u{1b}[0m \u{1b}[2J\u{1b}"), "\u{1b}[1;33mWARN\u{1b}[0m  [2J ");
    }

    #[test]
    fn colours_are_for_terminals_and_for_those_who_ask() {
        let by = |given: &[(&str, &str)], terminal| {
            let given = given.to_vec();
            colours_by(
                move |name| given.iter().find(|(known, _)| *known == name).map(|(_, v)| (*v).to_owned()),
                terminal,
            )
        };
        assert!(by(&[], true) && !by(&[], false));
        assert!(!by(&[("NO_COLOR", "1")], true) && by(&[("NO_COLOR", "")], true));
        assert!(by(&[("CLICOLOR_FORCE", "1")], false) && !by(&[("CLICOLOR_FORCE", "0")], false));
        assert!(!by(&[("CLICOLOR_FORCE", "1"), ("NO_COLOR", "1")], true));
        assert!(!by(&[("CLICOLOR", "0")], true) && !by(&[("TERM", "dumb")], true));
    }
}
