//! What is wrong in areas is found.

use super::*;

/// Checks what verify reports after this change to a file whose areas are all rolled up, or in which those of a city
/// wait.
#[track_caller]
fn finds(sql: &str, expected: &str) {
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let mut random = Dice::new(3);
    measure(&database, &(0..150).map(|_| sighting(&mut random, 100)).collect::<Vec<_>>());
    database.roll_up(day(100), &|| false).unwrap();
    assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
    let connection = Connection::open(paths(folder.path()).0).unwrap();
    assert!(connection.execute(sql, []).unwrap() > 0, "{sql} alters nothing");
    let found = verify(folder.path()).differences;
    assert!(found.iter().any(|difference| difference.contains(expected)), "{sql}: {found:#?}");
    let found = {
        database.rebuild("this one", &|| false).unwrap();
        database.difference(&stoop_rules::Rules::default()).unwrap()
    };
    assert!(found.areas.count > 0, "{sql}: {found:#?}");
    database.swap().unwrap();
    assert_eq!(verify(folder.path()).differences, Vec::<String>::new());
    all_are_sums(&database, day(101));
}

#[test]
fn a_wrong_city_is_found() {
    let sql = "UPDATE areas SET now = (SELECT now FROM areas WHERE path = 'us/wa/king/renton' AND terms = 'sale:USD')
               WHERE path = 'us/wa/king/seattle' AND terms = 'sale:USD'";
    finds(sql, "the area us/wa/king/seattle:sale:USD differs (stored, recomputed): ");
}

#[test]
fn a_wrong_country_is_found() {
    let sql = "UPDATE areas SET series = (SELECT series FROM areas WHERE path = 'us/il' AND terms = 'sale:USD')
               WHERE path = 'us' AND terms = 'sale:USD'";
    finds(sql, "the area us:sale:USD differs (stored, recomputed): in its series: ");
}

#[test]
fn an_unreadable_area_is_found() {
    finds("UPDATE areas SET now = x'00' WHERE path = 'us/wa' AND terms = 'sale:USD'", "us/wa:sale:USD cannot be read");
    finds("UPDATE areas SET terms = 'gift:USD' WHERE path = 'us/wa' AND terms = 'sale:USD'", "an area cannot be read");
}

#[test]
fn an_area_of_wrong_days_is_found() {
    finds(
        "UPDATE areas SET first = first + 40 WHERE path = 'us/wa/king/seattle'",
        "us/wa/king/seattle:sale:USD differs",
    );
    finds("UPDATE areas SET first = NULL WHERE path = 'us/wa/king/seattle'", "us/wa/king/seattle:sale:USD differ: ");
    finds(
        "UPDATE areas SET level = 3 WHERE path = 'us/wa/king/seattle'",
        "us/wa/king/seattle:sale:USD differ: level 3",
    );
}

#[test]
fn a_missing_area_is_found() {
    finds(
        "DELETE FROM areas WHERE path = 'us/wa/king/renton'",
        "us/wa/king/renton:sale:USD has markets that are rolled up",
    );
    finds("DELETE FROM areas WHERE path = 'us/wa'", "the area us/wa:sale:USD has parts that are rolled up, but is not");
    finds(
        "DELETE FROM areas WHERE path = 'us'",
        "the area us:sale:USD has parts that are rolled up, but is not stored",
    );
}

#[test]
fn an_area_without_markets_is_found() {
    for path in ["fr/idf/paris/paris", "fr/idf/paris", "fr/idf", "fr"] {
        let sql = format!(
            "INSERT INTO areas SELECT '{path}', 'sale:EUR', level, first, now, series FROM areas
             WHERE terms = 'sale:USD' AND level = {} AND path LIKE 'us%' LIMIT 1",
            path.split('/').count()
        );
        finds(&sql, &format!("the area {path}:sale:EUR is stored, but has no markets"));
    }
}

/// A market that changed and is marked as rolled up; one that is marked with a version that it never had.
#[test]
fn a_market_with_a_wrong_mark_is_found() {
    finds(
        "UPDATE markets SET rolled = version + 1 WHERE id LIKE 'us/wa/king/renton/%'",
        "is marked as rolled up with version",
    );
    let folder = tempfile::TempDir::new().unwrap();
    let database = open(folder.path());
    let mut random = Dice::new(3);
    measure(&database, &(0..150).map(|_| sighting(&mut random, 100)).collect::<Vec<_>>());
    database.roll_up(day(100), &|| false).unwrap();
    measure(&database, &(0..150).map(|_| sighting(&mut random, 101)).collect::<Vec<_>>());
    assert_eq!(verify(folder.path()).differences, Vec::<String>::new(), "waiting cities are not compared");
    let connection = Connection::open(paths(folder.path()).0).unwrap();
    assert!(connection.execute("UPDATE markets SET rolled = version", []).unwrap() > 0);
    let found = verify(folder.path()).differences;
    assert!(found.iter().any(|it| it.contains("us/wa/king/seattle:sale:USD differs")), "{found:#?}");
}
