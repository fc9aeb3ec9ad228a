use std::ops::RangeInclusive;

use crate::listing::Purpose;
use crate::money::{Currency, Minor};

/// The range of possible prices of a home. A price outside is a placeholder (1, 11, 99999999999) or a mistake. The
/// minimum does not apply to closing prices, because deeds name token sums.
///
/// The bounds depend on k, the order of magnitude of the currency: a dollar is worth 10^k to 10^(k + 1) units of it.
/// Currencies worth a dollar or more have k = 0.
///
/// | | least | greatest |
/// | --- | --- | --- |
/// | for sale | 100 × 10^k | 10^10 × 10^k |
/// | for rent, a month | 10 × 10^k | 10^8 × 10^k |
///
/// A sale price in USD lies between 100 and ten billion, one in INR between 1,000 and a hundred billion. The bounds are
/// wide on purpose: lots and ruins sell for hundreds. For an unknown currency the minimum is that of k = 0 and the
/// maximum that of k = 5.
///
/// ```
/// use stoop_domain::{Currency, Minor, Purpose, price_bounds};
/// let usd = price_bounds(Currency::USD, Purpose::Sale);
/// assert!(usd.contains(&Minor(10_000)) && !usd.contains(&Minor(9_999)));
/// ```
#[must_use]
pub fn price_bounds(currency: Currency, purpose: Purpose) -> RangeInclusive<Minor> {
    let (least, greatest) = match magnitude(currency) {
        Some(k) => (k, k),
        None => (0, MAGNITUDE_MAX),
    };
    let (of_least, of_greatest) = match purpose {
        Purpose::Sale => (2, 10),
        Purpose::Rent => (1, 8),
    };
    let digits = currency.minor_digits();
    Minor(10_i64.pow(of_least + least + digits))..=Minor(10_i64.pow(of_greatest + greatest + digits))
}

/// 10^(10 + 5 + 3) still fits in 64 bits.
const MAGNITUDE_MAX: u32 = 5;

/// The order of magnitude of a currency: log10 of the units that a dollar is worth, rounded down. Rates move, but their
/// order of magnitude seldom does, and the bounds leave room for one or two orders.
fn magnitude(currency: Currency) -> Option<u32> {
    Some(match currency.code() {
        "USD" | "EUR" | "GBP" | "CHF" | "CAD" | "AUD" | "NZD" | "SGD" | "BND" | "KWD" | "BHD" | "OMR" | "JOD"
        | "TND" | "LYD" | "BGN" | "AZN" | "GEL" | "PAB" | "BSD" | "BBD" | "BZD" | "FJD" | "ILS" | "AED" | "SAR"
        | "QAR" | "PLN" | "RON" | "MYR" | "BRL" | "PEN" | "CNY" | "DKK" | "HKD" | "GTQ" | "BOB" | "XCD" | "KYD"
        | "BMD" => 0,
        "MAD" | "SEK" | "NOK" | "ZAR" | "CZK" | "MXN" | "THB" | "TWD" | "TRY" | "UAH" | "PHP" | "INR" | "RUB"
        | "EGP" | "UYU" | "MUR" | "BWP" | "NAD" | "MDL" | "HNL" | "NIO" | "DOP" | "MKD" | "GHS" | "SCR" | "ALL"
        | "ETB" => 1,
        "JPY" | "HUF" | "ISK" | "DZD" | "KES" | "BDT" | "LKR" | "PKR" | "RSD" | "AMD" | "KZT" | "XOF" | "XAF"
        | "CLP" | "CRC" | "JMD" | "NPR" => 2,
        "KRW" | "ARS" | "COP" | "NGN" | "TZS" | "UGX" | "RWF" | "KHR" | "MNT" | "PYG" | "IQD" | "MMK" | "MGA" => 3,
        "VND" | "IDR" | "LAK" | "UZS" | "LBP" => 4,
        "IRR" => 5,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(code: &str, purpose: Purpose) -> (i64, i64) {
        let bounds = price_bounds(Currency::parse(code).unwrap(), purpose);
        (bounds.start().0, bounds.end().0)
    }

    #[test]
    fn bounds_depend_on_currency_minor_unit_and_purpose() {
        for (code, sale, rent) in [
            ("USD", (10_000, 1_000_000_000_000), (1_000, 10_000_000_000)),
            ("MAD", (100_000, 10_000_000_000_000), (10_000, 100_000_000_000)),
            // Yen and dong have no minor unit; a dinar has thousandths.
            ("JPY", (10_000, 1_000_000_000_000), (1_000, 10_000_000_000)),
            ("VND", (1_000_000, 100_000_000_000_000), (100_000, 1_000_000_000_000)),
            ("IDR", (100_000_000, 10_000_000_000_000_000), (10_000_000, 100_000_000_000_000)),
            ("KWD", (100_000, 10_000_000_000_000), (10_000, 100_000_000_000)),
            ("XXX", (10_000, 100_000_000_000_000_000), (1_000, 1_000_000_000_000_000)),
        ] {
            assert_eq!((bounds(code, Purpose::Sale), bounds(code, Purpose::Rent)), (sale, rent), "{code}");
        }
    }

    #[test]
    fn every_currency_has_bounds_that_fit() {
        for code in ["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND", "IRR", "KRW", "CLP", "XOF", "ZZZ"] {
            for purpose in [Purpose::Sale, Purpose::Rent] {
                let (least, greatest) = bounds(code, purpose);
                assert!(0 < least && least < greatest, "{code}");
            }
        }
    }
}
