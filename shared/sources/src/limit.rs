use std::fmt;
use std::str::FromStr;

/// A limit on use of a server: at most `most` in any time range of `per_ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Limit {
    /// What is counted.
    pub of: Metered,
    /// Maximum amount in the range.
    pub most: u64,
    /// Length of the range in milliseconds.
    pub per_ms: u64,
}

/// What a limit counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Metered {
    /// Requests, whatever their result.
    Requests,
    /// Bytes of response bodies, decompressed.
    Bytes,
}

/// Named ranges. A month is 31 days, so that the limit holds for every calendar month.
const UNITS: [(&str, &str, u64); 5] = [
    ("s", "second", 1_000),
    ("m", "minute", 60_000),
    ("h", "hour", 3_600_000),
    ("d", "day", 86_400_000),
    ("mo", "31 days", 31 * 86_400_000),
];

const SIZES: [(&str, u64); 3] = [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)];

impl Limit {
    /// Requests per second.
    #[must_use]
    pub const fn per_second(most: u64) -> Self {
        Self { of: Metered::Requests, most, per_ms: 1_000 }
    }

    /// Requests per minute.
    #[must_use]
    pub const fn per_minute(most: u64) -> Self {
        Self { of: Metered::Requests, most, per_ms: 60_000 }
    }

    /// Requests per hour.
    #[must_use]
    pub const fn per_hour(most: u64) -> Self {
        Self { of: Metered::Requests, most, per_ms: 3_600_000 }
    }

    /// Requests per day.
    #[must_use]
    pub const fn per_day(most: u64) -> Self {
        Self { of: Metered::Requests, most, per_ms: 86_400_000 }
    }

    /// Requests per month: in any 31 days, so that the limit holds whenever the server's month begins.
    #[must_use]
    pub const fn per_month(most: u64) -> Self {
        Self { of: Metered::Requests, most, per_ms: 31 * 86_400_000 }
    }

    /// One request per range of `ms`.
    #[must_use]
    pub const fn pause(ms: u64) -> Self {
        Self { of: Metered::Requests, most: 1, per_ms: ms }
    }

    /// Bytes per hour.
    #[must_use]
    pub const fn bytes_per_hour(most: u64) -> Self {
        Self { of: Metered::Bytes, most, per_ms: 3_600_000 }
    }
}

/// The text is not a valid limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "accepted: requests or bytes in a second, minute, hour, day or month: 2/s, 180/m, 7200/h, 40000/d, 50/mo, 4GB/h"
)]
pub struct LimitError;

impl FromStr for Limit {
    type Err = LimitError;

    fn from_str(text: &str) -> Result<Self, LimitError> {
        let (amount, unit) = text.split_once('/').ok_or(LimitError)?;
        let (_, _, per_ms) = UNITS.into_iter().find(|(short, ..)| *short == unit.trim()).ok_or(LimitError)?;
        let amount = amount.trim();
        let sized = SIZES.into_iter().find_map(|(end, bytes)| Some((amount.strip_suffix(end)?, bytes)));
        let (of, digits, times) = match sized {
            Some((digits, bytes)) => (Metered::Bytes, digits.trim_end(), bytes),
            None => (Metered::Requests, amount, 1),
        };
        let plain: String = digits.chars().filter(|c| *c != '_').collect();
        let most = plain.parse::<u64>().ok().and_then(|most| most.checked_mul(times)).filter(|most| *most > 0);
        Ok(Self { of, most: most.ok_or(LimitError)?, per_ms })
    }
}

impl fmt::Display for Limit {
    /// Formats as `7200 requests an hour`, `4 GB an hour`, `1 request in 3 s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.of {
            Metered::Requests if self.most == 1 => f.write_str("1 request")?,
            Metered::Requests => write!(f, "{} requests", self.most)?,
            Metered::Bytes => match SIZES.into_iter().find(|(_, bytes)| self.most.is_multiple_of(*bytes)) {
                Some((size, bytes)) => write!(f, "{} {size}", self.most / bytes)?,
                None => write!(f, "{} bytes", self.most)?,
            },
        }
        match UNITS.into_iter().find(|(_, _, ms)| *ms == self.per_ms) {
            Some(("mo", long, _)) => write!(f, " in {long}"),
            Some((_, long, _)) => write!(f, " {} {long}", if long == "hour" { "an" } else { "a" }),
            None => write!(f, " in {} s", self.per_ms as f64 / 1_000.0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_reported() {
        for (text, message) in [
            ("2/s", "2 requests a second"),
            ("180/m", "180 requests a minute"),
            ("7_200/h", "7200 requests an hour"),
            ("40000/d", "40000 requests a day"),
            ("50/mo", "50 requests in 31 days"),
            ("4GB/h", "4 GB an hour"),
            ("1500 kB/m", "1500 kB a minute"),
            ("1/m", "1 request a minute"),
        ] {
            assert_eq!(text.parse::<Limit>().unwrap().to_string(), message, "{text}");
        }
        assert_eq!(Limit::pause(3_500).to_string(), "1 request in 3.5 s");
    }

    #[test]
    fn invalid_limits_are_refused() {
        for text in
            ["", "2", "/s", "0/s", "-1/s", "2/w", "2 GB", "99999999999999999999/s", "99999999999999GB/h", "2.5/s"]
        {
            assert_eq!(text.parse::<Limit>(), Err(LimitError), "{text}");
        }
    }
}
