use serde::{Deserialize, Serialize};

use crate::key::Key;
use crate::kind::{CounterKind, Quantity, Role};
use crate::segment::Segment;

/// A rolling window by event time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Window {
    /// The current UTC hour and the 23 before it.
    Hours24,
    /// Today and the 6 days before, in the market's time zone.
    Days7,
    /// Today and the 27 days before.
    Days28,
    /// Today and the 89 days before.
    Days90,
}

/// The number of events of each kind in a window. The stock at its end equals the stock before it plus
/// [`Flows::entries`] minus [`Flows::exits`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Flows {
    /// Homes first seen because a search began.
    pub initial: i64,
    /// Homes new on the market.
    pub new: i64,
    /// Homes back after more than 90 days off the market.
    pub relisted: i64,
    /// Homes active again after they were pending, or after at most 90 days off the market.
    pub back_on_market: i64,
    /// Homes whose listing came from another market or segment.
    pub moved_in: i64,
    pub pending: i64,
    /// Active homes that were sold or let.
    pub closed: i64,
    /// Homes off the market without a known sale.
    pub gone: i64,
    /// Homes whose listing moved to another market or segment.
    pub moved_out: i64,
    /// Homes that nobody has shown for a fixed number of days.
    pub expired: i64,
    pub price_cuts: i64,
    pub price_rises: i64,
    /// Homes sold or let, whatever their status before.
    pub sold: i64,
}

impl Window {
    /// Every window, short to long.
    pub const ALL: [Self; 4] = [Self::Hours24, Self::Days7, Self::Days28, Self::Days90];

    /// The windows of whole days, short to long.
    pub const OF_DAYS: [Self; 3] = [Self::Days7, Self::Days28, Self::Days90];

    /// The length of the window in hours ([`Window::Hours24`]) or days.
    #[must_use]
    pub fn span(self) -> i32 {
        match self {
            Self::Hours24 => 24,
            Self::Days7 => 7,
            Self::Days28 => 28,
            Self::Days90 => 90,
        }
    }

    /// The name in JSON: `last_7_days`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Hours24 => "last_24_hours",
            Self::Days7 => "last_7_days",
            Self::Days28 => "last_28_days",
            Self::Days90 => "last_90_days",
        }
    }

    /// The name in headings: `24 h`, `7 d`.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Hours24 => "24 h",
            Self::Days7 => "7 d",
            Self::Days28 => "28 d",
            Self::Days90 => "90 d",
        }
    }
}

impl Flows {
    /// The number of homes that entered the active stock.
    #[must_use]
    pub fn entries(&self) -> i64 {
        self.initial + self.new + self.relisted + self.back_on_market + self.moved_in
    }

    /// The number of homes that left the active stock.
    #[must_use]
    pub fn exits(&self) -> i64 {
        self.pending + self.closed + self.gone + self.moved_out + self.expired
    }

    /// Adds a coordinate to the flows of a segment. Exits have negative values.
    pub(crate) fn add(&mut self, segment: Segment, key: Key, value: i64) {
        let Some(kind) = key.kind().filter(|kind| kind.crosses(segment)) else { return };
        let is_step_down = key.quantity() == Quantity::Count && kind.role() == Role::Exit;
        let count = if is_step_down { -value } else { value };
        let slot = match kind {
            CounterKind::Initial => &mut self.initial,
            CounterKind::New => &mut self.new,
            CounterKind::Relisted => &mut self.relisted,
            CounterKind::BackOnMarket => &mut self.back_on_market,
            CounterKind::MovedIn | CounterKind::TypeIn | CounterKind::BedroomsIn | CounterKind::CellIn => {
                &mut self.moved_in
            }
            CounterKind::Pending => &mut self.pending,
            CounterKind::Closed => &mut self.closed,
            CounterKind::Gone => &mut self.gone,
            CounterKind::MovedOut | CounterKind::TypeOut | CounterKind::BedroomsOut | CounterKind::CellOut => {
                &mut self.moved_out
            }
            CounterKind::Expired => &mut self.expired,
            CounterKind::PriceCut => &mut self.price_cuts,
            CounterKind::PriceRise => &mut self.price_rises,
            CounterKind::Sold => &mut self.sold,
            CounterKind::Opening | CounterKind::Amended => return,
            CounterKind::SoldOriginal | CounterKind::CutStep | CounterKind::RelistedLower | CounterKind::Asked => {
                return;
            }
            CounterKind::Pair | CounterKind::PairChange => return,
        };
        *slot += count;
    }
}
