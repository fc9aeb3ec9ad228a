//! A wide area gives the same figures and series as the plain sum of its markets.

use proptest::prelude::*;
use stoop_domain::{Day, Time, Watch};
use stoop_market::{
    Cell, Cells, Definition, Figures, Horizon, Projection, Segment, WIDE_DAYS, WIDE_SERIES_DAYS, Wide, Window,
    asking_prices, closes, log_prices, pooled_medians, repeat_pairs,
};

use crate::archive::{feed_of, keep};
use crate::balance::states;
use crate::oracle::noon;
use crate::support::{MadeSighting, homes, homes_of_a_season, plain as plain_home};

/// The first civil day of the area, and how many days later the figures are read. They cover all sorts of days: after
/// homes expired, long after the last sighting, before the first one.
fn day() -> impl Strategy<Value = (Day, i32)> {
    // Half of them are within some months of the first sightings.
    (prop_oneof![17_950_i32..20_500, 17_950_i32..18_200], 0..WIDE_DAYS).prop_map(|(from, behind)| (Day(from), behind))
}

/// The markets before any folding.
fn unfolded(homes: &[Vec<MadeSighting>]) -> Vec<(Cells, Cells)> {
    states(homes).into_values().map(|cells| (cells, Cells::default())).collect()
}

/// The markets as a store keeps them, folded, with the periods of their archives that are required.
fn kept(homes: &[Vec<MadeSighting>], from: Day) -> Vec<(Cells, Cells)> {
    let first = Projection::new(from).first_day().0;
    let markets = keep(&feed_of(homes), homes.len(), 7, |number| number % 2 == 0).into_values();
    let recent = |archive: Cells| {
        let mut sum = Cells::default();
        let periods = archive.into_periods().into_iter().filter(|(period, _)| *period >= first.div_euclid(32));
        periods.for_each(|(_, cells)| sum.merge(&cells));
        sum
    };
    markets.map(|kept| (kept.hot, recent(kept.archive))).collect()
}

fn project(markets: &[(Cells, Cells)], from: Day) -> Wide {
    let mut projection = Projection::new(from);
    markets.iter().for_each(|(cells, archive)| projection.add(cells, archive));
    projection.sum()
}

fn plain(markets: &[(Cells, Cells)]) -> Cells {
    let mut sum = Cells::default();
    markets.iter().for_each(|(cells, _)| sum.merge(cells));
    sum
}

fn sum_of<'w>(wides: impl IntoIterator<Item = &'w Wide>) -> Wide {
    let mut sum = Wide::default();
    wides.into_iter().for_each(|wide| sum.add(wide));
    sum
}

/// Zones far from UTC on both sides.
fn zones() -> [jiff::tz::TimeZone; 3] {
    ["Pacific/Honolulu", "UTC", "Pacific/Kiritimati"].map(|name| jiff::tz::TimeZone::get(name).unwrap())
}

/// All figures equal those of the plain sum to the last bit. How fast homes leave is known for the whole area only.
fn check_figures(wide: &Wide, whole: &Cells, now: Time, zone: &jiff::tz::TimeZone) -> Result<(), TestCaseError> {
    prop_assert_eq!(wide.asking_prices(now.day_in(zone)), asking_prices(whole, now.day_in(zone)));
    let cells = whole.cells();
    let cells_of_wide = wide.cells();
    let segments = [Segment::All].into_iter().chain(whole.segments()).chain(cells.into_iter().map(Segment::Cell));
    for segment in segments {
        let (got, expected) = (wide.figures(segment, now, zone), Figures::of(whole, segment, now, zone));
        let is_in_segment = |cell: &Cell| segment.contains(*cell);
        let nothing = Figures::of(&Cells::default(), segment, now, zone);
        prop_assert!(cells_of_wide.iter().any(is_in_segment) || expected == nothing, "{:?} has no cell", segment);
        check_values(&got, &expected, segment)?;
        let got = Figures { values: expected.values.clone(), ..got };
        prop_assert_eq!(&got, &expected);
    }
    Ok(())
}

/// Read from the ages of homes, which a wide area keeps for the whole area only.
fn is_of_ages(name: &str) -> bool {
    let of_days = ["stays_90_days", "median_days_to_pending", "median_days_to_off_market", "median_days_on_market"];
    of_days.contains(&name) || name.starts_with("pending_within") || name.starts_with("off_market_within")
}

