//! Compares the figures of sales, speed and pressure with plain computation, for every part of every market.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use stoop_domain::Market;
use stoop_market::{Cells, Definition, Figures, RELATIVE_ERROR, Window};

use crate::archive::{feed_of, keep};
use crate::balance::{is_usual, parts, segment, states};
use crate::oracle::deals::{Event, Sale, events};
use crate::oracle::stays::{Stay, curve, left_within, median, stays};
use crate::oracle::{Interval, Part, What, intervals, noon, on_offer, pending_stock, quantile};
use crate::support::{MadeSighting, homes, homes_of_a_season};

/// What a figure must be.
#[derive(Clone, Copy, Debug)]
enum Want {
    Exactly(Option<f64>),
    /// Within the error of a bucket.
    About(Option<f64>),
}

/// The figures of the moment and of each window, by name.
struct Wants {
    moment: BTreeMap<&'static str, Want>,
    windows: [BTreeMap<&'static str, Want>; 3],
}

use Want::{About, Exactly};

#[expect(clippy::cast_precision_loss, reason = "few homes")]
fn count(n: usize) -> Want {
    Exactly(Some(n as f64))
}

#[expect(clippy::cast_precision_loss, reason = "few homes")]
fn ratio(part: usize, whole: usize) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}

impl Want {
    fn is(self, got: Option<f64>) -> bool {
        let (want, error) = match self {
            // Sums of fractions, in another order.
            Exactly(want) => (want, 1e-12),
            About(want) => (want, RELATIVE_ERROR * 1.000_001),
        };
        match (got, want) {
            // A share of a price is a difference from 1, which is as exact as 1 is.
            (Some(got), Some(want)) => (got - want).abs() <= want.abs() * error + f64::EPSILON,
            (got, want) => got == want,
        }
    }
}

fn wants(homes: &[Vec<Interval>], all: &[Event], market: &Market, part: Part, today: i32) -> Wants {
    let here = |event: &&Event| event.happened.market == *market && event.happened.parts.contains(&part);
    let events: Vec<&Event> = all.iter().filter(here).collect();
    let active = on_offer(homes, market, part, today).len();
    let pending = pending_stock(homes, market, part, today);
    let mut moment = speed(&stays(&events, today), today);
    let asked: Vec<f64> =
        on_offer(homes, market, part, today).iter().filter_map(|it| it.price).map(|it| it as f64).collect();
    moment.insert("outlying", count(asked.iter().filter(|price| !is_usual(**price, &asked)).count()));
    moment.extend([("pending_stock", count(pending)), ("pending_ratio", Exactly(ratio(pending, active)))]);
    let windows = [7, 28, 90].map(|span| {
        let first = today - span + 1;
        let within = events.iter().filter(|event| (first..=today).contains(&event.happened.day));
        let within: Vec<&Event> = within.copied().collect();
        let mut wants = sales(&within);
        wants.extend(flows(&within, active, f64::from(span)));
        let entries = [What::Initial, What::New, What::Relisted, What::BackOnMarket, What::MovedIn];
        let entered = within.iter().filter(|event| entries.contains(&event.happened.what)).count();
        wants.extend(cuts(&within, on_offer(homes, market, part, first - 1).len() + entered));
        wants
    });
    Wants { moment, windows }
}

fn speed(stays: &[Stay], today: i32) -> BTreeMap<&'static str, Want> {
    let under_contract = curve(stays, today, |what| matches!(what, What::Pending | What::Closed));
    let off_market = curve(stays, today, |what| matches!(what, What::Pending | What::Closed | What::Gone));
    BTreeMap::from([
        ("stays_90_days", count(stays.len())),
        ("median_days_to_pending", Exactly(median(&under_contract))),
        ("pending_within_7_days", Exactly(left_within(&under_contract, 7))),
        ("pending_within_14_days", Exactly(left_within(&under_contract, 14))),
        ("pending_within_30_days", Exactly(left_within(&under_contract, 30))),
        ("pending_within_60_days", Exactly(left_within(&under_contract, 60))),
        ("median_days_to_off_market", Exactly(median(&off_market))),
        ("off_market_within_7_days", Exactly(left_within(&off_market, 7))),
        ("off_market_within_14_days", Exactly(left_within(&off_market, 14))),
        ("off_market_within_30_days", Exactly(left_within(&off_market, 30))),
        ("off_market_within_60_days", Exactly(left_within(&off_market, 60))),
    ])
}

