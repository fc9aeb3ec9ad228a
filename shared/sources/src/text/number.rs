use stoop_domain::{MoneyError, parse_decimal};

/// Number format: which characters group thousands and which is the decimal sign.
///
/// White space (also U+00A0 and U+202F) and apostrophes group in every style except `Plain`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NumberStyle {
    /// `1392.85`: no grouping; allows an exponent.
    #[default]
    Plain,
    /// Detected from the number: if there are two different signs, the last is the decimal sign; a repeated sign
    /// groups; a single sign groups if one to three digits precede it and exactly three follow (`690,000`, but not
    /// `0.125`), and otherwise is the decimal sign (`1392.85`).
    Auto,
    /// `1.392,85`
    De,
    /// `1,392.85`
    En,
    /// `1 392,85`
    Fr,
}

/// Why a text contains no number in the requested style.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NumberTextError {
    /// No digit.
    #[error("{0:?} holds no number")]
    None(String),
    /// The separators do not match the style.
    #[error("{0:?} is not a number written like {1}")]
    Style(String, &'static str),
    /// Too many digits.
    #[error("{0:?} has too many digits")]
    TooLong(String),
}

/// A number found in a text, and the text around it.
#[derive(Clone, Copy, Debug)]
pub struct NumberText<'a> {
    /// The trimmed text before the number, without a minus sign.
    pub before: &'a str,
    /// The trimmed text after the number.
    pub after: &'a str,
    plain: [u8; DIGITS_MAX],
    len: usize,
}

const DIGITS_MAX: usize = 40;

/// Finds the first number in `text` and parses it in `style`, without allocating.
///
/// # Errors
/// Fails if there is no digit, or if the separators do not match the style. A second number after other words stays in
/// [`NumberText::after`] for the caller to judge.
pub fn split_number(text: &str, style: NumberStyle) -> Result<NumberText<'_>, NumberTextError> {
    let first = text.find(|c: char| c.is_ascii_digit()).ok_or_else(|| NumberTextError::None(text.to_owned()))?;
    let start = match text[..first].char_indices().next_back() {
        // `.5` is a half, but "Nr. 5" is not.
        Some((at, '.')) if style != NumberStyle::De && text[..at].trim_end().len() == at => at,
        _ => first,
    };
    let end = end_of_number(text, start, style);
    let before = text[..start].trim_end();
    let (before, negative) = match before.strip_suffix(['-', '−']) {
        Some(rest) => (rest.trim(), true),
        None => (before.trim_start(), false),
    };
    let mut number = NumberText { before, after: text[end..].trim(), plain: [0; DIGITS_MAX], len: 0 };
    if negative {
        number.push(b'-', text)?;
    }
    number.read(&text[start..end], style, text)?;
    Ok(number)
}

/// Returns the end of the number: after the last digit that is joined to the first by at most one separator at a time.
fn end_of_number(text: &str, start: usize, style: NumberStyle) -> usize {
    let mut end = start;
    let mut gap = 0;
    for (at, c) in text[start..].char_indices() {
        let at = start + at;
        if c.is_ascii_digit() {
            end = at + 1;
            gap = 0;
        } else if style == NumberStyle::Plain && is_exponent(text, at, c) {
            gap = 0;
        } else if gap == 0 && (matches!(c, '.' | ',') || is_group(c)) {
            gap = 1;
        } else {
            break;
        }
    }
    // "12." at the end is a number and a full stop; the stop counts as part of the number.
    if text[end..].starts_with('.') && text[end + 1..].trim_start().is_empty() { end + 1 } else { end }
}

/// Whether the character `c` at `at` is the `e` or the sign of an exponent.
fn is_exponent(text: &str, at: usize, c: char) -> bool {
    match c {
        'e' | 'E' => {
            let rest = &text[at + 1..];
            rest.strip_prefix(['+', '-']).unwrap_or(rest).starts_with(|c: char| c.is_ascii_digit())
        }
        '+' | '-' => text[..at].ends_with(['e', 'E']),
        _ => false,
    }
}

