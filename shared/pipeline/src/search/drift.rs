//! Whether a source drifts.
//!
//! If a portal renames a field, turns a price into a text or builds its page anew, nothing fails, but every listing
//! lacks something. So each search keeps the share of its rows in which each field was filled, and compares.
//!
//! Rows are counted in windows of at least [`WINDOW_ROWS`]; a smaller page waits for the next. Pages of one search
//! differ (land has no bedrooms, and some portals sort by kind), so a window is compared with the lowest share of any
//! past window, not with the mean. A field drifts if its share is less than half of that, and if so many rows without
//! it come by chance once in a million windows: Chernoff's bound on the lower tail of the binomial distribution,
//! `exp(-n KL(k/n, p))` (W. Hoeffding, "Probability inequalities for sums of bounded random variables", 1963, theorem
//! 1). Rows that were not understood count as rows without the field [`UNDERSTOOD`]: so a changed type shows.

mod shares;

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};
use stoop_domain::{Listing, fields};
use stoop_sources::Row;

pub use shares::{FieldShare, FieldShares};

/// A window has at least this many rows. The last of a scan may have only [`LAST_WINDOW_ROWS`].
const WINDOW_ROWS: u32 = 20;
const LAST_WINDOW_ROWS: u32 = 10;

/// Windows are compared with a past of at least this many windows.
const SETTLED_WINDOWS: u32 = 3;

/// A past share counts as at most this: a field that every row had may still be missing once.
const SHARE_MAX: f64 = 0.99;

/// The natural logarithm of one in a million.
const LN_CHANCE_MAX: f64 = -13.815_510_557_964_274;

/// The share of rows that were understood at all.
pub(crate) const UNDERSTOOD: &str = "rows understood";

/// The share of a search's rows in which each field was filled.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Profile {
    /// How many windows it was learnt from.
    windows: u32,
    /// By field, the lowest share of a window, in thousandths. It rises by an eighth of the way with each scan that
    /// stayed above it, so that an odd page of the past does not hide what happens later for ever.
    lowest: BTreeMap<String, u16>,
    /// What the last scan had, whether or not it was learnt from.
    #[serde(default)]
    shares: FieldShares,
}

/// The profiles of a search. A changes scan shows other rows than a full scan, so each kind has one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Profiles {
    full: Profile,
    changes: Profile,
}

/// A field that drifts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Drift {
    /// The field's name, or [`UNDERSTOOD`].
    pub(crate) field: &'static str,
    /// The lowest share of the past, in thousandths.
    pub(crate) was_permille: u16,
    /// The share now, in thousandths.
    pub(crate) is_permille: u16,
    /// Of how many rows.
    pub(crate) rows: u32,
    /// The first listing without it, by its native id; `None` where no row without it was understood.
    pub(crate) example: Option<String>,
}

/// Counts the rows of a scan and compares them with the search's past.
#[derive(Clone, Debug, Default)]
pub(crate) struct DriftCheck {
    window: DriftWindow,
    done: Vec<DriftWindow>,
}

/// How many rows had each field.
#[derive(Clone, Debug, Default)]
struct DriftWindow {
    rows: u32,
    understood: u32,
    /// All that a listing may lack; empty before the first row that was understood.
    fields: Vec<Filled>,
}

/// How many rows had a field.
#[derive(Clone, Debug)]
struct Filled {
    name: &'static str,
    rows: u32,
    /// The first listing without it, by its native id.
    without: Option<String>,
}

impl Profile {
    fn settled(&self) -> bool {
        self.windows >= SETTLED_WINDOWS
    }

    /// Takes over the shares of a scan.
    fn learn(&mut self, windows: &[DriftWindow]) {
        let mut scan: BTreeMap<&str, u16> = BTreeMap::new();
        for (field, share) in windows.iter().flat_map(DriftWindow::shares) {
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
    /// The fields of the last full scan, or of the last changes scan if there was none; `None` if no scan ended well.
    #[must_use]
    pub fn shares(&self) -> Option<&FieldShares> {
        [&self.full, &self.changes].into_iter().map(|profile| &profile.shares).find(|it| it.listings() > 0)
    }

    pub(crate) fn of(&self, incremental: bool) -> &Profile {
        if incremental { &self.changes } else { &self.full }
    }

    pub(crate) fn of_mut(&mut self, incremental: bool) -> &mut Profile {
        if incremental { &mut self.changes } else { &mut self.full }
    }
}

/// A row as it is counted.
#[derive(Clone, Copy)]
pub(crate) enum SeenRow<'a> {
    Listing { native_id: &'a str, listing: &'a Listing },
    Refused { raw: &'a [u8] },
}

impl<'a> From<&'a Row> for SeenRow<'a> {
    fn from(row: &'a Row) -> Self {
        match row {
            Row::Found(found) => Self::Listing { native_id: &found.native_id, listing: &found.listing },
            Row::Refused { raw, .. } => Self::Refused { raw: raw.as_bytes() },
        }
    }
}

impl DriftCheck {
    /// Counts the rows of a page. Returns the fields that drift in the windows that they complete.
    pub(crate) fn page<'r, R>(&mut self, rows: &'r [R], profile: &Profile) -> Vec<Drift>
    where
        SeenRow<'r>: From<&'r R>,
    {
        rows.iter().for_each(|row| self.window.count(row.into()));
        if self.window.rows < WINDOW_ROWS { Vec::new() } else { self.close(profile) }
    }

    /// The last window of a scan.
    pub(crate) fn last(&mut self, profile: &Profile) -> Vec<Drift> {
        if self.window.rows < LAST_WINDOW_ROWS { Vec::new() } else { self.close(profile) }
    }

    /// Puts the shares of the rows since the last [`DriftCheck::teach`] into the profile.
    pub(crate) fn note_shares(&self, profile: &mut Profile) {
        profile.shares.take(self.done.iter().chain([&self.window]));
    }

    /// Adds the windows since the last call to the profile.
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

impl DriftWindow {
    fn count(&mut self, row: SeenRow<'_>) {
        self.rows += 1;
        let SeenRow::Listing { native_id, listing } = row else { return };
        self.understood += 1;
        if self.fields.is_empty() {
            self.fields = fields(listing).map(|(name, _)| Filled { name, rows: 0, without: None }).collect();
        }
        for (field, (_, value)) in self.fields.iter_mut().zip(fields(listing)) {
            if value.is_some() {
                field.rows += 1;
            } else if field.without.is_none() {
                field.without = Some(native_id.to_owned());
            }
        }
    }

    /// Each field's share of the rows that were understood, and theirs of all, in thousandths.
    fn shares(&self) -> impl Iterator<Item = (&'static str, u16)> + '_ {
        let understood = (UNDERSTOOD, permille(self.understood, self.rows));
        let fields = self.fields.iter().map(|field| (field.name, permille(field.rows, self.understood)));
        fields.chain([understood])
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
        let fields = self.fields.iter();
        let fields = fields.filter_map(|field| drift(field.name, field.rows, self.understood, field.without.as_ref()));
        understood.into_iter().chain(fields).collect()
    }
}

fn permille(part: u32, whole: u32) -> u16 {
    u16::try_from(u64::from(part) * 1_000 / u64::from(whole.max(1))).unwrap_or(1_000)
}

/// Whether so few of `rows` are improbable, if the share is unchanged.
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
