use std::collections::BTreeMap;
use std::sync::Arc;

use stoop_domain::{Alert, AlertId, Reason, RefusedValue, Reject, Verdict};
use stoop_pipeline::ports::{
    JudgedAlert, Ledger, Pages, Publisher, Quarantine, RawPages, RunLedger, RunOutcome, RunRecord, Views,
};
use stoop_rules::Rules;

use crate::made;

/// The contract of [`Ledger`]. `read` returns every recorded alert, in any order; `rules_of` the rules that one was
/// judged by, as JSON; `views` read the same ledger.
pub async fn ledger_conformance<L: Ledger + ?Sized>(
    ledger: Arc<L>,
    read: impl AsyncFn() -> Vec<Alert>,
    rules_of: impl AsyncFn(&str) -> String,
    views: &dyn Views,
) {
    let id = |id: &str| AlertId(id.into());
    assert_eq!(ledger.known(&[]).await.unwrap(), Vec::<bool>::new());
    assert_eq!(ledger.known(&[id("a")]).await.unwrap(), [false]);

    let first = made::alert("a", 0, Verdict::Alert);
    let suspect = made::alert("b", 1, Verdict::Suspect("a tenth".into()));
    ledger.record(&[first.clone(), suspect.clone()], &Rules::default()).await.unwrap();
    let known = ledger.known(&[id("c"), id("b"), id("a"), id("b")]).await.unwrap();
    assert_eq!(known, [false, true, true, true], "the answers are in the order of the questions");

    let other_rules = Rules { noise_bp: 51, ..Rules::default() };
    let again = made::alert("a", 9, Verdict::Suspect("another".into()));
    ledger.record(&[again.clone(), again], &other_rules).await.unwrap();
    ledger.record(&[], &Rules::default()).await.unwrap();
    let third = made::alert("d", 2, Verdict::Alert);
    ledger.record(std::slice::from_ref(&third), &other_rules).await.unwrap();
    let fourth = made::alert("e", 3, Verdict::Alert);
    ledger.record(std::slice::from_ref(&fourth), &Rules::default()).await.unwrap();
    for (id, rules) in
        [("a", Rules::default()), ("b", Rules::default()), ("d", other_rules.clone()), ("e", Rules::default())]
    {
        let message: Rules = serde_json::from_str(&rules_of(id).await).unwrap();
        assert_eq!(message, rules, "{id} was first judged by these");
    }
    let judged = |alert: &Alert, rules: &Rules| Some(JudgedAlert { alert: alert.clone(), rules: Some(rules.clone()) });
    assert_eq!(views.alert(&id("b")).await.unwrap(), judged(&suspect, &Rules::default()));
    assert_eq!(views.alert(&id("d")).await.unwrap(), judged(&third, &other_rules));
    assert_eq!(views.alert(&id("c")).await.unwrap(), None);
    let mut recorded = read().await;
    recorded.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(recorded, [first.clone(), suspect.clone(), third, fourth], "recording twice keeps the first");

    assert_eq!(ledger.mark(&[]).await.unwrap(), 0);
    let (soon, late) = (Some(made::minute(50)), Some(made::minute(60)));
    assert_eq!(ledger.mark(&[(id("a"), soon), (id("b"), soon), (id("c"), soon)]).await.unwrap(), 2, "c is unknown");
    assert_eq!(ledger.mark(&[(id("a"), late), (id("b"), None), (id("d"), None)]).await.unwrap(), 1, "b alone changes");
    assert_eq!(ledger.known(&[id("a"), id("c")]).await.unwrap(), [true, false], "c stays unknown");
    ledger.record(std::slice::from_ref(&first), &Rules::default()).await.unwrap();
    let withdrawn = Alert { withdrawn: soon, ..first };
    assert_eq!(views.alert(&id("a")).await.unwrap(), judged(&withdrawn, &Rules::default()), "marked at first");
    assert_eq!(views.alert(&id("b")).await.unwrap(), judged(&suspect, &Rules::default()), "marked no longer");
    let listed = read().await;
    assert_eq!(listed.len(), 4);
    assert!(listed.contains(&withdrawn) && listed.contains(&suspect), "{listed:?}");
}