/// Whether a number is grouped as in India: `1,25,00,000`.
fn is_indian(whole: &str) -> bool {
    let groups: Vec<&str> = whole.split(',').collect();
    let [first, middle @ .., last] = &groups[..] else { return false };
    let all_digits = groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_digit()));
    all_digits
        && (1..=2).contains(&first.len())
        && last.len() == 3
        && !middle.is_empty()
        && middle.iter().all(|group| group.len() == 2)
}

fn is_group(c: char) -> bool {
    c.is_whitespace() || matches!(c, '\u{202f}' | '\u{a0}' | '\u{2009}' | '\'' | '’')
}

impl NumberText<'_> {
    /// Returns the number as plain decimal text: `-1392.85`.
    #[must_use]
    pub fn plain(&self) -> &str {
        std::str::from_utf8(&self.plain[..self.len]).unwrap_or("")
    }

    /// Returns the number scaled by 10^`digits`.
    ///
    /// # Errors
    /// Fails if it does not fit in 64 bits.
    pub fn scaled(&self, digits: u32) -> Result<i64, MoneyError> {
        parse_decimal(self.plain(), digits)
    }

    fn push(&mut self, byte: u8, text: &str) -> Result<(), NumberTextError> {
        *self.plain.get_mut(self.len).ok_or_else(|| NumberTextError::TooLong(cut(text)))? = byte;
        self.len += 1;
        Ok(())
    }

    fn read(&mut self, body: &str, style: NumberStyle, text: &str) -> Result<(), NumberTextError> {
        let wrong = || NumberTextError::Style(cut(text), style.example());
        if style == NumberStyle::Plain {
            for byte in body.bytes() {
                self.push(byte, text)?;
            }
            return parse_decimal(self.plain(), 0).map(drop).map_err(|_| wrong());
        }
        let decimal = match style {
            NumberStyle::Plain | NumberStyle::En => Some('.'),
            NumberStyle::De | NumberStyle::Fr => Some(','),
            NumberStyle::Auto => decimal_sign(body),
        };
        let (whole, fraction) = match decimal.and_then(|sign| body.rsplit_once(sign)) {
            Some((whole, fraction)) => (whole, fraction),
            None => (body, ""),
        };
        let dots_group = match style {
            NumberStyle::De => Some('.'),
            NumberStyle::En => Some(','),
            NumberStyle::Plain | NumberStyle::Fr => None,
            NumberStyle::Auto => Some(if decimal == Some('.') { ',' } else { '.' }),
        };
        let groups = |c: char| {
            is_group(c) || Some(c) == dots_group || (style == NumberStyle::Auto && decimal.is_none() && c == ',')
        };
        let mut sign = None;
        let indian = is_indian(whole);
        for (nth, group) in whole.split(groups).enumerate() {
            let fits =
                if nth == 0 { group.len() <= 3 || whole.len() == group.len() } else { indian || group.len() == 3 };
            if !fits || !group.bytes().all(|b| b.is_ascii_digit()) {
                return Err(wrong());
            }
            for byte in group.bytes() {
                self.push(byte, text)?;
            }
        }
        // Only one kind of sign groups: in "1.234,567" the comma cannot group as well.
        for c in whole.chars().filter(|c| matches!(c, '.' | ',')) {
            if *sign.get_or_insert(c) != c {
                return Err(wrong());
            }
        }
        if !fraction.bytes().all(|b| b.is_ascii_digit()) || (whole.is_empty() && fraction.is_empty()) {
            return Err(wrong());
        }
        if !fraction.is_empty() {
            self.push(b'.', text)?;
            for byte in fraction.bytes() {
                self.push(byte, text)?;
            }
        }
        Ok(())
    }
}

impl NumberStyle {
    /// Name in maps.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "plain" => Self::Plain,
            "auto" => Self::Auto,
            "de" => Self::De,
            "en" => Self::En,
            "fr" => Self::Fr,
            _ => return None,
        })
    }

    /// Arbitrary numbers in this style.
    #[must_use]
    pub fn example(self) -> &'static str {
        match self {
            Self::Plain => "1392.85",
            Self::Auto | Self::En => "1,392.85",
            Self::De => "1.392,85",
            Self::Fr => "1 392,85",
        }
    }
}