fn check_values(got: &Figures, expected: &Figures, segment: Segment) -> Result<(), TestCaseError> {
    let windows = Window::OF_DAYS.into_iter().flat_map(|window| {
        let of_window = Definition::all().filter(|figure| figure.is_of_windows());
        of_window.map(move |figure| (figure, Some(window)))
    });
    let moment = Definition::all().filter(|figure| !figure.is_of_windows()).map(|figure| (figure, None));
    for (figure, window) in moment.chain(windows).filter(|(figure, _)| figure.is_value()) {
        let (got, expected) = (figure.value(got, window), figure.value(expected, window));
        let name = figure.name;
        if is_of_ages(name) && segment != Segment::All {
            prop_assert_eq!(got, None, "{} of {:?}", name, segment);
        } else {
            prop_assert_eq!(got, expected, "{} of {:?} {:?}", name, segment, window);
        }
    }
    Ok(())
}

fn check_series(wide: &Wide, whole: &Cells, until: Day) -> Result<(), TestCaseError> {
    let from = Day(until.0 - i32::from(WIDE_SERIES_DAYS) - 26);
    let (got, expected) = (wide.closes(from, until), closes(whole, Segment::All, from, until));
    prop_assert_eq!(got, expected);
    prop_assert_eq!(wide.pooled_medians(until, until), pooled_medians(whole, Segment::All, until, until));
    let days: Vec<Day> = (until.0 - i32::from(WIDE_SERIES_DAYS)..=until.0).map(Day).collect();
    prop_assert_eq!(wide.log_prices(&days), log_prices(whole, &days));
    let since = Day(until.0 - i32::from(WIDE_SERIES_DAYS) + 1);
    prop_assert_eq!(wide.repeat_pairs(since, until), repeat_pairs(whole, since, until));
    Ok(())
}

proptest! {
    #[test]
    fn figures_and_series_equal_those_of_the_plain_sum(
        homes in prop_oneof![homes(), homes_of_a_season()],
        (from, behind) in day(),
        zone in 0_usize..3,
    ) {
        let zone = &zones()[zone];
        let markets = unfolded(&homes);
        let (whole, until) = (plain(&markets), Day(from.0 + behind));
        let wide = project(&markets, from);
        check_figures(&wide, &whole, noon(until.0, zone), zone)?;
        check_series(&wide, &whole, until)?;
    }

    /// The first and the last moment of a civil day.
    #[test]
    fn a_day_is_covered_from_its_first_to_its_last_moment(homes in homes(), (from, behind) in day(), zone in 0_usize..3) {
        let zone = &zones()[zone];
        let markets = unfolded(&homes);
        let whole = plain(&markets);
        let wide = project(&markets, from);
        let noon = noon(from.0 + behind, zone);
        for hours in [-12, 12] {
            let moment = noon.plus_ms(hours * 3_600_000 - i64::from(hours > 0));
            prop_assert_eq!(moment.day_in(zone), Day(from.0 + behind));
            check_figures(&wide, &whole, moment, zone)?;
        }
    }

    /// Folded markets, each with the last days of its archive.
    #[test]
    fn folding_does_not_change_figures_and_series(homes in homes(), (from, behind) in day()) {
        let zone = &zones()[1];
        let whole = plain(&unfolded(&homes));
        let markets = kept(&homes, from);
        let until = Day(from.0 + behind);
        let wide = project(&markets, from);
        let hours = markets.iter().filter_map(|(cells, _)| cells.horizon()).map(|horizon| horizon.hours).max();
        // Folded hours are not available anywhere.
        if hours.is_none_or(|hours| hours.0 <= from.0 - 2) {
            check_figures(&wide, &whole, noon(until.0, zone), zone)?;
        }
        check_series(&wide, &whole, until)?;
    }

    #[test]
    fn the_projection_of_a_sum_is_the_sum_of_the_projections(homes in homes(), (from, _) in day(), taken in 0_usize..9) {
        for markets in [unfolded(&homes), kept(&homes, from)] {
            let each: Vec<Wide> = markets.iter().map(|market| project(std::slice::from_ref(market), from)).collect();
            let whole = project(&markets, from);
            prop_assert_eq!(&sum_of(&each), &whole);
            prop_assert_eq!(&sum_of(each.iter().rev()), &whole);
            let taken = taken % each.len().max(1);
            let mut rest = whole.clone();
            each.get(taken).into_iter().for_each(|taken| rest.subtract(taken));
            prop_assert_eq!(&rest, &sum_of(each.iter().enumerate().filter(|(at, _)| *at != taken).map(|(_, it)| it)));
            rest.subtract(&rest.clone());
            prop_assert!(rest.is_empty(), "{:?}", rest);
        }
        let whole = unfolded(&homes);
        prop_assert_eq!(project(&[(plain(&whole), Cells::default())], from), project(&whole, from));
    }

    /// Areas that were summed up on different days have together the days that all of them have.
    #[test]
    fn sums_of_different_days_share_the_common_days(homes in homes(), (from, _) in day(), apart in 1..WIDE_DAYS) {
        let zone = &zones()[1];
        let markets = unfolded(&homes);
        let wides = markets.iter().enumerate().map(|(at, market)| {
            let from = if at % 2 == 0 { from } else { Day(from.0 + apart) };
            project(std::slice::from_ref(market), from)
        });
        let wide = sum_of(&wides.collect::<Vec<_>>());
        let whole = plain(&markets);
        for until in [from.0 + apart, from.0 + WIDE_DAYS - 1] {
            check_figures(&wide, &whole, noon(until, zone), zone)?;
            check_series(&wide, &whole, Day(until))?;
        }
    }

    #[test]
    fn a_wide_area_round_trips_as_bytes(homes in homes(), (from, _) in day()) {
        let wide = project(&kept(&homes, from), from);
        let [now, series] = wide.to_bytes();
        prop_assert_eq!(&Wide::from_bytes(&now, Some(&series)).unwrap(), &wide);
        prop_assert_eq!(Wide::from_bytes(&now, None).unwrap().segments(), wide.segments());
        let mut folded = Cells::default();
        drop(folded.fold_to(Horizon { days: from, hours: from }));
        prop_assert!(Wide::from_bytes(&folded.to_bytes(), None).is_err(), "the state of a market is not a wide area");
    }
}

