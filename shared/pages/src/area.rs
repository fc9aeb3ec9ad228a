//! One area: its figures, how they moved, its parts, its levels, and its homes.

mod asking;
mod charts;
mod homes;
mod tables;

use std::collections::BTreeSet;

use maud::{Markup, html};
use stoop_domain::Time;
use stoop_pipeline::ports::PortError;
use stoop_serve::{
    Allowance, AreaRequest, ChangeView, ConfidenceInterval, FoundArea, MarketView, MergedId, Reader, YieldView,
    area_csv, area_name, areas_around,
};

use crate::definitions;
use crate::layout::{self, Head, Room};
use crate::overview::unusual_rule;
use crate::problem::Problem;
use crate::query::Query;
use crate::{read, text};

const DAYS: u16 = 90;
/// Choices for the length of the charts.
const SPANS: [(u16, &str); 3] = [(30, "30 days"), (90, "90 days"), (365, "1 year")];
/// The most areas below that are listed.
const BELOW_MAX: usize = 60;

/// What the page shows.
struct AreaPage<'a> {
    found: &'a FoundArea,
    market: &'a MarketView,
    /// The other purposes and currencies.
    markets: &'a [MarketView],
    yields: Vec<&'a YieldView>,
    days: u16,
    as_of: Time,
    now: Time,
}

/// The page of an area with its figures at `as_of`, and its homes if that is `now`.
pub(crate) async fn page(
    reader: &Reader<'_>,
    area: &str,
    query: &Query,
    as_of: Time,
    now: Time,
) -> Result<String, Problem> {
    let found = find(reader, area).await?;
    let days = query.days(DAYS)?;
    let mut allowance = Allowance::of_answer();
    let mut view = reader.area(&found, AreaRequest::at(as_of, days), &mut allowance).await?;
    let missing = || Problem::missing(format!("{} has no homes on these terms.", found.name));
    let id = chosen(&view.markets, query)?.map(|market| market.id.clone()).ok_or_else(missing)?;
    for market in view.markets.iter_mut().filter(|market| market.id == id) {
        reader.add_reference(market).await?;
    }
    let market = chosen(&view.markets, query)?.ok_or_else(missing)?;
    let all = reader.markets().await?;
    let yields = match market.purpose {
        "sale" => reader.yields(&found.path, &all, as_of, &mut allowance).await?,
        _ => Vec::new(),
    };
    let of_currency = |kind: &&YieldView| kind.currency == market.currency && market.purpose == "sale";
    let yields: Vec<&YieldView> = yields.iter().filter(of_currency).collect();
    let shown = AreaPage { found: &found, market, markets: &view.markets, yields, days, as_of, now };
    let homes =
        if shown.is_past() { homes::not_of_the_past() } else { homes::section(reader, &shown, &all, query).await? };
    let content = shown.draw(&homes);
    let title = format!("{} {}", found.name, text::offer(market.purpose));
    Ok(layout::page(&Head { title: &title, room: Room::Elsewhere, now: Some(as_of), query: "" }, &content))
}

/// The closes of an area as CSV.
pub(crate) async fn days(reader: &Reader<'_>, area: &str, query: &Query, now: Time) -> Result<String, Problem> {
    let found = find(reader, area).await?;
    let request = AreaRequest::at(now, query.days(DAYS)?);
    let view = reader.area(&found, request, &mut Allowance::of_answer()).await?;
    let market = chosen(&view.markets, query)?;
    let market = market.ok_or_else(|| Problem::missing(format!("{} has no homes on these terms.", found.name)))?;
    let unwritable =
        |error: Box<dyn std::error::Error + Send + Sync>| PortError::refused("write the days as CSV", error);
    let csv = area_csv(std::slice::from_ref(market)).map_err(|error| unwritable(error.into()))?;
    Ok(csv.text().map_err(|error| unwritable(error.into()))?)
}

/// A path from a link, or what a person wrote.
async fn find(reader: &Reader<'_>, area: &str) -> Result<FoundArea, Problem> {
    let query = if area.contains('/') { area.to_owned() } else { format!("{area}/") };
    match read::find(reader, &query).await {
        Ok(found) => Ok(found),
        Err(_) => read::find(reader, area).await,
    }
}

/// The market on the asked terms: by default the one with the most homes for sale.
fn chosen<'a>(markets: &'a [MarketView], query: &Query) -> Result<Option<&'a MarketView>, Problem> {
    let (purpose, currency) = (query.purpose()?, query.currency()?);
    let asked = markets.iter().filter(|market| {
        purpose.is_none_or(|purpose| purpose.as_str() == market.purpose)
            && currency.is_none_or(|currency| currency == market.currency)
    });
    Ok(asked.max_by_key(|market| (market.purpose == "sale", market.figures.active, std::cmp::Reverse(&market.id))))
}

