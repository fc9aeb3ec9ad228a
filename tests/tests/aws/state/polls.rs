//! The runs of a stack in the folder that it is pulled into.

use std::collections::BTreeMap;

use stoop_embedded::Database;
use stoop_pipeline::ports::{RawPages, RunLedger as _, RunOutcome, RunRecord};
use stoop_tests::made;

use super::town::Town;

#[tokio::test]
async fn polls_are_pulled_with_the_places_of_their_pages_and_replace_those_before() {
    let town = Town::new().await;
    let run = |id: &str, minute| RunRecord {
        id: id.to_owned(),
        kind: "poll".to_owned(),
        subject: "agadir".to_owned(),
        began_at: made::minute(minute),
        ended_at: Some(made::minute(minute + 1)),
        outcome: RunOutcome::Complete,
        message: None,
        counts: BTreeMap::new(),
        raw_pages: Some(RawPages {
            source: "avito".to_owned(),
            folder: format!("pages/{id}"),
            seen: vec![made::minute(minute)],
        }),
    };
    let polls = || {
        let database = Database::open_read(&town.pulled().join("stoop.db"), &town.pulled().join("stoop-data")).unwrap();
        database.runs(100).unwrap()
    };
    let runs = [run("r1", 0), run("r2", 5)];
    for pulled in 1..=2 {
        town.tables.runs().record(&runs[pulled - 1]).await.unwrap();
        assert_eq!(town.pull().await.runs, pulled as u64);
        let expected: Vec<RunRecord> = runs[..pulled].iter().rev().cloned().collect();
        assert_eq!(polls(), expected);
    }
    town.delete().await;
}
