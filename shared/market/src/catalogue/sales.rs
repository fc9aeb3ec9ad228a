//! Sales of a window. All but `sold` need closing prices; a portal that shows none has none of these.

use super::{BUCKET, Definition, EXACT, FigureValue, Group, Interval, Unit, count, share, whole};
use crate::figures::THIN_SAMPLE;
use crate::measures::WindowSums;
use crate::outlying::{Outlying, bounds};

pub(super) const FIGURES: &[Definition] = &[
    Definition {
        name: "sales_priced",
        group: Group::Sales,
        unit: Unit::Homes,
        meaning: "Sales with a possible closing price.",
        formula: "count",
        fields: &["ClosePrice", "CloseDate"],
        sample: None,
        resolution: EXACT,
        interval: Interval::None,
        follows: "",
        example: 1.0,
        value: FigureValue::Window(|_, window| count(window.sale_prices.count())),
    },
    Definition {
        name: "median_sale_price",
        group: Group::Sales,
        unit: Unit::Money,
        meaning: "Median closing price.",
        formula: "quantile 0.5 of ClosePrice",
        fields: &["ClosePrice", "CloseDate"],
        sample: Some(("sales_priced", THIN_SAMPLE)),
        resolution: BUCKET,
        interval: Interval::Order(|_, window| window.sale_prices.interval(0.5)),
        follows: "Redfin's median sale price.",
        example: 41_000_000.0,
        value: FigureValue::Window(|_, window| sale_price(window)),
    },
    Definition {
        name: "mean_sale_price",
        group: Group::Sales,
        unit: Unit::Money,
        meaning: "Mean closing price.",
        formula: "sale_volume / sales_priced, without prices 50 times the median or a fiftieth of it, of 10 sales or more",
        fields: &["ClosePrice", "CloseDate"],
        sample: Some(("sales_priced", THIN_SAMPLE)),
        resolution: EXACT,
        interval: Interval::None,
        follows: "",
        example: 41_000_000.0,
        value: FigureValue::Window(|_, window| mean_sale_price(window)),
    },
    Definition {
        name: "sale_volume",
        group: Group::Sales,
        unit: Unit::Money,
        meaning: "Sum of closing prices.",
        formula: "sum of ClosePrice",
        fields: &["ClosePrice", "CloseDate"],
        sample: Some(("sales_priced", 1)),
        resolution: EXACT,
        interval: Interval::None,
        follows: "",
        example: 41_000_000.0,
        value: FigureValue::Window(|_, window| volume(window)),
    },
    Definition {
        name: "sales_priced_per_area",
        group: Group::Sales,
        unit: Unit::Homes,
        meaning: "The priced sales with a living area.",
        formula: "count",
        fields: &["ClosePrice", "CloseDate", "LivingArea"],
        sample: None,
        resolution: EXACT,
        interval: Interval::None,
        follows: "",
        example: 1.0,
        value: FigureValue::Window(|_, window| count(window.sales_per_area.count())),
    },
    Definition {
        name: "median_sale_price_per_area",
        group: Group::Sales,
        unit: Unit::MoneyPerArea,
        meaning: "Median closing price per living area.",
        formula: "quantile 0.5 of ClosePrice / LivingArea",
        fields: &["ClosePrice", "CloseDate", "LivingArea"],
        sample: Some(("sales_priced_per_area", THIN_SAMPLE)),
        resolution: BUCKET,
        interval: Interval::Order(|_, window| window.sales_per_area.interval(0.5)),
        follows: "Redfin's median sale price per square foot.",
        example: 512_500.0,
        value: FigureValue::Window(|_, window| window.sales_per_area.quantile(0.5)),
    },
    Definition {
        name: "sales_compared",
        group: Group::Sales,
        unit: Unit::Homes,
        meaning: "The priced sales with a known last list price.",
        formula: "count",
        fields: &["ClosePrice", "CloseDate", "ListPrice"],
        sample: None,
        resolution: EXACT,
        interval: Interval::None,
        follows: "",
        example: 1.0,
        value: FigureValue::Window(|_, window| count(window.to_list.count())),
    },
    Definition {
        name: "median_sale_to_list",
        group: Group::Sales,
        unit: Unit::Share,
        meaning: "Median closing price as a share of the last list price.",
        formula: "quantile 0.5 of ClosePrice / last ListPrice",
        fields: &["ClosePrice", "CloseDate", "ListPrice"],
        sample: Some(("sales_compared", THIN_SAMPLE)),
        resolution: EXACT,
        interval: Interval::Order(|_, window| whole(&window.to_list, 10_000.0)),
        follows: "Zillow's median sale-to-list ratio. Redfin shows the mean, without sales far from the list price.",
        example: 1.025,
        value: FigureValue::Window(|_, window| window.to_list.median_number().map(|points| points / 10_000.0)),
    },
    Definition {
        name: "median_sale_to_original",
        group: Group::Sales,
        unit: Unit::Share,
        meaning: "Median closing price as a share of the first list price of the spell.",
        formula: "quantile 0.5 of ClosePrice / first price",
        fields: &["ClosePrice", "CloseDate", "OriginalListPrice"],
        sample: Some(("sales_priced", THIN_SAMPLE)),
        resolution: EXACT,
        interval: Interval::Order(|_, window| whole(&window.to_original, 10_000.0)),
        follows: "",
        example: 0.976_2,
        value: FigureValue::Window(|_, window| window.to_original.median_number().map(|points| points / 10_000.0)),
    },
    Definition {
        name: "sold_above_list",
        group: Group::Sales,
        unit: Unit::Share,
        meaning: "The share of these sales above their last list price.",
        formula: "sales with ClosePrice > last ListPrice / sales_compared",
        fields: &["ClosePrice", "CloseDate", "ListPrice"],
        sample: Some(("sales_compared", THIN_SAMPLE)),
        resolution: EXACT,
        interval: Interval::Share(|_, window| (window.to_list.above(10_000), window.to_list.count())),
        follows: "Redfin's sold above list; Zillow's percent of sales over list.",
        example: 1.0,
        value: FigureValue::Window(|_, window| share(window.to_list.above(10_000), window.to_list.count())),
    },
];

/// The median closing price. For a single sale it is the price itself, not that of its bucket.
fn sale_price(window: &WindowSums) -> Option<f64> {
    if window.sale_prices.count() == 1 { volume(window) } else { window.sale_prices.quantile(0.5) }
}

fn mean_sale_price(window: &WindowSums) -> Option<f64> {
    let homes = window.sale_prices.count();
    let bounds = bounds(window.sale_prices.quantile(0.5), homes);
    let prices = window.sale_prices.buckets().map(|(bucket, count)| (bucket.0, count));
    Outlying::of(prices, bounds).mean_of_others(window.sale_sum, homes)
}

#[expect(clippy::cast_precision_loss, reason = "for display")]
fn volume(window: &WindowSums) -> Option<f64> {
    (window.sale_prices.count() > 0).then_some(window.sale_sum as f64)
}
