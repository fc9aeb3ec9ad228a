//! The parameters of a market.

use stoop_domain::Time;

/// Irregularities of listing feeds. None by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Noise {
    /// Touches per thousand log entries: a new `ModificationTimestamp` without other changes.
    pub seen_again_permille: u32,
    /// Price changes by cents, per thousand events of homes on offer.
    pub cents_permille: u32,
    /// Prices of a tenth of the intended one, for 1 to 12 hours, per thousand events of homes on offer.
    pub slips_permille: u32,
    /// Changes that the portal shows 1 minute to 24 hours late, per thousand.
    pub late_permille: u32,
}

/// The parameters of a market. Equal values give equal markets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SimulationConfig {
    /// Any number. Another seed gives another market.
    pub seed: u64,
    /// The initial time of the simulated clock.
    pub start: Time,
    /// The number of homes.
    pub homes: u32,
    /// The number of postal areas, at most 900.
    pub markets: u32,
    /// The postal areas are in at most this many cities, and at least three are in each.
    pub cities: u32,
    /// The length of the market's past before `start`, which a portal has when it is first seen.
    pub past_ms: i64,
    /// Most homes are listed within this time of the beginning, or within the past if that is longer, but at most 240
    /// days.
    pub lead_ms: i64,
    /// Homes for rent per thousand.
    pub rent_permille: u32,
    /// Whether three Moroccan cities are included.
    pub morocco: bool,
    /// The speed of events in percent: 1,000 is ten times that of a real market.
    pub pace_percent: u32,
    /// Changes of asking prices in percent: 1,000 are ten times those of a real market, at the same pace.
    pub price_changes_percent: u32,
    /// Cuts of 15 to 35 % per thousand cuts.
    pub deep_cuts_permille: u32,
    /// How far the portal's clock is ahead; negative if it is behind. Applies to all times that the portal reports, not
    /// to when events happen or are shown.
    pub clock_ahead_ms: i64,
    /// Irregularities of the feed.
    pub noise: Noise,
}

impl SimulationConfig {
    /// A market in the United States with a past of 60 days, a fifth of it rentals, without noise. It has the figures of
    /// real markets, which `docs/SIMULATION.md` names.
    #[must_use]
    pub fn new(seed: u64, start: Time, homes: u32, markets: u32) -> Self {
        Self {
            seed,
            start,
            homes,
            markets,
            cities: u32::MAX,
            past_ms: 60 * Time::DAY_MS,
            lead_ms: 3 * Time::DAY_MS,
            rent_permille: 200,
            morocco: false,
            pace_percent: 100,
            price_changes_percent: 100,
            deep_cuts_permille: 20,
            clock_ahead_ms: 0,
            noise: Noise::default(),
        }
    }

    /// The same market, where everything happens three times as fast and prices change eight times as often, one cut in
    /// eight being deep: for tests that need many changes and alerts of few homes in few days.
    #[must_use]
    pub fn lively(self) -> Self {
        Self { pace_percent: 300, price_changes_percent: 270, deep_cuts_permille: 120, ..self }
    }

    /// How long something takes in this market that takes `ms` in a real one.
    pub(crate) fn paced(&self, ms: i64) -> i64 {
        ms.saturating_mul(100) / i64::from(self.pace_percent.max(1))
    }

    /// How long something would take in a real market that takes `ms` in this one.
    pub(crate) fn unpaced(&self, ms: i64) -> i64 {
        ms.saturating_mul(self.pace_percent.max(1).into()) / 100
    }

    /// When the first home may be listed.
    #[must_use]
    pub fn begin(&self) -> Time {
        self.start.plus_ms(-self.past_ms.max(0))
    }
}
