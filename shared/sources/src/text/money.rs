use stoop_domain::{Currency, Minor, MoneyError};

use super::money_words::{WordMeaning, first, of_sign};
use super::number::{NumberStyle, NumberText, NumberTextError, split_number};
use super::period::{Period, parse_period, scaled};

/// A parsed amount, and what the words around it say.
#[derive(Clone, Copy, Debug)]
pub struct MoneyText<'a> {
    number: NumberText<'a>,
    /// The multiplier in the text: 1,000 for `895k`.
    times: i64,
    /// The lower part of an amount in two units, and its multiplier: 2,800 times 10,000 in `1億2,800万円`.
    lower: Option<(NumberText<'a>, i64)>,
    /// Currency in the text; `None` if there is none.
    pub currency: Option<Currency>,
    /// The period that the text names: `/mo`, `pw`.
    pub period: Option<Period>,
    /// Whether the amount is the least that is asked: `from`, `offers over`, the lower end of a range.
    pub is_floor: bool,
}

/// Why a text is not an amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyTextError {
    /// The number cannot be read.
    #[error(transparent)]
    Number(#[from] NumberTextError),
    /// The text contains words that are not known.
    #[error("{text:?}: {word:?} is no currency sign or code known here")]
    Word {
        /// The whole text.
        text: String,
        /// The part that is not understood.
        word: String,
    },
    /// The text names two currencies.
    #[error("{0:?} names two currencies")]
    TwoCurrencies(String),
    /// The text names a range, or the least that is asked.
    #[error("{0:?} is a range or a minimum: range = \"minimum\" reads its lower end")]
    Floor(String),
    /// A price per unit of area.
    #[error("{0:?} is a price per area")]
    PerArea(String),
}

/// Parses an amount such as `1 700 000 DH`, `€ 1.392,85`, `$2,305/mo`, `£895k`, `₹ 85 Lac`.
///
/// A sign that several currencies share (`$`, `kr`, `¥`) means `default` if that is written so; otherwise `$` is USD, and
/// `kr` is unknown. Accepts `,-` and `.–` (no cents), words for what is asked (`guide price`, `VB`), and a period (`/mo`,
/// `pcm`, `per week`), which [`MoneyText::period`] gives.
///
/// # Errors
/// Fails if the number or the words around it cannot be read, and for a range or a minimum.
pub fn parse_money<'a>(
    text: &'a str,
    style: NumberStyle,
    default: Option<Currency>,
) -> Result<MoneyText<'a>, MoneyTextError> {
    let money = parse_floor(text, style, default)?;
    if money.is_floor { Err(MoneyTextError::Floor(cut(text))) } else { Ok(money) }
}

/// Like [`parse_money`]; accepts a range and a minimum, as their lower end.
///
/// # Errors
/// Fails if the number or the words around it cannot be read.
pub fn parse_floor<'a>(
    text: &'a str,
    style: NumberStyle,
    default: Option<Currency>,
) -> Result<MoneyText<'a>, MoneyTextError> {
    let number = split_number(text, style)?;
    let mut money = MoneyText { number, times: 1, lower: None, currency: None, period: None, is_floor: false };
    if number.before.is_empty() && number.after.is_empty() {
        return Ok(money);
    }
    let after = match in_myriads(number.after, style, text)? {
        Some((lower, after)) => {
            (money.times, money.lower) = (HUNDRED_MILLION, lower);
            after
        }
        None => number.after,
    };
    let mut words = MoneyWords { text, default, shared: None, money: &mut money };
    words.read(number.before, false)?;
    words.read(after, true)?;
    if let Some((codes, otherwise)) = words.shared {
        match money.currency {
            None => money.currency = of_sign(codes, otherwise, default),
            // "$3,500,000 MXN": the code says which dollar.
            Some(named) if codes.contains(&named.code()) => {}
            Some(_) => return Err(MoneyTextError::TwoCurrencies(cut(text))),
        }
    }
    Ok(money)
}

/// 億.
const HUNDRED_MILLION: i64 = 100_000_000;

/// 万.
const TEN_THOUSAND: i64 = 10_000;

/// A number and its multiplier.
type ScaledNumber<'a> = Option<(NumberText<'a>, i64)>;