/// The contract of [`Quarantine`]. `read` returns everything that is stored, in any order.
pub async fn quarantine_conformance<Q: Quarantine + ?Sized>(quarantine: Arc<Q>, read: impl AsyncFn() -> Vec<Reject>) {
    let reject = made::reject("a.csv:17", Reason::BadValue, "1,two,3");
    let elsewhere = made::reject("a.csv:18", Reason::BadValue, "1,two,3");
    let otherwise = made::reject("a.csv:17", Reason::MissingField, "1,two,3");
    let reads_otherwise = made::reject("a.csv:17", Reason::BadValue, "1,two,4");
    assert_eq!(quarantine.put(&[]).await.unwrap(), 0);
    assert_eq!(quarantine.put(&[reject.clone(), reject.clone()]).await.unwrap(), 1, "kept once");
    let later = Reject { at: made::minute(5), detail: "in other words".into(), ..reject.clone() };
    assert_eq!(quarantine.put(&[later]).await.unwrap(), 0, "neither the time nor the words make it another");
    let others = [elsewhere, otherwise, reads_otherwise];
    assert_eq!(quarantine.put(&others).await.unwrap(), 3, "a reject differs by position, reason or raw text");
    let value = |detail: &str| {
        let value = RefusedValue { reason: Reason::BadValue, detail: detail.into() };
        Reject::of_value("avito", made::minute(0), "listing 17".into(), value, b"1,two,3")
    };
    let values = [value("bedrooms is many"), value("living_area is large")];
    assert_eq!(quarantine.put(&values).await.unwrap(), 2, "a row may have several refused values");
    assert_eq!(quarantine.put(&values).await.unwrap(), 0);
    let kept = read().await;
    assert_eq!(kept.len(), 6);
    assert!(values.iter().all(|value| kept.contains(value)));
    assert!(kept.contains(&reject) && others.iter().all(|other| kept.contains(other)));
}

/// The contract of [`RunLedger`]. `read` returns every record, in any order.
pub async fn run_ledger_conformance<R: RunLedger + ?Sized>(ledger: Arc<R>, read: impl AsyncFn() -> Vec<RunRecord>) {
    let begun = RunRecord {
        id: "r1".into(),
        kind: "poll".into(),
        subject: "agadir".into(),
        began_at: made::minute(0),
        ended_at: None,
        outcome: RunOutcome::Running,
        message: None,
        counts: BTreeMap::new(),
        raw_pages: None,
    };
    ledger.record(&begun).await.unwrap();
    assert_eq!(read().await, std::slice::from_ref(&begun));
    let ended = RunRecord {
        ended_at: Some(made::minute(2)),
        outcome: RunOutcome::Partial,
        message: Some("page 4: no answer".into()),
        counts: BTreeMap::from([("rows".into(), 120)]),
        raw_pages: Some(RawPages {
            source: "avito".into(),
            folder: "raw/r1".into(),
            seen: vec![made::minute(0), made::minute(1)],
        }),
        ..begun.clone()
    };
    ledger.record(&ended).await.unwrap();
    let other = RunRecord { id: "r2".into(), began_at: made::minute(1), ..begun };
    ledger.record(&other).await.unwrap();
    let mut records = read().await;
    records.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(records, [ended, other], "a run is replaced by its id");
}

/// The contract of [`Pages`]. `read` returns a page's bytes as they were put.
pub async fn pages_conformance<P: Pages + ?Sized>(pages: Arc<P>, read: impl AsyncFn(&str, u32) -> Option<Vec<u8>>) {
    assert_eq!(read("r1", 0).await, None);
    let big: Vec<u8> = (0..300_000_u32).flat_map(u32::to_le_bytes).collect();
    pages.put("r1", 0, b"<html>\xff\0</html>").await.unwrap();
    pages.put("r1", 1, &big).await.unwrap();
    pages.put("r2", 0, b"").await.unwrap();
    assert_eq!(read("r1", 0).await.unwrap(), b"<html>\xff\0</html>");
    assert_eq!(read("r1", 1).await.unwrap(), big);
    assert_eq!(read("r2", 0).await.unwrap(), b"");
    pages.put("r1", 0, b"later").await.unwrap();
    assert_eq!(read("r1", 0).await.unwrap(), b"later", "storing twice keeps the later");
}

/// The contract of [`Publisher`]. `read` returns what arrived, in order.
pub async fn publisher_conformance<P: Publisher + ?Sized>(publisher: Arc<P>, read: impl AsyncFn() -> Vec<String>) {
    let alerts: Vec<Alert> = (0..5).map(|i| made::alert(&format!("a{i}"), i, Verdict::Alert)).collect();
    let ids: Vec<String> = alerts.iter().map(|alert| alert.id.to_string()).collect();
    assert!(publisher.publish(&[]).await.is_empty(), "an empty batch always succeeds");
    for message in [0..1, 1..3, 3..alerts.len()] {
        let outcomes = publisher.publish(&alerts[message.clone()]).await;
        assert_eq!(outcomes.len(), message.len(), "an outcome for each alert");
        outcomes.into_iter().for_each(Result::unwrap);
        assert_eq!(read().await, ids[..message.end], "published alerts have arrived");
    }
}
