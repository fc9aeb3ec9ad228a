use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use stoop_domain::Time;

use crate::config::SimulationConfig;
use crate::home::Home;
use crate::life::{Life, LifeEvent, Scene, What};
use crate::places;
use crate::random::Random;

/// All events in order, one entry at a time, without end.
///
/// Changes have strictly increasing times, so their order is unambiguous. Each home has its own random stream, so homes
/// do not influence each other.
#[derive(Debug)]
pub(crate) struct Engine {
    config: SimulationConfig,
    homes: Arc<[Home]>,
    zones: Vec<TimeZone>,
    lives: Vec<Life>,
    next: BinaryHeap<Reverse<(Time, u32)>>,
    last: Time,
    random: Random,
    touches: Touches,
}

/// The touches before the next change, evenly spread.
#[derive(Debug, Default)]
struct Touches {
    from: Time,
    until: Time,
    done: i64,
    all: i64,
}

/// Attempts to draw a home for a touch. Most draws hit one on the market.
const DRAWS_MAX: u32 = 16;

/// About as long as a home needs from one listing to the next. If the first listings are spread over it, as many homes
/// come on the market from then on as leave it.
const CYCLE_MS: i64 = 240 * Time::DAY_MS;

/// The maximum delay of a late entry. Stoop handles entries that are years late, but such portals are rare.
const LATE_MS_MAX: i64 = 24 * Time::HOUR_MS;

impl Engine {
    pub(crate) fn new(config: SimulationConfig) -> Self {
        let areas = places::areas(&config);
        let homes: Arc<[Home]> = (0..config.homes)
            .map(|i| Home::build(config.seed, i, &areas[i as usize % areas.len()], config.rent_permille))
            .collect();
        let zones = areas.iter().map(|area| area.path.country().zone).collect();
        let begin = config.begin();
        let lead_ms = (config.start.ms() - begin.ms()).min(CYCLE_MS).max(config.lead_ms);
        let mut lives: Vec<Life> = (0..config.homes).map(|i| Life::new(config.seed, i)).collect();
        let next = (0_u32..)
            .zip(&mut lives)
            .map(|(i, life)| {
                let purpose = homes[i as usize].purpose;
                Reverse((begin.plus_ms(life.first_listing_ms(purpose, begin, lead_ms)), i))
            })
            .collect();
        let random = Random::new(config.seed, 1 << 43);
        let last = begin.plus_ms(-1);
        Self { config, homes, zones, lives, next, last, random, touches: Touches::default() }
    }

    pub(crate) fn homes(&self) -> &Arc<[Home]> {
        &self.homes
    }

    fn touch(&mut self) -> Option<LifeEvent> {
        while self.touches.done < self.touches.all {
            self.touches.done += 1;
            let at = self.touches.moment();
            for _ in 0..DRAWS_MAX {
                let home = u32::try_from(self.random.below(self.lives.len() as u64)).unwrap_or(0);
                let life = &mut self.lives[home as usize];
                if let (true, Some(offer)) = (life.is_live(), &mut life.offer) {
                    offer.modified_at = at;
                    let offer = offer.reported_ahead(self.config.clock_ahead_ms);
                    return Some(LifeEvent { shown_at: at, at, home, what: What::SeenAgain, offer });
                }
            }
        }
        None
    }

    fn change(&mut self) -> Option<LifeEvent> {
        let (at, home) = self.pop()?;
        self.last = at;
        let index = home as usize;
        let zone = &self.zones[index % self.zones.len()];
        let life = &mut self.lives[index];
        let (what, wait_ms) = life.step(at, Scene { home: &self.homes[index], zone, config: &self.config });
        let offer = life.offer.as_ref()?.reported_ahead(self.config.clock_ahead_ms);
        self.next.push(Reverse((at.plus_ms(wait_ms), home)));
        if what != What::Listed {
            self.plan_touches(at);
        }
        let late = self.random.chance(self.config.noise.late_permille);
        let late_ms = if late { self.random.between(Time::SECOND_MS * 60, LATE_MS_MAX) } else { 0 };
        Some(LifeEvent { shown_at: at.plus_ms(late_ms), at, home, what, offer })
    }

    /// The next change. If it has the time of the last one, it is delayed by a millisecond, regardless of the steps of
    /// the caller.
    fn pop(&mut self) -> Option<(Time, u32)> {
        loop {
            let Reverse((at, home)) = self.next.pop()?;
            if at > self.last {
                return Some((at, home));
            }
            self.next.push(Reverse((self.last.plus_ms(1), home)));
        }
    }

    /// Draws the number of touches before the next change, so that on average they are `seen_again_permille` of all
    /// entries.
    fn plan_touches(&mut self, from: Time) {
        let permille = u64::from(self.config.noise.seen_again_permille.min(999));
        if permille == 0 {
            return;
        }
        let Some(Reverse((until, _))) = self.next.peek() else { return };
        let mean_thousandths = permille * 1_000 / (1_000 - permille);
        let all = (self.random.below(2 * mean_thousandths) + 500) / 1_000;
        self.touches = Touches { from, until: *until, done: 0, all: all.cast_signed() };
    }
}

impl Iterator for Engine {
    type Item = LifeEvent;

    fn next(&mut self) -> Option<LifeEvent> {
        self.touch().or_else(|| self.change())
    }
}

impl Touches {
    /// Strictly before the next change, so that a touch never has the time of a later change.
    fn moment(&self) -> Time {
        let span = (self.until.ms() - self.from.ms()).max(0);
        let into = i128::from(span) * i128::from(self.done) / i128::from(self.all + 1);
        self.from.plus_ms(i64::try_from(into).unwrap_or(0))
    }
}
