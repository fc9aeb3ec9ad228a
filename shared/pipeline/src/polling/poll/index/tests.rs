use stoop_dice::Dice;
use stoop_domain::{Listing, Minor, Sighting};

use super::Index;
use crate::polling::poll::change::{Cause, OutgoingObservation, ShownListing};
use crate::polling::poll::error::PollError;
use crate::polling::poll::made::{MadeIndex, hour, listing, now, search, shown};
use crate::ports::{OnStream, SearchState, Sent};

/// A change of a listing shown at this hour.
fn change(native_id: &str, at: i64, price: i64, new: bool) -> OutgoingObservation {
    let ShownListing { observation, encoded, content } = shown(native_id, at, listing(price));
    let becomes = OnStream::Listing(content);
    OutgoingObservation { observation, encoded, becomes, cause: Cause::Row, new, until: None, past: false }
}

/// An index with one published listing, after the first full scan.
fn settled<'a>(kept: &'a MadeIndex, search: &'a crate::Search) -> Index<'a> {
    let mut index = kept.index(search);
    index.published(vec![change("1", 1, 7, true)], hour(1));
    index.state.full_scan_at = Some(hour(1));
    now(index.save()).unwrap();
    index
}

#[test]
fn a_kill_between_sending_and_saving_leaves_the_listing_in_doubt() {
    let (search, kept) = (search("a.csv"), MadeIndex::default());
    let mut index = settled(&kept, &search);
    let changes = vec![change("1", 2, 8, false), change("2", 2, 5, true)];
    now(index.doubt(&changes, hour(2))).unwrap();
    let killed = kept.index(&search);
    for native_id in ["1", "2"] {
        assert_eq!(killed.get(native_id).map(|entry| entry.on_stream), Some(OnStream::InDoubt), "{native_id}");
    }
    index.published(changes, hour(2));
    now(index.save()).unwrap();
    let content = shown("1", 2, listing(8)).content;
    assert!(kept.index(&search).get("1").is_some_and(|entry| entry.on_stream.is(content)));
}

#[test]
fn before_the_first_scan_of_everything_new_listings_cost_no_save() {
    let (search, kept) = (search("a.csv"), MadeIndex::default());
    let mut index = kept.index(&search);
    now(index.doubt(&[change("1", 1, 7, true)], hour(1))).unwrap();
    assert_eq!((kept.saved().version, index.get("1")), (0, None));
}

#[test]
fn the_later_of_two_writers_is_refused_and_loses_nothing_of_what_it_knows() {
    let (search, kept) = (search("a.csv"), MadeIndex::default());
    settled(&kept, &search);
    let (mut one, mut other) = (kept.index(&search), kept.index(&search));
    now(one.save()).unwrap();
    let stored = kept.saved();
    assert!(matches!(now(other.save()), Err(PollError::Raced(name)) if name == "all"));
    assert_eq!(kept.saved(), stored);
    assert!(other.get("1").is_some());
}

#[test]
fn that_a_listing_is_gone_is_in_doubt_until_the_stream_has_it_and_said_again_as_it_was() {
    let (search, kept) = (search("a.csv"), MadeIndex::default());
    let mut index = settled(&kept, &search);
    assert_eq!(index.note_missing(hour(3), hour(3)), ["1"]);
    assert_eq!(index.note_missing(hour(4), hour(4)), ["1"]);
    assert_eq!((index.missed_since("1"), index.present(hour(4))), (Some(hour(3)), 0));
    let gone = index.depart("1", false, hour(4)).unwrap().sighting;
    assert_eq!((gone.at, gone.seen), (hour(3), hour(4)), "as of the first scan that missed it");
    now(index.save()).unwrap();

    let mut killed = kept.index(&search);
    assert_eq!(killed.gone_in_doubt(), ["1"]);
    assert_eq!(killed.depart("1", false, hour(9)).unwrap().sighting, gone, "said again as it may have been said");
    killed.departed(&["1".to_owned()]);
    assert_eq!(killed.get("1").map(|entry| entry.on_stream), Some(OnStream::Gone(hour(3))));
    assert!(killed.gone_in_doubt().is_empty() && killed.note_missing(hour(9), hour(9)).is_empty());
    killed.forget_old(hour(3 + 399 * 24));
    assert!(killed.get("1").is_some(), "it may come back");
    killed.forget_old(hour(3 + 400 * 24));
    assert!(killed.get("1").is_none());
}

