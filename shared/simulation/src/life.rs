use jiff::tz::TimeZone;
use stoop_domain::{Minor, Phase, Purpose, Status, Time};

use crate::asking::{asking, asking_less, asking_more};
use crate::config::{Noise, SimulationConfig};
use crate::home::{Closing, Home, Offer};
use crate::random::Random;
use crate::rates::{self, Next};
use crate::season;

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
pub struct LifeEvent {
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
    Active { next: Next },
    Slipped { right: Minor },
    Pending,
    Off,
    Sold,
}

/// Where and by which rules a home lives.
#[derive(Clone, Copy)]
pub(crate) struct Scene<'a> {
    pub(crate) home: &'a Home,
    pub(crate) zone: &'a TimeZone,
    pub(crate) config: &'a SimulationConfig,
}

/// The maximum time off the market. A longer absence counts as a new beginning in the figures, which is
/// [`What::ListedAgain`].
const OFF_MS_MAX: i64 = 80 * Time::DAY_MS;

impl Life {
    pub(crate) fn new(seed: u64, index: u32) -> Self {
        Self { random: Random::new(seed, u64::from(index) | 1 << 42), stage: Stage::NeverListed, offer: None }
    }

    /// When a home is first listed: mostly within `lead_ms` of the beginning, otherwise within twice that.
    pub(crate) fn first_listing_ms(&mut self, purpose: Purpose, begin: Time, lead_ms: i64) -> i64 {
        let early = self.random.chance(700);
        season::listing_within(&mut self.random, purpose, begin, if early { lead_ms } else { lead_ms * 2 })
    }

    /// Whether the portal shows it as on offer or under contract.
    pub(crate) fn is_live(&self) -> bool {
        matches!(self.stage, Stage::Active { .. } | Stage::Slipped { .. } | Stage::Pending)
    }

    /// Executes the next event at `at`. Returns its kind and the time until the one after.
    pub(crate) fn step(&mut self, at: Time, scene: Scene<'_>) -> (What, i64) {
        let what = match self.stage {
            Stage::NeverListed => self.list(at, scene, What::Listed),
            Stage::Sold => self.list(at, scene, What::ListedAgain),
            Stage::Active { next } => self.act(at, next, scene),
            Stage::Slipped { right } => {
                self.reprice(at, right);
                self.restage(Status::Active);
                What::Mended
            }
            // Redfin counts one broken contract in seven.
            Stage::Pending if self.random.chance(850) => self.close(at, scene),
            Stage::Pending => {
                self.restate(at, Status::Active);
                What::FellThrough
            }
            Stage::Off => {
                self.restate(at, Status::Active);
                if self.random.chance(350) {
                    self.cut(at, scene);
                }
                What::Relisted
            }
        };
        (what, self.wait_ms(at, scene))
    }

    /// The time until the next event, which for a home on offer is determined here.
    fn wait_ms(&mut self, at: Time, Scene { home, config, .. }: Scene<'_>) -> i64 {
        let days = |n: i64| n * Time::DAY_MS;
        let random = &mut self.random;
        let wait = match (self.stage, &self.offer, home.purpose) {
            (Stage::Active { .. }, Some(offer), _) => {
                let (wait, next) = rates::next(random, home, offer, at, config);
                self.stage = Stage::Active { next };
                return wait.max(1);
            }
            (Stage::Slipped { .. }, ..) => random.between(Time::HOUR_MS, 12 * Time::HOUR_MS),
            (Stage::Pending, _, Purpose::Sale) => days(12) + random.exponential(days(20)),
            (Stage::Pending, _, Purpose::Rent) => days(2) + random.exponential(days(6)),
            (Stage::Off, ..) => random.exponential(days(25)),
            (Stage::Sold, ..) => {
                let wait = config.paced(days(30) + random.exponential(days(120)));
                return season::listing_after(home.purpose, at, wait).max(1);
            }
            (Stage::NeverListed | Stage::Active { .. }, ..) => 0,
        };
        let at_most = if matches!(self.stage, Stage::Off) { OFF_MS_MAX } else { i64::MAX };
        config.paced(wait).clamp(1, at_most)
    }

