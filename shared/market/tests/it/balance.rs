//! Compares stock and flows of every market, part and day with plain loops over the intervals of homes.

mod days;
mod expiry;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use stoop_domain::{Day, Market, PropertyType, Status, Watch};
use stoop_market::{
    Cell, Cells, Figures, Flows, KindPrices, PriceRange, RELATIVE_ERROR, Segment, Window, Zones, asking_prices, closes,
    contribution,
};

use crate::oracle::{
    Interval, OnOffer, OracleEvent, Part, What, by_day, day_of, happened, intervals, noon, on_offer, quantile,
};
use crate::support::{MadeSighting, State, history, homes, plain};

const DAY: i64 = 86_400_000;

/// The state of every market.
pub(crate) fn states(homes: &[Vec<MadeSighting>]) -> BTreeMap<Market, Cells> {
    let mut states: BTreeMap<Market, Cells> = BTreeMap::new();
    let mut zones = Zones::default();
    for home in homes {
        for (market, delta) in contribution(&history(home), &mut zones).into_deltas() {
            states.entry(market).or_default().add(&delta);
        }
    }
    states
}

pub(crate) fn segment(part: Part) -> Segment {
    match part {
        Part::All => Segment::All,
        Part::Type(kind) => Segment::Type(kind),
        Part::Bedrooms(bedrooms) => Segment::Bedrooms(bedrooms),
        Part::Both(property_type, bedrooms) => Segment::Cell(Cell { property_type, bedrooms }),
    }
}

/// The whole market, every type, every number of bedrooms, and every cell that the homes can be in.
pub(crate) fn parts() -> Vec<Part> {
    let kinds = [None, Some(PropertyType::Condominium), Some(PropertyType::Townhouse)];
    let bedrooms = [None, Some(0), Some(2), Some(10)];
    let both = kinds.into_iter().flat_map(|kind| bedrooms.map(|bedrooms| Part::Both(kind, bedrooms)));
    [Part::All].into_iter().chain(kinds.map(Part::Type)).chain(bedrooms.map(Part::Bedrooms)).chain(both).collect()
}

fn flows(counts: &BTreeMap<What, i64>) -> Flows {
    let of = |what| counts.get(&what).copied().unwrap_or(0);
    Flows {
        initial: of(What::Initial),
        new: of(What::New),
        relisted: of(What::Relisted),
        back_on_market: of(What::BackOnMarket),
        moved_in: of(What::MovedIn),
        pending: of(What::Pending),
        closed: of(What::Closed),
        gone: of(What::Gone),
        moved_out: of(What::MovedOut),
        expired: of(What::Expired),
        price_cuts: of(What::Cut),
        price_rises: of(What::Rise),
        sold: of(What::Sold),
    }
}

fn near(got: Option<f64>, want: Option<f64>) -> bool {
    match (got, want) {
        (Some(got), Some(want)) => (got - want).abs() <= want.abs() * RELATIVE_ERROR * 1.000_001,
        (got, want) => got == want,
    }
}

fn unconfirmed(homes: &[OnOffer]) -> i64 {
    homes.iter().filter(|home| home.unconfirmed).count() as i64
}

/// Whether a price may belong among these: with ten or more, it is within 50 times the median.
pub(crate) fn is_usual(price: f64, prices: &[f64]) -> bool {
    let median = quantile(prices.to_vec(), 0.5).unwrap();
    prices.len() < 10 || (price <= median * 50.2 && price >= median / 50.2)
}

#[expect(clippy::cast_precision_loss, reason = "few homes")]
fn mean_of_usual(prices: &[f64]) -> Option<f64> {
    let usual: Vec<f64> = prices.iter().copied().filter(|price| is_usual(*price, prices)).collect();
    (!usual.is_empty()).then(|| usual.iter().sum::<f64>() / usual.len() as f64)
}

