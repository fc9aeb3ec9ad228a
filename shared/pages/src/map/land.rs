//! The outlines below the homes.

use maud::{Markup, html};
use stoop_outlines::{NO_COUNTRY, Outline, Outlines};
use stoop_serve::area_name;

use super::projection::{HEIGHT, Projection, WIDTH};

/// A wider map shows no counties, and a still wider one no states, in degrees of latitude.
const COUNTIES_MAX: f64 = 7.0;
const STATES_MAX: f64 = 40.0;
/// How far lines go on outside of the map, so that their ends are not seen.
const BEYOND: f64 = 8.0;
/// Points closer to the one before are left out: on a map of counties, and on a wider one.
const NEAR: f64 = 0.4;
const NEAR_WIDE: f64 = 1.2;
/// The least part of the map that a place with a name takes: 60 by 60.
const NAMED_MIN: f64 = 3_600.0;

/// A name and where it stands.
pub(super) struct Label {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) name: String,
}

/// The land and borders that a map shows, and the names on them.
pub(super) struct Land {
    /// In the order in which they are drawn: their class and their lines.
    lines: Vec<(&'static str, String)>,
    pub(super) labels: Vec<Label>,
}

impl Land {
    /// Of the map of an area, which is drawn as its own.
    pub(super) fn of(projection: &Projection, area: &str) -> Self {
        let bounds = projection.bounds();
        let tall = bounds.north - bounds.south;
        let finest = if tall <= COUNTIES_MAX {
            3
        } else if tall <= STATES_MAX {
            2
        } else {
            1
        };
        let outlines: Vec<Outline<'_>> =
            Outlines::get().within(bounds).filter(|outline| outline.level() <= finest).collect();
        let own = around(area).map(|outline| outline.path);
        // Where parts of a country are drawn, they are its land.
        let is_parted = |outline: &Outline<'_>| outlines.iter().any(|other| is_part(other.path, outline.path));
        let mut land = Self { lines: Vec::new(), labels: Vec::new() };
        let deepest = outlines.iter().map(Outline::level).max();
        for outline in &outlines {
            let rings = rings(outline, projection, if finest == 3 { NEAR } else { NEAR_WIDE });
            if rings.is_empty() {
                continue;
            }
            let is_own = own == Some(outline.path);
            if !is_parted(outline) {
                land.labels.extend(label(outline, &rings).filter(|_| Some(outline.level()) == deepest));
                land.lines.push((if is_own { "land own" } else { "land" }, path(&rings)));
            } else if outline.level() > 1 || is_own {
                land.lines.push((if is_own { "border own" } else { "border" }, path(&rings)));
            }
        }
        land.lines.sort_by_key(|(class, _)| (class.starts_with("border"), class.ends_with("own")));
        // The page has the name already.
        if land.labels.len() == 1 {
            land.labels.clear();
        }
        land
    }

    /// Whether any outline is drawn.
    pub(super) fn has_borders(&self) -> bool {
        !self.lines.is_empty()
    }

    pub(super) fn draw(&self) -> Markup {
        html! { @for (class, d) in &self.lines { path class=(class) d=(d) {} } }
    }
}

/// The narrowest outline around an area: of itself or of an area around it.
pub(super) fn around(area: &str) -> Option<Outline<'static>> {
    let mut path = area;
    loop {
        if let Some(outline) = Outlines::get().of(path).filter(|outline| outline.path != NO_COUNTRY) {
            return Some(outline);
        }
        path = path.rsplit_once('/')?.0;
    }
}

fn is_part(path: &str, of: &str) -> bool {
    path.strip_prefix(of).is_some_and(|rest| rest.starts_with('/'))
}

/// The name of a place in the middle of the largest part that is seen of it, if that is large enough.
fn label(outline: &Outline<'_>, rings: &[Vec<(f64, f64)>]) -> Option<Label> {
    let middles = rings.iter().map(|ring| middle(ring));
    let (size, x, y) = middles.max_by(|a, b| a.0.total_cmp(&b.0))?;
    let is_named = size >= NAMED_MIN && !outline.path.contains("/-") && outline.path != NO_COUNTRY;
    let is_on_map = (0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y);
    (is_named && is_on_map).then(|| Label { x, y, name: area_name(outline.path) })
}

