use std::collections::BTreeMap;

use stoop_domain::{HomeId, Status};
use stoop_pipeline::NextPoll;
use stoop_pipeline::ports::{Browse, Commit, HomeChange, RunLedger, RunOutcome, RunRecord, Store};

use crate::made;

/// The contract of [`Browse`], over what this store and this ledger have stored, and `keep` keeps.
pub async fn browse_conformance(
    store: &dyn Store,
    ledger: &dyn RunLedger,
    browse: &dyn Browse,
    keep: impl AsyncFn(NextPoll),
) {
    homes_are_listed_by_their_market(store, browse).await;
    the_last_runs_come_first(ledger, browse).await;
    next_polls_come_by_name(browse, keep).await;
}

async fn next_polls_come_by_name(browse: &dyn Browse, keep: impl AsyncFn(NextPoll)) {
    let runs = browse.runs(1_000).await.unwrap();
    let next = |search: &str, at| NextPoll {
        search: search.to_owned(),
        sent_at: made::minute(at),
        next_at: made::minute(at + 15),
        every_ms: 900_000,
        slowed_by: None,
        answered: None,
    };
    for (search, at) in [("graz", 0), ("agadir", 1), ("graz", 15), ("zip-2", 2)] {
        keep(next(search, at)).await;
    }
    assert_eq!(browse.next_polls().await.unwrap(), [next("agadir", 1), next("graz", 15), next("zip-2", 2)]);
    assert_eq!(browse.runs(1_000).await.unwrap(), runs, "it is no run");
}

async fn homes_are_listed_by_their_market(store: &dyn Store, browse: &dyn Browse) {
    let (agadir, rabat) = (made::market_in("Agadir"), made::market_in("Rabat"));
    let list = async |market, after: Option<&str>, limit| {
        let after = after.map(|id| HomeId(id.into()));
        browse.homes_of(market, after.as_ref(), limit).await.unwrap()
    };
    assert_eq!(list(&agadir, None, 10).await, []);
    // More than one request of a cloud store can hold, written in another order than that of their IDs.
    let observations: Vec<_> =
        (0..250_i64).rev().map(|i| made::observation(&format!("{i:03}"), 0, 900_000 + i)).collect();
    let mut homes: Vec<_> = observations.iter().map(|observation| made::home(&[observation])).collect();
    for some in homes.chunks(store.commit_items_max().min(50)) {
        let changes = some.iter().map(|(id, home)| HomeChange::of(id, 0, None, home, true)).collect();
        store.commit(&Commit { homes: changes, ..Commit::default() }).await.unwrap();
    }
    homes.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(list(&agadir, None, 1_000).await, homes);
    assert_eq!(list(&agadir, None, 250).await, homes);
    assert_eq!(list(&agadir, None, 120).await, homes[..120]);
    assert_eq!(list(&agadir, Some("avito/119"), 120).await, homes[120..240]);
    assert_eq!(list(&agadir, Some("avito/239"), 120).await, homes[240..], "fewer than asked for: there are no more");
    assert_eq!(list(&agadir, Some("avito/1"), 1).await, homes[100..101], "after an ID that is not there");
    assert_eq!(list(&agadir, Some("avito/249"), 120).await, []);
    assert_eq!(list(&agadir, None, 0).await, []);
    assert_eq!(list(&rabat, None, 10).await, []);

    // One moves, one leaves, one has a lower price.
    let moved = made::observation_in("Rabat", "000", 9, 900_000);
    let mut left = made::observation("001", 9, 900_001);
    left.listing.status = Status::Withdrawn;
    let cheaper = made::observation("002", 9, 800_000);
    for (at, observation) in [moved, left, cheaper].iter().enumerate() {
        let (id, old) = homes[at].clone();
        homes[at].1.apply(observation);
        let change = HomeChange::of(&id, 1, Some(&old), &homes[at].1, true);
        store.commit(&Commit { homes: vec![change], ..Commit::default() }).await.unwrap();
    }
    assert_eq!(list(&rabat, None, 10).await, homes[..1]);
    assert_eq!(list(&agadir, None, 2).await, homes[2..4], "as it is now");
    assert_eq!(list(&agadir, None, 1_000).await, homes[2..]);
}

async fn the_last_runs_come_first(ledger: &dyn RunLedger, browse: &dyn Browse) {
    assert_eq!(browse.runs(10).await.unwrap(), []);
    let run = |i: i64| RunRecord {
        id: format!("r{}", i * 7 % 30),
        kind: "poll".into(),
        subject: ["agadir", "rabat"][usize::from(i % 2 == 0)].into(),
        began_at: made::minute(i),
        ended_at: Some(made::minute(i + 1)),
        outcome: RunOutcome::Complete,
        message: None,
        counts: BTreeMap::from([("rows".into(), i.unsigned_abs())]),
        raw_pages: None,
    };
    let mut runs: Vec<RunRecord> = (0..30).map(run).collect();
    for run in &runs {
        let begun = RunRecord { ended_at: None, outcome: RunOutcome::Running, counts: BTreeMap::new(), ..run.clone() };
        ledger.record(&begun).await.unwrap();
        ledger.record(run).await.unwrap();
    }
    runs.reverse();
    assert_eq!(browse.runs(100).await.unwrap(), runs);
    assert_eq!(browse.runs(4).await.unwrap(), runs[..4]);
    assert_eq!(browse.runs(0).await.unwrap(), []);
    assert_eq!(browse.last_run("poll").await.unwrap().as_ref(), runs.first());
    assert_eq!(browse.last_run("verify").await.unwrap(), None);
    let verified = RunRecord { id: "v".into(), kind: "verify".into(), began_at: made::minute(-9), ..runs[0].clone() };
    ledger.record(&verified).await.unwrap();
    assert_eq!(browse.last_run("verify").await.unwrap(), Some(verified), "though every poll is later");
}
