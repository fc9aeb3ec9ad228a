//! The expected figures, by plain counting over the log. Slow but easy to read. Each entry counts as seen once, when it
//! happened.

use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap, HashSet};

use stoop_domain::{Market, Minor, Phase, Purpose, Time};

use crate::home::Home;
use crate::life::LifeEvent;
use crate::simulation::Simulation;

/// The exact figures of every market at a moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownFigures {
    /// The figures by market. Markets that never had a home are absent.
    pub markets: BTreeMap<Market, Figures>,
}

/// The exact figures of one market, or of the sum of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// The list prices of all homes on offer, sorted, without doubtful ones.
    pub prices: Vec<Minor>,
    /// The number of homes on offer with a doubtful price.
    pub doubtful: u64,
    /// The events in each of [`Window::ALL`], in that order.
    pub windows: [EventCounts; 4],
}

/// The number of events of each kind in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EventCounts {
    /// On offer when watching began.
    pub initial: u64,
    /// On the market for the first time, or for the first time since it was sold or let.
    pub new: u64,
    /// Active again after it was under contract or off the market.
    pub back_on_market: u64,
    /// From active to under contract.
    pub pending: u64,
    /// From active to sold or let.
    pub closed: u64,
    /// From active to off the market in another way.
    pub gone: u64,
    pub price_cuts: u64,
    pub price_rises: u64,
    /// Sold or let, whatever its status before.
    pub sold: u64,
}

/// A range of time that ends at the moment of the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Window {
    /// The current UTC hour and the 23 before it.
    Day,
    /// Today and the 6 days before, as civil days of the market's time zone.
    Days7,
    /// Today and the 27 days before.
    Days28,
    /// Today and the 89 days before.
    Days90,
}

/// The time from which the reader of a feed saw events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Watched {
    /// From before the first home was listed.
    Always,
    /// From this moment on. Of earlier events it knows only what was on offer then.
    Since(Time),
}

impl KnownFigures {
    /// The answer for everything that a simulation has done until `at`.
    #[must_use]
    pub fn of(simulation: &Simulation, at: Time, watched: Watched) -> Self {
        Self::from_log(simulation.all_homes(), simulation.log(), at, watched)
    }

    /// The answer for a log, without entries after `at`. `homes` are ordered by their numbers.
    #[must_use]
    pub fn from_log(homes: &[Home], log: &[LifeEvent], at: Time, watched: Watched) -> Self {
        let mut markets: BTreeMap<Market, Figures> = BTreeMap::new();
        let mut newest: HashMap<u32, &LifeEvent> = HashMap::new();
        let until_now = kept_by_history(log.iter().filter(|entry| entry.at <= at).collect()).into_iter();
        let (unseen, seen): (Vec<_>, Vec<_>) = match watched {
            Watched::Always => (Vec::new(), until_now.collect()),
            Watched::Since(since) => until_now.partition(|entry| entry.at <= since),
        };
        let mut asked: HashMap<u32, Minor> = HashMap::new();
        let mut slipped: HashSet<u32> = HashSet::new();
        for entry in unseen {
            asked.insert(entry.home, entry.offer.list_price);
            markets.entry(homes[entry.home as usize].market()).or_default();
            newest.insert(entry.home, entry);
        }
        if let Watched::Since(since) = watched {
            for entry in newest.values().filter(|entry| entry.is_active()) {
                let market = homes[entry.home as usize].market();
                let figures = markets.entry(market.clone()).or_default();
                for window in Window::ALL.into_iter().filter(|window| window.holds(since, at, &market)) {
                    figures.windows[window as usize].initial += 1;
                }
            }
        }
        for (index, entry) in seen.iter().copied().enumerate() {
            let market = homes[entry.home as usize].market();
            let figures = markets.entry(market.clone()).or_default();
            let before = newest.insert(entry.home, entry);
            if before.is_some_and(|before| before.offer.status.phase() == Phase::Closed) {
                // A new spell has no earlier price.
                asked.remove(&entry.home);
            }
            let price = asked.get(&entry.home).copied();
            let change = if price.is_some_and(|price| is_slip(price, &seen[index..])) {
                slipped.insert(entry.home);
                None
            } else {
                slipped.remove(&entry.home);
                asked.insert(entry.home, entry.offer.list_price);
                price.map(|price| entry.offer.list_price.cmp(&price))
            };
            for window in Window::ALL.into_iter().filter(|window| window.holds(entry.at, at, &market)) {
                figures.windows[window as usize].count(entry, before, change);
            }
        }
        for entry in newest.values().filter(|entry| entry.is_active()) {
            let market = homes[entry.home as usize].market();
            let figures = markets.entry(market).or_default();
            match slipped.contains(&entry.home) {
                true => figures.doubtful += 1,
                false => figures.prices.push(entry.offer.list_price),
            }
        }
        for figures in markets.values_mut() {
            figures.prices.sort_unstable();
        }
        Self { markets }
    }

