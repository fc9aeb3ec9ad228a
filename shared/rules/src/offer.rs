use std::collections::{BTreeSet, VecDeque};

use stoop_domain::{Currency, Minor, PriceChange, Purpose, Spell, Time};

use crate::plausible::{Rise, Suspicion, suspicion};

/// A price that is asked no more is compared with for so long.
const WINDOW_MS: i64 = 90 * Time::DAY_MS;

/// A price that was asked for so long without a break is meant: it lifts the reference after an alert, and is no slip.
const HELD_MS: i64 = 14 * Time::DAY_MS;

/// A home's offer in one spell, as far as its prices go: what the next price is compared with.
///
/// The *reference* is the highest price that was asked within the last 90 days. A price that is told takes its place; from
/// then on a higher one counts no more than the reference does until it has held for 14 days. A slip counts for nothing
/// unless it holds as long. All of this looks only at what came before, so that it does not depend on when it is asked.
#[derive(Default)]
pub(crate) struct Offer {
    /// Which spell, and on which terms.
    spell: Option<(Time, Purpose, Currency)>,
    /// Prices that count and are asked no more. Each is lower than the one before: a higher one makes it idle.
    window: VecDeque<Asked>,
    /// The price that is asked now; none while the home is off the market.
    asking: Option<Asking>,
    /// The last price that was no slip.
    plausible: Option<Minor>,
    /// The last change of that price, if it was a rise.
    rise: Option<Rise>,
    /// The reference was set by an alert: only a price that holds lifts it.
    is_set: bool,
    /// Prices that were held back: one that comes again is no news.
    held_back: BTreeSet<Minor>,
}

/// A price that counts in the reference, and until when it was asked.
struct Asked {
    counts: Minor,
    until: Time,
}

#[derive(Clone, Copy)]
struct Asking {
    price: Minor,
    since: Time,
    /// What it counts in the reference until it has held; a slip counts for nothing.
    counts: Option<Minor>,
}

/// A price that is below the reference by as much as some rule wants.
pub(crate) struct Fall {
    /// From the reference to the price.
    pub(crate) change: PriceChange,
    /// Why it looks like a slip.
    pub(crate) suspicion: Option<Suspicion>,
}

impl Offer {
    /// Begins anew where this is another spell, or the home is offered on other terms.
    pub(crate) fn enter(&mut self, spell: Spell, purpose: Purpose, currency: Currency) {
        let spell = Some((spell.opened_at, purpose, currency));
        if self.spell != spell {
            *self = Self { spell, ..Self::default() };
        }
    }

    /// The home is off the market from now on: nothing is asked.
    pub(crate) fn pause(&mut self, at: Time) {
        if let Some(counts) = self.leave(at) {
            self.count(counts, at);
        }
    }

    /// This price is asked from now on. `tells` says whether some rule wants to tell of such a change.
    pub(crate) fn ask(
        &mut self,
        price: Minor,
        at: Time,
        suspect_bp: u32,
        tells: impl FnOnce(PriceChange) -> bool,
    ) -> Option<Fall> {
        if self.asking.is_some_and(|asking| asking.price == price) {
            return None;
        }
        let left = self.leave(at);
        while self.window.front().is_some_and(|asked| asked.until < at.plus_ms(-WINDOW_MS)) {
            self.window.pop_front();
        }
        let Some(reference) = self.window.front().map(|asked| asked.counts).max(left) else {
            *self = Self { spell: self.spell, ..Self::default() };
            self.begin(price, at, Some(price));
            return None;
        };
        let step = self.plausible.map(|from| PriceChange { from, to: price });
        let suspicion = step.and_then(|step| suspicion(suspect_bp, step, at, self.rise));
        // The price that is taken back was the slip: it counts for nothing.
        if let Some(left) = left.filter(|_| suspicion != Some(Suspicion::TakesBack)) {
            self.count(left, at);
        }
        let change = PriceChange { from: reference, to: price };
        let falls = price < reference && tells(change);
        match &suspicion {
            Some(Suspicion::Slip(_)) => self.begin(price, at, None),
            None if falls => {
                self.window.clear();
                self.is_set = true;
                self.begin(price, at, Some(price));
            }
            Some(Suspicion::TakesBack) | None => {
                let reference = self.window.front().map(|asked| asked.counts).filter(|_| self.is_set);
                self.begin(price, at, Some(reference.map_or(price, |reference| price.min(reference))));
            }
        }
        let is_news = falls && (suspicion.is_none() || self.held_back.insert(price));
        is_news.then_some(Fall { change, suspicion })
    }

    fn begin(&mut self, price: Minor, at: Time, counts: Option<Minor>) {
        self.asking = Some(Asking { price, since: at, counts });
        if counts.is_some() {
            let from = self.plausible.replace(price);
            self.rise = from.filter(|from| *from < price).map(|from| Rise { from, to: price, at });
        }
    }

    /// What was asked until now is asked no more: what it counts.
    fn leave(&mut self, at: Time) -> Option<Minor> {
        let left = self.asking.take()?;
        if at.ms() - left.since.ms() < HELD_MS {
            return left.counts;
        }
        if left.counts.is_none() {
            // No slip after all: what was asked before it is no measure of what is asked after it.
            self.window.clear();
            self.is_set = true;
            self.plausible = Some(left.price);
            self.rise = None;
        }
        Some(left.price)
    }

    fn count(&mut self, counts: Minor, until: Time) {
        while self.window.back().is_some_and(|asked| asked.counts <= counts) {
            self.window.pop_back();
        }
        self.window.push_back(Asked { counts, until });
    }
}
