//! Why an alert was raised: its rule, its reference and what was asked in between.

use maud::{Markup, html};
use stoop_domain::{AlertId, Currency, HomeId, Market, Time};
use stoop_serve::{Explanation, Reader, ReferencePrice, RuleView, explain};

use crate::layout::{self, Head, Room};
use crate::problem::Problem;
use crate::text;

/// The address of the page of an alert.
pub(crate) fn href(id: &AlertId) -> String {
    format!("/alerts/{id}")
}

/// The page of an alert at `now`.
pub(crate) async fn page(reader: &Reader<'_>, id: &str, now: Time) -> Result<String, Problem> {
    let missing = || Problem::missing(format!("No alert has the ID {:?}.", id.chars().take(80).collect::<String>()));
    let found = explain(&AlertId(id.to_owned()), reader.views, reader.store, now).await?.ok_or_else(missing)?;
    let market: Market = found.alert.market.parse().map_err(|_| missing())?;
    let content = draw(&found, &market, now);
    Ok(layout::page(&Head { title: "Why this alert", room: Room::Alerts, now: Some(now), query: "" }, &content))
}

fn draw(found: &Explanation, market: &Market, now: Time) -> Markup {
    let (alert, currency) = (&found.alert, market.currency);
    let words = alert.line.as_deref().or(alert.title.as_deref()).unwrap_or(&alert.home);
    let home = HomeId(alert.home.as_str().into());
    let area = text::area_href(market.area.as_str(), market.purpose.as_str(), currency);
    html! {
        div class="head" {
            nav aria-label="Where it is listed" { ol class="trail" { li { a href="/alerts" { "Alerts" } } } }
            h1 { (text::change(Some(-alert.drop))) " " a href=(text::home_href(&home)) { (words) } }
            p {
                a href=(area) { (market.area.name()) } " · " (text::offer(market.purpose.as_str()))
                @if let Ok(at) = Time::parse(&alert.at) { " · first seen " (text::time(at, true)) }
                " · " (layout::as_of(now))
            }
        }
        @if let Some(why) = &alert.why_suspect { p class="card notice" { "Held back, not sent: " (why) "." } }
        @if alert.withdrawn_at.is_some() || found.stands == Some(false) { p class="card notice" { "What the source said later, of an earlier time, took this drop back." } }
        dl class="tiles" {
            (tile("Price", &price(alert.to, currency), html! { "from " (price(alert.from, currency)) }))
            (tile("Reference", &price(alert.from, currency), html! {
                (match found.reference_is {
                    ReferencePrice::HighestPrice => "the highest price within 90 days",
                    ReferencePrice::EarlierAlert => "the price of the alert before",
                    ReferencePrice::HeldPrice => "a price that looked like a mistake, and held",
                })
                @if let Some(at) = found.reference_at { ", last seen " (text::time(at, false)) }
            }))
            (tile("Is it unusual?", &usual(found), html! { (beside(found, market)) }))
            (tile("Now", &stoop_show::or_unknown(found.price_now.map(|now| price(now, currency))), html! {
                @if found.price_now.is_some() { "still on offer" } @else { "not on offer on these terms, or not known" }
            }))
        }
        section class="card" {
            h2 { "The rule" }
            p { (rule(&alert.rule, found.selected_by.as_ref(), currency)) }
        }
        section class="card" {
            header { h2 { "From the reference to the alert" } p class="note" { "each price from when it was first seen" } }
            @if found.prices.is_empty() { p class="empty" { "The history of this home may not be shown, or no longer has the reference." } }
            @else {
                div class="scroll" tabindex="0" role="region" aria-label="From the reference to the alert" {
                    table {
                        thead { tr { th class="l" scope="col" { "First seen" } th scope="col" { "Price" } th scope="col" { "Change" } } }
                        tbody { @for asked in &found.prices {
                            tr { td class="l" { (text::time(asked.at, false)) } td { (price(asked.price, currency)) } td { (text::change(asked.change)) } }
                        } }
                    }
                }
            }
            p class="note" { "ID " code { (alert.id) } }
        }
    }
}

fn tile(name: &str, value: &str, more: Markup) -> Markup {
    html! { div class="tile" { dt { (name) } dd class="value" { (value) } dd class="more" { (more) } } }
}

fn price(price: f64, currency: Currency) -> String {
    stoop_show::amount(price, currency)
}

/// `2.1 times the usual`.
fn usual(found: &Explanation) -> String {
    stoop_show::or_unknown(found.beside.times_usual.map(|times| format!("{times:.1} × the usual")))
}

fn beside(found: &Explanation, market: &Market) -> String {
    let cut = usize::try_from(found.beside.cut).unwrap_or_default();
    let area = market.area.name();
    match found.beside.median_cut {
        Some(median) => format!(
            "the {} in {area} that ask less than at first ask {} less (median)",
            text::plural(cut, "home"),
            stoop_show::percent(median)
        ),
        None => format!("no home in {area} asks less than at first"),
    }
}

/// What the rule says, as a sentence.
fn rule(name: &str, rule: Option<&RuleView>, currency: Currency) -> Markup {
    let Some(rule) = rule else { return html! { code { (name) } ", as it was then, is not stored." } };
    let least = [rule.share_min.map(stoop_show::percent), rule.amount_min.map(|amount| price(amount, currency))];
    let least: Vec<String> = least.into_iter().flatten().collect();
    html! {
        code { (name) } " selects a price at least " (least.join(" or ")) " below its reference"
        @if let Some(area) = &rule.area { ", in " code { (area) } }
        "."
    }
}
