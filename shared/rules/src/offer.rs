use std::collections::{BTreeSet, VecDeque};

use stoop_domain::{Currency, Minor, PriceChange, Purpose, Spell, Time};

use crate::plausible::{Rise, Suspicion, suspicion};

/// How long a price counts in the reference after it was replaced.
const WINDOW_MS: i64 = 90 * Time::DAY_MS;

/// A price that was asked for this long without a break is intended: it raises the reference after an alert, and is not
/// a mistake.
const HELD_MS: i64 = 14 * Time::DAY_MS;

/// The prices of a home within one spell, from which the reference for the next price is computed.
///
/// The *reference* is the highest price of the last 90 days. The price of an alert replaces it. After that, a higher
/// price counts no more than the reference until it has held for 14 days. A price that looks like a mistake does not
/// count until it has held as long. All of this depends on earlier prices only, so the result does not depend on the
/// time of the computation.
#[derive(Default)]
pub(crate) struct Offer {
    /// Beginning and terms of the spell.
    spell: Option<(Time, Purpose, Currency)>,
    /// Earlier prices that count. Each is lower than the one before, because a higher price makes all lower ones before
    /// it irrelevant.
    window: VecDeque<PriceSpan>,
    /// The current price. `None` while the home is off the market.
    asking: Option<Asking>,
    /// The last price that did not look like a mistake.
    plausible: Option<Minor>,
    /// The last change to that price, if it was a rise.
    rise: Option<Rise>,
    /// Whether an alert set the reference. Then only a price that holds raises it.
    is_set: bool,
    /// Prices with a suspect alert. The same price does not raise another one.
    suspects: BTreeSet<Minor>,
}

/// A price that counts in the reference, and when it was replaced.
struct PriceSpan {
    counts: Minor,
    until: Time,
}

#[derive(Clone, Copy)]
struct Asking {
    price: Minor,
    since: Time,
    /// The amount that counts in the reference until the price has held. `None` if it looks like a mistake.
    counts: Option<Minor>,
}

/// A price below the reference that a rule selects.
pub(crate) struct Fall {
    /// From the reference to the price.
    pub(crate) change: PriceChange,
    /// Why the price looks like a mistake.
    pub(crate) suspicion: Option<Suspicion>,
}

impl Offer {
    /// Starts anew if the spell or the terms differ.
    pub(crate) fn enter(&mut self, spell: Spell, purpose: Purpose, currency: Currency) {
        let spell = Some((spell.opened_at, purpose, currency));
        if self.spell != spell {
            *self = Self { spell, ..Self::default() };
        }
    }

    /// The home is off the market from `at` on.
    pub(crate) fn pause(&mut self, at: Time) {
        if let Some(counts) = self.leave(at) {
            self.count(counts, at);
        }
    }

    /// A new price from `at` on. `is_selected` returns whether a rule selects a change. Returns the fall if it is
    /// selected and new.
    pub(crate) fn change_price(
        &mut self,
        price: Minor,
        at: Time,
        suspect_bp: u32,
        is_selected: impl FnOnce(PriceChange) -> bool,
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
        // The price before was the mistake, so it does not count.
        if let Some(left) = left.filter(|_| suspicion != Some(Suspicion::TakesBack)) {
            self.count(left, at);
        }
        let change = PriceChange { from: reference, to: price };
        let falls = price < reference && is_selected(change);
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
        let is_news = falls && (suspicion.is_none() || self.suspects.insert(price));
        is_news.then_some(Fall { change, suspicion })
    }

    fn begin(&mut self, price: Minor, at: Time, counts: Option<Minor>) {
        self.asking = Some(Asking { price, since: at, counts });
        if counts.is_some() {
            let from = self.plausible.replace(price);
            self.rise = from.filter(|from| *from < price).map(|from| Rise { from, to: price, at });
        }
    }

    /// Ends the current price at `at`. Returns the amount with which it counts.
    fn leave(&mut self, at: Time) -> Option<Minor> {
        let left = self.asking.take()?;
        if at.ms() - left.since.ms() < HELD_MS {
            return left.counts;
        }
        if left.counts.is_none() {
            // It was not a mistake after all. Earlier prices are no longer comparable.
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
        self.window.push_back(PriceSpan { counts, until });
    }
}
