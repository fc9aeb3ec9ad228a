use crate::Purpose;
use crate::address::Market;
use crate::doubt::{self, Doubt};
use crate::history::{History, Interval, LISTED_SINCE};
use crate::listing::Phase;
use crate::money::{Currency, Minor};
use crate::time::{Day, Time};

/// What happened to a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// See [`Entry::Initial`].
    Initial,
    /// See [`Entry::New`].
    New,
    /// See [`Entry::Relisted`].
    Relisted,
    /// See [`Entry::BackOnMarket`].
    BackOnMarket,
    /// See [`Entry::MovedIn`].
    MovedIn,
    /// See [`Exit::Pending`].
    Pending,
    /// See [`Exit::Closed`].
    Closed,
    /// See [`Exit::Gone`].
    Gone,
    /// See [`Exit::MovedOut`].
    MovedOut,
    /// See [`Exit::Expired`].
    Expired,
    /// The list price fell.
    PriceCut,
    /// The list price rose.
    PriceRise,
    /// Was sold or let, whatever it was before.
    Sold,
    /// Its source tells that the list price fell, and nobody saw it. See [`crate::Home::events`].
    ReportedCut,
    /// Its source tells that the list price rose, and nobody saw it.
    ReportedRise,
}

/// How a home becomes active inventory of its market. Each time it does is exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// First seen because a search began, not because it came on the market just then.
    Initial,
    /// Came on the market: for the first time, after a sale, after more than a year off it, or on other terms (sale or
    /// rent, currency).
    New,
    /// On the market again after more than 90 days off it, and a year at most.
    Relisted,
    /// Active again after it was pending, or off the market for 90 days at most.
    BackOnMarket,
    /// Its listing was of another market before.
    MovedIn,
}

/// How a home ceases to be active inventory of its market. Each time it does is exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    /// Went under contract.
    Pending,
    /// Was sold or let without having been seen under contract.
    Closed,
    /// Left the market without a known sale.
    Gone,
    /// Its listing is of another market now.
    MovedOut,
    /// Nobody has seen it for so long that it counts as off the market: see [`crate::Watch::expires_after`].
    Expired,
}

/// A list price replaced by another within one spell on the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PriceChange {
    /// The price before.
    pub from: Minor,
    /// The price after.
    pub to: Minor,
}

impl PriceChange {
    /// How far the price fell, in hundredths of a percent of the price before, rounded down: 15 % is reached, never nearly.
    /// 0 where it did not fall.
    #[must_use]
    pub fn drop_bp(self) -> u32 {
        let (from, to) = (i128::from(self.from.0), i128::from(self.to.0));
        if from <= 0 || to >= from {
            return 0;
        }
        u32::try_from((from - to) * 10_000 / from).unwrap_or(10_000)
    }
}

/// One thing that happened to a home, read from its history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// When it was first seen to have happened; of what is told, when its source says that it did. An expiry may lie ahead.
    pub at: Time,
    /// What.
    pub kind: EventKind,
    /// The market it counts in.
    pub market: Market,
    /// The prices, of a cut or a rise.
    pub change: Option<PriceChange>,
}

/// A interval together with what happened when it began.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    /// The interval.
    pub interval: Interval<'a>,
    /// The spell on the market that it belongs to; of one outside every spell, the interval itself.
    pub spell: Spell,
    /// How the home left the inventory that it was in before. That it expires is told by the interval that ends so
    /// ([`Interval::expires`]), not by the next.
    pub exit: Option<Exit>,
    /// How it came into that which it is in now.
    pub entry: Option<Entry>,
    /// Why it is doubtful whether its price is asked; then the price is in no figure.
    pub doubtful: Option<Doubt>,
    /// What became of the list price.
    pub change: Option<PriceChange>,
    /// It was sold or let.
    pub sold: Option<Sold>,
}

/// A sale or a letting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sold {
    /// The civil day of `CloseDate`, where the source tells it and it is neither before [`LISTED_SINCE`] nor after the interval
    /// began.
    pub on: Option<Day>,
}

/// One stay on the market, from coming on to being sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// When it began: the listing date that was told last in it, if that is possible, else when first seen on the market.
    pub opened_at: Time,
    /// The first price asked in it: the source's `OriginalListPrice`, else the first price seen that is not doubtful.
    pub original: Option<Minor>,
}

/// After so long off the market a home that comes back starts anew: its old price says nothing of a cut.
const SPELL_GAP_MS: i64 = 90 * Time::DAY_MS;

/// After so long off the market it is not the same offer that is made again.
const RELISTED_WITHIN_MS: i64 = 365 * Time::DAY_MS;

/// A `CloseDate` that is later by more than this is of another sale; by less, the date was put right.
const RESOLD_AFTER_DAYS: i32 = 30;

/// A home that was listed so long before it was first seen was on the market already.
const INITIAL_MS: i64 = 7 * Time::DAY_MS;

