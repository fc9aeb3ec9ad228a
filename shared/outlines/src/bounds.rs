/// A rectangle of longitudes and latitudes, in degrees. It never crosses the 180th meridian: what does is as wide as the Earth.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The least longitude.
    pub west: f64,
    /// The least latitude.
    pub south: f64,
    /// The greatest longitude.
    pub east: f64,
    /// The greatest latitude.
    pub north: f64,
}

impl Bounds {
    /// The smallest bounds of points, given as longitude and latitude. `None` without points.
    #[must_use]
    pub fn around(points: impl IntoIterator<Item = (f64, f64)>) -> Option<Self> {
        let mut points = points.into_iter();
        let (east, north) = points.next()?;
        let first = Self { west: east, south: north, east, north };
        Some(points.fold(first, |known, (east, north)| Self {
            west: known.west.min(east),
            south: known.south.min(north),
            east: known.east.max(east),
            north: known.north.max(north),
        }))
    }

    /// Whether a point lies inside or on the border.
    #[must_use]
    pub fn contains(&self, latitude: f64, longitude: f64) -> bool {
        (self.west..=self.east).contains(&longitude) && (self.south..=self.north).contains(&latitude)
    }

    /// Whether both have a point in common.
    #[must_use]
    pub fn touches(&self, other: Self) -> bool {
        self.west <= other.east && other.west <= self.east && self.south <= other.north && other.south <= self.north
    }
}
