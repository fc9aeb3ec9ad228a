//! The areas of listings, level by level.

use serde::Serialize;
use stoop_gazetteer::Level;
use stoop_pipeline::{AddressContradiction, AddressReport};

use super::listings_of;
use crate::show::{self, Column, Page, SafeText, Table, UNKNOWN};

/// The areas of the listings.
#[derive(Serialize)]
pub(super) struct AreasRow {
    /// Listings in no area, which are counted in no market.
    nowhere: u64,
    /// Listings that the gazetteer has placed by their address line.
    #[serde(skip_serializing_if = "is_zero")]
    derived: u64,
    /// Wide to narrow.
    levels: [LevelRow; 5],
    /// Listings whose address fields contradict each other.
    contradictory: u64,
    contradictions: Vec<AddressContradictionRow>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "required by serde")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// One level of the areas.
#[derive(Serialize)]
struct LevelRow {
    level: &'static str,
    /// Listings whose area the gazetteer knows.
    known: u64,
    /// Listings whose area only the source knows.
    reported: u64,
}

#[derive(Serialize)]
struct AddressContradictionRow {
    level: &'static str,
    listings: u64,
    /// The first example: what was not used, and what was.
    reported: String,
    taken: String,
}

impl AreasRow {
    pub(super) fn of(addresses: AddressReport) -> Self {
        let AddressReport { nowhere, derived, levels, contradictory, contradictions, .. } = addresses;
        let levels: [_; 5] = std::array::from_fn(|level| LevelRow {
            level: Level::ALL[level].as_str(),
            known: levels[level].known,
            reported: levels[level].reported,
        });
        let row = |found: AddressContradiction| AddressContradictionRow {
            level: found.level.as_str(),
            listings: found.listings,
            reported: found.reported,
            taken: found.taken,
        };
        Self { nowhere, derived, levels, contradictory, contradictions: contradictions.into_iter().map(row).collect() }
    }

    pub(super) fn draw(&self, listings: u64, page: &mut Page) {
        let mut table = Table::new([
            Column::left("area"),
            Column::right("known"),
            Column::right("from the source"),
            Column::right("unknown"),
        ]);
        for LevelRow { level, known, reported } in &self.levels {
            let counts = [*known, *reported, listings - known - reported].map(|count| match count {
                0 => SafeText::from(UNKNOWN).dim(),
                count => SafeText::from(show::count(count)),
            });
            let [known, reported, unreported] = counts;
            table.row([SafeText::from(*level), known, reported, unreported]);
        }
        page.heading("Areas").table(table);
        if self.nowhere > 0 {
            let nowhere = listings_of(self.nowhere);
            let words = format!("  {nowhere}: no postal code, quarter or city. Counted in no market.");
            page.hung(4, [SafeText::from(words).yellow()]);
        }
        if self.derived > 0 {
            let words =
                format!("  {}: placed by the address line, without a city of the source.", listings_of(self.derived));
            page.hung(4, [words.into()]);
        }
        for AddressContradictionRow { level, listings, reported, taken } in &self.contradictions {
            let (listings, reported, taken) = (listings_of(*listings), show::plain(reported), show::plain(taken));
            page.hung(
                4,
                [format!("  {listings}: the source says another {level}, like {reported} instead of {taken}.").into()],
            );
        }
    }
}
