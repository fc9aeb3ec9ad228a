use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use stoop_domain::{Alert, AlertId, Reason, Reject, Sighting, Verdict};
use stoop_pipeline::HeldBack;
use stoop_pipeline::ports::{
    ContentHash, FilesTaken, IndexEntry, Ledger, OnStream, Pages, Publisher, Quarantine, RunLedger, RunOutcome,
    RunRecord, ScanCheckpoint, SearchIndex, SearchState, Sent,
};
use stoop_rules::Rules;

use crate::made;

/// The contract of [`Ledger`]. `read` returns every recorded alert, in any order; `rules_of` the rules that one was
/// judged by, as JSON.
pub async fn ledger_conformance<L: Ledger + ?Sized>(
    ledger: Arc<L>,
    read: impl AsyncFn() -> Vec<Alert>,
    rules_of: impl AsyncFn(&str) -> String,
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
    for (id, rules) in [("a", Rules::default()), ("b", Rules::default()), ("d", other_rules), ("e", Rules::default())] {
        let message: Rules = serde_json::from_str(&rules_of(id).await).unwrap();
        assert_eq!(message, rules, "{id} was first judged by these");
    }
    let mut recorded = read().await;
    recorded.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(recorded, [first, suspect, third, fourth], "recording twice keeps the first");
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
    let kept = read().await;
    assert_eq!(kept.len(), 4);
    assert!(kept.contains(&reject) && others.iter().all(|other| kept.contains(other)));
}

