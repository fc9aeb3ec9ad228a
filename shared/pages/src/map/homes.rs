//! Homes as points, or as numbers in the cells of a grid if they are many.

use std::collections::BTreeMap;

use maud::{Markup, html};
use stoop_domain::Time;
use stoop_outlines::Bounds;
use stoop_serve::{HomeSummary, area_name};

use super::land::Label;
use super::projection::{HEIGHT, Projection};
use crate::text;

/// The most homes that are drawn as points.
pub(super) const POINTS_MAX: usize = 1_500;
/// The side of a cell of the grid.
const CELL: f64 = 20.0;
/// A cell is shaded by its number of homes: up to these, or more.
const SHADES: [usize; 3] = [2, 9, 49];
/// How long a cut is shown as recent.
const RECENT_DAYS: i64 = 28;
/// How far above its homes an area's name stands.
const ABOVE: f64 = 12.0;
/// The most areas that are named.
const NAMES_MAX: usize = 30;
/// A home this far outside of its area's outline is on the map all the same: by a share of the outline's size, or at least so
/// many degrees. Borders are simplified, and cities reach into the next county.
const OUTSIDE_SHARE: f64 = 0.25;
const OUTSIDE_MIN: f64 = 0.1;

/// A home on the map.
pub(super) struct Point<'h> {
    home: &'h HomeSummary,
    /// Longitude and latitude.
    pub(super) at: (f64, f64),
    is_cut: bool,
}

/// The homes that a map shows, and how many it does not.
#[derive(Default)]
pub(super) struct LocatedHomes<'h> {
    pub(super) points: Vec<Point<'h>>,
    /// Homes without coordinates.
    pub(super) without: usize,
    /// Homes with coordinates that are not of their area.
    pub(super) elsewhere: usize,
}

/// The longitude and latitude at which a home is shown; `None` for a home that is not to be shown on a map. All points of a map
/// come from here.
fn shown_at(home: &HomeSummary) -> Option<(f64, f64)> {
    let (latitude_e6, longitude_e6) = home.coordinates?;
    let (latitude, longitude) = (f64::from(latitude_e6) / 1e6, f64::from(longitude_e6) / 1e6);
    let is_on_earth = (-90.0..=90.0).contains(&latitude) && (-180.0..=180.0).contains(&longitude);
    is_on_earth.then_some((longitude, latitude))
}

impl<'h> LocatedHomes<'h> {
    /// Homes of an area with this outline, as of `now`.
    pub(super) fn of(homes: &'h [HomeSummary], outline: Option<Bounds>, now: Time) -> Self {
        let mut located = Self::default();
        let around = outline.map(wider);
        for home in homes {
            let Some(at) = shown_at(home) else {
                located.without += 1;
                continue;
            };
            if around.is_some_and(|around| !around.contains(at.1, at.0)) {
                located.elsewhere += 1;
                continue;
            }
            located.points.push(Point { home, at, is_cut: is_cut(home, now) });
        }
        // Recent cuts are on top. Homes of one place keep their order.
        located.points.sort_by(|a, b| a.is_cut.cmp(&b.is_cut).then_with(|| a.home.id.cmp(&b.home.id)));
        located
    }

    pub(super) fn are_many(&self) -> bool {
        self.points.len() > POINTS_MAX
    }

    /// How many of them were cut lately.
    pub(super) fn cut(&self) -> usize {
        self.points.iter().filter(|point| point.is_cut).count()
    }

    pub(super) fn draw(&self, projection: &Projection) -> Markup {
        if self.are_many() { self.cells(projection) } else { self.links(projection) }
    }

    /// A link for each home. The list below the map has the same links, so the tab key passes over them.
    fn links(&self, projection: &Projection) -> Markup {
        html! {
            @for point in &self.points {
                @let (x, y) = projection.place(point.at);
                a href=(text::home_href(&point.home.id)) class=[point.is_cut.then_some("cut")] tabindex="-1" {
                    title { (words(point.home)) }
                    path d=(format!("M{x:.1} {y:.1}h0.01")) {}
                }
            }
        }
    }

