//! What is known of each area: how much is unconfirmed, how many homes have a price and a floor area, how late it is.

use maud::{Markup, html};
use stoop_domain::Time;
use stoop_market::{THIN_SAMPLE, WARM_UP_DAYS};
use stoop_serve::{AreaQuality, Balance, OBSERVED_MARKETS_MAX, QUALITY_DAYS};

use crate::text;

/// The share of homes that nobody shows as expected.
pub(super) fn unconfirmed(rows: &[AreaQuality]) -> Markup {
    let active: i64 = rows.iter().map(|row| row.active).sum();
    let unconfirmed: i64 = rows.iter().map(|row| row.unconfirmed).sum();
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
pub(super) fn balance(rows: &[AreaQuality]) -> Markup {
    let known: Vec<(&AreaQuality, Balance)> = rows.iter().filter_map(|row| Some((row, row.balance?))).collect();
    let uneven: Vec<&(&AreaQuality, Balance)> = known.iter().filter(|(_, balance)| !balance.even).collect();
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
                    p class="sub" { "In up to " (QUALITY_DAYS) " days, the " (text::defined("active", "homes on offer")) " before, plus entries, minus exits, are the homes on offer now." }
                }
                Some((row, balance)) => {
                    p class="big" { "Not in " (text::plural(uneven.len(), "area")) }
                    p class="sub" {
                        (row.name) ": " (stoop_show::whole(balance.first)) " homes, plus " (stoop_show::whole(balance.entries))
                        " entries, minus " (stoop_show::whole(balance.exits)) " exits, are not " (stoop_show::whole(balance.last)) ". "
                        "Run " code { "stoop verify" } ", then " code { "stoop rebuild" } "."
                    }
                }
            }
        }
    }
}

pub(super) fn table(rows: &[AreaQuality], is_lag_left_out: bool) -> Markup {
    html! {
        section class="card" {
            header {
                h2 { "Areas" }
                p class="note" { (text::plural(rows.iter().filter(|row| row.thin).count(), "thin area")) ", "
                    (rows.iter().filter(|row| row.warming_up).count()) " warming up" }
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
                        tbody { @for row in rows { (area(row)) } }
                    }
                }
                p class="note" {
                    "Lag is the time from an area's newest observation to the time of this page. "
                    @if is_lag_left_out { "It is not looked up for more than " (OBSERVED_MARKETS_MAX) " markets. " }
                    "Thin: fewer than " (THIN_SAMPLE) " homes with a price. Warming up: one of the first " (WARM_UP_DAYS)
                    " observed days, on which homes that were on offer before are still being found."
                }
            }
        }
    }
}

fn area(row: &AreaQuality) -> Markup {
    let part =
        |count: i64| stoop_show::or_unknown((row.active > 0).then(|| stoop_show::percent(share(count, row.active))));
    html! {
        tr {
            th class="l" scope="row" { a href=(text::area_href(&row.path, row.row.purpose, row.row.currency)) { (row.name) } }
            td { (stoop_show::whole(row.active)) }
            td { (part(row.unconfirmed)) }
            td { (part(row.priced)) }
            td { (part(row.priced_per_area)) }
            td { (stoop_show::or_unknown(row.lag_seconds.map(|lag| stoop_show::span(lag * Time::SECOND_MS)))) }
            td class="l" { @match row.observed_at { Some(at) => { (text::time(at, true)) } None => { (stoop_show::UNKNOWN) } } }
            td class="l" {
                @if row.thin { span class="flag" { "thin" } " " }
                @if row.warming_up { span class="flag" { "warming up" } " " }
                @if row.balance.is_some_and(|balance| !balance.even) { span class="flag" { "stock and flows differ" } }
            }
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a share of homes needs no 53 bits")]
fn share(part: i64, whole: i64) -> f64 {
    part as f64 / whole as f64
}
