//! What is known of each area: how much is unconfirmed, how many homes have a price and a floor area, how late it is.

use std::cmp::Reverse;

use maud::{Markup, html};
use stoop_domain::Time;
use stoop_market::{THIN_SAMPLE, WARM_UP_DAYS};
use stoop_pipeline::serve::{AreaCard, DayView};

use crate::text;

/// The days whose stock is compared with entries and exits.
pub(super) const DAYS: u16 = 28;

/// An area.
pub(super) struct Row {
    card: AreaCard,
    /// The time of its newest observation.
    observed: Option<Time>,
    /// `None` if fewer than two days are known.
    balance: Option<Balance>,
}

/// The stock at the end of the first of some days, and what entries and exits make of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Balance {
    first: i64,
    entries: i64,
    exits: i64,
    last: i64,
}

impl Balance {
    fn of(days: &[DayView]) -> Option<Self> {
        let [first, rest @ .., last] = days else { return None };
        let after = || rest.iter().chain([last]);
        let entries = after().map(|day| day.flows.entries()).sum();
        let exits = after().map(|day| day.flows.exits()).sum();
        Some(Self { first: first.active, entries, exits, last: last.active })
    }

    fn is_even(self) -> bool {
        self.first + self.entries - self.exits == self.last
    }
}

impl Row {
    pub(super) fn of(card: AreaCard, observed: Option<Time>) -> Self {
        let balance = Balance::of(&card.days);
        Self { card, observed, balance }
    }

    /// The largest first.
    pub(super) fn order(&self) -> (Reverse<i64>, String) {
        (Reverse(self.active()), self.card.row.id.clone())
    }

    fn active(&self) -> i64 {
        self.card.row.figures.as_ref().map_or(0, |figures| figures.active)
    }

    fn unconfirmed(&self) -> i64 {
        self.card.row.figures.as_ref().map_or(0, |figures| figures.unconfirmed)
    }

    fn is_thin(&self) -> bool {
        self.card.row.figures.as_ref().is_none_or(|figures| figures.thin)
    }

    /// Whether its newest day is one of the first that were observed.
    fn is_warming_up(&self) -> bool {
        self.card.days.last().is_none_or(|day| day.warming_up)
    }
}

/// The share of homes that nobody shows as expected.
pub(super) fn unconfirmed(rows: &[Row]) -> Markup {
    let active: i64 = rows.iter().map(Row::active).sum();
    let unconfirmed: i64 = rows.iter().map(Row::unconfirmed).sum();
    html! {
        section class="card answer" data-answer="unconfirmed" {
            h2 { "Are the homes still on offer?" }
            @if active == 0 {
                p class="big" { "Not known" }
                p class="sub" { "There are no homes on offer." }
            } @else {
                p class="big" { (stoop_show::percent(1.0 - share(unconfirmed, active))) " confirmed" }
                p class="sub" {
                    (stoop_show::whole(unconfirmed)) " of " (stoop_show::whole(active)) " homes are " (text::defined("unconfirmed", "unconfirmed"))
                    ": their source missed them at two expected sightings in a row."
                }
            }
        }
    }
}

/// Whether stock and flows agree in each area.
pub(super) fn balance(rows: &[Row]) -> Markup {
    let known: Vec<(&Row, Balance)> = rows.iter().filter_map(|row| Some((row, row.balance?))).collect();
    let uneven: Vec<&(&Row, Balance)> = known.iter().filter(|(_, balance)| !balance.is_even()).collect();
    html! {
        section class="card answer" data-answer="balance" {
            h2 { "Do stock and flows agree?" }
            @match uneven.first() {
                _ if known.is_empty() => {
                    p class="big" { "Not known yet" }
                    p class="sub" { "This needs two observed days." }
                }
                None => {
                    p class="big" { "Yes, in " (text::plural(known.len(), "area")) }
                    p class="sub" { "In up to " (DAYS) " days, the " (text::defined("active", "homes on offer")) " before, plus entries, minus exits, are the homes on offer now." }
                }
                Some((row, balance)) => {
                    p class="big" { "Not in " (text::plural(uneven.len(), "area")) }
                    p class="sub" {
                        (row.card.row.name) ": " (stoop_show::whole(balance.first)) " homes, plus " (stoop_show::whole(balance.entries))
                        " entries, minus " (stoop_show::whole(balance.exits)) " exits, are not " (stoop_show::whole(balance.last)) ". "
                        "Run " code { "stoop verify" } ", then " code { "stoop rebuild" } "."
                    }
                }
            }
        }
    }
}

