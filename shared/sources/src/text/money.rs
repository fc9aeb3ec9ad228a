use stoop_domain::{Currency, Minor, MoneyError};

use super::number::{NumberStyle, NumberText, NumberTextError, split_number};

/// A parsed amount and its currency, if the text names one.
#[derive(Clone, Copy, Debug)]
pub struct MoneyText<'a> {
    number: NumberText<'a>,
    /// Currency in the text; `None` if there is none.
    pub currency: Option<Currency>,
}

/// Why a text is not an amount of money.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyTextError {
    /// The number cannot be read.
    #[error(transparent)]
    Number(#[from] NumberTextError),
    /// The text contains words that are not a known currency.
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
}

/// Parses an amount such as `1 700 000 DH`, `€ 1.392,85`, `$2,305/mo`.
///
/// `$` means `default` if that is a dollar, otherwise USD. Accepts a trailing `,-` or `,–` (no cents), and `/mo`,
/// `/month`, `/mois`, `/Monat`, `/mes`, `/mese` or words such as `per month`.
///
/// # Errors
/// Fails if the number or the words around it cannot be read.
pub fn parse_money<'a>(
    text: &'a str,
    style: NumberStyle,
    default: Option<Currency>,
) -> Result<MoneyText<'a>, MoneyTextError> {
    let number = split_number(text, style)?;
    let word = |word: &str| MoneyTextError::Word { text: cut(text), word: cut(word) };
    let before = currency_word(number.before, default).ok_or_else(|| word(number.before))?;
    let after = currency_word(without_tail(number.after), default).ok_or_else(|| word(number.after))?;
    match (before, after) {
        (Some(a), Some(b)) if a != b => Err(MoneyTextError::TwoCurrencies(cut(text))),
        (a, b) => Ok(MoneyText { number, currency: a.or(b) }),
    }
}

impl MoneyText<'_> {
    /// Returns the amount in minor units of `currency`.
    ///
    /// # Errors
    /// Fails if it does not fit in 64 bits.
    pub fn minor(&self, currency: Currency) -> Result<Minor, MoneyError> {
        self.number.scaled(currency.minor_digits()).map(Minor)
    }
}

/// Suffixes of monthly amounts in lower case, after a slash or as words.
const MONTHS: [&str; 9] = ["mo", "mo.", "month", "mois", "monat", "mes", "mese", "mth", "m."];
const MONTHLY: [&str; 9] =
    ["per month", "a month", "par mois", "pro monat", "im monat", "al mes", "por mes", "al mese", "pcm"];

/// Whether a text says that its amount is monthly.
#[must_use]
pub fn is_monthly(text: &str) -> bool {
    monthly_tail(text.trim_end()).is_some()
}

/// Returns the text before a suffix for "monthly".
fn monthly_tail(text: &str) -> Option<&str> {
    if let Some((head, unit)) = text.rsplit_once('/')
        && MONTHS.iter().any(|month| unit.trim().to_lowercase() == *month)
    {
        return Some(head.trim_end());
    }
    MONTHLY.iter().find_map(|words| {
        let at = text.len().checked_sub(words.len())?;
        let tail = text.get(at..)?;
        tail.eq_ignore_ascii_case(words).then(|| text[..at].trim_end())
    })
}

fn without_tail(after: &str) -> &str {
    let after = after.strip_prefix(",-").or_else(|| after.strip_prefix(",–")).unwrap_or(after).trim_start();
    monthly_tail(after).unwrap_or(after)
}

/// `Some(None)` if there is no word, `None` if it is unknown.
#[expect(clippy::option_option, reason = "no word, no known word, a currency: three answers")]
fn currency_word(word: &str, default: Option<Currency>) -> Option<Option<Currency>> {
    if word.is_empty() {
        return Some(None);
    }
    let code = match word {
        "€" => "EUR",
        "£" => "GBP",
        "$" => {
            let dollar = default.filter(|c| matches!(c.code(), "USD" | "CAD" | "AUD" | "NZD" | "SGD" | "HKD"));
            return Some(Some(dollar.unwrap_or(Currency::USD)));
        }
        "US$" => "USD",
        "C$" | "CA$" => "CAD",
        "A$" | "AU$" => "AUD",
        "NZ$" => "NZD",
        "S$" => "SGD",
        "DH" | "Dh" | "dh" | "DHS" | "Dhs" | "dhs" | "درهم" => "MAD",
        "¥" => "JPY",
        "₹" => "INR",
        "zł" => "PLN",
        "Kč" => "CZK",
        "Ft" => "HUF",
        _ => CODES.iter().copied().find(|code| code.eq_ignore_ascii_case(word))?,
    };
    Currency::parse(code).ok().map(Some)
}

/// ISO 4217 codes that are recognized inside a text.
const CODES: [&str; 24] = [
    "MAD", "EUR", "USD", "GBP", "CHF", "CAD", "AUD", "NZD", "SGD", "HKD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF",
    "TND", "DZD", "ZAR", "AED", "INR", "JPY", "BRL", "MXN",
];

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

    #[test]
    fn texts_without_exactly_one_amount_are_refused() {
        for text in ["Prix non spécifié", "", "1 000 - 2 000 DH", "ab 999", "5 kg", "€ 5 $", "from $5", "1,,2"] {
            assert!(parse_money(text, NumberStyle::Auto, None).is_err(), "{text}");
        }
    }
}
