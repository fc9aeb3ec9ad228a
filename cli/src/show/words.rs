use std::ops::Range;

use stoop_runtime::plain;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text that is fit to be shown: however it came here, nothing in it steers a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SafeText {
    text: String,
    style: Style,
}

/// How words are set.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Style {
    #[default]
    Plain,
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
}

/// What stands where words were left out.
const ELLIPSIS: char = '…';

impl SafeText {
    /// Several lines, each of them plain.
    pub(crate) fn lines(lines: &[String]) -> Self {
        let lines: Vec<String> = lines.iter().map(|line| plain(line).into_owned()).collect();
        Self { text: lines.join("\n"), style: Style::Plain }
    }

    /// A change of price: a cut is green, a rise is red.
    pub(crate) fn change(share: f64) -> Self {
        let words = Self::from(super::change(share));
        match share {
            s if s < 0.0 => words.green(),
            s if s > 0.0 => words.red(),
            _ => words,
        }
    }

    pub(crate) fn bold(self) -> Self {
        Self { style: Style::Bold, ..self }
    }

    pub(crate) fn dim(self) -> Self {
        Self { style: Style::Dim, ..self }
    }

    pub(crate) fn green(self) -> Self {
        Self { style: Style::Green, ..self }
    }

    pub(crate) fn red(self) -> Self {
        Self { style: Style::Red, ..self }
    }

    pub(crate) fn yellow(self) -> Self {
        Self { style: Style::Yellow, ..self }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn style(&self) -> Style {
        self.style
    }
}

impl<T: AsRef<str>> From<T> for SafeText {
    fn from(text: T) -> Self {
        Self { text: plain(text.as_ref()).into_owned(), style: Style::Plain }
    }
}

impl Style {
    /// The text with the codes around it that a terminal sets it so with.
    pub(super) fn set(self, text: &str, colours: bool) -> String {
        let code = match self {
            Self::Plain => 0,
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
        };
        if colours && code > 0 && !text.is_empty() { format!("\u{1b}[{code}m{text}\u{1b}[0m") } else { text.to_owned() }
    }
}

/// How many columns of a terminal a text takes.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// The beginning of what is wider, with an ellipsis.
pub(crate) fn cut(text: &str, wide: usize) -> String {
    if width(text) <= wide {
        return text.to_owned();
    }
    let (head, _) = split_at_width(text, wide.saturating_sub(1));
    let mut head = head.trim_end().to_owned();
    head.push(ELLIPSIS);
    head
}

/// The end of what is wider, with an ellipsis: the end of a path tells more than its beginning.
pub(super) fn cut_before(text: &str, wide: usize) -> String {
    let over = width(text).saturating_sub(wide);
    if over == 0 {
        return text.to_owned();
    }
    let mut gone = 0;
    let tail = text.char_indices().find(|(_, c)| {
        let passed = gone > over;
        gone += UnicodeWidthChar::width(*c).unwrap_or(0);
        passed
    });
    format!("{ELLIPSIS}{}", tail.map_or("", |(at, _)| &text[at..]))
}

/// Where the lines of a text are that are no wider than `first`, and `rest` from the second on: broken between
/// words where that can be.
pub(super) fn wrapped(text: &str, first: usize, rest: usize) -> Vec<Range<usize>> {
    let mut lines: Vec<Range<usize>> = Vec::new();
    let mut start = 0;
    for paragraph in text.split('\n') {
        let end = start + paragraph.len();
        let mut from = start;
        loop {
            let wide = if lines.is_empty() { first } else { rest }.max(1);
            let line = from..end_of_line(&text[..end], from, wide);
            from = line.end + text[line.end..end].len() - text[line.end..end].trim_start_matches(' ').len();
            let ended = from >= end;
            lines.push(line);
            if ended {
                break;
            }
        }
        start = end + 1;
    }
    lines
}

/// Where a line ends that begins at `from` and is so wide at most.
fn end_of_line(text: &str, from: usize, wide: usize) -> usize {
    let (head, tail) = split_at_width(&text[from..], wide);
    if tail.trim_start_matches(' ').is_empty() {
        return from + text[from..].trim_end_matches(' ').len();
    }
    let words = if tail.starts_with(' ') { head } else { &head[..head.rfind(' ').unwrap_or(0)] };
    let broken = words.trim_end_matches(' ');
    if !broken.trim_start_matches(' ').is_empty() {
        return from + broken.len();
    }
    if let Some(joint) = head.rfind('\u{a0}').filter(|joint| *joint > 0) {
        return from + joint + '\u{a0}'.len_utf8();
    }
    // One word is wider than the line; a sign that is wider stands alone on it.
    let letters = if head.is_empty() { tail.chars().next().map_or(0, char::len_utf8) } else { head.len() };
    from + letters
}

/// The lines themselves.
pub(super) fn wrap(text: &str, wide: usize) -> Vec<&str> {
    wrapped(text, wide, wide).into_iter().map(|line| &text[line]).collect()
}

fn split_at_width(text: &str, wide: usize) -> (&str, &str) {
    let mut taken = 0;
    let end = text.char_indices().find(|(_, c)| {
        taken += UnicodeWidthChar::width(*c).unwrap_or(0);
        taken > wide
    });
    text.split_at(end.map_or(text.len(), |(at, _)| at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_from_outside_are_plain_however_they_come() {
        let hostile = "a\u{1b}]0;x\u{7}\u{202e}\u{9b}31m";
        let shown = [SafeText::from(hostile), SafeText::lines(&[hostile.to_owned()])];
        for words in shown {
            assert!(!words.text().contains(stoop_runtime::steers), "{words:?}");
        }
        assert_eq!(SafeText::lines(&["a\nb".to_owned(), "c".to_owned()]).text(), "a b\nc");
    }

    #[test]
    fn what_is_too_wide_is_cut_at_either_end() {
        assert_eq!([cut("Orchard Gate", 8), cut("Orchard", 7)], ["Orchard…", "Orchard"]);
        assert_eq!(cut("漢字漢字", 5), "漢字…");
        assert_eq!([cut_before("data/homes.csv:17", 12), cut_before("page 3", 12)], ["…omes.csv:17", "page 3"]);
    }

    #[test]
    fn lines_are_broken_between_words_and_long_words_within() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("  one two", 6), ["  one", "two"]);
        assert_eq!(wrap("abcdefgh ij", 4), ["abcd", "efgh", "ij"]);
        assert_eq!(wrap("a\n\nb", 4), ["a", "", "b"]);
        assert_eq!(wrap("漢字", 1), ["漢", "字"]);
        assert_eq!(wrap("rows\u{a0}12, new\u{a0}3", 9), ["rows\u{a0}12,", "new\u{a0}3"]);
        assert_eq!(wrap("observations\u{a0}100,000", 16), ["observations\u{a0}", "100,000"]);
        assert_eq!(wrap("", 4), [""]);
        assert_eq!(wrap("one  two   ", 3), ["one", "two"]);
        assert_eq!(wrapped("one two six", 5, 3), [0..3, 4..7, 8..11]);
    }
}