/// Schedules of every home on offer would be most of a sum, and each sighting changes them.
#[test]
fn schedules_for_later_days_are_left_out() {
    let seen = |watch| MadeSighting {
        at: 1_551_441_600_000,
        seq: 0,
        state: plain_home(),
        listed: None,
        initial: false,
        watch,
    };
    let state = |watch| unfolded(&[vec![seen(watch)]]);
    let day = Day(17_956);
    let (once, watched) = (state(Watch::Once), state(Watch::Complete));
    assert!(watched[0].0.len() > once[0].0.len(), "it will be unconfirmed one day");
    assert_eq!(project(&watched, day), project(&once, day));
    let zone = &zones()[1];
    let unconfirmed = |from: Day, now: i32| {
        let wide = project(&watched, from);
        wide.figures(Segment::All, noon(now, zone), zone).unconfirmed
    };
    assert_eq!((unconfirmed(day, 17_965), unconfirmed(Day(17_980), 17_980)), (0, 1));
}

#[test]
fn a_wide_area_has_the_stays_of_homes_listed_in_the_last_ninety_days() {
    // On day 17,956.
    let seen = MadeSighting {
        at: 1_551_441_600_000,
        seq: 0,
        state: plain_home(),
        listed: None,
        initial: false,
        watch: Watch::Once,
    };
    let markets = unfolded(&[vec![seen]]);
    let stays = Definition::all().find(|figure| figure.name == "stays_90_days").unwrap();
    for (from, now, expected) in
        [(18_045, 18_045, 1.0), (18_046, 18_046, 0.0), (18_040, 18_045, 1.0), (18_040, 18_046, 0.0)]
    {
        let wide = project(&markets, Day(from));
        let zone = &zones()[1];
        let figures = wide.figures(Segment::All, noon(now, zone), zone);
        assert_eq!(stays.value(&figures, None), Some(expected), "on day {now} of the sums from day {from} on");
    }
}

#[test]
fn the_last_day_west_of_greenwich_has_its_hours_of_the_next_utc_day() {
    let [honolulu, ..] = zones();
    let from = Day(18_000);
    // On the last day of the sums in Honolulu, early on the next one in UTC.
    let at = (i64::from(from.0) + i64::from(WIDE_DAYS)) * 86_400_000 + 5 * 3_600_000;
    let seen = MadeSighting { at, seq: 0, state: plain_home(), listed: None, initial: false, watch: Watch::Once };
    let wide = project(&unfolded(&[vec![seen]]), from);
    let figures = wide.figures(Segment::All, Time::from_ms(at + 3_600_000), &honolulu);
    assert_eq!(figures.last_24_hours, Some(stoop_market::Flows { new: 1, ..Default::default() }));
}
