//! Alerts, the newest first, and why each was raised.

mod explained;

use maud::{Markup, html};
use stoop_domain::{Alert, Time};
use stoop_serve::{MergedId, Reader};

use crate::drops::{depth, held_back, words};
use crate::layout::{self, Head, Room};
use crate::problem::Problem;
use crate::query::Query;
use crate::{read, text};

pub(crate) use explained::{href, page as explained};

/// The most alerts that are searched.
const SEARCHED: usize = 20_000;
/// Alerts on a page.
const SHOWN: usize = 200;

/// The page at `now`.
pub(crate) async fn page(reader: &Reader<'_>, query: &Query, now: Time) -> Result<String, Problem> {
    let kind = query.word("kind", &["sent", "suspect", "withdrawn"])?.unwrap_or("sent");
    let suspects = kind == "suspect";
    let area = query.get("area");
    let least = query.number("drop")?;
    let found = match area {
        Some(area) => Some(read::find(reader, area).await?),
        None => None,
    };
    let alerts = reader.views.alerts(suspects, SEARCHED).await?;
    let is_asked = |alert: &&Alert| {
        let is_inside = found.as_ref().is_none_or(|found| {
            let has_terms = found.markets.iter().any(|market| MergedId::of(market) == MergedId::of(&alert.market));
            alert.market.area.lies_in(&found.path) && has_terms
        });
        let is_deep = least.is_none_or(|least| depth(alert) * 100.0 >= least);
        let is_of_kind = match alert.withdrawn {
            Some(_) => kind == "withdrawn",
            None => kind == if held_back(alert).is_some() { "suspect" } else { "sent" },
        };
        alert.at <= now && is_inside && is_deep && is_of_kind
    };
    let are_all = alerts.len() < SEARCHED;
    let alerts: Vec<&Alert> = alerts.iter().filter(is_asked).collect();
    let pages = alerts.len().div_ceil(SHOWN).max(1);
    let page = query.page()?.min(pages);
    let on_page: Vec<&Alert> = alerts.iter().copied().skip((page - 1) * SHOWN).take(SHOWN).collect();
    let content = html! {
        div class="head" {
            h1 { (match kind { "suspect" => "Suspect drops", "withdrawn" => "Withdrawn alerts", _ => "Price-drop alerts" }) }
            p { (layout::as_of(now)) }
        }
        form class="card switch" action="/alerts" {
            label { "Area " input name="area" value=(area.unwrap_or_default()) placeholder="anywhere" maxlength="200"; }
            label { "At least " input name="drop" value=(query.get("drop").unwrap_or_default()) inputmode="decimal" size="4" maxlength="8"; " %" }
            label { "Kind " select name="kind" {
                @for (value, words) in [("sent", "sent"), ("suspect", "held back as suspect"), ("withdrawn", "sent and withdrawn")] {
                    option value=(value) selected[kind == value] { (words) }
                }
            } }
            button type="submit" { "Show" }
        }
        section class="card" data-live {
            header {
                h2 { @if !are_all { "The newest " } (text::plural(alerts.len(), "alert")) }
                p class="note" {
                    "A drop is measured from the home's reference price: the highest one within 90 days, or that of its last alert."
                    @if kind == "withdrawn" { " These were sent before rows arrived that disprove them." }
                }
            }
            @if alerts.is_empty() { p class="empty" { "None." } }
            @else {
                (table(&on_page, kind))
                (pager(query, page, pages))
            }
        }
    };
    Ok(layout::page(&Head { title: "Alerts", room: Room::Alerts, now: Some(now), query: "" }, &content))
}

/// Alerts, one a row.
fn table(alerts: &[&Alert], kind: &str) -> Markup {
    let last = match kind {
        "suspect" => "Why it was held back",
        "withdrawn" => "Withdrawn",
        _ => "Rule",
    };
    html! {
        div class="scroll" tabindex="0" role="region" aria-label="Alerts" {
            table {
                thead { tr {
                    th class="l" scope="col" { "When" } th scope="col" { "Drop" } th scope="col" { "From" } th scope="col" { "To" }
                    th class="l" scope="col" { "Home" } th class="l" scope="col" { "For" } th class="l" scope="col" { "Area" } th class="l" scope="col" { (last) }
                } }
                tbody {
                    @for alert in alerts {
                        tr data-fresh=(alert.id) {
                            td class="l" { (text::time(alert.at, true)) }
                            td { a href=(href(&alert.id)) title="Why this alert was raised" { (text::change(Some(-depth(alert)))) } }
                            td { (stoop_show::money(alert.from, alert.market.currency)) }
                            td { (stoop_show::money(alert.to, alert.market.currency)) }
                            td class="words" { a href=(text::home_href(&alert.home)) { (words(alert)) } }
                            td class="l" { (alert.market.purpose.as_str()) }
                            td class="l" { a href=(text::area_href(alert.market.area.as_str(), alert.market.purpose.as_str(), alert.market.currency)) { (alert.market.area.name()) } }
                            td class="words" {
                                @match alert.withdrawn {
                                    Some(at) => (text::time(at, true)),
                                    None => (held_back(alert).unwrap_or(&alert.rule)),
                                }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// Links to the pages before and after.
fn pager(query: &Query, page: usize, pages: usize) -> Markup {
    let href = |page: usize| {
        let mut address = url::form_urlencoded::Serializer::new(String::new());
        for name in ["area", "drop", "kind"] {
            if let Some(value) = query.get(name) {
                address.append_pair(name, value);
            }
        }
        format!("/alerts?{}", address.append_pair("page", &page.to_string()).finish())
    };
    html! {
        @if pages > 1 {
            nav aria-label="Pages of alerts" {
                ul class="switch" {
                    @if page > 1 { li { a href=(href(page - 1)) rel="prev" { "Newer" } } }
                    li { "Page " (page) " of " (pages) }
                    @if page < pages { li { a href=(href(page + 1)) rel="next" { "Older" } } }
                }
            }
        }
    }
}
