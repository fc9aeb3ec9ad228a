use std::collections::HashMap;
use std::sync::Arc;

use stoop_domain::Sighting;
use stoop_pipeline::HeldBack;
use stoop_pipeline::ports::IndexChanges::{self, All};
use stoop_pipeline::ports::{
    ContentHash, FilesTaken, IndexEntry, OnStream, ScanCheckpoint, SearchIndex, SearchState, Sent,
};

use crate::made;

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
    assert!(index.save("agadir", &state, &All).await.unwrap());
    let stored = index.load("agadir", "yakeey").await.unwrap();
    assert_eq!(stored.version, 1);
    assert_eq!(SearchState { version: 0, ..stored.clone() }, state, "a loaded index equals the saved one");

    assert!(!index.save("agadir", &fresh, &All).await.unwrap(), "a state that was overtaken is not stored");
    assert!(!index.save("agadir", &SearchState { version: 2, ..fresh.clone() }, &All).await.unwrap());
    assert!(!index.save("nowhere", &SearchState { version: 1, ..fresh.clone() }, &All).await.unwrap());
    assert_eq!(index.load("agadir", "yakeey").await.unwrap(), stored, "and changes nothing");

    assert!(index.save("agadir", &SearchState { scans: 4, ..stored }, &All).await.unwrap());
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
    assert!(index.save("tanger", &other, &All).await.unwrap());
    let ids = ["gone", "here", "leaving", "missed", "unknown"].map(str::to_owned);
    let seen = Some(entry.seen_in_scan);
    let held = async |search: &str, source: &str| index.held_elsewhere(search, source, &ids).await.unwrap();
    assert_eq!(held("fes", "avito").await, [None, seen, None, None, None], "only what is present is held");
    assert_eq!(held("fes", "mubawab").await, [None; 5], "sources do not mix");
    assert_eq!(held("tanger", "avito").await, [None; 5], "a search is not elsewhere to itself");
    let sent = async |search: &str, source: &str| index.sent_elsewhere(search, source).await.unwrap().all();
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
    assert!(index.save("asilah", &third, &All).await.unwrap());
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

    saves_add_up(&*index).await;
    a_refused_save_leaves_no_trace(&*index).await;
}

/// Twice as many listings as a store keeps in one piece, and more.
const MANY: usize = 6_000;

/// Many saves with few and with many changes leave what one save of everything would have left.
async fn saves_add_up<I: SearchIndex + ?Sized>(index: &I) {
    let mut expected = SearchState { source: "sarouty".into(), ..SearchState::default() };
    let mut changes = IndexChanges::none();
    for save in 0..24 {
        let scan = made::minute(100 + save);
        // New ones, then small changes, then enough to merge what is stored, and small ones again.
        let (first, changed) = [(0, MANY), (17, 3), (50, 1_400), (2_000, 1_400), (900, 1_400), (4_000, 8)]
            [if save == 0 { 0 } else { 1 + save as usize % 5 }];
        for i in first..first + changed {
            let entry = IndexEntry { seen_in_scan: scan, ..entry_of(save) };
            expected.listings.insert(format!("n{i}"), entry);
            changes.note(&format!("n{i}"));
        }
        for (id, entry) in expected.listings.iter_mut().skip(save as usize * 100).take(90) {
            (entry.seen_in_scan, entry.missing_since) = (scan, None);
            changes.note_seen(id);
        }
        for id in [format!("n{}", save * 31), "unknown".to_owned()] {
            expected.listings.remove(&id);
            changes.note(&id);
        }
        expected.scans += 1;
        assert!(index.save("sale", &expected, &changes).await.unwrap(), "save {save}");
        (expected.version, changes) = (expected.version + 1, IndexChanges::none());
        let stored = index.load("sale", "sarouty").await.unwrap();
        assert_eq!((stored.version, stored.scans), (expected.version, expected.scans), "save {save}");
        assert!(stored == expected, "save {save}");
    }
    let ids = ["n2", "n5999", "n0"].map(str::to_owned);
    let held: Vec<_> = ids.iter().map(|id| expected.holds(id)).collect();
    assert_eq!(index.held_elsewhere("rent", "sarouty", &ids).await.unwrap(), held);
    let sent = index.sent_elsewhere("rent", "sarouty").await.unwrap().all();
    assert!(sent == expected.listings.iter().map(|(id, entry)| (id.clone(), entry.sent())).collect());

    assert!(index.save("sale", &expected, &IndexChanges::none()).await.unwrap(), "nothing has changed");
    expected.version += 1;
    expected.listings.clear();
    assert!(index.save("sale", &expected, &All).await.unwrap(), "and nothing is left");
    expected.version += 1;
    assert_eq!(index.load("sale", "sarouty").await.unwrap(), expected);
}

/// Of two that save what they loaded, one is refused. What it wrote is in no index, even if that is much.
async fn a_refused_save_leaves_no_trace<I: SearchIndex + ?Sized>(index: &I) {
    let listings = (0..MANY).map(|i| (format!("n{i}"), entry_of(0))).collect();
    let state = SearchState { source: "agenz".into(), listings, ..SearchState::default() };
    assert!(index.save("flats", &state, &All).await.unwrap());
    let loaded = index.load("flats", "agenz").await.unwrap();
    let changed_by = |writer: i64| {
        let (mut state, mut changes) = (loaded.clone(), IndexChanges::none());
        for i in 0..1_400 {
            let id = format!("n{}", i + writer * 700);
            changes.note(&id);
            state.listings.insert(id, entry_of(writer));
        }
        (state, changes)
    };
    let ((first, of_first), (second, of_second)) = (changed_by(1), changed_by(2));
    assert!(index.save("flats", &first, &of_first).await.unwrap());
    assert!(!index.save("flats", &second, &of_second).await.unwrap(), "it was overtaken");
    let mut stored = index.load("flats", "agenz").await.unwrap();
    assert!(stored == SearchState { version: 2, ..first });
    stored.listings.remove("n1");
    let mut changes = IndexChanges::none();
    changes.note("n1");
    assert!(index.save("flats", &stored, &changes).await.unwrap(), "the next save builds on the first");
    assert!(index.load("flats", "agenz").await.unwrap() == SearchState { version: 3, ..stored });
}

fn entry_of(save: i64) -> IndexEntry {
    IndexEntry {
        doubtful: None,
        on_stream: OnStream::Listing(ContentHash(save.unsigned_abs())),
        last: Sighting::at(made::minute(save)),
        until: None,
        seen_in_scan: made::minute(save),
        missing_since: (save % 2 == 1).then(|| made::minute(save)),
        listing: made::observation("1", 0, 900_000 + save).listing,
    }
}