/// The area of a closed line, and its centre of gravity.
fn middle(ring: &[(f64, f64)]) -> (f64, f64, f64) {
    let next = ring.iter().cycle().skip(1);
    let (mut twice, mut x, mut y) = (0.0, 0.0, 0.0);
    for ((ax, ay), (bx, by)) in ring.iter().zip(next) {
        let cross = ax * by - bx * ay;
        twice += cross;
        x += (ax + bx) * cross;
        y += (ay + by) * cross;
    }
    if twice == 0.0 { (0.0, 0.0, 0.0) } else { (twice.abs() / 2.0, x / 3.0 / twice, y / 3.0 / twice) }
}

/// The lines of an outline as far as they are on the map, without islands too small to be seen.
fn rings(outline: &Outline<'_>, projection: &Projection, near: f64) -> Vec<Vec<(f64, f64)>> {
    let on_map = |ring: Vec<(f64, f64)>| clipped(ring.into_iter().map(|point| projection.place(point)).collect());
    let rings = outline.rings().into_iter().map(|ring| thinned(on_map(ring), near));
    rings.filter(|ring| ring.len() >= 3).collect()
}

/// Without points that are near the one before.
fn thinned(ring: Vec<(f64, f64)>, near: f64) -> Vec<(f64, f64)> {
    let mut line: Vec<(f64, f64)> = Vec::with_capacity(ring.len());
    for (x, y) in ring {
        if line.last().is_none_or(|(lx, ly)| (x - lx).abs() >= near || (y - ly).abs() >= near) {
            line.push((x, y));
        }
    }
    line
}

fn path(rings: &[Vec<(f64, f64)>]) -> String {
    let mut d = String::new();
    for ring in rings {
        for (n, (x, y)) in ring.iter().enumerate() {
            d += &format!("{}{x:.1} {y:.1}", if n == 0 { 'M' } else { 'L' });
        }
        d.push('Z');
    }
    d
}

