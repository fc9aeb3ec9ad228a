//! What a person decides about what polls hold back.

use std::fmt;

use stoop_domain::Time;

/// A person's decision about a loss or a move of prices that is held back: `release 2026-11-20T10:00:00Z`, or `reject` and a
/// time.
///
/// It applies to listings first missing, and moves first seen, before that time. So it does not affect what comes later, and
/// may stay where it is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Whether it is real.
    pub verdict: RulingVerdict,
    /// What was first missing or seen at this time or later, by the poller's clock or by the times of files, is not affected.
    pub until: Time,
}

/// Whether a loss or a move of prices is real.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RulingVerdict {
    /// The listings are gone, or the prices are right: the next poll reports it.
    Release,
    /// The listings are there: their absence is forgotten. The prices are wrong: no poll confirms them.
    Reject,
}

/// A text that is not a [`Ruling`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a ruling; accepted: \"release 2026-11-20T10:00:00Z\" and \"reject 2026-11-20T10:00:00Z\"")]
pub struct RulingError(String);

impl Ruling {
    /// Parses a ruling.
    ///
    /// # Errors
    ///
    /// The text is not a ruling.
    pub fn parse(text: &str) -> Result<Self, RulingError> {
        let mut words = text.split_whitespace();
        let verdict = match words.next() {
            Some("release") => Some(RulingVerdict::Release),
            Some("reject") => Some(RulingVerdict::Reject),
            _ => None,
        };
        match (verdict, words.next().map(Time::parse), words.next()) {
            (Some(verdict), Some(Ok(until)), None) => Ok(Self { verdict, until }),
            _ => Err(RulingError(text.chars().take(80).collect())),
        }
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.verdict, self.until)
    }
}

impl fmt::Display for RulingVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Release => "release",
            Self::Reject => "reject",
        })
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot continue fails")]
mod tests {
    use super::*;

    #[test]
    fn a_ruling_is_read_as_written_and_anything_else_refused() {
        for text in ["release 2026-11-20T10:00:00Z", " reject  2026-11-20T10:00:00.5Z\n"] {
            let ruling = Ruling::parse(text).unwrap();
            assert_eq!(Ruling::parse(&ruling.to_string()), Ok(ruling));
        }
        for text in ["", "release", "release now", "yes 2026-11-20T10:00:00Z", "reject 2026-11-20T10:00:00Z please"] {
            let error = Ruling::parse(text).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{text:?} is not a ruling")), "{error}");
        }
    }
}
