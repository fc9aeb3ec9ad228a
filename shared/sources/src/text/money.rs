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
    let mut words = Words { text, default, shared: None, money: &mut money };
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
type Part<'a> = Option<(NumberText<'a>, i64)>;

/// What follows a number in hundreds of millions, as in East Asia: the lower part, which is in tens of thousands
/// (`1億2,800万円`, `3억 5,000`), and the words after it. `None` if it is not in hundreds of millions.
fn in_myriads<'a>(
    after: &'a str,
    style: NumberStyle,
    text: &str,
) -> Result<Option<(Part<'a>, &'a str)>, MoneyTextError> {
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
struct Words<'w, 'a> {
    text: &'a str,
    default: Option<Currency>,
    /// A sign that several currencies share.
    shared: Option<(&'static [&'static str], Option<&'static str>)>,
    money: &'w mut MoneyText<'a>,
}

impl Words<'_, '_> {
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
mod tests {
    use super::*;

    fn read(text: &str, style: NumberStyle, default: Currency) -> Result<(i64, Option<Currency>), MoneyTextError> {
        let money = parse_money(text, style, Some(default))?;
        Ok((money.minor(money.currency.unwrap_or(default)).unwrap().0, money.currency))
    }

    #[test]
    fn portals_write_amounts_each_in_their_way() {
        use NumberStyle::{Auto, De, En, Fr, Plain};
        let (mad, eur, usd) = (Currency::MAD, Currency::EUR, Currency::USD);
        for (text, style, default, want) in [
            ("1\u{202f}700\u{202f}000 DH", Fr, mad, (170_000_000, Some(mad))),
            ("15\u{a0}000\u{a0}000 DH", Auto, mad, (1_500_000_000, Some(mad))),
            ("480 000 EUR", Auto, mad, (48_000_000, Some(eur))),
            ("690,000 DH", Auto, mad, (69_000_000, Some(mad))),
            ("€ 1.392,85", De, eur, (139_285, Some(eur))),
            ("€ 650,-", De, eur, (65_000, Some(eur))),
            ("650 €", De, eur, (65_000, Some(eur))),
            ("$2,305/mo", En, usd, (230_500, Some(usd))),
            ("600 €/mes", Plain, eur, (60_000, Some(eur))),
            ("1.200 € / Mes", De, usd, (120_000, Some(eur))),
            ("1 250 € par mois", Fr, eur, (125_000, Some(eur))),
            ("£950 pcm", En, eur, (95_000, Some(Currency::parse("GBP").unwrap()))),
            ("221900.0", Plain, usd, (22_190_000, None)),
            ("USD 5", Plain, usd, (500, Some(usd))),
            ("-5", Plain, usd, (-500, None)),
        ] {
            assert_eq!(read(text, style, default), Ok(want), "{text}");
        }
    }

    #[test]
    fn what_is_by_the_month_says_so_at_its_end() {
        assert!(["600 €/mes", "$2,305/mo", "1.200 € al mes ", "900 € pro Monat"].into_iter().all(is_monthly));
        assert!(!["600 €", "3/4", "€/mes 600", "month"].into_iter().any(is_monthly));
    }

    #[test]
    fn a_dollar_is_the_dollar_of_the_country() {
        let cad = Currency::parse("CAD").unwrap();
        assert_eq!(read("$5", NumberStyle::En, cad).unwrap().1, Some(cad));
        assert_eq!(read("$5", NumberStyle::En, Currency::MAD).unwrap().1, Some(Currency::USD));
    }

    fn major(text: &str, code: &str) -> Result<(f64, String), MoneyTextError> {
        let default = Currency::parse(code).unwrap();
        let money = parse_floor(text, NumberStyle::Auto, Some(default))?;
        let currency = money.currency.unwrap_or(default);
        Ok((money.minor(currency).unwrap().major_f64(currency), currency.code().to_owned()))
    }

    #[test]
    fn the_sign_of_the_country_is_its_currency() {
        for (text, code, amount) in [
            ("$3,500,000", "MXN", 3_500_000.0),
            ("$ 120.000.000", "CLP", 120_000_000.0),
            ("$ 450.000.000", "COP", 450_000_000.0),
            ("$3,500,000 MXN", "MXN", 3_500_000.0),
            ("CLP 120.000.000", "CLP", 120_000_000.0),
            ("$1,845,000 AUD", "AUD", 1_845_000.0),
            ("USD $500,000", "USD", 500_000.0),
            ("R$ 1.250.000", "BRL", 1_250_000.0),
            ("3 495 000 kr", "SEK", 3_495_000.0),
            ("3.250.000 TL", "TRY", 3_250_000.0),
            ("1,850,000 ₪", "ILS", 1_850_000.0),
            ("25 000 ₽", "RUB", 25_000.0),
            ("34,800,000円", "JPY", 34_800_000.0),
            ("4,980万円", "JPY", 49_800_000.0),
            ("1億円", "JPY", 100_000_000.0),
            ("1億2,800万円", "JPY", 128_000_000.0),
            ("1.5億円", "JPY", 150_000_000.0),
            ("3억 5,000", "KRW", 350_000_000.0),
            ("12억 5000만원", "KRW", 1_250_000_000.0),
            ("12억", "KRW", 1_200_000_000.0),
            ("5,000만원", "KRW", 50_000_000.0),
            ("1亿2000万元", "CNY", 120_000_000.0),
            ("3,2 tỷ", "VND", 3_200_000_000.0),
            ("950 triệu", "VND", 950_000_000.0),
            ("Rp 1,25 Miliar", "IDR", 1_250_000_000.0),
            ("Rp 1,25 M", "IDR", 1_250_000_000.0),
            ("385 Juta", "IDR", 385_000_000.0),
            ("54,9 M Ft", "HUF", 54_900_000.0),
            ("UF 5.200,1234", "CLF", 5_200.12),
            ("UF 5,200.5", "CLF", 5_200.5),
            ("￥34800000", "JPY", 34_800_000.0),
            ("₹1,25,00,000", "INR", 12_500_000.0),
            ("Rs 45,00,000", "INR", 4_500_000.0),
            ("Rs. 85 Lac", "INR", 8_500_000.0),
            ("₹ 1.5 Cr", "INR", 15_000_000.0),
            ("CHF 1’250’000.–", "CHF", 1_250_000.0),
            ("CHF 1'250'000.-", "CHF", 1_250_000.0),
            ("£895k", "GBP", 895_000.0),
            ("$1.2m", "AUD", 1_200_000.0),
            ("1,2 Mio. €", "EUR", 1_200_000.0),
            ("€ 450.000 k.k.", "EUR", 450_000.0),
            ("450.000 € VB", "EUR", 450_000.0),
            ("Guide Price £425,000", "GBP", 425_000.0),
            ("€ 1.450 p.m.", "EUR", 1_450.0),
            ("₩ 350,000,000", "KRW", 350_000_000.0),
            ("฿4,500,000", "THB", 4_500_000.0),
            ("RM 850,000", "MYR", 850_000.0),
            ("KSh 12,000,000", "KES", 12_000_000.0),
            ("R 1 850 000", "ZAR", 1_850_000.0),
            ("425 000 zł", "PLN", 425_000.0),
        ] {
            assert_eq!(major(text, code), Ok((amount, code.to_owned())), "{text}");
        }
        assert_eq!(major("$ 250.000", "EUR").unwrap().1, "USD", "another country's dollar is the American one");
        assert_eq!(major("US$ 250,000", "MXN").unwrap().1, "USD");
        for (text, code) in [
            ("3 495 000 kr", "EUR"),
            ("Rs 5", "USD"),
            ("$5 EUR", "USD"),
            ("R 5", "EUR"),
            ("1億2,800", "JPY"),
            ("3억 5,000원", "KRW"),
            ("3억 50,000만", "KRW"),
            ("3억 5,000/120", "KRW"),
            ("1億2,800万3,000円", "JPY"),
        ] {
            assert!(major(text, code).is_err(), "{text} in {code}");
        }
    }

    #[test]
    fn a_range_and_a_minimum_are_known_as_such() {
        for (text, code, amount) in [
            ("$399,000 - $425,000", "AUD", 399_000.0),
            ("EOI - $840,000 - $880,000", "AUD", 840_000.0),
            ("$1.1-1.15m", "AUD", 1_100_000.0),
            ("Offers over £250,000", "GBP", 250_000.0),
            ("From £199,950", "GBP", 199_950.0),
            ("ab 350.000 €", "EUR", 350_000.0),
            ("Starting from $1,542,000", "AUD", 1_542_000.0),
        ] {
            assert_eq!(major(text, code), Ok((amount, code.to_owned())), "{text}");
            let default = Currency::parse(code).ok();
            let refused = parse_money(text, NumberStyle::Auto, default).map(drop);
            assert_eq!(refused, Err(MoneyTextError::Floor(text.to_owned())), "{text}");
        }
    }

    #[test]
    fn the_period_and_the_area_are_told() {
        let period = |text: &str| parse_money(text, NumberStyle::Auto, Some(Currency::EUR)).map(|money| money.period);
        for (text, wanted) in [
            ("$650 pw", Some(Period::Week)),
            ("£288 per week", Some(Period::Week)),
            ("120,000 AED/year", Some(Period::Year)),
            ("€ 95 per night", Some(Period::Day)),
            ("€ 900 /m", Some(Period::Month)),
            ("€ 900", None),
        ] {
            assert_eq!(period(text), Ok(wanted), "{text}");
        }
        assert_eq!(period("12,50 €/m²"), Err(MoneyTextError::PerArea("12,50 €/m²".to_owned())));
        assert_eq!(period("$250 per sqft"), Err(MoneyTextError::PerArea("$250 per sqft".to_owned())));
        assert!(period("300 m2").is_err());
    }

    #[test]
    fn texts_without_exactly_one_amount_are_refused() {
        for text in ["Prix non spécifié", "", "1 000 - 2 000 DH", "ab 999", "5 kg", "€ 5 $", "from $5", "1,,2"] {
            assert!(parse_money(text, NumberStyle::Auto, None).is_err(), "{text}");
        }
    }
}
