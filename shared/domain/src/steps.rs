//! The steps of a history: its intervals, and how the home enters and leaves the market between them.

use crate::doubt::Doubt;
use crate::interval::Interval;
use crate::listing::Purpose;
use crate::market::Market;
use crate::money::{Currency, Minor};
use crate::price_change::PriceChange;
use crate::status::Phase;
use crate::time::{Day, Time};

mod identity;
mod prices;
mod sales;

use identity::Identity;

/// How a home enters the active stock of its market. Each entry has exactly one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Entry {
    /// The first sighting, caused by the start of a search. The home was on the market before.
    Initial,
    /// New on the market: for the first time, after a sale, after more than a year off the market, or on other terms
    /// (purpose or currency), or another home that was given its ID.
    New,
    /// Back after more than 90 days and at most a year off the market.
    Relisted,
    /// Active again after it was pending, or after at most 90 days off the market.
    BackOnMarket,
    /// Its listing was in another market before.
    MovedIn,
}

/// How a home leaves the active stock of its market. Each exit has exactly one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Exit {
    Pending,
    /// Sold or let without a sighting as pending.
    Closed,
    /// Off the market without a known sale.
    Gone,
    /// Its listing moved to another market.
    MovedOut,
    /// Nobody has shown the home for a fixed number of days. See [`crate::Watch::expires_after`].
    Expired,
}

/// An interval and the events at its beginning.
#[derive(Clone, Debug)]
pub struct Step<'a> {
    pub interval: Interval<'a>,
    /// The spell that contains the interval; for an interval outside every spell, the interval itself.
    pub spell: Spell,
    /// How the home left the active stock. An expiry is not an exit here: it belongs to the interval that it ends
    /// ([`Interval::expires`]).
    pub exit: Option<Exit>,
    /// How the home entered the active stock.
    pub entry: Option<Entry>,
    /// Why the price is doubtful. A doubtful price is in no figure.
    pub doubtful: Option<Doubt>,
    /// The change of the list price since the interval before.
    pub change: Option<PriceChange>,
    /// Set if the home was sold or let.
    pub sold: Option<Sold>,
    /// Whether another home begins here: floor area, bedrooms, and place or price changed together, so the source gave the
    /// ID to it. Nothing before is compared with it.
    pub another_home: bool,
}

/// A sale or letting, as the source gives it last: later closed intervals may add or correct the day and the price.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sold {
    /// The civil day of `CloseDate`. `None` if the source gives none, or none from [`crate::LISTED_SINCE`] to one UTC day after
    /// the interval that gives it began; the sale then counts on the day on which its interval began.
    pub on: Option<Day>,
    /// `ClosePrice`. It may be impossible ([`crate::price_bounds`]).
    pub price: Option<Minor>,
}

/// One stay on the market, from entry to exit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// When the spell began: the latest plausible listing date that the source gave in it, or else its first sighting.
    pub opened_at: Time,
    /// The original price: the source's `OriginalListPrice`, or else the first price that is not doubtful.
    pub original: Option<Minor>,
}

/// After a longer time off the market a new spell begins, and the price is not compared with the old one.
const SPELL_GAP_MS: i64 = 90 * Time::DAY_MS;

/// After a longer time off the market a home counts as new.
const RELISTED_WITHIN_MS: i64 = 365 * Time::DAY_MS;

/// A home that was listed longer before its first sighting was on the market already.
const INITIAL_MS: i64 = 7 * Time::DAY_MS;

/// Intervals, oldest first, with the events at their beginning.
pub(crate) fn steps_of(intervals: Vec<Interval<'_>>) -> Vec<Step<'_>> {
    let mut builder = EventBuilder {
        phase: None,
        began: None,
        expired: None,
        terms: None,
        market: None,
        identity: Identity::default(),
        spell: None,
        next: Entry::New,
        off_since: None,
    };
    let mut steps: Vec<Step<'_>> = Vec::new();
    let mut opens: Vec<Option<Open>> = Vec::new();
    for (index, interval) in intervals.into_iter().enumerate() {
        steps.push(builder.step(index, interval));
        opens.push(builder.spell);
    }
    sales::settle_sales(&mut steps);
    let mut index = 0;
    while index < steps.len() {
        let Some(open) = opens[index] else {
            index += 1;
            continue;
        };
        let end = (index..steps.len()).find(|later| opens[*later].is_none_or(|it| it.from != open.from));
        let end = end.unwrap_or(steps.len());
        open.settle(&mut steps[index..end]);
        let paid = steps.get(end).and_then(|next| prices::paid(&steps[index], next));
        prices::price_steps(&mut steps[index..end], paid);
        index = end;
    }
    steps
}

impl Step<'_> {
    /// The list price, unless it is doubtful.
    #[must_use]
    pub fn price(&self) -> Option<Minor> {
        self.interval.facts.list_price.filter(|_| self.doubtful.is_none())
    }
}