/// A closed line inside of the map and a little beyond, by Sutherland and Hodgman: one side after the other.
fn clipped(ring: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
    // How far a point lies inside of a side.
    let sides: [fn((f64, f64)) -> f64; 4] =
        [|(x, _)| x + BEYOND, |(x, _)| WIDTH + BEYOND - x, |(_, y)| y + BEYOND, |(_, y)| HEIGHT + BEYOND - y];
    sides.into_iter().fold(ring, |ring, inside| {
        let mut kept = Vec::with_capacity(ring.len());
        let before = ring.last().copied().into_iter().chain(ring.iter().copied());
        for (from, to) in before.zip(ring.iter().copied()) {
            let (a, b) = (inside(from), inside(to));
            if (a < 0.0) != (b < 0.0) {
                let share = a / (a - b);
                kept.push((from.0 + share * (to.0 - from.0), from.1 + share * (to.1 - from.1)));
            }
            if b >= 0.0 {
                kept.push(to);
            }
        }
        kept
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use stoop_outlines::Bounds;

    use super::*;

    fn area(ring: &[(f64, f64)]) -> f64 {
        middle(ring).0
    }

    #[test]
    fn the_middle_of_a_house_is_that_of_its_parts() {
        // A square of 6 by 6 with a roof of height 3: areas 36 and 9, middles at 3 and 7 above the ground.
        let house = [(0.0, 0.0), (6.0, 0.0), (6.0, 6.0), (3.0, 9.0), (0.0, 6.0)];
        let (size, x, y) = middle(&house);
        assert!((size - 45.0).abs() < 1e-9 && (x - 3.0).abs() < 1e-9, "{size} {x}");
        assert!((y - (36.0 * 3.0 + 9.0 * 7.0) / 45.0).abs() < 1e-9, "{y}");
        assert_eq!(middle(&[(1.0, 1.0), (2.0, 2.0), (3.0, 3.0)]).0, 0.0);
    }

    #[test]
    fn what_is_outside_of_the_map_is_cut_off() {
        let all = vec![(-5_000.0, -5_000.0), (5_000.0, -5_000.0), (5_000.0, 5_000.0), (-5_000.0, 5_000.0)];
        let expected = (WIDTH + 2.0 * BEYOND) * (HEIGHT + 2.0 * BEYOND);
        assert!((area(&clipped(all)) - expected).abs() < 1e-6);
        assert!(clipped(vec![(2_000.0, 0.0), (3_000.0, 0.0), (3_000.0, 100.0)]).is_empty());
        let inside = vec![(10.0, 10.0), (20.0, 10.0), (20.0, 30.0)];
        assert!((area(&clipped(inside.clone())) - area(&inside)).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn a_cut_triangle_has_the_area_that_dice_find(points in prop::collection::vec((-800.0..1_800.0, -500.0..1_100.0), 3)) {
            let cut = clipped(points.clone());
            let on_map = |(x, y): &(f64, f64)| {
                (-BEYOND - 1e-6..=WIDTH + BEYOND + 1e-6).contains(x) && (-BEYOND - 1e-6..=HEIGHT + BEYOND + 1e-6).contains(y)
            };
            prop_assert!(cut.iter().all(on_map), "{cut:?}");
            // Counts the points of a grid that lie in the triangle: on one side of all three lines.
            let (side, mut count) = (8.0, 0.0);
            let turn = |a: (f64, f64), b: (f64, f64), p: (f64, f64)| (b.0 - a.0) * (p.1 - a.1) - (b.1 - a.1) * (p.0 - a.0);
            let (columns, rows) = (((WIDTH + 2.0 * BEYOND) / side) as i32, ((HEIGHT + 2.0 * BEYOND) / side) as i32);
            for (column, row) in (0..columns).flat_map(|column| (0..rows).map(move |row| (column, row))) {
                let p = (-BEYOND + (f64::from(column) + 0.5) * side, -BEYOND + (f64::from(row) + 0.5) * side);
                let turns = [turn(points[0], points[1], p), turn(points[1], points[2], p), turn(points[2], points[0], p)];
                count += f64::from(u8::from(turns.iter().all(|turn| *turn >= 0.0) || turns.iter().all(|turn| *turn <= 0.0)));
            }
            let error = (area(&cut) - count * side * side).abs();
            prop_assert!(error < 40_000.0, "{error}");
        }
    }

    #[test]
    fn a_county_is_drawn_with_its_neighbours_and_a_country_with_its_states() {
        let cook = Outlines::get().of("us/il/cook").unwrap();
        let land = Land::of(&Projection::fit(cook.bounds), "us/il/cook/chicago/60601");
        assert_eq!(land.lines.iter().filter(|(class, _)| *class == "land own").count(), 1);
        assert!(land.lines.iter().filter(|(class, _)| *class == "land").count() > 4);
        assert!(land.labels.iter().any(|label| label.name == "Cook"), "no name");
        assert!(land.labels.iter().all(|label| (0.0..=WIDTH).contains(&label.x) && (0.0..=HEIGHT).contains(&label.y)));
        let states = Bounds { west: -125.0, south: 25.0, east: -67.0, north: 49.0 };
        let land = Land::of(&Projection::fit(states), "us");
        let bytes: usize = land.lines.iter().map(|(_, d)| d.len()).sum();
        assert!(land.lines.len() > 45 && bytes < 120_000, "{} lines, {bytes} bytes", land.lines.len());
    }

    #[test]
    fn an_area_without_an_outline_is_in_the_next_one_around_it() {
        let path = |area| around(area).map(|outline| outline.path);
        assert_eq!(path("us/il/cook/chicago/60601"), Some("us/il/cook"));
        assert_eq!(path("us/tx"), Some("us/tx"));
        assert_eq!(path("at/wien/wien/wien/1070"), Some("at"));
        assert_eq!(path("-/-/-/-/-"), None);
    }
}
