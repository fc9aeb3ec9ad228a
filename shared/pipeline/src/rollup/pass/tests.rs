//! Sums are those of their homes, whatever fails, is late, is faster, lost or killed.

mod world;

use stoop_domain::{Address, Currency, Home, Listing, Minor, Observation, Purpose, market_of};
use stoop_market::{Cells, Zones, contribution};

use super::*;
use crate::areas::area_sum::SumError;
use crate::ports::WholeMarket;
use world::{Faults, START, World, day};

async fn lives(seed: u64, faults: Faults, steps: usize) -> World {
    let world = World::new(seed, faults);
    let mut today = 700;
    for _ in 0..steps {
        let now = {
            let mut inner = world.lock();
            today += if inner.random.below(6) == 0 { inner.random.below(90) } else { inner.random.below(3) };
            inner.now = day(today);
            for _ in 0..inner.random.below(8) {
                inner.see(today);
            }
            day(today).plus_ms(inner.random.below(Time::DAY_MS))
        };
        let is_all = world.lock().random.below(5) == 0;
        let done = if is_all { world.roll_all(now).await } else { world.roll(now).await };
        let may_fail = faults.fails.is_some() || faults.killed_at.is_some();
        assert!(may_fail || done.failed == 0, "{done:?}");
        world.lock().nothing_is_settled_that_is_not_in();
        let mut inner = world.lock();
        inner.faults.killed_at = inner.faults.killed_at.filter(|call| inner.calls < *call);
    }
    let now = day(today).plus_ms(Time::DAY_MS - 1);
    world.lock().faults = Faults::default();
    let done = world.roll_all(now).await;
    assert_eq!((done.failed, done.left, world.lock().waiting()), (0, 0, 0));
    world.lock().all_are_sums(now);
    world
}

#[tokio::test]
async fn areas_are_the_sums_of_their_homes() {
    for seed in 0..6 {
        lives(seed, Faults::default(), 60).await;
    }
}

#[tokio::test]
async fn areas_are_the_sums_of_their_homes_if_any_call_fails_before_or_after() {
    for seed in 0..12 {
        lives(seed, Faults { fails: Some(12), ..Faults::default() }, 60).await;
    }
}

#[tokio::test]
async fn areas_are_the_sums_of_their_homes_with_concurrent_writers() {
    let mut others = 0;
    for seed in 0..8 {
        let faults = Faults { is_late: Some(3), fails: Some(40), ..Faults::default() };
        others += lives(seed, faults, 40).await.lock().others;
    }
    assert!(others > 100, "{others}");
}

#[tokio::test]
async fn after_a_kill_at_any_call_nothing_is_lost_or_counted_twice() {
    for call in 1..120 {
        lives(7, Faults { killed_at: Some(call), ..Faults::default() }, 12).await;
    }
}

/// A world in which everything is rolled up.
async fn rolled_up(now: Time) -> World {
    let world = World::new(3, Faults::default());
    world.lock().now = now;
    (0..60).for_each(|_| world.lock().see((now.ms() - START) / Time::DAY_MS));
    let done = world.roll(now).await;
    assert!(done.markets > 6 && done.written > 6 && done.left == 0, "{done:?}");
    world.lock().all_are_sums(now);
    world
}

#[tokio::test]
async fn unchanged_areas_are_neither_read_nor_written() {
    let world = rolled_up(day(700)).await;
    let counted = || {
        let inner = world.lock();
        (inner.calls, inner.tags)
    };
    let (calls, written) = counted();
    assert_eq!(world.roll(day(700)).await, RolledUp::default());
    assert_eq!(counted(), (calls + 1, written));
    // A repeated observation of one home is written into one sum of each level, and nothing else.
    let market = world.lock().markets.keys().next().unwrap().clone();
    world.lock().markets.get_mut(&market).unwrap().whole.version += 1;
    let done = world.roll(day(700).plus_ms(60_000)).await;
    let lag_ms = Some(60_000);
    assert_eq!(done, RolledUp { markets: 1, written: 3, lag_ms, ..RolledUp::default() });
}

#[tokio::test]
async fn a_sum_has_the_time_up_to_which_it_is_complete() {
    let world = rolled_up(day(700)).await;
    let (change, until) = (
        |begins: &str| {
            let mut inner = world.lock();
            let market = inner.markets.iter_mut().find(|(market, _)| market.to_string().starts_with(begins));
            market.unwrap().1.whole.version += 1;
        },
        |path: &str| world.lock().sum(&WideArea::new(path, "sale:USD".parse().unwrap()).unwrap()).version(),
    );
    let ms = |days| u64::try_from(day(days).ms()).unwrap();
    change("us/wa/king/seattle/98103:sale");
    change("us/wa/pierce");
    change("us/il");
    world.lock().faults.refused = Some("us/wa/king");
    let done = world.roll(day(701)).await;
    assert_eq!((done.markets, done.failed, done.left), (2, 1, 1));
    assert_eq!((until("us/wa/pierce"), until("us/il"), until("us/wa/king")), (ms(701), ms(701), ms(700)));
    assert_eq!((until("us/wa"), until("us")), (ms(700) + 1, ms(700) + 1), "the change in King County is not in them");
    world.lock().faults.refused = None;
    world.roll(day(702)).await;
    assert_eq!((until("us/wa/king"), until("us/wa"), until("us")), (ms(702), ms(702), ms(702)));
}

