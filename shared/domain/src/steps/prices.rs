//! The price changes within one spell, and which prices are doubtful.

use super::Step;
use crate::doubt::Doubt;
use crate::money::Minor;
use crate::price_bounds::price_bounds;
use crate::price_change::PriceChange;
use crate::status::{Phase, Status};

/// The closing price of the sale that ends the spell of `step`: `next` is the interval after the spell. `None` if it ends
/// otherwise or the price is unknown or impossible.
pub(super) fn paid(step: &Step<'_>, next: &Step<'_>) -> Option<Minor> {
    let [market, next_market] = [step, next].map(|step| &step.interval.facts.market);
    let bounds = price_bounds(market.currency, market.purpose);
    let is_on_terms = (market.purpose, market.currency) == (next_market.purpose, next_market.currency);
    next.sold.filter(|_| is_on_terms && !next.another_home)?.price.filter(|price| bounds.contains(price))
}

/// Sets doubts, price changes and the original price of all steps of one spell. `paid` is the closing price of the sale
/// that ends it.
pub(super) fn price_steps(spell: &mut [Step<'_>], paid: Option<Minor>) {
    let mut asked: Option<Minor> = None;
    let mut original: Option<Minor> = None;
    // A closing price that is near none of the prices asked may be the mistake itself.
    let paid = paid.filter(|paid| spell.iter().filter_map(price_of).any(|price| is_near(price, *paid)));
    for index in 0..spell.len() {
        let facts = spell[index].interval.facts;
        let price = price_of(&spell[index]);
        let doubtful = price.and_then(|price| {
            let disproved = paid.and_then(|paid| Doubt::of_leap(paid, price));
            let doubt = disproved.or_else(|| Doubt::of(asked, price, facts.market.currency));
            let is_cleared = asked == Some(price)
                || paid.is_some_and(|paid| is_near(price, paid))
                || doubt.is_some() && is_sighted_on_two_days(spell, index);
            doubt.filter(|_| !is_cleared)
        });
        let price = price.filter(|_| doubtful.is_none());
        let step = &mut spell[index];
        step.doubtful = doubtful;
        let before = price.and_then(|price| asked.replace(price));
        // The price of a withdrawn home becomes the base of later changes. A change while it is withdrawn is not
        // reported, because nobody can buy the home.
        if matches!(facts.status.phase(), Phase::Active | Phase::Pending) {
            let change = before.zip(price).map(|(from, to)| PriceChange { from, to });
            step.change = change.filter(|change| change.from != change.to && !step.interval.other_listing);
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

/// Whether the price of a step was sighted on two UTC days while the spell showed no other price, whatever the status.
fn is_sighted_on_two_days(spell: &[Step<'_>], index: usize) -> bool {
    let shown = |step: &Step<'_>| step.interval.facts.list_price;
    let price = shown(&spell[index]);
    let is_same = |step: &&Step<'_>| shown(step).is_none_or(|other| Some(other) == price);
    let (before, from) = spell.split_at(index);
    let same = before.iter().rev().take_while(is_same).chain(from.iter().take_while(is_same));
    // A `Gone` observation means that the source no longer shows the home, so it is not a sighting of the price.
    let sighted = same.filter(|step| shown(step).is_some() && step.interval.facts.status != Status::Gone);
    let mut days = sighted.flat_map(|step| [step.interval.sighting.seen_day(), step.interval.last_sighting.seen_day()]);
    let first = days.next();
    days.any(|day| Some(day) != first)
}

/// Whether a price is between half and double the closing price.
fn is_near(price: Minor, paid: Minor) -> bool {
    let (price, paid) = (i128::from(price.0), i128::from(paid.0));
    price * 2 >= paid && price <= paid * 2
}