/// What follows a number in hundreds of millions, as in East Asia: the lower part, which is in tens of thousands
/// (`1億2,800万円`, `3억 5,000`), and the words after it. `None` if it is not in hundreds of millions.
fn in_myriads<'a>(
    after: &'a str,
    style: NumberStyle,
    text: &str,
) -> Result<Option<(ScaledNumber<'a>, &'a str)>, MoneyTextError> {
    let Some(rest) = after.strip_prefix(['億', '亿', '억']) else { return Ok(None) };
    let rest = rest.trim_start();
    if !rest.starts_with(|c: char| c.is_ascii_digit()) {
        return Ok(Some((None, rest)));
    }
    let lower = split_number(rest, style)?;
    let unit = lower.after.strip_prefix(['万', '萬', '만']);
    // Koreans leave the unit out at the end; with the won behind it the number would be one of won.
    let is_bare = unit.is_none() && after.starts_with('억') && lower.after.is_empty();
    if !(unit.is_some() || is_bare) || lower.scaled(0).map_or(true, |number| number >= TEN_THOUSAND) {
        return Err(MoneyTextError::Word { text: cut(text), word: cut(rest) });
    }
    Ok(Some((Some((lower, TEN_THOUSAND)), unit.unwrap_or_default())))
}

/// The words of a text while they are read.
struct MoneyWords<'w, 'a> {
    text: &'a str,
    default: Option<Currency>,
    /// A sign that several currencies share.
    shared: Option<(&'static [&'static str], Option<&'static str>)>,
    money: &'w mut MoneyText<'a>,
}

impl MoneyWords<'_, '_> {
    /// Reads the words before or after the number.
    fn read(&mut self, words: &str, is_after: bool) -> Result<(), MoneyTextError> {
        let lower = words.to_lowercase();
        let mut rest = lower.as_str();
        let mut is_attached = is_after;
        // Each round consumes at least one character.
        while !rest.is_empty() {
            let trimmed =
                rest.trim_start_matches(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ':' | '*' | '|' | '~'));
            let stripped = trimmed.trim_start_matches(|c: char| {
                c.is_whitespace() || matches!(c, '-' | '–' | '—' | ',' | '.' | '/' | ';')
            });
            if is_after && let Some(range) = range(trimmed) {
                return self.range(range);
            }
            if stripped.is_empty() {
                break;
            }
            let is_per = trimmed.starts_with('/') || stripped.starts_with("per ") || stripped.starts_with("pro ");
            // `/m²` and `per sqft`: the unit follows.
            let unit = stripped
                .strip_prefix("per ")
                .or_else(|| stripped.strip_prefix("pro "))
                .unwrap_or(stripped)
                .trim_start();
            let said = match first(stripped, self.default) {
                Some((WordMeaning::Period(_) | WordMeaning::Times(_), _)) | None if is_per => {
                    first(unit, self.default).map(|(said, len)| (said, len + stripped.len() - unit.len()))
                }
                other => other,
            };
            let said = self.periodic(stripped, said, is_per, is_attached);
            let Some((said, len)) = said else {
                let word = stripped.split_whitespace().next().unwrap_or(stripped);
                return Err(MoneyTextError::Word { text: cut(self.text), word: cut(word) });
            };
            self.take(said, is_after)?;
            rest = &stripped[len..];
            is_attached = false;
        }
        Ok(())
    }

    /// `m` is a million directly after the number, and a month after a slash.
    fn periodic(
        &self,
        text: &str,
        said: Option<(WordMeaning, usize)>,
        is_per: bool,
        is_attached: bool,
    ) -> Option<(WordMeaning, usize)> {
        let letters = text.len() - text.trim_start_matches(char::is_alphabetic).len();
        if is_per
            && !matches!(said, Some((WordMeaning::PerArea, _)))
            && let Some(period) = text.get(..letters).filter(|word| *word == "m").and(Some(Period::Month))
        {
            return Some((WordMeaning::Period(period), letters));
        }
        let currency = self.money.currency.or(self.default);
        match said {
            Some((WordMeaning::Times(_), _)) if !is_attached || self.money.times != 1 => None,
            // In Indonesia M is a milliard.
            Some((WordMeaning::Times(1_000_000), 1)) if currency.is_some_and(|known| known.code() == "IDR") => {
                Some((WordMeaning::Times(1_000_000_000), 1))
            }
            // "300 m2" is no price at all.
            Some((WordMeaning::PerArea, _)) if !is_per && !text.starts_with("psf") && !text.starts_with("psm") => None,
            other => other,
        }
    }

    fn take(&mut self, said: WordMeaning, is_after: bool) -> Result<(), MoneyTextError> {
        match said {
            WordMeaning::Currency(code) => {
                let currency = Currency::parse(code).ok();
                if self.money.currency.is_some() && self.money.currency != currency {
                    return Err(MoneyTextError::TwoCurrencies(cut(self.text)));
                }
                self.money.currency = currency;
            }
            WordMeaning::Sign(codes, otherwise) => {
                if self.shared.is_some_and(|(known, _)| known != codes) {
                    return Err(MoneyTextError::TwoCurrencies(cut(self.text)));
                }
                self.shared = Some((codes, otherwise));
            }
            WordMeaning::Times(times) if is_after => self.money.times = times,
            WordMeaning::Times(_) => {
                return Err(MoneyTextError::Word { text: cut(self.text), word: "a multiplier".to_owned() });
            }
            WordMeaning::Period(period) => self.money.period = Some(period),
            WordMeaning::Floor => self.money.is_floor = true,
            WordMeaning::PerArea => return Err(MoneyTextError::PerArea(cut(self.text))),
            WordMeaning::Nothing => {}
        }
        Ok(())
    }

    /// The text after the sign of a range: a second number, whose multiplier counts for both (`$1.1-1.15m`).
    fn range(&mut self, rest: &str) -> Result<(), MoneyTextError> {
        let upper = split_number(rest, NumberStyle::Auto)?;
        self.money.is_floor = true;
        self.read(upper.before, false)?;
        let times = self.money.times;
        let digits = rest.rfind(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| at + 1);
        // A third number is no range.
        if upper.after.contains(|c: char| c.is_ascii_digit()) {
            return Err(MoneyTextError::Word { text: cut(self.text), word: cut(upper.after) });
        }
        self.money.times = 1;
        self.read(&rest[digits..], true)?;
        self.money.times = self.money.times.max(times);
        Ok(())
    }
}

