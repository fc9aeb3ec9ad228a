//! What changes in markets when listings are found to be of one home.

use std::collections::BTreeMap;

use proptest::prelude::*;
use stoop_domain::{History, Market, Time};
use stoop_market::{Cells, Delta, Zones, contribution, correction, snapshot};

use crate::support::{history, home};

fn add(states: &mut BTreeMap<Market, Cells>, deltas: Vec<(Market, Delta)>) {
    for (market, delta) in deltas {
        states.entry(market).or_default().add(&delta);
    }
}

/// The states of these listings, as homes of their own.
fn apart(listings: &[&History]) -> BTreeMap<Market, Cells> {
    let (mut states, mut zones) = (BTreeMap::new(), Zones::default());
    for listing in listings {
        add(&mut states, contribution(listing, &mut zones).into_deltas());
    }
    states
}

/// The states of these listings as one home.
fn joined(listings: &[&History]) -> BTreeMap<Market, Cells> {
    let mut states = apart(listings);
    add(&mut states, correction(listings, &mut Zones::default()));
    states.retain(|_, cells| *cells != Cells::default());
    states
}

proptest! {
    #[test]
    fn a_file_under_two_names_has_the_state_of_one(seen in home()) {
        let history = history(&seen);
        prop_assert_eq!(joined(&[&history, &history]), apart(&[&history]));
        prop_assert_eq!(joined(&[&history, &history, &history]), apart(&[&history]));
        prop_assert!(correction(&[&history], &mut Zones::default()).is_empty());
    }

    #[test]
    fn a_home_is_in_stock_at_most_once(one in home(), other in home(), days in prop::collection::vec(0_i64..900, 1..6)) {
        let (one, other) = (history(&one), history(&other));
        let states = joined(&[&one, &other]);
        let from = [&one, &other].iter().filter_map(|it| it.seen()).map(|(first, _)| first).min();
        for day in days {
            let at = from.unwrap_or_default().plus_ms(day * Time::DAY_MS);
            let active: i64 = states.iter().map(|(market, cells)| snapshot(cells, at, &market.area.country().zone).all.active).sum();
            prop_assert!((0..=1).contains(&active), "{active} homes on day {day}");
        }
    }
}
