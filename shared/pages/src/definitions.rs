//! What every figure means: the catalogue as a page.

use maud::html;
use stoop_market::{Definition, Group};

use crate::layout::{self, Head, Room};

/// What pages show of several markets or days together: name, meaning, formula.
const DERIVED: [(&str, &str, &str); 7] = [
    (
        "gross_yield",
        "Twelve months of rent as a share of the price, before costs and vacancy; by type and bedrooms. Few homes of an area lean on \
         those of its city and county, by what each tells. An area's is the mean over its kinds, weighted by its homes for sale",
        "12 * median rent / median price",
    ),
    ("price_to_rent", "The price in years of rent: the gross rent multiplier", "1 / gross_yield"),
    (
        "price_index",
        "List prices at a constant mix of property types and bedrooms (Törnqvist), 100 on the first day shown",
        "100 * product of (median / median before) ^ mean share of the kind",
    ),
    ("mix_adjusted_change", "The change of the price index", "price_index / price_index before - 1"),
    (
        "versus_market",
        "Price by area against homes of the same type and number of bedrooms: in its market without the home itself, and, where \
         those are few, in its county, raised or lowered to the level of the market. It does not know size, condition or view",
        "price per area / price per area of its kind - 1",
    ),
    (
        "price_ratio",
        "The median list price beside a value of a reference series in its currency",
        "median_price / value",
    ),
    (
        "drop",
        "How far a price is below its reference: the highest price within 90 days, or the price of the alert before",
        "(reference - price) / reference",
    ),
];

/// The page; it depends on the program alone.
pub(crate) fn page() -> String {
    let content = html! {
        div class="head" {
            h1 { "Definitions" }
            p { "Every figure: what it means, how it is computed, what it needs, and whose definition it follows." }
        }
        @for group in Group::ALL {
            section class="card" {
                h2 { (group.as_str()) }
                dl class="terms" {
                    @for figure in Definition::all().filter(|figure| figure.group == group) {
                        div id=(figure.name) {
                            dt { (words(figure.name)) code { (figure.name) } }
                            dd { (figure.meaning) }
                            dd class="note" {
                                "Formula: " code { (figure.formula) } ". Unit: " (figure.unit.as_str()) "."
                                @if figure.is_of_windows() { " Over the last 7, 28 and 90 days." }
                                @if let Some((sample, least)) = figure.sample { " Sample: " code { (sample) } ", at least " (least) "." }
                                @if figure.resolution > 0.0 { " Within " (format!("{} %", figure.resolution * 100.0)) "." }
                                @if let Some(method) = figure.interval_method() { " Interval of 95 %: " (method) "." }
                                @if !figure.fields.is_empty() { " Needs " (figure.fields.join(", ")) " (RESO)." }
                                @if !figure.follows.is_empty() { " " (figure.follows) }
                            }
                        }
                    }
                }
            }
        }
        section class="card" {
            h2 { "Of several markets or days" }
            dl class="terms" {
                @for (name, meaning, formula) in DERIVED {
                    div id=(name) { dt { (words(name)) code { (name) } } dd { (meaning) } dd class="note" { "Formula: " code { (formula) } "." } }
                }
            }
        }
    };
    layout::page(&Head { title: "Definitions", room: Room::Definitions, now: None, query: "" }, &content)
}

/// `median_price` as `Median price`.
pub(crate) fn words(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}