/// Compares the figures of stock with a plain computation.
#[expect(clippy::cast_precision_loss, reason = "few homes")]
fn check_stock(figures: &Figures, homes: &[OnOffer], today: i32) -> Result<(), TestCaseError> {
    let prices: Vec<f64> = homes.iter().filter_map(|home| home.price).map(|price| price as f64).collect();
    let priced = prices.len();
    prop_assert_eq!((figures.active, figures.priced), (homes.len() as i64, priced as i64));
    prop_assert_eq!(figures.unconfirmed, unconfirmed(homes));
    let mean = mean_of_usual(&prices);
    prop_assert_eq!(figures.mean_price.map(f64::round), mean.map(f64::round));
    let usual: Vec<f64> = prices.iter().copied().filter(|price| is_usual(*price, &prices)).collect();
    let of = |q: f64| quantile(if q % 1.0 == 0.0 { usual.clone() } else { prices.clone() }, q);
    for (got, q) in [(figures.median_price, 0.5), (figures.p25_price, 0.25), (figures.p75_price, 0.75)] {
        prop_assert!(near(got, of(q)), "{:?} for {:?}", got, of(q));
    }
    if let (Some(min), Some(max)) = (of(0.0), of(1.0)) {
        let (lower, upper) = (figures.min_price.unwrap(), figures.max_price.unwrap());
        prop_assert!(near(Some(lower), Some(min)), "{lower} for {min}");
        prop_assert!(near(Some(upper), Some(max)), "{upper} for {max}");
        prop_assert!(priced > 1 || lower == min && upper == max && figures.median_price == Some(min));
    } else {
        prop_assert_eq!((figures.min_price, figures.max_price), (None, None));
    }
    let per_area = homes.iter().filter_map(|home| Some(home.price? as f64 / home.square_metres?)).collect();
    prop_assert!(near(figures.median_price_per_m2, quantile(per_area, 0.5)));
    let ages = homes.iter().map(|home| f64::from((today - home.opened_day).max(0))).collect();
    prop_assert_eq!(figures.median_age_days, quantile(ages, 0.5));
    let cut = |home: &OnOffer| {
        let (price, first) = (home.price? as f64, home.first_price? as f64);
        (price < first).then(|| (first - price) / first)
    };
    let cuts: Vec<f64> = homes.iter().filter_map(cut).collect();
    prop_assert_eq!(figures.cut_share, (priced > 0).then(|| cuts.len() as f64 / priced as f64));
    prop_assert!(near(figures.median_cut, quantile(cuts, 0.5)));
    Ok(())
}

/// The prices of a kind of home are those of its segment.
fn check_kinds(cells: &Cells, day: i32, zone: &jiff::tz::TimeZone) -> Result<(), TestCaseError> {
    let [prices, per_m2] = [KindPrices::of(cells, Day(day)), KindPrices::per_m2(cells, Day(day))];
    for kind in cells.cells() {
        let figures = Figures::of(cells, Segment::Cell(kind), noon(day, zone), zone);
        let homes = |prices: &KindPrices| prices.median(kind).map_or(0, |median| median.homes);
        prop_assert_eq!((homes(&prices), homes(&per_m2)), (figures.priced, figures.priced_per_area));
        let median = prices.median(kind).map(|median| median.median).filter(|_| figures.priced > 1);
        prop_assert_eq!(median, figures.median_price.filter(|_| figures.priced > 1));
        prop_assert_eq!(per_m2.median(kind).map(|median| median.median), figures.median_price_per_m2);
    }
    Ok(())
}

/// Every price is in its range, and in no other one.
#[expect(clippy::cast_precision_loss, reason = "few homes")]
fn check_asking(ranges: &[PriceRange], homes: &[OnOffer]) -> Result<(), TestCaseError> {
    let mut prices: Vec<f64> = homes.iter().filter_map(|home| home.price).map(|price| price as f64).collect();
    prices.sort_by(f64::total_cmp);
    let mut left = prices.into_iter();
    for range in ranges {
        let in_range = left.by_ref().take(range.homes as usize).collect::<Vec<_>>();
        prop_assert!(range.homes > 0 && in_range.len() == range.homes as usize, "{range:?} of {in_range:?}");
        let ends = range.from * 0.999_999_999..=range.to * 1.000_000_001;
        prop_assert!(in_range.iter().all(|price| ends.contains(price)), "{in_range:?} is not in {range:?}");
    }
    prop_assert_eq!(left.next(), None);
    Ok(())
}

/// Compares the windows up to a moment with plain counting.
fn check_windows(
    figures: &Figures,
    all: &[OracleEvent],
    market: &Market,
    part: Part,
    today: i32,
) -> Result<(), TestCaseError> {
    let zone = market.area.country().zone;
    let now = noon(today, &zone).ms().div_euclid(3_600_000);
    for window in Window::ALL {
        let within = |one: &&OracleEvent| match window {
            Window::Hours24 => one.hour.is_some_and(|hour| (now - 23..=now).contains(&hour)),
            _ => (today - window.span() + 1..=today).contains(&one.day),
        };
        let mut counts = BTreeMap::new();
        for one in all.iter().filter(|one| one.market == *market && one.parts.contains(&part)).filter(within) {
            *counts.entry(one.what).or_default() += 1;
        }
        prop_assert_eq!(figures.flows(window), Some(&flows(&counts)), "{} of {:?}", window.label(), part);
    }
    Ok(())
}

