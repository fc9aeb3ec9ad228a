//! Supply against demand, and cuts.

use super::{BUCKET, Definition, EXACT, FigureValue, Group, Interval, Unit, count, points, share, whole};
use crate::figures::THIN_SAMPLE;
use crate::measures::{Measures, WindowSums};

pub(super) const FIGURES: &[Definition] = &[
    Definition {
        name: "pending_stock",
        group: Group::Pressure,
        unit: Unit::Homes,
        meaning: "Homes under contract at the end of the day.",
        formula: "homes with a pending status",
        fields: &[],
        sample: None,
        resolution: EXACT,
        interval: Interval::None,
        follows: "Realtor.com's pending listing count, of one day.",
        example: 1.0,
        value: FigureValue::Moment(|sums| count(sums.pending)),
    },
    Definition {
        name: "pending_ratio",
        group: Group::Pressure,
        unit: Unit::Share,
        meaning: "Homes under contract per active home.",
        formula: "pending_stock / active",
        fields: &[],
        sample: Some(("active", THIN_SAMPLE)),
        resolution: EXACT,
        interval: Interval::None,
        follows: "Realtor.com's pending ratio, of one day.",
        example: 0.2,
        value: FigureValue::Moment(|sums| share(sums.pending, sums.stock.active())),
    },
    Definition {
        name: "months_of_supply",
        group: Group::Pressure,
        unit: Unit::Months,
        meaning: "How long the active homes would last at the window's rate of sales.",
        formula: "active / (sold per 30.4375 days)",
        fields: &[],
        sample: Some(("sold", THIN_SAMPLE)),
        resolution: EXACT,
        interval: Interval::None,
        follows: "Redfin's months of supply, with a window instead of the calendar month.",
        example: 2.299_8,
        value: FigureValue::Window(|sums, window| months(window, sums.stock.active(), window.flows.sold)),
    },
    Definition {
        name: "months_to_contract",
        group: Group::Pressure,
        unit: Unit::Months,
        meaning: "How long the active homes would last at the window's rate of contracts and direct sales; for markets whose portals show no sales.",
        formula: "active / ((pending + closed) per 30.4375 days)",
        fields: &[],
        sample: Some(("pending", THIN_SAMPLE)),
        resolution: EXACT,
        interval: Interval::None,
        follows: "",
        example: 1.149_9,
        value: FigureValue::Window(|sums, window| {
            months(window, sums.stock.active(), window.flows.pending + window.flows.closed)
        }),
    },
    Definition {
        name: "absorption_rate",
        group: Group::Pressure,
        unit: Unit::Share,
        meaning: "Contracts and direct sales in a month per active home.",
        formula: "1 / months_to_contract",
        fields: &[],
        sample: Some(("active", THIN_SAMPLE)),
        resolution: EXACT,
        interval: Interval::None,
        follows: "",
        example: 0.869_6,
        value: FigureValue::Window(absorption),
    },
    Definition {
        name: "new_priced",
        group: Group::Pressure,
        unit: Unit::Homes,
        meaning: "New homes with a list price when they entered.",
        formula: "count",
        fields: &["ListPrice"],
        sample: None,
        resolution: EXACT,
        interval: Interval::None,
        follows: "",
        example: 4.0,
        value: FigureValue::Window(|_, window| count(window.asked.count())),
    },
    Definition {
        name: "median_new_price",
        group: Group::Pressure,
        unit: Unit::Money,
        meaning: "Median list price of new homes when they entered, later changes left out; beside median_price it shows where sellers move.",
        formula: "quantile 0.5 of ListPrice on entry",
        fields: &["ListPrice"],
        sample: Some(("new_priced", THIN_SAMPLE)),
        resolution: BUCKET,
        interval: Interval::Order(|_, window| window.asked.interval(0.5)),
        follows: "Redfin's median list price counts the same homes by their latest price.",
        example: 36_500_000.0,
        value: FigureValue::Window(|_, window| window.asked.quantile(0.5)),
    },
    Definition {
        name: "homes_cut",
        group: Group::Pressure,
        unit: Unit::Homes,
        meaning: "Homes with at least one price cut in the window, active now or not.",
        formula: "homes, each at its first cut in the window",
        fields: &["ListPrice"],
        sample: None,
        resolution: EXACT,
        interval: Interval::None,
        follows: "Realtor.com's price reduced count.",
        example: 2.0,
        value: FigureValue::Window(|_, window| count(window.homes_cut)),
    },
    Definition {
        name: "homes_cut_share",
        group: Group::Pressure,
        unit: Unit::Share,
        meaning: "The share of the homes on the market in the window with a price cut in it.",
        formula: "homes_cut / (active before the window + entries in it)",
        fields: &["ListPrice"],
        sample: Some(("active", THIN_SAMPLE)),
        resolution: EXACT,
        interval: Interval::Share(|sums, window| (window.homes_cut, on_market(sums, window))),
        follows: "Zillow's share of listings with a price cut, which leaves out homes that ask as much again. Realtor.com divides by the active homes of a day.",
        example: 0.222_2,
        value: FigureValue::Window(homes_cut_share),
    },
    Definition {
        name: "median_price_cut",
        group: Group::Pressure,
        unit: Unit::Share,
        meaning: "Median size of one price cut of the window.",
        formula: "quantile 0.5 of (price before - price) / price before",
        fields: &["ListPrice"],
        sample: Some(("price_cuts", THIN_SAMPLE)),
        resolution: BUCKET,
        interval: Interval::Order(|_, window| points(window.cut_steps.interval(0.5))),
        follows: "Zillow's median price cut, in percent.",
        example: 0.073_8,
        value: FigureValue::Window(|_, window| window.cut_steps.quantile(0.5).map(|points| points / 10_000.0)),
    },
    Definition {
        name: "first_cuts",
        group: Group::Pressure,
        unit: Unit::Events,
        meaning: "First cuts of a spell.",
        formula: "count",
        fields: &["ListPrice"],
        sample: None,
        resolution: EXACT,
        interval: Interval::None,
        follows: "",
        example: 2.0,
        value: FigureValue::Window(|_, window| count(window.first_cuts.count())),
    },
    Definition {
        name: "median_days_to_first_cut",
        group: Group::Pressure,
        unit: Unit::Days,
        meaning: "Median days from listing to the first cut.",
        formula: "quantile 0.5 of first cut - opening",
        fields: &["ListPrice", "ListingContractDate"],
        sample: Some(("first_cuts", THIN_SAMPLE)),
        resolution: EXACT,
        interval: Interval::Order(|_, window| whole(&window.first_cuts, 1.0)),
        follows: "",
        example: 21.5,
        value: FigureValue::Window(|_, window| window.first_cuts.median_number()),
    },
    Definition {
        name: "relisted_lower",
        group: Group::Pressure,
        unit: Unit::Events,
        meaning: "Homes relisted at a lower price than they last asked.",
        formula: "count",
        fields: &["ListPrice"],
        sample: None,
        resolution: EXACT,
        interval: Interval::None,
        follows: "",
        example: 1.0,
        value: FigureValue::Window(|_, window| count(window.relisted_lower)),
    },
];

/// The mean length of a month of the Gregorian calendar, in days: 365.25 / 12.
const MONTH_DAYS: f64 = 30.4375;

/// The months for which homes last, if this many go in the window.
#[expect(clippy::cast_precision_loss, reason = "counts of homes")]
fn months(window: &WindowSums, homes: i64, going: i64) -> Option<f64> {
    (going > 0).then(|| homes as f64 / going as f64 * f64::from(window.window.span()) / MONTH_DAYS)
}

fn absorption(sums: &Measures, window: &WindowSums) -> Option<f64> {
    let going = share(window.flows.pending + window.flows.closed, sums.stock.active())?;
    Some(going * MONTH_DAYS / f64::from(window.window.span()))
}

fn homes_cut_share(sums: &Measures, window: &WindowSums) -> Option<f64> {
    share(window.homes_cut, on_market(sums, window))
}

/// The homes on the market at some time in the window: stock now = stock before + entries - exits.
fn on_market(sums: &Measures, window: &WindowSums) -> i64 {
    sums.stock.active() + window.flows.exits()
}
