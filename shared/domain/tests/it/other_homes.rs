//! IDs that a portal gives to another home.

use proptest::prelude::*;
use stoop_domain::{Area, AreaUnit, Entry, Exit, Facts, History, Minor, Purpose, Sighting, Status, Time};

use crate::support::{DAY, START, facts, in_area};

/// A home of a price, floor area in square metres, and bedrooms.
fn home(price: i64, area: u32, bedrooms: u8) -> Facts {
    let living_area = Some(Area::of(area, AreaUnit::SquareMeters));
    Facts { living_area, bedrooms: Some(bedrooms), ..facts(Status::Active, price) }
}

fn history(all: &[Facts]) -> History {
    let mut history = History::default();
    for (day, facts) in (0..).zip(all) {
        history.apply(Sighting::at(Time::from_ms(START + day * DAY)), facts, Some(Time::from_ms(START - 9 * DAY)));
    }
    history
}

/// Whether each interval after the first begins another home, with the change of price that is reported.
fn reported(all: &[Facts]) -> Vec<(bool, Option<(i64, i64)>)> {
    let history = history(all);
    let steps = history.steps();
    let change = |step: &stoop_domain::Step<'_>| step.change.map(|change| (change.from.0, change.to.0));
    steps.iter().skip(1).map(|step| (step.another_home, change(step))).collect()
}

#[test]
fn another_home_begins_a_new_spell_and_tells_no_cut() {
    let all = [home(600_000, 180, 4), home(300_000, 70, 2), home(290_000, 70, 2)];
    assert_eq!(reported(&all), [(true, None), (false, Some((300_000, 290_000)))]);
    let history = history(&all);
    let steps = history.steps();
    assert_eq!((steps[1].entry, steps[1].exit), (Some(Entry::New), Some(Exit::Gone)));
    assert!(steps[1].spell.opened_at > steps[0].spell.opened_at);
    assert_eq!(steps[1].spell.original, Some(Minor(300_000)));
}

#[test]
fn at_another_place_the_price_may_be_alike() {
    let elsewhere = |facts: Facts| Facts { market: in_area("Foz", Purpose::Sale, Status::Active, 1).market, ..facts };
    assert_eq!(reported(&[home(500, 180, 4), elsewhere(home(490, 70, 2))]), [(true, None)]);
    assert_eq!(
        reported(&[home(500, 180, 4), elsewhere(home(490, 180, 4))]),
        [(false, Some((500, 490)))],
        "a mended address"
    );
}

#[test]
fn corrections_and_cuts_are_of_the_same_home() {
    for (what, second, change) in [
        ("a cut by half", home(300, 180, 4), Some((600, 300))),
        ("an area corrected with a cut", home(400, 120, 4), Some((600, 400))),
        ("bedrooms corrected with a cut", home(400, 180, 3), Some((600, 400))),
        ("area and bedrooms corrected with a small cut", home(590, 120, 3), Some((600, 590))),
        (
            "another unit",
            Facts { living_area: Some(Area::of(1_938, AreaUnit::SquareFeet)), ..home(300, 1, 3) },
            Some((600, 300)),
        ),
        ("an unknown area", Facts { living_area: None, ..home(300, 1, 2) }, Some((600, 300))),
    ] {
        assert_eq!(reported(&[home(600, 180, 4), second]), [(false, change)], "{what}");
    }
}

#[test]
fn a_row_without_the_fields_hides_no_other_home() {
    let bare = Facts { living_area: None, bedrooms: None, ..home(600, 1, 1) };
    assert_eq!(reported(&[home(600, 180, 4), bare, home(300, 70, 2)]), [(false, None), (true, None)]);
}

proptest! {
    #[test]
    fn the_order_of_arrival_changes_nothing(order in Just((0..6_i64).collect::<Vec<_>>()).prop_shuffle()) {
        let homes = [home(600, 180, 4), home(300, 70, 2), home(290, 70, 2), home(600, 180, 4), home(610, 181, 4), home(100, 40, 1)];
        let mut shuffled = History::default();
        for day in order {
            let at = Sighting::at(Time::from_ms(START + day * DAY));
            shuffled.apply(at, &homes[usize::try_from(day).unwrap()], Some(Time::from_ms(START - 9 * DAY)));
        }
        let other = |history: &History| history.steps().iter().map(|step| step.another_home).collect::<Vec<_>>();
        prop_assert_eq!(other(&shuffled), [false, true, false, true, false, true]);
        prop_assert_eq!(shuffled, history(&homes));
    }
}