struct EventBuilder {
    /// The phase before the interval in hand.
    phase: Option<Phase>,
    /// When the interval before began, or when it expired.
    began: Option<Time>,
    /// When the interval before expired.
    expired: Option<Time>,
    terms: Option<(Purpose, Currency)>,
    market: Option<Market>,
    spell: Option<Open>,
    /// How the home will come in when it is active next.
    next: Entry,
    /// Since when it has been off the market.
    off_since: Option<Time>,
    /// It was sold, and has not been offered since: on that day, if the source tells it.
    sold: Option<Option<Day>>,
}

/// A spell that is open.
#[derive(Clone, Copy)]
struct Open {
    /// The place of its first interval.
    from: usize,
    /// No listing date before this belongs to it: then it was off the market.
    not_before: Option<Time>,
}

impl History {
    /// What was seen to happen to this home, in order of time. What its source tells of besides is in [`crate::Home::events`].
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let mut market: Option<&Market> = None;
        for step in self.steps() {
            let at = step.interval.first;
            let mut happened = |kind, market: &Market, change| {
                events.push(Event { at, kind, market: market.clone(), change });
            };
            let here = &step.interval.facts.market;
            if let Some(exit) = step.exit {
                happened(exit.into(), market.unwrap_or(here), None);
            }
            if let Some(entry) = step.entry {
                happened(entry.into(), here, None);
            }
            if let Some(change) = step.change {
                let kind = if change.to < change.from { EventKind::PriceCut } else { EventKind::PriceRise };
                happened(kind, here, Some(change));
            }
            if step.sold.is_some() {
                happened(EventKind::Sold, here, None);
            }
            if let Some(at) = step.interval.expires
                && step.interval.facts.status.phase() == Phase::Active
            {
                events.push(Event { at, kind: Exit::Expired.into(), market: here.clone(), change: None });
            }
            market = Some(here);
        }
        events
    }

    /// The intervals and what happened when each began, oldest first.
    #[must_use]
    pub fn steps(&self) -> Vec<Step<'_>> {
        let mut teller = EventBuilder {
            phase: None,
            began: None,
            expired: None,
            terms: None,
            market: None,
            spell: None,
            next: Entry::New,
            off_since: None,
            sold: None,
        };
        let mut steps: Vec<Step<'_>> = Vec::new();
        let mut opens: Vec<Option<Open>> = Vec::new();
        for (place, interval) in self.intervals().into_iter().enumerate() {
            steps.push(teller.tell(place, interval));
            opens.push(teller.spell);
        }
        let mut place = 0;
        while place < steps.len() {
            let Some(open) = opens[place] else {
                place += 1;
                continue;
            };
            let end = (place..steps.len()).find(|later| opens[*later].is_none_or(|it| it.from != open.from));
            let end = end.unwrap_or(steps.len());
            open.settle(&mut steps[place..end]);
            doubt::ask(&mut steps[place..end]);
            place = end;
        }
        steps
    }
}

