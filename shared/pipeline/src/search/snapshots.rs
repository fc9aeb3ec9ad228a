//! Whole snapshots of one source, one after the other: homes that they lack are gone.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use stoop_domain::{Details, Listing, Observation, Phase, Sighting, Status, Time, Watch};

use crate::search::loss::{CompleteScan, HeldBack, LossDecision, judge};

/// The absences that follow from snapshots read one after the other, the oldest first. A search keeps the same in its
/// index; this is for files that are read together, and holds everything in memory.
///
/// ```
/// use stoop_domain::{Currency, Listing, Observation, Address, Purpose, Status, Time};
/// use stoop_pipeline::Snapshots;
///
/// let listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
/// let home = |id: &str| Observation::new("mls", id, Time::from_ms(1), listing.clone());
/// let mut snapshots = Snapshots::default();
/// let mut gone = Vec::new();
/// for (day, ids) in [(1, vec!["a", "b"]), (2, vec!["a"])] {
///     snapshots.begin(Time::from_ms(day * Time::DAY_MS));
///     ids.into_iter().for_each(|id| snapshots.see(&home(id)));
///     gone.extend(snapshots.end(0).observations);
/// }
/// assert_eq!((gone[0].native_id.as_str(), gone[0].at), ("b", Time::from_ms(2 * Time::DAY_MS)));
/// assert_eq!((gone[0].listing.status, gone.len()), (Status::Gone, 1));
/// ```
#[derive(Debug, Default)]
pub struct Snapshots {
    listings: HashMap<String, SnapshotEntry>,
    source: Arc<str>,
    /// How the rows are checked.
    watch: Watch,
    as_of: Option<Time>,
    turn: u32,
    seen: u64,
}

/// What is known of a listing.
#[derive(Debug)]
struct SnapshotEntry {
    /// Its latest version, without details.
    listing: Listing,
    sighting: Sighting,
    /// The snapshot that had it last.
    turn: u32,
    /// The time of the first snapshot that lacks it, if none has had it since.
    missing_since: Option<Time>,
    /// The sighting with which it was reported gone, if it was.
    gone: Option<Sighting>,
}

/// The result of a snapshot beyond its rows.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SnapshotResult {
    /// Listings that are gone as of its time, and listings that are back without a row that says so: because the row
    /// could not be read, or comes earlier in the order. Sorted by ID, so that the same snapshots give the same result.
    pub observations: Vec<Observation>,
    /// The loss that is too large to be believed yet.
    pub held_back: Option<HeldBack>,
    /// Why its absences do not count.
    pub proves_nothing: Option<ProvesNothing>,
}

/// Why a snapshot proves no absence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProvesNothing {
    /// This many rows are so unreadable that even their ID is unknown.
    Unread(u64),
    /// It has no listing: a failed export is more likely than a town that was sold out.
    Empty,
}

impl Snapshots {
    /// Begins the next snapshot and returns its time: the given one, but always after the previous snapshot's, so that
    /// two snapshots of one time have an order.
    pub fn begin(&mut self, as_of: Time) -> Time {
        let as_of = self.as_of.map_or(as_of, |before| as_of.max(before.plus_ms(1)));
        self.as_of = Some(as_of);
        self.turn += 1;
        self.seen = 0;
        as_of
    }

    /// Whether the current snapshot is the first: then a new listing means nothing.
    #[must_use]
    pub fn is_first(&self) -> bool {
        self.turn == 1
    }

    /// Records that the snapshot has this listing.
    pub fn see(&mut self, observation: &Observation) {
        self.seen += 1;
        self.watch = observation.watch;
        let (turn, sighting) = (self.turn, observation.sighting());
        let Observation { source, native_id, listing, .. } = observation;
        if self.source != *source {
            self.source = Arc::clone(source);
        }
        let bare = || Listing { details: Details::default(), ..listing.clone() };
        match self.listings.get_mut(native_id.as_str()) {
            Some(entry) => {
                (entry.turn, entry.missing_since) = (turn, None);
                if sighting >= entry.sighting {
                    (entry.listing, entry.sighting) = (bare(), sighting);
                }
            }
            None => {
                let entry = SnapshotEntry { listing: bare(), sighting, turn, missing_since: None, gone: None };
                self.listings.insert(native_id.clone(), entry);
            }
        }
    }

    /// Records that the snapshot has it, whatever else is wrong with its row.
    pub fn note(&mut self, native_id: &str) {
        self.seen += 1;
        if let Some(entry) = self.listings.get_mut(native_id) {
            entry.turn = self.turn;
            entry.missing_since = None;
        }
    }

    /// Ends the snapshot. `unread` is the number of rows without a readable ID.
    pub fn end(&mut self, unread: u64) -> SnapshotResult {
        let proves_nothing = match (unread, self.seen) {
            (1.., _) => Some(ProvesNothing::Unread(unread)),
            (_, 0) => Some(ProvesNothing::Empty),
            _ => None,
        };
        let (turn, source, watch) = (self.turn, Arc::clone(&self.source), self.watch);
        let as_of = self.as_of.unwrap_or_default();
        let judgement = match proves_nothing {
            None => Some(self.judge(as_of)),
            Some(_) => None,
        };
        let mut observations = Vec::new();
        let mut say = |native_id: &str, listing: Listing, at: Time, last: &Sighting| {
            let sighting = Sighting { at, ..Sighting::at(as_of) }.after(last);
            let observation =
                Observation::new(Arc::clone(&source), native_id, sighting.at, listing).with_sighting(sighting);
            observations.push(Observation { watch, ..observation });
            sighting
        };
        self.listings.retain(|native_id, entry| {
            if entry.turn == turn {
                if let Some(gone) = entry.gone.take().filter(|gone| entry.sighting <= *gone) {
                    entry.sighting = say(native_id, entry.listing.clone(), as_of, &gone);
                }
                return true;
            }
            let (Some(judgement), Some(since), None) = (&judgement, entry.missing_since, entry.gone) else {
                return true;
            };
            if !judgement.is_gone(since) {
                return true;
            }
            if leaves_as_it_should(&entry.listing) {
                return false;
            }
            let listing = Listing { status: Status::Gone, ..entry.listing.clone() };
            entry.gone = Some(say(native_id, listing, since, &entry.sighting));
            true
        });
        observations.sort_by(|a, b| a.native_id.cmp(&b.native_id));
        SnapshotResult { observations, held_back: judgement.and_then(|judgement| judgement.held_back), proves_nothing }
    }

    /// Marks the listings that the snapshot lacks as missing, and judges the loss.
    fn judge(&mut self, as_of: Time) -> LossDecision {
        let mut missing_since = Vec::new();
        let mut present = 0;
        for entry in self.listings.values_mut() {
            let on_market = !leaves_as_it_should(&entry.listing);
            if entry.turn == self.turn {
                present += u64::from(on_market);
                continue;
            }
            if entry.gone.is_some() {
                continue;
            }
            let since = *entry.missing_since.get_or_insert(as_of);
            missing_since.extend(on_market.then_some(since));
        }
        judge(&missing_since, present, as_of, CompleteScan::Export)
    }
}

/// Whether a listing leaves normally, sold or withdrawn: then it is not gone.
pub(crate) fn leaves_as_it_should(listing: &Listing) -> bool {
    matches!(listing.status.phase(), Phase::Closed | Phase::Off)
}

impl fmt::Display for ProvesNothing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread(rows) => write!(f, "{rows} rows were not understood: nothing is said to be gone"),
            Self::Empty => f.write_str("there is no listing in it: nothing is said to be gone"),
        }
    }
}

impl std::error::Error for ProvesNothing {}