/// Detects the decimal sign of a number; see [`NumberStyle::Auto`].
fn decimal_sign(body: &str) -> Option<char> {
    let last = body.rfind(['.', ','])?;
    let sign = if body[last..].starts_with('.') { '.' } else { ',' };
    let other = if sign == '.' { ',' } else { '.' };
    if body.contains(other) {
        return Some(sign);
    }
    if body[..last].contains(sign) {
        return None;
    }
    let before = &body[..last];
    let three_after = body.len() - last - 1 == 3;
    let grouped_before = before.contains(is_group);
    let could_group = three_after && !grouped_before && (1..=3).contains(&before.len()) && before != "0";
    (!could_group).then_some(sign)
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(text: &str, style: NumberStyle) -> Option<String> {
        split_number(text, style).ok().map(|n| n.plain().to_owned())
    }

    #[test]
    fn each_style_reads_its_own_signs() {
        use NumberStyle::{De, En, Fr, Plain};
        for (text, style, want) in [
            ("1392.85", Plain, "1392.85"),
            ("5e5", Plain, "5e5"),
            ("1.2E+6", Plain, "1.2E+6"),
            ("1.392,85", De, "1392.85"),
            ("650", De, "650"),
            ("1.000.000", De, "1000000"),
            ("1,392.85", En, "1392.85"),
            ("1,312", En, "1312"),
            ("0.1952", En, "0.1952"),
            ("1 392,85", Fr, "1392.85"),
            ("1\u{202f}700\u{202f}000", Fr, "1700000"),
            ("15\u{a0}000", Fr, "15000"),
            ("1'392.85", En, "1392.85"),
            ("-3,5", Fr, "-3.5"),
        ] {
            assert_eq!(plain(text, style).as_deref(), Some(want), "{text} {style:?}");
        }
    }

    #[test]
    fn signs_of_another_style_are_refused_not_misread() {
        use NumberStyle::{De, En, Fr, Plain};
        for (text, style) in [
            ("1392.85", De),
            ("1.392,85", En),
            ("1.392,85", Fr),
            ("1,392.85", De),
            ("1,000", Plain),
            ("1 000", Plain),
            ("12 34", Fr),
            ("abc", En),
            ("", En),
        ] {
            assert_eq!(plain(text, style), None, "{text} {style:?}");
        }
    }

    #[test]
    fn auto_reads_the_signs_from_the_number() {
        for (text, want) in [
            ("1.392,85", "1392.85"),
            ("1,392.85", "1392.85"),
            ("690,000", "690000"),
            ("690.000", "690000"),
            ("1.234.567", "1234567"),
            ("1392.85", "1392.85"),
            ("1392,85", "1392.85"),
            ("0.125", "0.125"),
            ("1234.567", "1234.567"),
            ("1 700 000", "1700000"),
            ("1 700,50", "1700.50"),
            ("12.", "12"),
        ] {
            assert_eq!(plain(text, NumberStyle::Auto).as_deref(), Some(want), "{text}");
        }
        assert_eq!(plain("1.23.456", NumberStyle::Auto), None);
        assert_eq!(plain("1,2,3.4.5", NumberStyle::Auto), None);
    }

    #[test]
    fn words_around_the_number_are_given_back() {
        let number = split_number("ab € 1.392,85 / Monat", NumberStyle::De).unwrap();
        assert_eq!((number.before, number.plain(), number.after), ("ab €", "1392.85", "/ Monat"));
        let number = split_number("1,,2", NumberStyle::En).unwrap();
        assert_eq!((number.plain(), number.after), ("1", ",,2"));
    }

    #[test]
    fn a_number_longer_than_any_amount_is_refused() {
        assert!(matches!(split_number(&"9".repeat(60), NumberStyle::En), Err(NumberTextError::TooLong(_))));
    }
}
