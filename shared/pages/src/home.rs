//! One home: its price over time, what happened, and where it stands in its market.

mod meanwhile;
mod others;

use maud::{Markup, html};
use stoop_domain::{Currency, HomeId, Minor, Time};
use stoop_serve::{Allowance, HappenedView, HomeView, Reader, area_name, areas_around};

use crate::chart::{Step, StepChart};
use crate::definitions;
use crate::layout::{self, Head, Room};
use crate::problem::Problem;
use crate::request::Visitor;
use crate::text;
use meanwhile::Meanwhile;

/// The page of a home at `now`.
pub(crate) async fn page(reader: &Reader<'_>, id: &HomeId, visitor: Visitor<'_>, now: Time) -> Result<String, Problem> {
    let missing = || {
        let shown: String = id.as_str().chars().take(120).collect();
        Problem::missing(format!("No home has the ID {shown:?}."))
    };
    let home = reader.home(id).await?.filter(|home| home.may_be_shown_at(now)).ok_or_else(missing)?;
    let market = home.history.current().map(|facts| facts.market.clone()).ok_or_else(missing)?;
    let known = reader.markets().await?;
    let comparables = reader.comparables(std::slice::from_ref(&market), &known, now).await?;
    let view = HomeView::of(id.clone(), &home, comparables.first(), now).ok_or_else(missing)?.displayed(&home);
    let title = view.summary.words().unwrap_or(id.as_str()).to_owned();
    let steps = steps(&view, now);
    // Of the stay on the market only: before it, the home was somebody's who did not sell.
    let of_stay: Vec<Step> = match view.summary.opened_at {
        Some(opened) => steps.iter().filter(|step| step.to > opened).cloned().collect(),
        None => Vec::new(),
    };
    let meanwhile = match home.estimate_may_be_shown() && home.history_may_be_shown() {
        true => Meanwhile::of(reader, &known, &market, &of_stay, now).await?,
        false => None,
    };
    let others = reader.other_listings(id, &home, &known, now, &Allowance::of_answer()).await?;
    let others = others::draw(&others, id, visitor);
    let content = draw(&view, &title, steps, meanwhile.as_ref(), &others, now);
    Ok(layout::page(&Head { title: &title, room: Room::Elsewhere, now: Some(now), query: "" }, &content))
}

fn draw(
    view: &HomeView,
    title: &str,
    steps: Vec<Step>,
    meanwhile: Option<&Meanwhile>,
    others: &Markup,
    now: Time,
) -> Markup {
    let home = &view.summary;
    let market = &home.market;
    let price = |price: f64| stoop_show::amount(price.round(), home.currency);
    let mut around: Vec<&str> = areas_around(market.area.as_str()).collect();
    around.reverse();
    let beside = meanwhile.and_then(|it| it.of_price(&steps));
    let chart = StepChart { id: "price", title: "Asking price", steps, beside, format: &price };
    html! {
        div class="head" {
            nav aria-label="The areas it lies in" { ol class="trail" {
                li { a href="/" { "All" } }
                @for path in &around { li { a href=(text::area_href(path, market.purpose.as_str(), market.currency)) { (area_name(path)) } } }
            } }
            h1 { (title) }
            p {
                (home.status) " " (text::offer(market.purpose.as_str())) " · " (layout::as_of(now))
                @if let Some(url) = &home.url { " · " a href=(url) rel="noopener noreferrer nofollow" { "the listing" } }
            }
        }
        dl class="tiles" {
            (tile("Asking price", &stoop_show::or_unknown(home.asked.map(|price| stoop_show::money(price, home.currency))), html! {
                @match &home.last_change {
                    Some(change) => { (text::change(Some(change.share))) ", " (text::time(change.at, true)) }
                    None if view.has_history => "never changed",
                    None => "earlier prices are not shown here",
                }
            }))
            (tile("Against its kind", &home.versus_market.map_or_else(|| stoop_show::UNKNOWN.to_owned(), text::signed), html! {
                @match home.price_per_area {
                    None => "its living area is not known",
                    Some(per_area) => {
                        (stoop_show::price_per_area(per_area, home.currency, home.area_unit))
                        @if let Some(like) = &home.compared_with { ", against " (text::compared_with(like)) }
                    }
                }
            }))
            (tile("Days on the market", &stoop_show::or_unknown(home.days_on_market.map(|days| days.to_string())), html! {
                @if let Some(opened) = home.opened_at { "since " (stoop_show::date(opened)) }
                @if let Some(meanwhile) = meanwhile {
                    "; " (meanwhile.area) " " span title=(meanwhile.definition()) { (text::change(Some(meanwhile.change()))) } " since " (meanwhile.since())
                }
            }))
            (tile("Home", &facts(view), html! { (home.property_type.map_or("type not known", |kind| kind.words())) }))
        }
        section class="card" { (chart.draw()) }
        section class="card" {
            h2 { "The home" }
            dl class="facts" {
                @for (field, value) in home.fields.known() { div { dt { (definitions::words(field.name)) } dd { (home.fields.text(value)) } } }
            }
        }
        (others)
        (happened(view))
        (seen(view))
    }
}

