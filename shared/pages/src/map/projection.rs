//! From degrees to a place on the map.

use stoop_outlines::Bounds;

/// The width and height of a map, in its own coordinates.
pub(super) const WIDTH: f64 = 1_000.0;
pub(super) const HEIGHT: f64 = 600.0;
/// The share of the map that stays free on each side.
const MARGIN: f64 = 0.06;
/// The least height of what a map is fitted to: about 7 km, so that some border or shore is seen.
const LATITUDES_MIN: f64 = 0.06;
/// Meridians meet at the poles; no map is that wide.
const COSINE_MIN: f64 = 0.05;

/// Equirectangular, true to scale at the latitude of its middle: right for a county, and to a few percent for a state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Projection {
    west: f64,
    north: f64,
    /// Map units of a degree of longitude and of latitude.
    east_units: f64,
    south_units: f64,
}

impl Projection {
    /// These bounds in the middle of the map, as large as they fit.
    pub(super) fn fit(bounds: Bounds) -> Self {
        let middle = (f64::midpoint(bounds.west, bounds.east), f64::midpoint(bounds.south, bounds.north));
        let cosine = middle.1.to_radians().cos().max(COSINE_MIN);
        let free = 1.0 - 2.0 * MARGIN;
        let tall = (bounds.north - bounds.south).max(LATITUDES_MIN);
        let wide = (bounds.east - bounds.west) * cosine;
        let south_units = (HEIGHT * free / tall).min(WIDTH * free / wide.max(f64::MIN_POSITIVE));
        let east_units = south_units * cosine;
        Self {
            west: middle.0 - WIDTH / 2.0 / east_units,
            north: middle.1 + HEIGHT / 2.0 / south_units,
            east_units,
            south_units,
        }
    }

    /// Where a longitude and latitude lie: from the left, and from the top.
    pub(super) fn place(&self, (east, north): (f64, f64)) -> (f64, f64) {
        ((east - self.west) * self.east_units, (self.north - north) * self.south_units)
    }

    /// What the map shows.
    pub(super) fn bounds(&self) -> Bounds {
        Bounds {
            west: self.west,
            north: self.north,
            east: self.west + WIDTH / self.east_units,
            south: self.north - HEIGHT / self.south_units,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn bounds() -> impl Strategy<Value = Bounds> {
        let ends = |max: f64| (-max..max, -max..max).prop_map(|(a, b): (f64, f64)| (a.min(b), a.max(b)));
        (ends(180.0), ends(90.0)).prop_map(|((west, east), (south, north))| Bounds { west, south, east, north })
    }

    #[test]
    fn a_kilometre_is_as_long_to_the_east_as_to_the_north() {
        let chicago = Bounds { west: -87.9, south: 41.6, east: -87.5, north: 42.0 };
        let projection = Projection::fit(chicago);
        let (x, y) = projection.place((-87.7, 41.8));
        assert!((x - WIDTH / 2.0).abs() < 1e-6 && (y - HEIGHT / 2.0).abs() < 1e-6, "{x} {y}");
        // A degree of latitude has 111.2 km, one of longitude 111.2 km times the cosine: 82.9 km at 41.8 degrees.
        let east = projection.place((-87.7 + 10.0 / 82.9, 41.8)).0 - x;
        let north = y - projection.place((-87.7, 41.8 + 10.0 / 111.2)).1;
        assert!((east / north - 1.0).abs() < 0.001, "{east} {north}");
    }

    proptest! {
        #[test]
        fn every_point_of_the_bounds_is_on_the_map_and_keeps_its_order(
            bounds in bounds(), points in prop::collection::vec((0.0..=1.0, 0.0..=1.0), 2..20),
        ) {
            let projection = Projection::fit(bounds);
            let degrees = |(east, north): (f64, f64)| {
                (bounds.west + east * (bounds.east - bounds.west), bounds.south + north * (bounds.north - bounds.south))
            };
            let points: Vec<_> = points.into_iter().map(degrees).collect();
            for point in &points {
                let (x, y) = projection.place(*point);
                prop_assert!((0.0..=WIDTH).contains(&x) && (0.0..=HEIGHT).contains(&y), "{point:?} is at {x} {y}");
                prop_assert!(projection.bounds().contains(point.1, point.0), "{point:?} in {:?}", projection.bounds());
            }
            for pair in points.windows(2) {
                let [a, b] = [pair[0], pair[1]].map(|point| projection.place(point));
                prop_assert_eq!(pair[0].0 < pair[1].0, a.0 < b.0);
                prop_assert_eq!(pair[0].1 < pair[1].1, a.1 > b.1);
            }
        }

        #[test]
        fn one_point_is_in_the_middle(east in -180.0..180.0, north in -90.0..90.0) {
            let projection = Projection::fit(Bounds { west: east, south: north, east, north });
            let (x, y) = projection.place((east, north));
            prop_assert!((x - WIDTH / 2.0).abs() < 0.01 && (y - HEIGHT / 2.0).abs() < 0.01, "{x} {y}");
        }
    }
}
