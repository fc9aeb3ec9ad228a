//! The borders of countries, and of the states and counties of the United States, as lines on a map.
//!
//! An outline has the path that its place has in the gazetteer: `us/il/cook`. `make/make.py` generates the data;
//! `docs/PLACES.md` gives sources, licences and limits. [`Outlines::get`] reads only an index; lines are decoded when they are
//! asked for, without I/O.
//!
//! ```
//! use stoop_outlines::{Bounds, Outlines};
//!
//! let cook = Outlines::get().of("us/il/cook").unwrap();
//! assert!(cook.bounds.contains(41.88, -87.63));
//! assert!(cook.rings()[0].len() > 10);
//!
//! let around = Outlines::get().within(cook.bounds).map(|outline| outline.path);
//! assert!(around.collect::<Vec<_>>().contains(&"us/il/dupage"));
//! ```
//!
//! The borders are simplified, to about 200 m in the United States and 1 km elsewhere: they are no boundaries in law, and
//! nothing is located by them. Other countries have no outlines inside; 18 of the gazetteer's countries and territories have none
//! of their own.

mod bounds;
mod bytes;

use std::sync::OnceLock;

pub use bounds::Bounds;

use bytes::Bytes;

/// The embedded data file: `SOL1`, the arcs, the outlines. A number is LEB128, a signed one in zigzag; coordinates are in
/// [`UNITS`] of a degree. An arc is the length of its bytes, the number of its points, and each point as its difference from the
/// one before (east, north). An outline is the length of its bytes, its path, its bounds (west, south, width, height), the
/// number of its rings, and each ring as its arcs: twice their position, and one more if they run backwards. Outlines are in the
/// order of their paths.
const PACKED: &[u8] = include_bytes!("../data/outlines.bin");
const MAGIC: &[u8] = b"SOL1";
/// The units of a degree.
const UNITS: f64 = 1_000.0;
/// The path of land that belongs to no country of the gazetteer.
pub const NO_COUNTRY: &str = "-";

/// The known outlines.
pub struct Outlines {
    arcs: Vec<&'static [u8]>,
    entries: Vec<Outline<'static>>,
}

/// The border of a place. [`Outline::rings`] decodes its lines.
#[derive(Clone, Copy)]
pub struct Outline<'o> {
    /// The path in the gazetteer: `fr`, `us/il`, `us/il/cook`. A county that the gazetteer does not know is `us/ak/-02261`, with
    /// its FIPS code.
    pub path: &'o str,
    /// What it fits into.
    pub bounds: Bounds,
    rings: &'static [u8],
}

impl Outlines {
    /// The embedded outlines. The first call reads their index.
    pub fn get() -> &'static Self {
        static OUTLINES: OnceLock<Outlines> = OnceLock::new();
        // The bytes are embedded, and a test checks their hash. If they were damaged, there would be no outlines.
        OUTLINES.get_or_init(|| Self::read(PACKED).unwrap_or(Self { arcs: Vec::new(), entries: Vec::new() }))
    }

    fn read(packed: &'static [u8]) -> Option<Self> {
        let mut bytes = Bytes(packed.strip_prefix(MAGIC)?);
        let count = bytes.number()?;
        let arcs = (0..count).map(|_| bytes.part()).collect::<Option<Vec<_>>>()?;
        let count = bytes.number()?;
        let entries = (0..count).map(|_| Outline::read(bytes.part()?)).collect::<Option<Vec<_>>>()?;
        bytes.0.is_empty().then_some(Self { arcs, entries })
    }

    /// The outline of a country, state or county. `None` for a place that has none.
    #[must_use]
    pub fn of(&self, path: &str) -> Option<Outline<'static>> {
        let at = self.entries.binary_search_by_key(&path, |outline| outline.path).ok()?;
        self.entries.get(at).copied()
    }

    /// The outlines whose bounds touch these, in the order of their paths: of countries, and of states and counties inside.
    pub fn within(&self, bounds: Bounds) -> impl Iterator<Item = Outline<'static>> {
        self.entries.iter().copied().filter(move |outline| outline.bounds.touches(bounds))
    }
}

impl Outline<'static> {
    fn read(packed: &'static [u8]) -> Option<Self> {
        let mut bytes = Bytes(packed);
        let path = std::str::from_utf8(bytes.part()?).ok()?;
        let (west, south) = (bytes.signed()?, bytes.signed()?);
        let (width, height) = (bytes.number()?, bytes.number()?);
        let degrees = |units: i64| units as f64 / UNITS;
        let bounds = Bounds {
            west: degrees(west),
            south: degrees(south),
            east: degrees(west.saturating_add_unsigned(width)),
            north: degrees(south.saturating_add_unsigned(height)),
        };
        Some(Self { path, bounds, rings: bytes.0 })
    }
}

impl Outline<'_> {
    /// Its closed lines as longitude and latitude in degrees, the last point equal to the first: parts of the land, and holes in
    /// them. A point lies inside of the place if it lies inside of an odd number of them.
    #[must_use]
    pub fn rings(&self) -> Vec<Vec<(f64, f64)>> {
        self.decode(&Outlines::get().arcs).unwrap_or_default()
    }

    /// The level of the place: 1 for a country, 2 for a state, 3 for a county.
    #[must_use]
    pub fn level(&self) -> usize {
        self.path.split('/').count()
    }

    fn decode(&self, arcs: &[&[u8]]) -> Option<Vec<Vec<(f64, f64)>>> {
        let mut bytes = Bytes(self.rings);
        let rings = bytes.number()?;
        (0..rings).map(|_| ring(&mut bytes, arcs)).collect()
    }
}

/// One ring, closed. Its arcs meet: the first point of each is the last one of the arc before.
fn ring(bytes: &mut Bytes<'_>, arcs: &[&[u8]]) -> Option<Vec<(f64, f64)>> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for _ in 0..bytes.number()? {
        let arc = bytes.number()?;
        let mut line = points_of(arcs.get(usize::try_from(arc >> 1).ok()?)?)?;
        if arc & 1 == 1 {
            line.reverse();
        }
        let met = usize::from(!points.is_empty());
        points.extend(line.into_iter().skip(met));
    }
    // Ends that met before they were rounded may lie a unit apart.
    if let Some(first) = points.first().copied().filter(|first| points.last() != Some(first)) {
        points.push(first);
    }
    Some(points)
}

fn points_of(arc: &[u8]) -> Option<Vec<(f64, f64)>> {
    let mut bytes = Bytes(arc);
    let (mut east, mut north) = (0_i64, 0_i64);
    let count = bytes.number()?;
    let mut next = || {
        east = east.checked_add(bytes.signed()?)?;
        north = north.checked_add(bytes.signed()?)?;
        Some((east as f64 / UNITS, north as f64 / UNITS))
    };
    (0..count).map(|_| next()).collect()
}

#[cfg(test)]
mod tests;