/// `within`: the events of the window.
#[expect(clippy::cast_precision_loss, reason = "few sales")]
fn sales(within: &[&Event]) -> BTreeMap<&'static str, Want> {
    let sales: Vec<Sale> = within.iter().filter_map(|event| event.sale).collect();
    let prices: Vec<f64> = sales.iter().map(|sale| sale.price as f64).collect();
    let per_area: Vec<f64> = sales.iter().filter_map(|sale| Some(sale.price as f64 / sale.square_metres?)).collect();
    let to_list: Vec<i64> = sales.iter().filter_map(|sale| sale.to_list).collect();
    let to_original: Vec<i64> = sales.iter().filter_map(|sale| sale.to_original).collect();
    let above = to_list.iter().filter(|points| **points > 10_000).count();
    let middle = |points: Vec<i64>| {
        Exactly(quantile(points.into_iter().map(|points| points as f64).collect(), 0.5).map(|points| points / 1e4))
    };
    let volume = (!sales.is_empty()).then(|| sales.iter().map(|sale| i128::from(sale.price)).sum::<i128>() as f64);
    let price = quantile(prices.clone(), 0.5);
    BTreeMap::from([
        ("sales_priced", count(sales.len())),
        ("median_sale_price", if sales.len() == 1 { Exactly(price) } else { About(price) }),
        ("mean_sale_price", Exactly(volume.map(|volume| volume / sales.len() as f64))),
        ("sale_volume", Exactly(volume)),
        ("sales_priced_per_area", count(per_area.len())),
        ("median_sale_price_per_area", About(quantile(per_area, 0.5))),
        ("sales_compared", count(to_list.len())),
        ("sold_above_list", Exactly(ratio(above, to_list.len()))),
        ("median_sale_to_list", middle(to_list)),
        ("median_sale_to_original", middle(to_original)),
    ])
}

#[expect(clippy::cast_precision_loss, reason = "few homes")]
fn flows(within: &[&Event], active: usize, days: f64) -> BTreeMap<&'static str, Want> {
    let of = |whats: &[What]| within.iter().filter(|event| whats.contains(&event.happened.what)).count();
    let ages = within
        .iter()
        .filter(|event| matches!(event.happened.what, What::Pending | What::Closed | What::Gone | What::Expired));
    let ages: Vec<f64> = ages.map(|event| f64::from(event.age())).collect();
    let asked = within.iter().filter(|event| event.happened.what == What::New).filter_map(|event| event.price);
    let asked: Vec<f64> = asked.map(|price| price as f64).collect();
    let (sold, contracts) = (of(&[What::Sold]), of(&[What::Pending, What::Closed]));
    let month = 365.25 / 12.0;
    let months = |going: usize| (going > 0).then(|| active as f64 / (going as f64 / (days / month)));
    BTreeMap::from([
        ("left", count(ages.len())),
        ("median_days_on_market", Exactly(quantile(ages, 0.5))),
        ("relist_rate", Exactly(ratio(of(&[What::Relisted]), of(&[What::Relisted, What::New])))),
        ("months_of_supply", Exactly(months(sold))),
        ("months_to_contract", Exactly(months(contracts))),
        ("absorption_rate", Exactly(ratio(contracts, active).map(|share| share / (days / month)))),
        ("new_priced", count(asked.len())),
        ("median_new_price", About(quantile(asked, 0.5))),
    ])
}