#[tokio::test]
async fn a_lost_region_with_a_failing_county_is_still_in_its_country() {
    let world = rolled_up(day(700)).await;
    let wa = WideArea::new("us/wa", "sale:USD".parse().unwrap()).unwrap();
    world.lock().sums.remove(&wa);
    (0..40).for_each(|_| world.lock().see(700));
    world.lock().faults.refused = Some("us/wa/king");
    let done = world.roll(day(701)).await;
    assert!(done.failed > 0 && done.markets > 0, "{done:?}");
    let inner = world.lock();
    let us = inner.sum(&wa.parent().unwrap());
    assert_eq!(us.part(wa.path()).unwrap().version, inner.sum(&wa).version(), "settled markets are included");
}

#[tokio::test]
async fn parts_are_recomputed_before_their_days_end() {
    let world = rolled_up(day(700)).await;
    for later in 701..704 {
        let done = world.roll_all(day(later)).await;
        assert_eq!(done.written, 0, "on day {later}");
        world.lock().all_are_sums(day(later));
    }
    assert!(world.roll_all(day(704)).await.written > 6);
    world.lock().all_are_sums(day(709));
    // A clock that was a year ahead, and was corrected.
    assert!(world.roll_all(day(1_000)).await.written > 6);
    assert!(world.roll_all(day(704)).await.written > 6);
    world.lock().all_are_sums(day(704));
}

#[tokio::test]
async fn a_lost_or_damaged_sum_is_made_again() {
    let areas: Vec<WideArea> = rolled_up(day(700)).await.lock().sums.keys().cloned().collect();
    for lost in &areas {
        for damage in [None, Some(0), Some(3), Some(40), Some(200)] {
            let world = rolled_up(day(700)).await;
            {
                let mut inner = world.lock();
                match damage {
                    None => drop(inner.sums.remove(lost)),
                    Some(at) => inner.sums.get_mut(lost).unwrap().1[at] ^= 0x55,
                }
            }
            (0..5).for_each(|_| world.lock().see(700));
            world.roll(day(700)).await;
            // An untouched area is noticed when its days end.
            world.roll_all(day(704)).await;
            world.roll_all(day(704)).await;
            world.lock().all_are_sums(day(704));
        }
    }
}

#[tokio::test]
async fn a_lost_sum_is_complete_as_soon_as_one_of_its_parts_changes() {
    for lost in ["us/wa/king", "us/wa", "us"] {
        let world = rolled_up(day(700)).await;
        {
            let mut inner = world.lock();
            let lost = WideArea::new(lost, "sale:USD".parse().unwrap()).unwrap();
            assert!(inner.sums.remove(&lost).is_some());
            let changed = "us/wa/king/seattle/98103:sale";
            let market = inner.markets.iter_mut().find(|(market, _)| market.to_string().starts_with(changed));
            market.unwrap().1.whole.version += 1;
        }
        assert_eq!(world.roll(day(700)).await.markets, 1, "{lost}");
        world.lock().all_are_sums(day(700));
    }
}

#[tokio::test]
async fn a_country_that_failed_when_its_days_ended_is_updated_by_the_next_check() {
    let world = rolled_up(day(700)).await;
    world.lock().faults.refused = Some("us");
    assert!(world.roll_all(day(704)).await.failed > 0);
    world.lock().faults.refused = None;
    // Its regions are right: only the country is behind.
    assert!(world.roll_all(day(705)).await.written > 0);
    world.lock().all_are_sums(day(709));
}

#[tokio::test]
async fn a_stopped_pass_finishes_what_it_began() {
    let world = World::new(3, Faults::default());
    world.lock().now = day(700);
    (0..60).for_each(|_| world.lock().see(700));
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let stop = || asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) >= 2;
    let first = roll_up(&world, day(700), &stop).await.unwrap();
    assert!(first.markets > 0 && first.left > 0, "{first:?}");
    world.lock().nothing_is_settled_that_is_not_in();
    let second = roll_up(&world, day(700), &|| false).await.unwrap();
    assert_eq!((second.markets, second.left), (first.left, 0));
    world.lock().all_are_sums(day(700));
}

#[tokio::test]
async fn a_stopped_check_of_everything_makes_progress_each_time() {
    let world = rolled_up(day(700)).await;
    world.lock().sums.clear();
    // Calls take time: there are enough for countries and regions, and too few for all counties as well.
    let above = {
        let inner = world.lock();
        let of = |level| inner.markets.keys().map(|market| WideArea::of(market, level)).collect::<BTreeSet<_>>().len();
        assert!(of(WideLevel::County) > 2);
        of(WideLevel::Country) + of(WideLevel::Region)
    };
    let mut passes = 0;
    loop {
        let most = world.lock().calls + above + 3;
        let stop = || world.lock().calls >= most;
        let done = roll_up_all(&world, day(701), &stop).await.unwrap();
        passes += 1;
        assert!(passes < 40, "{done:?}");
        if done.left == 0 {
            break;
        }
    }
    assert!(passes > 2, "{passes}");
    world.lock().all_are_sums(day(701));
}

