//! Homes of sources that never prove absence: unconfirmed, expired, and back again.

use super::*;

/// A home of a source that never proves absence.
fn watched(changes: &[Step<'_>]) -> Vec<MadeSighting> {
    let mut seen = life(changes);
    seen.iter_mut().for_each(|one| one.watch = Watch::Repeated);
    seen
}

#[test]
fn expired_then_gone_is_one_exit_and_expired_then_sold_one_exit_and_a_sale() {
    let off = |status: Status| watched(&[("2026-01-01", &|_| ()), ("2026-03-10", &move |home| home.status = status)]);
    let expired = Flows { new: 1, expired: 1, ..Flows::default() };
    assert_eq!(total(off(Status::Gone), Segment::All), (expired, 0));
    assert_eq!(total(off(Status::Closed), Segment::All), (Flows { sold: 1, ..expired }, 0));
    assert_eq!(total(watched(&[("2026-01-01", &|_| ())]), Segment::All), (expired, 0));
}

#[test]
fn the_time_off_the_market_decides_how_an_expired_home_returns() {
    // It expires at the first moment of 1 February UTC, 30 whole days after the day of its sighting.
    for (day, entry) in [
        ("2026-01-31", Flows::default()),
        ("2026-02-02", Flows { expired: 1, back_on_market: 1, ..Flows::default() }),
        ("2026-05-01", Flows { expired: 1, back_on_market: 1, ..Flows::default() }),
        ("2026-05-02", Flows { expired: 1, relisted: 1, ..Flows::default() }),
        ("2027-02-02", Flows { expired: 1, new: 1, ..Flows::default() }),
    ] {
        let home = watched(&[("2026-01-01", &|_| ()), (day, &|_| ())]);
        // It expires once more at the end, whenever that is.
        let new = entry.new + 1;
        let expected = Flows { new, expired: entry.expired + 1, ..entry };
        assert_eq!(total(home, Segment::All), (expected, 0), "{day}");
    }
}

/// Two homes of a portal that empties, at the close of several days.
#[test]
fn a_home_is_unconfirmed_after_a_week_and_expired_after_thirty_days() {
    let homes = [
        watched(&[("2026-01-01", &|_| ()), ("2026-01-05", &|_| ())]),
        watched(&[("2026-01-01", &|_| ()), ("2026-01-08", &|home| home.price = Some(40_000_000))]),
        watched(&[("2026-01-01", &|_| ()), ("2026-01-08", &|home| home.status = Status::Pending)]),
    ];
    let cells = states(&homes).remove(&plain().market()).unwrap();
    let zone = plain().market().area.country().zone;
    // Midnight UTC is four in the afternoon in Seattle.
    let at = |day: &str| {
        let noon = stoop_domain::Time::parse(&format!("{day}T20:00:00Z")).unwrap();
        let figures = Figures::of(&cells, Segment::All, noon, &zone);
        (figures.active, figures.unconfirmed, figures.last_7_days.expired, figures.mean_price)
    };
    let (both, dear, cheap) = (Some(45_000_000.0), Some(50_000_000.0), Some(40_000_000.0));
    assert_eq!(at("2026-01-07"), (3, 0, 0, dear));
    assert_eq!(at("2026-01-11"), (2, 0, 0, both));
    assert_eq!(at("2026-01-12"), (2, 1, 0, both));
    assert_eq!(at("2026-01-15"), (2, 2, 0, both));
    assert_eq!(at("2026-02-03"), (2, 2, 0, both));
    assert_eq!(at("2026-02-04"), (1, 1, 1, cheap));
    assert_eq!(at("2026-02-07"), (0, 0, 2, None));
    assert_eq!(Figures::of(&cells, Segment::All, noon(30_000, &zone), &zone).active, 0);
}