impl Open {
    /// Gives all intervals of a spell its beginning.
    fn settle(&self, steps: &mut [Step<'_>]) {
        let Some(began) = steps.first().map(|step| step.interval.first) else { return };
        let reported = steps.iter().rev().find_map(|step| step.interval.listed);
        let is_of_it = |listed: &Time| *listed <= began && self.not_before.is_none_or(|bound| bound < *listed);
        let opened_at = reported.filter(is_of_it).unwrap_or(began);
        for step in steps.iter_mut() {
            step.spell.opened_at = opened_at;
        }
        if let Some(first) = steps.first_mut().filter(|_| self.from == 0)
            && first.entry == Some(Entry::New)
            && began.ms() - opened_at.ms() > INITIAL_MS
        {
            first.entry = Some(Entry::Initial);
        }
    }
}

impl EventBuilder {
    fn tell<'a>(&mut self, place: usize, interval: Interval<'a>) -> Step<'a> {
        let facts = interval.facts;
        let phase = facts.status.phase();
        let terms = (facts.market.purpose, facts.market.currency);
        if let Some(expired) = self.expired.take() {
            // It has been off the market since then.
            self.phase = Some(Phase::Off);
            self.began = Some(expired);
            self.off_since = Some(expired);
        }
        let was_active = self.phase == Some(Phase::Active);
        let is_active = phase == Phase::Active;
        let other_terms = self.terms.replace(terms).is_some_and(|before| before != terms);
        let moved = self.market.as_ref().is_some_and(|before| *before != facts.market);
        if other_terms {
            // A rent is no cut of a sale price, nor are dollars of dirhams: each spell has prices of its own.
            self.spell = None;
            self.off_since = None;
            self.next = Entry::New;
        }
        if self.phase.is_none() {
            self.next = match phase {
                Phase::Active if interval.sighting.initial => Entry::Initial,
                Phase::Pending | Phase::Off => Entry::BackOnMarket,
                Phase::Active | Phase::Before | Phase::Closed => Entry::New,
            };
        }
        self.open_or_close(place, phase, &interval);
        let exit = match phase {
            _ if !was_active => None,
            _ if other_terms => Some(Exit::Gone),
            Phase::Active => moved.then_some(Exit::MovedOut),
            Phase::Pending => Some(Exit::Pending),
            Phase::Closed => Some(Exit::Closed),
            Phase::Off | Phase::Before => Some(Exit::Gone),
        };
        let entry = match is_active {
            false => None,
            true if was_active && !other_terms => moved.then_some(Entry::MovedIn),
            true => Some(std::mem::replace(&mut self.next, Entry::BackOnMarket)),
        };
        let sold = self.sell(phase, &interval);
        self.phase = Some(phase);
        self.began = Some(interval.first);
        self.expired = interval.expires;
        self.market = Some(facts.market.clone());
        // What became of the price is told when the whole spell is known.
        let spell = Spell { opened_at: interval.first, original: None };
        Step { interval, spell, exit, entry, doubtful: None, change: None, sold }
    }

    /// Opens a spell where the home comes on the market, and ends it where it is sold or has been off for too long.
    fn open_or_close(&mut self, place: usize, phase: Phase, interval: &Interval<'_>) {
        match phase {
            Phase::Active | Phase::Pending => {
                let off = self.off_since.take().map(|since| interval.first.ms() - since.ms());
                if let Some(off) = off.filter(|off| *off > SPELL_GAP_MS) {
                    self.spell = None;
                    // One that was sold, or never offered on these terms, is new after any time.
                    if self.next != Entry::New {
                        self.next = if off > RELISTED_WITHIN_MS { Entry::New } else { Entry::Relisted };
                    }
                }
                self.spell.get_or_insert(Open { from: place, not_before: self.began });
            }
            Phase::Closed => {
                self.spell = None;
                self.off_since = None;
                self.next = Entry::New;
            }
            Phase::Off => {
                self.off_since.get_or_insert(interval.first);
            }
            Phase::Before => {
                if self.spell.is_some() {
                    self.off_since.get_or_insert(interval.first);
                }
            }
        }
    }

    /// Whether it was sold just now. One that is taken down and then shown as sold once more was sold once; one whose
    /// `CloseDate` moves on by months was sold again, though nobody saw it on offer in between.
    fn sell(&mut self, phase: Phase, interval: &Interval<'_>) -> Option<Sold> {
        let [earliest, seen] = [LISTED_SINCE, interval.first].map(|time| time.ms().div_euclid(Time::DAY_MS));
        // A day more, for who is ahead of UTC.
        let on = interval.facts.close_date.filter(|day| (earliest..=seen + 1).contains(&i64::from(day.0)));
        let was_sold = match phase {
            Phase::Closed => self.sold.replace(on.or(self.sold.flatten())),
            Phase::Active | Phase::Pending => self.sold.take().and(None),
            Phase::Before | Phase::Off => None,
        };
        if phase != Phase::Closed {
            return None;
        }
        let is_another = |before: Day| on.is_some_and(|on| on.0.saturating_sub(before.0) > RESOLD_AFTER_DAYS);
        if was_sold.is_some_and(|before| !before.is_some_and(is_another)) {
            return None;
        }
        // Of a home that was never seen before it was sold, only the source knows when that was.
        (self.phase.is_some() || on.is_some()).then_some(Sold { on })
    }
}

impl Event {
    /// Whether it has happened by the close of the day of `now`, a civil day of its market: an expiry may lie ahead.
    #[must_use]
    pub fn has_come(&self, now: Time) -> bool {
        self.kind != EventKind::Expired || {
            let zone = self.market.area.country().zone;
            self.at.day_in(&zone) <= now.day_in(&zone)
        }
    }
}

impl From<Entry> for EventKind {
    fn from(entry: Entry) -> Self {
        match entry {
            Entry::Initial => Self::Initial,
            Entry::New => Self::New,
            Entry::Relisted => Self::Relisted,
            Entry::BackOnMarket => Self::BackOnMarket,
            Entry::MovedIn => Self::MovedIn,
        }
    }
}

impl From<Exit> for EventKind {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Pending => Self::Pending,
            Exit::Closed => Self::Closed,
            Exit::Gone => Self::Gone,
            Exit::MovedOut => Self::MovedOut,
            Exit::Expired => Self::Expired,
        }
    }
}

impl EventKind {
    /// The name in tables and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initial => "initial",
            Self::New => "new",
            Self::Relisted => "relisted",
            Self::BackOnMarket => "back_on_market",
            Self::MovedIn => "moved_in",
            Self::Pending => "pending",
            Self::Closed => "closed",
            Self::Gone => "gone",
            Self::MovedOut => "moved_out",
            Self::Expired => "expired",
            Self::PriceCut => "price_cut",
            Self::PriceRise => "price_rise",
            Self::Sold => "sold",
            Self::ReportedCut => "reported_cut",
            Self::ReportedRise => "reported_rise",
        }
    }
}
