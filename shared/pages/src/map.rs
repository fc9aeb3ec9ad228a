//! Homes on a map: points over the outlines of counties and countries, drawn here and coloured by the style sheet. On a map
//! without names of counties or countries, the areas within have theirs above their homes.
//!
//! The inner `svg` has the map; names stand outside of it, at percentages, and keep their size. The script changes only the
//! part that is seen.

mod homes;
mod land;
mod projection;

use maud::{Markup, html};
use stoop_domain::Time;
use stoop_outlines::Bounds;
use stoop_serve::HomeSummary;

use homes::LocatedHomes;
use land::Land;
use projection::{HEIGHT, Projection, WIDTH};

use crate::text;

/// With fewer homes than this a map shows their county, not only what lies around them.
const FEW: usize = 3;
/// An outline wider than this, in degrees, says little about a few homes.
const WIDE: f64 = 8.0;

/// The homes of an area on a map; a sentence instead if it has none with coordinates. `name` is the area's.
pub(crate) fn draw(area: &str, name: &str, homes: &[HomeSummary], now: Time) -> Markup {
    let outline = land::around(area).map(|outline| outline.bounds);
    let located = LocatedHomes::of(homes, outline, now);
    let Some(bounds) = bounds_of(&located, outline) else {
        return html! { @if !homes.is_empty() { p class="note" { "No home here has coordinates, so there is no map." } } };
    };
    let projection = Projection::fit(bounds);
    let land = Land::of(&projection, area);
    let parts = if land.labels.is_empty() { located.areas(area, &projection) } else { Vec::new() };
    let summary = format!(
        "Map of {name}: {} on offer, {} cut in the last 28 days",
        text::plural(located.points.len(), "home"),
        stoop_show::count(located.cut() as u64)
    );
    html! {
        div class="map" id="map" data-map tabindex="0" role="group" aria-label=(summary) {
            div class="sea" {
                svg class="plan" viewBox=(format!("0 0 {WIDTH} {HEIGHT}")) aria-hidden="true" {
                    (land.draw())
                    g class="homes" { (located.draw(&projection)) }
                    path class="here" d="M0 0h0.01" visibility="hidden" {}
                }
                svg class="names" aria-hidden="true" {
                    @for (label, class) in land.labels.iter().map(|label| (label, None)).chain(parts.iter().map(|label| (label, Some("part")))) {
                        text class=[class] x=(percent(label.x / WIDTH)) y=(percent(label.y / HEIGHT)) data-x=(format!("{:.1}", label.x)) data-y=(format!("{:.1}", label.y)) text-anchor="middle" { (label.name) }
                    }
                }
                div class="zoom" hidden {
                    button type="button" data-zoom="in" aria-label="Zoom in" { "+" }
                    button type="button" data-zoom="out" aria-label="Zoom out" { "−" }
                    button type="button" data-zoom="all" { "All" }
                }
                p class="tip" aria-live="polite" hidden {}
            }
            div class="behind" {
                (located.keys())
                p { (note(&located, land.has_borders())) }
            }
        }
    }
}

/// What the map is to show.
fn bounds_of(located: &LocatedHomes<'_>, outline: Option<Bounds>) -> Option<Bounds> {
    let is_few = located.points.len() < FEW;
    let outline = outline.filter(|outline| is_few && outline.east - outline.west <= WIDE);
    let homes = located.points.iter().map(|point| point.at);
    let corners = outline.into_iter().flat_map(|it| [(it.west, it.south), (it.east, it.north)]);
    if located.points.is_empty() { None } else { Bounds::around(homes.chain(corners)) }
}

/// What is not seen.
fn note(located: &LocatedHomes<'_>, has_borders: bool) -> String {
    let have = |count: usize| if count == 1 { "has" } else { "have" };
    let mut sentences = Vec::new();
    if located.are_many() {
        let most = stoop_show::count(homes::POINTS_MAX as u64);
        sentences.push(format!("More than {most} homes are counted in squares; a narrower area shows each."));
    }
    if located.without > 0 {
        let homes = text::plural(located.without, "home");
        sentences.push(format!("{homes} {} no coordinates.", have(located.without)));
    }
    if located.elsewhere > 0 {
        let homes = text::plural(located.elsewhere, "home");
        sentences.push(format!("{homes} {} coordinates outside of this area.", have(located.elsewhere)));
    }
    if has_borders {
        sentences.push("Borders: US Census Bureau, Natural Earth; simplified.".to_owned());
    }
    sentences.join(" ")
}

fn percent(share: f64) -> String {
    format!("{:.2}%", share * 100.0)
}
