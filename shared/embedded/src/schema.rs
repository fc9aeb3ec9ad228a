//! The tables. A change needs a new [`FORMAT`], and either a step in `Database::open` that upgrades the format before
//! it, or a note in `OpenError::Older` that there is none.

use rusqlite::Connection;

/// The application ID in the header of the file: "Stoo" in ASCII.
pub(crate) const APPLICATION_ID: i32 = 0x5374_6f6f;

/// The format that this program reads and writes, stored in SQLite's `user_version`. Format 4 and earlier had other
/// bytes of homes and markets, which cannot be converted. Format 5 had whole states instead of bases and tails. Format
/// 6 did not store the rules of alerts. Format 7 had other areas. Format 8 had fewer quantities in the states of markets,
/// and no segments of indexes. Format 9 had no price indices in them. Format 10 had coarse prices in wide areas, counted
/// sales and doubtful prices otherwise, and had no withdrawn alerts. Format 11 had other areas of spoilt postal codes, and
/// one history for all homes of an ID.
pub(crate) const FORMAT: i64 = 11 + stoop_domain::FACTS_VERSION as i64;
const _: () = assert!(stoop_domain::AREAS_VERSION == 2, "raise FORMAT when areas change");
const _: () = assert!(stoop_market::CATALOGUE_VERSION == 5, "raise FORMAT when contributions change");

/// The oldest format whose lake this program reads. A rebuild converts such a file to [`FORMAT`].
pub(crate) const REBUILT_FROM: i64 = 5;

/// `homes` are in the order in which they were first seen, not by ID. Feeds contain homes in much the same order each
/// time, so a batch touches few pages: with 200,000 homes, new ones are written three times as fast and known ones four
/// times as fast as in a table without row IDs. The columns of a home other than its body are for lists and for people
/// with the `sqlite3` shell.
///
/// `outbox` and `lake_objects` form the lake: first the objects, then the outbox. `lake_intents` names files that a
/// transaction in progress may write.
///
/// The state of a market is the sum of its base and its tails, one for each commit since. `markets` has their sizes in
/// bytes.
///
/// `areas` has the sum of each wide area, and `markets` the version of each state that is in the sum of its city (0:
/// none). `first` is the first civil day of a city's sum; other areas have the days of their cities.
///
/// `archives` has the folded part of each market: one sum per period of 32 days.
///
/// `changes` and `stream` are queues: their numbers are never reused, even when the rows are removed.
///
/// `alerts` is the ledger of alerts, each with its `rules` (null: not known). The body of a withdrawn one says so.
///
/// `searches` has the manifest of the index of each search, and `index_segments` its segments (ADR 0048).
///
/// `accounts` has the requests to each account of a source. `processes` are the processes that use the file, and `runs`
/// refer to theirs. `followers` are the followers of the ledger of alerts, each with its position `seq` and, for a
/// file, its length (null: to its end). A dead letter is an alert that a subscriber refused permanently. `settings` has
/// the settings that were last in effect.
pub(crate) const TABLES: &str = "
CREATE TABLE totals(
    id INTEGER PRIMARY KEY CHECK(id = 1), lake_rows INTEGER NOT NULL, outbox_bytes INTEGER NOT NULL, newest INTEGER
) STRICT;
INSERT INTO totals VALUES(1, 0, 0, NULL);

CREATE TABLE outbox(
    seq INTEGER PRIMARY KEY, rows INTEGER NOT NULL, first_at INTEGER NOT NULL, last_at INTEGER NOT NULL,
    body BLOB NOT NULL
) STRICT;
CREATE TABLE lake_objects(
    seq INTEGER PRIMARY KEY, path TEXT NOT NULL, rows INTEGER NOT NULL, bytes INTEGER NOT NULL,
    first_at INTEGER NOT NULL, last_at INTEGER NOT NULL
) STRICT;
CREATE TABLE lake_intents(token TEXT PRIMARY KEY) STRICT;

CREATE TABLE changes(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, home TEXT NOT NULL, old BLOB, new BLOB NOT NULL
) STRICT;
CREATE TABLE checkpoints(
    feed TEXT, consumer TEXT, seq INTEGER NOT NULL, PRIMARY KEY(feed, consumer)
) STRICT, WITHOUT ROWID;
CREATE TABLE stream(
    seq INTEGER PRIMARY KEY AUTOINCREMENT, partition_key TEXT NOT NULL, body BLOB NOT NULL
) STRICT;

