//! Detects drift: a source no longer fills fields that it filled before.
//!
//! A portal renames a field, a price becomes a text, a page is redesigned: nothing fails, but from then on every
//! listing lacks something. So each search stores the share of its rows in which each field was filled, and compares.
//!
//! Rows are grouped in windows of at least [`WINDOW_ROWS`]; a smaller page is added to the next. Pages of one search
//! differ (land has no bedrooms, and some portals sort by type), so a window is compared with the lowest share of any
//! past window, not with the mean. A field has drifted if its share is less than half of that, and if so few filled
//! rows would occur by chance in less than one in a million windows: Chernoff's bound on the lower tail of the binomial
//! distribution, `exp(-n KL(k/n, p))` (W. Hoeffding, "Probability inequalities for sums of bounded random variables",
//! 1963, theorem 1). Rows that were not understood count as rows without the field [`UNDERSTOOD`], so that a changed
//! type is detected.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use stoop_domain::Listing;
use stoop_sources::Row;

/// Minimum number of rows in a window, except for the last of a scan, which may have [`LAST_WINDOW_ROWS`].
const WINDOW_ROWS: u32 = 20;
const LAST_WINDOW_ROWS: u32 = 10;

/// Minimum number of past windows for a comparison.
const SETTLED_WINDOWS: u32 = 3;

/// Upper bound for a past share: even a field that every row had may be missing once.
const SHARE_MAX: f64 = 0.99;

/// The natural logarithm of one in a million.
const LN_CHANCE_MAX: f64 = -13.815_510_557_964_274;

/// Name of the share of rows that were understood.
pub(crate) const UNDERSTOOD: &str = "rows understood";

/// The share of a search's rows in which each field was filled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// Number of windows it was learned from.
    windows: u32,
    /// The lowest share of any window by field, in thousandths. Each scan that stays above it raises it by an eighth of
    /// the difference, so that one odd page does not hide later drift for ever.
    lowest: BTreeMap<String, u16>,
}

/// Profiles by kind of scan: an incremental scan shows other rows than a full one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profiles {
    full: Profile,
    changes: Profile,
}

/// A field that is filled less than before.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drift {
    /// The field's name, or [`UNDERSTOOD`].
    pub(crate) field: &'static str,
    /// The lowest past share, in thousandths.
    pub(crate) was_permille: u16,
    /// The share now, in thousandths.
    pub(crate) is_permille: u16,
    /// Number of rows.
    pub(crate) rows: u32,
    /// Native ID of the first listing without it; `None` if no such row was understood.
    pub(crate) example: Option<String>,
}

/// Counts the rows of a scan and compares them with the search's past.
#[derive(Clone, Debug, Default)]
pub(crate) struct DriftCheck {
    window: Window,
    done: Vec<Window>,
}

/// Number of rows that had each field.
#[derive(Clone, Debug, Default)]
struct Window {
    rows: u32,
    understood: u32,
    filled: [u32; FIELDS.len()],
    without: [Option<String>; FIELDS.len()],
}

type Has = fn(&Listing) -> bool;

/// The watched fields, by their names in [`fields`](crate::fields), and whether a listing has them: all optional
/// fields.
const FIELDS: [(&str, Has); 30] = [
    ("list_price", |l| l.list_price.is_some()),
    ("original_list_price", |l| l.original_list_price.is_some()),
    ("previous_list_price", |l| l.previous_list_price.is_some()),
    ("close_price", |l| l.close_price.is_some()),
    ("close_date", |l| l.close_date.is_some()),
    ("price_changed_at", |l| l.price_changed_at.is_some()),
    ("listed_at", |l| l.listed_at.is_some()),
    ("property_type", |l| l.property_type.is_some()),
    ("bedrooms", |l| l.bedrooms.is_some()),
    ("bathrooms", |l| l.bathrooms_hundredths.is_some()),
    ("living_area", |l| l.living_area.is_some()),
    ("lot_area", |l| l.lot_area.is_some()),
    ("year_built", |l| l.year_built.is_some()),
    ("association_fee", |l| l.association_fee.is_some()),
    ("address.line", |l| l.address.line.is_some()),
    ("address.neighbourhood", |l| l.address.neighbourhood.is_some()),
    ("address.city", |l| l.address.city.is_some()),
    ("address.county", |l| l.address.county.is_some()),
    ("address.region", |l| l.address.region.is_some()),
    ("address.postal_code", |l| l.address.postal_code.is_some()),
    ("address.country", |l| l.address.country.is_some()),
    ("address.latitude", |l| l.address.latitude_e6.is_some()),
    ("address.longitude", |l| l.address.longitude_e6.is_some()),
    ("details.title", |l| l.details.title.is_some()),
    ("details.description", |l| l.details.description.is_some()),
    ("details.seller", |l| l.details.seller.is_some()),
    ("details.agency", |l| l.details.agency.is_some()),
    ("details.images", |l| !l.details.images.is_empty()),
    ("details.amenities", |l| !l.details.amenities.is_empty()),
    ("details.url", |l| l.details.url.is_some()),
];

impl Profile {
    fn settled(&self) -> bool {
        self.windows >= SETTLED_WINDOWS
    }

