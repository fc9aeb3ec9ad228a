//! Areas side by side.

use maud::{Markup, html};
use stoop_domain::{Purpose, Time};
use stoop_market::Window;
use stoop_serve::{
    Allowance, AreaRequest, Breakdown, ChangeView, ComparedChange, ComparedFigure, ComparedValue, Comparing,
    Comparison, ConfidenceInterval, MarketView, Reader, figure_text, market_for,
};

use crate::chart::{LineChart, Series};
use crate::definitions;
use crate::layout::{self, Head, Room};
use crate::problem::Problem;
use crate::query::Query;
use crate::{read, text};

/// One colour for each.
const AREAS_MAX: usize = 4;
const DAYS: u16 = 90;
/// The window of figures that have windows.
const WINDOW: Window = Window::Days28;

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
    let purpose = query.purpose()?.unwrap_or(Purpose::Sale);
    let by = query.word("by", &Breakdown::ALL.map(Breakdown::as_str))?;
    let by = Breakdown::ALL.into_iter().find(|part| Some(part.as_str()) == by);
    let mut markets: Vec<(String, MarketView)> = Vec::new();
    let mut allowance = Allowance::of_answer();
    for area in &asked {
        let found = read::find(reader, area).await?;
        let view = reader.area(&found, AreaRequest::at(now, query.days(DAYS)?), &mut allowance).await?;
        let market = market_for(view, purpose).map_err(|error| Problem::missing(error.to_string()))?;
        markets.push((found.name, market));
    }
    let content = html! {
        div class="head" { h1 { "Compare areas" } p { (layout::as_of(now)) } }
        form class="card switch" action="/compare" {
            @for n in 0..AREAS_MAX {
                label { span class="hidden" { "Area " (n + 1) } input name="area" value=(asked.get(n).copied().unwrap_or_default()) placeholder=(if n < 2 { "an area" } else { "one more" }) maxlength="200"; }
            }
            label { "Homes " select name="for" { option value="sale" selected[purpose == Purpose::Sale] { "for sale" } option value="rent" selected[purpose == Purpose::Rent] { "for rent" } } }
            label { "By " select name="by" { option value="" { "area" } @for part in Breakdown::ALL { option value=(part.as_str()) selected[by == Some(part)] { (part.as_str()) } } } }
            button type="submit" { "Compare" }
        }
        @if markets.is_empty() { p class="empty" { "Name two to four areas as you would write them: 60601, chicago, king county, us/tx." } }
        @else { (prices(&markets)) (table(&markets, by)) }
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
    let tick = |value: f64| stoop_show::amount(value, currency);
    let series = markets.iter().zip(1..).map(|((name, market), class)| {
        let on = |day: &&str| market.days.iter().find(|it| it.day == **day).and_then(|it| it.median_price_7_days);
        Series { name, class, is_faint: false, values: days.iter().map(on).collect(), band: Vec::new() }
    });
    let chart = LineChart {
        id: "prices",
        title: "Median list price, 7 days",
        series: series.collect(),
        days: days.clone(),
        from_zero: false,
        least_step: 0.0,
        format: &price,
        tick: Some(&tick),
        download: None,
    };
    html! { section class="card" { (chart.draw()) } }
}

fn table(markets: &[(String, MarketView)], by: Option<Breakdown>) -> Markup {
    let views: Vec<MarketView> = markets.iter().map(|(_, market)| market.clone()).collect();
    let Comparison { figures, changes } = Comparing { figures: Vec::new(), window: WINDOW, by }.compare(&views);
    let heads = html! {
        @for (name, market) in markets { th scope="col" { a href=(text::area_href(&market.path, market.purpose, market.currency)) { (name) } } }
    };
    html! {
        section class="card" {
            h2 { @match by { None => "Figures", Some(part) => { "Figures by " (part.as_str()) } } }
            div class="scroll" tabindex="0" role="region" aria-label="Figures side by side" {
                table {
                    thead { tr { th class="l" scope="col" { "Figure" } (heads) } }
                    tbody {
                        @for row in &figures {
                            tr {
                                th class="l" scope="row" { (name(row)) }
                                @for (value, (_, market)) in row.values.iter().zip(markets) { (cell(row, *value, market)) }
                            }
                        }
                        @for row in &changes {
                            (change(&format!("Active, change in {} d", row.days), row, |it| (it.active_change, None)))
                            (change(&format!("Prices at the same mix, change in {} d", row.days), row, |it| (it.mix_adjusted_change, it.mix_adjusted_change_interval)))
                            (change(&format!("Median price, change in {} d", row.days), row, |it| (it.median_price_change, it.median_price_change_interval)))
                        }
                    }
                }
            }
            p class="note" { span class="thin" { "Italic" } ": the sample is too small to say much. " span class="noise" { "Grey" } ": no clear change, chance may have made it. ± is the reach of chance in 19 of 20 cases." }
        }
    }
}

fn name(row: &ComparedFigure) -> Markup {
    let definition = row.figure.definition();
    let title = definitions::words(definition.name);
    html! {
        (text::defined(definition.name, &title))
        @if row.figure.window().is_some() { ", " (WINDOW.span()) " d" }
        @if let Some(part) = row.part { ", " (part.words()) }
    }
}

fn cell(row: &ComparedFigure, value: ComparedValue, market: &MarketView) -> Markup {
    let shown = value.value.map(|known| figure_text(row.figure.definition(), known, market.currency, market.area_unit));
    let sample = value.sample.map(|sample| format!("sample: {}", stoop_show::whole(sample)));
    html! { td class=[value.thin.then_some("thin")] title=[sample] { (stoop_show::or_unknown(shown)) } }
}

/// A change and its confidence interval.
type Change = (Option<f64>, Option<ConfidenceInterval>);

fn change(title: &str, row: &ComparedChange, of: fn(&ChangeView) -> Change) -> Markup {
    html! {
        @if row.values.iter().flatten().any(|change| of(change).0.is_some()) {
            tr {
                th class="l" scope="row" { (title) }
                @for change in &row.values {
                    @let (share, interval) = change.as_ref().map(of).unwrap_or_default();
                    td class=[change.as_ref().is_none_or(|change| change.thin).then_some("thin")] { (text::noisy_change(share, interval)) (text::margin(interval)) }
                }
            }
        }
    }
}
