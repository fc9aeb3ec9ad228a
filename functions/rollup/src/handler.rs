//! The roll-up function: a tick of its schedule in, the sums of counties, regions and countries brought up to the markets
//! that changed.
//!
//! Until the pass is wired to its store, a tick says which tables it was for and changes nothing.

use serde::Serialize;
use stoop_aws::Meter;

/// The metrics that a pass counts: markets that are in all their sums now, sums that were written, sums that somebody else
/// wrote meanwhile, areas that could not be brought up, and how long the longest-waiting market waited.
pub const METRICS: [&str; 5] = ["MarketsRolledUp", "SumsWritten", "SumConflicts", "RollUpsFailed", "RollUpLagMs"];

/// The function's settings, read once.
pub struct App {
    /// The tables of markets, of each generation that there is.
    pub tables: Vec<String>,
    /// Where the sums are.
    pub bucket: String,
    /// What is counted.
    pub meter: Meter,
}

/// What the function answers, for whoever invokes it by hand.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The tables of markets that the tick was for.
    pub tables: Vec<String>,
}

impl App {
    /// Says what a tick is for.
    #[must_use]
    pub fn handle(&self) -> Answer {
        tracing::warn!(bucket = self.bucket, tables = ?self.tables, "nothing is rolled up: the pass has no store yet");
        Answer { tables: self.tables.clone() }
    }
}
