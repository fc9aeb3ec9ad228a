use std::collections::BTreeMap;

use stoop_domain::{Address, Currency, Listing, Purpose, Sighting, Time};

use super::*;
use crate::ports::{ContentHash, ManifestOutline, OnStream};

const RECENT: RangeInclusive<u64> = 128 << 10..=128 << 10;

fn entry(at: i64) -> IndexEntry {
    IndexEntry {
        on_stream: OnStream::Listing(ContentHash(at.unsigned_abs())),
        last: Sighting::at(Time::from_ms(at)),
        doubtful: None,
        until: None,
        seen_in_scan: Time::from_ms(at),
        missing_since: Some(Time::from_ms(at)),
        listing: Listing::new(Purpose::Sale, Currency::USD, Address::default()),
    }
}

fn state(listings: usize) -> SearchState {
    let listings: BTreeMap<_, _> = (0..listings).map(|i| (i.to_string(), entry(0))).collect();
    SearchState { version: 3, watermark: Some("w".into()), scans: 7, listings, ..SearchState::default() }
}

fn changes<'a>(native_ids: impl IntoIterator<Item = &'a String>) -> IndexChanges {
    let mut changes = IndexChanges::none();
    native_ids.into_iter().for_each(|native_id| changes.note(native_id));
    changes
}

/// What is stored after a save: the manifest and the segments that it names.
#[derive(Default)]
struct StoredIndex(IndexManifest, BTreeMap<u64, Vec<u8>>);

impl StoredIndex {
    /// Saves a state; the version of `state` becomes the stored one. Returns what `unused_before` was.
    fn save(&mut self, state: &mut SearchState, changes: &IndexChanges) -> Option<u64> {
        let IndexSave { manifest, segment, unused_before } = self.0.next(state, changes, "w".into(), &RECENT).unwrap();
        self.1.extend(segment.map(|(name, bytes)| (name.number, bytes)));
        self.0 = IndexManifest::decode(&manifest.encode().unwrap()).unwrap();
        state.version += 1;
        unused_before
    }

    fn segments(&self) -> Vec<&[u8]> {
        self.0.segments().iter().map(|name| self.1[&name.number].as_slice()).collect()
    }

    fn load(&self) -> SearchState {
        self.0.whole(self.segments()).unwrap()
    }
}

#[test]
fn a_small_index_is_in_its_manifest() {
    let (mut stored, mut state) = (StoredIndex::default(), state(1_000));
    assert_eq!(stored.save(&mut state, &IndexChanges::All), None);
    state.listings.remove("7");
    state.listings.insert("8".into(), entry(5));
    stored.save(&mut state, &changes([&"7".to_owned(), &"8".to_owned()]));
    assert!(stored.1.is_empty() && stored.load() == state);
    assert!(stored.0.recent.removed.is_empty(), "no segment has it");
}

#[test]
fn an_index_from_before_there_were_segments_is_read() {
    let before = state(10);
    let bytes = zstd::encode_all(serde_json::to_vec(&before).unwrap().as_slice(), LEVEL).unwrap();
    let manifest = IndexManifest::decode(&bytes).unwrap();
    assert_eq!((manifest.version(), manifest.segments()), (3, &[][..]));
    assert_eq!(manifest.whole([]).unwrap(), before);
    let outline = ManifestOutline::decode(&bytes).unwrap().whole([]).unwrap();
    assert_eq!(outline.len(), 10);
}

#[test]
fn damaged_bytes_are_an_error_that_names_the_segment() {
    for bytes in [&b"not zstd"[..], &zstd::encode_all(&b"{\"listings\":[]}"[..], LEVEL).unwrap()] {
        assert!(IndexManifest::decode(bytes).is_err() && ManifestOutline::decode(bytes).is_err());
    }
    let (mut stored, mut state) = (StoredIndex::default(), state(2_000));
    stored.save(&mut state, &IndexChanges::All);
    let error = stored.0.whole([&b"not zstd"[..]]).unwrap_err().to_string();
    assert!(error.starts_with("segment 00000000000000000004-w: "), "{error}");
    let outline = ManifestOutline::decode(&stored.0.encode().unwrap()).unwrap();
    let error = outline.whole([&b"not zstd"[..]]).unwrap_err().to_string();
    assert!(error.starts_with("segment 00000000000000000004-w: "), "{error}");
}

