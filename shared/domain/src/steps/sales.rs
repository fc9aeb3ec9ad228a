//! Sales: which closed intervals report one, its day and its price.

use super::{Sold, Step};
use crate::listing::LISTED_SINCE;
use crate::status::Phase;
use crate::time::{Day, Time};

/// A `CloseDate` that is later by more days belongs to another sale; by fewer, it corrects the date.
const RESOLD_AFTER_DAYS: i32 = 30;

/// A sale that later closed intervals may say more about.
struct Sale {
    /// The index of the interval that begins with it.
    at: usize,
    /// The latest day given for it.
    latest: Day,
}

/// Sets the sales of all steps.
///
/// A home that is taken down and then shown as sold again was sold once. If `CloseDate` moves by months, it was sold
/// again, even without a sighting on the market in between.
pub(super) fn settle_sales(steps: &mut [Step<'_>]) {
    let mut sale: Option<Sale> = None;
    // Of a home that was first seen as sold, only the source knows the day of the sale.
    let mut only_if_dated = true;
    for index in 0..steps.len() {
        if steps[index].another_home {
            (sale, only_if_dated) = (None, false);
        }
        let interval = &steps[index].interval;
        let facts = interval.facts;
        match facts.status.phase() {
            Phase::Active | Phase::Pending => (sale, only_if_dated) = (None, false),
            Phase::Before | Phase::Off => only_if_dated &= index > 0,
            Phase::Closed => {
                let dated = close_day(&steps[index]);
                let seen_on = || interval.first.day_in(&facts.market.area.country().zone);
                let day = dated.or_else(|| (sale.is_none() && !only_if_dated).then(seen_on));
                let is_another = |day: &Day| {
                    sale.as_ref().is_none_or(|known| day.0.saturating_sub(known.latest.0) > RESOLD_AFTER_DAYS)
                };
                if let Some(latest) = day.filter(is_another) {
                    sale = Some(Sale { at: index, latest });
                    steps[index].sold = Some(Sold { on: dated, price: facts.close_price });
                } else if let Some(sale) = &mut sale {
                    sale.latest = sale.latest.max(dated.unwrap_or(sale.latest));
                    let of_sale = &steps[sale.at].interval.facts.market;
                    let terms = (of_sale.purpose, of_sale.currency) == (facts.market.purpose, facts.market.currency);
                    if let Some(sold) = steps[sale.at].sold.as_mut().filter(|_| terms) {
                        sold.on = dated.or(sold.on);
                        sold.price = facts.close_price.or(sold.price);
                    }
                }
            }
        }
    }
}

/// `CloseDate`, if it is from [`LISTED_SINCE`] to one UTC day after the interval began, for zones ahead of UTC.
fn close_day(step: &Step<'_>) -> Option<Day> {
    let [earliest, seen] = [LISTED_SINCE, step.interval.first].map(|time| time.ms().div_euclid(Time::DAY_MS));
    step.interval.facts.close_date.filter(|day| (earliest..=seen + 1).contains(&i64::from(day.0)))
}
