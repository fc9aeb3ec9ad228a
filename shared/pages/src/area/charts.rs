//! What moved, day by day.

use maud::{Markup, html};
use stoop_domain::ReferenceUnit;
use stoop_serve::{DayView, MarketView};

use super::{AreaPage, asking};
use crate::chart::{BarSeries, Bars, LineChart, Series};
use crate::text;

pub(super) fn charts(shown: &AreaPage<'_>) -> Markup {
    let market = shown.market;
    let days: Vec<&str> = market.days.iter().map(|day| day.day.as_str()).collect();
    let download = format!(
        "/areas/{}/days.csv?for={}&currency={}&days={}",
        text::encoded(&shown.found.path),
        market.purpose,
        market.currency,
        shown.days
    );
    html! {
        (of_prices(market, &days, &download))
        (asking::section(shown))
        (of_homes(market, &days, &download))
    }
}

/// What is asked.
fn of_prices(market: &MarketView, days: &[&str], download: &str) -> Markup {
    let prices = |of: fn(&DayView) -> Option<f64>| market.days.iter().map(of).collect::<Vec<_>>();
    let price = |value: f64| stoop_show::price(value, market.currency);
    let tick = |value: f64| stoop_show::amount(value, market.currency);
    let median = LineChart {
        id: "prices",
        title: "Median list price",
        days: days.to_vec(),
        series: vec![
            Series { band: chance(market), ..line("Of the day", 4, true, prices(|day| day.median_price)) },
            line("7 days", 1, false, prices(|day| day.median_price_7_days)),
            line("28 days", 2, false, prices(|day| day.median_price_28_days)),
            line("91 days", 3, false, prices(|day| day.median_price_91_days)),
        ],
        from_zero: false,
        least_step: 0.0,
        format: &price,
        tick: Some(&tick),
        download: Some(download.to_owned()),
    };
    let index = |value: f64| format!("{value:.1}");
    let price_index = LineChart {
        id: "index",
        title: "Price index at a constant mix of types and bedrooms",
        days: days.to_vec(),
        series: vec![line("Index, 100 on the first day", 1, false, prices(|day| day.price_index))],
        from_zero: false,
        least_step: 0.0,
        format: &index,
        tick: None,
        download: Some(download.to_owned()),
    };
    html! {
        section class="card" { (price_index.draw()) }
        section class="card" {
            (median.draw())
            p class="note" { "The band is the reach of chance in 19 of 20 cases. A median also moves with what is on offer; the index does not." }
        }
        (beside_reference(market, days))
    }
}

/// Where the median of each day may lie.
fn chance(market: &MarketView) -> Vec<Option<(f64, f64)>> {
    let of = |day: &DayView| day.median_price_interval.map(|interval| (interval.low, interval.high));
    market.days.iter().map(of).collect()
}

/// The median beside reference series in its currency.
fn beside_reference(market: &MarketView, days: &[&str]) -> Markup {
    let is_money = |unit: ReferenceUnit| unit == ReferenceUnit::Money(market.currency);
    let comparable: Vec<&str> =
        market.reference.iter().filter(|series| is_money(series.unit)).map(|series| series.name.as_str()).collect();
    let price = |value: f64| stoop_show::price(value, market.currency);
    let tick = |value: f64| stoop_show::amount(value, market.currency);
    let own = line("Median list price", 1, false, market.days.iter().map(|day| day.median_price).collect());
    let others = comparable.iter().take(3).zip(2..).map(|(name, class)| {
        line(name, class, false, market.days.iter().map(|day| day.reference.get(*name).copied()).collect())
    });
    let chart = LineChart {
        id: "reference",
        title: "Beside reference series",
        days: days.to_vec(),
        series: std::iter::once(own).chain(others).collect(),
        from_zero: false,
        least_step: 0.0,
        format: &price,
        tick: Some(&tick),
        download: None,
    };
    html! { @if !comparable.is_empty() && market.purpose == "sale" { section class="card" { (chart.draw()) } } }
}

/// How many homes are on offer, come, go, and change their price.
fn of_homes(market: &MarketView, days: &[&str], download: &str) -> Markup {
    let counts = |of: fn(&DayView) -> i64| market.days.iter().map(of).collect::<Vec<_>>();
    #[expect(clippy::cast_precision_loss, reason = "numbers of homes")]
    let homes = |of: fn(&DayView) -> i64| market.days.iter().map(|day| Some(of(day) as f64)).collect::<Vec<_>>();
    let whole = |value: f64| format!("{value:.0}");
    let inventory = LineChart {
        id: "inventory",
        title: "Homes on offer",
        days: days.to_vec(),
        series: vec![
            line("Active", 1, false, homes(|day| day.active)),
            line("Of these unconfirmed", 2, false, homes(|day| day.unconfirmed)),
        ],
        from_zero: true,
        least_step: 1.0,
        format: &whole,
        tick: None,
        download: Some(download.to_owned()),
    };
    let bars = |id, title, stacks| Bars { id, title, days: days.to_vec(), stacks, download: Some(download.to_owned()) };
    let flows = vec![
        stack("new", 1, false, counts(|day| day.flows.new)),
        stack("back", 3, false, counts(|day| day.flows.back_on_market + day.flows.relisted)),
        stack("under contract", 2, true, counts(|day| day.flows.pending)),
        stack("off the market", 4, true, counts(|day| day.flows.gone + day.flows.closed + day.flows.expired)),
    ];
    let changes = vec![
        stack("rises", 1, false, counts(|day| day.flows.price_rises)),
        stack("cuts", 2, true, counts(|day| day.flows.price_cuts)),
    ];
    html! {
        section class="card" { (inventory.draw()) }
        section class="card" { (bars("flows", "What came and went", flows).draw()) }
        section class="card" { (bars("cuts", "Price changes", changes).draw()) }
    }
}

fn line<'a>(name: &'a str, class: u8, is_faint: bool, values: Vec<Option<f64>>) -> Series<'a> {
    Series { name, class, is_faint, values, band: Vec::new() }
}

fn stack<'a>(name: &'a str, class: u8, is_down: bool, counts: Vec<i64>) -> BarSeries<'a> {
    BarSeries { name, class, is_down, counts }
}
