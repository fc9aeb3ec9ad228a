use stoop_domain::{Sighting, Time};
use stoop_sources::Coverage;
use stoop_sources::declared::Order;

use super::{pages, rows};
use crate::polling::poll::change::{Cause, OutgoingObservation};
use crate::polling::poll::index::Index;
use crate::polling::poll::made::{MadeIndex, hour, listing, now, search, shown};
use crate::polling::poll::source_file::SourceFile;
use crate::ports::{OnStream, Sent};
use crate::{OneRowPerListing, Ordinals};

const PRICE: i64 = 50_000_000;

/// Sets the stream's state of listing 1 in an otherwise empty index.
fn knowing(index: &mut Index<'_>, on_stream: OnStream) {
    let sent = Sent { sighting: Sighting::at(hour(1)), on_stream };
    index.adopt("1".into(), sent, listing(PRICE), hour(1));
}

/// What was sent, why, and whether it was new.
fn causes(changes: &[OutgoingObservation]) -> Vec<(Option<i64>, Cause, bool)> {
    let price = |change: &OutgoingObservation| change.observation.listing.list_price.map(|price| price.0);
    changes.iter().map(|change| (price(change), change.cause, change.new)).collect()
}

#[test]
fn a_listing_is_sent_unless_the_stream_has_it_so_for_certain() {
    let (search, kept) = (search("a.csv"), MadeIndex::default());
    let same = OnStream::Listing(shown("1", 2, listing(PRICE)).content);
    let other = OnStream::Listing(shown("1", 2, listing(1)).content);
    let gone = [OnStream::Gone(hour(1)), OnStream::GoneInDoubt(hour(1))];
    for (known, is_sent) in [(same, false), (other, true), (OnStream::InDoubt, true), (gone[0], true), (gone[1], true)]
    {
        let mut index = kept.index(&search);
        knowing(&mut index, known);
        let changes = pages(vec![shown("1", 2, listing(PRICE))], hour(2), &mut index);
        let sent = if is_sent { vec![(Some(PRICE), Cause::Row, false)] } else { Vec::new() };
        assert_eq!(causes(&changes), sent, "{known:?}");
        let seen = index.get("1").map(|entry| entry.seen_in_scan);
        assert_eq!(
            seen == Some(hour(2)),
            !is_sent,
            "what is not sent is seen, what is sent is seen when it has arrived"
        );
        assert!(changes.iter().all(|change| change.becomes == same));
    }
    let changes = pages(vec![shown("1", 2, listing(PRICE))], hour(2), &mut kept.index(&search));
    assert_eq!(causes(&changes), [(Some(PRICE), Cause::Row, true)], "an unknown one is new");
}

#[test]
fn a_date_that_moves_with_every_look_is_no_change_and_after_days_it_is_confirmed() {
    let (search, kept) = (search("a.csv"), MadeIndex::default());
    let mut index = kept.index(&search);
    let mut dated = listing(PRICE);
    dated.listed_at = Some(hour(-9));
    knowing(&mut index, OnStream::Listing(shown("1", 1, dated.clone()).content));
    dated.listed_at = Some(hour(-8));
    assert_eq!(causes(&pages(vec![shown("1", 2, dated.clone())], hour(2), &mut index)), []);
    let changes = pages(vec![shown("1", 24 * 30, dated)], hour(24 * 30), &mut index);
    assert_eq!(causes(&changes), [(Some(PRICE), Cause::Confirmation, false)]);
}

#[test]
fn rows_of_one_listing_on_a_page_are_sent_in_their_order_and_each_once() {
    let (search, kept) = (search("a.csv"), MadeIndex::default());
    let page = [(3, 7), (2, 6), (3, 7), (3, 8)].map(|(at, price)| shown("1", at, listing(price)));
    let changes = pages(page.into(), hour(3), &mut kept.index(&search));
    let prices: Vec<_> = causes(&changes).into_iter().map(|(price, ..)| price).collect();
    assert_eq!(prices, [Some(6), Some(7), Some(8)]);
    let sightings: Vec<Sighting> = changes.iter().map(|change| change.observation.sighting()).collect();
    assert!(sightings.is_sorted_by(|one, next| one < next), "{sightings:?}");
}