#[test]
fn what_moved_or_was_said_by_another_search_is_forgotten() {
    let search = search("a.csv");
    let theirs = |on_stream, seen| Sent { sighting: Sighting::at(hour(seen)), on_stream };
    let cases = [
        (true, None, false),
        (false, None, true),
        (false, Some(theirs(OnStream::Gone(hour(5)), 5)), false),
        (false, Some(theirs(OnStream::GoneInDoubt(hour(5)), 5)), true),
        (false, Some(theirs(OnStream::Gone(hour(2)), 2)), true),
    ];
    for (moved, theirs, is_said) in cases {
        let elsewhere = theirs.map(|sent| ("1".to_owned(), sent)).into_iter().collect();
        let kept = MadeIndex { elsewhere, ..MadeIndex::default() };
        let mut index = settled(&kept, &search);
        now(index.look_elsewhere()).unwrap();
        index.note_missing(hour(3), hour(3));
        assert_eq!(index.depart("1", moved, hour(6)).is_some(), is_said, "{moved} {theirs:?}");
        assert_eq!(index.get("1").is_some(), is_said);
    }
}

#[test]
fn a_search_that_asks_for_something_else_keeps_only_what_is_gone() {
    let (before, after, kept) = (search("a.csv"), search("b.csv"), MadeIndex::default());
    let mut index = settled(&kept, &before);
    index.published(vec![change("2", 1, 7, true)], hour(1));
    index.state.watermark = Some("w".into());
    index.note_missing(hour(3), hour(3));
    index.depart("2", false, hour(4)).unwrap();
    now(index.save()).unwrap();
    let index = kept.index(&after);
    assert!(index.get("1").is_none());
    assert_eq!(index.get("2").map(|entry| entry.on_stream), Some(OnStream::Gone(hour(3))), "nothing says it again");
    let SearchState { version, watermark, full_scan_at, .. } = &index.state;
    assert_eq!((*version, watermark, full_scan_at), (2, &None, &None));
}

#[test]
fn absences_move_with_a_clock_that_is_set() {
    let (search, kept) = (search("a.csv"), MadeIndex::default());
    let mut index = settled(&kept, &search);
    index.note_missing(hour(3), hour(3));
    index.shift_absences(-stoop_domain::Time::HOUR_MS);
    assert_eq!(index.missed_since("1"), Some(hour(2)));
    index.saw("1", hour(4));
    assert_eq!((index.missed_since("1"), index.has_any_of(hour(4))), (None, true));
}

/// A listing with the fields that an index keeps and that differ from home to home.
fn varied(dice: &mut Dice, price: i64) -> Listing {
    let mut listing = listing(price);
    let street = ["N Oakley Ave", "W Fulton St", "S Michigan Ave", "E 53rd St"][dice.below(4) as usize];
    listing.address.line = Some(format!("{} {street}", 100 + dice.below(9_000)));
    listing.address.postal_code = Some(format!("606{:02}", dice.below(60)));
    listing.address.latitude_e6 = Some(41_700_000 + dice.below(300_000));
    listing.address.longitude_e6 = Some(-87_800_000 + dice.below(300_000));
    listing.list_price = Some(Minor((price + dice.below(600)) * 100_000));
    (listing.bedrooms, listing.year_built) = (Some(dice.below(6)), Some(1_900 + dice.below(120)));
    listing
}

/// Pages of 200 of 20,000 listings, each with two that changed. Prints what the saves wrote, and what they would have
/// written as a whole index each.
#[test]
fn a_scan_writes_what_changed_and_not_the_whole_index_for_each_page() {
    let (search, kept, mut dice) = (search("a.csv"), MadeIndex::default(), Dice::new(7));
    let mut index = kept.index(&search);
    let change = |native_id: &str, at, listing, new| {
        let ShownListing { observation, encoded, content } = shown(native_id, at, listing);
        let becomes = OnStream::Listing(content);
        OutgoingObservation { observation, encoded, becomes, cause: Cause::Row, new, until: None, past: false }
    };
    let ids: Vec<String> = (0..20_000).map(|_| (10_000_000 + dice.below(80_000_000)).to_string()).collect();
    let all = ids.iter().map(|id| change(id, 1, varied(&mut dice, 400), true)).collect();
    index.published(all, hour(1));
    index.state.full_scan_at = Some(hour(1));
    now(index.save()).unwrap();
    let whole = zstd::encode_all(serde_json::to_vec(&kept.saved()).unwrap().as_slice(), 1).unwrap().len();

    let mut index = kept.index(&search);
    let ((before, _), version) = (kept.written(), index.state.version);
    for (page, ids) in ids.chunks(200).enumerate() {
        let changed = || ids[..2].iter().map(|id| change(id, 2, varied(&mut Dice::new(page as u64), 390), false));
        now(index.doubt(&changed().collect::<Vec<_>>(), hour(2))).unwrap();
        ids[2..].iter().for_each(|id| index.saw(id, hour(2)));
        index.published(changed().collect(), hour(2));
        if page % 10 == 9 {
            now(index.save()).unwrap();
        }
    }
    let (saves, (after, segments)) = (index.state.version - version, kept.written());
    let (written, would) = (after - before, whole * saves as usize);
    println!("{saves} saves wrote {written} bytes in manifests and segments ({segments}); whole: {would}");
    assert!(written * 25 < would, "{written} of {would}");
}