/// The contract of [`SearchIndex`]. `rule` stores what a person says of a loss of a search, of a source, as a person does.
#[expect(clippy::too_many_lines, reason = "one contract, read from top to bottom")]
pub async fn search_index_conformance<I: SearchIndex + ?Sized>(index: Arc<I>, rule: impl AsyncFn(&str, &str, &str)) {
    let fresh = index.load("agadir", "yakeey").await.unwrap();
    assert_eq!(fresh, SearchState::default(), "a search that was never saved is fresh");
    let fresh = SearchState { source: "yakeey".into(), ..fresh };

    let entry = IndexEntry {
        doubtful: Some(made::minute(5)),
        on_stream: OnStream::Listing(ContentHash(u64::MAX)),
        last: Sighting { seq: 2, versioned: true, ..Sighting::at(made::minute(1)) },
        until: Some(Sighting { initial: true, ..Sighting::at(made::minute(3)) }),
        seen_in_scan: made::minute(0),
        missing_since: Some(made::minute(6)),
        listing: made::observation("1", 0, 900_000).listing,
    };
    let gone_at = made::minute(7);
    let stands = [entry.on_stream, OnStream::InDoubt, OnStream::Gone(gone_at), OnStream::GoneInDoubt(made::minute(8))];
    let checkpoint = ScanCheckpoint { cursor: <_>::default(), run: "r1".into(), began_at: made::minute(0), tries: 0 };
    let state = SearchState {
        seen: Some(made::minute(8)),
        clock: Some(made::minute(6)),
        begun: true,
        watermark: Some("2026-01-14".into()),
        checkpoint: Some(checkpoint),
        scans: 3,
        held_back: Some(HeldBack { listings: 70, held: 90, since: made::minute(6), until: made::minute(366) }),
        files: FilesTaken {
            marks: [0, 7, u64::MAX].into(),
            newest: Some(made::minute(4)),
            as_of: Some(made::minute(5)),
        },
        listings: (0..500)
            .map(|i| (format!("n{i}"), IndexEntry { on_stream: stands[i % stands.len()], ..entry.clone() }))
            .collect(),
        ..fresh.clone()
    };
    assert!(index.save("agadir", &state).await.unwrap());
    let stored = index.load("agadir", "yakeey").await.unwrap();
    assert_eq!(stored.version, 1);
    assert_eq!(SearchState { version: 0, ..stored.clone() }, state, "a loaded index equals the saved one");

    assert!(!index.save("agadir", &fresh).await.unwrap(), "a state that was overtaken is not stored");
    assert!(!index.save("agadir", &SearchState { version: 2, ..fresh.clone() }).await.unwrap());
    assert!(!index.save("nowhere", &SearchState { version: 1, ..fresh.clone() }).await.unwrap());
    assert_eq!(index.load("agadir", "yakeey").await.unwrap(), stored, "and changes nothing");

    assert!(index.save("agadir", &SearchState { scans: 4, ..stored }).await.unwrap());
    let stored = index.load("agadir", "yakeey").await.unwrap();
    assert_eq!((stored.version, stored.scans), (2, 4));
    assert_eq!(index.load("rabat", "yakeey").await.unwrap(), SearchState::default(), "searches do not mix");

    let present = IndexEntry { missing_since: None, ..entry.clone() };
    let listings = [
        ("here", present.clone()),
        ("missed", IndexEntry { missing_since: Some(made::minute(9)), ..present.clone() }),
        ("gone", IndexEntry { on_stream: OnStream::Gone(gone_at), ..present.clone() }),
        ("leaving", IndexEntry { on_stream: OnStream::GoneInDoubt(gone_at), ..present }),
    ];
    let listings = listings.into_iter().map(|(id, entry)| (id.to_owned(), entry)).collect();
    let other = SearchState { source: "avito".into(), listings, ..SearchState::default() };
    assert!(index.save("tanger", &other).await.unwrap());
    let ids = ["gone", "here", "leaving", "missed", "unknown"].map(str::to_owned);
    let seen = Some(entry.seen_in_scan);
    let held = async |search: &str, source: &str| index.held_elsewhere(search, source, &ids).await.unwrap();
    assert_eq!(held("fes", "avito").await, [None, seen, None, None, None], "only what is present is held");
    assert_eq!(held("fes", "mubawab").await, [None; 5], "sources do not mix");
    assert_eq!(held("tanger", "avito").await, [None; 5], "a search is not elsewhere to itself");
    let sent = async |search: &str, source: &str| index.sent_elsewhere(search, source).await.unwrap();
    let as_was = |on_stream: OnStream| Sent { sighting: entry.last, on_stream };
    let all = [
        ("here", entry.on_stream),
        ("missed", entry.on_stream),
        ("gone", OnStream::Gone(gone_at)),
        ("leaving", OnStream::GoneInDoubt(gone_at)),
    ];
    let all = all.map(|(id, on_stream)| (id.to_owned(), as_was(on_stream)));
    assert_eq!(sent("fes", "avito").await, HashMap::from(all.clone()), "also what is gone: it was said to be");
    assert_eq!(sent("fes", "mubawab").await, HashMap::new());
    assert_eq!(sent("tanger", "avito").await, HashMap::new());

    // Another has sent something else of one since, and what it sent of another was overtaken.
    let at = |minute| Sighting::at(made::minute(minute));
    let on_stream = OnStream::Listing(ContentHash(7));
    let listings = [("here", at(2)), ("gone", at(0)), ("new", at(4))]
        .map(|(id, last)| (id.to_owned(), IndexEntry { on_stream, last, ..entry.clone() }));
    let third = SearchState { listings: listings.into(), ..other.clone() };
    assert!(index.save("asilah", &third).await.unwrap());
    let mut latest = HashMap::from(all);
    latest.insert("here".into(), Sent { sighting: at(2), on_stream });
    latest.insert("new".into(), Sent { sighting: at(4), on_stream });
    assert_eq!(sent("fes", "avito").await, latest, "the latest that any of them sent");
    let its = sent("tanger", "avito").await;
    assert_eq!(its.len(), 3);
    assert_eq!(its["gone"], Sent { sighting: at(0), on_stream }, "its own is not among them");

    assert_eq!(index.ruling("tanger", "avito").await.unwrap(), None, "there is no ruling");
    for text in ["release 2026-11-20T10:00:00Z", "reject 2026-11-20T11:00:00Z"] {
        rule("tanger", "avito", text).await;
        assert_eq!(index.ruling("tanger", "avito").await.unwrap().as_deref().map(str::trim), Some(text), "the last");
    }
    assert_eq!(index.ruling("asilah", "avito").await.unwrap(), None, "searches do not mix");
    assert_eq!(index.ruling("tanger", "mubawab").await.unwrap(), None, "nor sources");
    assert_eq!(sent("fes", "avito").await, latest, "a ruling is not an index");
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
    };
    ledger.record(&begun).await.unwrap();
    assert_eq!(read().await, std::slice::from_ref(&begun));
    let ended = RunRecord {
        ended_at: Some(made::minute(2)),
        outcome: RunOutcome::Partial,
        message: Some("page 4: no answer".into()),
        counts: BTreeMap::from([("rows".into(), 120)]),
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
