use std::ops::Range;

use stoop_show::plain;
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// Text that is safe to show: nothing in it controls a terminal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SafeText {
    text: String,
    style: Style,
}

/// The style of words.
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

/// Marks omitted text.
const ELLIPSIS: char = '…';

impl SafeText {
    /// Several lines, each made plain.
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
    /// Text with the terminal codes for this style.
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

/// The width of a text in terminal columns.
pub(super) fn width(text: &str) -> usize {
    UnicodeWidthStr::width(text)
}

/// Cuts wider text to its beginning, with an ellipsis.
pub(crate) fn cut(text: &str, wide: usize) -> String {
    if width(text) <= wide {
        return text.to_owned();
    }
    let (head, _) = split_at_width(text, wide.saturating_sub(1));
    let mut head = head.trim_end().to_owned();
    head.push(ELLIPSIS);
    head
}

/// Cuts wider text to its end, with an ellipsis: the end of a path says more than its beginning.
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

/// The ranges of the lines of a text, at most `first` wide, and `rest` from the second line on: broken between words if
/// possible.
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

/// The end of a line that begins at `from` and is at most this wide.
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
    // A word wider than the line is broken; a character wider than the line stands alone on it.
    let letters = if head.is_empty() { tail.chars().next().map_or(0, char::len_utf8) } else { head.len() };
    from + letters
}

/// The wrapped lines.
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
    fn text_from_outside_is_always_made_plain() {
        let hostile = "a\u{1b}]0;x\u{7}\u{202e}\u{9b}31m";
        let shown = [SafeText::from(hostile), SafeText::lines(&[hostile.to_owned()])];
        for words in shown {
            assert!(!words.text().contains(stoop_show::steers), "{words:?}");
        }
        assert_eq!(SafeText::lines(&["a\nb".to_owned(), "c".to_owned()]).text(), "a b\nc");
    }

    #[test]
    fn wide_text_is_cut_at_either_end() {
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
