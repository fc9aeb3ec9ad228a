//! Areas side by side.

use maud::{Markup, html};
use stoop_domain::Time;
use stoop_market::Window;
use stoop_pipeline::serve::{Figure, MarketView};

use crate::chart::{LineChart, Series};
use crate::definitions;
use crate::layout::{self, Head, Room};
use crate::problem::Problem;
use crate::query::Query;
use crate::read::Reader;
use crate::text;

/// One colour for each.
const AREAS_MAX: usize = 4;
const DAYS: u16 = 90;
/// The figures, and the window of those that have one.
const FIGURES: [&str; 14] = [
    "active",
    "median_price",
    "median_price_per_area",
    "median_age_days",
    "cut_share",
    "median_cut",
    "new",
    "median_new_price",
    "homes_cut_share",
    "median_days_to_pending",
    "pending_within_14_days",
    "pending_ratio",
    "months_of_supply",
    "median_sale_price",
];

/// The page at `now`.
pub(crate) async fn page(reader: &Reader<'_>, query: &Query, now: Time) -> Result<String, Problem> {
    let asked: Vec<&str> =
        query.all("area").flat_map(|areas| areas.split(';')).map(str::trim).filter(|it| !it.is_empty()).collect();
    if asked.len() > AREAS_MAX {
        return Err(Problem::asked(format!(
            "{} areas are too many to compare. Accepted: up to {AREAS_MAX}.",
            asked.len()
        )));
    }
    let purpose = query.purpose()?.map_or("sale", |purpose| purpose.as_str());
    let mut markets: Vec<(String, MarketView)> = Vec::new();
    for area in &asked {
        let found = reader.find(area).await?;
        let view = reader.area(&found, now, query.days(DAYS)?).await?;
        let market = view
            .markets
            .into_iter()
            .filter(|market| market.purpose == purpose)
            .max_by_key(|market| market.figures.active);
        let market =
            market.ok_or_else(|| Problem::missing(format!("{} has no homes {}.", found.name, text::offer(purpose))))?;
        markets.push((found.name, market));
    }
    let content = html! {
        div class="head" { h1 { "Compare areas" } p { (layout::as_of(now)) } }
        form class="card switch" action="/compare" {
            @for n in 0..AREAS_MAX {
                label { span class="hidden" { "Area " (n + 1) } input name="area" value=(asked.get(n).copied().unwrap_or_default()) placeholder=(if n < 2 { "an area" } else { "one more" }) maxlength="200"; }
            }
            label { "Homes " select name="for" { option value="sale" selected[purpose == "sale"] { "for sale" } option value="rent" selected[purpose == "rent"] { "for rent" } } }
            button type="submit" { "Compare" }
        }
        @if markets.is_empty() { p class="empty" { "Name two to four areas as you would write them: 60601, chicago, king county, us/tx." } }
        @else { (prices(&markets)) (table(&markets)) }
    };
    Ok(layout::page(&Head { title: "Compare", room: Room::Compare, now: Some(now), query: "" }, &content))
}

/// The median prices over time, if the currencies are equal: amounts in several are not comparable.
fn prices(markets: &[(String, MarketView)]) -> Markup {
    let currency = markets[0].1.currency;
    if markets.iter().any(|(_, market)| market.currency != currency) {
        return html! { p class="note" { "These areas have prices in several currencies, which do not compare." } };
    }
    let longest = markets.iter().map(|(_, market)| &market.days).max_by_key(|days| days.len());
    let days: Vec<&str> = longest.into_iter().flatten().map(|day| day.day.as_str()).collect();
    let price = |value: f64| stoop_show::price(value, currency);
    let series = markets.iter().zip(1..).map(|((name, market), class)| {
        let on = |day: &&str| market.days.iter().find(|it| it.day == **day).and_then(|it| it.median_price_7_days);
        Series { name, class, is_faint: false, values: days.iter().map(|day| on(&day)).collect() }
    });
    let chart = LineChart {
        id: "prices",
        title: "Median list price, 7 days",
        series: series.collect(),
        days: days.clone(),
        from_zero: false,
        least_step: 0.0,
        format: &price,
        download: None,
    };
    html! { section class="card" { (chart.draw()) } }
}

fn table(markets: &[(String, MarketView)]) -> Markup {
    let figures = FIGURES.iter().filter_map(|name| {
        Figure::all()
            .find(|it| it.definition().name == *name && it.window().is_none_or(|window| window == Window::Days28))
    });
    html! {
        section class="card" {
            h2 { "Figures" }
            div class="scroll" tabindex="0" role="region" aria-label="Figures side by side" {
                table {
                    thead { tr {
                        th class="l" scope="col" { "Figure" }
                        @for (name, market) in markets { th scope="col" { a href=(text::area_href(&market.path, market.purpose, market.currency)) { (name) } } }
                    } }
                    tbody {
                        @for figure in figures {
                            tr {
                                th class="l" scope="row" { (text::defined(figure.definition().name, &definitions::words(figure.definition().name))) @if figure.window().is_some() { ", 28 d" } }
                                @for (_, market) in markets { td class=[market.figures.thin.then_some("thin")] { (value(figure, market)) } }
                            }
                        }
                        @for days in [7, 28, 91, 365] {
                            @let change = |market: &MarketView| market.changes.iter().find(|change| change.days == days).and_then(|change| change.median_price_change);
                            @if markets.iter().any(|(_, market)| change(market).is_some()) {
                                tr { th class="l" scope="row" { "Median price, change in " (days) " d" } @for (_, market) in markets { td { (text::change(change(market))) } } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A figure in its unit.
fn value(figure: Figure, market: &MarketView) -> String {
    use stoop_market::Unit;
    let Ok(Some(value)) = figure.of(&market.figures) else { return stoop_show::UNKNOWN.to_owned() };
    match figure.definition().unit {
        Unit::Homes | Unit::Events => format!("{value:.0}"),
        Unit::Money => stoop_show::price(value, market.currency),
        Unit::MoneyPerArea => stoop_show::price_per_area(value, market.currency, market.area_unit),
        Unit::Days => format!("{value:.0} d"),
        Unit::Months => format!("{value:.1} months"),
        Unit::Share => stoop_show::percent(value),
    }
}
