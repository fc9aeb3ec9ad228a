//! The tables. A change to them is a new [`FORMAT`], and a step in `Database::open` that brings a file of the format before
//! it up to it, or a word in `OpenError::Older` that there is none.

/// Written into the header of our files: "Stoo" in ASCII.
pub(crate) const APPLICATION_ID: i32 = 0x5374_6f6f;

/// The format that this program reads and writes, kept in SQLite's `user_version`. Homes and markets of format 4 and before
/// it were other bytes, of which these cannot be made; format 5 had whole states where this has bases and tails; format 6 did
/// not keep the rules that an alert was judged by; format 7 had other areas.
pub(crate) const FORMAT: i64 = 8;
const _: () = assert!(stoop_domain::AREAS_VERSION == 1, "with other areas, raise FORMAT as well");

/// The oldest format whose lake this program reads: of such a file a rebuild makes one of [`FORMAT`].
pub(crate) const REBUILT_FROM: i64 = 5;

/// `homes` lie in the order in which they were first seen, not in that of their ids. Feeds tell of homes in
/// much the same order again and again, so that a batch touches few pages: of 200,000 homes, new ones
/// are written three times as fast and known ones four times as fast as in a table without row ids.
/// The columns beside a home's body are there for lists and for people with the `sqlite3` shell.
///
/// `outbox` and `lake_objects` together are the lake, in this order: first the objects, then the outbox.
/// `lake_intents` names files that may be written by a transaction that is under way.
///
/// The state of a market is the sum of its base, and of its tails, one for each commit since. `markets` says how many bytes
/// they have.
///
/// `areas` has the sum of each wide area, and `markets` the version of each state that is in the sum of its city (0: none).
/// `first` is the first civil day that a city tells; the others tell what their cities do.
///
/// `archives` holds what the state of a market tells of no more: for each period of 32 days the sum of it.
///
/// `changes` and `stream` are queues: their numbers never come back, even when the rows are gone.
///
/// `alerts` is their ledger, each with the `rules` it was judged by (not known: null).
///
/// `accounts` is what was asked of each account of a source. `processes` is who works on the file, and `runs` say for which
/// of them they run. `followers` is who tells what the ledger of alerts holds, and how far each has come: in `seq`, and in a
/// file to which byte (not known: to its end). What a subscriber refused for ever is a dead letter. `settings` is what was last
/// in force.
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
CREATE TABLE rules(id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE) STRICT;
CREATE TABLE searches(
    search TEXT PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL, source TEXT NOT NULL
) STRICT;
CREATE INDEX searches_by_source ON searches(source);
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

/// The tables of a generation: what is computed from the lake (ADR 0039). The live one has no suffix.
pub(crate) const GENERATION: [&str; 6] = ["homes", "markets", "bases", "tails", "archives", "areas"];

/// Makes the tables of a generation.
pub(crate) fn generation(suffix: &str) -> String {
    format!(
        "CREATE TABLE homes{suffix}(
             id TEXT PRIMARY KEY, version INTEGER NOT NULL, market TEXT, status TEXT, list_price INTEGER,
             last_seen INTEGER, body BLOB NOT NULL
         ) STRICT;
         CREATE TABLE markets{suffix}(
             id TEXT PRIMARY KEY, version INTEGER NOT NULL, base_bytes INTEGER NOT NULL, tail_bytes INTEGER NOT NULL,
             rolled INTEGER NOT NULL DEFAULT 0
         ) STRICT;
         CREATE TABLE bases{suffix}(market TEXT PRIMARY KEY, version INTEGER NOT NULL, body BLOB NOT NULL) STRICT;
         CREATE TABLE tails{suffix}(
             market TEXT, version INTEGER, body BLOB NOT NULL, PRIMARY KEY(market, version)
         ) STRICT, WITHOUT ROWID;
         CREATE TABLE archives{suffix}(
             market TEXT NOT NULL, period INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY(market, period)
         ) STRICT;
         CREATE TABLE areas{suffix}(
             path TEXT NOT NULL, terms TEXT NOT NULL, level INTEGER NOT NULL, first INTEGER, now BLOB NOT NULL,
             series BLOB NOT NULL, PRIMARY KEY(path, terms)
         ) STRICT;"
    )
}

/// The index of the live homes.
pub(crate) const HOMES_BY_MARKET: &str = "CREATE INDEX homes_by_market ON homes(market)";

/// The indices of the live roll-ups: markets that changed since they were rolled up, and areas without their sums.
pub(crate) const ROLL_UP_INDICES: &str = "
CREATE INDEX markets_to_roll_up ON markets(id) WHERE version <> rolled;
CREATE INDEX areas_by_level ON areas(level, first, path, terms);
";

/// Kept while there is a generation beside the live one: which, of which lake and by which program, and how far it is built.
pub(crate) const REBUILD: &str = "
CREATE TABLE IF NOT EXISTS rebuild(
    id INTEGER PRIMARY KEY CHECK(id = 1), stage TEXT NOT NULL, program TEXT NOT NULL, lake_rows INTEGER NOT NULL,
    newest INTEGER, version INTEGER NOT NULL, done INTEGER NOT NULL, format INTEGER NOT NULL
) STRICT;
";

/// What makes the other tables of format 5 or 6 those of [`FORMAT`]; those of format 7 are as they are now.
pub(crate) const FROM_OLDER: &str = "
ALTER TABLE alerts ADD COLUMN rules INTEGER;
CREATE TABLE rules(id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE) STRICT;
";