/// `offered`: homes on offer at some time in the window.
fn cuts(within: &[&Event], offered: usize) -> BTreeMap<&'static str, Want> {
    let cuts = || within.iter().filter(|event| event.happened.what == What::Cut);
    let homes: BTreeSet<(usize, Part)> = cuts().map(|event| (event.home, event.cell)).collect();
    let first: Vec<f64> = cuts().filter(|event| event.is_first_cut).map(|event| f64::from(event.age())).collect();
    BTreeMap::from([
        ("homes_cut", count(homes.len())),
        ("homes_cut_share", Exactly(ratio(homes.len(), offered))),
        ("median_price_cut", About(quantile(cuts().filter_map(|event| event.cut).collect(), 0.5))),
        ("first_cuts", count(first.len())),
        ("median_days_to_first_cut", Exactly(quantile(first, 0.5))),
        ("relisted_lower", count(within.iter().filter(|event| event.is_lower).count())),
    ])
}

/// Compares every figure of the catalogue that has no field of its own.
fn compare(figures: &Figures, wants: &Wants, part: Part, today: i32) -> Result<(), TestCaseError> {
    for figure in Definition::all().filter(|figure| figure.is_value()) {
        let read = if figure.is_of_windows() {
            let windows = Window::OF_DAYS.into_iter().zip(&wants.windows);
            windows.map(|(window, wants)| (Some(window), wants)).collect()
        } else {
            vec![(None, &wants.moment)]
        };
        for (window, wants) in read {
            let got = figure.value(figures, window);
            let want = wants.get(figure.name);
            prop_assert!(
                want.is_some_and(|want| want.is(got)),
                "{} of {:?} in {:?} on {}: {:?} for {:?}",
                figure.name,
                part,
                window,
                today,
                got,
                want
            );
        }
    }
    Ok(())
}

/// The days around events, and around the ends of their windows.
fn days_of(all: &[Event], market: &Market) -> Vec<i32> {
    let days = all.iter().filter(|event| event.happened.market == *market).map(|event| event.happened.day);
    let days = days.flat_map(|day| [0, 1, 6, 7, 14, 27, 28, 60, 89, 90].map(|later| day + later));
    days.collect::<BTreeSet<i32>>().into_iter().collect()
}

/// Compares the figures of every part of every market on a few days.
fn check(homes: &[Vec<MadeSighting>], markets: &BTreeMap<Market, Cells>, at: usize) -> Result<(), TestCaseError> {
    let expected: Vec<Vec<Interval>> = homes.iter().map(|home| intervals(home)).collect();
    let all = events(&expected);
    for (market, cells) in markets {
        let zone = market.area.country().zone;
        let from = cells.horizon().map_or(i32::MIN, |horizon| horizon.days.0.saturating_add(90));
        let days = days_of(&all, market);
        for day in days.iter().skip(at % 7).step_by(days.len() / 8 + 1).filter(|day| **day >= from) {
            for part in parts() {
                let figures = Figures::of(cells, segment(part), noon(*day, &zone), &zone);
                compare(&figures, &wants(&expected, &all, market, part, *day), part, *day)?;
            }
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn figures_equal_plain_computation_over_years(homes in homes(), at in 0_usize..7) {
        check(&homes, &states(&homes), at)?;
    }

    #[test]
    fn figures_equal_plain_computation_in_a_season(homes in homes_of_a_season(), at in 0_usize..7) {
        check(&homes, &states(&homes), at)?;
    }

    /// Observations in any order, folded in between; with the archive, and from the horizon on without it.
    #[test]
    fn figures_of_shuffled_and_folded_observations_equal_plain_computation(
        (homes, order) in prop_oneof![homes(), homes_of_a_season()].prop_flat_map(|homes| {
            let count = homes.iter().map(Vec::len).sum::<usize>();
            (Just(homes), Just((0..count).collect::<Vec<_>>()).prop_shuffle())
        }),
        batch in 1_usize..30,
        at in 0_usize..7,
    ) {
        let feed = feed_of(&homes);
        let shuffled: Vec<_> = order.into_iter().map(|index| feed[index]).collect();
        let kept = keep(&shuffled, homes.len(), batch, |number| number % 2 == 0);
        let whole = kept.iter().map(|(market, kept)| (market.clone(), kept.hot.clone().with_archive(&kept.archive)));
        check(&homes, &whole.collect(), at)?;
        check(&homes, &kept.into_iter().map(|(market, kept)| (market, kept.hot)).collect(), at)?;
    }
}