    fn list(&mut self, at: Time, Scene { home, zone, config }: Scene<'_>, what: What) -> What {
        let wanted = home.worth_at(at, config).0 * self.random.between(970, 1_055) / 1_000;
        let price = asking(Minor(wanted), home, &mut self.random);
        self.offer = Some(Offer {
            status: Status::Active,
            list_price: price,
            original_list_price: price,
            price_change: None,
            status_changed_at: at,
            on_market_at: at,
            on_market_day: at.day_in(zone),
            modified_at: at,
            closing: None,
        });
        self.restage(Status::Active);
        what
    }

    /// An event of a home on offer: noise at the configured rate, otherwise the market's.
    fn act(&mut self, at: Time, next: Next, scene: Scene<'_>) -> What {
        let noise: &Noise = &scene.config.noise;
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
        match next {
            // Nobody sells for less than half.
            Next::Cut if self.price().0 * 100 > scene.home.worth_at(at, scene.config).0 * 45 => {
                self.cut(at, scene);
                What::Cut
            }
            Next::Cut | Next::Raised => {
                let price = self.price();
                let wanted = price.0 * (10_000 + self.random.between(100, 500)) / 10_000;
                let raised = asking_more(price, Minor(wanted), scene.home, &mut self.random);
                self.reprice(at, raised);
                What::Raised
            }
            Next::Pending => {
                let status = if self.random.chance(250) { Status::ActiveUnderContract } else { Status::Pending };
                self.restate(at, status);
                What::Pending
            }
            Next::OffMarket => {
                let status = self.random.pick(&[Status::Expired, Status::Withdrawn, Status::Canceled]);
                self.restate(at, status);
                What::OffMarket
            }
        }
    }

    /// Cuts the price to a typical asking price: mostly by a few percent, sometimes deeply.
    fn cut(&mut self, at: Time, Scene { home, config, .. }: Scene<'_>) {
        let price = self.price();
        let basis_points = match self.random.chance(config.deep_cuts_permille) {
            true => (1_500 + self.random.exponential(400)).min(3_500),
            false => (100 + self.random.exponential(200)).min(1_000),
        };
        let wanted = Minor((price.0 * (10_000 - basis_points) / 10_000).max(1));
        let cut = asking_less(price, wanted, home, &mut self.random);
        self.reprice(at, cut);
    }

    /// Sold, or let, at a price that was haggled over.
    fn close(&mut self, at: Time, Scene { home, zone, config }: Scene<'_>) -> What {
        let list_price = self.price().0;
        let random = &mut self.random;
        let share = match home.purpose {
            _ if random.chance(180) => 10_000,
            Purpose::Sale => {
                // Who asks less than a home is worth gets more than that.
                let over = list_price * 10_000 / home.worth_at(at, config).0.max(1) - 10_100;
                home.area.city.to_list - over / 5 + random.between(-400, 400)
            }
            Purpose::Rent if random.chance(700) => 10_000,
            Purpose::Rent => 10_000 - random.between(50, 400),
        };
        let price = list_price * share.clamp(8_800, 11_200) / 10_000;
        let round = if home.purpose == Purpose::Sale { 50_000 } else { 500 };
        let price = if share == 10_000 { price } else { ((price + round / 2) / round).max(1) * round };
        self.restate(at, Status::Closed);
        if let Some(offer) = &mut self.offer {
            offer.closing = Some(Closing { price: Minor(price), day: at.day_in(zone) });
        }
        What::Closed
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

    fn restate(&mut self, at: Time, status: Status) {
        if let Some(offer) = &mut self.offer {
            offer.status = status;
            offer.status_changed_at = at;
            offer.modified_at = at;
        }
        self.restage(status);
    }

    fn restage(&mut self, status: Status) {
        self.stage = match status.phase() {
            // The next event is determined with the wait for it.
            Phase::Active => Stage::Active { next: Next::OffMarket },
            Phase::Pending => Stage::Pending,
            Phase::Closed => Stage::Sold,
            Phase::Off | Phase::Before => Stage::Off,
        };
    }
}