CREATE TABLE alerts(
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at INTEGER NOT NULL, verdict TEXT NOT NULL, body TEXT NOT NULL,
    rules INTEGER
) STRICT;
CREATE INDEX alerts_withdrawn ON alerts(at) WHERE json_extract(body, '$.withdrawn') IS NOT NULL;
CREATE TABLE rules(id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE searches(
    search TEXT PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL, source TEXT NOT NULL
) STRICT;
CREATE INDEX searches_by_source ON searches(source);
CREATE TABLE index_segments(
    search TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(search, number)
) STRICT;
CREATE TABLE accounts(account TEXT PRIMARY KEY, version INTEGER NOT NULL, body TEXT NOT NULL) STRICT;
CREATE TABLE runs(id TEXT PRIMARY KEY, began_at INTEGER NOT NULL, body TEXT NOT NULL, process TEXT) STRICT;
CREATE INDEX runs_by_process ON runs(process) WHERE process IS NOT NULL;
CREATE TABLE processes(
    seq INTEGER PRIMARY KEY, token TEXT NOT NULL UNIQUE, pid INTEGER NOT NULL, command TEXT NOT NULL,
    since INTEGER NOT NULL
) STRICT;
CREATE TABLE followers(name TEXT PRIMARY KEY, seq INTEGER NOT NULL, bytes INTEGER) STRICT;
INSERT INTO followers VALUES('alerts.jsonl', 0, NULL);
CREATE TABLE dead_letters(
    follower TEXT, seq INTEGER, at INTEGER NOT NULL, why TEXT NOT NULL, PRIMARY KEY(follower, seq)
) STRICT, WITHOUT ROWID;
CREATE TABLE settings(name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE quarantine(
    hash BLOB PRIMARY KEY, at INTEGER NOT NULL, source TEXT NOT NULL, reason TEXT NOT NULL, body TEXT NOT NULL
) STRICT;
";

/// The index of the live homes.
pub(crate) const HOMES_BY_MARKET: &str = "CREATE INDEX homes_by_market ON homes(market)";

/// The indexes of the live roll-ups: markets that changed since they were rolled up, and areas without their sums.
pub(crate) const ROLL_UP_INDICES: &str = "
CREATE INDEX markets_to_roll_up ON markets(id) WHERE version <> rolled;
CREATE INDEX areas_by_level ON areas(level, first, path, terms);
";

/// Exists while there is a generation beside the live one: its lake, its program and its progress.
pub(crate) const REBUILD: &str = "
CREATE TABLE IF NOT EXISTS rebuild(
    id INTEGER PRIMARY KEY CHECK(id = 1), stage TEXT NOT NULL, program TEXT NOT NULL, lake_rows INTEGER NOT NULL,
    newest INTEGER, version INTEGER NOT NULL, done INTEGER NOT NULL, format INTEGER NOT NULL
) STRICT;
";

/// Created when the first search is scheduled or controlled, so that older files and programs need not know them.
pub(crate) const CONTROLS: &str = "
CREATE TABLE IF NOT EXISTS next_polls(search TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS controls(search TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;
";

/// Created when the first reference series is loaded, so that older files and programs need not know them. They are
/// not computed from the lake: a rebuild keeps them. `areas_version` is that of the paths
/// ([`stoop_domain::AREAS_VERSION`]); `day` counts from 1970-01-01.
pub(crate) const REFERENCE: &str = "
CREATE TABLE IF NOT EXISTS reference_series(
    name TEXT PRIMARY KEY, unit TEXT NOT NULL, areas_version INTEGER NOT NULL, loaded_at INTEGER NOT NULL,
    source TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS reference_areas(
    id INTEGER PRIMARY KEY, series TEXT NOT NULL, path TEXT NOT NULL, UNIQUE(series, path)
) STRICT;
CREATE TABLE IF NOT EXISTS reference_values(
    area INTEGER, day INTEGER, value REAL NOT NULL, PRIMARY KEY(area, day)
) STRICT, WITHOUT ROWID;
";

/// Created when listings are first merged, so that older files and programs need not know them. `merged_listings` has the
/// listings of homes with more than one, `corrections` what each such home changes in each market: both are computed from the
/// homes, and belong to a generation. `county_changes` has how often each county changed, and how many of its changes are merged.
pub(crate) const MERGING: &str = "
CREATE TABLE IF NOT EXISTS merged_listings{generation}(
    county TEXT, listing TEXT, home TEXT NOT NULL, speaks INTEGER NOT NULL, PRIMARY KEY(county, listing)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS corrections{generation}(
    county TEXT, home TEXT, market TEXT, body BLOB NOT NULL, PRIMARY KEY(county, home, market)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS county_changes(
    county TEXT PRIMARY KEY, changes INTEGER NOT NULL, merged INTEGER NOT NULL DEFAULT 0
) STRICT;
";

/// The indexes of the live tables where listings are merged: the listings of a home, and their alerts.
pub(crate) const MERGING_INDICES: &str = "
CREATE INDEX IF NOT EXISTS merged_by_home ON merged_listings(county, home);
CREATE INDEX IF NOT EXISTS alerts_by_home ON alerts(json_extract(body, '$.home')) WHERE json_valid(body);
";

/// Created with the first ruling on two listings. A rebuild keeps it: it is not computed from the lake.
pub(crate) const RULINGS: &str = "
CREATE TABLE IF NOT EXISTS pair_rulings(
    a TEXT, b TEXT, ruling TEXT NOT NULL, at INTEGER NOT NULL, by TEXT NOT NULL, PRIMARY KEY(a, b)
) STRICT, WITHOUT ROWID;
";

/// Converts the other tables of format 5 or 6 to those of format 7 and 8.
pub(crate) const FROM_6: &str = "
ALTER TABLE alerts ADD COLUMN rules INTEGER;
CREATE TABLE rules(id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE) STRICT;
";

/// Converts the other tables of formats 7 to 10 to [`FORMAT`]. The indexes of searches remain as they are, and are read.
pub(crate) const FROM_8: &str = "
CREATE TABLE IF NOT EXISTS index_segments(
    search TEXT NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(search, number)
) STRICT;
CREATE INDEX IF NOT EXISTS alerts_withdrawn ON alerts(at) WHERE json_extract(body, '$.withdrawn') IS NOT NULL;
";

/// Whether there is a table of this name; some are created with their first row. Reads the file: `Connection::table_exists` may
/// answer from what the connection knew before another process created it.
pub(crate) fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
    connection.prepare_cached(sql)?.exists([name])
}
