use jiff::tz::TimeZone;
use stoop_domain::{Minor, Purpose, Status, Time};

use crate::config::{Noise, SimulationConfig};
use crate::home::{Home, Offer};
use crate::random::Random;

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum What {
    /// On the market for the first time.
    Listed,
    Cut,
    Raised,
    /// The price changed by cents.
    Cents,
    /// Someone typed a digit too few: the price fell to a tenth.
    Slipped,
    /// The slip was corrected.
    Mended,
    /// Under contract.
    Pending,
    /// The contract failed: active again.
    FellThrough,
    /// Sold or let.
    Closed,
    /// Expired, withdrawn or canceled.
    OffMarket,
    /// Active again after it was off the market, at the old or a lower price.
    Relisted,
    /// On the market again some time after it was sold or let.
    ListedAgain,
    /// No change: the portal set a new `ModificationTimestamp` with equal content.
    SeenAgain,
}

/// A log entry: an event of a home, and its offer since then.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// When the portal shows it: `at`, or later for late entries.
    pub shown_at: Time,
    /// When it happened.
    pub at: Time,
    /// The number of the home.
    pub home: u32,
    pub what: What,
    /// The offer since then.
    pub offer: Offer,
}

/// The life of a home: its random stream, state and offer.
#[derive(Clone, Debug)]
pub(crate) struct Life {
    random: Random,
    stage: Stage,
    pub(crate) offer: Option<Offer>,
}

#[derive(Clone, Copy, Debug)]
enum Stage {
    NeverListed,
    Active,
    Slipped { right: Minor },
    Pending,
    Off,
    Sold,
}

/// The maximum time off the market. A longer absence counts as a new beginning in the figures, which is
/// [`What::ListedAgain`].
const OFF_MS_MAX: i64 = 80 * Time::DAY_MS;

impl Life {
    pub(crate) fn new(seed: u64, index: u32) -> Self {
        Self { random: Random::new(seed, u64::from(index) | 1 << 42), stage: Stage::NeverListed, offer: None }
    }

    /// When a home is first listed: mostly within `lead_ms` of the beginning, otherwise within twice that.
    pub(crate) fn first_listing_ms(&mut self, lead_ms: i64) -> i64 {
        let early = self.random.chance(700);
        let within = self.random.between(0, lead_ms.max(1));
        if early { within } else { within * 2 }
    }

