use std::fmt;

use serde::{Deserialize, Serialize};

/// An ISO 4217 currency code, such as `USD`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// An amount in the minor unit of its currency: cents for USD, whole yen for JPY.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Minor(pub i64);

/// The text is not an amount of money or not a currency.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Not three ASCII letters.
    #[error("{0:?} is not a currency code of three letters like USD (ISO 4217)")]
    Currency(String),
    /// Not a plain decimal number.
    #[error("{0:?} is not a decimal number like 1392.85")]
    Number(String),
    /// More than fits in 64 bits of minor units.
    #[error("{0:?} is too large an amount")]
    TooLarge(String),
}

impl Currency {
    /// US dollar.
    pub const USD: Self = Self(*b"USD");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");
    /// Moroccan dirham.
    pub const MAD: Self = Self(*b"MAD");

    /// Parses a code of three letters, in either case.
    ///
    /// # Errors
    /// If the text is anything else. Does not check whether ISO has assigned the code.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        match text.trim().as_bytes() {
            [a, b, c] if [a, b, c].iter().all(|l| l.is_ascii_alphabetic()) => {
                Ok(Self([a, b, c].map(u8::to_ascii_uppercase)))
            }
            _ => Err(MoneyError::Currency(text.to_owned())),
        }
    }

    /// The code in upper case.
    #[must_use]
    pub fn code(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("XXX")
    }

    /// The number of decimal digits of the minor unit (ISO 4217).
    #[must_use]
    pub fn minor_digits(self) -> u32 {
        match &self.0 {
            b"JPY" | b"KRW" | b"VND" | b"CLP" | b"ISK" | b"XOF" | b"XAF" | b"PYG" | b"UGX" | b"RWF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            _ => 2,
        }
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        Self::parse(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.code().to_owned()
    }
}

impl Minor {
    /// Parses a plain decimal number of major units (`1392.85`, `-3`, `5e5`) exactly. Digits beyond the minor unit are
    /// rounded half away from zero.
    ///
    /// # Errors
    /// If the text is not such a number or the amount does not fit.
    ///
    /// ```
    /// use stoop_domain::{Currency, Minor};
    /// assert_eq!(Minor::parse_major("1392.85", Currency::EUR), Ok(Minor(139_285)));
    /// assert_eq!(Minor::parse_major("221900.0", Currency::USD), Ok(Minor(22_190_000)));
    /// ```
    pub fn parse_major(text: &str, currency: Currency) -> Result<Self, MoneyError> {
        parse_decimal(text, currency.minor_digits()).map(Self)
    }

    /// The amount in major units, for display and charts only, not for arithmetic.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "for display")]
    pub fn major_f64(self, currency: Currency) -> f64 {
        self.0 as f64 / 10_f64.powi(currency.minor_digits().cast_signed())
    }
}

/// Parses a plain decimal number scaled by ten to the power of `digits`: `("12.5", 2)` is 1250. Further digits are
/// rounded half away from zero. Accepts an exponent (`1.2e6`).
///
/// # Errors
/// If the text is not such a number, or the result does not fit in 64 bits.
pub fn parse_decimal(text: &str, digits: u32) -> Result<i64, MoneyError> {
    let bad = || MoneyError::Number(text.to_owned());
    let large = || MoneyError::TooLarge(text.to_owned());
    let body = text.trim();
    let (negative, body) = match body.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, body.strip_prefix('+').unwrap_or(body)),
    };
    let (mantissa, exponent) = match body.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().map_err(|_| bad())?),
        None => (body, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return Err(bad());
    }
    // The decimal point moves right by the exponent plus `digits`.
    let shift = i64::from(exponent) + i64::from(digits);
    let kept = i64::try_from(whole.len()).map_err(|_| large())? + shift;
    let mut value: i64 = 0;
    let mut round_up = false;
    let mut position: i64 = 0;
    for digit in whole.bytes().chain(fraction.bytes()) {
        if !digit.is_ascii_digit() {
            return Err(bad());
        }
        let digit = i64::from(digit - b'0');
        if position < kept {
            value = value.checked_mul(10).and_then(|v| v.checked_add(digit)).ok_or_else(large)?;
        } else if position == kept {
            round_up = digit >= 5;
        }
        position += 1;
    }
    if value != 0 {
        if kept - position > 19 {
            return Err(large());
        }
        for _ in position..kept {
            value = value.checked_mul(10).ok_or_else(large)?;
        }
    }
    if round_up {
        value = value.checked_add(1).ok_or_else(large)?;
    }
    Ok(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_parse_exactly() {
        for (text, digits, want) in [
            ("0", 2, 0),
            ("650", 2, 65_000),
            ("1392.85", 2, 139_285),
            ("1392.855", 2, 139_286),
            ("1392.8449", 2, 139_284),
            (".5", 2, 50),
            ("5.", 2, 500),
            ("-3.5", 2, -350),
            ("1.2e6", 2, 120_000_000),
            ("0.6699954086", 4, 6_700),
            ("0.00e99", 2, 0),
            ("12e-1", 0, 1),
            ("15e-1", 0, 2),
        ] {
            assert_eq!(parse_decimal(text, digits), Ok(want), "{text}");
        }
    }

    #[test]
    fn other_texts_are_refused() {
        for text in ["", ".", "abc", "1,000", "1 000", "1e", "0x10", "--1", "9223372036854775808", "1e40"] {
            assert!(parse_decimal(text, 2).is_err(), "{text}");
        }
    }
}
