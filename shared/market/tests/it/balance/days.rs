//! Days are those of a market's zone, within the range that keys have.

use super::*;

#[test]
fn a_day_is_a_day_of_the_market_zone() {
    // 08:00 UTC is ten in the evening of the day before in Honolulu, and morning in Chicago.
    let at = stoop_domain::Time::parse("2026-01-10T08:00:00Z").unwrap().ms();
    let day = 20_463;
    for (zip, expected) in [("96701", day - 1), ("60614", day)] {
        let state = State { zip, ..plain() };
        let home =
            vec![MadeSighting { at, seq: 0, state: state.clone(), listed: None, initial: false, watch: Watch::Once }];
        let cells = states(&[home]).remove(&state.market()).unwrap();
        let entered =
            closes(&cells, Segment::All, Day(day - 2), Day(day + 1)).into_iter().find(|close| close.active == 1);
        assert_eq!(entered.map(|close| close.day.0), Some(expected), "{zip}");
    }
}

#[test]
fn days_out_of_range_are_clamped() {
    let at = |text: &str| stoop_domain::Time::parse(text).unwrap().ms();
    let seen = |text, status| MadeSighting {
        at: at(text),
        seq: 0,
        state: State { status, ..plain() },
        ..life(&[("2000-01-01", &|_| ())]).remove(0)
    };
    let home = vec![
        seen("1700-01-01T20:00:00Z", Status::Active),
        seen("1879-01-01T20:00:00Z", Status::Gone),
        seen("1950-01-01T20:00:00Z", Status::Active),
        seen("2059-12-31T20:00:00Z", Status::Pending),
        seen("2100-01-01T20:00:00Z", Status::Active),
        seen("9999-01-01T20:00:00Z", Status::Gone),
    ];
    let cells = states(&[home]).remove(&plain().market()).unwrap();
    let read = |from: i32, until: i32| -> Vec<i64> {
        closes(&cells, Segment::All, Day(from), Day(until)).iter().map(|close| close.active).collect()
    };
    assert_eq!(read(-32_769, -32_767), [0, 0, 0]);
    assert_eq!(read(-7_306, -7_305), [0, 1]);
    assert_eq!(read(32_766, 32_768), [1, 0, 0]);
    assert_eq!(Cells::from_bytes(&cells.to_bytes()), Ok(cells));
}
