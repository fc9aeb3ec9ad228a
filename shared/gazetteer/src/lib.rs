//! Where people mean: one path for a place however it is written, and the places that a text may mean.
//!
//! The crate carries countries, their regions, counties, cities and quarters, and every ZIP of the United States, made from open
//! data by `make/make.py`; `docs/PLACES.md` tells from which, under which licence, and what it cannot know. It is decoded
//! when it is first asked and does no I/O.
//!
//! ```
//! use stoop_gazetteer::{Gazetteer, Level, AddressParts};
//!
//! let places = Gazetteer::get();
//! let words = AddressParts { country: Some("US"), postal_code: Some("98178"), ..AddressParts::default() };
//! let located = places.locate(&words);
//! assert_eq!(located.path().as_deref(), Some("us/wa/king/seattle/98178"));
//! assert_eq!(located.zone, Some("America/Los_Angeles"));
//!
//! let best = &places.find("casablanca maarif")[0];
//! assert_eq!((best.path.as_str(), best.level), ("ma/casablanca-settat/casablanca/casablanca/maarif", Level::Area));
//! ```
//!
//! It does not know streets or shapes, and does not turn a coordinate into a place.

mod data;
mod find;
mod fold;
mod kinds;
mod level;
mod locate;

use std::sync::OnceLock;

pub use find::{FOUND_MAX, Match};
pub use fold::{fold, slug};
pub use level::Level;
pub use locate::{AddressParts, Contradiction, Located, Name, Origin, TOLD};

use data::Places;

/// The version of the data and of the rules that make a path of it. Paths that were made under another version are to be
/// made anew.
pub const GAZETTEER_VERSION: u32 = 1;

/// The places that are known.
pub struct Gazetteer {
    places: Places,
}

impl Gazetteer {
    /// The gazetteer that the crate carries; the first call decodes it.
    pub fn get() -> &'static Self {
        static GAZETTEER: OnceLock<Gazetteer> = OnceLock::new();
        GAZETTEER.get_or_init(Self::decode)
    }

    /// Decodes another one, for measurements; [`Gazetteer::get`] keeps one for all.
    #[must_use]
    pub fn decode() -> Self {
        Self { places: Places::decode(data::PACKED) }
    }

    /// The memory that the decoded places take, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.places.memory_bytes()
    }

    /// Every place that is known, as its path, wide to narrow: a country comes before what lies in it.
    pub fn paths(&self) -> impl Iterator<Item = String> {
        (0..self.places.nodes.len() as u32).map(|id| self.path(id))
    }

    /// The people of a place by its path; `None` for a path that is not known, 0 where the source does not say.
    #[must_use]
    pub fn people(&self, path: &str) -> Option<u32> {
        Some(self.places.nodes[self.at(path)? as usize].people)
    }

    /// The time zone of a place by its path, as the IANA database names it; of a place that has several, that of most of its
    /// people.
    #[must_use]
    pub fn zone(&self, path: &str) -> Option<&str> {
        self.places.zone(self.at(path)?)
    }

    /// The name of a place by its path, as people write it: `Washington` for `us/wa`.
    #[must_use]
    pub fn name(&self, path: &str) -> Option<&str> {
        Some(self.places.name(self.at(path)?))
    }

    /// The place that a path names; unknown levels at its end may be left out.
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

    /// What version 1 is made of.
    const VERSION_AND_HASH: (u32, &str) = (1, "b95ed08fe6a9aea6");

    #[test]
    fn other_data_or_other_paths_have_another_version() {
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
            "the places are others: raise GAZETTEER_VERSION, and put both here"
        );
    }
}