#[tokio::test]
async fn with_more_work_than_a_pass_can_do_no_county_waits_for_ever() {
    let world = World::new(3, Faults::default());
    world.lock().now = day(700);
    (0..60).for_each(|_| world.lock().see(700));
    for minute in 0..200 {
        let asked = std::sync::atomic::AtomicUsize::new(0);
        let stop = || asked.fetch_add(1, std::sync::atomic::Ordering::SeqCst) >= 1;
        let done = roll_up(&world, day(700).plus_ms(minute * 60_000), &stop).await.unwrap();
        assert!(done.left > 0, "{done:?}");
        world.lock().markets.values_mut().for_each(|stored| stored.whole.version += 1);
    }
    let inner = world.lock();
    let never: Vec<_> = inner.markets.iter().filter(|(_, stored)| stored.settled == 0).collect();
    assert!(never.is_empty(), "{} of {}", never.len(), inner.markets.len());
}

#[tokio::test]
async fn a_deleted_market_is_removed_and_limits_no_days() {
    let world = rolled_up(day(700)).await;
    let is_gone = |market: &Market| {
        let area = market.area.to_string();
        area.starts_with("us/il/") || area.ends_with("/98178")
    };
    world.lock().markets.retain(|market, _| !is_gone(market));
    let done = world.roll_all(day(701)).await;
    assert_eq!((done.left, done.failed), (0, 0));
    for later in [701, 720] {
        world.roll_all(day(later)).await;
        let inner = world.lock();
        let areas: BTreeSet<WideArea> = [WideLevel::County, WideLevel::Region, WideLevel::Country]
            .into_iter()
            .flat_map(|level| inner.markets.keys().map(move |market| WideArea::of(market, level)))
            .collect();
        for area in areas {
            let sum = inner.sum(&area);
            assert_eq!(sum.first_difference().unwrap(), None, "{area}");
            let lies_in = |market: &&Market| WideArea::of(market, area.level()) == area;
            assert_eq!(sum.total().markets, inner.markets.keys().filter(lies_in).count(), "{area}");
            assert!(sum.covered().has(day(later).day_in(&area.country().zone)), "{area} covers {:?}", sum.covered());
        }
    }
}

#[tokio::test]
async fn a_clock_that_was_ahead_and_a_lost_sum_leave_nothing_outdated() {
    let world = rolled_up(day(700)).await;
    world.roll_all(day(730)).await;
    world.lock().sums.retain(|area, _| area.level() != WideLevel::County);
    world.roll_all(day(701)).await;
    world.lock().all_are_sums(day(701));
}

#[test]
fn a_sum_is_read_as_written_and_anything_else_refused() {
    let mut home = Home::default();
    let address = Address { country: Some("US".into()), postal_code: Some("98103".into()), ..Address::default() };
    let mut listing = Listing::new(Purpose::Sale, Currency::USD, address);
    listing.list_price = Some(Minor(50_000_000));
    home.apply(&Observation::new("mls", "1", day(1), listing.clone()));
    let mut state = Cells::default();
    for (_, delta) in contribution(&home.history, &mut Zones::default()).into_deltas() {
        drop(state.add(&delta));
    }
    let name = market_of(&listing).unwrap().to_string();
    let mut sum = AreaSum::default();
    let whole = WholeMarket { version: 7, state, ..WholeMarket::default() };
    sum.put(&name, &Total::of(&whole, Day(20_454))).unwrap();
    sum.stamp(1_000);
    sum.stamp(5);
    assert_eq!(sum.version(), 1_001, "it grows though the clock does not");
    let bytes = sum.to_bytes().unwrap();
    assert_eq!(AreaSum::from_bytes(&bytes).unwrap(), sum);
    for with_series in [true, false] {
        let read = |bytes: &[u8]| Total::from_beginning(bytes, with_series);
        let mut total = read(&bytes).unwrap().unwrap();
        if with_series {
            assert_eq!(total, sum.total());
        }
        total.sum = sum.total().sum;
        assert_eq!(total, sum.total());
        assert!(read(&bytes[..40]).unwrap().is_none(), "more of it is needed");
        assert!(matches!(read(b"SUM9"), Err(SumError::Format(_))));
        assert!(read(b"SUM2").is_err());
        let mut other = bytes.clone();
        other[4] += 1;
        assert!(matches!(read(&other), Err(SumError::Format(_))), "with other figures");
    }
    for cut in 0..bytes.len() {
        assert!(AreaSum::from_bytes(&bytes[..cut]).is_err(), "cut at {cut}");
    }
    assert!(AreaSum::from_bytes(&[bytes.as_slice(), b"x"].concat()).is_err());
}
