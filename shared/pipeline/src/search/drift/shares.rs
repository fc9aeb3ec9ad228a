use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use stoop_domain::{Address, Currency, Listing, Purpose, fields};

use super::DriftWindow;

/// The share of the listings of a search's last scan, or last file, that have each field. Of a scan in several polls,
/// those of the last one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldShares {
    listings: u32,
    /// By field: thousandths now, and the mean of the scans before. Fields that no listing had are left out.
    fields: BTreeMap<String, (u16, Option<u16>)>,
}

/// The share of listings with one field, from 0 to 1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FieldShare {
    /// In the last scan.
    pub share: f64,
    /// The mean of the scans before, in which each newer one counts an eighth; `None` if there were none.
    pub earlier: Option<f64>,
}

/// A new scan counts this part of the mean.
const NEWEST_PART: i32 = 8;

impl FieldShares {
    /// How many listings were understood.
    #[must_use]
    pub fn listings(&self) -> u32 {
        self.listings
    }

    /// The share of a field, by its name as in [`stoop_domain::fields`]; `None` for another name, or if nothing was
    /// understood yet.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<FieldShare> {
        let share = |permille: u16| f64::from(permille) / 1_000.0;
        match self.fields.get(field) {
            Some((now, earlier)) => Some(FieldShare { share: share(*now), earlier: earlier.map(share) }),
            None if self.listings > 0 && may_lack(field) => Some(FieldShare { share: 0.0, earlier: None }),
            None => None,
        }
    }

    /// The fields that listings have or had, and their shares.
    pub fn fields(&self) -> impl Iterator<Item = (&str, FieldShare)> {
        self.fields.keys().filter_map(|name| Some((name.as_str(), self.of(name)?)))
    }

    /// Takes over the shares of a scan. One without an understood listing leaves all as it is.
    pub(super) fn take<'w>(&mut self, windows: impl Iterator<Item = &'w DriftWindow>) {
        let (mut listings, mut filled): (u32, BTreeMap<&'static str, u32>) = (0, BTreeMap::new());
        for window in windows {
            listings += window.understood;
            for field in &window.fields {
                *filled.entry(field.name).or_default() += field.rows;
            }
        }
        if listings == 0 {
            return;
        }
        let is_first = self.listings == 0;
        let shares = filled.into_iter().filter_map(|(name, rows)| {
            let now = super::permille(rows, listings);
            let earlier = match self.fields.get(name) {
                Some((last, None)) => Some(*last),
                Some((last, Some(mean))) => Some(moved(*mean, *last)),
                None => (!is_first).then_some(0),
            };
            (now > 0 || earlier.is_some_and(|mean| mean > 0)).then(|| (name.to_owned(), (now, earlier)))
        });
        *self = Self { listings, fields: shares.collect() };
    }
}

/// Whether this is a field that a listing may lack.
fn may_lack(name: &str) -> bool {
    let listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
    fields(&listing).any(|(known, _)| known == name)
}

/// A mean after a further value.
fn moved(mean: u16, value: u16) -> u16 {
    let moved = i32::from(mean) + (i32::from(value) - i32::from(mean)) / NEWEST_PART;
    u16::try_from(moved).unwrap_or(mean)
}