/// The events, the newest first.
fn happened(view: &HomeView) -> Markup {
    html! {
        section class="card" {
            h2 { "What happened" }
            @if !view.has_history { p class="empty" { "The source does not let earlier prices and events be shown." } }
            @else {
            div class="scroll" tabindex="0" role="region" aria-label="What happened" {
                table {
                    thead { tr { th class="l" scope="col" { "What" } th class="l" scope="col" { "Price" } th scope="col" { "Change" } th class="l" scope="col" { "When" } th class="l" scope="col" { "Market" } } }
                    tbody { @for event in view.events.iter().rev() { (event_row(event)) } }
                }
            }
            }
        }
    }
}

/// The intervals, the newest first.
fn seen(view: &HomeView) -> Markup {
    html! {
        section class="card" {
            header { h2 { "As it was seen" } p class="note" { "times over which nothing changed" } }
            div class="scroll" tabindex="0" role="region" aria-label="As it was seen" {
                table {
                    thead { tr { th class="l" scope="col" { "First seen" } th class="l" scope="col" { "Last seen" } th class="l" scope="col" { "Status" } th scope="col" { "Price" } th scope="col" { "Change" } th class="l" scope="col" { "Doubt" } } }
                    tbody {
                        @for interval in view.intervals.iter().rev() {
                            tr {
                                td class="l" { (text::time(interval.first_seen, false)) } td class="l" { (text::time(interval.last_seen, false)) } td class="l" { (interval.status) }
                                td { (money(interval.asked, interval.currency)) } td { (text::change(interval.change)) } td class="l" { (interval.doubtful.unwrap_or_default()) }
                            }
                        }
                    }
                }
            }
            p class="note" { "ID " code { (view.summary.id) } }
        }
    }
}

fn tile(name: &str, value: &str, more: Markup) -> Markup {
    html! { div class="tile" { dt { (name) } dd class="value" { (value) } dd class="more" { (more) } } }
}

/// `3 beds, 1,225 sqft`.
fn facts(view: &HomeView) -> String {
    let home = &view.summary;
    let beds = home.bedrooms.map(|beds| if beds == 0 { "studio".to_owned() } else { text::plural(beds.into(), "bed") });
    let area = home.living_area.map(|area| stoop_show::area(area, home.area_unit));
    let facts: Vec<String> = beds.into_iter().chain(area).collect();
    if facts.is_empty() { stoop_show::UNKNOWN.to_owned() } else { facts.join(", ") }
}

/// The price over time. An interval reaches to the next one, or to `now`; prices on other terms than the home's own are left
/// out.
fn steps(view: &HomeView, now: Time) -> Vec<Step> {
    let mut steps = Vec::new();
    for (n, interval) in view.intervals.iter().enumerate() {
        let next = view.intervals.get(n + 1).map(|next| next.first_seen);
        let has_terms =
            (interval.market.purpose, interval.currency) == (view.summary.market.purpose, view.summary.currency);
        let is_on_offer = matches!(interval.status, "Active" | "ActiveUnderContract" | "Pending" | "ComingSoon");
        steps.push(Step {
            from: interval.first_seen,
            to: if is_on_offer { next.unwrap_or(now).max(interval.last_seen) } else { interval.last_seen },
            price: interval.price.filter(|_| has_terms && is_on_offer),
            words: interval.status.to_owned(),
        });
    }
    let first = steps.iter().position(|step| step.price.is_some()).unwrap_or_default();
    steps.split_off(first)
}

fn event_row(event: &HappenedView) -> Markup {
    let (currency, price_change) = (event.market.currency, event.event.change);
    html! {
        tr {
            th class="l" scope="row" { (definitions::words(event.kind)) }
            td class="l wrap" { @if let Some(change) = price_change { (stoop_show::money(change.from, currency)) " → " (stoop_show::money(change.to, currency)) } }
            td { @if event.change.is_some() { (text::change(event.change)) } }
            td class="l wrap" { (text::time(event.at, false)) }
            td class="l" { (event.market.area.name()) }
        }
    }
}

fn money(amount: Option<Minor>, currency: Currency) -> String {
    stoop_show::or_unknown(amount.map(|amount| stoop_show::money(amount, currency)))
}