    /// The names of the areas within `area`, each above its homes; none if it has only one, or too many.
    pub(super) fn areas(&self, area: &str, projection: &Projection) -> Vec<Label> {
        let mut areas: BTreeMap<&str, (f64, f64, f64)> = BTreeMap::new();
        for point in &self.points {
            let Some(path) = within(point.home.market.area.as_str(), area) else { continue };
            let (at_x, at_y) = projection.place(point.at);
            let (x, top, homes) = areas.entry(path).or_insert((0.0, HEIGHT, 0.0));
            *x += at_x;
            *top = top.min(at_y);
            *homes += 1.0;
        }
        if !(2..=NAMES_MAX).contains(&areas.len()) {
            return Vec::new();
        }
        let label = |(path, (x, top, homes)): (_, (f64, f64, f64))| Label {
            x: x / homes,
            y: (top - ABOVE).max(ABOVE),
            name: area_name(path),
        };
        areas.into_iter().map(label).collect()
    }

    fn cells(&self, projection: &Projection) -> Markup {
        let mut cells: BTreeMap<(i64, i64), (usize, usize)> = BTreeMap::new();
        for point in &self.points {
            let (x, y) = projection.place(point.at);
            let (homes, cut) = cells.entry((cell(y), cell(x))).or_default();
            *homes += 1;
            *cut += usize::from(point.is_cut);
        }
        #[expect(clippy::cast_precision_loss, reason = "cells of a map")]
        let corner = |at: i64| at as f64 * CELL;
        html! {
            @for ((row, column), (homes, cut)) in cells {
                rect class=(format!("cell c{}", shade(homes))) x=(corner(column)) y=(corner(row)) width=(CELL) height=(CELL) {
                    title { (text::plural(homes, "home")) ", " (cut) " cut in " (RECENT_DAYS) " days" }
                }
            }
        }
    }

    /// What the colours mean.
    pub(super) fn keys(&self) -> Markup {
        let dot = |class: Option<&str>, name: &str| html! { li { svg class="map-key" aria-hidden="true" viewBox="0 0 14 14" { a class=[class] { path d="M7 7h0.01" {} } } (name) } };
        let shade = |n: usize| {
            let from = n.checked_sub(1).map_or(1, |before| SHADES[before] + 1);
            let name = SHADES.get(n).map_or_else(|| format!("{from} or more"), |to| format!("{from} to {to}"));
            html! { li { svg class="map-key" aria-hidden="true" viewBox="0 0 14 14" { rect class=(format!("cell c{n}")) width="14" height="14" {} } (name) } }
        };
        html! {
            ul class="keys" {
                @if self.are_many() { @for n in 0..=SHADES.len() { (shade(n)) } li { "homes in a square" } }
                @else {
                    (dot(Some("cut"), &format!("Cut in the last {RECENT_DAYS} days")))
                    (dot(None, "Not cut since"))
                }
            }
        }
    }
}

/// The part of a path that is one level below `area`: `us/wa` of `us/wa/king` in `us`.
fn within<'p>(path: &'p str, area: &str) -> Option<&'p str> {
    let rest = path.strip_prefix(area)?.strip_prefix('/')?;
    let name = rest.split('/').next()?;
    Some(&path[..path.len() - rest.len() + name.len()])
}

#[expect(clippy::cast_possible_truncation, reason = "cells of a map")]
fn cell(place: f64) -> i64 {
    (place / CELL).floor() as i64
}

/// The number of a cell's shade, from 0 on.
fn shade(homes: usize) -> usize {
    SHADES.into_iter().filter(|most| homes > *most).count()
}

fn wider(bounds: Bounds) -> Bounds {
    let by = |from: f64, to: f64| ((to - from) * OUTSIDE_SHARE).max(OUTSIDE_MIN);
    let (east, north) = (by(bounds.west, bounds.east), by(bounds.south, bounds.north));
    Bounds {
        west: bounds.west - east,
        south: bounds.south - north,
        east: bounds.east + east,
        north: bounds.north + north,
    }
}

/// Whether the last change was a cut in the 28 days before `now`.
fn is_cut(home: &HomeSummary, now: Time) -> bool {
    let since = now.ms() - RECENT_DAYS * Time::DAY_MS;
    home.last_change.as_ref().is_some_and(|change| change.share < 0.0 && change.at.ms() >= since)
}

/// `12 Main Street, $330,000, −4.2 % on 2026-05-12`
fn words(home: &HomeSummary) -> String {
    let price = home.asked.map(|price| stoop_show::money(price, home.currency));
    let change = home.last_change.as_ref();
    let change = change.map(|change| format!("{} on {}", text::signed(change.share), stoop_show::date(change.at)));
    let name = home.words().unwrap_or(home.id.as_str()).to_owned();
    let parts = [Some(name), Some(price.unwrap_or_else(|| "no price".to_owned())), change];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
