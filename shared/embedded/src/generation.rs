//! The tables that are computed from the lake exist in up to three generations (ADR 0039).

use std::fmt;

use crate::schema::has_table;
use rusqlite::Connection;

/// A generation of the tables. It displays as the suffix of their names, so that SQL names one as `homes{generation}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Generation {
    /// The one that is read and written. Its tables have no suffix.
    Live,
    /// The one that a rebuild or an import makes beside it.
    Next,
    /// The one that was live before a swap.
    Retired,
}

/// The tables of each generation, without suffix.
pub(crate) const TABLES: [&str; 6] = ["homes", "markets", "bases", "tails", "archives", "areas"];

/// Those that exist only if listings are merged.
const OF_MERGING: [&str; 2] = ["merged_listings", "corrections"];

fn all_tables() -> impl Iterator<Item = &'static str> {
    TABLES.into_iter().chain(OF_MERGING)
}

impl Generation {
    /// Creates the tables that each generation has, without indexes.
    pub(crate) fn create(self, connection: &Connection) -> rusqlite::Result<()> {
        connection.execute_batch(&format!(
            "CREATE TABLE homes{self}(
                 id TEXT PRIMARY KEY, version INTEGER NOT NULL, market TEXT, status TEXT, list_price INTEGER,
                 last_seen INTEGER, body BLOB NOT NULL
             ) STRICT;
             CREATE TABLE markets{self}(
                 id TEXT PRIMARY KEY, version INTEGER NOT NULL, base_bytes INTEGER NOT NULL, tail_bytes INTEGER NOT NULL,
                 rolled INTEGER NOT NULL DEFAULT 0
             ) STRICT;
             CREATE TABLE bases{self}(market TEXT PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
             CREATE TABLE tails{self}(
                 market TEXT, version INTEGER, body BLOB NOT NULL, PRIMARY KEY(market, version)
             ) STRICT, WITHOUT ROWID;
             CREATE TABLE archives{self}(
                 market TEXT NOT NULL, period INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(market, period)
             ) STRICT;
             CREATE TABLE areas{self}(
                 path TEXT NOT NULL, terms TEXT NOT NULL, level INTEGER NOT NULL, first INTEGER, now BLOB NOT NULL,
                 series BLOB NOT NULL, PRIMARY KEY(path, terms)
             ) STRICT;"
        ))
    }

    /// Removes its tables, if there are any.
    pub(crate) fn remove(self, connection: &Connection) -> rusqlite::Result<()> {
        all_tables().try_for_each(|table| connection.execute_batch(&format!("DROP TABLE IF EXISTS {table}{self}")))
    }

    /// Makes its tables those of another generation. An older format does not have all of them.
    pub(crate) fn rename(self, other: Self, connection: &Connection) -> rusqlite::Result<()> {
        for table in all_tables() {
            if has_table(connection, &format!("{table}{self}"))? {
                connection.execute_batch(&format!("ALTER TABLE {table}{self} RENAME TO {table}{other}"))?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Generation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Live => "",
            Self::Next => "_next",
            Self::Retired => "_retired",
        })
    }
}
