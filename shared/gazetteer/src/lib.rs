//! Finds the place of an address, in any spelling, as a single path, and searches places by name.
//!
//! The crate contains countries, their regions, counties, cities and quarters, and every ZIP of the United States.
//! `make/make.py` generates the data from open data; `docs/PLACES.md` gives sources, licences and limits. The data is
//! decoded at first use, without I/O.
//!
//! ```
//! use stoop_gazetteer::{AddressParts, Gazetteer, Level};
//!
//! let gazetteer = Gazetteer::get();
//! let words = AddressParts { country: Some("US"), postal_code: Some("98178"), ..AddressParts::default() };
//! let located = gazetteer.locate(&words);
//! assert_eq!(located.path().as_deref(), Some("us/wa/king/seattle/98178"));
//! assert_eq!(located.zone, Some("America/Los_Angeles"));
//!
//! let best = &gazetteer.find("casablanca maarif")[0];
//! assert_eq!((best.path.as_str(), best.level), ("ma/casablanca-settat/casablanca/casablanca/maarif", Level::Area));
//! ```
//!
//! It does not know streets or boundaries, and does not convert coordinates to places.

mod data;
mod find;
mod fold;
mod kinds;
mod level;
mod line;
mod locate;
mod outcodes;
mod postal;

use std::sync::OnceLock;

pub use find::{FOUND_MAX, Match};
pub use fold::{fold, slug};
pub use level::Level;
pub use line::LinePlace;
pub use locate::{AddressParts, Contradiction, FROM_SOURCE, Located, Name, NameOrigin};

use data::Places;

/// The version of the data and of the rules that make paths. Paths of another version must be computed anew.
pub const GAZETTEER_VERSION: u32 = 2;

/// The known places.
pub struct Gazetteer {
    places: Places,
}

impl Gazetteer {
    /// The embedded gazetteer. The first call decodes it.
    pub fn get() -> &'static Self {
        static GAZETTEER: OnceLock<Gazetteer> = OnceLock::new();
        GAZETTEER.get_or_init(Self::decode)
    }

    /// Decodes another copy, for measurements; [`Gazetteer::get`] shares one.
    #[must_use]
    pub fn decode() -> Self {
        Self { places: Places::decode(data::PACKED) }
    }

    /// The memory of the decoded places, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.places.memory_bytes()
    }

    /// The paths of all known places; a place comes before the places inside.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        (0..self.places.nodes.len() as u32).map(|id| self.path(id))
    }

    /// The population of a place. `None` if the path is unknown, 0 if the source does not give it.
    #[must_use]
    pub fn people(&self, path: &str) -> Option<u32> {
        Some(self.places.nodes[self.at(path)? as usize].people)
    }

    /// The time zone of a place, as an IANA name. A place with several has the one in which most of its people live.
    #[must_use]
    pub fn zone(&self, path: &str) -> Option<&str> {
        self.places.zone(self.at(path)?)
    }

    /// The name of a place in its usual spelling: `Washington` for `us/wa`.
    #[must_use]
    pub fn name(&self, path: &str) -> Option<&str> {
        Some(self.places.name(self.at(path)?))
    }

    /// The place of a path. Unknown levels at its end may be left out.
    fn at(&self, path: &str) -> Option<u32> {
        let path = path.trim_end_matches("/-");
        let levels: Vec<&str> = path.split('/').collect();
        let narrowest = levels.iter().rposition(|slug| *slug != "-")?;
        let found =
            self.places.called(&fold::fold_words(&levels[narrowest].split('-').map(str::to_owned).collect::<Vec<_>>()));
        found.into_iter().find(|id| self.path(*id).trim_end_matches("/-") == path)
    }

    fn path(&self, id: u32) -> String {
        let slugs = self.places.chain(id).map(|id| id.map_or_else(|| "-".to_owned(), |id| self.places.slug(id)));
        slugs.join("/")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash of the data and paths of this version.
    const VERSION_AND_HASH: (u32, &str) = (2, "b95ed08fe6a9aea6");

    #[test]
    fn changed_data_or_paths_need_another_version() {
        let gazetteer = Gazetteer::get();
        let mut hash = blake3::Hasher::new();
        hash.update(gazetteer.places.text().as_bytes());
        for path in gazetteer.paths() {
            hash.update(path.as_bytes());
            hash.update(gazetteer.zone(&path).unwrap_or_default().as_bytes());
        }
        let found = hash.finalize().to_hex();
        assert_eq!(
            (GAZETTEER_VERSION, &found[..16]),
            VERSION_AND_HASH,
            "the places changed: raise GAZETTEER_VERSION and update both values"
        );
    }
}