/// The rest of a text after the sign or word of a range, if a number follows.
fn range(text: &str) -> Option<&str> {
    let signs = ["-", "–", "—", "to ", "bis ", "à ", "a ", "until ", "tot ", "till ", "and ", "~", "do ", "al "];
    let rest = signs.iter().find_map(|sign| text.strip_prefix(sign))?;
    let word: &str = rest.trim_start().trim_start_matches(|c: char| !c.is_alphanumeric());
    // "€ 650,- per month": no number follows directly.
    let near =
        word.trim_start_matches(|c: char| c.is_alphabetic() || c.is_whitespace() || matches!(c, '$' | '€' | '£'));
    let skipped = word.len() - near.len();
    (skipped <= 5 && near.starts_with(|c: char| c.is_ascii_digit())).then_some(rest)
}

impl MoneyText<'_> {
    /// Returns the amount in minor units of `currency`.
    ///
    /// # Errors
    /// Fails if it does not fit in 64 bits.
    pub fn minor(&self, currency: Currency) -> Result<Minor, MoneyError> {
        if self.times == 1 {
            return self.number.scaled(currency.minor_digits()).map(Minor);
        }
        let large = || MoneyError::TooLarge(self.number.plain().to_owned());
        // Digits that the multiplier makes whole are kept: 1.2345m is 1,234,500.
        let whole = |number: &NumberText<'_>, times: i64| {
            let exact = number.scaled(currency.minor_digits() + 6)?;
            scaled(exact, times, 1_000_000).ok_or_else(large)
        };
        let higher = whole(&self.number, self.times)?;
        let lower = self.lower.as_ref().map_or(Ok(0), |(number, times)| whole(number, *times))?;
        higher.checked_add(lower).map(Minor).ok_or_else(large)
    }
}

/// Whether a text says that its amount is monthly.
#[must_use]
pub fn is_monthly(text: &str) -> bool {
    let text = text.trim_end();
    let tail = text.rfind(|c: char| c.is_ascii_digit()).map_or("", |at| text[at + 1..].trim());
    let tail = tail.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '/');
    let tails = std::iter::once(tail).chain(tail.match_indices(['/', ' ']).map(|(at, _)| tail[at..].trim()));
    tails.into_iter().any(|tail| parse_period(tail) == Some(Period::Month) || tail == "/m")
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests;
