//! The price changes within one spell, and which prices are doubtful.

use super::Step;
use crate::doubt::Doubt;
use crate::money::Minor;
use crate::price_change::PriceChange;
use crate::status::{Phase, Status};

/// Sets doubts, price changes and the original price of all steps of one spell.
pub(super) fn price_steps(spell: &mut [Step<'_>]) {
    let mut asked: Option<Minor> = None;
    let mut original: Option<Minor> = None;
    for index in 0..spell.len() {
        let facts = spell[index].interval.facts;
        let price = price_of(&spell[index]);
        let doubtful = price
            .and_then(|price| Doubt::of(asked, price, facts.market.currency))
            .filter(|_| !is_sighted_again(&spell[index..]));
        let price = price.filter(|_| doubtful.is_none());
        let step = &mut spell[index];
        step.doubtful = doubtful;
        let before = price.and_then(|price| asked.replace(price));
        // The price of a withdrawn home becomes the base of later changes. A change while it is withdrawn is not
        // reported, because nobody can buy the home.
        if matches!(facts.status.phase(), Phase::Active | Phase::Pending) {
            let change = before.zip(price).map(|(from, to)| PriceChange { from, to });
            step.change = change.filter(|change| change.from != change.to);
            original = facts.original_list_price.or(original).or(price);
        }
        step.spell.original = original;
    }
}

/// The price that counts for the step. A home that is announced for a later sale has none yet.
fn price_of(step: &Step<'_>) -> Option<Minor> {
    let facts = step.interval.facts;
    facts.list_price.filter(|_| facts.status.phase() != Phase::Before)
}

/// Whether the price of the first step was sighted on two UTC days before another price appeared.
fn is_sighted_again(rest: &[Step<'_>]) -> bool {
    let price = rest.first().and_then(price_of);
    let same = rest.iter().take_while(|step| price_of(step).is_none_or(|other| Some(other) == price));
    // A `Gone` observation means that the source no longer shows the home, so it is not a sighting of the price.
    let sighted = same.filter(|step| price_of(step).is_some() && step.interval.facts.status != Status::Gone);
    let mut days = sighted.flat_map(|step| [step.interval.sighting.seen_day(), step.interval.last_sighting.seen_day()]);
    let first = days.next();
    days.any(|day| Some(day) != first)
}
