//! What reading may cost.

use stoop_domain::Time;

use stoop_pipeline::ports::{PortError, ShownWide};

/// The most markets that are added up for one answer: more would exceed a function's timeout, and hold up a page.
pub const ADDED_UP_MAX: usize = 2_000;

/// The most listings of an area that are compared with each other for one answer: more would hold up a page.
pub const ANSWER_LISTINGS_MAX: usize = 1_000;

/// The same for somebody who waits.
const LISTINGS_MAX: usize = 20_000;

/// What may still be read for one answer, and how old what was read is.
///
/// A stored sum costs nothing. Each market that is added up costs the read of its state, and perhaps of its archive.
#[derive(Clone, Debug)]
pub struct Allowance {
    /// `None` for as many as it takes.
    markets: Option<usize>,
    listings: usize,
    rolled_up_at: Option<Time>,
}

/// Why an area is not read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A port fails.
    #[error(transparent)]
    Port(#[from] PortError),
    /// It has too many markets to be added up.
    #[error("{0}")]
    TooWide(TooWide),
}

/// An area without a sum for that time, and with too many markets to be added up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{path} has {markets} markets, more than the {left} that may still be added up here, and its stored sum does not cover {as_of}; accepted: a time of the last days, a part of it, or one purpose or currency"
)]
pub struct TooWide {
    /// The path of the area.
    pub path: String,
    /// Its markets.
    pub markets: usize,
    /// How many might still be added up.
    pub left: usize,
    /// The time of the figures.
    pub as_of: Time,
}

impl Allowance {
    /// For one answer of a server: [`ADDED_UP_MAX`] markets, [`ANSWER_LISTINGS_MAX`] listings.
    #[must_use]
    pub fn of_answer() -> Self {
        Self { markets: Some(ADDED_UP_MAX), listings: ANSWER_LISTINGS_MAX, rolled_up_at: None }
    }

    /// For somebody who waits for as long as it takes; listings of an area are compared up to 20,000 all the same.
    #[must_use]
    pub fn unlimited() -> Self {
        Self { markets: None, listings: LISTINGS_MAX, rolled_up_at: None }
    }

    /// The most listings of an area that are compared with each other.
    #[must_use]
    pub fn listings(&self) -> usize {
        self.listings
    }

    /// The time before which everything that was committed is in what was read; `None` if everything is.
    #[must_use]
    pub fn rolled_up_at(&self) -> Option<Time> {
        self.rolled_up_at
    }

    /// Counts markets that are to be added up.
    pub(super) fn take(&mut self, path: &str, markets: usize, as_of: Time) -> Result<(), ReadError> {
        let Some(left) = &mut self.markets else { return Ok(()) };
        *left = left
            .checked_sub(markets)
            .ok_or_else(|| ReadError::TooWide(TooWide { path: path.to_owned(), markets, left: *left, as_of }))?;
        Ok(())
    }

    /// Notes how old a stored sum is.
    pub(super) fn note(&mut self, shown: &ShownWide) {
        self.rolled_up_at = [self.rolled_up_at, shown.rolled_up].into_iter().flatten().min();
    }
}
