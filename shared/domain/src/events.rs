use crate::history::{History, Run};
use crate::listing::Phase;
use crate::money::Minor;
use crate::place::Market;
use crate::time::Time;

/// What happened to a home.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EventKind {
    /// Came on the market: seen active for the first time, or for the first time since it was sold.
    New,
    /// Active again after it was pending or off the market.
    BackOnMarket,
    /// The list price fell.
    PriceCut,
    /// The list price rose.
    PriceRise,
    /// Went under contract.
    Pending,
    /// Was sold or let.
    Closed,
    /// Left the market without a known sale.
    Gone,
}

/// A list price replaced by another within one spell on the market.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PriceChange {
    /// The price before.
    pub from: Minor,
    /// The price after.
    pub to: Minor,
}

/// One thing that happened to a home, read from its history.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// When it was first seen to have happened.
    pub at: Time,
    /// What.
    pub kind: EventKind,
    /// The market it counts in.
    pub market: Market,
    /// The prices, of a cut or a rise.
    pub change: Option<PriceChange>,
}

/// A stretch together with what a reader of the whole history knows at its beginning.
#[derive(Clone, Debug)]
pub(crate) struct Step<'a> {
    pub(crate) run: Run<'a>,
    pub(crate) spell: Spell,
    pub(crate) events: Vec<Event>,
}

/// One stay on the market, from coming on to being sold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Spell {
    /// When it began: the listing date where known, else when first seen active.
    pub opened_at: Time,
    /// The first price asked in it: the source's `OriginalListPrice`, else the first price seen.
    pub original: Option<Minor>,
}

/// After so long off the market a home that comes back starts anew: its old price says nothing of a cut.
const SPELL_GAP_MS: i64 = 90 * Time::DAY_MS;

struct Teller {
    /// The phase before the stretch in hand.
    phase: Option<Phase>,
    spell: Option<Spell>,
    /// The last price asked in this spell.
    asked: Option<Minor>,
    /// Since when it has been off the market.
    off_since: Option<Time>,
    sold_before: bool,
    purpose: Option<(crate::Purpose, crate::Currency)>,
}

impl History {
    /// What happened to this home, in order of time.
    #[must_use]
    pub fn events(&self) -> Vec<Event> {
        self.steps().into_iter().flat_map(|step| step.events).collect()
    }

    /// Calls `visit` with each stretch, the spell it belongs to, and the time the next stretch begins.
    pub fn for_each_stretch<'a>(&'a self, mut visit: impl FnMut(Run<'a>, Spell, &[Event], Option<Time>)) {
        let steps = self.steps();
        for (i, step) in steps.iter().enumerate() {
            let until = steps.get(i + 1).map(|next| next.run.first);
            visit(step.run, step.spell, &step.events, until);
        }
    }

    fn steps(&self) -> Vec<Step<'_>> {
        let mut teller =
            Teller { phase: None, spell: None, asked: None, off_since: None, sold_before: false, purpose: None };
        self.runs().map(|run| teller.tell(run, self.listed_at())).collect()
    }
}

impl Teller {
    fn tell<'a>(&mut self, run: Run<'a>, listed_at: Option<Time>) -> Step<'a> {
        let facts = run.facts;
        let phase = facts.status.phase();
        let mut events = Vec::new();
        let mut happened = |at: Time, kind: EventKind, change: Option<PriceChange>| {
            events.push(Event { at, kind, market: facts.market.clone(), change });
        };
        let terms = (facts.market.purpose, facts.market.currency);
        if self.purpose.is_some_and(|before| before != terms) {
            // A rent is no cut of a sale price, nor are dollars of dirhams.
            self.asked = None;
            self.spell = None;
        }
        self.purpose = Some(terms);

        match (self.phase, phase) {
            (before, Phase::Active) if before != Some(Phase::Active) => self.enter(run, listed_at, &mut happened),
            (Some(before), Phase::Pending) if before != Phase::Pending => happened(run.first, EventKind::Pending, None),
            (Some(before), Phase::Closed) if before != Phase::Closed => happened(run.first, EventKind::Closed, None),
            (Some(Phase::Active | Phase::Pending), Phase::Off) => happened(run.first, EventKind::Gone, None),
            _ => {}
        }
        match phase {
            Phase::Active | Phase::Pending => {
                self.off_since = None;
                if let Some(to) = facts.list_price {
                    match self.asked.replace(to) {
                        Some(from) if to < from => {
                            happened(run.first, EventKind::PriceCut, Some(PriceChange { from, to }))
                        }
                        Some(from) if to > from => {
                            happened(run.first, EventKind::PriceRise, Some(PriceChange { from, to }))
                        }
                        _ => {}
                    }
                }
            }
            Phase::Closed => {
                self.asked = None;
                self.spell = None;
                self.sold_before = true;
            }
            Phase::Off => {
                self.off_since.get_or_insert(run.first);
                // What it asked at the end is what a later price is compared with. That the price had
                // moved unseen before is no news about a home that nobody can buy.
                if self.spell.is_some() {
                    self.asked = facts.list_price.or(self.asked);
                }
            }
            Phase::Before => {}
        }
        self.phase = Some(phase);
        let mut spell = self.spell.unwrap_or(Spell { opened_at: run.first, original: None });
        if phase == Phase::Active || phase == Phase::Pending {
            spell.original = facts.original_list_price.or(spell.original).or(facts.list_price);
            self.spell = Some(spell);
        }
        Step { run, spell, events }
    }

    /// The home is active and was not just before.
    fn enter(
        &mut self,
        run: Run<'_>,
        listed_at: Option<Time>,
        happened: &mut impl FnMut(Time, EventKind, Option<PriceChange>),
    ) {
        let seen_before = self.spell.is_some() || matches!(self.phase, Some(Phase::Pending | Phase::Off));
        let long_gone = self.off_since.is_some_and(|since| run.first.ms() - since.ms() > SPELL_GAP_MS);
        if long_gone {
            self.asked = None;
            self.spell = None;
        }
        if seen_before {
            happened(run.first, EventKind::BackOnMarket, None);
        }
        let first_spell = !seen_before && !self.sold_before;
        let opened_at = match listed_at {
            Some(listed) if first_spell => listed.min(run.first),
            _ => run.first,
        };
        if !seen_before {
            happened(opened_at, EventKind::New, None);
        }
        self.spell.get_or_insert(Spell { opened_at, original: None });
    }
}
