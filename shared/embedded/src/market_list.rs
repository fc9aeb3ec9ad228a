//! The names of all markets as they were last read through a handle: every page needs them, and they seldom change.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use stoop_domain::Market;

use crate::error::Result;

/// The list for a state of the table.
#[derive(Default)]
pub(crate) struct MarketList(Mutex<Option<(TableState, Arc<[Market]>)>>);

/// What differs after each change of the list. Rows of `markets` are only ever added, each with the next row ID; a rebuild
/// puts another table in its place, which changes the version of the schema.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TableState {
    schema: i64,
    newest: Option<i64>,
}

/// Some 10 MB of names. A longer list is read each time.
const KEPT_MAX: usize = 100_000;

impl MarketList {
    /// The markets as `read` reads them, or as it read them last in the same state.
    pub(crate) fn known(
        &self,
        state: impl Fn() -> Result<TableState>,
        read: impl FnOnce() -> Result<Vec<Market>>,
    ) -> Result<Vec<Market>> {
        let Self(kept) = self;
        let lock = || kept.lock().unwrap_or_else(PoisonError::into_inner);
        let before = state()?;
        if let Some((_, markets)) = lock().as_ref().filter(|(of, _)| *of == before) {
            return Ok(markets.to_vec());
        }
        let markets = read()?;
        // A market that was added between both reads belongs to a later state.
        let is_kept = markets.len() <= KEPT_MAX && state()? == before;
        *lock() = is_kept.then(|| (before, markets.as_slice().into()));
        Ok(markets)
    }
}

impl TableState {
    pub(crate) fn of(connection: &Connection) -> Result<Self> {
        let mut newest = connection.prepare_cached("SELECT max(rowid) FROM markets")?;
        let newest = newest.query_row([], |row| row.get(0))?;
        let schema = connection.pragma_query_value(None, "schema_version", |row| row.get(0))?;
        Ok(Self { schema, newest })
    }
}
