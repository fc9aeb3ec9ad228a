use stoop_domain::Verdict;
use stoop_pipeline::ports::{DeadLetters, DeliveryCursors, Ledger};
use stoop_rules::Rules;

use crate::made;

/// The contract of [`DeliveryCursors`] and [`DeadLetters`], over a new ledger.
pub async fn followers_conformance(ledger: &dyn Ledger, cursors: &dyn DeliveryCursors, letters: &dyn DeadLetters) {
    let newest = cursors.newest().await.unwrap();
    assert_eq!((newest, cursors.is_known("one").await.unwrap()), (0, false));
    assert_eq!(waiting(cursors, "one", 9).await, []);

    let record =
        async |id: &str, verdict| ledger.record(&[made::alert(id, 0, verdict)], &Rules::default()).await.unwrap();
    for id in ["d", "a", "c"] {
        record(id, Verdict::Alert).await;
    }
    record("b", Verdict::Suspect("half".into())).await;
    record("a", Verdict::Suspect("again".into())).await;
    let all = waiting(cursors, "one", 9).await;
    let ids: Vec<&str> = all.iter().map(|(_, id)| &**id).collect();
    assert_eq!(ids, ["d", "a", "c", "b"], "in the order in which they were recorded first, also those held back");
    let at = |index: usize| all[index].0;
    assert!(at(0) > 0 && all.is_sorted_by(|(one, _), (next, _)| one < next), "positions grow: {all:?}");
    assert_eq!(cursors.newest().await.unwrap(), at(3));
    assert_eq!(waiting(cursors, "one", 2).await, all[..2]);
    assert_eq!(waiting(cursors, "one", 0).await, []);
    assert!(!cursors.is_known("one").await.unwrap(), "one that only reads has no progress");

    cursors.done("one", at(1)).await.unwrap();
    assert_eq!((cursors.is_known("one").await.unwrap(), cursors.is_known("two").await.unwrap()), (true, false));
    assert_eq!(waiting(cursors, "one", 9).await, all[2..]);
    cursors.done("one", at(0)).await.unwrap();
    assert_eq!(waiting(cursors, "one", 9).await, all[2..], "a slower process does not move it back");
    assert_eq!(waiting(cursors, "two", 9).await, all, "each at its own pace");

    a_refused_alert_is_a_dead_letter(cursors, letters, &all).await;
    record("e", Verdict::Alert).await;
    let (last, _) = waiting(cursors, "one", 9).await.pop().unwrap();
    assert_eq!((cursors.newest().await.unwrap(), last > at(3)), (last, true));
    assert_eq!(waiting(cursors, "one", 9).await.len(), 2, "b and e");
    cursors.done("one", last).await.unwrap();
    assert_eq!(waiting(cursors, "one", 9).await, []);
}

async fn a_refused_alert_is_a_dead_letter(
    cursors: &dyn DeliveryCursors,
    letters: &dyn DeadLetters,
    all: &[(i64, String)],
) {
    let list = async |follower: &str, after, limit| -> Vec<(i64, String, String)> {
        let letters = letters.list(follower, after, limit).await.unwrap();
        letters
            .into_iter()
            .map(|letter| (letter.position, letter.alert.id.0, format!("{} {}", letter.at, letter.why)))
            .collect()
    };
    let at = |index: usize| all[index].0;
    let letter =
        |index: usize, minute, why: &str| (at(index), all[index].1.clone(), format!("{} {why}", made::minute(minute)));
    assert_eq!(list("one", 0, 9).await, []);
    cursors.refused("one", at(2), made::minute(7), "status 422").await.unwrap();
    assert_eq!(waiting(cursors, "one", 9).await, all[3..], "it is done with it");
    for (index, minute) in [(1, 9), (0, 8)] {
        cursors.refused("two", at(index), made::minute(minute), "status 410").await.unwrap();
    }
    assert_eq!(waiting(cursors, "two", 9).await, all[2..], "nor does a refusal move it back");
    assert_eq!(list("one", 0, 9).await, [letter(2, 7, "status 422")]);
    let both = [letter(0, 8, "status 410"), letter(1, 9, "status 410")];
    assert_eq!(list("two", 0, 9).await, both, "in the order of the ledger");
    assert_eq!(list("two", 0, 1).await, both[..1]);
    assert_eq!(list("two", at(0), 9).await, both[1..], "after a position");
    assert_eq!(list("two", at(1), 9).await, []);

    letters.keep("two", at(1), made::minute(11), "status 404").await.unwrap();
    assert_eq!(list("two", at(0), 9).await, [letter(1, 11, "status 404")], "in place of the one before");
    for _ in 0..2 {
        letters.remove("two", at(1)).await.unwrap();
        assert_eq!(list("two", 0, 9).await, both[..1], "once and once more");
    }
    assert_eq!(list("one", 0, 9).await, [letter(2, 7, "status 422")], "those of another stay");
    assert_eq!(waiting(cursors, "two", 9).await, all[2..], "what is a dead letter no longer does not wait again");
}

/// The alerts that a follower has not done, each with its position.
async fn waiting(cursors: &dyn DeliveryCursors, follower: &str, limit: usize) -> Vec<(i64, String)> {
    let rows = cursors.waiting(follower, limit).await.unwrap();
    rows.into_iter().map(|(position, alert)| (position, alert.unwrap().id.0)).collect()
}