pub(super) fn table(rows: &[Row], now: Time, is_lag_left_out: bool) -> Markup {
    html! {
        section class="card" {
            header {
                h2 { "Areas" }
                p class="note" { (text::plural(rows.iter().filter(|row| row.is_thin()).count(), "thin area")) ", "
                    (rows.iter().filter(|row| row.is_warming_up()).count()) " warming up" }
            }
            @if rows.is_empty() { p class="empty" { "No area is watched." } }
            @else {
                div class="scroll" tabindex="0" role="region" aria-label="Quality by area" {
                    table {
                        thead { tr {
                            th class="l" scope="col" { "Area" }
                            th scope="col" { (text::defined("active", "Homes")) }
                            th scope="col" { (text::defined("unconfirmed", "Unconfirmed")) }
                            th scope="col" { (text::defined("priced", "With price")) }
                            th scope="col" { (text::defined("priced_per_area", "With floor area")) }
                            th scope="col" { "Lag" }
                            th class="l" scope="col" { "Newest observation" }
                            th class="l" scope="col" { "Note" }
                        } }
                        tbody { @for row in rows { (area(row, now)) } }
                    }
                }
                p class="note" {
                    "Lag is the time from an area's newest observation to the time of this page. "
                    @if is_lag_left_out { "It is not looked up for more than " (super::OBSERVED_MARKETS_MAX) " markets. " }
                    "Thin: fewer than " (THIN_SAMPLE) " homes with a price. Warming up: one of the first " (WARM_UP_DAYS)
                    " observed days, on which homes that were on offer before are still being found."
                }
            }
        }
    }
}

fn area(row: &Row, now: Time) -> Markup {
    let of = &row.card.row;
    let part = |count: Option<i64>| {
        let count = count.filter(|_| row.active() > 0);
        stoop_show::or_unknown(count.map(|count| stoop_show::percent(share(count, row.active()))))
    };
    let figures = of.figures.as_ref();
    html! {
        tr {
            th class="l" scope="row" { a href=(text::area_href(&of.path, of.purpose, of.currency)) { (of.name) } }
            td { (stoop_show::whole(row.active())) }
            td { (part(figures.map(|figures| figures.unconfirmed))) }
            td { (part(figures.map(|figures| figures.priced))) }
            td { (part(figures.map(|figures| figures.priced_per_area))) }
            td { (stoop_show::or_unknown(row.observed.filter(|at| *at <= now).map(|at| stoop_show::span(now.ms() - at.ms())))) }
            td class="l" { @match row.observed { Some(at) => { (text::time(at, true)) } None => { (stoop_show::UNKNOWN) } } }
            td class="l" {
                @if row.is_thin() { span class="flag" { "thin" } " " }
                @if row.is_warming_up() { span class="flag" { "warming up" } " " }
                @if row.balance.is_some_and(|balance| !balance.is_even()) { span class="flag" { "stock and flows differ" } }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of homes needs no 53 bits")]
fn share(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stock_is_compared_with_all_entries_and_exits_after_the_first_day() {
        let balance = |last| Balance { first: 10, entries: 4, exits: 3, last };
        assert!(balance(11).is_even());
        assert!(!balance(12).is_even(), "a home came from nowhere");
        assert_eq!(Balance::of(&[]), None);
    }
}