#[test]
fn however_often_it_is_saved_it_has_few_segments_with_little_that_is_outdated() {
    let (mut stored, mut state) = (StoredIndex::default(), state(10_000));
    stored.save(&mut state, &IndexChanges::All);
    let (mut most, mut merges) = (0, Vec::new());
    for save in 1..400 {
        let mut changes = IndexChanges::none();
        for i in 0..40 {
            let native_id = (save * 7_919 % 10_000 + i).to_string();
            state.listings.insert(native_id.clone(), entry(save));
            changes.note(&native_id);
        }
        for i in 0..200 {
            let native_id = (save * 200 % 10_000 + i).to_string();
            let Some(entry) = state.listings.get_mut(&native_id) else { continue };
            (entry.seen_in_scan, entry.missing_since) = (Time::from_ms(save), None);
            changes.note_seen(&native_id);
        }
        let gone = (save * 17 % 10_000).to_string();
        state.listings.remove(&gone);
        changes.note(&gone);
        merges.extend(stored.save(&mut state, &changes));
        let bytes: Vec<u64> = stored.0.segments().iter().map(|segment| segment.bytes).collect();
        assert!(stored.0.recent.bytes() <= *RECENT.end());
        assert!(bytes[1..].iter().sum::<u64>() <= bytes[0] / CHANGED_PART_MAX, "{bytes:?}");
        most = most.max(bytes.len());
        assert!(save % 50 != 0 || stored.load() == state, "save {save}");
    }
    assert!(stored.load() == state);
    let outline = ManifestOutline::decode(&stored.0.encode().unwrap()).unwrap().whole(stored.segments()).unwrap();
    assert!(state.listings.keys().all(|native_id| outline.holds(native_id) == state.holds(native_id)));
    assert_eq!(outline.len(), state.listings.len());
    assert!((3..=5).contains(&most) && (2..10).contains(&merges.len()), "{most} {merges:?}");
    assert!(merges.is_sorted() && merges[0] == 4, "each names the first segment of the one before: {merges:?}");
}

#[test]
fn too_many_segments_are_merged_even_if_they_are_small() {
    let mut state = state(2_000);
    let name = |number| SegmentName { number, writer: "w".into(), bytes: if number == 1 { 1 << 40 } else { 1 } };
    let all = changes(state.listings.clone().keys());
    for (segments, merged) in [(SEGMENTS_MAX - 1, false), (SEGMENTS_MAX, true)] {
        let segments = (1..=segments as u64).map(name).collect::<Vec<_>>();
        let mut stored =
            StoredIndex(IndexManifest { segments: segments.clone(), ..IndexManifest::default() }, <_>::default());
        assert_eq!(stored.save(&mut state, &all), merged.then_some(1));
        assert_eq!(stored.0.segments().len(), if merged { 1 } else { segments.len() + 1 });
    }
}

#[test]
fn a_manifest_keeps_changes_of_a_part_of_the_index_within_limits() {
    for (listings, kept) in [(100, 10), (1_000, 31), (2_000, 50)] {
        let recent = 1_000..=5_000;
        let mut state = state(listings);
        let whole = IndexManifest::default().next(&state, &IndexChanges::All, "w".into(), &recent).unwrap();
        assert_eq!(whole.manifest.segments().len(), 1, "{listings}");
        state.version += 1;
        let ids: Vec<String> = (0..=kept).map(|i: usize| i.to_string()).collect();
        let save = |ids: &[String]| whole.manifest.next(&state, &changes(ids), "w".into(), &recent).unwrap();
        assert_eq!(save(&ids[1..]).segment, None, "{listings}");
        assert!(save(&ids).segment.is_some(), "{listings}");
    }
}
