use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Why something could not be read or counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not the format it should be in (JSON, CSV, HTML).
    Unreadable,
    /// Bytes that are not UTF-8.
    NotUtf8,
    /// Longer than a row may be.
    TooLong,
    /// The input ended in the middle of it.
    Truncated,
    /// A field that a listing cannot do without is absent.
    MissingField,
    /// A field is there but its value cannot be understood.
    BadValue,
    /// A price of zero or less.
    PriceNotPositive,
    /// A price that no home has.
    PriceAbsurd,
    /// A price in another currency than the market's.
    ForeignCurrency,
    /// A latitude beyond 90 or a longitude beyond 180 degrees.
    CoordinatesOutOfRange,
    /// Observed later than now.
    DateInFuture,
    /// Written by a newer version of Stoop.
    NewerVersion,
    /// Another row of its listing in the same snapshot.
    Repeated,
    /// More is said of one listing than can be said of a home.
    Overfull,
    /// Its source does not say any more what it used to say.
    Drifted,
}

/// Something that was refused, kept so that it can be looked at and read again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    /// Which source.
    pub source: String,
    /// When it was refused.
    pub at: Time,
    /// Where it stood: `file.csv:17`, `page 3, row 5`.
    pub location: String,
    /// Why.
    pub reason: Reason,
    /// The offending part, in words.
    pub detail: String,
    /// What was read, of rows of a source at most [`Reject::RAW_MAX`] bytes.
    pub raw: String,
    /// How many rows it stands for: one, or all those of a page or file beyond the first of their reason.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rows: u64,
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_one(rows: &u64) -> bool {
    *rows == 1
}

impl Reject {
    /// The longest excerpt that is kept of what was refused, in bytes.
    pub const RAW_MAX: usize = 2_048;

    /// The longest detail that is kept, in bytes: a parser's message may quote what it did not understand in full.
    pub const DETAIL_MAX: usize = 1_024;

    /// A reject with its excerpt cut to size; bytes that are not UTF-8 are shown as `\u{fffd}`.
    #[must_use]
    pub fn new(source: &str, at: Time, location: String, reason: Reason, detail: String, raw: &[u8]) -> Self {
        Self::whole(source, at, location, reason, detail, &raw[..raw.len().min(Self::RAW_MAX)])
    }

    /// The same with all of what was refused, however long it is: what may be sent again once its reason is mended.
    #[must_use]
    pub fn whole(source: &str, at: Time, location: String, reason: Reason, detail: String, raw: &[u8]) -> Self {
        let raw = String::from_utf8_lossy(raw).into_owned();
        let mut detail = detail;
        if detail.len() > Self::DETAIL_MAX {
            detail.truncate(detail.floor_char_boundary(Self::DETAIL_MAX - '…'.len_utf8()));
            detail.push('…');
        }
        Self { source: source.to_owned(), at, location, reason, detail, raw, rows: 1 }
    }
}

impl Reason {
    /// The reason's name in summaries and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unreadable => "unreadable",
            Self::NotUtf8 => "not_utf8",
            Self::TooLong => "too_long",
            Self::Truncated => "truncated",
            Self::MissingField => "missing_field",
            Self::BadValue => "bad_value",
            Self::PriceNotPositive => "price_not_positive",
            Self::PriceAbsurd => "price_absurd",
            Self::ForeignCurrency => "foreign_currency",
            Self::CoordinatesOutOfRange => "coordinates_out_of_range",
            Self::DateInFuture => "date_in_future",
            Self::NewerVersion => "newer_version",
            Self::Repeated => "repeated",
            Self::Overfull => "overfull",
            Self::Drifted => "drifted",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
