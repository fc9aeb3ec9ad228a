//! What every figure means: the catalogue as a page.

use maud::html;
use stoop_market::{Definition, Group};

use crate::layout::{self, Head, Room};

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
                                @if !figure.fields.is_empty() { " Needs " (figure.fields.join(", ")) " (RESO)." }
                                @if !figure.follows.is_empty() { " " (figure.follows) }
                            }
                        }
                    }
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