struct EventBuilder {
    /// The phase of the interval before.
    phase: Option<Phase>,
    /// When the interval before began or expired.
    began: Option<Time>,
    /// When the interval before expired.
    expired: Option<Time>,
    terms: Option<(Purpose, Currency)>,
    market: Option<Market>,
    identity: Identity,
    spell: Option<Open>,
    /// How the home enters when it is next active.
    next: Entry,
    /// When the home left the market.
    off_since: Option<Time>,
}

/// An open spell.
#[derive(Clone, Copy)]
struct Open {
    /// The index of its first interval.
    from: usize,
    /// The earliest listing date that can belong to this spell: before it the home was off the market.
    not_before: Option<Time>,
}

impl Open {
    /// Sets the beginning of the spell on all its intervals.
    fn settle(&self, steps: &mut [Step<'_>]) {
        let Some(began) = steps.first().map(|step| step.interval.first) else { return };
        let listed_at = steps.iter().rev().find_map(|step| step.interval.listed);
        let is_in_spell = |listed: &Time| *listed <= began && self.not_before.is_none_or(|bound| bound < *listed);
        let opened_at = listed_at.filter(is_in_spell).unwrap_or(began);
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
    fn step<'a>(&mut self, index: usize, interval: Interval<'a>) -> Step<'a> {
        let facts = interval.facts;
        let phase = facts.status.phase();
        let terms = (facts.market.purpose, facts.market.currency);
        if let Some(expired) = self.expired.take() {
            // The home has been off the market since it expired.
            self.phase = Some(Phase::Off);
            self.began = Some(expired);
            self.off_since = Some(expired);
        }
        let was_active = self.phase == Some(Phase::Active);
        let is_active = phase == Phase::Active;
        if interval.other_listing {
            self.identity = Identity::default();
        }
        let another_home = self.identity.take(facts);
        let other_terms = self.terms.replace(terms).is_some_and(|before| before != terms) || another_home;
        let moved = self.market.as_ref().is_some_and(|before| *before != facts.market);
        if other_terms {
            // A rent is not a cut of a sale price, currencies are not comparable, and homes neither: each spell has its own
            // prices.
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
        self.open_or_close(index, phase, &interval);
        let exit = match phase {
            _ if !was_active => None,
            Phase::Pending => Some(Exit::Pending),
            Phase::Closed => Some(Exit::Closed),
            Phase::Active if !other_terms => moved.then_some(Exit::MovedOut),
            Phase::Active | Phase::Off | Phase::Before => Some(Exit::Gone),
        };
        let entry = match is_active {
            false => None,
            true if was_active && !other_terms => moved.then_some(Entry::MovedIn),
            true => Some(std::mem::replace(&mut self.next, Entry::BackOnMarket)),
        };
        self.phase = Some(phase);
        self.began = Some(interval.first);
        self.expired = interval.expires;
        self.market = Some(facts.market.clone());
        // Prices are compared when the whole spell is known, and sales when the whole history is.
        let spell = Spell { opened_at: interval.first, original: None };
        Step { interval, spell, exit, entry, doubtful: None, change: None, sold: None, another_home }
    }

    /// Opens a spell when the home comes on the market. Ends it when the home is sold or is off the market for too
    /// long.
    fn open_or_close(&mut self, index: usize, phase: Phase, interval: &Interval<'_>) {
        match phase {
            Phase::Active | Phase::Pending => {
                let off = self.off_since.take().map(|since| interval.first.ms() - since.ms());
                if let Some(off) = off.filter(|off| *off > SPELL_GAP_MS) {
                    self.spell = None;
                    // A home that was sold, or never offered on these terms, is new after any time.
                    if self.next != Entry::New {
                        self.next = if off > RELISTED_WITHIN_MS { Entry::New } else { Entry::Relisted };
                    }
                }
                self.spell.get_or_insert(Open { from: index, not_before: self.began });
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
}
