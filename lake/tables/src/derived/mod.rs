//! The tables that are written from the database: what the pipeline has made of the observations.

mod homes;
mod ledgers;

use std::collections::BTreeMap;

use stoop_domain::{Currency, HomeId, Minor, Time};
use stoop_embedded::Database;
use stoop_pipeline::ports::PortError;

use crate::cells::TableCell;
use crate::error::{LakeError, doing};
use crate::observation::money;
use crate::place::Lake;
use crate::replace::{Replaced, Replacement};
use crate::specs;

/// Homes that are read at a time.
const HOMES: usize = 1_000;

/// The outcome of each table.
pub type TableCounts = BTreeMap<String, Replaced>;

/// Writes the tables from a database. Inside of [`Database::reading`] all are as of one moment.
pub struct Derived<'d> {
    /// Where the tables are.
    pub lake: &'d Lake,
    /// A handle that only reads.
    pub database: &'d Database,
    /// The moment of statuses and days.
    pub now: Time,
}

impl Derived<'_> {
    /// Writes all tables. A table whose rows are the same as before gets no new version.
    ///
    /// # Errors
    /// If the database cannot be read or a table not be written. Tables that are done stay.
    pub async fn write(&self) -> Result<TableCounts, LakeError> {
        let mut counts = TableCounts::new();
        let now = self.now;
        let begin = |spec| Replacement::begin(self.lake, spec, now);
        let mut intervals = begin(specs::listing_history()).await?;
        let mut homes = begin(specs::homes()).await?;
        let mut changes = begin(specs::price_changes()).await?;
        let mut after: Option<HomeId> = None;
        loop {
            let page = self.database.homes_after(after.as_ref(), HOMES).map_err(unread)?;
            for (id, home) in &page {
                homes::push_intervals(&mut intervals, id, home).await?;
                homes::push_home(&mut homes, id, home, now).await?;
                homes::push_changes(&mut changes, id, home).await?;
            }
            match page.into_iter().last() {
                Some((last, _)) => after = Some(last),
                None => break,
            }
        }
        counts.insert("listing_history".to_owned(), intervals.end().await?);
        counts.insert("homes".to_owned(), homes.end().await?);
        counts.insert("price_changes".to_owned(), changes.end().await?);
        counts.insert("alerts".to_owned(), ledgers::alerts(self, begin(specs::alerts()).await?).await?);
        counts.insert("market_days".to_owned(), ledgers::market_days(self, begin(specs::market_days()).await?).await?);
        counts.insert("runs".to_owned(), ledgers::runs(self, begin(specs::runs()).await?).await?);
        counts.insert("raw_pages".to_owned(), ledgers::raw_pages(self, begin(specs::raw_pages()).await?).await?);
        counts.insert("rejects".to_owned(), ledgers::rejects(self, begin(specs::rejects()).await?).await?);
        Ok(counts)
    }
}

fn unread(error: PortError) -> LakeError {
    doing("read the database")(error)
}

/// The cell of an amount. One with too many digits for its column is left out; its observation is in `quarantine`.
fn amount(amount: Option<Minor>, currency: Currency) -> TableCell<'static> {
    TableCell::of(amount.and_then(|amount| money("", amount, currency).ok()), TableCell::Decimal)
}
