use proptest::prelude::*;
use stoop_domain::{Address, Currency, Listing, Minor, Observation, Purpose, Sighting, Time};

use super::*;

fn row(id: u8, hour: i64, price: i64) -> Observation {
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, Address::default());
    listing.list_price = Some(Minor(price));
    Observation::new("mls", id.to_string(), Time::from_ms(hour * 3_600_000), listing)
}

fn seqs(ordinals: &mut Ordinals, rows: &[(i64, i64)]) -> Vec<u32> {
    let given = |(hour, price): &(i64, i64)| {
        let mut row = row(1, *hour, *price);
        ordinals.give(&mut row);
        row.seq
    };
    rows.iter().map(given).collect()
}

#[test]
fn rows_of_one_moment_keep_their_order_if_another_stands_between_them() {
    let rows = [(200, 500), (200, 400), (104, 500), (200, 450)];
    assert_eq!(seqs(&mut Ordinals::new(false), &rows), [0, 1, 0, 2]);
    assert_eq!(seqs(&mut Ordinals::new(true), &rows), [65_535, 65_534, 65_535, 65_533]);
}

#[test]
fn rows_behind_the_middle_of_a_file_follow_the_last_one_before_it() {
    let last = |seq| Sighting { seq, ..Sighting::at(Time::from_ms(200 * 3_600_000)) };
    for (newest_first, before, next) in [(false, 3, 4), (true, 65_532, 65_531)] {
        let mut ordinals = Ordinals::new(newest_first);
        let mut given = |hour, price, is_same| {
            let mut row = row(1, hour, price);
            ordinals.give_after(&mut row, Some((last(before), is_same)));
            row.seq
        };
        let first = if newest_first { 65_535 } else { 0 };
        assert_eq!([given(200, 400, true), given(104, 7, false), given(200, 450, false)], [before, first, next]);
    }
    let mut other = row(1, 200, 450);
    Ordinals::new(false).give_after(&mut other, Some((last(3), false)));
    assert_eq!(other.seq, 4);
}

#[test]
fn a_listing_of_very_many_rows_at_one_moment_takes_bounded_time_and_memory() {
    let mut ordinals = Ordinals::new(false);
    let rows: Vec<(i64, i64)> = (0..20_000).map(|price| (1, price)).collect();
    let seqs = seqs(&mut ordinals, &rows);
    assert!(seqs.is_sorted());
    assert_eq!(ordinals.several.values().map(|several| several.rows.len()).sum::<usize>(), FACTS_MAX + 1);
}

proptest! {
    /// The ordinal of a row is its place among the differing rows of its listing and time, wherever they stand.
    #[test]
    fn ordinals_are_places_among_differing_rows(rows in prop::collection::vec((0_u8..3, 0_i64..4, 0_i64..4), 0..40)) {
        let mut ordinals = Ordinals::new(false);
        for (index, (id, hour, price)) in rows.iter().enumerate() {
            let mut differing: Vec<i64> = Vec::new();
            for (.., price) in rows[..=index].iter().filter(|row| (row.0, row.1) == (*id, *hour)) {
                if !differing.contains(price) {
                    differing.push(*price);
                }
            }
            let mut row = row(*id, *hour, *price);
            ordinals.give(&mut row);
            let place = differing.iter().position(|known| known == price);
            prop_assert_eq!(Some(row.seq as usize), place);
        }
    }
}
