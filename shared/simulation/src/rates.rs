//! How often things happen to a home on offer, and what follows.
//!
//! The numbers are chosen so that the market as a whole has the figures of `docs/SIMULATION.md`, to which
//! `tests/it/published.rs` holds it.

use stoop_domain::{Purpose, Time};

use crate::config::SimulationConfig;
use crate::home::{Home, Offer};
use crate::random::Random;
use crate::season::demand_percent;

/// What happens next to a home on offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Cut,
    Raised,
    Pending,
    OffMarket,
}

/// Events per million homes and day.
struct Rates {
    contract: i64,
    off: i64,
    cut: i64,
    rise: i64,
}

/// Rates are constant for this time.
const SLICE_MS: i64 = 7 * Time::DAY_MS;

/// After this many weeks without an event a home leaves the market.
const SLICES_MAX: i64 = 520;

/// One in a million, a day.
const ONE: i64 = 1_000_000;

/// When something happens next to a home that is on offer since or changed its price at `at`, and what.
pub(crate) fn next(
    random: &mut Random,
    home: &Home,
    offer: &Offer,
    at: Time,
    config: &SimulationConfig,
) -> (i64, Next) {
    for slice in 0..SLICES_MAX {
        let waited = slice * SLICE_MS;
        let rates = Rates::of(home, offer, at.plus_ms(config.paced(waited)), config);
        let wait = random.exponential(Time::DAY_MS * ONE / rates.sum());
        if wait < SLICE_MS {
            return (config.paced(waited + wait), rates.pick(random));
        }
    }
    (config.paced(SLICES_MAX * SLICE_MS), Next::OffMarket)
}

impl Rates {
    fn of(home: &Home, offer: &Offer, at: Time, config: &SimulationConfig) -> Self {
        let days = |since: Time| config.unpaced(at.ms() - since.ms()) / Time::DAY_MS;
        let age = days(offer.on_market_at);
        // Buyers look at what is new, and doubt what stays.
        let interest = match age {
            ..14 => 135,
            14..42 => 110,
            42..91 => 95,
            _ => 85,
        };
        let over = offer.list_price.0 * 100 / home.worth_at(at, config).0.max(1) - 101;
        let days_to_contract = match home.purpose {
            Purpose::Sale => home.area.city.days,
            Purpose::Rent => 24 + home.area.city.days / 6,
        };
        let contract = ONE / days_to_contract * interest / 100 * demand_percent(home.purpose, at) / 100
            * (100 - 5 * over).clamp(50, 250)
            / 100;
        let off = match age {
            ..28 => 700,
            28..91 => 2_300,
            _ => 7_000,
        };
        // Few cut in the first weeks, or again at once, unless everybody is impatient. Where homes sell slowly, more are
        // cut.
        let is_fresh = age < 14 || offer.price_change.is_some_and(|(_, at)| days(at) < 14);
        let patience = if is_fresh && config.price_changes_percent <= 100 { 15 } else { 100 };
        let slow = (52 + home.area.city.days * 5 / 10).clamp(50, 150);
        let cut = 5_800 * slow / 100 * patience / 100 * (100 + 10 * over).clamp(30, 200) / 100;
        let price_changes = |rate: i64| rate * i64::from(config.price_changes_percent) / 100;
        Self { contract: contract.max(1), off, cut: price_changes(cut), rise: price_changes(500) }
    }

    fn sum(&self) -> i64 {
        self.contract + self.off + self.cut + self.rise
    }

    fn pick(&self, random: &mut Random) -> Next {
        let drawn = random.between(0, self.sum() - 1);
        match drawn {
            _ if drawn < self.contract => Next::Pending,
            _ if drawn < self.contract + self.off => Next::OffMarket,
            _ if drawn < self.contract + self.off + self.cut => Next::Cut,
            _ => Next::Raised,
        }
    }
}
