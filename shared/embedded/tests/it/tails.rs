//! A commit to a large market writes only its delta.

use rusqlite::Connection;
use stoop_market::Cells;

use crate::support::{apply, market, observation, open, paths};

/// Version and bytes of the base of the only market, number of its tails, and their bytes.
fn parts(connection: &Connection) -> (i64, i64, i64, i64) {
    let sql = "SELECT version, length(body), (SELECT count(*) FROM tails),
               (SELECT coalesce(sum(length(body)), 0) FROM tails) FROM bases";
    connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))).unwrap()
}

#[test]
fn a_change_of_a_large_market_writes_its_delta() {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let homes: Vec<_> = (0..2_000_i64).map(|n| observation(&n.to_string(), n * 1_000, 1)).collect();
    apply(&database, &homes.iter().collect::<Vec<_>>());
    let connection = Connection::open(paths(folder.path()).0).unwrap();
    let (version, base_bytes, ..) = parts(&connection);
    assert_eq!(version, 1);
    assert!(base_bytes > 20_000, "{base_bytes} bytes are too few for a large market");
    let mut bases = 0;
    for n in 0..400_i64 {
        let (before, before_bytes, ..) = parts(&connection);
        apply(&database, &[&observation(&(n * 7 % 2_000).to_string(), 5_000_000 + n * 60, 2)]);
        let (version, base_bytes, tails, tail_bytes) = parts(&connection);
        if version == before {
            assert_eq!((base_bytes, version + tails), (before_bytes, n + 2), "a tail for each commit since the base");
        } else {
            assert_eq!((version, tails, tail_bytes), (n + 2, 0, 0));
            bases += 1;
        }
        assert!(tail_bytes * 4 <= base_bytes, "{tail_bytes} bytes of tails, {base_bytes} of base");
        if n < 20 {
            assert_eq!(version, 1, "twenty changes do not cause a new base");
            assert!(tail_bytes < 500 * tails);
        }
    }
    assert!((1..20).contains(&bases), "{bases} bases in 400 commits");

    // The state equals that of the same observations in one commit.
    let other = tempfile::TempDir::new().unwrap();
    let at_once = open(other.path());
    apply(&at_once, &homes.iter().collect::<Vec<_>>());
    let late: Vec<_> = (0..400_i64).map(|n| observation(&(n * 7 % 2_000).to_string(), 5_000_000 + n * 60, 2)).collect();
    apply(&at_once, &late.iter().collect::<Vec<_>>());
    let state = |database: &stoop_embedded::Database| -> Cells { database.cells(&market()).unwrap().unwrap() };
    assert_eq!(state(&database).first_difference(&state(&at_once)), None);
}