    /// Whether the portal shows it as on offer or under contract.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Active | Stage::Slipped { .. } | Stage::Pending)
    }

    /// Executes the next event at `at`. Returns its kind and the time until the one after.
    pub(crate) fn step(&mut self, at: Time, home: &Home, zone: &TimeZone, config: &SimulationConfig) -> (What, i64) {
        let what = match self.stage {
            Stage::NeverListed => self.list(at, home, zone, What::Listed),
            Stage::Sold => self.list(at, home, zone, What::ListedAgain),
            Stage::Active => self.act(at, home, &config.noise),
            Stage::Slipped { right } => {
                self.reprice(at, right);
                self.stage = Stage::Active;
                What::Mended
            }
            Stage::Pending => {
                if self.random.chance(850) {
                    self.restate(at, Status::Closed, Stage::Sold);
                    What::Closed
                } else {
                    self.restate(at, Status::Active, Stage::Active);
                    What::FellThrough
                }
            }
            Stage::Off => {
                self.restate(at, Status::Active, Stage::Active);
                if self.random.chance(600) {
                    self.cut(at, home, 100, 800);
                }
                What::Relisted
            }
        };
        (what, self.wait_ms(config.pace_percent))
    }

    fn wait_ms(&mut self, pace_percent: u32) -> i64 {
        let days = |n: i64| n * Time::DAY_MS;
        let random = &mut self.random;
        let (wait, at_most) = match self.stage {
            Stage::Active => (random.exponential(days(9)), i64::MAX),
            Stage::Slipped { .. } => (random.between(Time::HOUR_MS, 12 * Time::HOUR_MS), i64::MAX),
            Stage::Pending => (random.exponential(days(20)), i64::MAX),
            Stage::Off => (random.exponential(days(15)), OFF_MS_MAX),
            Stage::Sold => (days(30) + random.exponential(days(120)), i64::MAX),
            Stage::NeverListed => (0, 0),
        };
        (wait.saturating_mul(100) / i64::from(pace_percent.max(1))).clamp(1, at_most.max(1))
    }

    fn list(&mut self, at: Time, home: &Home, zone: &TimeZone, what: What) -> What {
        let step = price_step(home);
        let percent = self.random.between(97, 106);
        let price = Minor((home.worth.0 * percent / 100 / step).max(1) * step);
        self.offer = Some(Offer {
            status: Status::Active,
            list_price: price,
            original_list_price: price,
            price_change: None,
            status_changed_at: at,
            on_market_at: at,
            on_market_day: at.day_in(zone),
            modified_at: at,
        });
        self.stage = Stage::Active;
        what
    }

    /// An event of a home on offer: noise at the configured rate, otherwise a market event.
    fn act(&mut self, at: Time, home: &Home, noise: &Noise) -> What {
        if self.random.chance(noise.slips_permille) {
            let right = self.price();
            self.reprice(at, Minor((right.0 / 10).max(1)));
            self.stage = Stage::Slipped { right };
            return What::Slipped;
        }
        if self.random.chance(noise.cents_permille) {
            let cents = self.random.between(1, 99) * if self.random.chance(500) { 1 } else { -1 };
            self.reprice(at, Minor(self.price().0 + cents));
            return What::Cents;
        }
        match self.random.below(100) {
            0..46 if self.price().0 * 100 > home.worth.0 * 45 => {
                let deep = self.random.chance(120);
                let (low, high) = if deep { (1_500, 3_500) } else { (100, 1_000) };
                self.cut(at, home, low, high);
                What::Cut
            }
            0..54 if self.price().0 < home.worth.0 * 3 => {
                let (price, step) = (self.price().0, price_step(home));
                let raised = price * (10_000 + self.random.between(100, 800)) / 10_000 / step * step;
                self.reprice(at, Minor(raised.max(price + step)));
                What::Raised
            }
            0..86 => {
                let status = if self.random.chance(250) { Status::ActiveUnderContract } else { Status::Pending };
                self.restate(at, status, Stage::Pending);
                What::Pending
            }
            _ => {
                let status = self.random.pick(&[Status::Expired, Status::Withdrawn, Status::Canceled]);
                self.restate(at, status, Stage::Off);
                What::OffMarket
            }
        }
    }

    /// Cuts the price by `low` to `high` basis points, to a typical asking price.
    fn cut(&mut self, at: Time, home: &Home, low: i64, high: i64) {
        let (price, step) = (self.price().0, price_step(home));
        let wanted = price * (10_000 - self.random.between(low, high)) / 10_000;
        let round = (wanted + step / 2) / step * step;
        self.reprice(at, Minor(if round < price && round > 0 { round } else { wanted.max(1) }));
    }

    fn price(&self) -> Minor {
        self.offer.as_ref().map_or(Minor(0), |offer| offer.list_price)
    }

    fn reprice(&mut self, at: Time, price: Minor) {
        if let Some(offer) = &mut self.offer {
            offer.price_change = Some((offer.list_price, at));
            offer.list_price = price;
            offer.modified_at = at;
        }
    }

    fn restate(&mut self, at: Time, status: Status, stage: Stage) {
        if let Some(offer) = &mut self.offer {
            offer.status = status;
            offer.status_changed_at = at;
            offer.modified_at = at;
        }
        self.stage = stage;
    }
}

/// Asking prices are rounded: to 100 (sale) or 5 (rent) major units.
fn price_step(home: &Home) -> i64 {
    match home.purpose {
        Purpose::Sale => 10_000,
        Purpose::Rent => 500,
    }
}