    /// The sum of all sale markets whose area path begins with `area` (`us/il`, or a whole path); of all of them if
    /// `area` is `None`.
    #[must_use]
    pub fn total(&self, area: Option<&str>) -> Figures {
        self.sum(area, Purpose::Sale)
    }

    /// The same for one purpose. Prices of different currencies must not be mixed, so give a country.
    #[must_use]
    pub fn sum(&self, area: Option<&str>, purpose: Purpose) -> Figures {
        let mut sum = Figures::default();
        for (market, figures) in &self.markets {
            if market.purpose == purpose && area.is_none_or(|area| lies_in(market.area.as_str(), area)) {
                sum.prices.extend(&figures.prices);
                sum.doubtful += figures.doubtful;
                for (all, one) in sum.windows.iter_mut().zip(&figures.windows) {
                    all.add(one);
                }
            }
        }
        sum.prices.sort_unstable();
        sum
    }
}

/// The entries that a history keeps: the first and the last of each state of a home on one UTC day. Of several changes
/// to and fro, those in between are dropped.
fn kept_by_history(log: Vec<&LifeEvent>) -> Vec<&LifeEvent> {
    let same = |entry: &LifeEvent| {
        let day = entry.at.ms().div_euclid(Time::DAY_MS);
        (entry.home, day, entry.offer.status, entry.offer.list_price, entry.offer.original_list_price)
    };
    let mut first = HashMap::new();
    let mut last = HashMap::new();
    for (index, entry) in log.iter().enumerate() {
        first.entry(same(entry)).or_insert(index);
        last.insert(same(entry), index);
    }
    let is_kept = |index: usize, entry: &LifeEvent| first[&same(entry)] == index || last[&same(entry)] == index;
    log.into_iter().enumerate().filter(|(index, entry)| is_kept(*index, entry)).map(|(_, entry)| entry).collect()
}

/// Whether the first entry has a price of at most a quarter or at least four times the one before, and has it on one
/// UTC day only.
fn is_slip(before: Minor, entries: &[&LifeEvent]) -> bool {
    let Some(first) = entries.first() else { return false };
    let price = first.offer.list_price;
    if price.0 * 4 > before.0 && before.0 * 4 > price.0 {
        return false;
    }
    let day = |entry: &LifeEvent| entry.at.ms().div_euclid(Time::DAY_MS);
    let shown = entries.iter().filter(|entry| entry.home == first.home);
    let last = shown.take_while(|entry| entry.offer.list_price == price).last();
    last.is_none_or(|last| day(last) == day(first))
}

impl Figures {
    /// Active stock.
    #[must_use]
    pub fn active(&self) -> u64 {
        self.prices.len() as u64 + self.doubtful
    }

    /// The lowest list price.
    #[must_use]
    pub fn min(&self) -> Option<Minor> {
        self.prices.first().copied()
    }

    /// The highest list price.
    #[must_use]
    pub fn max(&self) -> Option<Minor> {
        self.prices.last().copied()
    }

    /// The sum of all list prices. Exact, while a mean would be rounded.
    #[must_use]
    pub fn sum(&self) -> i128 {
        self.prices.iter().map(|price| i128::from(price.0)).sum()
    }