/// Compares every close of every part, and the figures on days around events.
pub(crate) fn check(
    homes: &[Vec<Interval>],
    market: &Market,
    cells: &Cells,
    sample: usize,
) -> Result<(), TestCaseError> {
    let all: Vec<OracleEvent> = homes.iter().flat_map(|home| happened(home)).collect();
    let zone = market.area.country().zone;
    let begins = homes.iter().flatten().map(|interval| day_of(interval.at, &zone));
    let doze =
        homes.iter().flatten().flat_map(|interval| &interval.seen).flat_map(|at| [*at, at + 8 * DAY, at + 24 * DAY]);
    let doze = doze.map(|at| day_of(at, &zone));
    let days: BTreeSet<i32> =
        begins.chain(all.iter().map(|one| one.day)).chain(doze).flat_map(|day| [day - 1, day, day + 1]).collect();
    let (from, until) = (*days.first().unwrap(), *days.last().unwrap());
    for part in parts() {
        let expected = by_day(&all, market, part);
        let mut stock = 0;
        let series = closes(cells, segment(part), Day(from), Day(until));
        prop_assert_eq!(series.len(), (until - from + 1) as usize);
        for close in &series {
            prop_assert_eq!(close.flows, flows(expected.get(&close.day.0).unwrap_or(&BTreeMap::new())));
            stock += close.flows.entries() - close.flows.exits();
            prop_assert_eq!(close.active, stock, "{:?} on {}", part, close.day);
            if days.contains(&close.day.0) {
                let homes = on_offer(homes, market, part, close.day.0);
                prop_assert_eq!((close.active, close.unconfirmed), (homes.len() as i64, unconfirmed(&homes)));
                let prices =
                    || homes.iter().filter_map(|home| home.price).map(|price| price as f64).collect::<Vec<_>>();
                prop_assert!(near(close.median_price, quantile(prices(), 0.5)));
                let mean = mean_of_usual(&prices());
                prop_assert_eq!(close.mean_price.map(f64::round), mean.map(f64::round));
            }
        }
        for day in days.iter().skip(sample % 5).step_by(5) {
            let figures = Figures::of(cells, segment(part), noon(*day, &zone), &zone);
            check_stock(&figures, &on_offer(homes, market, part, *day), *day)?;
            if part == Part::All {
                check_kinds(cells, *day, &zone)?;
                check_asking(&asking_prices(cells, Day(*day)), &on_offer(homes, market, part, *day))?;
            }
            check_windows(&figures, &all, market, part, *day)?;
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn stock_is_entries_less_exits(homes in homes(), sample in 0_usize..5) {
        let expected_intervals: Vec<Vec<Interval>> = homes.iter().map(|home| intervals(home)).collect();
        let states = states(&homes);
        let markets: BTreeSet<Market> = expected_intervals.iter().flatten().map(|interval| interval.state.market()).collect();
        for market in markets {
            check(&expected_intervals, &market, states.get(&market).unwrap_or(&Cells::default()), sample)?;
        }
    }
}

/// A day, and a change from that day on.
pub(crate) type Step<'a> = (&'a str, &'a dyn Fn(&mut State));

/// A plain home with these changes.
pub(crate) fn life(changes: &[Step<'_>]) -> Vec<MadeSighting> {
    let mut state = plain();
    let one = |(day, change): &Step<'_>| {
        change(&mut state);
        let at = stoop_domain::Time::parse(&format!("{day}T20:00:00Z")).unwrap().ms();
        MadeSighting { at, seq: 0, state: state.clone(), listed: None, initial: false, watch: Watch::Once }
    };
    changes.iter().map(one).collect()
}

/// The sums over all days in a segment of the market of plain homes, and the stock at the end.
fn total(home: Vec<MadeSighting>, segment: Segment) -> (Flows, i64) {
    let state = states(&[home]).remove(&plain().market()).unwrap();
    let series = closes(&state, segment, Day(15_000), Day(24_000));
    let mut sum = Flows::default();
    for Flows {
        new,
        relisted,
        back_on_market,
        moved_in,
        pending,
        closed,
        gone,
        moved_out,
        expired,
        sold,
        price_cuts,
        ..
    } in series.iter().map(|close| close.flows)
    {
        sum.new += new;
        sum.relisted += relisted;
        sum.back_on_market += back_on_market;
        sum.moved_in += moved_in;
        sum.pending += pending;
        sum.closed += closed;
        sum.gone += gone;
        sum.moved_out += moved_out;
        sum.expired += expired;
        sum.sold += sold;
        sum.price_cuts += price_cuts;
    }
    (sum, series.last().unwrap().active)
}

#[test]
fn gone_then_sold_is_one_exit_and_one_sale() {
    let home = life(&[
        ("2026-01-01", &|_| ()),
        ("2026-01-10", &|home| home.status = Status::Gone),
        ("2026-02-10", &|home| home.status = Status::Closed),
    ]);
    assert_eq!(total(home, Segment::All), (Flows { new: 1, gone: 1, sold: 1, ..Flows::default() }, 0));
}

#[test]
fn a_dated_sale_counts_on_its_day_and_the_exit_when_it_was_seen() {
    let home = life(&[
        ("2026-01-01", &|_| ()),
        ("2026-01-10", &|home| {
            home.status = Status::Closed;
            home.close_day = Some(20_459); // 2026-01-06
        }),
    ]);
    let state = states(&[home]).remove(&plain().market()).unwrap();
    let days = closes(&state, Segment::All, Day(20_459), Day(20_463));
    let read: Vec<_> = days.iter().map(|day| (day.active, day.flows.closed, day.flows.sold)).collect();
    assert_eq!(read, [(1, 0, 1), (1, 0, 0), (1, 0, 0), (1, 0, 0), (0, 1, 0)]);
}

#[test]
fn a_change_of_bedrooms_moves_between_cells_and_not_in_the_market() {
    let home = || {
        life(&[
            ("2026-01-01", &|home| {
                home.kind = Some(PropertyType::Townhouse);
                home.bedrooms = Some(2);
            }),
            ("2026-01-10", &|home| {
                home.bedrooms = Some(3);
                home.price = Some(40_000_000);
            }),
        ])
    };
    let new = Flows { new: 1, ..Flows::default() };
    let cut = Flows { price_cuts: 1, ..Flows::default() };
    let townhouse = |bedrooms| Cell { property_type: Some(PropertyType::Townhouse), bedrooms: Some(bedrooms) };
    for segment in [Segment::All, Segment::Type(Some(PropertyType::Townhouse))] {
        assert_eq!(total(home(), segment), (Flows { price_cuts: 1, ..new }, 1), "{segment:?}");
    }
    for segment in [Segment::Bedrooms(Some(2)), Segment::Cell(townhouse(2))] {
        assert_eq!(total(home(), segment), (Flows { moved_out: 1, ..new }, 0), "{segment:?}");
    }
    for segment in [Segment::Bedrooms(Some(3)), Segment::Cell(townhouse(3))] {
        assert_eq!(total(home(), segment), (Flows { moved_in: 1, ..cut }, 1), "{segment:?}");
    }
}

#[test]
fn a_doubtful_price_is_in_no_figure_until_it_is_sighted_on_another_day() {
    let other = life(&[("2026-01-01", &|home| home.price = Some(40_000_000))]);
    let slip = life(&[("2026-01-01", &|_| ()), ("2026-01-05", &|home| home.price = Some(5_000_000))]);
    let still =
        life(&[("2026-01-01", &|_| ()), ("2026-01-05", &|home| home.price = Some(5_000_000)), ("2026-01-06", &|_| ())]);
    let mended = life(&[
        ("2026-01-01", &|_| ()),
        ("2026-01-05", &|home| home.price = Some(5_000_000)),
        ("2026-01-06", &|home| home.price = Some(48_000_000)),
    ]);
    let figures_at = |home: Vec<MadeSighting>, until: i32| {
        let cells = states(&[home, other.clone()]).remove(&plain().market()).unwrap();
        let zone = plain().market().area.country().zone;
        let figures = Figures::of(&cells, Segment::All, noon(until, &zone), &zone);
        let flows = figures.flows(Window::Days7).unwrap();
        (figures.active, figures.priced, figures.mean_price, figures.cut, flows.price_cuts, flows.price_rises)
    };
    let (the_5th, the_6th) = (20_458, 20_459);
    assert_eq!(figures_at(slip.clone(), the_5th), (2, 1, Some(40_000_000.0), 0, 0, 0));
    assert_eq!(figures_at(slip, the_6th), (2, 1, Some(40_000_000.0), 0, 0, 0));
    assert_eq!(figures_at(still, the_5th), (2, 2, Some(22_500_000.0), 1, 1, 0));
    assert_eq!(figures_at(mended.clone(), the_5th), (2, 1, Some(40_000_000.0), 0, 0, 0));
    assert_eq!(figures_at(mended, the_6th), (2, 2, Some(44_000_000.0), 1, 1, 0));
}

#[test]
fn a_switch_from_sale_to_rent_is_gone_there_and_new_here() {
    let home = || life(&[("2026-01-01", &|_| ()), ("2026-01-10", &|home| home.rent = true)]);
    assert_eq!(total(home(), Segment::All), (Flows { new: 1, gone: 1, ..Flows::default() }, 0));
    let rents = states(&[home()]).remove(&State { rent: true, ..plain() }.market()).unwrap();
    let last = closes(&rents, Segment::All, Day(20_463), Day(20_463));
    assert_eq!((last[0].active, last[0].flows), (1, Flows { new: 1, ..Flows::default() }));
}