    /// Adds the shares of a scan.
    fn learn(&mut self, windows: &[Window]) {
        let mut scan: BTreeMap<&str, u16> = BTreeMap::new();
        for (field, share) in windows.iter().flat_map(Window::shares) {
            scan.entry(field).and_modify(|lowest| *lowest = share.min(*lowest)).or_insert(share);
        }
        for (field, share) in scan {
            match self.lowest.get_mut(field) {
                Some(lowest) if share < *lowest => *lowest = share,
                Some(lowest) => *lowest += (share - *lowest) / 8,
                None => drop(self.lowest.insert(field.to_owned(), share)),
            }
        }
        let windows = u32::try_from(windows.len()).unwrap_or(u32::MAX);
        self.windows = self.windows.saturating_add(windows);
    }
}

impl Profiles {
    pub(crate) fn of(&self, incremental: bool) -> &Profile {
        if incremental { &self.changes } else { &self.full }
    }

    pub(crate) fn of_mut(&mut self, incremental: bool) -> &mut Profile {
        if incremental { &mut self.changes } else { &mut self.full }
    }
}

/// The parts of a row that are counted.
#[derive(Clone, Copy)]
pub(crate) enum Seen<'a> {
    Listing { native_id: &'a str, listing: &'a Listing },
    Refused { raw: &'a [u8] },
}

impl<'a> From<&'a Row> for Seen<'a> {
    fn from(row: &'a Row) -> Self {
        match row {
            Row::Found(found) => Self::Listing { native_id: &found.native_id, listing: &found.listing },
            Row::Refused { raw, .. } => Self::Refused { raw: raw.as_bytes() },
        }
    }
}

impl DriftCheck {
    /// Counts the rows of a page, and returns the drift in the windows that they complete.
    pub(crate) fn page<'r, R>(&mut self, rows: &'r [R], profile: &Profile) -> Vec<Drift>
    where
        Seen<'r>: From<&'r R>,
    {
        rows.iter().for_each(|row| self.window.count(row.into()));
        if self.window.rows < WINDOW_ROWS { Vec::new() } else { self.close(profile) }
    }

    /// Compares the last window of a scan.
    pub(crate) fn last(&mut self, profile: &Profile) -> Vec<Drift> {
        if self.window.rows < LAST_WINDOW_ROWS { Vec::new() } else { self.close(profile) }
    }

    /// Adds the counts since the last call to the profile.
    pub(crate) fn teach(&mut self, profile: &mut Profile) {
        profile.learn(&std::mem::take(&mut self.done));
    }

    fn close(&mut self, profile: &Profile) -> Vec<Drift> {
        let window = std::mem::take(&mut self.window);
        let drifts = if profile.settled() { window.compare(profile) } else { Vec::new() };
        self.done.push(window);
        drifts
    }
}

impl Window {
    fn count(&mut self, row: Seen<'_>) {
        self.rows += 1;
        let Seen::Listing { native_id, listing } = row else { return };
        self.understood += 1;
        for (place, (_, has)) in FIELDS.iter().enumerate() {
            if has(listing) {
                self.filled[place] += 1;
            } else if self.without[place].is_none() {
                self.without[place] = Some(native_id.to_owned());
            }
        }
    }

    /// Each field's share of the understood rows, and their share of all rows, in thousandths.
    fn shares(&self) -> impl Iterator<Item = (&'static str, u16)> + '_ {
        let understood = (UNDERSTOOD, permille(self.understood, self.rows));
        let fields = FIELDS.iter().zip(self.filled).filter(|_| self.understood > 0);
        fields.map(|((name, _), filled)| (*name, permille(filled, self.understood))).chain([understood])
    }

    fn compare(&self, profile: &Profile) -> Vec<Drift> {
        let drift = |field: &'static str, filled: u32, rows: u32, example: Option<&String>| {
            let was_permille = *profile.lowest.get(field)?;
            let is_permille = permille(filled, rows);
            let fell = u32::from(is_permille) * 2 < u32::from(was_permille);
            (fell && improbable(filled, rows, was_permille)).then(|| Drift {
                field,
                was_permille,
                is_permille,
                rows,
                example: example.cloned(),
            })
        };
        let understood = drift(UNDERSTOOD, self.understood, self.rows, None);
        let fields = FIELDS.iter().enumerate().filter_map(|(place, (field, _))| {
            drift(field, self.filled[place], self.understood, self.without[place].as_ref())
        });
        understood.into_iter().chain(fields).collect()
    }
}

fn permille(part: u32, whole: u32) -> u16 {
    u16::try_from(u64::from(part) * 1_000 / u64::from(whole.max(1))).unwrap_or(1_000)
}

/// Whether so few of `rows` are improbable if the true share is `was_permille`.
fn improbable(filled: u32, rows: u32, was_permille: u16) -> bool {
    if rows == 0 {
        return false;
    }
    let p = (f64::from(was_permille) / 1_000.0).min(SHARE_MAX);
    let q = f64::from(filled) / f64::from(rows);
    let part = |q: f64, p: f64| if q > 0.0 { q * (q / p).ln() } else { 0.0 };
    let divergence = part(q, p) + part(1.0 - q, 1.0 - p);
    -f64::from(rows) * divergence < LN_CHANCE_MAX
}

impl fmt::Display for Drift {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |permille: u16| f64::from(permille) / 10.0;
        write!(f, "{}: {} % of {} rows", self.field, percent(self.is_permille), self.rows)?;
        write!(f, ", never below {} % before", percent(self.was_permille))?;
        match &self.example {
            Some(id) => write!(f, " (none in {id:.80})"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