    /// The mean list price in minor units, rounded down.
    #[must_use]
    pub fn mean(&self) -> Option<Minor> {
        let count = i128::try_from(self.prices.len()).ok().filter(|count| *count > 0)?;
        i64::try_from(self.sum() / count).ok().map(Minor)
    }

    /// The two middle prices; twice the same if their number is odd.
    #[must_use]
    pub fn middle(&self) -> Option<(Minor, Minor)> {
        let count = self.prices.len();
        Some((*self.prices.get(count.checked_sub(1)? / 2)?, *self.prices.get(count / 2)?))
    }

    /// The median list price in minor units: the mean of the two middle prices, rounded down.
    #[must_use]
    pub fn median(&self) -> Option<Minor> {
        self.middle().map(|(low, high)| Minor(low.0.midpoint(high.0)))
    }

    /// The events in `window`.
    #[must_use]
    pub fn counts(&self, window: Window) -> EventCounts {
        self.windows[window as usize]
    }
}

impl Window {
    /// All windows, shortest first.
    pub const ALL: [Self; 4] = [Self::Day, Self::Days7, Self::Days28, Self::Days90];

    fn holds(self, happened_at: Time, now: Time, market: &Market) -> bool {
        let zone = market.area.country().zone;
        let days_ago = now.day_in(&zone).0 - happened_at.day_in(&zone).0;
        match self {
            Self::Day => now.hour().0 - happened_at.hour().0 < 24,
            Self::Days7 => days_ago < 7,
            Self::Days28 => days_ago < 28,
            Self::Days90 => days_ago < 90,
        }
    }
}

impl EventCounts {
    /// Every count with its name.
    #[must_use]
    pub fn named(&self) -> [(&'static str, u64); 9] {
        [
            ("initial", self.initial),
            ("new", self.new),
            ("back_on_market", self.back_on_market),
            ("pending", self.pending),
            ("closed", self.closed),
            ("gone", self.gone),
            ("price_cuts", self.price_cuts),
            ("price_rises", self.price_rises),
            ("sold", self.sold),
        ]
    }

    fn count(&mut self, entry: &LifeEvent, before: Option<&LifeEvent>, change: Option<Ordering>) {
        // Compares states, not events: of an event that happens twice a day, the first may be dropped.
        let [was, is] = [before, Some(entry)].map(|entry| entry.map(|entry| entry.offer.status.phase()));
        let was_active = was == Some(Phase::Active);
        let begins_anew = matches!(was, None | Some(Phase::Closed));
        match is {
            Some(Phase::Active) if !was_active && begins_anew => self.new += 1,
            Some(Phase::Active) if !was_active => self.back_on_market += 1,
            Some(Phase::Pending) => self.pending += u64::from(was_active),
            Some(Phase::Off | Phase::Before) => self.gone += u64::from(was_active),
            Some(Phase::Closed) => {
                self.closed += u64::from(was_active);
                self.sold += u64::from(was != Some(Phase::Closed));
            }
            Some(Phase::Active) | None => {}
        }
        // The price of a withdrawn home does not count.
        if matches!(is, Some(Phase::Active | Phase::Pending)) && !begins_anew {
            self.price_cuts += u64::from(change == Some(Ordering::Less));
            self.price_rises += u64::from(change == Some(Ordering::Greater));
        }
    }

    fn add(&mut self, other: &Self) {
        self.initial += other.initial;
        self.new += other.new;
        self.back_on_market += other.back_on_market;
        self.pending += other.pending;
        self.closed += other.closed;
        self.gone += other.gone;
        self.price_cuts += other.price_cuts;
        self.price_rises += other.price_rises;
        self.sold += other.sold;
    }
}

impl LifeEvent {
    fn is_active(&self) -> bool {
        self.offer.status.phase() == Phase::Active
    }
}

/// Whether the path `area` begins with the levels of `wider`.
fn lies_in(area: &str, wider: &str) -> bool {
    let wider = wider.trim_end_matches('/');
    area.strip_prefix(wider).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