impl AreaPage<'_> {
    fn draw(&self, homes: &Markup) -> Markup {
        let market = self.market;
        html! {
            div class="head" {
                (self.trail())
                h1 { (self.found.name) " " (text::offer(market.purpose)) }
                p { (layout::as_of(self.as_of)) " · " (market.zone) @if let Some(since) = &market.watched_since { " · watched since " (since) } (self.flags()) }
                (self.switch())
            }
            (self.tiles())
            @if !market.comparisons.is_empty() {
                section class="card" {
                    h2 { "Unusual for this area" }
                    @if market.unusual.is_empty() { p class="empty" { "Nothing unusual this week." } }
                    ul class="plain" { @for unusual in &market.unusual { li { span { (definitions::words(&text::minus(&unusual.sentence()))) } span {} } } }
                    p class="note" { (unusual_rule(market.comparisons.len())) }
                }
            }
            div class="row two" { (charts::charts(self)) (tables::tables(self)) }
            (tables::yields(self))
            (homes)
            (self.below())
        }
    }

    /// The areas around this one.
    fn trail(&self) -> Markup {
        let mut around: Vec<&str> = areas_around(&self.found.path).skip(1).collect();
        around.reverse();
        html! {
            nav aria-label="Areas around this one" {
                ol class="trail" {
                    li { a href="/" { "All" } }
                    @for path in around { li { a href=(text::area_href(path, self.market.purpose, self.market.currency)) { (area_name(path)) } } }
                }
            }
        }
    }

    fn flags(&self) -> Markup {
        html! {
            @if self.market.figures.thin { " " span class="flag" { "few homes" } }
            @if !self.market.warming_up.is_empty() { " " span class="flag" title="Windows that begin before the market was fully known" { "warming up" } }
            @if self.market.figures.unconfirmed > 0 { " " span class="flag" { (stoop_show::whole(self.market.figures.unconfirmed)) " unconfirmed" } }
        }
    }

    /// The other terms, and other spans of the charts.
    fn switch(&self) -> Markup {
        let then = if self.is_past() { format!("&as_of={}", self.as_of) } else { String::new() };
        let href = |market: &MarketView, days: u16| {
            format!("{}&days={days}{then}", text::area_href(&self.found.path, market.purpose, market.currency))
        };
        html! {
            ul class="switch" {
                @if self.markets.len() > 1 {
                    @for market in self.markets {
                        li { a href=(href(market, self.days)) aria-current=[(market.id == self.market.id).then_some("page")] { (text::offer(market.purpose)) " · " (market.currency) } }
                    }
                }
                @for (days, name) in SPANS {
                    li { a href=(href(self.market, days)) aria-current=[(days == self.days).then_some("true")] { (name) } }
                }
                li { a href=(format!("/compare?area={}", text::encoded(&self.found.path).replace('/', "%2F"))) { "Compare" } }
                @if self.is_past() { li { a href=(text::area_href(&self.found.path, self.market.purpose, self.market.currency)) { "Back to now" } } }
                li { form class="switch" action=(format!("/areas/{}", text::encoded(&self.found.path))) {
                    input type="hidden" name="for" value=(self.market.purpose);
                    input type="hidden" name="currency" value=(self.market.currency);
                    input type="hidden" name="days" value=(self.days);
                    label { "As of midnight UTC on " input type="date" name="as_of" max=(stoop_show::date(self.now)) value=[self.is_past().then(|| stoop_show::date(self.as_of))]; }
                    button type="submit" { "Go" }
                } }
            }
        }
    }

    fn is_past(&self) -> bool {
        self.as_of != self.now
    }

    fn tiles(&self) -> Markup {
        let (market, figures) = (self.market, &self.market.figures);
        let change = market.changes.iter().find(|change| change.days == 28);
        let window = |name: &str| figures.last_28_days.values.get(name);
        let whole = self.yields.iter().find(|kind| kind.matched_share.is_some());
        html! {
            dl class="tiles" {
                div class="tile" {
                    dt { (text::defined("median_price", "Median price")) }
                    dd class=(if figures.thin { "value thin" } else { "value" }) { (text::price(figures.median_price, market.currency)) }
                    dd class="more" { (text::between(figures.intervals.get("median_price").copied(), |price| stoop_show::price(price, market.currency))) " (" (text::plural(usize::try_from(figures.priced).unwrap_or_default(), "home")) ")" }
                }
                div class="tile" {
                    dt { a href="/definitions#mix_adjusted_change" { "Prices in 28 days" } }
                    dd class="value" { @match change { Some(it) => { (text::noisy_change(it.mix_adjusted_change, it.mix_adjusted_change_interval)) }, None => (stoop_show::UNKNOWN) } }
                    dd class="more" { @match change { Some(it) => { (price_change(it)) }, None => "a change needs 28 observed days" } }
                }
                div class="tile" {
                    dt { (text::defined("active", "Homes on offer")) }
                    dd class="value" { (stoop_show::whole(figures.active)) }
                    dd class="more" { @match change { Some(it) => { (text::change(it.active_change)) " in 28 days" }, None => "no change known yet" } }
                }
                div class="tile" {
                    dt { (text::defined("months_of_supply", "Months of supply")) }
                    dd class="value" { (stoop_show::or_unknown(window("months_of_supply").map(|months| format!("{months:.1}")))) }
                    dd class="more" { (stoop_show::whole(figures.last_28_days.flows.pending)) " under contract, " (stoop_show::whole(figures.last_28_days.flows.new)) " new in 28 days" }
                }
                div class="tile" {
                    dt { (text::defined("cut_share", "Ask less than at first")) }
                    dd class="value" { (text::percent(figures.cut_share)) }
                    dd class="more" { (text::plural(usize::try_from(figures.cut).unwrap_or_default(), "home")) ", " (text::percent(figures.median_cut)) " less (median)" }
                }
                div class="tile" {
                    dt { (text::defined("median_days_to_pending", "Days to contract")) }
                    dd class="value" { (stoop_show::or_unknown(figures.values.get("median_days_to_pending").map(|days| format!("{days:.0}")))) }
                    dd class="more" { (text::percent(figures.values.get("pending_within_14_days"))) " within 14 days" }
                }
                @if market.purpose == "sale" {
                    div class="tile" {
                        dt { a href="/definitions#gross_yield" { "Gross yield" } }
                        dd class="value" { (text::percent(whole.map(|kind| kind.gross_yield))) }
                        dd class="more" { @match whole {
                            Some(kind) => { (text::between(Some(kind.gross_yield_interval), stoop_show::percent)) ": " (text::levels(&kind.levels)) },
                            None => "too few rents like its homes, here and in the county",
                        } }
                    }
                } @else {
                    div class="tile" {
                        dt { (text::defined("median_price_per_area", "Rent by area")) }
                        dd class="value" { (stoop_show::or_unknown(figures.median_price_per_area.map(|price| stoop_show::price_per_area(price, market.currency, market.area_unit)))) }
                        dd class="more" { "a month, median of " (figures.priced_per_area) " homes" }
                    }
                }
            }
        }
    }

    /// The areas one level below.
    fn below(&self) -> Markup {
        let depth = self.found.path.split('/').count() + 1;
        let terms = |market: &&stoop_domain::Market| {
            let id = MergedId::of(market);
            id.purpose.as_str() == self.market.purpose && id.currency == self.market.currency
        };
        let below: BTreeSet<String> = self
            .found
            .markets
            .iter()
            .filter(terms)
            .map(|market| market.area.as_str().split('/').take(depth).collect::<Vec<_>>().join("/"))
            .filter(|path| *path != self.found.path && path.split('/').count() == depth)
            .collect();
        html! {
            @if below.len() > 1 {
                section class="card" {
                    h2 { "Areas within" }
                    ul class="switch" {
                        @for path in below.iter().take(BELOW_MAX) {
                            li { a href=(text::area_href(path, self.market.purpose, self.market.currency)) { (below_name(path)) } }
                        }
                        @if below.len() > BELOW_MAX { li { "and " (below.len() - BELOW_MAX) " more" } }
                    }
                }
            }
        }
    }
}

fn below_name(path: &str) -> String {
    if path.ends_with("/-") { "unknown".to_owned() } else { area_name(path) }
}

/// What a change of prices is, in words.
fn price_change(change: &ChangeView) -> String {
    let clear = |interval: ConfidenceInterval| if interval.contains(0.0) { "no clear change, " } else { "" };
    match (change.mix_adjusted_change_interval, change.median_price_change) {
        (Some(interval), _) => {
            format!("at the same mix of homes; {}{}", clear(interval), text::reach(interval))
        }
        (None, Some(median)) => {
            format!("not known at the same mix; the median, which moves with the mix, {}", text::signed(median))
        }
        (None, None) => "not known at the same mix of homes".to_owned(),
    }
}
