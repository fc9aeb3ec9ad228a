use std::fmt;

use serde::{Deserialize, Serialize};

use crate::time::Time;

/// Why a row or record is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Not in the expected format (JSON, CSV, HTML).
    Unreadable,
    NotUtf8,
    /// Longer than the maximum length of a row.
    TooLong,
    /// The input ended in the middle of it.
    Truncated,
    /// A required field is missing.
    MissingField,
    /// A field has a value that cannot be parsed.
    BadValue,
    /// A price of zero or less.
    PriceNotPositive,
    /// A price outside the possible range ([`crate::price_bounds`]).
    PriceAbsurd,
    /// A currency other than that of the market.
    ForeignCurrency,
    /// A latitude beyond ±90 or a longitude beyond ±180 degrees.
    CoordinatesOutOfRange,
    /// A time in the future.
    DateInFuture,
    /// Written by a newer version of Stoop.
    NewerVersion,
    /// Another row of the same listing in the same snapshot.
    Repeated,
    /// The listing has more distinct facts than a home can have.
    Overfull,
    /// The source no longer fills a field that it filled before.
    Drifted,
}

/// A value that is left out of a row, which is kept without it: it cannot be read, or no home can have it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedValue {
    pub reason: Reason,
    /// Begins with the name of the field, and shows the value.
    pub detail: String,
}

/// A row, record or value that was refused, kept so that a person can inspect it. Stoop can read a row again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reject {
    pub source: String,
    /// When it was refused.
    pub at: Time,
    /// Its position: `file.csv:17`, `page 3, row 5`.
    pub location: String,
    pub reason: Reason,
    /// Explains the offending part.
    pub detail: String,
    /// The input. For rows of a source, at most [`Reject::RAW_MAX`] bytes.
    pub raw: String,
    /// The number of refused rows that this reject stands for: one, or all further rows of a page or file with the same
    /// reason. 0 for values.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    pub rows: u64,
    /// The number of refused values of kept rows that it stands for, likewise. 0 for rows.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub values: u64,
}

fn one() -> u64 {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "required by serde")]
fn is_one(rows: &u64) -> bool {
    *rows == 1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "required by serde")]
fn is_zero(values: &u64) -> bool {
    *values == 0
}

impl RefusedValue {
    /// The name of the field, as the source or the map calls it.
    #[must_use]
    pub fn field(&self) -> &str {
        self.detail.split([' ', ':']).next().unwrap_or_default()
    }
}

impl Reject {
    /// The maximum length of `raw`, in bytes.
    pub const RAW_MAX: usize = 2_048;

    /// The maximum length of `detail`, in bytes. A parser's message may quote its whole input.
    pub const DETAIL_MAX: usize = 1_024;

    /// Makes a reject and truncates the input. Invalid UTF-8 is shown as `\u{fffd}`.
    #[must_use]
    pub fn new(source: &str, at: Time, location: String, reason: Reason, detail: String, raw: &[u8]) -> Self {
        Self::whole(source, at, location, reason, detail, &raw[..raw.len().min(Self::RAW_MAX)])
    }

    /// Makes a reject with the whole input, for input that may be sent again once the cause is fixed.
    #[must_use]
    pub fn whole(source: &str, at: Time, location: String, reason: Reason, detail: String, raw: &[u8]) -> Self {
        let raw = String::from_utf8_lossy(raw).into_owned();
        let mut detail = detail;
        if detail.len() > Self::DETAIL_MAX {
            detail.truncate(detail.floor_char_boundary(Self::DETAIL_MAX - '…'.len_utf8()));
            detail.push('…');
        }
        Self { source: source.to_owned(), at, location, reason, detail, raw, rows: 1, values: 0 }
    }

    /// Makes a reject for a value. `raw` is the row without it.
    #[must_use]
    pub fn of_value(source: &str, at: Time, location: String, value: RefusedValue, raw: &[u8]) -> Self {
        let RefusedValue { reason, detail } = value;
        Self { rows: 0, values: 1, ..Self::new(source, at, location, reason, detail, raw) }
    }

    /// What makes two rejects the same: a store keeps one of them. A row may have several refused values.
    #[must_use]
    pub fn identity(&self) -> Vec<&[u8]> {
        let mut parts = vec![self.source.as_str(), &self.location, self.reason.as_str(), &self.raw];
        if self.values > 0 {
            parts.push(&self.detail);
        }
        parts.into_iter().map(str::as_bytes).collect()
    }
}

impl Reason {
    /// The name in summaries and metrics.
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
