//! What the use cases need from outside. Each trait's documentation is its contract.

mod alerts;
mod browse;
mod clock;
mod configuration;
mod controls;
mod failure;
mod files;
mod index;
mod merged_markets;
mod other_listings;
mod outline;
mod pair_rulings;
mod plans;
mod polls;
mod raw_pages;
mod search_index;
mod segments;
mod state;
mod views;
mod wide;

pub use crate::areas::area_sum::WholeMarket;
pub use crate::search::budget::{Account, AccountError};
pub use crate::search::poll_task::{Continuation, PollTask};
pub use alerts::{DeadLetter, DeadLetters, DeliveryCursors, DeliveryError, Ledger, LedgerRow, Publisher, Subscriber};
pub use browse::{Browse, MergedCounts, Polling, Quarantined, RefusedRows};
pub use clock::Clock;
pub use configuration::{ConfigFiles, Configuration};
pub use controls::SearchControls;
pub use failure::{FailureKind, PortError};
pub use files::{FileError, FilePage, FilePattern, FileRow, FileVersion, Files, OpenFile};
pub use index::{ContentHash, FilesTaken, IndexChanges, IndexEntry, OnStream, ScanCheckpoint, SearchState, Sent};
pub use merged_markets::{CountyRecord, MergedHomeRecord, MergedMarket, MergedMarkets, MergedOfCounty, MergingTerms};
pub use other_listings::OtherListings;
pub use outline::{IndexOutline, ManifestOutline, SentElsewhere};
pub use pair_rulings::PairRulingLedger;
pub use plans::{PlanLedger, TaskQueue};
pub use polls::{
    Budgets, Http, HttpAnswer, HttpError, Pages, Quarantine, RunLedger, RunOutcome, RunRecord, Stream, StreamReader,
};
pub use raw_pages::RawPages;
pub use search_index::SearchIndex;
pub use segments::{IndexManifest, IndexSave, SegmentName};
pub use state::{Change, Commit, CommitError, Gathers, HomeChange, HomeImage, MarketChange, Store, Versioned};
pub use views::{JudgedAlert, Views};
pub use wide::{RollUps, ShownWide, StoredSum, VisitWide, WideAreas};