#[test]
fn what_another_search_has_sent_since_is_taken_over_or_put_right() {
    let search = search("a.csv");
    let content = |price| OnStream::Listing(shown("1", 1, listing(price)).content);
    for (theirs, sent) in [(PRICE, None), (9, Some(PRICE))] {
        let by_them = Sent { sighting: Sighting::at(hour(5)), on_stream: content(theirs) };
        let kept = MadeIndex { elsewhere: [("1".to_owned(), by_them)].into(), ..MadeIndex::default() };
        let mut index = kept.index(&search);
        knowing(&mut index, content(PRICE));
        now(index.look_elsewhere()).unwrap();
        let changes = pages(vec![shown("1", 6, listing(PRICE))], hour(6), &mut index);
        assert_eq!(causes(&changes).first().and_then(|(price, ..)| *price), sent);
        let last = index.get("1").map(|entry| entry.last);
        assert_eq!(last, Some(if sent.is_none() { by_them.sighting } else { Sighting::at(hour(1)) }));
        assert!(changes.iter().all(|change| change.observation.sighting() > by_them.sighting));
    }
}

/// A file with history, read from its beginning.
fn file(late: bool) -> SourceFile<'static> {
    SourceFile {
        name: "a.csv",
        late,
        order: Order::ByTime,
        as_of: None,
        coverage: Coverage::Changes,
        initial: false,
        resumed: false,
        ordinals: Ordinals::new(false),
        once: OneRowPerListing::default(),
    }
}

/// Takes the rows of a file with these hours and prices.
fn taken(of: &[(i64, i64)], late: bool, index: &mut Index<'_>) -> Vec<(Time, Option<i64>, Cause, bool)> {
    let page = of.iter().map(|(at, price)| shown("1", *at, listing(*price))).collect();
    let changes = rows(page, hour(99), &mut file(late), index);
    let all = changes.iter().map(|change| {
        let OutgoingObservation { observation, cause, past, .. } = change;
        (observation.at, observation.listing.list_price.map(|price| price.0), *cause, *past)
    });
    let all = all.collect();
    index.published(changes, hour(99));
    all
}

#[test]
fn a_row_between_two_that_say_the_same_is_sent_and_what_held_after_it_is_said_again() {
    let (search, kept) = (search("a.csv"), MadeIndex::default());
    let mut index = kept.index(&search);
    let first = taken(&[(1, PRICE), (5, PRICE)], false, &mut index);
    assert_eq!(first, [(hour(1), Some(PRICE), Cause::Row, false)], "the second says the same");
    let late = taken(&[(3, 9)], true, &mut index);
    assert_eq!(late, [(hour(3), Some(9), Cause::Row, true), (hour(5), Some(PRICE), Cause::Beside, false)]);
    let on_stream = index.get("1").map(|entry| (entry.on_stream, entry.last));
    assert_eq!(on_stream, Some((OnStream::InDoubt, Sighting::at(hour(5)))), "the index has no details");
}

#[test]
fn before_a_change_it_is_said_how_long_it_was_as_it_was() {
    let (search, kept) = (search("a.csv"), MadeIndex::default());
    let mut index = kept.index(&search);
    taken(&[(1, PRICE), (5, PRICE)], false, &mut index);
    let changed = taken(&[(8, 9)], false, &mut index);
    assert_eq!(changed, [(hour(5), Some(PRICE), Cause::Beside, true), (hour(8), Some(9), Cause::Row, false)]);
    let content = shown("1", 8, listing(9)).content;
    assert!(index.get("1").is_some_and(|entry| entry.on_stream.is(content) && entry.until.is_none()));
}
